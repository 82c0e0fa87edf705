"""The closed forms over NumPy arrays of strikes, for studies of thousands at once.

The definitions are `pricing.digital.digitals_above` and `pricing.settlement.probabilities_above`, which the trader uses
and which need no NumPy; these are the same formulas element by element, held against them to 1e-13. A law is made by
`settlement_law` for both: nothing about the settlement mean is written twice.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import PRICE_MAX, PRICE_MIN, log_sd
from fairstrike.pricing.settlement import DOUBT, THRESHOLD_MAX, SettlementLaw

Array = npt.NDArray[np.float64]

_BASE_LEAST = 1e-200
_MOVE_LEAST = -1.0 + 1e-15
"""A threshold a quadrillion times the spot: its probability is 0 to the last digit of a float."""


def digital_above(spot: float, strikes: Array, vol_annual: float, years: float) -> Array:
    """Give `digitals_above` for an array of strikes, of any shape: an array of that shape.

    Domain, limits and `Raises` are those of `digitals_above`.
    """
    sd = log_sd(spot, vol_annual, years)
    _require_within(strikes, PRICE_MIN, PRICE_MAX)
    if sd == 0.0:
        return np.where(strikes == spot, 0.5, (strikes < spot).astype(np.float64))
    z = np.divide(spot, strikes)
    np.log(z, out=z)
    np.divide(z, sd, out=z)
    np.subtract(z, 0.5 * sd, out=z)
    return np.asarray(ndtr(z, out=z))


def probability_above(law: SettlementLaw, thresholds: Array) -> Array:
    """Give `probabilities_above` for an array of thresholds (dollars), of any shape: an array of that shape.

    `Raises` as there.
    """
    _require_within(thresholds, -THRESHOLD_MAX, THRESHOLD_MAX)
    required = np.multiply(thresholds, law.required_scale)
    np.subtract(required, law.required_shift, out=required)
    if law.log_sd:
        # The base is positive where the law is defined and p is 1 where it is not, as it is just above zero.
        base = np.maximum(required + law.skew_shift if law.skew_shift else required, _BASE_LEAST)
        z = np.subtract(law.centre, required, out=required)
        np.divide(z, base, out=z)
        np.maximum(z, _MOVE_LEAST, out=z)
        np.log1p(z, out=z)
        np.divide(z, law.log_sd, out=z)
        np.subtract(z, 0.5 * law.log_sd, out=z)
        p = np.asarray(ndtr(z, out=z))
    elif law.sd:
        p = np.asarray(ndtr((law.centre - required) / law.sd))
    else:
        p = (required < law.centre).astype(np.float64)
    return np.clip(p, DOUBT, 1.0 - DOUBT) if law.is_doubtful else p


def _require_within(values: Array, least: float, most: float) -> None:
    # The least and the most of an array that holds a NaN are NaN, which is never within.
    if values.size and not (least <= values.min() and values.max() <= most):
        raise ArithmeticRefusal(f"a strike is outside {least:g} to {most:g} dollars, or no number; leave it out")
