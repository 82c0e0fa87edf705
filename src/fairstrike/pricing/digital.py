"""The point digital: what a contract on the index at one instant is worth. For people and as a yardstick.

The venue settles on a mean of sixty prints, which `settlement.py` prices; this law reads the index once. It
is geometric Brownian motion without drift: P(S_T > K) = N(d2), d2 = ln(S/K) / sd − sd / 2, sd = vol × √years.
As sd goes to zero it becomes a step: 1 above the strike, 0 below it, one half on it.
"""

import math

from fairstrike.core.errors import ArithmeticRefusal

HOURS_PER_YEAR = 365 * 24
SECONDS_PER_YEAR = HOURS_PER_YEAR * 3_600
PRICE_MIN = 1e-9
PRICE_MAX = 1e12
VOL_MAX = 50.0
YEARS_MAX = 100.0
_SQRT_HALF = math.sqrt(0.5)


def normal_cdf(z: float) -> float:
    """Give N(z), the standard normal probability of a value below `z`, exact in both tails."""
    return 0.5 * math.erfc(-z * _SQRT_HALF)


def digital_above(spot: float, strike: float, vol_annual: float, years: float) -> float:
    """Give the probability that the index stands above `strike` after `years`.

    `spot` and `strike` are dollars in [1e-9, 1e12], `vol_annual` is a fraction in [0, 50] (0.65 is 65 %),
    `years` lies in [0, 100]. At zero time or volatility: 1 above the strike, 0 below it, 0.5 on it.
    Raises `ArithmeticRefusal` for anything else, NaN included: pass numbers in these units.
    Source: Black and Scholes 1973, without drift.
    """
    _require("spot", spot, PRICE_MIN, PRICE_MAX, "dollars")
    _require("strike", strike, PRICE_MIN, PRICE_MAX, "dollars")
    _require("vol", vol_annual, 0.0, VOL_MAX, "a fraction a year, 0.65 for 65 %")
    _require("years", years, 0.0, YEARS_MAX, "years")
    sd = vol_annual * math.sqrt(years)
    if sd == 0.0:
        return 0.5 if spot == strike else float(spot > strike)
    return normal_cdf(math.log(spot / strike) / sd - 0.5 * sd)


def hours_to_years(hours: float) -> float:
    """Give `hours` (0 or more) as years of 365 days.

    Raises `ArithmeticRefusal` for negative, infinite or missing numbers: pass the time that is left.
    """
    _require("hours", hours, 0.0, YEARS_MAX * HOURS_PER_YEAR, "hours")
    return hours / HOURS_PER_YEAR


def binary_call_price(spot: float, strike: float, vol: float, years: float) -> float:
    """Give the fair dollars of a contract that pays 1 when the index ends above `strike`.

    Arguments, limits and `Raises` as in `digital_above`.
    """
    return digital_above(spot, strike, vol, years)


def binary_put_price(spot: float, strike: float, vol: float, years: float) -> float:
    """Give the fair dollars of a contract that pays 1 when the index ends below `strike`.

    Arguments, limits and `Raises` as in `digital_above`; call and put add up to 1.
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
    Limits as the time goes to zero are those of `digital_above`.
    Raises `ArithmeticRefusal` for an unknown type, a range without its upper strike above the lower one, or
    a number outside the domain of `digital_above`: the message names it.
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
