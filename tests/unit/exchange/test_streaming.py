"""Subscriptions, their numbers, and frames that rebuild the floor's books exactly."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR, TICKS_PER_DOLLAR, UD_PER_DOLLAR, parse_cc, parse_ticks
from fairstrike.exchange.api import connection
from fairstrike.exchange.api.messages import market_id
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.floor import PlaceOrder, Rejection, Transfer
from fairstrike.venue.kalshi.wire.stream import decode_frame
from tests.unit.exchange.api.client import (
    CLOSE_NS,
    HOURLY,
    QUARTER,
    RANGE,
    WALL_MS,
    Client,
    signed_headers,
)
from tests.unit.exchange.api.stream import Frame, Stream

DELTA_FIELDS = ("side", "price_dollars", "delta_fp")


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def stream(client: Client) -> Stream:
    return Stream(client)


def test_a_handshake_with_a_bad_signature_is_refused(client: Client) -> None:
    answer = client.box.connect(signed_headers("POST", "/trade-api/ws/v2"), WALL_MS)
    assert not isinstance(answer, int)
    assert answer.status == 401


def test_subscribe_is_confirmed_and_the_book_follows(client: Client, stream: Stream) -> None:
    client.quote(Side.BID, 4_900, 1_000)
    confirmed, snapshot = stream.subscribe("orderbook_delta", HOURLY)
    assert confirmed == {"type": "subscribed", "id": 1, "msg": {"channel": "orderbook_delta", "sid": 1}}
    assert (snapshot["type"], snapshot["sid"], snapshot["seq"]) == ("orderbook_snapshot", 1, 1)
    assert snapshot["msg"]["yes_dollars_fp"] == [["0.4900", "10.00"]]
    assert "no_dollars_fp" not in snapshot["msg"], "an empty side has no key"
    assert "id" not in snapshot


def test_deltas_count_on_and_carry_no_prices_for_asks(client: Client, stream: Stream) -> None:
    stream.subscribe("orderbook_delta", HOURLY)
    client.quote(Side.ASK, 5_300, 700)
    client.quote(Side.BID, 5_100, 200)
    client.place(side="ask", price="0.5100", count="0.50")
    rows = [(row["seq"], *(row["msg"][name] for name in DELTA_FIELDS)) for row in stream.frames()]
    assert rows == [(2, "no", "0.4700", "7.00"), (3, "yes", "0.5100", "2.00"), (4, "yes", "0.5100", "-0.50")]


def test_client_order_ids_are_for_the_owners_eyes(client: Client, stream: Stream) -> None:
    other = Stream(client, "other-key")
    for each in (stream, other):
        each.subscribe("orderbook_delta", HOURLY)
    client.place(client_order_id="mine")
    (own,), (foreign,) = stream.frames(), other.frames()
    assert own["msg"]["client_order_id"] == "mine"
    assert own["msg"]["subaccount"] == 0
    assert not {"client_order_id", "subaccount"} & foreign["msg"].keys()


def test_an_own_change_names_its_subaccount(client: Client, stream: Stream) -> None:
    stream.subscribe("orderbook_delta", HOURLY)
    assert client.floor.open_subaccount("client") == 1
    moved = Transfer(instant_ns=client.now_ns, transfer_id="", source=0, target=1, amount_ud=100 * UD_PER_DOLLAR)
    assert not isinstance(client.floor.transfer("client", moved), Rejection)
    client.place(subaccount=1)
    (own,) = stream.frames()
    assert (own["msg"]["subaccount"], "client_order_id" in own["msg"]) == (1, False)


def test_a_second_subscribe_merges_and_ok_takes_a_number(client: Client, stream: Stream) -> None:
    client.quote(Side.BID, 4_900, 1_000)
    stream.subscribe("orderbook_delta", RANGE)
    ok, snapshot = stream.say("subscribe", 7, channels=["orderbook_delta"], market_ticker=HOURLY)
    assert ok == {"type": "ok", "id": 7, "sid": 1, "seq": 2, "msg": {"market_tickers": sorted([RANGE, HOURLY])}}
    assert (snapshot["msg"]["market_ticker"], snapshot["seq"]) == (HOURLY, 3)
    (again,) = stream.subscribe("orderbook_delta", HOURLY)
    assert (again["type"], again["seq"]) == ("ok", 4)


def test_markets_are_added_deleted_and_sent_again(client: Client, stream: Stream) -> None:
    stream.subscribe("orderbook_delta", HOURLY)
    ok, snapshot = stream.say("update_subscription", 2, sid=1, action="add_markets", market_tickers=[RANGE])
    assert (ok["msg"]["market_tickers"], ok["seq"]) == (sorted([HOURLY, RANGE]), 2)
    assert (snapshot["msg"]["market_ticker"], snapshot["seq"]) == (RANGE, 3)
    (ok,) = stream.say("update_subscription", 3, sids=[1], action="delete_markets", market_tickers=[HOURLY])
    assert (ok["msg"]["market_tickers"], ok["seq"]) == ([RANGE], 4)
    client.quote(Side.BID, 4_900, 1_000)
    assert stream.frames() == []
    (wanted,) = stream.say("update_subscription", 4, sid=1, action="get_snapshot", market_tickers=[RANGE])
    assert (wanted["type"], wanted["id"], wanted["seq"]) == ("orderbook_snapshot", 4, 5)


def test_unsubscribed_takes_the_last_number_and_sids_are_not_reused(stream: Stream) -> None:
    stream.subscribe("orderbook_delta", HOURLY)
    (gone,) = stream.say("unsubscribe", 2, sids=[1])
    assert gone == {"type": "unsubscribed", "id": 2, "sid": 1, "seq": 2}
    confirmed, _ = stream.subscribe("orderbook_delta", HOURLY)
    assert confirmed["msg"]["sid"] == 2


def test_subscriptions_are_listed(stream: Stream) -> None:
    stream.say("subscribe", channels=["ticker", "trade"])
    assert stream.say("list_subscriptions", 9) == [
        {
            "type": "ok",
            "id": 9,
            "msg": [{"channel": "ticker", "sid": 1}, {"channel": "trade", "sid": 2}],
        }
    ]


def test_the_no_side_can_be_told_in_yes_prices(client: Client, stream: Stream) -> None:
    plain = Stream(client)
    plain.subscribe("orderbook_delta", HOURLY)
    for price_ticks in (5_300, 5_400):
        client.quote(Side.ASK, price_ticks, 700)
    _, snapshot = stream.subscribe("orderbook_delta", HOURLY, use_yes_price=True)
    assert snapshot["msg"]["no_dollars_fp"] == [["0.5400", "7.00"], ["0.5300", "7.00"]]
    client.quote(Side.ASK, 5_200, 100)
    assert [row["msg"]["price_dollars"] for row in stream.frames()] == ["0.5200"]
    assert [row["msg"]["price_dollars"] for row in plain.frames()] == ["0.4700", "0.4600", "0.4800"]


def test_yes_prices_may_be_the_default() -> None:
    client = Client(BoxParams(tier=None, is_yes_priced=True))
    client.quote(Side.ASK, 5_300, 700)
    _, snapshot = Stream(client).subscribe("orderbook_delta", HOURLY)
    assert snapshot["msg"]["no_dollars_fp"] == [["0.5300", "7.00"]]
    _, snapshot = Stream(client).subscribe("orderbook_delta", HOURLY, use_yes_price=False)
    assert snapshot["msg"]["no_dollars_fp"] == [["0.4700", "7.00"]]


def test_tickers_can_be_named_by_market_id(client: Client, stream: Stream) -> None:
    stream.subscribe("ticker", HOURLY, send_initial_snapshot=True)
    known = market_id(RANGE)
    ok, ticker = stream.say(
        "update_subscription", 2, sid=1, action="add_markets", market_ids=[known], send_initial_snapshot=True
    )
    assert (ok["msg"]["market_tickers"], ticker["msg"]["market_id"]) == (sorted([HOURLY, RANGE]), known)
    (answer,) = stream.subscribe("ticker", HOURLY, market_id=known)
    assert answer["msg"]["code"] == 23


def test_an_acknowledgement_can_do_without_its_list(stream: Stream) -> None:
    stream.subscribe("orderbook_delta", HOURLY)
    ok, _ = stream.say(
        "update_subscription", 2, sid=1, action="add_markets", market_tickers=[RANGE], skip_ticker_ack=True
    )
    assert ok == {"type": "ok", "id": 2, "sid": 1, "seq": 2, "msg": {}}


def test_order_groups_have_a_channel_without_filter(stream: Stream) -> None:
    (confirmed,) = stream.subscribe("order_group_updates", HOURLY)
    assert confirmed["msg"] == {"channel": "order_group_updates", "sid": 1}


def test_order_groups_are_told_to_their_owner(client: Client, stream: Stream) -> None:
    foreign = Stream(client, "other-key")
    for each in (stream, foreign):
        each.subscribe("order_group_updates")
    stream.subscribe("user_orders")
    body = {"contracts_limit": 5, "exchange_index": 2}
    _, made = client.call("POST", "/portfolio/order_groups/create", body=body)
    client.place(order_group_id=made["order_group_id"])
    client.call("DELETE", f"/portfolio/order_groups/{made['order_group_id']}", "exchange_index=2")
    frames = stream.frames()
    told = [row for row in frames if row["type"] == "order_group_updates"]
    assert [(row["seq"], row["msg"]["event_type"]) for row in told] == [(1, "created"), (2, "deleted")]
    assert (told[0]["msg"]["order_group_id"], told[0]["msg"]["contracts_limit_fp"]) == (made["order_group_id"], "5.00")
    assert {row["msg"]["order_group_id"] for row in frames} == {made["order_group_id"]}
    assert foreign.frames() == []


def test_what_a_subaccount_does_names_it(client: Client, stream: Stream) -> None:
    stream.say("subscribe", channels=["fill", "user_orders", "market_positions"])
    client.call("POST", "/portfolio/subaccounts")
    moved = {"client_transfer_id": str(UUID(int=1)), "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 1_000}
    client.call("POST", "/portfolio/subaccounts/transfer", body={**moved, "exchange_index": 2})
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="1.00", subaccount=1)
    frames = {row["type"]: row["msg"] for row in stream.frames()}
    assert (frames["fill"]["subaccount"], frames["market_position"]["subaccount"]) == (1, 1)
    assert frames["user_order"]["subaccount_number"] == 1


def test_snapshots_of_other_markets_are_refused(stream: Stream) -> None:
    stream.subscribe("orderbook_delta", HOURLY)
    (answer,) = stream.say("update_subscription", sid=1, action="get_snapshot", market_tickers=[RANGE])
    assert (answer["msg"]["code"], answer["msg"]["market_tickers"]) == (11, [RANGE])


def test_tickers_come_once_a_venue_second_without_numbers(client: Client, stream: Stream) -> None:
    stream.subscribe("ticker")
    for step in range(10):
        client.now_ns += 90 * MILLISECOND_NS
        client.quote(Side.BID, 1_000 + 100 * step, 100)
        client.quote(Side.ASK, 9_000, 100)
    assert stream.frames() == [], "the second has not passed"
    client.now_ns += SECOND_NS
    (row,) = stream.frames()
    assert (row["type"], "seq" in row) == ("ticker", False)
    assert (row["msg"]["yes_bid_dollars"], row["msg"]["yes_ask_size_fp"]) == ("0.1900", "10.00")
    client.now_ns += 5 * SECOND_NS
    assert stream.frames() == [], "an unchanged market is silent"


def test_a_ticker_counts_contracts_on_both_sides_of_a_match(client: Client, stream: Stream) -> None:
    stream.subscribe("ticker")
    client.quote(Side.ASK, 5_000, 400)
    client.place(client_order_id="mine")
    client.now_ns += SECOND_NS
    told = next(row["msg"] for row in stream.frames() if row["msg"]["volume_fp"] != "0.00")
    matched = float(told["last_trade_size_fp"])
    assert matched > 0
    assert (float(told["volume_fp"]), float(told["open_interest_fp"])) == (2 * matched, 2 * matched)
    assert (told["dollar_volume"], told["dollar_open_interest"]) == (int(matched), int(matched))


def test_an_initial_ticker_is_sent_when_asked(client: Client, stream: Stream) -> None:
    confirmed, ticker = stream.subscribe("ticker", HOURLY, send_initial_snapshot=True)
    assert (confirmed["type"], ticker["type"]) == ("subscribed", "ticker")
    assert ticker["msg"]["yes_bid_size_fp"] == "0.00"


def test_a_match_is_told_on_every_channel_it_concerns(client: Client, stream: Stream) -> None:
    stream.say("subscribe", channels=["trade", "fill", "user_orders", "market_positions"])
    foreign = Stream(client, "other-key")
    foreign.say("subscribe", channels=["trade", "fill", "user_orders", "market_positions"])
    client.quote(Side.ASK, 5_000, 400)
    client.place(client_order_id="mine")
    frames = {row["type"]: row for row in stream.frames()}
    assert set(frames) == {"trade", "fill", "user_order", "market_position"}
    assert [name for name in frames if "seq" in frames[name]] == ["trade"]
    fill, order = frames["fill"]["msg"], frames["user_order"]["msg"]
    assert fill["trade_id"] == frames["trade"]["msg"]["trade_id"]
    assert (fill["client_order_id"], fill["post_position_fp"], fill["fee_cost"]) == ("mine", "4.00", "0.070000")
    assert (order["status"], order["fill_count_fp"], order["remaining_count_fp"]) == ("resting", "4.00", "6.00")
    assert order["last_update_reason"] == "Trade"
    assert frames["market_position"]["msg"]["position_cost_dollars"] == "2.000000"
    assert [row["type"] for row in foreign.frames()] == ["trade"]


def test_cancels_of_the_owner_have_no_reason(client: Client, stream: Stream) -> None:
    stream.subscribe("user_orders")
    _, placed = client.place(client_order_id="mine")
    client.call("DELETE", f"/portfolio/events/orders/{placed['order_id']}", "exchange_index=2")
    resting, gone = stream.frames()
    assert (resting["msg"]["status"], gone["msg"]["status"]) == ("resting", "canceled")
    assert "last_update_reason" not in gone["msg"]


class Book:
    """A book rebuilt from frames by the plainest means."""

    def __init__(self) -> None:
        self.levels: dict[tuple[Side, int], int] = {}
        self.seq = 0

    def take(self, frame: Frame) -> None:
        self.seq += 1
        assert frame["seq"] == self.seq, "numbers have no gaps"
        message = frame["msg"]
        if frame["type"] == "orderbook_snapshot":
            self.levels = {}
            for side, key in ((Side.BID, "yes_dollars_fp"), (Side.ASK, "no_dollars_fp")):
                for price, count in message.get(key, ()):
                    self.levels[side, self.yes_ticks(side, price)] = parse_cc(count)
        else:
            side = Side.BID if message["side"] == "yes" else Side.ASK
            place = (side, self.yes_ticks(side, message["price_dollars"]))
            self.levels[place] = self.levels.get(place, 0) + parse_cc(message["delta_fp"])
            assert self.levels[place] >= 0, "no level is ever negative"
            if not self.levels[place]:
                del self.levels[place]

    @staticmethod
    def yes_ticks(side: Side, price: str) -> int:
        ticks = parse_ticks(price)
        return ticks if side is Side.BID else TICKS_PER_DOLLAR - ticks


ACTS = st.tuples(
    st.sampled_from(["maker", "client", "other", "cancel", "snapshot", "wait"]),
    st.sampled_from(list(Side)),
    st.integers(40, 60),
    st.integers(1, 500),
    st.sampled_from(list(TimeInForce)),
)


@given(st.lists(ACTS, max_size=60), st.integers(0, 20))
def test_snapshot_and_deltas_rebuild_the_floors_book(
    acts: list[tuple[str, Side, int, int, TimeInForce]], joins_after: int
) -> None:
    client = Client()
    book = Book()
    stream: Stream | None = None
    placed: list[tuple[str, str]] = []
    for number, (who, side, cents, size_cc, tif) in enumerate(acts):
        if number == joins_after:
            stream = Stream(client)
            for frame in stream.subscribe("orderbook_delta", HOURLY)[1:]:
                book.take(frame)
        if who in ("maker", "client", "other"):
            wish = PlaceOrder(ticker=HOURLY, side=side, price_ticks=100 * cents, size_cc=size_cc, tif=tif)
            done = client.floor.place(who, wish, client.now_ns)
            placed += [(who, done.order.order_id)] if hasattr(done, "order") else []
        elif who == "cancel" and placed:
            client.floor.cancel(*placed.pop(size_cc % len(placed)), client.now_ns)
        elif who == "wait":
            client.now_ns += size_cc * MILLISECOND_NS
        elif who == "snapshot" and stream is not None:
            update: dict[str, object] = {"sid": 1, "action": "get_snapshot", "market_tickers": [HOURLY]}
            for frame in stream.say("update_subscription", 1, **update):
                book.take(frame)
        if stream is not None:
            for frame in stream.frames():
                book.take(frame)
            expected = {(side, ticks): cc for side in Side for ticks, cc in client.floor.levels(HOURLY, side)}
            assert expected == book.levels


def test_every_frame_is_one_the_client_reads(client: Client, stream: Stream) -> None:
    stream.say("subscribe", channels=["ticker", "trade", "fill", "user_orders", "market_positions"])
    stream.say("subscribe", channels=["market_lifecycle_v2"])
    stream.subscribe("orderbook_delta", HOURLY, QUARTER)
    stream.subscribe("cfbenchmarks_value", index_ids=["BRTI"])
    client.quote(Side.ASK, 5_000, 400)
    client.place(expiration_time=client.now_ns // SECOND_NS + 1)
    client.publish_minute(CLOSE_NS // SECOND_NS - 900, 80_000 * E8_PER_DOLLAR)
    client.publish_minute(CLOSE_NS // SECOND_NS, 80_000 * E8_PER_DOLLAR)
    client.now_ns = CLOSE_NS + 200 * SECOND_NS
    client.box.advance(client.now_ns)
    raw = client.box.frames(stream.connection)
    kinds = {type(decode_frame(frame)).__name__ for frame in raw}
    assert kinds == {
        "DeltaFrame",
        "FillFrame",
        "IndexFrame",
        "LifecycleFrame",
        "PositionFrame",
        "SnapshotFrame",
        "TickerFrame",
        "TradeFrame",
        "UserOrderFrame",
    }


def test_names_of_indices_count_as_markets_do(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MARKETS_OF_A_CONNECTION_MAX", 2)
    (confirmed,) = stream.say("subscribe", channels=["cfbenchmarks_value"], index_ids=["BRTI", "A"])
    assert confirmed["type"] == "subscribed"
    (refused,) = stream.say("update_subscription", 2, sid=1, action="subscribe_indices", index_ids=["B"])
    assert (refused["type"], refused["msg"]["code"]) == ("error", 26)
    (refused,) = stream.say("subscribe", 3, channels=["cfbenchmarks_value_5hz"], index_ids=["B"])
    assert (refused["type"], refused["msg"]["code"]) == ("error", 26)
