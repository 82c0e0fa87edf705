"""A real capture told again as the frames of a recorder: its size, its books, its rows as Parquet."""

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import compacting, covering
from fairstrike.core.events import BookDelta, BookLost, BookSnapshot
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import format_ticks
from fairstrike.market.book import Book
from fairstrike.research.importers.formats import recordings
from fairstrike.store.raw import Line, Note, Writer
from tests.replay.rebuild import Plain

BYTES_MAX = 30
FRAMES = ("orderbook_snapshot", "orderbook_delta", "ticker")


@pytest.fixture(scope="module")
def capture(shared_data: Path) -> Path:
    return next((shared_data / "btc15m").glob("*20260513T1541Z.jsonl.gz"))


@pytest.fixture(scope="module")
def plain(capture: Path) -> Plain:
    return Plain(capture)


@pytest.fixture(scope="module")
def recorded(capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Writer:
    """The capture's frames, recorded with a sync point each recorded second."""
    folder = tmp_path_factory.mktemp("recorded")
    tape = None
    written_ns = 0
    with gzip.open(capture) as file:
        for told in map(json.loads, file):
            recv_ns, kind = told["recv_ns"], told["type"]
            if tape is None:
                tape, written_ns = Writer(folder, "20260513T154100Z", "prod", recv_ns), recv_ns
            if kind == "ws_connected":
                tape.line(Line(recv_ns=recv_ns, source="kalshi", note=Note(kind="connected")))
            if kind in FRAMES:
                number = {} if told["seq"] is None else {"seq": told["seq"]}
                frame = {"type": kind, "sid": 2 if kind == "ticker" else 1} | number | {"msg": told["msg"]}
                tape.frame(recv_ns, "kalshi", 1, msgspec.json.encode(frame))
            if recv_ns - written_ns >= SECOND_NS:
                tape.write(tape.take())
                written_ns = recv_ns
    assert tape is not None
    tape.close()
    return tape


@pytest.fixture(scope="module")
def folder(recorded: Writer) -> Path:
    return recorded.folder


def test_a_delta_takes_few_bytes_with_a_sync_point_each_second(recorded: Writer, plain: Plain) -> None:
    assert 10 < recorded.bytes_packed / sum(plain.deltas.values()) <= BYTES_MAX


def test_its_books_are_those_of_a_plain_rebuild(folder: Path, plain: Plain) -> None:
    (recording,) = recordings([folder])
    books: dict[str, Book] = {}
    bests: dict[str, tuple[str | None, str | None]] = {}
    for _, events in recording.units():
        for event in events:
            match event:
                case BookSnapshot():
                    books[event.ticker] = Book(event.bids, event.asks)
                case BookDelta():
                    assert books[event.ticker].apply(event.is_bid, event.price_ticks, event.delta_cc)
                case BookLost(reason="disconnected" | "reconnected"):
                    book = books.pop(event.ticker)
                    bid, ask = (
                        None if best is None else format_ticks(best) for best in (book.bid_ticks, book.ask_ticks)
                    )
                    bests[event.ticker] = (bid, ask)
                case _:
                    pass
    assert bests == plain.bests
    assert (dict(recording.deltas), dict(recording.snapshots)) == (dict(plain.deltas), dict(plain.snapshots))
    assert not any(recording.gaps.values())


def test_its_parquet_covers_what_a_plain_count_finds(folder: Path, capture: Path, plain: Plain, tmp_path: Path) -> None:
    for place, name in ((folder, "recorded"), (capture, "captured")):
        report = compacting.run(compacting.prepare(place, tmp_path / name), lambda done: None)
        covered = covering.cover(tmp_path / name, None).report
        assert {market.ticker: market.deltas for market in covered.markets if market.deltas} == dict(plain.deltas)
        assert {market.ticker: market.snapshots for market in covered.markets} == dict(plain.snapshots)
        assert sum(market.losses for market in covered.markets) == 0
        assert report.streams["book"] >= sum(plain.deltas.values())
        assert [feed.source for feed in covered.feeds if feed.offset_ms_last is not None][-1] == "kalshi"
