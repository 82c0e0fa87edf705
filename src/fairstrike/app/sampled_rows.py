"""Rows beside a recording: every so often each followed market's best prices and the reference price, as CSV."""

from pathlib import Path

from fairstrike.core.errors import DiskError
from fairstrike.core.order import Side
from fairstrike.core.timing import format_rfc3339
from fairstrike.core.units import format_cc, format_e8, format_ticks
from fairstrike.market.book import BookView
from fairstrike.market.index import Reference

ENDING = ".rows.csv"
COLUMNS = ("time", "ticker", "bid", "bid_size", "ask", "ask_size", "index", "index_source", "index_time")


class Rows:
    """A table that grows. Prices in dollars, sizes in contracts; what is absent is an empty cell.

    `count` is its rows.
    """

    def __init__(self, path: Path) -> None:
        """Begin the table. Raises `DiskError` when it cannot be written."""
        self.count = 0
        self._path = path
        self._waiting: list[str] = [",".join(COLUMNS) + "\n"]
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
        """Write what was taken. Raises `DiskError` when the disk takes no more."""
        if not taken:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(taken)
        except OSError as error:
            raise DiskError(
                f"{self._path} cannot be written ({error.strerror}); make room or mend the disk, then start again"
            ) from None


def _best(book: BookView | None, side: Side) -> tuple[str, str]:
    price = None if book is None else book.bid_ticks if side is Side.BID else book.ask_ticks
    if book is None or price is None:
        return "", ""
    return format_ticks(price), format_cc(book.size_cc(side, price))
