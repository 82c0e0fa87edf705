"""What is still to happen, for both sides: one heap in order of (instant, rank, sequence)."""

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush

Act = Callable[[], None]


class Rank(IntEnum):
    """Who goes first at one instant: the world, then what it says, then what we do about it."""

    WORLD = 0
    FRAMES = 1
    ANSWER = 2
    TIMER = 3
    REQUEST = 4
    OPERATOR = 5


class Schedule:
    """The one clock of a stepped world. `now_ns` is venue time and stands still while an act runs."""

    def __init__(self, now_ns: int) -> None:
        """Start with nothing to do."""
        self.now_ns = now_ns
        self._acts: list[tuple[int, Rank, int, Act]] = []
        self._sequence = 0

    def at(self, instant_ns: int, rank: Rank, act: Act) -> None:
        """Have `act` done at `instant_ns`, at once when that has passed."""
        self._sequence += 1
        heappush(self._acts, (max(instant_ns, self.now_ns), rank, self._sequence, act))

    def run(self, until_ns: int, is_over: Callable[[], bool] = lambda: False) -> None:
        """Do everything up to and with `until_ns`, or until `is_over`."""
        while self._acts and self._acts[0][0] <= until_ns and not is_over():
            self.now_ns, _, _, act = heappop(self._acts)
            act()
        if not is_over():
            self.now_ns = max(self.now_ns, until_ns)
