"""Regimes: simulated paths of each kind, levels, refusals; the same print by print."""

import math
from itertools import pairwise

import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.regime import Regime, VolLevel
from fairstrike.pricing.regimes import Params, RegimeMeter, judged, level_of
from tests.unit.pricing.paths import E8, prints_of, returns_of

SD = 0.5 / math.sqrt(31_536_000)


def regime_of(returns: list[float], before: Regime | None = None) -> Regime | None:
    found = judged(returns, Params(), before)
    return None if found is None else found.regime


def test_paths_without_direction_are_calm() -> None:
    found = [regime_of(returns_of(seed=seed, count=1_800)) for seed in range(40)]
    assert found.count(Regime.SPIKY) == 0
    # Two standard deviations either way are left by one path in twenty.
    assert found.count(Regime.TRENDING) <= 6


def test_drift_is_trending() -> None:
    drift = 4.0 * SD / math.sqrt(1_800)
    found = [regime_of([r + drift for r in returns_of(seed, 1_800)]) for seed in range(20)]
    assert found.count(Regime.TRENDING) >= 18


def test_one_jump_is_spiky_even_in_a_trend() -> None:
    returns = [r + 4.0 * SD / math.sqrt(1_800) for r in returns_of(3, 1_800)]
    returns[900] -= 12.0 * SD
    assert regime_of(returns) is Regime.SPIKY


def test_many_small_jumps_are_spiky() -> None:
    returns = returns_of(5, 1_800)
    for at in range(0, 1_800, 30):
        returns[at] += 7.9 * SD * (-1) ** (at // 30)
    assert regime_of(returns) is Regime.SPIKY


def test_stillness_is_calm_and_little_is_unknown() -> None:
    assert regime_of([0.0] * 120) is Regime.CALM
    assert regime_of([0.0] * 119) is None
    assert regime_of([0.0] * 119 + [1e-2]) is Regime.SPIKY


def test_what_is_quieter_than_any_market_holds_no_jump() -> None:
    """Eight standard deviations of 5 seconds at a volatility of 10 % are 3.2 hundredths of a percent."""
    for still in ([0.0] * 200, [1e-9, -1e-9] * 100):
        assert regime_of([*still, 3.1e-4]) is Regime.CALM
        assert regime_of([*still, 3.3e-4]) is Regime.SPIKY


def test_a_regime_ends_below_three_quarters_of_its_bound() -> None:
    jumps = returns_of(5, 1_800)
    for at in range(0, 1_800, 30):
        jumps[at] += 6.0 * SD * (-1) ** (at // 30)
    plain = returns_of(3, 1_800)
    trend = [r + (1.75 * SD * math.sqrt(1_800) - sum(plain)) / 1_800 for r in plain]
    for returns, regime in ((jumps, Regime.SPIKY), (trend, Regime.TRENDING)):
        assert regime_of(returns, regime) is regime
        for before in {None, *Regime} - {regime}:
            assert regime_of(returns, before) is Regime.CALM


@pytest.mark.parametrize(
    ("level", "vol"), [(VolLevel.LOW, 0.29), (VolLevel.MEDIUM, 0.31), (VolLevel.MEDIUM, 0.59), (VolLevel.HIGH, 0.61)]
)
def test_level(level: VolLevel, vol: float) -> None:
    assert level is level_of(vol, 0.4, Params())


def test_bad_numbers_are_refused() -> None:
    for one in (math.nan, math.inf, 1e200):
        with pytest.raises(ArithmeticRefusal, match="return"):
            regime_of([one] * 200)
    for vol, usual in ((0.0, 0.4), (0.4, math.nan), (-1.0, 0.4)):
        with pytest.raises(ArithmeticRefusal, match="volatilities"):
            level_of(vol, usual, Params())


# Print by print

START = 1_800_000_000
SHORT = Params(returns_min=20, window_s=600)


def metered(prints: dict[int, int], params: Params = SHORT, vol_usual: float | None = 0.5) -> RegimeMeter:
    meter = RegimeMeter(params, vol_usual)
    for second, value_e8 in prints.items():
        meter.update(second, value_e8)
    return meter


@pytest.mark.parametrize("drift", [0.0, 3.0 * SD / math.sqrt(600)])
@pytest.mark.parametrize("seed", range(5))
def test_a_meter_knows_what_its_returns_show(seed: int, drift: float) -> None:
    returns = [r + drift for r in returns_of(seed, 600)]
    prints = prints_of(returns, START)
    steps = [math.log(prints[START + at + 5] / prints[START + at]) for at in range(0, 600, 5)]
    found = judged(steps, SHORT)
    assert found is not None
    assert found.regime is metered(prints).regime


def test_too_few_prints_show_no_regime() -> None:
    prints = prints_of(returns_of(3, 105), START)
    assert metered({second: prints[second] for second in range(START, START + 100)}).regime is None
    assert metered({second: prints[second] for second in range(START, START + 101)}).regime is Regime.CALM


def test_a_jump_is_spiky_at_once_and_as_long_as_it_is_remembered() -> None:
    returns = returns_of(3, 1_400)
    returns[402] += 40.0 * SD
    returns[404] -= 40.0 * SD
    meter, prints = RegimeMeter(SHORT), prints_of(returns, START)
    found = {}
    for second, value_e8 in prints.items():
        meter.update(second, value_e8)
        found[second - START] = meter.regime
    # The print of second 403 is that of return 402; two seconds later the price is back.
    assert Regime.SPIKY not in [found[second] for second in range(403)]
    assert {found[second] for second in range(403, 1_000)} == {Regime.SPIKY}
    assert found[1_005] is not Regime.SPIKY


def test_a_long_return_is_left_out_and_a_long_hole_forgets() -> None:
    prints = prints_of(returns_of(3, 2_000), START)
    holed = {second: value for second, value in prints.items() if second <= START + 300 or second > START + 400}
    assert metered(holed).regime is Regime.CALM
    gone = {second: value for second, value in prints.items() if second <= START + 300 or second > START + 1_950}
    assert metered(gone).regime is None


@pytest.mark.parametrize(
    ("silence_s", "times", "expected"), [(1_650, 4.0, None), (1_650, 30.0, Regime.SPIKY), (3_600, 30.0, None)]
)
def test_a_jump_soon_after_a_long_silence_is_spiky(silence_s: int, times: float, expected: Regime | None) -> None:
    meter, before = RegimeMeter(SHORT), prints_of(returns_of(3, 300), START)
    after = prints_of(returns_of(4, 60), START + 300 + silence_s)
    for second, value_e8 in (before | after).items():
        meter.update(second, value_e8)
    assert meter.regime is None
    last = max(after)
    meter.update(last + 1, round(after[last] * math.exp(times * SD)))
    assert meter.regime is expected
    meter.update(last + 6, round(after[last] * math.exp(times * SD)))
    assert meter.regime is expected


def test_a_hole_is_no_spike_for_being_long() -> None:
    """Over a hundred seconds a price moves as far as the square root of that says."""
    prints = prints_of(returns_of(3, 300), START)
    last = max(prints)
    for times, expected in ((5.0, False), (9.0, True)):
        prints[last + 100] = round(prints[last] * math.exp(times * SD * math.sqrt(100.0)))
        assert (metered(prints).regime is Regime.SPIKY) is expected


def test_a_cent_after_stillness_is_no_jump() -> None:
    prints = dict.fromkeys(range(START, START + 1_200), 80_000 * E8)
    meter = metered(prints, Params())
    assert meter.regime is Regime.CALM
    for second in range(START + 1_200, START + 1_260):
        meter.update(second, 80_000 * E8 + E8 // 100)
        assert meter.regime is Regime.CALM


@pytest.mark.parametrize(("times", "expected"), [(3.0, Regime.CALM), (9.0, Regime.SPIKY)])
def test_what_comes_after_stillness_is_that_of_all_its_time(times: float, expected: Regime) -> None:
    """An index that stood still for 300 seconds and then is where it would have come to anyhow."""
    prints = prints_of(returns_of(3, 900), START)
    stood = START + 900
    move = math.exp(times * SD * math.sqrt(300.0))
    after = prints_of(returns_of(4, 120), stood + 300, spot=prints[stood] / E8 * move)
    meter = metered(prints | dict.fromkeys(range(stood + 1, stood + 300), prints[stood]), Params())
    for second, value_e8 in after.items():
        meter.update(second, value_e8)
        assert meter.regime is expected


@pytest.mark.parametrize("apart", [7, 10, 15])
def test_rare_prints_show_a_regime_from_the_returns_there_are(apart: int) -> None:
    returns = returns_of(3, 3_600)
    trend = [r + 4.0 * SD / math.sqrt(1_800) for r in returns]
    spike = [r + 30.0 * SD * (at == 3_000) for at, r in enumerate(returns)]
    for one, regime in ((returns, Regime.CALM), (trend, Regime.TRENDING), (spike, Regime.SPIKY)):
        rare = {second: value for second, value in prints_of(one, START).items() if (second - START) % apart == 0}
        meter = metered(rare, Params())
        assert (meter.regime, meter.level) == (regime, VolLevel.MEDIUM)
        assert metered(dict(list(rare.items())[:120]), Params()).regime is None


def test_a_trend_near_its_bound_does_not_come_and_go() -> None:
    """A hundred minutes of a drift that half an hour brings to the bound."""

    def changes(prints: dict[int, int], params: Params) -> int:
        meter, found = RegimeMeter(params), []
        for second, value_e8 in prints.items():
            meter.update(second, value_e8)
            found.append(meter.regime)
        return sum(one is not other for one, other in pairwise(found[360:]))

    paths = [[r + 2.0 * SD / math.sqrt(1_800) for r in returns_of(seed, 7_800)] for seed in range(4)]
    rare = [{second: value for second, value in prints_of(one, 0).items() if second % 5 == 0} for one in paths]
    kept, plain = ([changes(prints, Params(leave_share=share)) for prints in rare] for share in (0.75, 1.0))
    assert sum(kept) < sum(plain) / 3
    assert max(kept) <= 12


@pytest.mark.parametrize(("level", "usual"), [(VolLevel.HIGH, 0.3), (VolLevel.MEDIUM, 0.5), (VolLevel.LOW, 0.75)])
def test_level_of_half_an_hour(level: VolLevel, usual: float) -> None:
    assert level is metered(prints_of(returns_of(3, 1_800), START), Params(), usual).level


def test_no_level_without_moves_or_a_usual_volatility() -> None:
    still = metered(dict.fromkeys(range(START, START + 600), 80_000 * E8))
    assert (still.regime, still.level) == (Regime.CALM, None)
    assert metered(prints_of(returns_of(3, 600), START), vol_usual=None).level is None


def test_earlier_prints_are_ignored_and_broken_ones_refused() -> None:
    meter = metered(prints_of(returns_of(3, 600), START))
    before = (meter.regime, meter.level)
    meter.update(START + 10, 1)
    assert (meter.regime, meter.level) == before
    for value_e8 in (0, -1):
        with pytest.raises(ArithmeticRefusal, match="not positive"):
            meter.update(START + 700, value_e8)
