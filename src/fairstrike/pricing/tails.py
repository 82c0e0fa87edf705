"""Fatter tails than the normal law's, with the same variance.

The settlement law reads a probability off the normal law; z is the number of standard deviations that stands behind it.
Two other laws of unit variance read the same z: Student's t, whose tails fall as a power, and a mixture of two normals,
most of the time a quiet one and with some weight one several times as wide. Beyond about two standard deviations they
make an outcome more likely, nearer than that less likely: the variance must be somewhere.
"""

import math
from statistics import NormalDist

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import normal_cdf, normal_density

_STANDARD = NormalDist()
_FRACTION_STEPS_MAX = 300
_FRACTION_END = 1e-15
_TINY = 1e-300


class StudentTails(msgspec.Struct, frozen=True, kw_only=True, tag="student", forbid_unknown_fields=True):
    """Student's t with `freedom` degrees of freedom, above 2. Raises `ArithmeticRefusal` for others."""

    freedom: float

    def __post_init__(self) -> None:
        """Refuse what has no variance."""
        if not 2.0 < self.freedom <= 1e6:
            raise ArithmeticRefusal(f"freedom is {self.freedom!r}; give degrees of freedom above 2, up to a million")


class MixtureTails(msgspec.Struct, frozen=True, kw_only=True, tag="mixture", forbid_unknown_fields=True):
    """A normal law that is `ratio` times as wide with probability `weight`.

    Raises `ArithmeticRefusal` for a weight outside [0, 1] or a ratio below 1.
    """

    weight: float
    ratio: float

    def __post_init__(self) -> None:
        """Check the domain."""
        if not (0.0 <= self.weight <= 1.0 and 1.0 <= self.ratio <= 1e6):
            raise ArithmeticRefusal(f"{self}: give a weight in [0, 1] and a ratio from 1 to a million")


Tails = StudentTails | MixtureTails
"""A law of unit variance and mean zero, symmetric."""


def tail(z: float, tails: Tails) -> float:
    """Give the probability of a value above `z` standard deviations. Raises `ArithmeticRefusal` for no number."""
    if math.isnan(z):
        raise ArithmeticRefusal("z is no number; give a count of standard deviations")
    match tails:
        case StudentTails(freedom=freedom):
            return _student_tail(z * math.sqrt(freedom / (freedom - 2.0)), freedom)
        case MixtureTails(weight=weight, ratio=ratio):
            quiet = _quiet(weight, ratio)
            return (1.0 - weight) * normal_cdf(-z / quiet) + weight * normal_cdf(-z / (ratio * quiet))


def density(z: float, tails: Tails) -> float:
    """Give the density at `z` standard deviations. Raises `ArithmeticRefusal` for no number."""
    if math.isnan(z):
        raise ArithmeticRefusal("z is no number; give a count of standard deviations")
    match tails:
        case StudentTails(freedom=freedom):
            half = 0.5 * (freedom + 1.0)
            level = math.lgamma(half) - math.lgamma(0.5 * freedom) - 0.5 * math.log(math.pi * (freedom - 2.0))
            return math.exp(level - half * math.log1p(z * z / (freedom - 2.0)))
        case MixtureTails(weight=weight, ratio=ratio):
            quiet = _quiet(weight, ratio)
            wide = ratio * quiet
            return (1.0 - weight) * normal_density(z / quiet) / quiet + weight * normal_density(z / wide) / wide


def fattened(p: float, tails: Tails) -> float:
    """Give the probability by `tails` of what the normal law gives probability `p`.

    0, one half and 1 stay, and so does the order of probabilities: a range, the difference of its two thresholds, is
    never negative, and the ranges of a ladder still add up to 1. Raises `ArithmeticRefusal` outside [0, 1].
    """
    if not 0.0 <= p <= 1.0:
        raise ArithmeticRefusal(f"p is {p!r}; give a probability")
    if p in (0.0, 1.0):
        return p
    # The law is symmetric: the smaller side keeps its digits.
    return tail(-_STANDARD.inv_cdf(p), tails) if p <= 0.5 else 1.0 - tail(-_STANDARD.inv_cdf(1.0 - p), tails)


def _quiet(weight: float, ratio: float) -> float:
    """Give the standard deviation of the narrower law of a mixture."""
    return 1.0 / math.sqrt(1.0 - weight + weight * ratio * ratio)


def _student_tail(t: float, freedom: float) -> float:
    """P(T > t) by the regularised incomplete beta function."""
    if math.isinf(t):
        return float(t < 0.0)
    half = 0.5 * _incomplete_beta(0.5 * freedom, 0.5, freedom / (freedom + t * t), t * t / (freedom + t * t))
    return half if t >= 0.0 else 1.0 - half


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b) by its continued fraction (Lentz), `rest` being 1 − x to its last digit; Source: DLMF 8.17.22."""
    if x <= 0.0 or rest <= 0.0:
        return float(x > 0.0)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest))
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - front / b * _fraction(b, a, rest)
    return front / a * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 / _apart(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _FRACTION_STEPS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for numerator in (even, odd):
            d = 1.0 / _apart(1.0 + numerator * d)
            c = _apart(1.0 + numerator / c)
            value *= c * d
        if abs(c * d - 1.0) < _FRACTION_END:
            break
    return value


def _apart(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
