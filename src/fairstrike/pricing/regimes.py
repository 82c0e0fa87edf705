"""What kind of market it is: calm, trending or spiky; and whether volatility is low, medium or high for its asset.

Over the returns r of the last half hour, each over some seconds, with σ² the variance without that of jumps (bipower)
of those that moved:

    spiky      one return is beyond `spike_sds` · σ, or jumps make up `jump_share` of Σ r²
    trending   the net move is beyond `trend_sds` standard deviations of a path without direction
    calm       neither

Spiky goes before trending. A share of jumps or a trend that has begun ends below `leave_share` of its bound, so that
what is near a bound does not come and go. The level compares volatility with the asset's usual one. What regimes do is
declared by those who act on them: `strategy/caution.py`, `risk/limits.py` and `execution/clerk.py`.

A return over more than `step_s`, because prints are rare or missing or the value stood still before it moved, is scaled
by the root of its time: what an index does after a silence is not the jump of one step. And σ is never taken for less
than that of `vol_least`, so that one cent is no jump for standing out of stillness.

A jump is spiky at its first print: `RegimeMeter` holds each print against the last whole return's end, and what was
spiky once stays so for as long as returns are remembered. While a silence has left too few returns for a regime, σ is
the last that was known, for at most `sd_kept_s`: what is older tells of another market.
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import Annotated

import msgspec

from fairstrike.core.bounds import Positive, PositiveFloat, Share
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.regime import Regime, VolLevel
from fairstrike.pricing.digital import SECONDS_PER_YEAR
from fairstrike.pricing.estimators import RETURN_MAX, annualised, bipower_variance


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where regimes begin and end.

    Returns are over `step_s` seconds, or up to `return_max_s` where prints are further apart, and are remembered for
    `window_s`, σ for `sd_kept_s`; with fewer than `returns_min` the regime is unknown. `vol_least` and `vol_usual`,
    each asset's usual volatility, are fractions a year.
    """

    step_s: Positive = 5
    return_max_s: Positive = 60
    window_s: Positive = 1_800
    sd_kept_s: Positive = 3_600
    returns_min: Annotated[int, msgspec.Meta(ge=3)] = 120
    spike_sds: PositiveFloat = 8.0
    jump_share: Share = 0.5
    trend_sds: PositiveFloat = 2.0
    leave_share: Share = 0.75
    vol_least: PositiveFloat = 0.1
    vol_usual: dict[str, PositiveFloat] = msgspec.field(default_factory=lambda: {"BTC": 0.35, "ETH": 0.58, "SOL": 0.84})
    low_below: PositiveFloat = 0.75
    high_above: PositiveFloat = 1.5


class _Return(msgspec.Struct, frozen=True, kw_only=True):
    """A log return that ended at `second` after `elapsed_s`, and what it is over one step."""

    second: int
    elapsed_s: int
    move: float
    scaled: float


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A regime, and the standard deviation of a return over one step without jumps, by which a spike is told."""

    regime: Regime
    sd: float


class RegimeMeter:
    """The regime and the level of one source's prints, as they come."""

    __slots__ = (
        "_end",
        "_found",
        "_params",
        "_returns",
        "_sd",
        "_sd_until",
        "_spiked",
        "_still_s",
        "_vol_usual",
        "level",
        "regime",
    )

    def __init__(self, params: Params, vol_usual: float | None = None) -> None:
        """Start without a print, the regime unknown; without a usual volatility the level stays so."""
        self._params = params
        self._vol_usual = vol_usual
        self._returns: deque[_Return] = deque()
        self._end: tuple[int, int] | None = None
        self._still_s = 0
        self._spiked: int | None = None
        self._found: Judged | None = None
        self._sd, self._sd_until = math.inf, 0
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
        scaled = move / math.sqrt(max((self._still_s + elapsed) / params.step_s, 1.0))
        if abs(scaled) > params.spike_sds * self._sd and second <= self._sd_until:
            self._spiked, self.regime = second, Regime.SPIKY
        if elapsed < params.step_s:
            return
        self._end = (second, value_e8)
        self._still_s = 0 if move else self._still_s + elapsed
        if elapsed <= params.return_max_s:
            self._returns.append(_Return(second=second, elapsed_s=elapsed, move=move, scaled=scaled))
        while self._returns and self._returns[0].second <= second - params.window_s:
            self._returns.popleft()
        self._judge(second)

    def _judge(self, second: int) -> None:
        params, returns = self._params, self._returns
        if self._spiked is not None and second - self._spiked >= params.window_s:
            self._spiked = None
        before = None if self._found is None else self._found.regime
        self._found = judged([one.scaled for one in returns], params, before)
        found = None
        if self._found is not None:
            found = self._found.regime
            self._sd, self._sd_until = self._found.sd, second + params.sd_kept_s
        self.regime = found if self._spiked is None else Regime.SPIKY
        self.level = None
        if found is not None and self._vol_usual:
            squares = math.fsum(one.move * one.move for one in returns)
            vol = annualised(squares, sum(one.elapsed_s for one in returns))
            self.level = level_of(vol, self._vol_usual, params) if vol else None


def judged(returns: Sequence[float], params: Params, before: Regime | None = None) -> Judged | None:
    """Judge log returns in order, each as if over `step_s`; None with fewer than `returns_min`.

    `before` is the regime so far: a bound once passed is lower. The share of jumps is judged where `returns_min`
    returns moved; where none did it is calm. Raises `ArithmeticRefusal` for one that is no number or beyond
    `RETURN_MAX`: leave it out.
    """
    if not all(abs(r) <= RETURN_MAX for r in returns):
        raise ArithmeticRefusal(f"a return is no number within ±{RETURN_MAX:g}; leave it out")
    if len(returns) < params.returns_min:
        return None
    moves = [r for r in returns if r]
    count = len(moves)
    total = math.fsum(r * r for r in moves)
    smooth = min(bipower_variance(moves) or 0.0, total)
    least = params.vol_least * params.vol_least * params.step_s / SECONDS_PER_YEAR
    sd = math.sqrt(max(smooth / count if count else 0.0, least))
    regime, leave = Regime.CALM, params.leave_share
    jump_share = params.jump_share * (leave if before is Regime.SPIKY else 1.0)
    trend_sds = params.trend_sds * (leave if before is Regime.TRENDING else 1.0)
    if abs(math.fsum(moves)) > trend_sds * math.sqrt(total) > 0.0:
        regime = Regime.TRENDING
    if count >= params.returns_min and total - smooth > jump_share * max(total, count * least):
        regime = Regime.SPIKY
    if max(map(abs, moves), default=0.0) > params.spike_sds * sd:
        regime = Regime.SPIKY
    return Judged(regime=regime, sd=sd)


def level_of(vol_annual: float, vol_usual: float, params: Params) -> VolLevel:
    """Give how a volatility stands to the asset's usual one. Raises `ArithmeticRefusal` unless both are numbers > 0."""
    if not (0.0 < vol_annual < math.inf and 0.0 < vol_usual < math.inf):
        raise ArithmeticRefusal(f"volatilities {vol_annual!r} and {vol_usual!r}: give numbers above 0")
    ratio = vol_annual / vol_usual
    if ratio < params.low_below:
        return VolLevel.LOW
    return VolLevel.HIGH if ratio > params.high_above else VolLevel.MEDIUM
