"""Volatility: figures computed elsewhere, the weighted sum as it is written, holes and refusals."""

import math
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.chance import Dice
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.diurnal import VarianceClock
from fairstrike.pricing.volatility import Ewma, Params, realised_vol, returns_missing

YEAR_S = 31_536_000
E8 = 100_000_000
FEW = Params(half_life_s=5, returns_min=1, window_s=20)
START = 1_800_000_000


class Estimators(msgspec.Struct, frozen=True):
    prices: list[float]
    rv_annualised: float
    ewma_annualised: float


class Vectors(msgspec.Struct, frozen=True):
    vol_estimators: Estimators


def walk(seed: int, count: int, vol: float = 0.5) -> dict[int, int]:
    """Prints of consecutive seconds with normal log returns."""
    dice, value, prints = Dice(seed, 1), 80_000.0 * E8, {}
    for second in range(count):
        prints[START + second] = round(value)
        value *= math.exp(vol / math.sqrt(YEAR_S) * dice.normal())
    return prints


def fed(prints: dict[int, int], params: Params) -> Ewma:
    ewma = Ewma(params)
    for second, value_e8 in prints.items():
        ewma.update(second, value_e8)
    return ewma


def written_out(prints: dict[int, int], params: Params) -> float:
    """The weighted mean of r² / dt over the returns that ended in the window."""
    now = max(prints)
    weights, terms = [], []
    for (before, old), (after, new) in pairwise(sorted(prints.items())):
        if after > now - params.window_s:
            weight = 2.0 ** (-(now - after) / params.half_life_s)
            weights.append(weight)
            terms.append(weight * math.log(new / old) ** 2 / (after - before))
    return math.sqrt(math.fsum(terms) / math.fsum(weights) * YEAR_S)


def test_reference_figures(shared_facts: Path) -> None:
    series = msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors).vol_estimators
    prints = {START + second: round(price * E8) for second, price in enumerate(series.prices)}
    assert pytest.approx(series.rv_annualised, rel=1e-7) == realised_vol(prints, max(prints), FEW)
    # The figure is a recursion that starts at the first squared return; ours gives that one no extra weight.
    vol, left_over = fed(prints, FEW).vol_annual(), 2.0 ** (-12 / 5)
    first = math.log(series.prices[1] / series.prices[0]) ** 2 * YEAR_S
    assert vol is not None
    assert pytest.approx(series.ewma_annualised, rel=1e-7) == math.sqrt(vol**2 * (1 - left_over) + first * left_over)


def test_half_an_hour_finds_the_volatility_that_made_it() -> None:
    prints = walk(seed=7, count=1_801)
    assert pytest.approx(0.5, rel=0.1) == fed(prints, Params()).vol_annual()
    assert pytest.approx(0.5, rel=0.05) == realised_vol(prints, max(prints), Params())


def test_nothing_before_120_returns() -> None:
    prints = walk(seed=1, count=121)
    early = dict(list(prints.items())[:120])
    assert fed(early, Params()).vol_annual() is None
    assert realised_vol(early, max(early), Params()) is None
    assert fed(prints, Params()).vol_annual() is not None
    assert realised_vol(prints, max(prints), Params()) is not None


def test_returns_older_than_the_window_are_forgotten() -> None:
    jump = {START: 80_000 * E8} | {START + second: 90_000 * E8 for second in range(1, 21)}
    ewma = fed(jump, FEW)
    assert ewma.returns == 20
    assert (ewma.vol_annual() or 0.0) > 1.0
    ewma.update(START + 21, 90_000 * E8)
    assert ewma.returns == 20
    assert pytest.approx(0.0, abs=1e-5) == ewma.vol_annual()


@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(10**8, 10**14)),
        min_size=2,
        max_size=200,
    )
)
def test_running_sums_are_the_weighted_sum(steps: list[tuple[int, int]]) -> None:
    prints, second = {}, START
    for gap, value_e8 in steps:
        second += gap
        prints[second] = value_e8
    assert pytest.approx(written_out(prints, FEW), rel=1e-6, abs=1e-3) == fed(prints, FEW).vol_annual()


def test_rounding_does_not_drift_over_a_day() -> None:
    prints = walk(seed=3, count=86_400)
    ewma = fed(prints, Params())
    assert ewma.returns == 1_800
    assert pytest.approx(written_out(prints, Params()), rel=1e-12) == ewma.vol_annual()


def test_crash_leaves_no_dust_behind() -> None:
    # With so long a half-life rounding does not fade; only summing anew clears it.
    flat = Params(half_life_s=100_000)
    prints = {second: value // 2 if second < START + 100 else value for second, value in walk(2, 4_000).items()}
    assert pytest.approx(written_out(prints, flat), rel=1e-12) == fed(prints, flat).vol_annual()


def test_missing_seconds_divide_the_squared_return_by_their_number() -> None:
    prints = {START: 80_000 * E8, START + 4: 80_008 * E8}
    vol = math.sqrt(math.log(80_008 / 80_000) ** 2 / 4 * YEAR_S)
    assert pytest.approx(vol, rel=1e-12) == fed(prints, FEW).vol_annual()
    assert pytest.approx(vol, rel=1e-12) == realised_vol(prints, START + 4, FEW)


def test_late_and_repeated_seconds_are_ignored() -> None:
    prints = walk(seed=5, count=30)
    ewma = fed(prints, FEW)
    vol = ewma.vol_annual()
    ewma.update(max(prints), 1)
    ewma.update(START + 3, 70_000 * E8)
    assert vol == ewma.vol_annual()
    assert ewma.returns == 20


def test_hole_as_long_as_the_window_starts_afresh() -> None:
    prints = walk(seed=5, count=30)
    ewma = fed(prints, FEW)
    ewma.update(max(prints) + 20, 70_000 * E8)
    assert ewma.vol_annual() is None
    ewma.update(max(prints) + 21, 70_000 * E8)
    assert ewma.vol_annual() == 0.0


def test_same_prints_give_the_same_bits() -> None:
    prints = walk(seed=11, count=5_000)
    assert fed(prints, Params()).vol_annual() == fed(prints, Params()).vol_annual()


def test_realised_looks_at_its_window_only() -> None:
    prints = {START: 80_000 * E8, START + 1: 90_000 * E8} | {START + s: 90_000 * E8 for s in range(2, 40)}
    assert realised_vol(prints, START + 21, FEW) == 0.0
    assert (realised_vol(prints, START + 19, FEW) or 0.0) > 1.0
    assert realised_vol(prints, START + 500, FEW) is None
    assert realised_vol({}, START, FEW) is None


@pytest.mark.parametrize("bad", [0, -1])
def test_print_that_is_not_positive_is_refused(bad: int) -> None:
    with pytest.raises(ArithmeticRefusal, match="not positive"):
        Ewma(Params()).update(START, bad)


def test_by_a_clock_a_loud_second_is_spread_over_more() -> None:
    """Prints of half an hour that begins an hour; its first minute counts for four."""
    truth, prints = VarianceClock([4.0] + [1.0] * 59), walk(5, 1_801)
    start = min(prints)
    even = Params(returns_min=1)
    squares = {second: math.log(prints[second] / prints[second - 1]) ** 2 for second in prints if second > start}
    counted = {second: truth.seconds((second - 1) * 10**9, second * 10**9) for second in squares}
    expected = math.sqrt(math.fsum(squares.values()) / math.fsum(counted.values()) * YEAR_S)
    assert start % 3_600 == 0
    found = realised_vol(prints, start + 1_800, Params(returns_min=1, window_s=1_801), truth)
    assert found == pytest.approx(expected, rel=1e-12)
    ewma = Ewma(even, truth)
    for second, value_e8 in prints.items():
        ewma.update(second, value_e8)
    now = max(prints)
    weights = {second: 2.0 ** (-(now - second) / even.half_life_s) for second in squares}
    terms = math.fsum(weights[second] * squares[second] / counted[second] for second in squares)
    assert ewma.vol_annual() == pytest.approx(math.sqrt(terms / math.fsum(weights.values()) * YEAR_S), rel=1e-9)


def test_prints_that_are_no_price_are_refused() -> None:
    prints = walk(5, 300)
    prints[START + 100] = 0
    with pytest.raises(ArithmeticRefusal, match="not positive"):
        realised_vol(prints, max(prints), Params())


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(0, 9))
def test_a_volatility_is_known_when_no_return_is_missing(seconds: set[int], later: int) -> None:
    params = Params(returns_min=10, window_s=40)
    prints = {second: 8_000_000_000_000 + second for second in sorted(seconds)}
    at = max(seconds) + later
    missing = returns_missing(prints, at, params)
    assert (missing == 0) is (realised_vol(prints, at, params) is not None)
    assert 0 <= missing <= params.returns_min
