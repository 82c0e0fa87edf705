"""A recorder of the box: its lines are a capture, from one market to the next, whatever happened to its connection."""

from pathlib import Path

import msgspec

from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.events import BookDelta, BookSnapshot, ContractListed
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.calibrated import CalibratedParams
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.house import House
from fairstrike.exchange.recording import Recorder
from fairstrike.exchange.streaming import Streams
from fairstrike.exchange.worlds import START_NS
from fairstrike.research.importers.stream15m import Stream15m
from tests.unit.exchange.floor_samples import ASK, BID, wish

QUARTER_NS = 15 * MINUTE_NS
OPEN_NS = 2_000_000 * QUARTER_NS


def market(number: int) -> Contract:
    open_ns = OPEN_NS + number * QUARTER_NS
    return Contract(
        ticker=f"KXBTC15M-{number}",
        event_ticker=f"KXBTC15M-{number}",
        series="KXBTC15M",
        asset="BTC",
        comparison=Comparison.AT_LEAST,
        open_ns=open_ns,
        close_ns=open_ns + QUARTER_NS,
        floor_e8=80_000 * 10**8,
        grid=TAPERED_GRID,
        exchange_index=2,
    )


class Place:
    """A floor with three markets one after the other, a recorder, and what it wrote."""

    def __init__(self) -> None:
        self.floor = Floor(now_ns=OPEN_NS - SECOND_NS)
        for number in range(3):
            self.floor.list_market(market(number), FeeSchedule(), 0, self.floor.now_ns)
        self.floor.open_account("a", key_id="a", balance_ud=10**12)
        self.streams = Streams(self.floor)
        self.recorder = Recorder(self.floor, self.streams)
        self.lines: list[bytes] = []

    def advance(self, now_ns: int) -> list[str]:
        """Let time pass and give the types of the lines written."""
        self.floor.advance(now_ns)
        self.streams.publish(self.floor.drain(), now_ns)
        new = list(self.recorder.lines(now_ns))
        self.lines += new
        return [str(msgspec.json.decode(line)["type"]) for line in new]

    def quote(self, number: int, bid_ticks: int, ask_ticks: int) -> None:
        for side, price_ticks in ((BID, bid_ticks), (ASK, ask_ticks)):
            order = wish(side, price_ticks, 500, ticker=f"KXBTC15M-{number}")
            self.floor.place("a", order, self.floor.now_ns)

    def read(self, folder: Path) -> Stream15m:
        path = folder / "box.jsonl"
        path.write_bytes(b"".join(self.lines))
        return Stream15m(path)


FOLLOWING = ["watch_market", "ws_connected", "ws_subscribed", "ws_subscribed", "orderbook_snapshot"]


def test_nothing_is_written_while_no_market_is_open() -> None:
    place = Place()
    assert place.advance(OPEN_NS - 1) == []
    assert place.advance(OPEN_NS) == FOLLOWING


def test_every_line_is_of_its_instant_and_of_the_followed_market() -> None:
    place = Place()
    place.advance(OPEN_NS)
    place.quote(0, 4_000, 4_200)
    place.quote(1, 1_000, 2_000)
    kinds = place.advance(OPEN_NS + SECOND_NS)
    lines = [msgspec.json.decode(line) for line in place.lines[-len(kinds) :]]
    assert kinds.count("orderbook_delta") == 2
    assert {line["recv_ns"] for line in lines} == {OPEN_NS + SECOND_NS}
    assert {line["market_ticker"] for line in lines} == {"KXBTC15M-0"}
    assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in place.lines)


def test_it_turns_to_the_next_market_some_seconds_after_the_close() -> None:
    place = Place()
    place.advance(OPEN_NS)
    close_ns = OPEN_NS + QUARTER_NS
    before = place.advance(close_ns + 8 * SECOND_NS - 1)
    assert "market_rotated" not in before
    after = place.advance(close_ns + 8 * SECOND_NS)
    assert after[after.index("market_rotated") :] == ["market_rotated", *FOLLOWING]
    assert [line["seq"] for line in map(msgspec.json.decode, place.lines) if line["seq"] is not None][-1] == 1


def test_after_the_last_market_it_waits() -> None:
    place = Place()
    place.advance(OPEN_NS)
    for number in (1, 2, 3):
        place.advance(OPEN_NS + number * QUARTER_NS + 8 * SECOND_NS)
    assert place.advance(OPEN_NS + 4 * QUARTER_NS) == []


def test_what_it_writes_is_read_as_a_capture_without_a_gap(tmp_path: Path) -> None:
    place = Place()
    place.advance(OPEN_NS)
    place.quote(0, 4_000, 4_200)
    place.advance(OPEN_NS + SECOND_NS)
    place.advance(OPEN_NS + QUARTER_NS + 9 * SECOND_NS)
    place.quote(1, 1_000, 2_000)
    place.advance(OPEN_NS + QUARTER_NS + 10 * SECOND_NS)
    recording = place.read(tmp_path)
    events = [event for _, unit in recording.units() for event in unit]
    listed = [event.contract for event in events if isinstance(event, ContractListed)]
    assert [(each.ticker, each.floor_e8, each.close_ns) for each in listed] == [
        (market(number).ticker, market(number).floor_e8, market(number).close_ns) for number in (0, 1)
    ]
    assert [(e.ticker, e.price_ticks, e.delta_cc) for e in events if isinstance(e, BookDelta) and e.delta_cc > 0] == [
        ("KXBTC15M-0", 4_000, 500),
        ("KXBTC15M-0", 4_200, 500),
        ("KXBTC15M-1", 1_000, 500),
        ("KXBTC15M-1", 2_000, 500),
    ]
    assert sum(isinstance(event, BookSnapshot) for event in events) >= 2
    assert not any(recording.gaps.values())


def test_a_recorder_that_begins_late_has_the_whole_book(tmp_path: Path) -> None:
    place = Place()
    place.floor.advance(OPEN_NS)
    place.quote(0, 4_000, 4_200)
    place.advance(OPEN_NS + MINUTE_NS)
    books = [e for _, unit in place.read(tmp_path).units() for e in unit if isinstance(e, BookSnapshot)]
    assert [(book.bids, book.asks) for book in books] == [(((4_000, 500),), ((4_200, 500),))]


def test_a_world_that_begins_anew_is_followed_anew() -> None:
    world = CalibratedParams(has_ladders=False)
    house = House(seed=1, start_ns=START_NS, world=world, box=BoxParams(), faults=())
    until_ns = START_NS + 3 * MINUTE_NS + 2 * SECOND_NS
    first = list(house.live(until_ns))
    house.begin(1, START_NS)
    assert list(house.live(START_NS)) == []
    assert list(house.live(until_ns)) == first
    assert [msgspec.json.decode(line)["type"] for line in first] == FOLLOWING
