"""The variance clock: its integral, what it learns from paths whose clock is known, the settlement law by it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.chance import Dice
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.diurnal import HOURS, MINUTES, WEEK_S, ClockEstimator, Params, VarianceClock
from fairstrike.pricing.settlement import SettlementInputs, settlement_law
from fairstrike.pricing.updown import UpDownInputs, probability_up

SECOND_NS = 10**9
BURST = [4.0 if minute == 0 else 1.0 for minute in range(MINUTES)]
LOUD = [2.0 if hour % 24 == 14 else 1.0 for hour in range(HOURS)]
WEEK_NS = WEEK_S * SECOND_NS


def test_even_clock_is_time_itself() -> None:
    clock = VarianceClock()
    assert clock.factor(123 * SECOND_NS) == 1.0
    assert pytest.approx(1_234.5) == clock.seconds(10**18, 10**18 + 1_234_500_000_000)


def test_burst_at_the_top_of_the_hour() -> None:
    clock = VarianceClock(BURST)
    mean = 63 / 60
    assert pytest.approx(4.0 / mean) == clock.factor(30 * SECOND_NS)
    assert pytest.approx(1.0 / mean) == clock.factor(90 * SECOND_NS)
    # From half past the first minute to half past the second.
    assert pytest.approx((30 * 4 + 30) / mean) == clock.seconds(30 * SECOND_NS, 90 * SECOND_NS)
    assert pytest.approx(3_600.0) == clock.seconds(17 * SECOND_NS, 3_617 * SECOND_NS)


@given(st.integers(0, 2 * WEEK_NS), st.integers(0, 2 * WEEK_NS), st.integers(0, 2 * WEEK_NS))
def test_stretches_add_up(one: int, two: int, three: int) -> None:
    clock = VarianceClock(BURST, LOUD)
    start, middle, end = sorted((one, two, three))
    whole = clock.seconds(start, end)
    assert whole >= 0.0
    assert pytest.approx(whole, abs=1e-6) == clock.seconds(start, middle) + clock.seconds(middle, end)
    assert pytest.approx(float(WEEK_S), rel=1e-12) == clock.seconds(start, start + WEEK_NS)


def learned(weeks: int) -> VarianceClock:
    """What an estimator learns of a path by the minute, with the clock of BURST and LOUD."""
    truth, estimator, dice = VarianceClock(BURST, LOUD), ClockEstimator(Params(half_life_weeks=10.0)), Dice(3, 1)
    for minute in range(weeks * WEEK_S // 60):
        factor = truth.factor((minute * 60 + 30) * SECOND_NS)
        estimator.update(minute * 60 + 60, 60, 1e-4 * math.sqrt(60 * factor) * dice.normal())
    return estimator.clock()


def test_known_clock_is_learned() -> None:
    clock, truth = learned(8), VarianceClock(BURST, LOUD)
    assert pytest.approx(truth.minutes[0], rel=0.1) == clock.minutes[0]
    assert all(pytest.approx(truth.minutes[minute], rel=0.1) == clock.minutes[minute] for minute in range(1, MINUTES))
    loud = [clock.hours[hour] for hour in range(14, HOURS, 24)]
    assert pytest.approx(truth.hours[14], rel=0.15) == sum(loud) / len(loud)


def test_one_day_says_little() -> None:
    estimator, dice = ClockEstimator(Params()), Dice(5, 1)
    for second in range(60, 86_400, 60):
        estimator.update(second, 60, 1e-4 * dice.normal())
    assert all(0.3 < factor < 3.0 for factor in estimator.clock().minutes)
    assert all(0.5 < factor < 2.0 for factor in estimator.clock().hours)


def test_without_returns_it_runs_evenly() -> None:
    assert ClockEstimator(Params()).clock().minutes == (1.0,) * MINUTES
    estimator = ClockEstimator(Params())
    estimator.update(1_000, 1, 0.0)
    estimator.update(2_000, 61, 5.0)
    assert estimator.clock().hours == (1.0,) * HOURS


def test_old_habits_fade() -> None:
    estimator = ClockEstimator(Params(half_life_weeks=1.0, belief_minute=1e-6, belief_hour=1e-6))
    for week in range(12):
        for minute in range(MINUTES):
            size = 3e-4 if (minute == 0) == (week < 6) else 1e-4
            estimator.update(week * WEEK_S + minute * 60 + 60, 60, size)
    clock = estimator.clock()
    assert clock.minutes[0] < 0.2 * clock.minutes[30]


def test_settlement_by_the_clock() -> None:
    # Ten minutes to a close on the hour: the burst of the next hour does not count, nor does this one's.
    close_ns = 7_200 * SECOND_NS
    inputs = SettlementInputs(spot=80_000.0, vol_annual=0.5, first_s=540.0, left=60)
    clock = VarianceClock(BURST)
    applied = clock.applied(inputs, close_ns - 600 * SECOND_NS, close_ns)
    quiet = settlement_law(applied).log_sd
    assert pytest.approx(settlement_law(inputs).log_sd * math.sqrt(60 / 63), rel=1e-9) == quiet
    # From a minute before the hour it does.
    over = SettlementInputs(spot=80_000.0, vol_annual=0.5, first_s=900.0, left=60)
    start_ns = 3_600 * SECOND_NS - 60 * SECOND_NS
    loud = clock.applied(over, start_ns, start_ns + 960 * SECOND_NS)
    assert pytest.approx((900 + 180) * 60 / 63, rel=1e-9) == loud.first_s * (loud.vol_annual / 0.5) ** 2


@pytest.mark.parametrize("minutes", [[1.0] * 59, [0.0] * 60, [-1.0] + [2.0] * 59, [math.nan] * 60, [1e3] + [1.0] * 59])
def test_bad_factors_are_refused(minutes: list[float]) -> None:
    with pytest.raises(ArithmeticRefusal, match="factor"):
        VarianceClock(minutes)


@pytest.mark.parametrize(("dt", "log_return"), [(0, 0.1), (-1, 0.1), (1, math.nan), (1, math.inf)])
def test_return_that_says_nothing_is_refused(dt: int, log_return: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="says nothing"):
        ClockEstimator(Params()).update(1_000, dt, log_return)


def test_before_an_open_both_windows_run_by_the_clock() -> None:
    """A quarter of an hour across the top of the hour: a second of it counts for four, in the other minutes for one."""
    clock, mean = VarianceClock(BURST), 63 / 60
    open_ns = 10**5 * 3_600 * SECOND_NS
    inputs = UpDownInputs(spot=80_000.0, vol_annual=0.5, first_s=100.0, left=60, settles_s=1_000.0)
    applied = clock.applied_before_open(inputs, open_ns - 160 * SECOND_NS, open_ns + 900 * SECOND_NS)
    assert pytest.approx(0.5 / math.sqrt(mean)) == applied.vol_annual
    assert pytest.approx(100.0) == applied.first_s
    assert pytest.approx(1_000.0 + 3 * 60.0) == applied.settles_s
    even = VarianceClock().applied_before_open(inputs, open_ns, open_ns + 900 * SECOND_NS)
    assert even == inputs


@given(st.integers(0, WEEK_NS), st.floats(0.0, 1e6), st.integers(0, 60), st.floats(0.0, 50.0))
def test_before_an_open_any_clock_gives_inputs_that_can_be_priced(
    now_ns: int, first_s: float, left: int, vol: float
) -> None:
    wild = VarianceClock([10.0 if minute % 15 == 14 else 1e-3 for minute in range(MINUTES)], LOUD)
    settles_s = first_s + left + 840.0
    seen_sum = (60 - left) * 80_000.0
    inputs = UpDownInputs(
        spot=80_000.0, vol_annual=vol, first_s=first_s, left=left, settles_s=settles_s, seen_sum=seen_sum
    )
    applied = wild.applied_before_open(inputs, now_ns, now_ns + round((settles_s + 60) * SECOND_NS))
    assert 0.0 <= probability_up(applied) <= 1.0
