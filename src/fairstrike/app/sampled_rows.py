"""Rows beside a recording: every so often each followed market's best prices and the reference price, as CSV.

A table holds whole lines: a write that fails leaves nothing of itself, and what a death tore is cut off by `mend`.
"""

import os
from io import FileIO
from pathlib import Path

from fairstrike.core.errors import DiskError, RecordingError
from fairstrike.core.order import Side
from fairstrike.core.timing import format_rfc3339
from fairstrike.core.units import format_cc, format_e8, format_ticks
from fairstrike.market.book import BookView
from fairstrike.market.index import Reference

ENDING = ".rows.csv"
COLUMNS = ("time", "ticker", "bid", "bid_size", "ask", "ask_size", "index", "index_source", "index_time")
_CHUNK_BYTES = 1 << 16


class Rows:
    """A table that grows. Prices in dollars, sizes in contracts; what is absent is an empty cell.

    `count` is its rows.
    """

    def __init__(self, path: Path) -> None:
        """Begin the table. Raises `DiskError` when it cannot be written, `RecordingError` when one is there."""
        self.count = self._good = 0
        self._path = path
        self._waiting: list[str] = [",".join(COLUMNS) + "\n"]
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            raise RecordingError(f"{path} is there already; start again, or name another folder") from None
        except OSError as error:
            raise self._lost(error) from None
        self.write(self.take())

    def add(self, at_ns: int, ticker: str, book: BookView | None, reference: Reference | None) -> None:
        """Add one market's row. Nothing is on disk before it is taken and written."""
        bid, bid_size = _best(book, Side.BID)
        ask, ask_size = _best(book, Side.ASK)
        index = ("", "", "")
        if reference is not None:
            index = (format_e8(reference.value_e8), reference.source, format_rfc3339(reference.at_ns))
        self._waiting.append(",".join((format_rfc3339(at_ns), ticker, bid, bid_size, ask, ask_size, *index)) + "\n")
        self.count += 1

    def take(self) -> list[str]:
        """Give what was added since the last time, to be handed to `write`."""
        taken, self._waiting = self._waiting, []
        return taken

    def write(self, taken: list[str]) -> None:
        """Write what was taken. Raises `DiskError` when the disk takes no more; what was written before stays whole."""
        if not taken:
            return
        data = "".join(taken).encode()
        try:
            with FileIO(self._path, "r+") as file:
                self._put(file, data)
        except OSError as error:
            raise self._lost(error) from None
        self._good += len(data)

    def _put(self, file: FileIO, data: bytes) -> None:
        file.seek(self._good)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(self._good)
            raise

    def _lost(self, error: OSError) -> DiskError:
        return DiskError(
            f"{self._path} cannot be written ({error.strerror}); make room or mend the disk, then start again: "
            "the rows before are kept"
        )


def mend(path: Path) -> int:
    """Cut off what follows the last whole line of a table that nobody writes; one without any is removed.

    Gives the bytes cut. Raises `DiskError` when it cannot be cut.
    """
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            begin, at = size, -1
            while begin and at < 0:
                end, begin = begin, max(0, begin - _CHUNK_BYTES)
                file.seek(begin)
                at = file.read(end - begin).rfind(b"\n")
            good = begin + at + 1
            file.truncate(good)
        if not good:
            path.unlink()
    except OSError as error:
        raise DiskError(f"{path} cannot be mended ({error.strerror}); correct its permissions") from None
    return size - good


def _best(book: BookView | None, side: Side) -> tuple[str, str]:
    price = None if book is None else book.bid_ticks if side is Side.BID else book.ask_ticks
    if book is None or price is None:
        return "", ""
    return format_ticks(price), format_cc(book.size_cc(side, price))
