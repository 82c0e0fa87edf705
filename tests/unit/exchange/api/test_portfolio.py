"""What an account reads of itself."""

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, START_NS, Client


@pytest.fixture
def trader() -> Client:
    """A client that bought 4 at 0.50 as taker, sold 3 at 0.60 as maker, and rests a bid of 10 at 0.20."""
    client = Client()
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="4.00", client_order_id="taker")
    client.now_ns += 2 * SECOND_NS
    client.place(side="ask", price="0.6000", count="3.00", client_order_id="maker")
    client.quote(Side.BID, 6_000, 300)
    client.now_ns += 2 * SECOND_NS
    client.place(price="0.2000", client_order_id="rest")
    client.quote(Side.BID, 4_000, 1_000)
    return client


def test_balance_is_what_new_orders_may_lock(trader: Client) -> None:
    body = trader.get("/portfolio/balance")
    fees = sum(float(row["fee_cost"]) for row in trader.get("/portfolio/fills")["fills"])
    dollars = 10_000 - 4 * 0.5 + 3 * 0.6 - fees - 10 * 0.2
    reserved_fee = float(dollars) - float(body["balance_dollars"])
    assert 0 <= reserved_fee < 0.2, "a resting order reserves its cost and at most its fee"
    assert body["balance"] == int(float(body["balance_dollars"]) * 100)
    assert body["balance_breakdown"] == [{"exchange_index": 2, "balance": body["balance_dollars"]}]
    assert body["portfolio_value"] == 40
    assert body["updated_ts"] == START_NS // SECOND_NS + 4


def test_balance_of_a_shard_without_money_is_user_not_found(trader: Client) -> None:
    status, body = trader.call("GET", "/portfolio/balance", "exchange_index=0")
    assert (status, body["error"]["code"]) == (404, "user_not_found")
    assert trader.call("GET", "/portfolio/balance", "exchange_index=2")[0] == 200


def test_positions_tell_net_and_event_sums(trader: Client) -> None:
    body = trader.get("/portfolio/positions")
    (market,), (event,) = body["market_positions"], body["event_positions"]
    assert (market["ticker"], market["position_fp"]) == (HOURLY, "1.00")
    assert (market["market_exposure_dollars"], market["realized_pnl_dollars"]) == ("0.500000", "0.300000")
    assert event["event_ticker"] == "KXBTCD-26NOV2117"
    assert event["event_exposure_dollars"] == market["market_exposure_dollars"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("ticker=KXNONE", 0),
        ("event_ticker=KXBTCD-26NOV2117", 1),
        ("count_filter=position", 1),
        ("count_filter=position,total_traded", 1),
        ("exchange_index=0", 0),
        ("exchange_index=2", 1),
    ],
)
def test_positions_are_filtered(trader: Client, query: str, count: int) -> None:
    assert len(trader.get("/portfolio/positions", query)["market_positions"]) == count


def test_fills_come_newest_first_with_both_prices(trader: Client) -> None:
    newest, oldest = trader.get("/portfolio/fills")["fills"]
    assert (newest["is_taker"], newest["book_side"], newest["outcome_side"]) == (False, "ask", "no")
    assert (newest["yes_price_dollars"], newest["no_price_dollars"]) == ("0.6000", "0.4000")
    assert (oldest["is_taker"], oldest["count_fp"], oldest["yes_price_dollars"]) == (True, "4.00", "0.5000")
    assert newest["fill_id"] == newest["trade_id"]
    assert "client_order_id" not in newest
    assert (newest["fee_cost"], oldest["fee_cost"]) == ("0.000000", "0.070000")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"ticker={HOURLY}", 2),
        ("ticker=KXNONE", 0),
        ("order_id=none", 0),
        (f"min_ts={START_NS // SECOND_NS + 1}", 1),
        (f"max_ts={START_NS // SECOND_NS + 1}", 1),
        (f"min_ts={START_NS // SECOND_NS}&max_ts={START_NS // SECOND_NS + 2}", 2),
    ],
)
def test_fills_are_filtered(trader: Client, query: str, count: int) -> None:
    assert len(trader.get("/portfolio/fills", query)["fills"]) == count


def test_fills_and_orders_come_in_pages(trader: Client) -> None:
    for path, key, total in (("/portfolio/fills", "fills", 2), ("/portfolio/orders", "orders", 3)):
        rows, cursor = [], ""
        while True:
            body = trader.get(path, f"limit=1&cursor={cursor}")
            rows += body[key]
            cursor = body["cursor"]
            if not cursor:
                break
        assert rows == trader.get(path)[key]
        assert len(rows) == total


def test_orders_tell_their_state(trader: Client) -> None:
    rest, maker, taker = trader.get("/portfolio/orders")["orders"]
    assert [row["status"] for row in (rest, maker, taker)] == ["resting", "executed", "executed"]
    assert (rest["client_order_id"], rest["remaining_count_fp"], rest["fill_count_fp"]) == ("rest", "10.00", "0.00")
    assert (taker["taker_fill_cost_dollars"], taker["taker_fees_dollars"]) == ("2.000000", "0.070000")
    assert (maker["maker_fill_cost_dollars"], maker["maker_fees_dollars"]) == ("1.200000", "0.000000")
    assert "expiration_time" not in rest
    # A page goes on behind an order that is wanted no more: one that rested may have ended between two pages.
    cursor = trader.get("/portfolio/orders", "limit=1")["cursor"]
    assert len(trader.get("/portfolio/orders", f"status=executed&cursor={cursor}")["orders"]) == 2


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=resting", 1),
        ("status=executed", 2),
        ("status=canceled", 0),
        ("event_ticker=KXOTHER,KXBTCD-26NOV2117", 3),
        ("event_ticker=KXOTHER", 0),
        (f"min_ts={START_NS // SECOND_NS + 3}", 1),
        ("exchange_index=0", 0),
    ],
)
def test_orders_are_filtered(trader: Client, query: str, count: int) -> None:
    assert len(trader.get("/portfolio/orders", query)["orders"]) == count


@pytest.mark.parametrize("path", ["fills", "orders", "positions", "settlements"])
@pytest.mark.parametrize("limit", ["1001", "0", "many"])
def test_a_limit_out_of_range_is_refused_not_clamped(path: str, limit: str) -> None:
    status, body = Client().call("GET", f"/portfolio/{path}", f"limit={limit}")
    assert (status, list(body)) == (400, ["msg"])


@pytest.mark.parametrize(("query", "status"), [("", 404), (f"market_ticker={HOURLY}", 200)])
def test_one_order_off_shard_0_needs_its_market(query: str, status: int) -> None:
    client = Client()
    _, placed = client.place()
    assert client.call("GET", f"/portfolio/orders/{placed['order_id']}", query)[0] == status


def test_one_order_is_found_unrouted_when_switched_so() -> None:
    client = Client(BoxParams(tier=None, is_order_found_unrouted=True))
    _, placed = client.place()
    assert client.get(f"/portfolio/orders/{placed['order_id']}")["order"]["order_id"] == placed["order_id"]


def test_settlement_pays_and_empties_positions(trader: Client) -> None:
    trader.publish_minute(CLOSE_NS // SECOND_NS, 80_100 * E8_PER_DOLLAR)
    trader.now_ns = CLOSE_NS + 200 * SECOND_NS
    (row,) = trader.get("/portfolio/settlements")["settlements"]
    assert (row["ticker"], row["market_result"], row["yes_count_fp"]) == (HOURLY, "yes", "1.00")
    assert (row["revenue"], row["value"], row["fee_cost"]) == (100, 100, "0.070000")
    assert trader.get("/portfolio/positions")["market_positions"] == []
    (rest, *_) = trader.get("/portfolio/orders")["orders"]
    assert (rest["status"], rest["remaining_count_fp"]) == ("canceled", "0.00")
    assert trader.get("/portfolio/balance")["balance_dollars"] == "10000.7300"
