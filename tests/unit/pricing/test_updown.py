"""Up or down before the strike is known: figures computed elsewhere, the double sum, limits, refusals."""

import math
from pathlib import Path
from statistics import NormalDist

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import normal_cdf
from fairstrike.pricing.settlement import variance_multiplier
from fairstrike.pricing.updown import UpDownInputs, difference, probability_up

YEAR_S = 31_536_000


class BeforeOpen(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    vol: float = msgspec.field(name="sigma")
    seen: int = msgspec.field(name="strike_prints_observed")
    seen_mean: float = msgspec.field(name="strike_observed_mean")
    first_s: float = msgspec.field(name="a1_s")
    left: int = msgspec.field(name="strike_prints_remaining")
    mean: float = msgspec.field(name="mean_diff")
    sd: float = msgspec.field(name="sd_diff")
    p: float = msgspec.field(name="p_up_lognormal_adj")
    simulated: float = msgspec.field(name="mc_p")
    simulated_se: float = msgspec.field(name="mc_se")


class OpenFair(msgspec.Struct, frozen=True):
    sd_z: float
    quantiles: dict[str, float]
    mean_abs_dev_from_half: float
    share_outside_45_55: float
    share_outside_40_60: float


class ScaleRow(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    vol: float = msgspec.field(name="sigma")
    sd: float = msgspec.field(name="sd_15m_settle_minus_strike")


class Vectors(msgspec.Struct, frozen=True):
    updown_before_open: list[BeforeOpen]
    updown_open_fair_distribution: OpenFair
    scale_table: list[ScaleRow]


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


def inputs_of(
    *, vol: float = 0.35, first_s: float = 1.0, left: int = 60, seen_mean: float = 80_000.0, bridge_s: float = 0.0
) -> UpDownInputs:
    return UpDownInputs(
        spot=80_000.0,
        vol_annual=vol,
        first_s=first_s,
        left=left,
        settles_s=first_s + left + 840.0,
        seen_sum=(60 - left) * seen_mean,
        bridge_s=bridge_s,
    )


def test_before_the_open(vectors: Vectors) -> None:
    assert len(vectors.updown_before_open) == 4
    for case in vectors.updown_before_open:
        assert case.seen == 60 - case.left
        inputs = UpDownInputs(
            spot=case.spot,
            vol_annual=case.vol,
            first_s=case.first_s,
            left=case.left,
            settles_s=case.first_s + case.left + 840.0,
            seen_sum=case.seen * case.seen_mean,
        )
        law = difference(inputs)
        assert pytest.approx(case.mean, abs=1e-6) == law.mean
        assert pytest.approx(case.sd, abs=1e-6) == law.sd
        assert pytest.approx(case.p, abs=1e-7) == probability_up(inputs)
        assert pytest.approx(case.simulated, abs=4 * case.simulated_se) == probability_up(inputs)


def test_fair_prices_at_the_open_are_not_one_half(vectors: Vectors) -> None:
    # At the open the strike mean lies behind: its distance from the spot against what is ahead.
    told = vectors.updown_open_fair_distribution
    behind, ahead = variance_multiplier(1.0, 60), variance_multiplier(840.0, 60)
    assert pytest.approx(told.sd_z, abs=2e-8) == math.sqrt(behind / ahead)
    normal = NormalDist()
    assert len(told.quantiles) == 9
    for percent, quantile in told.quantiles.items():
        assert pytest.approx(quantile, abs=1e-4) == normal_cdf(normal.inv_cdf(int(percent) / 100) * told.sd_z)
    for p, share in ((0.55, told.share_outside_45_55), (0.60, told.share_outside_40_60)):
        assert pytest.approx(share, abs=1e-3) == 2.0 * normal_cdf(-normal.inv_cdf(p) / told.sd_z)
    middles = [normal.inv_cdf((i + 0.5) / 10_000) for i in range(10_000)]
    away = math.fsum(abs(normal_cdf(z * told.sd_z) - 0.5) for z in middles) / len(middles)
    assert pytest.approx(told.mean_abs_dev_from_half, abs=1e-4) == away


def test_scale_of_a_quarter_of_an_hour(vectors: Vectors) -> None:
    assert len(vectors.scale_table) == 4
    for row in vectors.scale_table:
        law = difference(UpDownInputs(spot=row.spot, vol_annual=row.vol, first_s=0.0, left=60, settles_s=900.0))
        assert pytest.approx(row.sd, rel=1e-3) == law.sd


@given(st.floats(0.0, 900.0), st.integers(0, 60), st.floats(0.0, 900.0))
def test_variance_is_the_double_sum(first_s: float, left: int, between_s: float) -> None:
    strikes = [first_s + i for i in range(left)]
    settles = [first_s + left + between_s + i for i in range(60)]
    signed = [(at, -1.0) for at in strikes] + [(at, 1.0) for at in settles]
    seconds = math.fsum(w * x * min(a, b) for a, w in signed for b, x in signed) / 3_600
    inputs = UpDownInputs(
        spot=80_000.0,
        vol_annual=0.35,
        first_s=first_s,
        left=left,
        settles_s=first_s + left + between_s,
        seen_sum=(60 - left) * 80_000.0,
    )
    per_second = 80_000.0 * 0.35 / math.sqrt(YEAR_S)
    assert pytest.approx(per_second * math.sqrt(seconds), rel=1e-9) == difference(inputs).sd


@pytest.mark.parametrize(("first_s", "left"), [(30.0, 60), (0.4, 60), (0.4, 25), (0.9, 1)])
def test_law_is_that_of_simulated_differences(first_s: float, left: int) -> None:
    """Before the strike's window and inside it, on exact lognormal paths: 100 000 of a print a second at both ends."""
    paths, seen_mean = 100_000, 80_006.0
    dice = np.random.default_rng(left)
    waits = [first_s, *[1.0] * (left - 1), 841.0, *[1.0] * 59]
    log_price, strike, settled = np.zeros(paths), np.full(paths, (60 - left) * seen_mean), np.zeros(paths)
    for number, wait in enumerate(waits):
        sd = 0.35 * math.sqrt(wait / YEAR_S)
        log_price += sd * dice.standard_normal(paths) - 0.5 * sd * sd
        mean = strike if number < left else settled
        mean += 80_000.0 * np.exp(log_price)
    inputs = inputs_of(first_s=first_s, left=left, seen_mean=seen_mean)
    p, apart = probability_up(inputs), (settled - strike) / 60
    assert pytest.approx(np.mean(apart >= 0.0), abs=4 * math.sqrt(p * (1 - p) / paths)) == p
    law = difference(inputs)
    assert pytest.approx(law.mean, abs=4 * law.sd / math.sqrt(paths)) == np.mean(apart)
    assert pytest.approx(law.sd, rel=4 / math.sqrt(2 * paths)) == np.std(apart)


def test_tie_and_rounding_favour_up() -> None:
    still = inputs_of(vol=0.0)
    assert probability_up(still) == 1.0
    below = inputs_of(vol=0.0, left=0, seen_mean=80_000.004)
    assert (probability_up(below), probability_up(below, round_digits=2)) == (0.0, 1.0)
    assert probability_up(inputs_of(), round_digits=2) > probability_up(inputs_of())


@given(st.floats(79_000.0, 81_000.0), st.integers(0, 59), st.floats(0.01, 50.0))
def test_probability_falls_as_the_strike_so_far_rises(seen_mean: float, left: int, vol: float) -> None:
    low = probability_up(inputs_of(vol=vol, left=left, seen_mean=seen_mean + 10.0))
    high = probability_up(inputs_of(vol=vol, left=left, seen_mean=seen_mean))
    assert 0.0 <= low <= high <= 1.0


def test_missed_prints_widen_the_law() -> None:
    assert difference(inputs_of(left=0, bridge_s=500.0)).sd > difference(inputs_of(left=0)).sd


@pytest.mark.parametrize(
    "change",
    [
        {"spot": 0.0},
        {"spot": math.nan},
        {"vol_annual": -0.1},
        {"first_s": -1.0},
        {"left": 61},
        {"seen_sum": 1.0},
        {"settles_s": math.inf},
        {"settles_s": 50.0},
        {"bridge_s": math.nan},
    ],
)
def test_bad_input_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ArithmeticRefusal, match="cannot be priced"):
        msgspec.structs.replace(
            UpDownInputs(spot=80_000.0, vol_annual=0.35, first_s=1.0, left=60, settles_s=901.0), **change
        )
