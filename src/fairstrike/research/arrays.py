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
from fairstrike.pricing.tails import fattened

Array = npt.NDArray[np.float64]

_BASE_LEAST = 1e-200


def digital_above(spot: float, strikes: Array, vol_annual: float, years: float) -> Array:
    """Give `digitals_above` for an array of strikes, of any shape: an array of that shape.

    Numbers of another type are taken as doubles. Domain, limits and `Raises` are those of `digitals_above`.
    """
    strikes = np.asarray(strikes, dtype=np.float64)
    sd = log_sd(spot, vol_annual, years)
    _extent(strikes, PRICE_MIN, PRICE_MAX)
    if sd == 0.0:
        return np.where(strikes == spot, 0.5, (strikes < spot).astype(np.float64))
    return np.asarray(ndtr(np.log(spot / strikes) / sd - 0.5 * sd))


def probability_above(law: SettlementLaw, thresholds: Array) -> Array:
    """Give `probabilities_above` for an array of thresholds (dollars), of any shape: an array of that shape.

    Types as in `digital_above`, `Raises` as there.
    """
    thresholds = np.asarray(thresholds, dtype=np.float64)
    lowest, highest = _extent(thresholds, -THRESHOLD_MAX, THRESHOLD_MAX)
    ahead, floor = thresholds - law.known, law.known - law.lowered
    if law.log_sd:
        base = ahead + law.lowered if law.lowered else ahead
        if lowest <= floor:
            # At and below its floor the mean is certainly above; just above it p is 1 as well.
            base = np.maximum(base, _BASE_LEAST)
        move = (law.median - ahead) / base
        if highest - floor > 2.0 * law.width:
            is_far = move <= -0.5
            log_move = np.where(is_far, np.log(law.width / base), np.log1p(np.maximum(move, -0.5)))
        else:
            log_move = np.log1p(move)
        p = np.asarray(ndtr(log_move / law.log_sd))
    elif law.sd:
        p = np.asarray(ndtr((law.median - ahead) / law.sd))
    else:
        p = np.asarray(ahead < law.median, dtype=np.float64)
    if law.is_doubtful:
        p = np.clip(p, DOUBT, 1.0 - DOUBT)
    if law.tails is None:
        return p
    return np.array([fattened(float(each), law.tails) for each in p.flat]).reshape(p.shape)


def _extent(values: Array, least: float, most: float) -> tuple[float, float]:
    """Give the lowest and the highest value, which must lie within bounds; of no values a range that holds none."""
    if not values.size:
        return most, least
    lowest, highest = np.minimum.reduce(values, axis=None), np.maximum.reduce(values, axis=None)
    # The lowest and the highest of an array that holds a NaN are NaN, which is never within.
    if not (least <= lowest and highest <= most):
        raise ArithmeticRefusal(f"a strike is outside {least:g} to {most:g} dollars, or no number; leave it out")
    return float(lowest), float(highest)
