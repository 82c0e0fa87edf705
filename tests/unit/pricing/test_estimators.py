"""Estimators of variance: figures computed elsewhere, and simulated paths whose volatility is known."""

import math
from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.estimators import (
    annualised,
    autocorrelation,
    bipower_variance,
    lag_corrected_variance,
    log_returns,
    median_variance,
    noise_variance,
    realised_variance,
    smoothing_loss,
    two_scale_variance,
)
from tests.unit.pricing.paths import YEAR_S, noisy, returns_of, smoothed

DAY = 86_400
TRUE = 0.5**2 * DAY / YEAR_S
"""Variance of a day at a volatility of one half."""


class Series(msgspec.Struct, frozen=True):
    prices: list[float]
    rv: float
    rv_annualised: float
    bipower_bias_corrected: float
    bipower_annualised: float
    medrv: float
    tsrv_K3: float  # noqa: N815 - the name in the file of figures
    tsrv_annualised: float
    noise_variance_estimate: float
    lag1_autocorrelation_raw: float


class Smoothed(msgspec.Struct, frozen=True):
    theta: float
    loss: float = msgspec.field(name="rv1s_over_true")
    acf1: float


class Annual(msgspec.Struct, frozen=True):
    sigma: float
    sum_sq_returns: float | None = None
    elapsed_s: float = 0.0
    per_minute_sd: float | None = None
    per_15m_sd: float | None = None


class Vectors(msgspec.Struct, frozen=True):
    vol_estimators: Series
    smoothed_index_rv_bias: list[Smoothed]
    annualisation: list[Annual]


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


def test_reference_figures(vectors: Vectors) -> None:
    series = vectors.vol_estimators
    returns = log_returns(series.prices)
    assert len(returns) == 12
    bipower, two_scale = bipower_variance(returns), two_scale_variance(returns, 3)
    assert bipower is not None
    assert two_scale is not None
    assert pytest.approx(series.rv, rel=1e-6) == realised_variance(returns)
    assert pytest.approx(series.rv_annualised, rel=1e-7) == annualised(series.rv, 12.0)
    assert pytest.approx(series.bipower_bias_corrected, rel=1e-6) == bipower
    assert pytest.approx(series.bipower_annualised, rel=1e-6) == annualised(bipower, 12.0)
    assert pytest.approx(series.medrv, rel=1e-6) == median_variance(returns)
    assert pytest.approx(series.tsrv_K3, rel=1e-6) == two_scale
    assert pytest.approx(series.tsrv_annualised, rel=1e-6) == annualised(two_scale, 12.0)
    assert pytest.approx(series.noise_variance_estimate, rel=1e-6) == noise_variance(returns)
    assert pytest.approx(series.lag1_autocorrelation_raw, abs=1e-7) == autocorrelation(returns)


def test_annual_figures(vectors: Vectors) -> None:
    by_sum, by_minute, by_quarter = vectors.annualisation
    assert by_sum.sum_sq_returns is not None
    assert pytest.approx(by_sum.sigma, rel=1e-7) == annualised(by_sum.sum_sq_returns, by_sum.elapsed_s)
    assert pytest.approx(by_minute.sigma, rel=1e-7) == annualised((by_minute.per_minute_sd or 0.0) ** 2, 60.0)
    assert pytest.approx(by_quarter.sigma, rel=1e-7) == annualised((by_quarter.per_15m_sd or 0.0) ** 2, 900.0)


def test_loss_of_a_smoothed_index(vectors: Vectors) -> None:
    assert len(vectors.smoothed_index_rv_bias) == 4
    truth = returns_of(seed=3, count=DAY)
    for case in vectors.smoothed_index_rv_bias:
        assert pytest.approx(case.loss, abs=1e-6) == smoothing_loss(case.theta)
        seen = smoothed(truth, case.theta)
        assert pytest.approx(case.loss, rel=0.03) == (realised_variance(seen) or 0.0) / TRUE
        assert pytest.approx(case.acf1, abs=0.02) == autocorrelation(seen)


def test_every_estimator_finds_a_plain_path() -> None:
    returns = returns_of(seed=5, count=DAY)
    for found in (
        realised_variance(returns),
        bipower_variance(returns),
        median_variance(returns),
        two_scale_variance(returns, 5),
        lag_corrected_variance(returns, 3),
    ):
        assert pytest.approx(TRUE, rel=0.03) == found


def test_jumps_are_left_out() -> None:
    returns = returns_of(seed=7, count=DAY)
    for second in range(0, DAY, DAY // 10):
        returns[second] += 0.004
    assert (realised_variance(returns) or 0.0) > 1.2 * TRUE
    assert pytest.approx(TRUE, rel=0.03) == bipower_variance(returns)
    assert pytest.approx(TRUE, rel=0.03) == median_variance(returns)


def test_noise_is_left_out() -> None:
    sd = 2.0 * math.sqrt(TRUE / DAY)
    returns = noisy(returns_of(seed=9, count=DAY), sd, seed=9)
    assert (realised_variance(returns) or 0.0) > 8.0 * TRUE
    assert pytest.approx(TRUE, rel=0.1) == two_scale_variance(returns, 30)
    assert pytest.approx(sd * sd, rel=0.2) == noise_variance(returns)


def test_smoothing_is_made_good_for_the_most_part() -> None:
    seen = smoothed(returns_of(seed=11, count=DAY), 0.3)
    assert pytest.approx(0.54 * TRUE, rel=0.03) == realised_variance(seen)
    assert pytest.approx(0.84 * TRUE, rel=0.04) == lag_corrected_variance(seen, 3)
    assert pytest.approx(0.97 * TRUE, rel=0.04) == lag_corrected_variance(seen, 30)


def test_too_few_returns_say_nothing() -> None:
    assert realised_variance([]) is None
    assert bipower_variance([0.1]) is None
    assert median_variance([0.1, 0.1]) is None
    assert two_scale_variance([0.1, 0.1, 0.1], 3) is None
    assert lag_corrected_variance([0.1, 0.1], 2) is None
    assert noise_variance([]) is None
    assert autocorrelation([0.1]) is None
    assert autocorrelation([0.0, 0.0]) is None


def test_bad_numbers_are_refused() -> None:
    for values in ([80_000.0, 0.0], [80_000.0, math.nan], [-1.0], [math.inf]):
        with pytest.raises(ArithmeticRefusal, match="positive"):
            log_returns(values)
    for variance, elapsed_s in ((-1.0, 1.0), (1.0, 0.0), (math.nan, 1.0)):
        with pytest.raises(ArithmeticRefusal, match="variance"):
            annualised(variance, elapsed_s)
    for theta in (1.0, -0.1, math.nan):
        with pytest.raises(ArithmeticRefusal, match="theta"):
            smoothing_loss(theta)
    with pytest.raises(ArithmeticRefusal, match="step"):
        two_scale_variance([0.1] * 5, 1)
    with pytest.raises(ArithmeticRefusal, match="lags"):
        lag_corrected_variance([0.1] * 5, -1)
    with pytest.raises(ArithmeticRefusal, match="lag"):
        autocorrelation([0.1] * 5, 0)
