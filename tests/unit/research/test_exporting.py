"""Exports hold what was recorded: every event, every row, and books that hftbacktest's rules rebuild."""

import csv
import json
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from fairstrike.core.events import BookDelta, BookSnapshot, Event, TradePrinted
from fairstrike.core.order import Side
from fairstrike.market.book import Book
from fairstrike.research.exporting import (
    BUY,
    CLEAR,
    DEPTH,
    EVENT_DTYPE,
    EXCHANGE,
    LEVEL,
    LOCAL,
    SELL,
    TRADE,
    exporter,
)
from fairstrike.research.importers.formats import recordings
from fairstrike.research.tables import rows
from fairstrike.store.parquet import SCHEMAS
from tests.unit.app.desk.sample import spot_told
from tests.unit.research.importers.samples import RECORDED, put

T = "KXBTC15M-A"


def delta(recv_ns: int, price: int, change: int, *, is_bid: bool = True, venue_ns: int | None = None) -> BookDelta:
    return BookDelta(ticker=T, is_bid=is_bid, price_ticks=price, delta_cc=change, recv_ns=recv_ns, venue_ns=venue_ns)


EVENTS: list[Event] = [
    delta(1, 4_000, 100),
    BookSnapshot(ticker=T, bids=((4_000, 500), (3_900, 50)), asks=((4_200, 700),), recv_ns=10),
    delta(20, 4_000, 250, venue_ns=15),
    delta(21, 4_200, -700, is_bid=False, venue_ns=16),
    TradePrinted(ticker=T, price_ticks=4_200, size_cc=700, taker_side=Side.BID, recv_ns=22, venue_ns=16),
    delta(30, 4_300, 150, is_bid=False, venue_ns=25),
    BookSnapshot(ticker=T, bids=((4_100, 100),), asks=((4_200, 100),), recv_ns=40),
]


def exported(kind: str, out: Path, events: list[Event]) -> list[Path]:
    out.mkdir(exist_ok=True)
    with ExitStack() as stack:
        made = exporter(kind, out, stack)
        made.take(events)
        return made.finish()


def recorded(tmp_path: Path) -> list[Event]:
    (recording,) = recordings([put(tmp_path, "r.jsonl.zst", RECORDED)])
    return [event for _, told in recording.units() for event in told]


def test_json_lines_are_the_events(tmp_path: Path) -> None:
    (path,) = exported("jsonl", tmp_path / "out", EVENTS)
    assert [msgspec.json.decode(line, type=Event) for line in path.read_bytes().splitlines()] == EVENTS
    (path,) = exported("jsonl", tmp_path / "recorded", recorded(tmp_path))
    assert {json.loads(line)["type"] for line in path.read_bytes().splitlines()} == {
        *("contract_listed", "stream_changed", "book_snapshot", "offset_stepped", "book_delta", "frame_refused"),
        "book_lost",
    }


def test_tables_hold_every_row(tmp_path: Path) -> None:
    events = [*recorded(tmp_path), spot_told(5, 3)]
    expected = [row for event in events for row in rows(event)]
    found = 0
    for path in exported("csv", tmp_path / "out", events):
        with path.open(newline="") as file:
            header, *told = csv.reader(file)
        assert header == SCHEMAS[path.stem].names
        mine = [
            ["" if cell is None else str(cell) for cell in row] for stream, _, row in expected if stream == path.stem
        ]
        assert told == mine
        found += len(told)
    assert found == len(expected) > 10


def test_arrays_have_the_layout_and_the_values(tmp_path: Path) -> None:
    (path,) = exported("hftbacktest", tmp_path / "out", EVENTS)
    data = np.load(path)["data"]
    assert path.name == f"{T}.npz"
    assert data.dtype == EVENT_DTYPE
    assert (data.dtype.itemsize, data.dtype.names) == (
        64,
        ("ev", "exch_ts", "local_ts", "px", "qty", "order_id", "ival", "fval"),
    )
    both = EXCHANGE | LOCAL
    assert [tuple(row)[:5] for row in data[:5].tolist()] == [
        (both | CLEAR | BUY, 10, 10, 0.0, 0.0),
        (both | CLEAR | SELL, 10, 10, 1.0, 0.0),
        (both | LEVEL | BUY, 10, 10, 0.4, 5.0),
        (both | LEVEL | BUY, 10, 10, 0.39, 0.5),
        (both | LEVEL | SELL, 10, 10, 0.42, 7.0),
    ]
    assert [tuple(row)[:5] for row in data[5:8].tolist()] == [
        (both | DEPTH | BUY, 15, 20, 0.4, 7.5),
        (both | DEPTH | SELL, 16, 21, 0.42, 0.0),
        (both | TRADE | BUY, 16, 22, 0.42, 7.0),
    ]


def rebuilt(data: NDArray[np.void]) -> tuple[dict[float, float], dict[float, float]]:
    """The book by hftbacktest's rules: a clear empties its side down or up to a price, a level states its size."""
    bids: dict[float, float] = {}
    asks: dict[float, float] = {}
    for ev, _, _, px, qty, *_ in data.tolist():
        kind, is_buy = ev & 0xFF, bool(ev & BUY)
        side = bids if is_buy else asks
        if kind == CLEAR:
            for price in [p for p in side if (p >= px if is_buy else p <= px)]:
                del side[price]
        elif kind in (DEPTH, LEVEL):
            side[px] = qty
            if not qty:
                del side[px]
    return bids, asks


def test_books_rebuilt_from_arrays_are_ours(tmp_path: Path) -> None:
    for count in range(2, len(EVENTS) + 1):
        book = Book()
        for event in EVENTS[1:count]:
            if isinstance(event, BookSnapshot):
                book = Book(event.bids, event.asks)
            elif isinstance(event, BookDelta):
                assert book.apply(event.is_bid, event.price_ticks, event.delta_cc)
        (path,) = exported("hftbacktest", tmp_path / str(count), EVENTS[:count])
        bids, asks = rebuilt(np.load(path)["data"])
        sides = [[(p / 10_000, s / 100) for p, s in side] for side in book.levels()]
        assert [sorted(bids.items(), reverse=True), sorted(asks.items())] == sides


@pytest.mark.parametrize("kind", ["jsonl", "csv", "hftbacktest"])
def test_nothing_recorded_makes_nothing_wrong(tmp_path: Path, kind: str) -> None:
    paths = exported(kind, tmp_path / "out", [])
    assert [path.read_bytes() for path in paths] == ([b""] if kind == "jsonl" else [])
