"""The generated index: how much it moves at which hour, how it jumps, and that it is drawn once."""

import math
from itertools import pairwise

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.weather import STEP_NS, Weather, WeatherParams, hour_factor, vol_at
from fairstrike.pricing.digital import SECONDS_PER_YEAR

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
CALM = WeatherParams(jumps_per_hour=0.0, jump_variance_share=0.0)


def moves(weather: Weather, first_s: int, count: int, step_s: int = 1) -> list[float]:
    """The logarithmic returns over `step_s` seconds from second `first_s` on."""
    values = [weather.value_at((first_s + step_s * number) * SECOND_NS) for number in range(count + 1)]
    return [math.log(after / before) for before, after in pairwise(values)]


def annual(returns: list[float], step_s: int = 1) -> float:
    variance = sum(move * move for move in returns) / len(returns)
    return math.sqrt(variance * SECONDS_PER_YEAR / step_s)


def test_the_day_has_its_measured_shape_and_mean() -> None:
    assert hour_factor(HOUR_S // 2) == pytest.approx(0.89)
    assert hour_factor(14 * HOUR_S + HOUR_S // 2) == pytest.approx(1.22)
    assert hour_factor(15 * HOUR_S) == pytest.approx((1.22 + 1.16) / 2)
    assert hour_factor(DAY_S) == pytest.approx((0.88 + 0.89) / 2) == pytest.approx(hour_factor(0))
    assert sum(hour_factor(second) for second in range(0, DAY_S, 60)) / 1_440 == pytest.approx(0.92, abs=0.01)
    assert vol_at(WeatherParams(vol_annual=0.5), 6 * HOUR_S + HOUR_S // 2) == pytest.approx(0.5 * 0.65)


@pytest.mark.parametrize("hour", [6, 14, 20])
def test_an_hour_moves_as_much_as_its_volatility_says(hour: int) -> None:
    """Of 3,600 moves a volatility is known to 1.2 %; four times that is allowed."""
    first_s = hour * HOUR_S
    found = annual(moves(Weather(Dice(7, hour), CALM, first_s), first_s, HOUR_S))
    assert found == pytest.approx(vol_at(CALM, first_s + HOUR_S // 2), rel=0.05)


def test_jumps_are_rare_and_hold_their_share_of_the_variance() -> None:
    params = WeatherParams(jumps_per_hour=60.0, jump_variance_share=0.5)
    first_s, count = 9 * HOUR_S, 4 * HOUR_S
    returns = moves(Weather(Dice(11, 1), params, first_s), first_s, count)
    diffusion = params.vol_annual / math.sqrt(2.0 * SECONDS_PER_YEAR)
    large = [move for move in returns if abs(move) > 5.0 * diffusion * hour_factor(first_s + 2 * HOUR_S)]
    assert 100 <= len(large) <= 240
    assert 0.3 <= sum(move * move for move in large) / sum(move * move for move in returns) <= 0.6
    assert annual(returns) == pytest.approx(vol_at(params, first_s + 2 * HOUR_S), rel=0.2)


def test_without_jumps_no_move_is_beyond_a_normal_one() -> None:
    first_s = 9 * HOUR_S
    returns = moves(Weather(Dice(3, 1), CALM, first_s), first_s, HOUR_S)
    sd = math.sqrt(sum(move * move for move in returns) / len(returns))
    assert 3.0 * sd < max(map(abs, returns)) < 5.5 * sd


def test_the_path_is_drawn_once_whatever_is_asked_in_which_order() -> None:
    asked, again = (Weather(Dice(5, 1), WeatherParams(), 100) for _ in range(2))
    far = asked.value_at(160 * SECOND_NS)
    steps = [asked.value_at(100 * SECOND_NS + number * STEP_NS) for number in range(601)]
    assert steps == [again.value_at(100 * SECOND_NS + number * STEP_NS) for number in range(601)]
    assert steps[-1] == far
    assert len(set(steps)) > 590
    assert steps != [Weather(Dice(6, 1), WeatherParams(), 100).value_at(100 * SECOND_NS)] * 601


def test_a_print_is_where_the_path_stands_to_the_cent() -> None:
    weather = Weather(Dice(5, 1), WeatherParams(), 100)
    for second in (100, 101, 150):
        value_e8 = weather.print_e8(second)
        assert value_e8 % 10**6 == 0
        assert value_e8 / 10**8 == pytest.approx(weather.value_at(second * SECOND_NS), abs=0.005)


def test_it_starts_near_its_level_and_keeps_two_hours() -> None:
    params = WeatherParams(level_dollars=1_000, level_spread_dollars=10)
    starts = [Weather(Dice(seed, 1), params, 0).value_at(0) for seed in range(40)]
    assert 990 <= min(starts) < 995
    assert 1_005 < max(starts) <= 1_010
    weather = Weather(Dice(1, 1), params, 0)
    weather.value_at(5 * HOUR_S * SECOND_NS)
    assert weather.value_at(3 * HOUR_S * SECOND_NS) > 0
    with pytest.raises(AssertionError, match="keeps two hours"):
        weather.value_at(0)
