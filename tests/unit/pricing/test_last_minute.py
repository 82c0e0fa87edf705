"""The volatility of the last minute: found on simulated paths, less where prints are smoothed, absent when unknown."""

import math

import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.last_minute import Params, brownian_seconds, last_minute_vol
from fairstrike.pricing.settlement import SettlementInputs, settlement_law
from tests.unit.pricing.paths import YEAR_S, prints_of, returns_of, smoothed

START = 1_800_000_000
LONG = Params(window_s=40_000)


@pytest.mark.parametrize("left", [1, 5, 20, 60])
def test_plain_path_has_one_volatility(left: int) -> None:
    prints = prints_of(returns_of(seed=3, count=40_000), START)
    assert pytest.approx(0.5, rel=0.06) == last_minute_vol(prints, max(prints), left, LONG)


def test_smoothed_path_moves_less_the_nearer_the_end() -> None:
    prints = prints_of(smoothed(returns_of(seed=5, count=40_000), 0.5), START)
    short, long = (last_minute_vol(prints, max(prints), left, LONG) or 0.0 for left in (1, 60))
    assert pytest.approx(0.5 / math.sqrt(3), rel=0.06) == short
    assert pytest.approx(0.5, rel=0.12) == long


@pytest.mark.parametrize("left", [1, 10, 60])
def test_seconds_are_those_of_the_settlement_law(left: int) -> None:
    seen_sum = (60 - left) * 80_000.0
    inputs = SettlementInputs(spot=80_000.0, vol_annual=0.5, first_s=1.0, left=left, seen_sum=seen_sum)
    sd = 0.5 * math.sqrt(brownian_seconds(left) / YEAR_S)
    assert pytest.approx(sd, rel=1e-6) == settlement_law(inputs).log_sd


def test_holes_break_stretches_and_too_few_say_nothing() -> None:
    prints = prints_of(returns_of(seed=7, count=1_800), START)
    full = last_minute_vol(prints, max(prints), 30, Params())
    assert full is not None
    holed = {second: value for second, value in prints.items() if (second - START) % 40}
    assert last_minute_vol(holed, max(prints), 30, Params(stretches_min=5)) is not None
    assert last_minute_vol(holed, max(prints), 45, Params(stretches_min=1)) is None
    assert last_minute_vol({}, START, 1, Params()) is None
    assert last_minute_vol(prints, START + 19, 1, Params()) is None


def test_only_the_window_is_looked_at() -> None:
    prints = dict.fromkeys(range(START, START + 1_000), 80_000 * 10**8)
    prints[START] = 1
    assert last_minute_vol(prints, START + 999, 1, Params(window_s=999)) == 0.0


@pytest.mark.parametrize("left", [0, 61, -1])
def test_number_of_prints_outside_the_window_is_refused(left: int) -> None:
    with pytest.raises(ArithmeticRefusal, match="prints"):
        last_minute_vol({}, START, left, Params())
