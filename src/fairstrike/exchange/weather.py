"""The index of the calibrated world: a jump-diffusion whose volatility follows the hours of the day.

The path moves in steps of a tenth of a second, because makers follow the coins' own trades and not the index's
print a second; the print of a second is where the path stands at its beginning, rounded to cents. Volatility
counts jumps in: a share of the variance comes in jumps, the rest as diffusion. All chance is the dice's.
"""

import math

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.listings import FIFTHS
from fairstrike.pricing.digital import SECONDS_PER_YEAR

STEPS_PER_SECOND = 10
STEP_NS = SECOND_NS // STEPS_PER_SECOND
_CENT_E8 = E8_PER_DOLLAR // 100
_HOUR_SECONDS = 3_600
_STEPS_KEPT = 2 * _HOUR_SECONDS * STEPS_PER_SECOND
_HOURS = (
    *(0.89, 0.71, 0.66, 0.80, 0.73, 0.67, 0.65, 0.67, 0.81, 0.78, 0.90, 0.86),
    *(0.88, 1.00, 1.22, 1.16, 1.06, 1.00, 1.06, 1.20, 1.24, 1.06, 1.11, 0.88),
)
"""Volatility by UTC hour over its mean. Source: one-minute candles of a Bitcoin perpetual, January 2022, the three
largest moves of each hour left out."""


class WeatherParams(msgspec.Struct, frozen=True, kw_only=True):
    """How the index moves. `vol_annual` is a fraction a year at an hour of factor 1, jumps included.

    Source of 0.28: Coinbase trades beside 15 captures of May 2026, five-second returns (0.19 to 0.46). Jumps: about
    one in 130 minutes of January 2022 moved four standard deviations or more; their share of variance is assumed.
    """

    vol_annual: float = 0.28
    jumps_per_hour: float = 2.0
    jump_variance_share: float = 0.1
    level_dollars: int = 80_000
    level_spread_dollars: int = 500


def hour_factor(second: int) -> float:
    """Give the volatility at epoch second `second` over its mean, linear between the middles of two hours."""
    at = (second % (24 * _HOUR_SECONDS)) / _HOUR_SECONDS - 0.5
    low = math.floor(at)
    share = at - low
    return _HOURS[low % 24] * (1.0 - share) + _HOURS[(low + 1) % 24] * share


def vol_at(params: WeatherParams, second: int) -> float:
    """Give the volatility (a fraction a year) at epoch second `second`."""
    return params.vol_annual * hour_factor(second)


class Weather:
    """The index, step by step: drawn once, in order, as far as it is asked for. The last two hours are kept."""

    def __init__(self, dice: Dice, params: WeatherParams, first_second: int) -> None:
        """Start the path at epoch second `first_second`."""
        self._dice = dice
        self._params = params
        self._first = first_second * STEPS_PER_SECOND
        spread = params.level_spread_dollars
        self._steps = [params.level_dollars + spread * (2.0 * dice.uniform() - 1.0)]

    def value_at(self, instant_ns: int) -> float:
        """Give where the path stands, in dollars; not before its start, nor two hours before the last asked."""
        step = instant_ns // STEP_NS
        while self._first + len(self._steps) <= step:
            self._grow()
        assert step >= self._first, "the path starts at its first second and keeps two hours"
        return self._steps[step - self._first]

    def print_e8(self, second: int) -> int:
        """Give the print of epoch second `second`, rounded to cents."""
        return _cents_e8(self.value_at(second * SECOND_NS))

    def fifths_e8(self, second: int) -> tuple[int, ...]:
        """Give the five values of epoch second `second`, 200 ms apart, rounded to cents; the first is its print."""
        return tuple(
            _cents_e8(self.value_at(second * SECOND_NS + fifth * SECOND_NS // FIFTHS)) for fifth in range(FIFTHS)
        )

    def _grow(self) -> None:
        params = self._params
        second = (self._first + len(self._steps)) // STEPS_PER_SECOND
        variance = vol_at(params, second) ** 2 / SECONDS_PER_YEAR / STEPS_PER_SECOND
        jumps_per_step = params.jumps_per_hour / _HOUR_SECONDS / STEPS_PER_SECOND
        move = math.sqrt(variance * (1.0 - params.jump_variance_share)) * self._dice.normal()
        if jumps_per_step and self._dice.uniform() < jumps_per_step:
            move += math.sqrt(variance * params.jump_variance_share / jumps_per_step) * self._dice.normal()
        self._steps.append(self._steps[-1] * math.exp(move - variance / 2.0))
        if len(self._steps) > 2 * _STEPS_KEPT:
            del self._steps[:_STEPS_KEPT]
            self._first += _STEPS_KEPT


def _cents_e8(dollars: float) -> int:
    return int(dollars * 100.0 + 0.5) * _CENT_E8
