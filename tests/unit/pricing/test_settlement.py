"""The settlement law: figures computed elsewhere, the defining sum, the exact convolution, properties."""

import math
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fairstrike.core.contract import Comparison, Contract, settle
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import normal_cdf
from fairstrike.pricing.settlement import (
    DOUBT,
    PayoffInterval,
    SeenPrints,
    SettlementInputs,
    SettlementLaw,
    payoff_interval,
    probabilities_above,
    probability,
    probability_above,
    probability_within,
    seen_prints,
    settlement_law,
    slope_above,
    variance_multiplier,
)
from tests.unit.pricing.contracts import E8, contract_of
from tests.unit.pricing.settlement_figures import Vectors

YEAR_S = 31_536_000


def law_of(
    spot: float = 80_000.0,
    vol: float = 0.35,
    first_s: float = 1.0,
    left: int = 60,
    seen_mean: float = 0.0,
    sd_dollars: float = 0.0,
    bridge_s: float = 0.0,
) -> SettlementLaw:
    return settlement_law(
        SettlementInputs(
            spot=spot,
            vol_annual=vol,
            first_s=first_s,
            left=left,
            seen_sum=(60 - left) * seen_mean,
            sd_dollars=sd_dollars,
            bridge_s=bridge_s,
        )
    )


# Figures computed elsewhere


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


def test_thresholds_before_and_inside_the_window(vectors: Vectors) -> None:
    assert (len(vectors.average_before_window), len(vectors.average_inside_window)) == (14, 10)
    for case in [*vectors.average_before_window, *vectors.average_inside_window]:
        sd = case.spot * case.vol * math.sqrt(variance_multiplier(case.first_s, case.left) / YEAR_S)
        assert pytest.approx(case.sd, rel=1e-6) == sd
        law = law_of(case.spot, case.vol, case.first_s, case.left, case.seen_mean)
        p = probability(contract_of(Comparison.ABOVE, case.strike), law)
        assert pytest.approx(case.p, abs=1e-7) == p
        assert pytest.approx(case.simulated, abs=4 * case.simulated_se) == p


def test_up_or_down_after_the_open(vectors: Vectors) -> None:
    assert len(vectors.updown_after_open) == 6
    for case in vectors.updown_after_open:
        assert case.effective_threshold is not None
        digits = 2 if case.effective_threshold < case.strike else None
        contract = contract_of(Comparison.AT_LEAST, case.strike, digits=digits)
        assert pytest.approx(case.effective_threshold, abs=1e-9) == payoff_interval(contract).low
        p = probability(contract, law_of(case.spot, case.vol, case.first_s))
        assert pytest.approx(case.p, abs=1e-7) == p
        assert pytest.approx(case.simulated, abs=4 * case.simulated_se) == p


def test_ranges(vectors: Vectors) -> None:
    assert len(vectors.range) == 4
    for case in vectors.range:
        seen_mean = case.seen_sum / (60 - case.left) if case.left < 60 else 0.0
        law = law_of(case.spot, case.vol, case.first_s, case.left, seen_mean)
        contract = contract_of(Comparison.BETWEEN, case.lower, case.upper)
        assert pytest.approx(case.p, abs=1e-7) == probability(contract, law)


def test_six_hours_at_65_percent(vectors: Vectors) -> None:
    assert len(vectors.claimed_test_list_check) == 2
    for case in vectors.claimed_test_list_check:
        law = law_of(case.spot, case.vol, case.seconds - 60)
        assert pytest.approx(case.p, abs=1e-6) == probability_above(law, case.strike)


def test_variance_multiplier_table(vectors: Vectors) -> None:
    table = vectors.variance_multiplier_table
    assert (len(table.before_window), len(table.inside_window_a1)) == (9, 12)
    for row in [*table.before_window, *table.inside_window_a1]:
        assert pytest.approx(row.exact, abs=1e-6) == variance_multiplier(row.first_s, row.left)


def test_what_a_law_of_one_instant_gets_wrong(vectors: Vectors) -> None:
    ahead = [row for row in vectors.point_sample_error if row.seconds]
    inside = [row for row in vectors.point_sample_error if row.ratio]
    assert (len(ahead), len(inside)) == (9, 8)
    for row in inside:
        assert pytest.approx(row.ratio, rel=1e-3) == math.sqrt(row.left / variance_multiplier(1.0, row.left))
    for row in ahead:
        wider = math.sqrt(row.seconds / variance_multiplier(row.seconds - 60, 60))
        assert pytest.approx(row.overstated_pct, abs=0.01) == 100 * (wider - 1.0)
        errors = (normal_cdf(z / 1_000) - normal_cdf(z / 1_000 / wider) for z in range(4_000))
        assert pytest.approx(row.error, abs=2e-5) == max(errors)


def test_scale_of_the_settlement_mean(vectors: Vectors) -> None:
    assert len(vectors.scale_table) == 4
    for row in vectors.scale_table:
        per_second = row.spot * row.vol / math.sqrt(YEAR_S)
        assert pytest.approx(row.per_root_second, rel=2e-3) == per_second
        for told, first_s, left in (
            (row.hour, 3_540.0, 60),
            (row.last_minute, 0.0, 60),
            (row.with_30_left, 1.0, 30),
            (row.with_10_left, 1.0, 10),
        ):
            sd = per_second * math.sqrt(variance_multiplier(first_s, left))
            assert pytest.approx(told, rel=2e-3, abs=5e-5) == sd


# The defining sum


def summed_log_sd(vol: float, first_s: float, left: int) -> float:
    """The sixty-term sum as it is written, in a form that loses no digits."""
    u = vol * vol / YEAR_S
    terms = [(2 * (left - 1 - i) + 1) * math.expm1(u * (first_s + i)) for i in range(left)]
    return math.sqrt(math.log1p(math.fsum(terms) / left**2))


@given(st.floats(0.01, 50.0), st.floats(0.0, 700_000.0), st.integers(1, 60))
@example(50.0, 0.0, 60)
@example(50.0, 0.0, 2)
def test_closed_form_is_the_sixty_term_sum(vol: float, first_s: float, left: int) -> None:
    assume(first_s > 0.0 or left > 1)
    law = law_of(vol=vol, first_s=first_s, left=left, seen_mean=80_000.0)
    assert pytest.approx(summed_log_sd(vol, first_s, left), rel=1e-12, abs=0.0) == law.log_sd


@given(st.floats(0.0, 1e6), st.integers(0, 60))
def test_variance_multiplier_is_the_double_sum(first_s: float, left: int) -> None:
    double = math.fsum(first_s + min(i, j) for i in range(left) for j in range(left)) / 3_600
    assert pytest.approx(double, rel=1e-12, abs=0.0) == variance_multiplier(first_s, left)


# Simulated means


def simulated_means(
    seed: int, first_s: float, left: int, seen_mean: float, vol: float, paths: int = 200_000
) -> npt.NDArray[np.float64]:
    """Settlement means of exact lognormal paths from a spot of 80 000, drawn without any formula of the law."""
    steps = np.full(left, 1.0)
    steps[0] = first_s
    sds = vol * np.sqrt(steps / YEAR_S)
    dice = np.random.default_rng(seed)
    total, log_price = np.full(paths, (60 - left) * seen_mean), np.zeros(paths)
    for sd in sds:
        log_price += sd * dice.standard_normal(paths) - 0.5 * sd * sd
        total += 80_000.0 * np.exp(log_price)
    return total / 60


@pytest.mark.parametrize(
    ("first_s", "left", "vol"),
    [
        (840.0, 60, 0.35),
        (21_540.0, 60, 3.0),
        (0.4, 60, 0.35),
        (1.0, 59, 0.35),
        (0.25, 30, 0.35),
        (0.7, 10, 1.5),
        (0.05, 2, 0.35),
        (0.6, 1, 0.35),
    ],
)
def test_law_is_that_of_simulated_means(first_s: float, left: int, vol: float) -> None:
    """Before the window, as it begins, inside it, between two prints; at the middle and on either side."""
    seen_mean = 80_003.0
    means = simulated_means(left, first_s, left, seen_mean, vol)
    sd = 80_000.0 * vol * math.sqrt(variance_multiplier(first_s, left) / YEAR_S)
    centre = ((60 - left) * seen_mean + left * 80_000.0) / 60
    thresholds = [centre + away * sd for away in (-2.0, -1.0, -0.3, 0.0, 0.3, 1.0, 2.0)]
    law = law_of(vol=vol, first_s=first_s, left=left, seen_mean=seen_mean)
    for threshold, p in zip(thresholds, probabilities_above(law, thresholds), strict=True):
        assert pytest.approx(np.mean(means > threshold), abs=4 * math.sqrt(p * (1 - p) / means.size)) == p


# The error of the reference price


def convolved(law: SettlementLaw, sd_dollars: float, threshold: float) -> float:
    """P(A + error > threshold) by the trapezoid rule over a normal error, from the law without error."""
    step = 0.004
    points = [-8.0 + step * i for i in range(4_001)]
    density = [math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in points]
    tails = [probability_above(law, threshold - sd_dollars * x) for x in points]
    return step * math.fsum(weight * tail for weight, tail in zip(density, tails, strict=True))


@pytest.mark.parametrize("threshold", [79_990.0, 80_000.0, 80_010.0])
@pytest.mark.parametrize("sd_dollars", [0.5, 5.3, 50.0])
@pytest.mark.parametrize("left", [60, 30, 10, 3])
def test_error_is_convolved_with_the_settlement_mean_once(left: int, sd_dollars: float, threshold: float) -> None:
    exact = law_of(left=left, seen_mean=80_003.0)
    blurred = law_of(left=left, seen_mean=80_003.0, sd_dollars=sd_dollars)
    assert pytest.approx(convolved(exact, sd_dollars, threshold), abs=2e-8) == probability_above(blurred, threshold)


@pytest.mark.parametrize(
    ("p", "threshold"),
    [(0.5, 80_003.0), (0.8413447460685429, 79_997.7), (0.15865525393145707, 80_008.3)],
)
def test_all_prints_seen_leaves_the_error_alone(p: float, threshold: float) -> None:
    law = law_of(left=0, seen_mean=80_003.0, sd_dollars=5.3)
    assert pytest.approx(p, abs=1e-9) == probability_above(law, threshold)


def test_law_is_continuous_as_the_error_takes_over() -> None:
    calm = [law_of(vol=vol, left=1, seen_mean=80_003.0, sd_dollars=5.3) for vol in (0.0, 1e-7, 1e-4, 1e-2)]
    normal = probability_above(calm[0], 80_000.0)
    assert pytest.approx(normal_cdf(2.95 / 5.3), abs=1e-9) == normal
    assert pytest.approx([normal] * 3, abs=1e-6) == [probability_above(law, 80_000.0) for law in calm[1:]]


def test_missed_second_adds_its_own_variance() -> None:
    # Fifty-nine seconds seen and one bridged: σ_$² · ½ of the sum, so σ_$ · √½ / 60 of the mean.
    sd = 80_000.0 * 0.35 / math.sqrt(YEAR_S) * math.sqrt(0.5) / 60
    law = law_of(left=0, seen_mean=80_000.0, bridge_s=0.5)
    assert pytest.approx(0.15865525393145707, abs=1e-9) == probability_above(law, 80_000.0 + sd)


@pytest.mark.parametrize("left", [1, 30, 59])
def test_missed_seconds_are_an_error_of_the_mean(left: int) -> None:
    sd = 80_000.0 * 0.35 / math.sqrt(YEAR_S) * math.sqrt(7.0) / 60
    missed = law_of(left=left, seen_mean=80_000.0, bridge_s=7.0)
    proxy = law_of(left=left, seen_mean=80_000.0, sd_dollars=sd)
    for threshold in (79_999.0, 80_000.0, 80_001.0):
        assert pytest.approx(probability_above(proxy, threshold), abs=1e-12) == probability_above(missed, threshold)


@pytest.mark.parametrize("left", [0, 1, 30, 60])
@pytest.mark.parametrize("threshold", [0.01, 1_000.0, 79_000.0, 81_000.0, 9e9])
def test_nothing_is_decided_while_there_is_an_error(left: int, threshold: float) -> None:
    law = law_of(left=left, seen_mean=80_000.0, sd_dollars=0.01)
    assert DOUBT <= probability_above(law, threshold) <= 1.0 - DOUBT
    for comparison in Comparison:
        contract = contract_of(comparison, threshold, threshold + 100)
        assert DOUBT <= probability(contract, law) <= 1.0 - DOUBT


@pytest.mark.parametrize(("p", "threshold"), [(1.0, 78_600.0), (1.0, 1.0), (0.0, 2_000_000.0)])
def test_threshold_out_of_reach_is_decided_without_error(p: float, threshold: float) -> None:
    assert p == probability_above(law_of(left=1, seen_mean=80_000.0), threshold)


@pytest.mark.parametrize("threshold", [0.011, 0.0299, 1.0, 1e6, 1e12])
def test_strike_at_any_multiple_of_the_spot(threshold: float) -> None:
    law = law_of(spot=0.01, vol=50.0, first_s=7e6)
    expected = normal_cdf(math.log(0.01 / threshold) / law.log_sd - law.log_sd / 2)
    assert pytest.approx(expected, rel=1e-9, abs=0.0) == probability_above(law, threshold)


# Properties

INPUTS = st.builds(
    law_of,
    spot=st.floats(0.01, 1e6),
    vol=st.floats(0.0, 50.0),
    first_s=st.floats(0.0, 1e6),
    left=st.integers(0, 60),
    seen_mean=st.floats(0.01, 1e6),
    sd_dollars=st.one_of(st.just(0.0), st.floats(0.0, 1e6)),
    bridge_s=st.one_of(st.just(0.0), st.floats(0.0, 1e5)),
)
STRIKES = st.integers(1, 10**14)


@given(INPUTS, st.floats(0.01, 1e12), st.floats(0.01, 1e12))
def test_probability_falls_as_the_strike_rises(law: SettlementLaw, one: float, other: float) -> None:
    low, high = probability_above(law, min(one, other)), probability_above(law, max(one, other))
    assert 0.0 <= high <= low <= 1.0


@given(INPUTS, st.floats(-50.0, 50.0), st.floats(0.0, 10.0))
def test_probability_falls_as_a_near_strike_rises(law: SettlementLaw, away: float, step: float) -> None:
    sd = law.sd or law.width * law.log_sd
    low = probability_above(law, law.known + law.median + away * sd)
    high = probability_above(law, law.known + law.median + (away + step) * sd)
    assert 0.0 <= high <= low + 1e-15


@given(INPUTS, STRIKES, STRIKES, st.sampled_from([None, 0, 2, 4]))
def test_range_is_the_difference_of_thresholds(law: SettlementLaw, one: int, other: int, digits: int | None) -> None:
    floor, cap = min(one, other) / E8, max(one, other) / E8
    within = probability(contract_of(Comparison.BETWEEN, floor, cap, digits), law)
    at_floor = probability(contract_of(Comparison.AT_LEAST, floor, digits=digits), law)
    above_cap = probability(contract_of(Comparison.ABOVE, cap, digits=digits), law)
    assert pytest.approx(at_floor - above_cap, abs=2e-12) == within


@given(INPUTS, STRIKES, st.sampled_from([None, 0, 2, 4]))
def test_below_is_the_complement_of_at_least(law: SettlementLaw, strike: int, digits: int | None) -> None:
    below = probability(contract_of(Comparison.BELOW, None, strike / E8, digits), law)
    at_least = probability(contract_of(Comparison.AT_LEAST, strike / E8, digits=digits), law)
    assert pytest.approx(1.0, abs=2e-12) == below + at_least


# Contracts


@pytest.mark.parametrize(
    ("low", "high", "contract"),
    [
        (80_000.0, None, contract_of(Comparison.ABOVE, 80_000.0)),
        (80_000.005, None, contract_of(Comparison.ABOVE, 80_000.0, digits=2)),
        (80_000.005, None, contract_of(Comparison.ABOVE, 80_000.004, digits=2)),
        (80_000.0, None, contract_of(Comparison.AT_LEAST, 80_000.0)),
        (79_999.995, None, contract_of(Comparison.AT_LEAST, 80_000.0, digits=2)),
        (79_999.5, None, contract_of(Comparison.AT_LEAST, 79_999.01, digits=0)),
        (79_999.99999995, None, contract_of(Comparison.AT_LEAST, 80_000.0, digits=7)),
        (None, 80_000.0, contract_of(Comparison.BELOW, None, 80_000.0)),
        (None, 79_999.995, contract_of(Comparison.BELOW, None, 80_000.0, digits=2)),
        (80_000.0, 80_099.99, contract_of(Comparison.BETWEEN, 80_000.0, 80_099.99)),
        (79_999.995, 80_099.995, contract_of(Comparison.BETWEEN, 80_000.0, 80_099.99, digits=2)),
    ],
)
def test_payoff_interval(low: float | None, high: float | None, contract: Contract) -> None:
    assert payoff_interval(contract) == PayoffInterval(low=low, high=high)


@given(
    st.sampled_from(list(Comparison)),
    st.integers(-200, 200),
    st.integers(0, 200),
    st.sampled_from([None, 0, 1, 2]),
    st.integers(-12_000, 12_000),
)
def test_known_mean_is_priced_as_it_settles(
    comparison: Comparison, strike_cents: int, width_cents: int, digits: int | None, excess_cents: int
) -> None:
    floor = 80_000 + strike_cents / 100
    contract = contract_of(comparison, floor, floor + width_cents / 100, digits)
    total_e8 = 60 * 80_000 * E8 + excess_cents * E8 // 100
    law = settlement_law(SettlementInputs(spot=80_000.0, vol_annual=0.35, first_s=0.0, left=0, seen_sum=total_e8 / E8))
    prints = [total_e8 // 60] * 59 + [total_e8 - total_e8 // 60 * 59]
    assert settle(contract, prints) == 10_000 * probability(contract, law)


def test_open_interval_is_certain() -> None:
    assert probability_within(law_of(), PayoffInterval(low=None, high=None)) == 1.0


def test_market_without_its_strike_cannot_be_priced() -> None:
    with pytest.raises(AssertionError):
        probability(contract_of(Comparison.AT_LEAST, None), law_of())


# Seconds we missed


@pytest.mark.parametrize(
    ("expected", "prints", "seconds"),
    [
        (SeenPrints(seen_sum=60.0, bridge_s=0.0, missed=0), {1: 10, 2: 20, 3: 30}, range(1, 4)),
        (SeenPrints(seen_sum=60.0, bridge_s=0.5, missed=1), {1: 10, 3: 30}, range(1, 4)),
        (SeenPrints(seen_sum=100.0, bridge_s=2.0, missed=2), {1: 10, 4: 40}, range(1, 5)),
        (SeenPrints(seen_sum=55.0, bridge_s=1.0, missed=1), {2: 20, 3: 15}, range(1, 4)),
        (SeenPrints(seen_sum=60.0, bridge_s=0.5, missed=1), {0: 30, 2: 10, 3: 30}, range(1, 4)),
        (SeenPrints(seen_sum=20.0, bridge_s=5.0, missed=2), {1: 10}, range(2, 4)),
        (SeenPrints(seen_sum=0.0, bridge_s=0.0, missed=0), {}, range(5, 5)),
        (None, {1: 10, 9: 10}, range(3, 7)),
    ],
)
def test_seen_prints(expected: SeenPrints | None, prints: dict[int, int], seconds: range) -> None:
    assert expected == seen_prints({second: value * E8 for second, value in prints.items()}, seconds)


@pytest.mark.parametrize("length", range(1, 12))
def test_bridge_is_the_variance_of_a_summed_brownian_bridge(length: int) -> None:
    span = length + 1
    exact = sum(min(i, j) - i * j / span for i in range(1, span) for j in range(1, span))
    seen = seen_prints({0: E8, span: E8}, range(1, span))
    assert seen is not None
    assert pytest.approx(exact) == seen.bridge_s


# Bad inputs


@pytest.mark.parametrize(
    "change",
    [
        {"spot": 0.0},
        {"spot": -1.0},
        {"spot": math.nan},
        {"spot": math.inf},
        {"spot": 8e12},
        {"vol_annual": -0.1},
        {"vol_annual": 65.0},
        {"vol_annual": math.nan},
        {"first_s": -0.001},
        {"first_s": math.nan},
        {"first_s": 1e9},
        {"left": -1},
        {"left": 61},
        {"left": 0},
        {"seen_sum": 80_000.0},
        {"seen_sum": -1.0},
        {"seen_sum": math.nan},
        {"sd_dollars": -5.3},
        {"sd_dollars": math.nan},
        {"bridge_s": -1.0},
        {"bridge_s": math.inf},
    ],
)
def test_input_outside_its_domain_is_refused(change: dict[str, float]) -> None:
    sound = SettlementInputs(spot=80_000.0, vol_annual=0.35, first_s=1.0, left=60)
    with pytest.raises(ArithmeticRefusal, match="cannot be priced"):
        msgspec.structs.replace(sound, **change)


@given(INPUTS, st.lists(st.floats(-1e6, 1e12), max_size=30))
def test_many_thresholds_are_each_its_own(law: SettlementLaw, thresholds: list[float]) -> None:
    each = [probability_above(law, threshold) for threshold in thresholds]
    assert each == probabilities_above(law, thresholds)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_threshold_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="threshold"):
        probability_above(law_of(), bad)


@pytest.mark.parametrize("away", [-2.0, -0.5, 0.0, 0.5, 2.0])
@pytest.mark.parametrize(("left", "sd_dollars"), [(60, 0.0), (30, 0.0), (1, 0.0), (30, 5.3), (10, 500.0)])
def test_slope_is_that_of_the_probability(left: int, sd_dollars: float, away: float) -> None:
    law = law_of(left=left, seen_mean=80_003.0, sd_dollars=sd_dollars)
    threshold = law.known + law.median + away * (law.sd or law.width * law.log_sd)
    step = 1e-3
    up, down = (law_of(80_000.0 + move, left=left, seen_mean=80_003.0, sd_dollars=sd_dollars) for move in (step, -step))
    slope = (probability_above(up, threshold) - probability_above(down, threshold)) / (2 * step)
    assert pytest.approx(slope, rel=1e-3) == slope_above(law, threshold)


def test_slope_inside_the_window_against_figures_computed_elsewhere(vectors: Vectors) -> None:
    for case in vectors.average_inside_window:
        law = law_of(case.spot, case.vol, case.first_s, case.left, case.seen_mean)
        if 1e-3 < case.p < 0.999:
            assert pytest.approx(case.slope, rel=2e-3) == slope_above(law, case.strike)


def test_nothing_left_to_happen_has_no_slope() -> None:
    assert slope_above(law_of(left=0, seen_mean=80_003.0), 80_003.0) == 0.0
    assert slope_above(law_of(left=1, seen_mean=80_000.0), 1.0) == 0.0
