"""What a market is worth that settles on the mean of sixty prints.

With n prints left, the next in a seconds, and the sum P of the others known, A = (P + n·R) / 60, R being the
mean of the prints left. Without drift E[R] = S and, u being the variance of the log index a second,

    E[R²] / S² = (1/n²) Σ_{i<n} (2(n − 1 − i) + 1) · exp(u(a + i)).

R is matched by a lognormal law, so A has one that begins at P / 60. The sum is expanded in u around i = 0, where
its coefficients are whole numbers known for each n: four terms are exact to 1e-12.

A reference price that is not the official index has one error for all prints; so have seconds we missed. Their
variance is added once, to A. The error is normal, so it dilutes the skew of A: the lognormal begins lower, by as
much as keeps mean, variance and third moment. Without error that is nothing; with nothing but error the law is
normal. While there is error nothing is decided: no probability is 0 or 1.

A law may have fatter tails than the normal one it is read off (`tails`); each threshold's probability is then theirs.
"""

import math
from collections.abc import Iterable, Mapping
from math import erfc, expm1, log, log1p, sqrt

import msgspec

from fairstrike.core.contract import Comparison, Contract, settle
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import WINDOW_SECONDS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.pricing.digital import PRICE_MAX, PRICE_MIN, SECONDS_PER_YEAR, VOL_MAX, normal_density
from fairstrike.pricing.tails import Tails, density, fattened

DOUBT = 1e-12
"""The least probability of either outcome while the reference price has an error."""

THRESHOLD_MAX = 1e15
SECONDS_AHEAD_MAX = 90.0 * 86_400
_SQRT_HALF = sqrt(0.5)
_DILUTION_MAX = 1e8
_SPREAD_LEAST = 1e-270
"""Beyond either the law is taken for normal: its skew is nothing, or its cube is below what a float holds."""

E8_DIGITS = 8


class SettlementInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What is known now about one settlement mean.

    `spot`: dollars, the reference price now. `vol_annual`: a fraction a year, [0, 50]. `first_s`: seconds from
    now to the first settlement print not yet seen. `left`: prints not yet seen, 0 to 60. `seen_sum`: dollars,
    the sum of the 60 − left others, seconds we missed being valued as `seen_prints` does. `sd_dollars`: the
    standard error of the reference price against the official index. `bridge_s`: variance of `seen_sum` from
    missed seconds, over the variance of the index a second (0 when none is missing). `tails`: those of the law, None
    for the normal one's.

    Raises `ArithmeticRefusal` outside these domains: correct the input the message names.
    """

    spot: float
    vol_annual: float
    first_s: float
    left: int
    seen_sum: float = 0.0
    sd_dollars: float = 0.0
    bridge_s: float = 0.0
    tails: Tails | None = None

    def __post_init__(self) -> None:
        """Check every domain, once, so that pricing need not."""
        if not (
            PRICE_MIN <= self.spot <= PRICE_MAX
            and 0.0 <= self.vol_annual <= VOL_MAX
            and 0.0 <= self.first_s <= SECONDS_AHEAD_MAX
            and 0 <= self.left <= WINDOW_SECONDS
            and 0.0 <= self.seen_sum <= WINDOW_SECONDS * PRICE_MAX
            and (self.seen_sum > 0.0) == (self.left < WINDOW_SECONDS)
            and 0.0 <= self.sd_dollars <= PRICE_MAX
            and 0.0 <= self.bridge_s <= WINDOW_SECONDS**3
        ):
            raise ArithmeticRefusal(_complaint(self))


class SettlementLaw(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The law of the settlement mean at one instant; it serves every strike. Made by `settlement_law`.

    The settlement mean is `known`, which the prints seen make of it, plus what is ahead: a lognormal value with median
    `width` and standard deviation `log_sd`, less `lowered` (dollars but for `log_sd`). `median`, that of what is ahead,
    is their difference to the last digit. `sd`, dollars around `median`, is used instead when the law is normal, and
    both are zero when the mean is known: `total_e8` is then its sum. A dollar of the reference price moves the mean by
    `share` of it. `tails` are those of the inputs.
    """

    known: float
    median: float
    lowered: float
    width: float
    log_sd: float
    sd: float
    share: float
    is_doubtful: bool
    tails: Tails | None
    total_e8: int | None = None


class SeenPrints(msgspec.Struct, frozen=True, kw_only=True):
    """The known part of a settlement window: `seen_sum` and `bridge_s` for the inputs, seconds missed."""

    seen_sum: float
    bridge_s: float
    missed: int


class PayoffInterval(msgspec.Struct, frozen=True, kw_only=True):
    """The settlement means, in dollars, for which a contract pays 1; None where it is open-ended."""

    low: float | None
    high: float | None


def variance_multiplier(first_s: float, left: int) -> float:
    """Give v, in seconds, such that the mean of the window has variance v × (dollars a root second)².

    v = (a·n² + (n − 1)·n·(2n − 1)/6) / 3600, a = `first_s` seconds, n = `left` prints.

    Raises `ArithmeticRefusal` outside the domain of `SettlementInputs`.
    """
    if not (0.0 <= first_s <= SECONDS_AHEAD_MAX and 0 <= left <= WINDOW_SECONDS):
        raise ArithmeticRefusal(f"first_s {first_s!r}, left {left}: give seconds of 0 or more, and 0 to 60 prints")
    return (first_s * left * left + (left - 1) * left * (2 * left - 1) / 6) / WINDOW_SECONDS**2


def settlement_law(inputs: SettlementInputs) -> SettlementLaw:
    """Give the law of the settlement mean: make it once an instant, then ask it for each strike.

    Source: moment match of the arithmetic average (Levy 1992), with the error terms told above.
    """
    left, vol = inputs.left, inputs.vol_annual
    per_second = vol * vol / SECONDS_PER_YEAR
    if left == 0:
        return _law_when_all_seen(inputs, per_second)
    share = left / WINDOW_SECONDS
    ahead = share * inputs.spot
    # Var(R) / S²: the first print's share is exact, the spacing's is the series.
    c1, c2, c3, c4 = _SERIES[left]
    spacing = per_second * (c1 + per_second * (c2 + per_second * (c3 + per_second * c4)))
    start = expm1(per_second * inputs.first_s)
    spread = start + (1.0 + start) * spacing
    lowered, is_doubtful = 0.0, False
    if inputs.sd_dollars or inputs.bridge_s:
        error = inputs.sd_dollars / ahead
        noise = error * error + per_second * inputs.bridge_s / (left * left)
        if noise > spread * _DILUTION_MAX or spread < _SPREAD_LEAST:
            return _normal_law(inputs, ahead, ahead * sqrt(spread + noise))
        if noise:
            dilution = 1.0 + noise / spread
            lowered, is_doubtful = ahead * (dilution * dilution - 1.0), True
            spread /= dilution * dilution * dilution
    if spread == 0.0:
        return _normal_law(inputs, ahead, 0.0)
    # A lognormal's median is its mean over the root; the two are kept apart, `lowered` may be many times `ahead`.
    log_sd, root = sqrt(log1p(spread)), sqrt(1.0 + spread)
    median = width = ahead / root
    if lowered:
        median -= lowered * spread / (root * (1.0 + root))
        width += lowered / root
    return SettlementLaw(
        known=inputs.seen_sum / WINDOW_SECONDS,
        median=median,
        lowered=lowered,
        width=width,
        log_sd=log_sd,
        sd=0.0,
        share=share,
        is_doubtful=is_doubtful,
        tails=inputs.tails,
    )


def probabilities_above(law: SettlementLaw, thresholds: Iterable[float]) -> list[float]:
    """Give P(settlement mean > K) for each threshold K (dollars), in their order.

    With nothing left to happen and no error it is a step: 1 above, else 0. In [DOUBT, 1 − DOUBT] while the
    reference price has an error. Raises `ArithmeticRefusal` for a threshold that is no number or beyond 1e15.
    """
    known, median, lowered, log_sd = law.known, law.median, law.lowered, law.log_sd
    scale, least, most = -_SQRT_HALF / (log_sd or law.sd or 1.0), -THRESHOLD_MAX, THRESHOLD_MAX
    values: list[float] = []
    for threshold in thresholds:
        if not least <= threshold <= most:
            raise ArithmeticRefusal(f"threshold is {threshold!r}; give dollars, at most {THRESHOLD_MAX:g}")
        ahead = threshold - known
        if log_sd:
            base = ahead + lowered
            if base <= 0.0:
                values.append(1.0)
                continue
            # As the logarithm of 1 + move it keeps its digits near the median, as that of a ratio far above it.
            move = (median - ahead) / base
            values.append(0.5 * erfc(scale * (log1p(move) if move > -0.5 else log(law.width / base))))
        elif law.sd:
            values.append(0.5 * erfc(scale * (median - ahead)))
        else:
            values.append(1.0 if median > ahead else 0.0)
    if law.is_doubtful:
        values = [DOUBT if p < DOUBT else min(p, 1.0 - DOUBT) for p in values]
    return values if law.tails is None else [fattened(p, law.tails) for p in values]


def probability_above(law: SettlementLaw, threshold: float) -> float:
    """Give P(settlement mean > `threshold`): `probabilities_above` of one."""
    return probabilities_above(law, (threshold,))[0]


def slope_above(law: SettlementLaw, threshold: float) -> float:
    """Give ∂P/∂S of `probability_above`, S being the reference price in dollars; 0 where the mean is known.

    Of a dollar of it the settlement mean moves by left/60. Where all prints are in but some were missed, the slope
    is that against the mean. Raises `ArithmeticRefusal` as `probabilities_above`.
    """
    if not -THRESHOLD_MAX <= threshold <= THRESHOLD_MAX:
        raise ArithmeticRefusal(f"threshold is {threshold!r}; give dollars, at most {THRESHOLD_MAX:g}")
    ahead = threshold - law.known
    if law.log_sd:
        base = ahead + law.lowered
        if base <= 0.0:
            return 0.0
        steepness = _density(log(law.width / base) / law.log_sd, law.tails)
        return law.share * steepness * math.exp(-0.5 * law.log_sd * law.log_sd) / (law.width * law.log_sd)
    if law.sd:
        return law.share * _density((law.median - ahead) / law.sd, law.tails) / law.sd
    return 0.0


def _density(z: float, tails: Tails | None) -> float:
    return normal_density(z) if tails is None else density(z, tails)


def probability_within(law: SettlementLaw, interval: PayoffInterval) -> float:
    """Give the probability that the settlement mean lies in `interval`, in [0, 1].

    A range is the difference of its two thresholds.
    """
    p = 1.0 if interval.low is None else probability_above(law, interval.low)
    if interval.high is not None:
        p -= probability_above(law, interval.high)
    least = DOUBT if law.is_doubtful else 0.0
    return min(max(p, least), 1.0 - least)


def probability(contract: Contract, law: SettlementLaw) -> float:
    """Give the probability that `contract` pays 1. The contract must have its strikes.

    When all sixty official prints are in, the answer is that of `core.contract.settle`, ties included.
    Whoever prices a ladder again and again keeps each contract's `payoff_interval` instead.
    """
    if law.total_e8 is None:
        return probability_within(law, payoff_interval(contract))
    return float(pays(contract, law.total_e8))


def pays(contract: Contract, total_e8: int) -> bool:
    """Whether `contract`, which must have its strikes, pays when its sixty prints add up to `total_e8`."""
    # The rule reads nothing but the number of prints and their sum.
    return settle(contract, (total_e8,) + (0,) * (WINDOW_SECONDS - 1)) > 0


def payoff_interval(contract: Contract) -> PayoffInterval:
    """Give the unrounded settlement means for which `contract` pays 1. It must have its strikes.

    A contract that rounds the mean half up pays from half a unit below the first paying rounded value, e.g.
    from K − 0.005 for "at least K" and two digits; one that does not has its strikes for boundaries.
    Source: the comparison of `core.contract`, solved for the mean.
    """
    assert contract.is_struck, "a market without its strikes has no payoff"
    floor_e8, cap_e8 = contract.floor_e8, contract.cap_e8
    digits = contract.round_digits
    low = high = None
    if contract.comparison is not Comparison.BELOW and floor_e8 is not None:
        low = _boundary(floor_e8, digits, is_level_in=contract.comparison is not Comparison.ABOVE)
    if contract.comparison in (Comparison.BELOW, Comparison.BETWEEN) and cap_e8 is not None:
        high = _boundary(cap_e8, digits, is_level_in=contract.comparison is Comparison.BELOW)
    return PayoffInterval(low=low, high=high)


def seen_prints(prints: Mapping[int, int], seconds: range) -> SeenPrints | None:
    """Give the sum of the prints at `seconds`, the part of the settlement window that is over.

    `prints` maps source second to index value (`_e8`); seconds outside the window serve as neighbours. A run of
    m missed seconds is valued at the mean of its two neighbours, the expected sum of a Brownian bridge; its
    variance is m(m + 1)(m + 2)/12 of the index's a second. With one neighbour: that value, and
    m(m + 1)(2m + 1)/6. None when nothing is known at all.
    """
    known = [prints[second] for second in seconds if second in prints]
    total_e8, bridge_s = float(sum(known)), 0.0
    for hole in _holes(prints, seconds):
        sides = [prints[second] for second in (hole.start - 1, hole.stop) if second in prints]
        if not sides:
            return None
        m = len(hole)
        total_e8 += m * sum(sides) / len(sides)
        bridge_s += m * (m + 1) * ((m + 2) / 12 if len(sides) == 2 else (2 * m + 1) / 6)
    missed = len(seconds) - len(known)
    return SeenPrints(seen_sum=total_e8 / E8_PER_DOLLAR, bridge_s=bridge_s, missed=missed)


def _holes(prints: Mapping[int, int], seconds: range) -> list[range]:
    holes: list[range] = []
    start = seconds.start
    for second in [*(second for second in seconds if second in prints), seconds.stop]:
        if second > start:
            holes.append(range(start, second))
        start = second + 1
    return holes


def _moments(left: int) -> tuple[float, float, float, float]:
    m1, m2, m3, m4 = (sum((2 * (left - 1 - i) + 1) * i**k for i in range(left)) for k in range(1, 5))
    square = left * left
    return m1 / square, m2 / (2 * square), m3 / (6 * square), m4 / (24 * square)


# For n = 1…60 the coefficients of u, u², u³ and u⁴ in the sum at the top, divided by n².
_SERIES = ((0.0, 0.0, 0.0, 0.0), *(_moments(left) for left in range(1, WINDOW_SECONDS + 1)))


def _law_when_all_seen(inputs: SettlementInputs, per_second: float) -> SettlementLaw:
    bridge = inputs.spot * inputs.spot * per_second * inputs.bridge_s
    sd = sqrt(inputs.sd_dollars * inputs.sd_dollars + bridge / WINDOW_SECONDS**2)
    total_e8 = None if sd > 0.0 else round(inputs.seen_sum * E8_PER_DOLLAR)
    law = _normal_law(inputs, 0.0, sd)
    return msgspec.structs.replace(law, total_e8=total_e8, share=1.0)


def _normal_law(inputs: SettlementInputs, ahead: float, sd: float) -> SettlementLaw:
    """Give the law of errors alone, or of a mean that nothing moves any more."""
    return SettlementLaw(
        known=inputs.seen_sum / WINDOW_SECONDS,
        median=ahead,
        lowered=0.0,
        width=ahead,
        log_sd=0.0,
        sd=sd,
        share=inputs.left / WINDOW_SECONDS,
        is_doubtful=sd > 0.0,
        tails=inputs.tails,
    )


def _boundary(level_e8: int, digits: int | None, *, is_level_in: bool) -> float:
    """Give the least mean whose rounded value is at least (`is_level_in`) or above the level, in dollars."""
    if digits is None:
        return level_e8 / E8_PER_DOLLAR
    unit: int = 10 ** (E8_DIGITS - digits)
    first = -(-level_e8 // unit) if is_level_in else level_e8 // unit + 1
    return (2 * first - 1) * unit / (2 * E8_PER_DOLLAR)


def _complaint(inputs: SettlementInputs) -> str:
    return (
        f"{inputs} cannot be priced; give spot in [{PRICE_MIN:g}, {PRICE_MAX:g}] dollars, vol_annual as a "
        f"fraction in [0, {VOL_MAX:g}], first_s in [0, {SECONDS_AHEAD_MAX:g}] seconds, left in [0, "
        f"{WINDOW_SECONDS}], seen_sum in dollars (above 0 exactly when left is below {WINDOW_SECONDS}), and "
        "sd_dollars and bridge_s not below 0"
    )
