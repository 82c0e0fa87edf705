"""Where a settlement window stands: the seconds that are over, prints left, time to the next one."""

from collections.abc import Mapping

import msgspec

from fairstrike.core.contract import Window, window_seconds
from fairstrike.core.timing import SECOND_NS


class WindowState(msgspec.Struct, frozen=True, kw_only=True):
    """The settlement window of one close at one instant.

    `over` are the source seconds whose prints were made, seen by us or not; `left` prints are still to come, the
    next in `first_s` seconds.
    """

    over: range
    left: int
    first_s: float


def window_state(
    prints: Mapping[int, int], close_ns: int, venue_now_ns: int, window: Window = Window.BEFORE_CLOSE
) -> WindowState:
    """Give the window's state at a venue instant; `prints` maps source second to value (`_e8`).

    The print of the running second counts as made only when it is there.
    """
    seconds = window_seconds(close_ns, window)
    running = venue_now_ns // SECOND_NS
    due = running + 1 if running in prints else running
    due = min(max(due, seconds.start), seconds.stop)
    first_s = max(0.0, (due * SECOND_NS - venue_now_ns) / SECOND_NS)
    return WindowState(over=range(seconds.start, due), left=seconds.stop - due, first_s=first_s)
