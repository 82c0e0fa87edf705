"""What kind of market it is: calm, trending or spiky; and whether volatility is low, medium or high for its asset.

Over the returns of the last half hour, each over some seconds so that few are zero, with σ² the variance without that
of jumps (bipower):

    spiky      one return is beyond `spike_sds` of its own standard deviation, or jumps make up `jump_share` of Σ r²
    trending   the net move is beyond `trend_sds` standard deviations of a path without direction
    calm       neither

Spiky goes before trending. The level compares volatility with the asset's usual one. Each regime acts on size, least
edge and half spread by factors; in a spiky market nothing is sized at all.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

from fairstrike.core.bounds import Amount, PositiveFloat, Share
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.estimators import bipower_variance


class Regime(StrEnum):
    """The kind of market."""

    CALM = "calm"
    TRENDING = "trending"
    SPIKY = "spiky"


class Level(StrEnum):
    """Volatility against the asset's usual one."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a regime multiplies. A size of 0 means no order; the others then say nothing."""

    size: Amount = 1.0
    least_edge: Amount = 1.0
    half_spread: Amount = 1.0


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where regimes begin, and what they do."""

    returns_min: Annotated[int, msgspec.Meta(ge=3)] = 120
    spike_sds: PositiveFloat = 8.0
    jump_share: Share = 0.4
    trend_sds: PositiveFloat = 2.0
    low_below: PositiveFloat = 0.75
    high_above: PositiveFloat = 1.5
    effects: dict[Regime, Effect] = msgspec.field(
        default_factory=lambda: {
            Regime.CALM: Effect(),
            Regime.TRENDING: Effect(size=0.7, least_edge=1.25, half_spread=1.25),
            Regime.SPIKY: Effect(size=0.0),
        }
    )


def regime_of(returns: Sequence[float], params: Params) -> Regime | None:
    """Give the regime of evenly spaced log returns in order, None with fewer than `returns_min`.

    Returns that are all zero are calm. Raises `ArithmeticRefusal` for one that is no number: leave it out.
    """
    if not all(math.isfinite(r) for r in returns):
        raise ArithmeticRefusal("a return is no number; leave it out")
    if len(returns) < params.returns_min:
        return None
    total = math.fsum(r * r for r in returns)
    if total == 0.0:
        return Regime.CALM
    smooth = min(bipower_variance(returns) or 0.0, total)
    spike = max(abs(r) for r in returns)
    if 1.0 - smooth / total > params.jump_share or spike > params.spike_sds * math.sqrt(smooth / len(returns)):
        return Regime.SPIKY
    if abs(math.fsum(returns)) > params.trend_sds * math.sqrt(total):
        return Regime.TRENDING
    return Regime.CALM


def level_of(vol_annual: float, vol_usual: float, params: Params) -> Level:
    """Give how a volatility stands to the asset's usual one. Raises `ArithmeticRefusal` unless both are numbers > 0."""
    if not (0.0 < vol_annual < math.inf and 0.0 < vol_usual < math.inf):
        raise ArithmeticRefusal(f"volatilities {vol_annual!r} and {vol_usual!r}: give numbers above 0")
    ratio = vol_annual / vol_usual
    if ratio < params.low_below:
        return Level.LOW
    return Level.HIGH if ratio > params.high_above else Level.MEDIUM


def effect_of(regime: Regime, params: Params) -> Effect:
    """Give what a regime multiplies; one the parameters leave out changes nothing."""
    return params.effects.get(regime, Effect())
