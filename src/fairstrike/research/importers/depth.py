"""Full-depth books, polled: one line a market and capture, prices in dollars and sizes in contracts.

Which contracts they are is not told: the terms come from another recording of the run, or stay unknown.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import BookSnapshot, Level
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.research.importers import moments
from fairstrike.research.importers.base import UNREADABLE, Recording, Unit, instant_ns
from fairstrike.venue.kalshi.wire.amounts import number_text, number_ticks, size_cc

_SIZE_DECIMALS = 2
_Levels = tuple[tuple[Decimal, Decimal], ...]


class Line(msgspec.Struct, frozen=True):
    """One book; NO bids carry NO prices."""

    captured_at: str
    ticker: str
    yes_bids: _Levels
    no_bids: _Levels
    schema_version: str


_decode = msgspec.json.Decoder(Line).decode


class Depth(Recording):
    """One file of polled books, in order of capture."""

    kind = "a recording of polled books"

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the first line names the schema of such a book."""
        return b'"schema_version"' in head and b'"orderbook_depth.v1"' in head

    @property
    def is_priced(self) -> bool:
        """No reference price is recorded."""
        return False

    def units(self) -> Iterator[Unit]:
        """Give all books of one capture as one unit, and the end of their moment."""
        yield from moments.units(self._captures())
        self.is_over = True

    def _begins_ns(self) -> int:
        return self._read(1, self._first_line())[0]

    def _captures(self) -> Iterator[moments.Capture]:
        at_ns, books = self.first_ns, list[BookSnapshot]()
        for number, raw in enumerate(self.tape.lines(), start=1):
            next_ns, book = self._read(number, raw)
            if next_ns < at_ns:
                raise self._not_in_order(self.path.name, number)
            if next_ns > at_ns:
                yield moments.Capture(at_ns=at_ns, events=[], books=books)
                at_ns, books = next_ns, []
            books.append(book)
            self.snapshots[book.ticker] += 1
        yield moments.Capture(at_ns=at_ns, events=[], books=books)

    def _read(self, number: int, raw: bytes) -> tuple[int, BookSnapshot]:
        try:
            line = _decode(raw)
            at_ns = instant_ns(line.captured_at)
            bids = tuple(_level(price, size) for price, size in line.yes_bids)
            asks = tuple(_level(price, size, is_ask=True) for price, size in line.no_bids)
        except (*UNREADABLE, ArithmeticRefusal) as error:
            raise self._spoiled(number, error) from None
        return at_ns, BookSnapshot(ticker=line.ticker, bids=bids, asks=asks, recv_ns=at_ns)


def _level(price: Decimal, size: Decimal, *, is_ask: bool = False) -> Level:
    """Give a level; a size the poll shows with a fraction of a centicontract is cut down.

    Raises `ArithmeticRefusal` for a price or size that is none.
    """
    ticks = number_ticks(price)
    if not 0 < ticks < TICKS_PER_DOLLAR:
        raise ArithmeticRefusal(f"{price} is no price of a level")
    whole, _, fraction = number_text(size).partition(".")
    cc = size_cc(f"{whole}.{fraction[:_SIZE_DECIMALS]:0<{_SIZE_DECIMALS}}")
    if cc < 0:
        raise ArithmeticRefusal(f"{size} is no size of a level")
    return TICKS_PER_DOLLAR - ticks if is_ask else ticks, cc
