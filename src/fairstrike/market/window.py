"""Where a settlement window stands: prints seen, prints left, seconds to the next one."""

from collections.abc import Mapping

import msgspec

from fairstrike.core.contract import Window, window_seconds
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR


class WindowState(msgspec.Struct, frozen=True, kw_only=True):
    """The settlement window of one close at one instant.

    `seen_sum_e8` sums the `60 − left` prints whose seconds have passed; a second we never received stands at
    the mean of its known neighbours (`guessed` counts those). `first_s` is the time to the next print.
    """

    left: int
    seen_sum_e8: int
    first_s: float
    guessed: int


def window_state(
    prints: Mapping[int, int], close_ns: int, venue_now_ns: int, window: Window = Window.BEFORE_CLOSE
) -> WindowState:
    """Give the window's state from `prints` (source second to `_e8`) at a venue instant."""
    seconds = window_seconds(close_ns, window)
    next_second = seconds.start
    if venue_now_ns >= seconds.start * SECOND_NS:
        latest = venue_now_ns // SECOND_NS
        next_second = latest + 1 if latest in prints else max(latest, seconds.start)
    passed = range(seconds.start, min(next_second, seconds.stop))
    total, guessed = 0, 0
    for second in passed:
        value = prints.get(second)
        if value is None:
            guessed += 1
            value = _neighbour(prints, second, seconds.start - 5)
        total += value
    first_s = max(0.0, (next_second * SECOND_NS - venue_now_ns) / SECOND_NS)
    return WindowState(left=seconds.stop - passed.stop, seen_sum_e8=total, first_s=first_s, guessed=guessed)


def mean_dollars(state: WindowState, count: int) -> float:
    """Give the mean of the `count` prints seen, in dollars."""
    return state.seen_sum_e8 / count / E8_PER_DOLLAR


def _neighbour(prints: Mapping[int, int], second: int, oldest: int) -> int:
    before = next((prints[s] for s in range(second - 1, oldest - 1, -1) if s in prints), None)
    after = next((prints[s] for s in range(second + 1, second + 6) if s in prints), None)
    if before is None:
        return 0 if after is None else after
    return before if after is None else (before + after) // 2
