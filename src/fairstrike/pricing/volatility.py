"""How much the index moves: annual volatility from its one-second prints.

A return over dt seconds gives r² / dt, one estimate of the variance a second; nothing is interpolated. `Ewma`
weights the estimates of the last half hour by 2^(−age / half-life), `realised_vol` gives each second the same
weight. Both say None until there are enough returns. A year has 365 × 86 400 seconds: this market never closes.
By a variance clock, where one is given, dt is the time that it counts.
"""

import math
from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import SECOND_NS
from fairstrike.pricing.digital import SECONDS_PER_YEAR
from fairstrike.pricing.diurnal import VarianceClock

_REBUILD_EVERY = 1_024


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Half-life of a return's weight, fewest returns for an answer, and longest look back."""

    half_life_s: Annotated[int, msgspec.Meta(ge=1)] = 300
    returns_min: Annotated[int, msgspec.Meta(ge=1)] = 120
    window_s: Annotated[int, msgspec.Meta(ge=2)] = 1_800


class Ewma:
    """The exponentially weighted volatility of the returns that ended in the last `window_s` seconds.

    Two running sums, of weights and of weighted estimates, age with each print; what leaves the window is
    taken off with the weight it has left. Every 1 024 returns both are summed anew, so rounding cannot drift.
    """

    __slots__ = ("_clock", "_decay", "_last", "_params", "_returns", "_since_rebuild", "_sum", "_weight")

    def __init__(self, params: Params, clock: VarianceClock | None = None) -> None:
        """Start without any print. `clock` counts the seconds of a return, None as they are."""
        self._params = params
        self._clock = clock
        self._decay = 2.0 ** (-1.0 / params.half_life_s)
        self._returns: deque[tuple[int, float]] = deque()
        self._last: tuple[int, int] | None = None
        self._sum = 0.0
        self._weight = 0.0
        self._since_rebuild = 0

    @property
    def returns(self) -> int:
        """How many returns the estimate rests on, at most `window_s`."""
        return len(self._returns)

    def update(self, second: int, value_e8: int) -> None:
        """Take the print of `second` (epoch seconds). One not later than the last is ignored.

        A hole of `window_s` or more starts the estimate afresh.
        Raises `ArithmeticRefusal` for a value that is not positive: drop such a print before it comes here.
        """
        if value_e8 <= 0:
            raise ArithmeticRefusal(f"the index print {value_e8} of second {second} is not positive; drop it")
        last = self._last
        if last is not None and second <= last[0]:
            return
        self._last = (second, value_e8)
        if last is None:
            return
        dt = second - last[0]
        if dt >= self._params.window_s:
            self._restart()
            return
        log_return = math.log(value_e8 / last[1])
        counted = dt if self._clock is None else self._clock.seconds(last[0] * SECOND_NS, second * SECOND_NS)
        self._fold(second, dt, log_return * log_return / counted)

    def vol_annual(self) -> float | None:
        """Give the volatility as a fraction a year, as of the last print; None before `returns_min` returns.

        Whether the last print is recent enough is for the owner of the clock to say.
        """
        if len(self._returns) < self._params.returns_min:
            return None
        return math.sqrt(max(self._sum, 0.0) / self._weight * SECONDS_PER_YEAR)

    def _restart(self) -> None:
        self._returns.clear()
        self._sum = self._weight = 0.0
        self._since_rebuild = 0

    def _fold(self, second: int, dt: int, estimate: float) -> None:
        ageing = self._decay if dt == 1 else self._decay**dt
        self._sum = self._sum * ageing + estimate
        self._weight = self._weight * ageing + 1.0
        self._returns.append((second, estimate))
        oldest = second - self._params.window_s
        while self._returns[0][0] <= oldest:
            ended, leaving = self._returns.popleft()
            weight = self._decay ** (second - ended)
            self._sum -= leaving * weight
            self._weight -= weight
        self._since_rebuild += 1
        if self._since_rebuild >= _REBUILD_EVERY:
            self._rebuild(second)

    def _rebuild(self, second: int) -> None:
        weights = [self._decay ** (second - ended) for ended, _ in self._returns]
        self._weight = math.fsum(weights)
        self._sum = math.fsum(weight * estimate for weight, (_, estimate) in zip(weights, self._returns, strict=True))
        self._since_rebuild = 0


def returns_missing(prints: Mapping[int, int], second: int, params: Params) -> int:
    """Give how many returns the prints in (second − window_s, second] lack before a volatility is known."""
    count = sum(second - params.window_s < at <= second for at in prints)
    return max(0, params.returns_min - max(0, count - 1))


def realised_vol(
    prints: Mapping[int, int], second: int, params: Params, clock: VarianceClock | None = None
) -> float | None:
    """Give the realised volatility, as a fraction a year, of the prints in (second − window_s, second].

    `prints` maps source second to positive index value (`_e8`); the sum of squared returns is divided by the
    seconds they span, as `clock` counts them. None with fewer than `returns_min` returns.
    Raises `ArithmeticRefusal` for a value that is not positive: drop such a print.
    """
    known = [(at, prints[at]) for at in range(second - params.window_s + 1, second + 1) if at in prints]
    if len(known) <= params.returns_min:
        return None
    if not all(value > 0 for _, value in known):
        raise ArithmeticRefusal("a print is not positive; drop it")
    squares = math.fsum(math.log(later / value) ** 2 for (_, value), (_, later) in pairwise(known))
    first, last = known[0][0], known[-1][0]
    seconds = last - first if clock is None else clock.seconds(first * SECOND_NS, last * SECOND_NS)
    return math.sqrt(squares / seconds * SECONDS_PER_YEAR)
