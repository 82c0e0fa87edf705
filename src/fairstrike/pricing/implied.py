"""The volatility a ladder's own prices imply, each strike's without its own price.

Of a settlement group's two-sided markets the mids are held against the settlement law at each volatility of a fixed
grid; a mid counts by one over the square of its half spread, two cents at least: a reference price that is some dollars
off moves a near strike by as much. Two wings alone can be explained by a small volatility and by an absurd one, so a
weak prior speaks too: the logarithm of the volatility is normal around that of `vol_prior`. The best grid point is
refined by the parabola through it and its neighbours, in the logarithm of the volatility.

A market is always priced by the fit that leaves its own quote out, so that holding the model against the market does
not hold the market against itself.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from fairstrike.core.bounds import Count, PositiveFloat
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.market.ladder import Rung
from fairstrike.pricing.settlement import SettlementInputs, SettlementLaw, probability, settlement_law

_VOL_FIRST, _VOL_RATIO, _VOL_COUNT = 0.05, 1.12, 41
GRID = tuple(_VOL_FIRST * _VOL_RATIO**step for step in range(_VOL_COUNT))
"""Volatilities tried, a fraction a year: 0.05 to 4.65 in steps of 12 %."""

_HALF_SPREAD_MIN_TICKS = 200.0


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fewest other two-sided strikes for a volatility from the ladder when the prints give none; 0 switches it off.

    `vol_prior` is a fraction a year, `vol_prior_log_sd` the standard deviation of its logarithm.
    """

    strikes_min: Count = 0
    vol_prior: PositiveFloat = 0.4
    vol_prior_log_sd: PositiveFloat = 0.7


class LadderFit:
    """The laws of one settlement mean at one instant, one for each market's absence from the fit."""

    def __init__(self, params: Params, inputs: SettlementInputs, rungs: Sequence[Rung]) -> None:
        """Take what is known of the mean (`vol_annual` is not read) and the two-sided markets of its group."""
        self._params = params
        self._inputs = inputs
        self._errors: Mapping[str, list[float]] = {}
        self._laws: dict[str, SettlementLaw | None] = {}
        if params.strikes_min and len(rungs) >= params.strikes_min:
            tried = [settlement_law(self._at(vol)) for vol in GRID]
            self._errors = {rung.contract.ticker: _errors(rung, tried) for rung in rungs}

    def law(self, ticker: str) -> SettlementLaw | None:
        """Give the law that the other markets' prices imply; None when they are too few or show no volatility."""
        key = ticker if ticker in self._errors else ""
        if key not in self._laws:
            vol = self.vol_annual(key)
            self._laws[key] = None if vol is None else settlement_law(self._at(vol))
        return self._laws[key]

    def vol_annual(self, ticker: str) -> float | None:
        """Give the volatility, a fraction a year, fitted to every two-sided market but this one."""
        others = [errors for name, errors in self._errors.items() if name != ticker]
        if len(others) < max(self._params.strikes_min, 1):
            return None
        params = self._params
        away = [(math.log(vol) - math.log(params.vol_prior)) / params.vol_prior_log_sd for vol in GRID]
        prior = [sds * sds for sds in away]
        totals = [sum(column) for column in zip(prior, *others, strict=True)]
        best = min(range(_VOL_COUNT), key=totals.__getitem__)
        if best in (0, _VOL_COUNT - 1):
            return None
        below, least, above = totals[best - 1 : best + 2]
        curvature = below - 2.0 * least + above
        step = 0.5 * (below - above) / curvature if curvature > 0.0 else 0.0
        return GRID[best] * float(_VOL_RATIO**step)

    def _at(self, vol_annual: float) -> SettlementInputs:
        return msgspec.structs.replace(self._inputs, vol_annual=vol_annual)


def _errors(rung: Rung, tried: Sequence[SettlementLaw]) -> list[float]:
    """Give a market's weighted squared error at each volatility of the grid."""
    mid = (rung.bid_ticks + rung.ask_ticks) / 2
    half = max((rung.ask_ticks - rung.bid_ticks) / 2, _HALF_SPREAD_MIN_TICKS)
    return [((probability(rung.contract, law) * TICKS_PER_DOLLAR - mid) / half) ** 2 for law in tried]
