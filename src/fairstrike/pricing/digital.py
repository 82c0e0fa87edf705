"""The point digital: what a contract on the index at one instant is worth. For people and as a yardstick.

The venue settles on a mean of sixty prints, which `settlement.py` prices; this law reads the index once. It
is geometric Brownian motion without drift: P(S_T > K) = N(d2), d2 = ln(S/K) / sd − sd / 2, sd = vol × √years.
As sd goes to zero it becomes a step: 1 above the strike, 0 below it, one half on it.
"""

import math
from collections.abc import Iterable
from math import erfc, log

import msgspec

from fairstrike.core.errors import ArithmeticRefusal

HOURS_PER_YEAR = 365 * 24
SECONDS_PER_YEAR = HOURS_PER_YEAR * 3_600
PRICE_MIN = 1e-9
PRICE_MAX = 1e12
VOL_MAX = 50.0
YEARS_MAX = 100.0
_SQRT_HALF = math.sqrt(0.5)
_DENSITY_PEAK = 1.0 / math.sqrt(2.0 * math.pi)
_SD_LEAST = 1e-12


def normal_cdf(z: float) -> float:
    """Give N(z), the standard normal probability of a value below `z`, exact in both tails.

    Raises `ArithmeticRefusal` for no number.
    """
    if z != z:
        raise ArithmeticRefusal("z is no number; give a count of standard deviations")
    return 0.5 * math.erfc(-z * _SQRT_HALF)


def normal_density(z: float) -> float:
    """Give the standard normal density at `z`. Raises `ArithmeticRefusal` for no number."""
    if z != z:
        raise ArithmeticRefusal("z is no number; give a count of standard deviations")
    return math.exp(-0.5 * z * z) * _DENSITY_PEAK


def expit(x: float) -> float:
    """Give 1 / (1 + e^−x), the probability whose log-odds are `x`. Raises `ArithmeticRefusal` for no number."""
    if x != x:
        raise ArithmeticRefusal("x is no number; give log-odds")
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    grown = math.exp(x)
    return grown / (1.0 + grown)


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """How a probability moves: `delta` a dollar of spot, `vega` a unit of volatility, `theta` a year that passes.

    Those of "below" are these with the other sign, those of a range the difference of its thresholds'.
    """

    delta: float
    vega: float
    theta: float

    def __neg__(self) -> "Greeks":
        """Give the greeks of the opposite outcome."""
        return Greeks(delta=-self.delta, vega=-self.vega, theta=-self.theta)

    def __sub__(self, other: "Greeks") -> "Greeks":
        """Give the greeks of this outcome without the other, which it contains."""
        return Greeks(delta=self.delta - other.delta, vega=self.vega - other.vega, theta=self.theta - other.theta)


FLAT = Greeks(delta=0.0, vega=0.0, theta=0.0)


def digitals_above(spot: float, strikes: Iterable[float], vol_annual: float, years: float) -> list[float]:
    """Give the probabilities that the index stands above each of `strikes` after `years`, in their order.

    `spot` and `strikes` are dollars in [1e-9, 1e12], `vol_annual` is a fraction in [0, 50] (0.65 is 65 %),
    `years` lies in [0, 100]. At zero time or volatility: 1 above the strike, 0 below it, 0.5 on it. "Up" is
    above the price at the open, in this law the same as "at least".
    Raises `ArithmeticRefusal` for anything else, NaN included: pass numbers in these units.
    Source: Black and Scholes 1973, without drift.
    """
    sd = log_sd(spot, vol_annual, years)
    values: list[float] = []
    for strike in strikes:
        if not PRICE_MIN <= strike <= PRICE_MAX:
            _require("strike", strike, PRICE_MIN, PRICE_MAX, "dollars")
        if sd == 0.0:
            values.append(0.5 if spot == strike else float(spot > strike))
        else:
            values.append(0.5 * erfc((0.5 * sd - log(spot / strike) / sd) * _SQRT_HALF))
    return values


def digital_above(spot: float, strike: float, vol_annual: float, years: float) -> float:
    """Give the probability that the index stands above one `strike`: `digitals_above` of one."""
    return digitals_above(spot, (strike,), vol_annual, years)[0]


def digital_greeks(spot: float, strike: float, vol_annual: float, years: float) -> Greeks:
    """Give the greeks of `digital_above`: φ(d2)/(S·sd), −φ(d2)·d1/σ and φ(d2)·d1/(2·years).

    At zero time or volatility all are zero, but on the strike, where the step has no slope.
    Raises `ArithmeticRefusal` there, and outside the domain of `digitals_above`.
    """
    sd = log_sd(spot, vol_annual, years)
    _require("strike", strike, PRICE_MIN, PRICE_MAX, "dollars")
    if sd == 0.0:
        if spot == strike:
            raise ArithmeticRefusal(f"on the strike {strike!r} a step has no slope; give some time and volatility")
        return FLAT
    d2 = math.log(spot / strike) / sd - 0.5 * sd
    density, d1 = normal_density(d2), d2 + sd
    if density == 0.0:
        return FLAT
    return Greeks(delta=density / (spot * sd), vega=-density * d1 / vol_annual, theta=0.5 * density * d1 / years)


def log_sd(spot: float, vol_annual: float, years: float) -> float:
    """Give the standard deviation of the log index after `years`; below 1e-12 it is 0, the limit.

    Raises `ArithmeticRefusal` as `digitals_above`, and checks `spot` for it.
    """
    _require("spot", spot, PRICE_MIN, PRICE_MAX, "dollars")
    _require("vol", vol_annual, 0.0, VOL_MAX, "a fraction a year, 0.65 for 65 %")
    _require("years", years, 0.0, YEARS_MAX, "years")
    sd = vol_annual * math.sqrt(years)
    return 0.0 if sd < _SD_LEAST else sd


def hours_to_years(hours: float) -> float:
    """Give `hours` (0 or more) as years of 365 days.

    Raises `ArithmeticRefusal` for negative, infinite or missing numbers: pass the time that is left.
    """
    _require("hours", hours, 0.0, YEARS_MAX * HOURS_PER_YEAR, "hours")
    return hours / HOURS_PER_YEAR


def binary_call_price(spot: float, strike: float, vol: float, years: float) -> float:
    """Give the fair dollars of a contract that pays 1 when the index ends above `strike`.

    Arguments, limits and `Raises` as in `digitals_above`.
    """
    return digital_above(spot, strike, vol, years)


def binary_put_price(spot: float, strike: float, vol: float, years: float) -> float:
    """Give the fair dollars of a contract that pays 1 when the index ends below `strike`.

    Arguments, limits and `Raises` as in `digitals_above`; call and put add up to 1.
    """
    return 1.0 - digital_above(spot, strike, vol, years)


def calculate_fair_value(
    spot: float,
    strike: float,
    vol: float,
    hours_to_expiry: float,
    market_type: str = "above",
    upper_strike: float | None = None,
) -> float:
    """Give the fair dollars, in [0, 1], of an "above", "below" or "range" contract.

    A range pays between `strike` and `upper_strike`, which only a range has. `vol` is a fraction a year.
    Limits as the time goes to zero are those of `digitals_above`.
    Raises `ArithmeticRefusal` for an unknown type, a range without its upper strike above the lower one, or
    a number outside the domain of `digitals_above`: the message names it.
    """
    years = hours_to_years(hours_to_expiry)
    if market_type not in ("above", "below", "range"):
        raise ArithmeticRefusal(f'market_type {market_type!r} is unknown; use "above", "below" or "range"')
    if (upper_strike is not None) != (market_type == "range"):
        raise ArithmeticRefusal(f"upper_strike is {upper_strike!r}; give it for a range, and only for a range")
    if market_type == "below":
        return binary_put_price(spot, strike, vol, years)
    above = digital_above(spot, strike, vol, years)
    if upper_strike is None:
        return above
    if not upper_strike > strike:
        raise ArithmeticRefusal(f"upper_strike {upper_strike!r} must be above strike {strike!r}")
    return max(above - digital_above(spot, upper_strike, vol, years), 0.0)


def _require(name: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:
        raise ArithmeticRefusal(f"{name} is {value!r}; give {unit}, from {least:g} to {most:g}")
