"""Regimes: simulated paths of each kind, levels, effects, refusals."""

import math

import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.regimes import Effect, Level, Params, Regime, effect_of, level_of, regime_of
from tests.unit.pricing.paths import returns_of

SD = 0.5 / math.sqrt(31_536_000)


def test_paths_without_direction_are_calm() -> None:
    found = [regime_of(returns_of(seed=seed, count=1_800), Params()) for seed in range(40)]
    assert found.count(Regime.SPIKY) == 0
    # Two standard deviations either way are left by one path in twenty.
    assert found.count(Regime.TRENDING) <= 6


def test_drift_is_trending() -> None:
    drift = 4.0 * SD / math.sqrt(1_800)
    found = [regime_of([r + drift for r in returns_of(seed, 1_800)], Params()) for seed in range(20)]
    assert found.count(Regime.TRENDING) >= 18


def test_one_jump_is_spiky_even_in_a_trend() -> None:
    returns = [r + 4.0 * SD / math.sqrt(1_800) for r in returns_of(3, 1_800)]
    returns[900] -= 12.0 * SD
    assert regime_of(returns, Params()) is Regime.SPIKY


def test_many_small_jumps_are_spiky() -> None:
    returns = returns_of(5, 1_800)
    for at in range(0, 1_800, 30):
        returns[at] += 7.9 * SD * (-1) ** (at // 30)
    assert regime_of(returns, Params()) is Regime.SPIKY


def test_stillness_is_calm_and_little_is_unknown() -> None:
    assert regime_of([0.0] * 120, Params()) is Regime.CALM
    assert regime_of([0.0] * 119, Params()) is None
    assert regime_of([0.0] * 119 + [1e-4], Params()) is Regime.SPIKY


@pytest.mark.parametrize(
    ("level", "vol"), [(Level.LOW, 0.29), (Level.MEDIUM, 0.31), (Level.MEDIUM, 0.59), (Level.HIGH, 0.61)]
)
def test_level(level: Level, vol: float) -> None:
    assert level is level_of(vol, 0.4, Params())


def test_effects() -> None:
    assert effect_of(Regime.CALM, Params()) == Effect(size=1.0, least_edge=1.0, half_spread=1.0)
    assert effect_of(Regime.TRENDING, Params()) == Effect(size=0.7, least_edge=1.25, half_spread=1.25)
    assert effect_of(Regime.SPIKY, Params()).size == 0.0
    assert effect_of(Regime.SPIKY, Params(effects={})) == Effect()


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ArithmeticRefusal, match="return"):
        regime_of([math.nan] * 200, Params())
    for vol, usual in ((0.0, 0.4), (0.4, math.nan), (-1.0, 0.4)):
        with pytest.raises(ArithmeticRefusal, match="volatilities"):
            level_of(vol, usual, Params())
