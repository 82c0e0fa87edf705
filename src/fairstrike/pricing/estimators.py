"""Estimators of variance from evenly spaced returns, for a path with jumps, with noise, or smoothed.

All take log returns in order and give their total variance, or None with too few returns; `annualised` makes a
volatility of it. A return that is no number or beyond `RETURN_MAX` is refused (`ArithmeticRefusal`): leave it out. Over
n returns r, with Σ over all that fit:

    realised        Σ r²                                         right without jumps, noise and smoothing
    bipower         (π/2) · n/(n − 1) · Σ |rᵢ||rᵢ₊₁|              jumps left out
    median          π/(6 − 4√3 + π) · n/(n − 2) · Σ med(|rᵢ|, |rᵢ₊₁|, |rᵢ₊₂|)²   jumps and zeros left out
    two-scale       (mean of sparse realised − n̄/n · realised) / (1 − n̄/n)        noise of prices left out
    lag-corrected   Σ r² + 2 Σ_k (1 − k/(q + 1)) Σ rᵢrᵢ₊ₖ         memory of prices counted in

An index that is smoothed (each print a mean of what was and what is) moves too little from print to print: realised
variance is short by (1 − θ)/(1 + θ), which `smoothing_loss` gives, and the lag correction brings most of it back.

Sources: Barndorff-Nielsen and Shephard 2004; Andersen, Dobrev and Schaumburg 2012; Zhang, Mykland and Aït-Sahalia 2005;
Newey and West 1987.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import SECONDS_PER_YEAR

RETURN_MAX = 1_000.0
"""The largest log return, either way, that is taken for one; the largest and the least price differ by less."""

_VALUE_MIN, _VALUE_MAX = 1e-100, 1e100
_RATE_MAX = 1e300
_MEDIAN_SCALE = math.pi / (6.0 - 4.0 * math.sqrt(3.0) + math.pi)


def log_returns(values: Sequence[float]) -> list[float]:
    """Give the log returns of values in [1e-100, 1e100]. Raises `ArithmeticRefusal` for any other: leave it out."""
    if not all(_VALUE_MIN <= value <= _VALUE_MAX for value in values):
        raise ArithmeticRefusal("a value is no positive number of any size known; leave it out")
    return [math.log(later / value) for value, later in pairwise(values)]


def annualised(variance: float, elapsed_s: float) -> float:
    """Give the volatility, a fraction a year of 365 days, of a total variance over `elapsed_s` seconds.

    Raises `ArithmeticRefusal` for a negative variance, no time, or where they make no number.
    """
    if not (0.0 <= variance < math.inf and 0.0 < elapsed_s < math.inf and variance / elapsed_s < _RATE_MAX):
        raise ArithmeticRefusal(f"variance {variance!r} over {elapsed_s!r} seconds: give 0 or more, over some time")
    return math.sqrt(variance / elapsed_s * SECONDS_PER_YEAR)


def realised_variance(returns: Sequence[float]) -> float | None:
    """Give Σ r²; None without a return."""
    _require(returns)
    return math.fsum(r * r for r in returns) if returns else None


def bipower_variance(returns: Sequence[float]) -> float | None:
    """Give the variance without that of jumps, which touch two products only; None below two returns."""
    _require(returns)
    n = len(returns)
    if n < 2:
        return None
    return 0.5 * math.pi * n / (n - 1) * math.fsum(abs(a * b) for a, b in pairwise(returns))


def median_variance(returns: Sequence[float]) -> float | None:
    """Give the variance by medians of three neighbours: neither a jump nor a zero counts; None below three returns."""
    _require(returns)
    n = len(returns)
    if n < 3:
        return None
    sizes = [abs(r) for r in returns]
    medians = (sorted(sizes[i : i + 3])[1] for i in range(n - 2))
    return _MEDIAN_SCALE * n / (n - 2) * math.fsum(m * m for m in medians)


def two_scale_variance(returns: Sequence[float], step: int) -> float | None:
    """Give the variance without that of noise: returns over `step` less what single returns show too much.

    None with no more than `step` returns. Raises `ArithmeticRefusal` for a step below 2.
    """
    if step < 2:
        raise ArithmeticRefusal(f"step is {step}; a second scale has at least 2 returns")
    _require(returns)
    n = len(returns)
    if n <= step:
        return None
    sums = [math.fsum(returns[i : i + step]) for i in range(n - step + 1)]
    share = (n - step + 1) / (step * n)
    sparse = math.fsum(r * r for r in sums) / step
    return (sparse - share * math.fsum(r * r for r in returns)) / (1.0 - share)


def noise_variance(returns: Sequence[float]) -> float | None:
    """Give the variance of the noise on one price if all of Σ r² were noise, Σ r² / 2n; None without a return."""
    total = realised_variance(returns)
    return None if total is None else total / (2 * len(returns))


def lag_corrected_variance(returns: Sequence[float], lags: int) -> float | None:
    """Give Σ r² with twice the weighted products of returns up to `lags` apart, never below 0.

    None with no more than `lags` returns. Raises `ArithmeticRefusal` for negative lags.
    """
    if lags < 0:
        raise ArithmeticRefusal(f"lags is {lags}; give 0 or more")
    _require(returns)
    if len(returns) <= lags:
        return None
    total = math.fsum(r * r for r in returns)
    for lag in range(1, lags + 1):
        products = math.fsum(a * b for a, b in zip(returns, returns[lag:], strict=False))
        total += 2.0 * (1.0 - lag / (lags + 1)) * products
    return max(total, 0.0)


def autocorrelation(returns: Sequence[float], lag: int = 1) -> float | None:
    """Give Σ rᵢrᵢ₊ₖ / Σ r², without taking a mean off; None where nothing moved or there are too few."""
    if lag < 1:
        raise ArithmeticRefusal(f"lag is {lag}; give 1 or more")
    _require(returns)
    squares = math.fsum(r * r for r in returns)
    if len(returns) <= lag or squares == 0.0:
        return None
    return math.fsum(a * b for a, b in zip(returns, returns[lag:], strict=False)) / squares


def smoothing_loss(theta: float) -> float:
    """Give realised over true variance when increments follow yₜ = θ·yₜ₋₁ + (1 − θ)·xₜ: (1 − θ)/(1 + θ).

    θ is then the first autocorrelation. Raises `ArithmeticRefusal` outside [0, 1).
    """
    if not 0.0 <= theta < 1.0:
        raise ArithmeticRefusal(f"theta is {theta!r}; give a number from 0 to below 1")
    return (1.0 - theta) / (1.0 + theta)


def _require(returns: Sequence[float]) -> None:
    if returns and not (
        min(returns) >= -RETURN_MAX and max(returns) <= RETURN_MAX and math.isfinite(math.fsum(returns))
    ):
        raise ArithmeticRefusal(f"a return is no number within ±{RETURN_MAX:g}; leave it out")
