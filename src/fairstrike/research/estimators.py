"""How far estimates of the settlement mean are from the official value, window by window.

The official value of a 15-minute window is known to the cent: the next window's strike. Coinbase's trades recorded
around its close give several estimates of it; each is held against it in both readings of the sixty seconds.
"""

import csv
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from fairstrike.core.contract import Window, window_prints, window_seconds
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import MINUTE_NS, SECOND_NS, WINDOW_SECONDS
from fairstrike.core.units import E8_PER_DOLLAR, parse_e8
from fairstrike.research.importers import spot
from fairstrike.research.importers.base import instant_ns
from fairstrike.store.tape import Tape

_WINDOW_NS = 15 * MINUTE_NS


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """One estimator's error in dollars (estimate − official) over `count` windows.

    Its mean, its root mean square, and its standard deviation around the mean (divisor `count`).
    """

    name: str
    window: Window
    count: int
    mean: float
    rms: float
    sd: float


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One recording's trades in order of their stamps, and its prints a second as a replay makes them.

    `stamps_ns` are Coinbase's, `values_e8` the prices.
    """

    stamps_ns: Sequence[int]
    values_e8: Sequence[int]
    prints: Mapping[int, int]

    def before(self, instant_ns: int) -> int:
        """Give how many trades were stamped at or before an instant."""
        return bisect_right(self.stamps_ns, instant_ns)


Estimator = Callable[[Recorded, int], int | None]
"""Gives a print (`_e8`) for one source second, None when there is none."""


def replayed(recorded: Recorded, second: int) -> int | None:
    """Give what a replay prints: the last trade received when the second begins on Coinbase's clock."""
    return recorded.prints.get(second)


def last_stamped(recorded: Recorded, second: int) -> int | None:
    """Give the last trade stamped when the second begins, however late it was received."""
    count = recorded.before(second * SECOND_NS)
    return recorded.values_e8[count - 1] if count else None


def mean_before(recorded: Recorded, second: int) -> int | None:
    """Give the mean price of the second before, every trade alike (sizes were not recorded), else the last trade."""
    return _mean_within(recorded, second, 1)


def mean_of_five(recorded: Recorded, second: int) -> int | None:
    """Give the mean price of the five seconds before, else the last trade."""
    return _mean_within(recorded, second, 5)


ESTIMATORS: dict[str, Estimator] = {
    "last trade received at each second": replayed,
    "last trade stamped at each second": last_stamped,
    "mean of the trades of the second before": mean_before,
    "mean of the trades of the five seconds before": mean_of_five,
}


def official_values(results: Path) -> dict[int, int]:
    """Give the official settlement values (`_e8`) by close (ns): each window's own, and its strike for the one before.

    `results` is the `results.csv` beside captures of 15-minute windows.
    """
    found: dict[int, int] = {}
    with results.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            close_ns = instant_ns(row["close_time"])
            for at_ns, text in (
                (close_ns - _WINDOW_NS, row["strike_usd"]),
                (close_ns, row["settlement_value_usd_from_next_strike"]),
            ):
                if text:
                    found[at_ns] = parse_e8(text)
    return found


def errors(folder: Path) -> list[Error]:
    """Give the error of each estimator over every window of a folder of captures that trades cover whole.

    A window is covered when trades were received before its first second and after its close.
    """
    official = official_values(folder / "results.csv")
    differences: dict[tuple[str, Window], list[float]] = {
        (name, window): [] for name in ESTIMATORS for window in Window
    }
    seen: set[int] = set()
    for recorded in _recordings(folder):
        for close_ns, value_e8 in sorted(official.items()):
            if close_ns in seen or not _covers(recorded, close_ns):
                continue
            seen.add(close_ns)
            for (name, window), found in differences.items():
                mean_e8 = _settlement_mean(recorded, ESTIMATORS[name], close_ns, window)
                if mean_e8 is not None:
                    found.append((mean_e8 - value_e8) / E8_PER_DOLLAR)
    return [_error(name, window, found) for (name, window), found in differences.items() if found]


def _recordings(folder: Path) -> Iterator[Recorded]:
    for path in sorted(folder.glob("*.spot.csv*")):
        told = list(spot.trades(Tape(path, lambda cut: None, is_table=True)))
        ordered = sorted((stamp_ns, value_e8) for _, stamp_ns, value_e8 in told)
        events = (event for _, unit in spot.index_prints(path, lambda cut: None) for event in unit)
        yield Recorded(
            stamps_ns=[stamp_ns for stamp_ns, _ in ordered],
            values_e8=[value_e8 for _, value_e8 in ordered],
            prints={event.second: event.value_e8 for event in events if isinstance(event, IndexPrinted)},
        )


def _covers(recorded: Recorded, close_ns: int) -> bool:
    stamps = recorded.stamps_ns
    first_ns = close_ns - WINDOW_SECONDS * SECOND_NS
    return bool(stamps) and stamps[0] <= first_ns and stamps[-1] > close_ns


def _settlement_mean(recorded: Recorded, estimator: Estimator, close_ns: int, window: Window) -> float | None:
    made = {second: estimator(recorded, second) for second in window_seconds(close_ns, window)}
    prints = window_prints({second: value for second, value in made.items() if value is not None}, close_ns, window)
    return sum(prints) / WINDOW_SECONDS if len(prints) == WINDOW_SECONDS else None


def _mean_within(recorded: Recorded, second: int, seconds: int) -> int | None:
    begin = recorded.before((second - seconds) * SECOND_NS)
    end = recorded.before(second * SECOND_NS)
    return last_stamped(recorded, second) if begin == end else sum(recorded.values_e8[begin:end]) // (end - begin)


def _error(name: str, window: Window, found: Sequence[float]) -> Error:
    count = len(found)
    mean = math.fsum(found) / count
    rms = math.sqrt(math.fsum(one * one for one in found) / count)
    sd = math.sqrt(math.fsum((one - mean) ** 2 for one in found) / count)
    return Error(name=name, window=window, count=count, mean=mean, rms=rms, sd=sd)
