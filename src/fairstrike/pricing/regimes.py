"""What kind of market it is: calm, trending or spiky; and whether volatility is low, medium or high for its asset.

Over the returns of the last half hour, each over some seconds so that few are zero, with σ² the variance without that
of jumps (bipower):

    spiky      one return is beyond `spike_sds` of its own standard deviation, or jumps make up `jump_share` of Σ r²
    trending   the net move is beyond `trend_sds` standard deviations of a path without direction
    calm       neither

Spiky goes before trending. The level compares volatility with the asset's usual one. What regimes do is declared by
those who act on them: `strategy/caution.py`, `risk/limits.py` and `execution/clerk.py`.

A jump is spiky at its first print: `RegimeMeter` holds each print against the last whole return's end, and what was
spiky once stays so for as long as returns are remembered.
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import Annotated

import msgspec

from fairstrike.core.bounds import Positive, PositiveFloat, Share
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.regime import Regime, VolLevel
from fairstrike.pricing.estimators import RETURN_MAX, annualised, bipower_variance


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where regimes begin.

    Returns are over `step_s` seconds, or up to twice that where prints are missing, and are remembered for `window_s`;
    with fewer than `returns_min` the regime is unknown. `vol_usual`: each asset's usual volatility, a fraction a year.
    """

    step_s: Positive = 5
    window_s: Positive = 1_800
    returns_min: Annotated[int, msgspec.Meta(ge=3)] = 120
    spike_sds: PositiveFloat = 8.0
    jump_share: Share = 0.5
    trend_sds: PositiveFloat = 2.0
    vol_usual: dict[str, PositiveFloat] = msgspec.field(default_factory=lambda: {"BTC": 0.35, "ETH": 0.58, "SOL": 0.84})
    low_below: PositiveFloat = 0.75
    high_above: PositiveFloat = 1.5


class RegimeMeter:
    """The regime and the level of one source's prints, as they come."""

    __slots__ = ("_end", "_params", "_returns", "_sd", "_spiked", "_vol_usual", "level", "regime")

    def __init__(self, params: Params, vol_usual: float | None = None) -> None:
        """Start without a print, the regime unknown; without a usual volatility the level stays so."""
        self._params = params
        self._vol_usual = vol_usual
        self._returns: deque[tuple[int, float]] = deque()
        self._end: tuple[int, int] | None = None
        self._sd = 0.0
        self._spiked: int | None = None
        self.regime: Regime | None = None
        self.level: VolLevel | None = None

    def update(self, second: int, value_e8: int) -> None:
        """Take the print of `second` (epoch seconds). One not later than the last whole return's end is ignored.

        Raises `ArithmeticRefusal` for a value that is not positive: drop such a print before it comes here.
        """
        if value_e8 <= 0:
            raise ArithmeticRefusal(f"the index print {value_e8} of second {second} is not positive; drop it")
        if self._end is None:
            self._end = (second, value_e8)
            return
        elapsed = second - self._end[0]
        if elapsed <= 0:
            return
        params = self._params
        move = math.log(value_e8 / self._end[1])
        if self._sd and abs(move) > params.spike_sds * self._sd * math.sqrt(max(elapsed / params.step_s, 1.0)):
            self._spiked, self.regime = second, Regime.SPIKY
        if elapsed < params.step_s:
            return
        self._end = (second, value_e8)
        if elapsed < 2 * params.step_s:
            self._returns.append((second, move))
        while self._returns and self._returns[0][0] <= second - params.window_s:
            self._returns.popleft()
        self._judge(second)

    def _judge(self, second: int) -> None:
        params, returns = self._params, [r for _, r in self._returns]
        if self._spiked is not None and second - self._spiked >= params.window_s:
            self._spiked = None
        found = regime_of(returns, params)
        self.regime = found if self._spiked is None else Regime.SPIKY
        if found is None:
            self._sd, self.level = 0.0, None
            return
        self._sd = math.sqrt(_smooth_variance(returns) / len(returns))
        vol = annualised(math.fsum(r * r for r in returns), len(returns) * params.step_s)
        self.level = level_of(vol, self._vol_usual, params) if vol and self._vol_usual else None


def regime_of(returns: Sequence[float], params: Params) -> Regime | None:
    """Give the regime of evenly spaced log returns in order, None with fewer than `returns_min`.

    Returns that are all zero are calm. Raises `ArithmeticRefusal` for one that is no number or beyond `RETURN_MAX`:
    leave it out.
    """
    if not all(abs(r) <= RETURN_MAX for r in returns):
        raise ArithmeticRefusal(f"a return is no number within ±{RETURN_MAX:g}; leave it out")
    if len(returns) < params.returns_min:
        return None
    total = math.fsum(r * r for r in returns)
    if total == 0.0:
        return Regime.CALM
    smooth = _smooth_variance(returns)
    spike = max(abs(r) for r in returns)
    if 1.0 - smooth / total > params.jump_share or spike > params.spike_sds * math.sqrt(smooth / len(returns)):
        return Regime.SPIKY
    if abs(math.fsum(returns)) > params.trend_sds * math.sqrt(total):
        return Regime.TRENDING
    return Regime.CALM


def level_of(vol_annual: float, vol_usual: float, params: Params) -> VolLevel:
    """Give how a volatility stands to the asset's usual one. Raises `ArithmeticRefusal` unless both are numbers > 0."""
    if not (0.0 < vol_annual < math.inf and 0.0 < vol_usual < math.inf):
        raise ArithmeticRefusal(f"volatilities {vol_annual!r} and {vol_usual!r}: give numbers above 0")
    ratio = vol_annual / vol_usual
    if ratio < params.low_below:
        return VolLevel.LOW
    return VolLevel.HIGH if ratio > params.high_above else VolLevel.MEDIUM


def _smooth_variance(returns: Sequence[float]) -> float:
    """Give the variance of returns without that of jumps, no more than Σ r²."""
    return min(bipower_variance(returns) or 0.0, math.fsum(r * r for r in returns))
