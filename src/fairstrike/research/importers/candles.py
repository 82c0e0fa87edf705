"""One-minute candles of a perpetual: `<asset>-perp-….csv` with timestamp, open, high, low, close.

Each close becomes one price, told when its minute is over. No error of that price against the official index is
known, so it prices nothing; the statistics use it.
"""

from collections.abc import Iterator
from pathlib import Path

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import MINUTE_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import parse_e8
from fairstrike.research.importers.base import Recording, Unit

SOURCE = "perpetual"
_HEADER = b"timestamp,open,high,low,close"


class Candles(Recording):
    """One file of candles."""

    kind = "a file of candles"

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the file begins with the candles' header."""
        return head.startswith(_HEADER)

    def units(self) -> Iterator[Unit]:
        """Give one price a candle."""
        count, before_ns = 0, 0
        asset = self.path.name.partition("-")[0].upper()
        for number, line in enumerate(self.tape.lines(), start=1):
            if number == 1:
                continue
            over_ns, close_e8 = self._candle(number, line)
            if over_ns < before_ns:
                raise self._not_in_order(self.path.name, number)
            count, before_ns = count + 1, over_ns
            second = over_ns // SECOND_NS
            printed = IndexPrinted(
                asset=asset, source=SOURCE, second=second, value_e8=close_e8, recv_ns=over_ns, venue_ns=over_ns
            )
            yield over_ns, [printed]
        self.notes.append(f"{self.path.name}: {count:,} candles read; they price nothing")
        self.is_over = True

    def _begins_ns(self) -> int:
        lines = type(self.tape)(self.path, lambda cut: None).lines()
        next(lines, None)
        return self._candle(2, next(lines, b""))[0]

    def _candle(self, number: int, line: bytes) -> tuple[int, int]:
        """Give the end of a candle's minute and its close."""
        cells = line.decode("utf-8", "replace").split(",")
        try:
            return parse_rfc3339_ns(f"{cells[0]}Z") + MINUTE_NS, parse_e8(cells[4])
        except (IndexError, ArithmeticRefusal) as error:
            raise self._spoiled(number, error) from None
