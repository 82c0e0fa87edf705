"""What an up/down market is worth before its strike is known.

Its strike A₁ is the mean of the sixty prints before its open, its settlement A₂ that of the sixty before its close.
With n₁ strike prints left, the next in a₁ seconds, m = 60 − n₁ seen with sum P₁, and the first settlement print in
a₂ seconds, D = A₂ − A₁ has

    E[D] = (m·S − P₁) / 60,    Var(D) = σ_$² · (v(a₂, 60) + v(a₁, n₁) − 2C),    C = (n₁a₁ + n₁(n₁ − 1)/2) / 60,

v being `variance_multiplier`: a second before a strike print moves both means. Of a quarter of an hour with nothing
seen the variance is that of 880.0056 seconds and not of 900. P(D > 0) = Φ(E/sd − sd/(2S)), the last term for the skew
of the lognormal law. A reference price that is off by the same dollars in both windows does no harm: D is a difference.

Once the strike is known, an up/down market is a threshold like any other: `settlement.probability`.
"""

import math

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import WINDOW_SECONDS
from fairstrike.pricing.digital import PRICE_MAX, PRICE_MIN, SECONDS_PER_YEAR, VOL_MAX, normal_cdf
from fairstrike.pricing.settlement import E8_DIGITS, SECONDS_AHEAD_MAX, variance_multiplier


class UpDownInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before the open.

    `spot`: dollars. `vol_annual`: a fraction a year, [0, 50]. `first_s`: seconds to the first strike print not yet
    seen. `left`: strike prints not yet seen, 0 to 60. `seen_sum`: dollars, the sum of the others. `settles_s`: seconds
    to the first settlement print, which comes after the last strike print. `bridge_s` as in `SettlementInputs`.

    Raises `ArithmeticRefusal` outside these domains: correct the input the message names.
    """

    spot: float
    vol_annual: float
    first_s: float
    left: int
    settles_s: float
    seen_sum: float = 0.0
    bridge_s: float = 0.0

    def __post_init__(self) -> None:
        """Check every domain once."""
        if not (
            PRICE_MIN <= self.spot <= PRICE_MAX
            and 0.0 <= self.vol_annual <= VOL_MAX
            and 0.0 <= self.first_s <= SECONDS_AHEAD_MAX
            and 0 <= self.left <= WINDOW_SECONDS
            and 0.0 <= self.seen_sum <= WINDOW_SECONDS * PRICE_MAX
            and (self.seen_sum > 0.0) == (self.left < WINDOW_SECONDS)
            and max(self.first_s + self.left - 1, 0.0) <= self.settles_s <= SECONDS_AHEAD_MAX
            and 0.0 <= self.bridge_s <= WINDOW_SECONDS**3
        ):
            raise ArithmeticRefusal(
                f"{self} cannot be priced; give positive dollars, vol_annual in [0, {VOL_MAX:g}], seconds from 0 to "
                f"{SECONDS_AHEAD_MAX:g} with the settlement after the strike, and "
                f"seen_sum above 0 exactly when left is below {WINDOW_SECONDS}"
            )


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Settlement mean less strike mean: expectation and standard deviation, dollars."""

    mean: float
    sd: float


def difference(inputs: UpDownInputs) -> Difference:
    """Give the law of settlement mean − strike mean."""
    a1, n1 = inputs.first_s, inputs.left
    shared = (n1 * a1 + n1 * (n1 - 1) / 2) / WINDOW_SECONDS
    seconds = variance_multiplier(inputs.settles_s, WINDOW_SECONDS) + variance_multiplier(a1, n1) - 2.0 * shared
    seconds += inputs.bridge_s / WINDOW_SECONDS**2
    per_second = inputs.vol_annual / math.sqrt(SECONDS_PER_YEAR)
    return Difference(
        mean=((WINDOW_SECONDS - n1) * inputs.spot - inputs.seen_sum) / WINDOW_SECONDS,
        sd=inputs.spot * per_second * math.sqrt(max(seconds, 0.0)),
    )


def probability_up(inputs: UpDownInputs, round_digits: int | None = None) -> float:
    """Give the probability that the settlement mean is at least the strike, before the strike is known.

    `round_digits`: both are rounded half up to so many decimals first. A tie pays, which is worth half a unit of
    the last digit. Without volatility it is a step, at a tie 1. Raises `ArithmeticRefusal` for digits outside 0 to 8.
    """
    if round_digits is not None and not 0 <= round_digits <= E8_DIGITS:
        raise ArithmeticRefusal(f"round_digits is {round_digits}; give 0 to {E8_DIGITS} decimals")
    law = difference(inputs)
    tie = 0.0 if round_digits is None else 0.5 * 10.0**-round_digits
    if law.sd == 0.0:
        return float(law.mean + tie >= 0.0)
    return normal_cdf((law.mean + tie) / law.sd - law.sd / (2.0 * inputs.spot))
