"""One-minute candles of a perpetual: `<asset>-perp-….csv` with timestamp, open, high, low, close.

Each close becomes one price, told when its minute is over. No error of that price against the official index is
known, so it prices nothing; the statistics use it.
"""

from collections.abc import Iterator
from pathlib import Path

from fairstrike.core.errors import ArithmeticRefusal, RecordingError
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.market.index import INDICES
from fairstrike.research.importers.base import Recording, Unit, instant_ns, price_e8
from fairstrike.store.tape import Tape

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
        asset = self._asset()
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
        self._asset()
        lines = Tape(self.path, lambda cut: None).lines()
        next(lines, None)
        first = next(lines, None)
        if first is None:
            raise RecordingError(f"{self.path.name} holds no candle; give a file with at least one")
        return self._candle(2, first)[0]

    def _asset(self) -> str:
        asset = self.path.name.partition("-")[0].upper()
        if asset not in INDICES:
            raise RecordingError(
                f"{self.path.name} does not say whose candles these are; begin its name with {', '.join(INDICES)}, "
                "e.g. btc-perp-1m.csv"
            )
        return asset

    def _candle(self, number: int, line: bytes) -> tuple[int, int]:
        """Give the end of a candle's minute and its close."""
        cells = line.decode("utf-8", "replace").split(",")
        try:
            return instant_ns(f"{cells[0]}Z") + MINUTE_NS, price_e8(cells[4])
        except IndexError:
            raise self._spoiled(number, "too few columns") from None
        except ArithmeticRefusal as error:
            raise self._spoiled(number, error) from None
