"""What every recording gives, whatever its format: events in units, and what was noticed while reading.

An importer is a subclass of `Recording`: `recognises` says whether a file is its own from the file's first bytes,
`units` gives the events. It is entered in `importers/formats.py`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from fairstrike.core.errors import ArithmeticRefusal, RecordingError
from fairstrike.core.events import Event, MarketSettled
from fairstrike.core.timing import SECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import parse_e8
from fairstrike.store.tape import Cut, Tape

Unit = tuple[int, list[Event]]
"""An instant and the events received at it, up to and including at most one `BatchEnded`."""

INSTANT_NS_MAX = 9_000_000_000 * SECOND_NS
"""The last instant a recording may name: in the year 2255, inside 64 bits."""

_PRICE_E8_MAX = 10**18
_REASON_LONGEST = 200

Instant = Annotated[int, Meta(ge=0, le=INSTANT_NS_MAX)]
"""Epoch nanoseconds in a recording."""

SETTLEMENT_TIMER_NS = SECOND_NS
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not what they should be."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a recorded market ended: its value in ticks (None while unknown) and whether we derived it.

    `settled_e8` is the price of the asset that it settled on, None where nobody recorded it.
    """

    ticker: str
    close_ns: int
    value_ticks: int | None
    is_derived: bool
    settled_e8: int | None = None


class Recording:
    """One file being read. `kind` names its format for people; `first_ns` is the instant of its first events.

    `deltas` and `snapshots` count book frames by market, `cuts` say where a file ended in the middle, `notes` are
    sentences for the reader of a report.
    """

    kind: ClassVar[str] = ""

    def __init__(self, path: Path) -> None:
        """Look at the beginning of the file.

        Raises `RecordingError` when it cannot be read as this format.
        """
        self.path = path
        self.cuts: list[Cut] = []
        self.notes: list[str] = []
        self.deltas: defaultdict[str, int] = defaultdict(int)
        self.snapshots: defaultdict[str, int] = defaultdict(int)
        self.is_over = False
        self.tape = Tape(path, self.cuts.append)
        self.first_ns = self._begins_ns()

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether a file that begins with `head` (unpacked) is of this format."""
        raise AssertionError(f"{cls.__name__} does not say what it recognises")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files it is made of, in order: one, or the segments of one run."""
        return (self.path,)

    @property
    def bytes_total(self) -> int:
        """The size of its files, packed."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def bytes_read(self) -> int:
        """How much of the files was read, packed."""
        return self.bytes_total if self.is_over else self.tape.bytes_read

    @property
    def gaps(self) -> Mapping[str, int]:
        """Runs of missing frames by market; a format without numbers can show none."""
        return {}

    @property
    def is_priced(self) -> bool:
        """Whether a reference price comes with it: without one there are books, but no fair values."""
        return True

    def beside_sha256(self) -> str:
        """Give a fingerprint of what lies beside the file and is read with it; empty when nothing does."""
        return ""

    def results(self) -> Mapping[str, Result]:
        """Give the results that are known before the recording is read, by ticker."""
        return {}

    def units(self) -> Iterator[Unit]:
        """Give the events of the markets in order of receipt; sets `is_over` at the end.

        Raises `RecordingError` for what cannot be read, or is not in order of receipt.
        """
        raise AssertionError(f"{type(self).__name__} gives no units")

    def prints(self) -> Iterator[Unit]:
        """Give the reference prices recorded beside it, in order of receipt."""
        return iter(())

    def _begins_ns(self) -> int:
        """Give the instant of the first events, by a reading of its own that leaves no trace."""
        raise AssertionError(f"{type(self).__name__} does not say when it begins")

    def _first_line(self) -> bytes:
        line = next(Tape(self.path, lambda cut: None).lines(), None)
        if line is None:
            raise RecordingError(f"{self.path.name} is empty; give a recording with at least one frame")
        return line

    def _spoiled(self, number: int, error: object) -> RecordingError:
        # What is wrong may be quoted from the file: it stays one line, and short.
        why = " ".join(str(error).split())[:_REASON_LONGEST]
        return RecordingError(
            f"{self.tape.path.name} line {number} is not what {self.kind} holds ({why}); "
            "give a copy that is not damaged"
        )

    def _not_in_order(self, name: str, number: int) -> RecordingError:
        return RecordingError(
            f"{name} goes back in time at line {number}; give a recording whose lines are in order of receipt"
        )


def instant_ns(text: str) -> int:
    """Give the instant of an RFC 3339 text.

    Raises `ArithmeticRefusal` when it is none, or not between 1970 and 2255: treat its line as unreadable.
    """
    at_ns = parse_rfc3339_ns(text)
    if not 0 <= at_ns <= INSTANT_NS_MAX:
        raise ArithmeticRefusal(f"{text[:40]!r} is not a time between 1970 and 2255")
    return at_ns


def price_e8(text: str) -> int:
    """Give the price of an asset, from decimal text in dollars.

    Raises `ArithmeticRefusal` when it is not above zero and below ten billion dollars.
    """
    e8 = parse_e8(text)
    if not 0 < e8 < _PRICE_E8_MAX:
        raise ArithmeticRefusal(f"{text[:40]!r} is not a price of an asset")
    return e8


def settlements(found: Mapping[str, Result]) -> list[Unit]:
    """Give each known result as an event at its market's close and settlement timer, in order of time."""
    units: list[Unit] = []
    for result in sorted(found.values(), key=lambda r: (r.close_ns, r.ticker)):
        if result.value_ticks is not None:
            at_ns = result.close_ns + SETTLEMENT_TIMER_NS
            settled = MarketSettled(
                ticker=result.ticker, value_ticks=result.value_ticks, recv_ns=at_ns, is_derived=result.is_derived
            )
            units.append((at_ns, [settled]))
    return units
