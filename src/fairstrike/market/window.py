"""Where a settlement window stands, seconds over, prints left, time to the next; and what it came to in the end."""

from collections.abc import Mapping

import msgspec

from fairstrike.core.contract import Comparison, Contract, Timeframe, Window, rounded_sum, window_prints, window_seconds
from fairstrike.core.records import CloseAudited, SourceMean
from fairstrike.core.timing import SECOND_NS, WINDOW_SECONDS, format_rfc3339
from fairstrike.core.units import format_e8
from fairstrike.market.index import EXACT, Series


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


def close_of_strike(contract: Contract) -> int | None:
    """Give the close (ns) whose official settlement value is this contract's strike, None when it is no such strike.

    An up/down market opens at the close before it and compares with that close's value.
    """
    is_up_down = contract.timeframe is Timeframe.QUARTER_HOUR and contract.comparison is Comparison.AT_LEAST
    return contract.open_ns if is_up_down and contract.floor_e8 is not None else None


def audit_close(contract: Contract, series: Mapping[str, Series], window: Window) -> CloseAudited | None:
    """Hold the sixty prints of each source before a contract's open against the official value, its strike.

    None when the contract tells no official value, or no source has a whole window. The audit complains when the
    official index itself, in the reading `window`, does not come to the official value.
    """
    close_ns, official_e8 = close_of_strike(contract), contract.floor_e8
    if close_ns is None or official_e8 is None:
        return None
    sums = {name: {one: _sum(own.prints, close_ns, one) for one in Window} for name, own in sorted(series.items())}
    means = tuple(
        SourceMean(
            source=name, before_close_e8=_mean(of[Window.BEFORE_CLOSE]), up_to_close_e8=_mean(of[Window.UP_TO_CLOSE])
        )
        for name, of in sums.items()
        if any(total is not None for total in of.values())
    )
    if not means:
        return None
    complaint = ""
    for name in (name for name in sums if name in EXACT):
        total = sums[name][window]
        if total is not None and rounded_sum(total, contract.round_digits) != WINDOW_SECONDS * official_e8:
            complaint = _complaint(contract, next(mean for mean in means if mean.source == name), window)
    return CloseAudited(
        asset=contract.asset, close_ns=close_ns, official_e8=official_e8, means=means, complaint=complaint
    )


def _sum(prints: Mapping[int, int], close_ns: int, window: Window) -> int | None:
    known = window_prints(prints, close_ns, window)
    return sum(known) if len(known) == WINDOW_SECONDS else None


def _mean(total_e8: int | None) -> int | None:
    return None if total_e8 is None else (2 * total_e8 + WINDOW_SECONDS) // (2 * WINDOW_SECONDS)


def _complaint(contract: Contract, mean: SourceMean, window: Window) -> str:
    readings = {Window.BEFORE_CLOSE: mean.before_close_e8, Window.UP_TO_CLOSE: mean.up_to_close_e8}
    told = ", ".join(f"{one} {'unknown' if e8 is None else format_e8(e8)}" for one, e8 in readings.items())
    return (
        f"the sixty {mean.source} prints of {contract.asset} before {format_rfc3339(contract.open_ns)} come to {told}; "
        f"the official value is {format_e8(contract.floor_e8 or 0)}: rooms.fair.window, now {window}, may be wrong"
    )
