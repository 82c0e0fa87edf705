"""The stream's protocol: numbers, books, subscriptions, and what each frame means."""

import json

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    Event,
    FrameRefused,
    OffsetStepped,
    StreamChanged,
)
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.venue.kalshi.session import Session, SessionParams
from tests.unit.venue.kalshi.fakes import OTHER, TICKER, delta, frame, snapshot

NOW = 1_786_085_189_000_000_000
STAMP = 1_786_085_188_978_000_000


def told(session: Session, *frames: bytes) -> list[Event]:
    """The events of frames, without those about the clock."""
    events = [event for data in frames for event in session.receive(data, NOW)]
    return [event for event in events if not isinstance(event, OffsetStepped)]


def lost(ticker: str, reason: str) -> BookLost:
    return BookLost(ticker=ticker, reason=reason, recv_ns=NOW)


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


# Books


def test_no_prices_become_yes_prices() -> None:
    session = Session()
    (first,) = told(session, snapshot(1, yes=[("0.6200", "1720.33")], no=[("0.3700", "5.00")]))
    assert first == BookSnapshot(
        ticker=TICKER, bids=((6_200, 172_033),), asks=((6_300, 500),), recv_ns=NOW, venue_ns=None
    )
    (second,) = told(session, delta(2, side="no", price="0.3700", change="-100.00"))
    assert second == BookDelta(
        ticker=TICKER, is_bid=False, price_ticks=6_300, delta_cc=-10_000, recv_ns=NOW, venue_ns=STAMP
    )


def test_snapshot_without_sides_is_an_empty_book() -> None:
    assert told(Session(), snapshot(1)) == [BookSnapshot(ticker=TICKER, bids=(), asks=(), recv_ns=NOW)]


def test_jump_loses_every_book_of_the_subscription() -> None:
    session = Session()
    told(session, snapshot(1), snapshot(2, OTHER), snapshot(1, "KXETH15M-X", sid=2))
    assert told(session, delta(4)) == [lost(TICKER, "gap"), lost(OTHER, "gap")]
    assert session.gaps == {TICKER: 1, OTHER: 1, "KXETH15M-X": 0}
    assert names(told(session, delta(2, "KXETH15M-X", sid=2))) == ["BookDelta"]


def test_deltas_after_a_gap_are_dropped_until_the_snapshot() -> None:
    session = Session()
    told(session, snapshot(1), delta(3))
    assert told(session, delta(4), delta(9)) == []
    assert names(told(session, snapshot(10), delta(11))) == ["BookSnapshot", "BookDelta"]
    assert session.gaps == {TICKER: 1}


def test_snapshot_that_jumps_counts_one_gap_and_resynchronises() -> None:
    session = Session()
    told(session, snapshot(1), snapshot(2, OTHER))
    events = told(session, snapshot(7))
    assert events[:2] == [lost(TICKER, "gap"), lost(OTHER, "gap")]
    assert names(events) == ["BookLost", "BookLost", "BookSnapshot"]
    assert session.gaps == {TICKER: 1, OTHER: 1}
    assert names(told(session, delta(8), delta(9, OTHER))) == ["BookDelta"]


@pytest.mark.parametrize("seq", [1, 2])
def test_numbers_seen_before_are_dropped(seq: int) -> None:
    session = Session()
    told(session, snapshot(1), delta(2))
    assert told(session, delta(seq), snapshot(seq)) == []
    assert session.gaps == {TICKER: 0}


def test_a_number_far_ahead_breaks_the_session_once_all_others_look_old() -> None:
    session = Session(SessionParams(seen_again_max=3))
    told(session, snapshot(1), delta(1_000_000), delta(2), delta(3), delta(4))
    assert not session.is_broken
    told(session, delta(5))
    assert session.is_broken


def test_numbers_seen_again_now_and_then_break_nothing() -> None:
    session = Session(SessionParams(seen_again_max=1))
    told(session, snapshot(1), delta(2), delta(2), delta(3), delta(3), delta(4))
    assert not session.is_broken


@pytest.mark.parametrize("kind", ["ok", "unsubscribed", "error"])
def test_acknowledgements_consume_numbers(kind: str) -> None:
    session = Session()
    told(session, snapshot(1, sid=1))
    told(session, frame(kind, {} if kind != "unsubscribed" else None, sid=1, seq=2))
    if kind == "unsubscribed":
        assert told(session, delta(3)) == []
    else:
        assert names(told(session, delta(3))) == ["BookDelta"]


def test_jump_seen_at_an_acknowledgement_loses_the_book() -> None:
    session = Session()
    told(session, snapshot(1))
    assert told(session, frame("ok", {"market_tickers": [TICKER]}, sid=1, seq=3)) == [lost(TICKER, "gap")]


def test_a_market_told_on_two_subscriptions_is_told_once() -> None:
    session = Session()
    told(session, snapshot(1, sid=1))
    assert told(session, snapshot(1, sid=2), delta(2, sid=2)) == []
    assert names(told(session, delta(2, sid=1))) == ["BookDelta"]
    assert told(session, delta(9, sid=2)) == []
    assert told(session, frame("unsubscribed", None, sid=1, seq=3)) == [lost(TICKER, "unsubscribed")]
    assert names(told(session, snapshot(10, sid=2), delta(11, sid=2))) == ["BookSnapshot", "BookDelta"]


def test_frames_without_numbers_are_taken_as_they_come() -> None:
    session = Session()
    events = told(session, snapshot(None, sid=None), delta(None, sid=None), delta(None, sid=None))
    assert names(events) == ["BookSnapshot", "BookDelta", "BookDelta"]


def test_recording_without_sid_keeps_its_own_numbers() -> None:
    session = Session()
    told(session, snapshot(1, sid=None), snapshot(1, OTHER, sid=5))
    assert told(session, delta(3, sid=None)) == [lost(TICKER, "gap")]
    assert names(told(session, delta(2, OTHER, sid=5))) == ["BookDelta"]


def test_deltas_before_the_first_snapshot_wait_for_it() -> None:
    session = Session()
    assert told(session, delta(5, change="1.00"), delta(6, change="2.00")) == []
    assert names(told(session, snapshot(4))) == ["BookSnapshot", "BookDelta", "BookDelta"]


def test_deltas_older_than_the_first_snapshot_are_dropped() -> None:
    session = Session()
    told(session, delta(1), delta(2))
    assert names(told(session, snapshot(3), delta(4))) == ["BookSnapshot", "BookDelta"]


def test_first_snapshot_from_before_a_jump_is_dropped() -> None:
    session = Session()
    told(session, snapshot(1, OTHER), delta(2), delta(9))
    assert told(session, snapshot(3)) == []


def test_too_many_waiting_deltas_lose_the_book() -> None:
    session = Session(SessionParams(buffered_max=3))
    assert told(session, *(delta(seq) for seq in range(2, 5))) == []
    assert told(session, delta(5)) == [lost(TICKER, "overflow")]
    assert told(session, delta(6)) == []
    assert names(told(session, snapshot(7), delta(8))) == ["BookSnapshot", "BookDelta"]


@pytest.mark.parametrize(
    "broken",
    [
        delta(2, price="1.0001"),
        delta(2, change="many"),
        frame("orderbook_delta", {"market_ticker": TICKER}, sid=1, seq=2),
        frame("orderbook_snapshot", {"market_ticker": TICKER, "yes_dollars_fp": [["0.5", "-1.00"]]}, sid=1, seq=2),
        frame("orderbook_snapshot", {"market_ticker": TICKER, "no_dollars_fp": [["1.0000", "5.00"]]}, sid=1, seq=2),
    ],
)
def test_an_unreadable_frame_loses_the_books_of_its_subscription(broken: bytes) -> None:
    """What it said of them may be the last for long."""
    session = Session()
    told(session, snapshot(1), snapshot(1, OTHER, sid=2))
    assert told(session, broken)[:-1] == [lost(TICKER, "unreadable")]
    assert told(session, delta(3), delta(4)) == []
    assert names(told(session, snapshot(5), delta(6), delta(2, OTHER, sid=2))) == ["BookSnapshot"] + ["BookDelta"] * 2


def test_an_unreadable_frame_of_no_book_loses_none() -> None:
    session = Session()
    told(session, snapshot(1))
    assert names(told(session, frame("trade", {}, sid=7, seq=1), frame("ticker", {}, sid=8))) == ["FrameRefused"] * 2
    assert names(told(session, delta(2))) == ["BookDelta"]


Book = dict[tuple[bool, int], int]


class World:
    """A venue with two markets on one subscription; its books after every number."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.books: dict[str, Book] = {TICKER: {}, OTHER: {}}
        self.frames: list[tuple[int, bytes]] = []
        self.history: list[dict[str, Book]] = [{TICKER: {}, OTHER: {}}]
        for ticker in self.books:
            self.snap(ticker)
        for _ in range(60):
            self.move()

    def snap(self, ticker: str) -> None:
        sides: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
        for (is_bid, ticks), size in sorted(self.books[ticker].items()):
            price = ticks if is_bid else TICKS_PER_DOLLAR - ticks
            sides[is_bid].append((f"{price / 10_000:.4f}", f"{size / 100:.2f}"))
        self.emit(snapshot(len(self.history), ticker, sides[True], sides[False]))

    def move(self) -> None:
        ticker = (TICKER, OTHER)[self.dice.below(2)]
        if self.dice.below(12) == 0:
            self.snap(ticker)
            return
        is_bid, price, size = self.dice.below(2) == 1, self.dice.between(1, 99) * 100, self.dice.between(1, 9)
        ticks = price if is_bid else TICKS_PER_DOLLAR - price
        self.books[ticker][is_bid, ticks] = self.books[ticker].get((is_bid, ticks), 0) + size
        side = "yes" if is_bid else "no"
        self.emit(delta(len(self.history), ticker, side, f"{price / 10_000:.4f}", f"{size / 100:.2f}"))

    def emit(self, data: bytes) -> None:
        self.frames.append((len(self.history), data))
        self.history.append({ticker: dict(book) for ticker, book in self.books.items()})

    def delivered(self) -> list[tuple[int, bytes]]:
        """The frames with some lost, some twice, and some first snapshots late."""
        order: list[tuple[int, bytes]] = []
        for number, data in self.frames:
            chance = self.dice.below(20)
            if chance == 0:
                continue
            order += [(number, data)] * (2 if chance == 1 else 1)
            if chance == 2 and len(order) > 1:
                order[-1], order[-2] = order[-2], order[-1]
        return order


def fold(books: dict[str, Book], event: Event) -> None:
    match event:
        case BookSnapshot(ticker=ticker):
            books[ticker] = {(True, ticks): size for ticks, size in event.bids}
            books[ticker] |= {(False, ticks): size for ticks, size in event.asks}
        case BookDelta(ticker=ticker):
            place = (event.is_bid, event.price_ticks)
            books[ticker][place] = books[ticker].get(place, 0) + event.delta_cc
        case BookLost(ticker=ticker):
            del books[ticker]


@pytest.mark.parametrize("seed", range(150))
def test_held_book_is_always_the_venues(seed: int) -> None:
    world = World(Dice(seed, 1))
    session, books, newest = Session(), dict[str, Book](), 0
    for number, data in world.delivered():
        for event in session.receive(data, NOW):
            fold(books, event)
        newest = max(newest, number)
        for ticker, book in books.items():
            assert world.history[newest][ticker] == book


# Connections and commands


def commands(sent: list[bytes]) -> list[dict[str, object]]:
    return [json.loads(data) for data in sent]


def acknowledge(session: Session) -> None:
    for sid, channel in enumerate(("orderbook_delta", "ticker", "trade"), start=1):
        session.receive(frame("subscribed", {"channel": channel, "sid": sid}), NOW)


def test_connection_subscribes_to_everything_watched() -> None:
    session = Session()
    assert session.watch([TICKER, OTHER, TICKER]) == []
    events, sent = session.connected(NOW)
    assert events == [StreamChanged(source="kalshi", is_up=True, reason="connected", recv_ns=NOW)]
    markets, account, index = commands(sent)
    assert markets == {
        "id": 1,
        "cmd": "subscribe",
        "params": {
            "channels": ["orderbook_delta", "ticker", "trade"],
            "market_tickers": [TICKER, OTHER],
            "use_yes_price": False,
        },
    }
    assert account["params"] == {"channels": ["fill", "user_orders", "market_lifecycle_v2"]}
    assert index["params"] == {
        "channels": ["cfbenchmarks_value"],
        "index_ids": ["BRTI", "ETHUSD_RTI", "SOLUSD_RTI"],
    }
    assert [command["id"] for command in (markets, account, index)] == [1, 2, 3]


def test_paper_leaves_the_private_channels_shut() -> None:
    _, sent = Session(SessionParams(reads_account=False)).connected(NOW)
    assert commands(sent)[0]["params"] == {"channels": ["market_lifecycle_v2"]}


def test_watching_on_adds_to_the_open_subscriptions() -> None:
    session = Session()
    session.watch([TICKER])
    session.connected(NOW)
    acknowledge(session)
    sent = commands(session.watch([TICKER, OTHER]))
    assert [command["params"] for command in sent] == [
        {"action": "add_markets", "sids": [sid], "market_tickers": [OTHER]} for sid in (1, 2, 3)
    ]
    assert [command["id"] for command in sent] == [4, 5, 6]


def test_watching_before_the_acknowledgement_subscribes_again() -> None:
    session = Session()
    session.connected(NOW)
    (sent,) = commands(session.watch([TICKER]))
    assert sent["cmd"] == "subscribe"


def test_unwatched_market_is_silent_until_watched_again() -> None:
    session = Session()
    session.watch([TICKER])
    session.connected(NOW)
    acknowledge(session)
    told(session, snapshot(1))
    sent = commands(session.unwatch([TICKER]))
    assert [command["params"] for command in sent] == [
        {"action": "delete_markets", "sids": [sid], "market_tickers": [TICKER]} for sid in (1, 2, 3)
    ]
    assert told(session, delta(2), snapshot(3)) == []
    session.watch([TICKER])
    assert names(told(session, snapshot(4), delta(5))) == ["BookSnapshot", "BookDelta"]


def test_resubscribing_asks_for_a_snapshot() -> None:
    session = Session()
    session.watch([TICKER])
    assert session.resubscribe([TICKER]) == []
    session.connected(NOW)
    (early,) = commands(session.resubscribe([TICKER]))
    assert early["cmd"] == "subscribe"
    acknowledge(session)
    (late,) = commands(session.resubscribe([TICKER]))
    assert late["params"] == {"action": "get_snapshot", "sids": [1], "market_tickers": [TICKER]}


def test_disconnection_loses_the_held_books_and_numbers() -> None:
    session = Session()
    session.connected(NOW)
    told(session, snapshot(1), snapshot(2, OTHER), delta(4))
    told(session, snapshot(5))
    down = StreamChanged(source="kalshi", is_up=False, reason="reset", recv_ns=NOW)
    assert session.disconnected(NOW, "reset") == [down, lost(TICKER, "disconnected")]
    events, _ = session.connected(NOW)
    assert names(events) == ["StreamChanged"]
    assert names(told(session, snapshot(1), delta(2))) == ["BookSnapshot", "BookDelta"]


def test_connecting_without_having_disconnected_loses_the_held_books() -> None:
    session = Session()
    told(session, snapshot(1))
    events, _ = session.connected(NOW)
    assert events[0] == lost(TICKER, "reconnected")


@pytest.mark.parametrize("code", [10, 25])
def test_ended_subscription_breaks_the_connection(code: int) -> None:
    session = Session()
    session.connected(NOW)
    acknowledge(session)
    told(session, snapshot(1))
    events = told(session, frame("error", {"code": code, "msg": "buffer overflow"}, sid=1))
    assert names(events) == ["BookLost", "FrameRefused"]
    assert session.is_broken
    session.connected(NOW)
    assert not session.is_broken


@pytest.mark.parametrize("code", [10, 25])
def test_an_end_that_names_neither_command_nor_subscription_breaks_the_connection(code: int) -> None:
    session = Session()
    told(session, snapshot(1))
    told(session, frame("error", {"code": code, "msg": "buffer overflow"}))
    assert session.is_broken


@pytest.mark.parametrize(("is_broken", "command"), [(True, 4), (False, 3)])
def test_a_subscription_the_venue_no_longer_knows_breaks_the_connection(is_broken: bool, command: int) -> None:
    """Asked for again and again under that sid, the book would stay absent."""
    session = Session()
    session.watch([TICKER])
    session.connected(NOW)
    acknowledge(session)
    (asked,) = commands(session.resubscribe([TICKER]))
    assert asked["id"] == 4
    refusal = {"type": "error", "id": command, "msg": {"code": 7, "msg": "unknown sid"}}
    told(session, json.dumps(refusal).encode())
    assert session.is_broken is is_broken


def test_refused_index_channel_is_told_and_harmless() -> None:
    session = Session()
    session.connected(NOW)
    refusal = {"type": "error", "id": 2, "msg": {"code": 9, "msg": "authentication required"}}
    (event,) = told(session, json.dumps(refusal).encode())
    assert isinstance(event, FrameRefused)
    assert event.reason == "error 9 cfbenchmarks_value: authentication required"
    assert not session.is_broken


def test_sid_may_stand_beside_the_acknowledgement() -> None:
    session = Session()
    session.connected(NOW)
    session.receive(b'{"id":2,"type":"subscribed","sid":9}', NOW)
    told(session, frame("error", {"code": 10, "msg": "not entitled"}, sid=9))
    assert not session.is_broken


# What cannot be read


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'{"type":"orderbook_delta"}',
        b'{"type":"fill","msg":{}}',
        b'{"type":7}',
        b"\xff\xfe",
        b'{"type":"cfbenchmarks_value","msg":{"index_id":"BRTI","data":"{"}}',
        b'{"type":"cfbenchmarks_value","msg":{"index_id":"BRTI","data":"{\\"time\\":1,\\"value\\":\\"NaN\\"}"}}',
        b'{"x":' + b"[" * 100_000,
    ],
)
def test_unreadable_frame_is_an_event(data: bytes) -> None:
    assert names(told(Session(), data)) == ["FrameRefused"]


def test_unknown_type_is_tolerated_and_consumes_its_number() -> None:
    session = Session()
    told(session, snapshot(1))
    assert told(session, frame("event_fee_update", {"event_ticker": "E"})) == []
    assert told(session, frame("something_new", [1, 2], sid=1, seq=2)) == []
    assert names(told(session, delta(3))) == ["BookDelta"]
    assert told(session, frame("something_new", 7, sid=1, seq=9)) == [lost(TICKER, "gap")]
