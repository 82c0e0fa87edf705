"""The point digital: figures computed elsewhere, limits, refusals."""

import doctest
import inspect
import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import (
    binary_call_price,
    binary_put_price,
    calculate_fair_value,
    digital_above,
    digital_greeks,
    digitals_above,
    hours_to_years,
    normal_cdf,
)

GUIDE = Path(__file__).resolve().parents[3] / "docs/guides/prices.md"
PRICES = st.floats(1e-9, 1e12)
MONTH_HOURS = st.floats(0.0, 720.0)
VOLS = st.floats(0.0, 50.0)
YEARS = st.floats(0.0, 100.0)


class PointCase(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    strike: float = msgspec.field(name="K")
    vol: float = msgspec.field(name="sigma")
    seconds: float = msgspec.field(name="T_s")
    p: float = msgspec.field(name="p_gbm")


class ClaimedCase(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    strike: float = msgspec.field(name="K")
    vol: float = msgspec.field(name="sigma")
    seconds: float = msgspec.field(name="T_s")
    p: float = msgspec.field(name="p_point_gbm")


class Vectors(msgspec.Struct, frozen=True):
    digital_point: list[PointCase]
    claimed_test_list_check: list[ClaimedCase]


def test_the_guide_of_prices_says_what_they_are() -> None:
    found = doctest.testfile(str(GUIDE), module_relative=False)
    assert (found.failed, found.attempted > 10) == (0, True)


def test_reference_figures(shared_facts: Path) -> None:
    vectors = msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)
    assert len(vectors.digital_point) == 7
    for case in vectors.digital_point:
        years = hours_to_years(case.seconds / 3_600)
        assert pytest.approx(case.p, abs=1e-7) == digital_above(case.spot, case.strike, case.vol, years)
    assert len(vectors.claimed_test_list_check) == 2
    for claim in vectors.claimed_test_list_check:
        hours = claim.seconds / 3_600
        assert pytest.approx(claim.p, abs=1e-6) == calculate_fair_value(claim.spot, claim.strike, claim.vol, hours)


@pytest.mark.parametrize(
    ("signature", "function"),
    [
        ("(spot, strike, vol, years)", binary_call_price),
        ("(spot, strike, vol, years)", binary_put_price),
        ("(hours)", hours_to_years),
        ("(spot, strike, vol, hours_to_expiry, market_type='above', upper_strike=None)", calculate_fair_value),
    ],
)
def test_public_face(signature: str, function: Callable[..., float]) -> None:
    told = inspect.signature(function)
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in told.parameters.values()]
    assert signature == str(told.replace(parameters=bare, return_annotation=inspect.Signature.empty))


@pytest.mark.parametrize(
    ("p", "strike", "market_type", "upper_strike"),
    [
        (0.9550, 68_000, "above", None),
        (0.0480, 72_000, "above", None),
        (0.0450, 68_000, "below", None),
        (0.9070, 68_000, "range", 72_000),
        (0.4966, 70_000, "above", None),
    ],
)
def test_six_hours_at_65_percent(p: float, strike: float, market_type: str, upper_strike: float | None) -> None:
    assert pytest.approx(p, abs=5e-5) == calculate_fair_value(70_000, strike, 0.65, 6, market_type, upper_strike)


def test_normal_cdf_keeps_its_far_tail() -> None:
    assert normal_cdf(0.0) == 0.5
    assert pytest.approx(7.619853024160527e-24, rel=1e-12, abs=0.0) == normal_cdf(-10.0)


@pytest.mark.parametrize(("p", "strike"), [(1.0, 69_999.99), (0.5, 70_000.0), (0.0, 70_000.01)])
@pytest.mark.parametrize(("vol", "years"), [(0.65, 0.0), (0.0, 1.0), (0.0, 0.0), (0.65, 1e-24)])
def test_step_as_time_goes_to_zero(p: float, strike: float, vol: float, years: float) -> None:
    assert pytest.approx(p, abs=1e-9) == digital_above(70_000.0, strike, vol, years)


def test_year_has_8760_hours() -> None:
    assert hours_to_years(8_760) == 1.0
    assert hours_to_years(0) == 0.0


@given(PRICES, PRICES, VOLS, YEARS)
def test_call_and_put_add_up_to_one(spot: float, strike: float, vol: float, years: float) -> None:
    call = binary_call_price(spot, strike, vol, years)
    assert 0.0 <= call <= 1.0
    assert call + binary_put_price(spot, strike, vol, years) == 1.0


@given(PRICES, PRICES, PRICES, VOLS, MONTH_HOURS)
def test_range_is_the_difference_of_its_thresholds(
    spot: float, strike: float, other: float, vol: float, hours: float
) -> None:
    assume(strike != other)
    low, high = min(strike, other), max(strike, other)
    above_low = calculate_fair_value(spot, low, vol, hours)
    above_high = calculate_fair_value(spot, high, vol, hours)
    assert above_low >= above_high
    assert above_low - above_high == calculate_fair_value(spot, low, vol, hours, "range", high)


BAD_NUMBERS = [0.0, -1.0, math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("bad", [*BAD_NUMBERS, 7_000_000_000_000.0])
def test_spot_or_strike_outside_its_domain_is_refused(bad: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="spot is"):
        digital_above(bad, 70_000, 0.65, 0.1)
    with pytest.raises(ArithmeticRefusal, match="strike is"):
        digital_above(70_000, bad, 0.65, 0.1)


@pytest.mark.parametrize("bad", [-0.01, 65.0, math.nan, math.inf])
def test_vol_outside_its_domain_is_refused(bad: float) -> None:
    with pytest.raises(ArithmeticRefusal, match=r"0\.65 for 65 %"):
        digital_above(70_000, 70_000, bad, 0.1)


@pytest.mark.parametrize("bad", [-1e-9, math.nan, math.inf, 1e9])
def test_time_outside_its_domain_is_refused(bad: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="years is"):
        digital_above(70_000, 70_000, 0.65, bad)
    with pytest.raises(ArithmeticRefusal, match="hours is"):
        calculate_fair_value(70_000, 70_000, 0.65, bad)


@pytest.mark.parametrize(
    ("market_type", "upper_strike", "message"),
    [
        ("between", 72_000, "market_type"),
        ("", None, "market_type"),
        ("range", None, "upper_strike"),
        ("above", 72_000, "upper_strike"),
        ("below", 72_000, "upper_strike"),
        ("range", 70_000, "above strike"),
        ("range", 69_000, "above strike"),
        ("range", math.nan, "above strike"),
    ],
)
def test_contradicting_market_is_refused(market_type: str, upper_strike: float | None, message: str) -> None:
    with pytest.raises(ArithmeticRefusal, match=message):
        calculate_fair_value(70_000, 70_000, 0.65, 6, market_type, upper_strike)


# Many strikes at once


@given(st.lists(st.floats(1e-6, 1e9), max_size=30), st.floats(1e-6, 1e9), st.floats(0.0, 5.0), st.floats(0.0, 2.0))
def test_many_strikes_are_each_its_own(strikes: list[float], spot: float, vol: float, years: float) -> None:
    each = [digital_above(spot, strike, vol, years) for strike in strikes]
    assert each == digitals_above(spot, strikes, vol, years)
    falling = digitals_above(spot, sorted(strikes), vol, years)
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("years", [0.0, 0.001])
def test_one_bad_strike_among_many_is_refused(bad: float, years: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="strike"):
        digitals_above(80_000.0, [80_000.0, bad], 0.5, years)


# Greeks


@given(st.floats(0.9, 1.1), st.floats(0.05, 3.0), st.floats(1e-4, 1.0))
def test_greeks_are_the_slopes(moneyness: float, vol: float, years: float) -> None:
    spot, strike = 80_000.0, 80_000.0 * moneyness
    greeks = digital_greeks(spot, strike, vol, years)

    def slope(above: float, below: float, step: float) -> float:
        return (above - below) / (2 * step)

    ds, dv, dt = spot * vol * math.sqrt(years) * 1e-4, vol * 1e-4, years * 1e-4
    delta = slope(digital_above(spot + ds, strike, vol, years), digital_above(spot - ds, strike, vol, years), ds)
    vega = slope(digital_above(spot, strike, vol + dv, years), digital_above(spot, strike, vol - dv, years), dv)
    # A year that passes is a year less to the expiry.
    theta = slope(digital_above(spot, strike, vol, years - dt), digital_above(spot, strike, vol, years + dt), dt)
    assert pytest.approx(delta, rel=1e-4, abs=1e-8 / ds) == greeks.delta
    assert pytest.approx(vega, rel=1e-4, abs=1e-8 / dv) == greeks.vega
    assert pytest.approx(theta, rel=1e-4, abs=1e-8 / dt) == greeks.theta


def test_greeks_of_below_and_of_a_range() -> None:
    low, high = digital_greeks(80_000, 79_900, 0.5, 0.001), digital_greeks(80_000, 80_100, 0.5, 0.001)
    assert (-low).delta == -low.delta < 0 < low.delta
    between = low - high
    assert between.delta == low.delta - high.delta
    assert (between.vega, between.theta) == (low.vega - high.vega, low.theta - high.theta)
    # Volatility and time take from the range around the spot.
    assert between.vega < 0 < between.theta


@pytest.mark.parametrize(("vol", "years"), [(0.0, 1.0), (0.5, 0.0), (1e-9, 1e-9)])
def test_step_has_no_slope_beside_the_strike_and_none_to_give_on_it(vol: float, years: float) -> None:
    greeks = digital_greeks(80_000, 80_000.01, vol, years)
    assert (greeks.delta, greeks.vega, greeks.theta) == (0.0, 0.0, 0.0)
    with pytest.raises(ArithmeticRefusal, match="no slope"):
        digital_greeks(80_000, 80_000, vol, years)


@given(st.floats(1e-9, 1e12), st.floats(1e-9, 1e12), VOLS, YEARS)
def test_greeks_are_numbers_or_refused(spot: float, strike: float, vol: float, years: float) -> None:
    assume(spot != strike)
    greeks = digital_greeks(spot, strike, vol, years)
    assert all(math.isfinite(value) for value in (greeks.delta, greeks.vega, greeks.theta))
