"""How a figure is taken: cases in turn, several rounds, medians, and ratios within a round.

A case does its whole work once and gives a duration in nanoseconds for one unit of it. Cases of one measurement run
in turn, round after round, so that a noisy minute hits all of them; a ratio is the median of each round's own ratio.
"""

import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import msgspec

Case = Callable[[], float]
"""Does the work once; gives what one unit of it took."""

processor_ns = time.process_time_ns
"""The clock of pure work: what this process spent on a processor, whatever else the machine was doing."""

_QUIET_SECONDS = 2.0


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done: rounds, and the most deltas, ticks, records, orders and capture lines a round (None: all).

    Streams are listened to for `stream_seconds`, in process for `venue_seconds`, a round; memory is followed over
    `minutes` of venue time.
    """

    rounds: int = 7
    deltas: int = 50_000
    ticks: int = 1_000
    records: int = 50_000
    orders: int = 2_000
    stream_seconds: float = 2.0
    venue_seconds: int = 5
    minutes: int = 60
    lines: int | None = None


SMOKE = Scale(
    rounds=1,
    deltas=1_000,
    ticks=40,
    records=1_000,
    orders=100,
    stream_seconds=0.5,
    venue_seconds=3,
    minutes=1,
    lines=2_000,
)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: what a unit took in each round, and its ratio to the reference in the same round."""

    section: str
    name: str
    unit: str
    runs: tuple[float, ...]
    reference: str | None = None
    ratio: float | None = None

    @property
    def middle(self) -> float:
        """The median of the rounds."""
        return median(self.runs)


class Progress:
    """Says on stderr what is being measured, at most every two seconds."""

    def __init__(self) -> None:
        """Be quiet until two seconds are over."""
        self._said = time.monotonic()

    def step(self, what: str) -> None:
        """Note that `what` begins."""
        if time.monotonic() - self._said >= _QUIET_SECONDS:
            print(f"measuring {what}", file=sys.stderr, flush=True)
            self._said = time.monotonic()


def take(cases: Mapping[str, Case], rounds: int, progress: Progress, what: str) -> dict[str, list[float]]:
    """Give each case's durations, one a round, after one round that is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(-1, rounds):
        for name, case in cases.items():
            progress.step(f"{what}: {name}, round {max(number, 0) + 1} of {rounds}")
            gc.collect()
            duration = case()
            if number >= 0:
                taken[name].append(duration)
    return taken


def figures(section: str, taken: Mapping[str, Sequence[float]], unit: str, against: Mapping[str, str]) -> list[Figure]:
    """Give the figures of durations; `against` names the reference of a case, if it has one."""
    found: list[Figure] = []
    for name, runs in taken.items():
        reference = against.get(name)
        ratio = None
        if reference is not None:
            ratio = median(own / other for own, other in zip(runs, taken[reference], strict=True))
        found.append(Figure(section=section, name=name, unit=unit, runs=tuple(runs), reference=reference, ratio=ratio))
    return found


def each_ns(began_ns: int, count: int) -> float:
    """Give the processor's nanoseconds that one of `count` units took since `began_ns`, a value of its clock."""
    return (processor_ns() - began_ns) / count
