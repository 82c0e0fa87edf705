"""How far the mean of the next prints strays from the price now: the volatility of the last minute.

Inside the settlement window what matters is E[(mean of the next n prints − S)²], n prints being left. A Brownian index
makes that σ² · (n + 1)(2n + 1) / 6n seconds. A smoothed or noisy one does not, and the shorter the horizon the less:
the volatility of minutes must not be used for the last seconds. Here the expectation is measured for each n from
recorded prints, and turned into the volatility that the settlement law has to be given with n prints left.
"""

import math
from collections.abc import Mapping
from itertools import accumulate

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import WINDOW_SECONDS
from fairstrike.pricing.digital import SECONDS_PER_YEAR
from fairstrike.pricing.settlement import variance_multiplier


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fewest separate stretches of n prints for an answer, and longest look back, seconds."""

    stretches_min: Positive = 20
    window_s: Positive = 1_800


def brownian_seconds(left: int) -> float:
    """Give the seconds s for which (mean of the next `left` prints − price) has variance σ²s, the next one second away.

    Raises `ArithmeticRefusal` outside 1 to 60.
    """
    if not 1 <= left <= WINDOW_SECONDS:
        raise ArithmeticRefusal(f"left is {left}; give 1 to {WINDOW_SECONDS} prints")
    return variance_multiplier(1.0, left) * (WINDOW_SECONDS / left) ** 2


def last_minute_vol(prints: Mapping[int, int], second: int, left: int, params: Params) -> float | None:
    """Give the volatility, a fraction a year, for a settlement law with `left` prints to come.

    `prints` maps source second to positive index value (`_e8`); those of the `window_s` seconds up to `second` are
    used, every stretch of `left` + 1 unbroken ones. None when they would not fill `stretches_min` stretches that do
    not overlap. Raises `ArithmeticRefusal` as `brownian_seconds`.
    """
    seconds = brownian_seconds(left)
    start = second - params.window_s + 1
    known = [prints.get(at, 0) for at in range(start, second + 1)]
    totals = (0, *accumulate(known))
    holes = (0, *accumulate(value <= 0 for value in known))
    squares: list[float] = []
    for at in range(len(known) - left):
        if holes[at + left + 1] == holes[at]:
            ahead = (totals[at + left + 1] - totals[at + 1]) / left
            squares.append((ahead / known[at] - 1.0) ** 2)
    if len(squares) < params.stretches_min * left:
        return None
    return math.sqrt(math.fsum(squares) / len(squares) / seconds * SECONDS_PER_YEAR)
