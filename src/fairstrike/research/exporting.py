"""Recorded events for other tools: JSON lines, CSV tables, and the arrays that hftbacktest reads.

JSON lines hold every event as it is, in order of receipt. CSV has one table for each stream, with the columns of the
Parquet. For hftbacktest each market is one `.npz` with the array `data`: 64 bytes a row, times in ns, prices in
dollars, sizes in contracts. A level's row states the size that rests there now, a trade's row the size traded; a
snapshot begins with two rows that clear both sides. What has no stamp of the venue has that of its receipt. Source:
hftbacktest's reference of `event_dtype` and of the event constants.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from fairstrike.core.events import BatchEnded, BookDelta, BookLost, BookSnapshot, Commanded, Event, TradePrinted
from fairstrike.core.order import Side
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR
from fairstrike.research.tables import rows
from fairstrike.store.parquet import SCHEMAS

FORMATS = ("jsonl", "csv", "hftbacktest")
EVENT_DTYPE = np.dtype(
    [
        ("ev", "<u8"),
        ("exch_ts", "<i8"),
        ("local_ts", "<i8"),
        ("px", "<f8"),
        ("qty", "<f8"),
        ("order_id", "<u8"),
        ("ival", "<i8"),
        ("fval", "<f8"),
    ],
    align=True,
)
DEPTH, TRADE, CLEAR, LEVEL = 1, 2, 3, 4
EXCHANGE, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
_BOTH = EXCHANGE | LOCAL
_BLOCK_ROWS = 1 << 16

_Row = tuple[int, int, int, float, float, int, int, float]


class Exporter(Protocol):
    """Takes events in order of receipt and writes them. `rows` counts what was written."""

    rows: int

    def take(self, events: Sequence[Event]) -> None:
        """Take the events of one unit."""

    def finish(self) -> list[Path]:
        """Write what is left; give the files."""


def exporter(kind: str, out: Path, stack: ExitStack) -> Exporter:
    """Give what writes a format into a folder that is there and empty; its files are closed by `stack`."""
    match kind:
        case "jsonl":
            return _Lines(out, stack)
        case "csv":
            return _Tables(out, stack)
        case _:
            return _Arrays(out)


class _Lines:
    def __init__(self, out: Path, stack: ExitStack) -> None:
        self.rows = 0
        self._path = out / "events.jsonl"
        self._file = stack.enter_context(self._path.open("wb"))
        self._encoder = msgspec.json.Encoder()

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            if not isinstance(event, BatchEnded | Commanded):  # Those nobody recorded.
                self._file.write(self._encoder.encode(event) + b"\n")
                self.rows += 1

    def finish(self) -> list[Path]:
        return [self._path]


class _Tables:
    def __init__(self, out: Path, stack: ExitStack) -> None:
        self.rows = 0
        self._out, self._stack = out, stack
        self._files: dict[str, IO[str]] = {}

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            for stream, _, row in rows(event):
                csv.writer(self._file(stream), lineterminator="\n").writerow(row)
                self.rows += 1

    def finish(self) -> list[Path]:
        return [self._out / f"{stream}.csv" for stream in sorted(self._files)]

    def _file(self, stream: str) -> IO[str]:
        file = self._files.get(stream)
        if file is None:
            path = self._out / f"{stream}.csv"
            file = self._files[stream] = self._stack.enter_context(path.open("w", encoding="utf-8"))
            csv.writer(file, lineterminator="\n").writerow(SCHEMAS[stream].names)
        return file


class _Arrays:
    """Markets as arrays; the rows of one market wait in blocks of 64 bytes a row until the end."""

    def __init__(self, out: Path) -> None:
        self.rows = 0
        self._out = out
        self._sizes: dict[str, dict[tuple[bool, int], int] | None] = {}
        self._waiting: dict[str, list[_Row]] = {}
        self._blocks: dict[str, list[NDArray[np.void]]] = {}

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, BookLost):
                self._sizes[event.ticker] = None
            elif isinstance(event, BookDelta | BookSnapshot | TradePrinted):
                self._add(event.ticker, list(self._told(event)))

    def finish(self) -> list[Path]:
        paths = []
        for ticker in sorted(self._waiting):
            blocks = [*self._blocks.get(ticker, ()), np.array(self._waiting[ticker], EVENT_DTYPE)]
            path = self._out / f"{ticker}.npz"
            np.savez_compressed(path, data=np.concatenate(blocks))
            paths.append(path)
        return paths

    def _add(self, ticker: str, told: list[_Row]) -> None:
        waiting = self._waiting.setdefault(ticker, [])
        waiting += told
        self.rows += len(told)
        if len(waiting) >= _BLOCK_ROWS:
            self._blocks.setdefault(ticker, []).append(np.array(waiting, EVENT_DTYPE))
            waiting.clear()

    def _told(self, event: BookDelta | BookSnapshot | TradePrinted) -> Iterator[_Row]:
        at_ns = event.recv_ns if event.venue_ns is None else event.venue_ns
        if isinstance(event, TradePrinted):
            side = BUY if event.taker_side is Side.BID else SELL
            yield _row(TRADE | side, at_ns, event.recv_ns, event.price_ticks, event.size_cc)
        elif isinstance(event, BookSnapshot):
            self._sizes[event.ticker] = sizes = {}
            yield _row(CLEAR | BUY, at_ns, event.recv_ns, 0, 0)
            yield _row(CLEAR | SELL, at_ns, event.recv_ns, TICKS_PER_DOLLAR, 0)
            for is_bid, levels in ((True, event.bids), (False, event.asks)):
                for price, size in levels:
                    sizes[is_bid, price] = size
                    yield _row(LEVEL | (BUY if is_bid else SELL), at_ns, event.recv_ns, price, size)
        elif (known := self._sizes.get(event.ticker)) is not None:
            key = (event.is_bid, event.price_ticks)
            known[key] = size = max(0, known.get(key, 0) + event.delta_cc)
            yield _row(DEPTH | (BUY if event.is_bid else SELL), at_ns, event.recv_ns, event.price_ticks, size)


def _row(kind: int, at_ns: int, recv_ns: int, price_ticks: int, size_cc: int) -> _Row:
    return (kind | _BOTH, at_ns, recv_ns, price_ticks / TICKS_PER_DOLLAR, size_cc / CC_PER_CONTRACT, 0, 0, 0.0)
