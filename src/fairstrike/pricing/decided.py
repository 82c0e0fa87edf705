"""Whether a market's outcome is decided although prints are still to come.

Of a settlement window P is the sum of the prints seen and n the number left. Whoever believes that every print left
stays within S(1 ± b) knows the mean to lie between (P + n·S(1 − b)) / 60 and (P + n·S(1 + b)) / 60. The outcome is
decided when the settlement rule, `core.contract.settle`, gives one answer over all of that span. The bound is a belief
of its holder: three times the largest move of that horizon in the last week is a beginning, certainty it is not.
"""

import math

import msgspec

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import WINDOW_SECONDS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.pricing.settlement import THRESHOLD_MAX, SettlementInputs, pays

_SLIP_BITS = 50
_TOTAL_MAX_E8 = 2**53
"""Up to here a float holds every sum of prints."""


def required_mean(inputs: SettlementInputs, threshold: float) -> float | None:
    """Give the mean, dollars, that the prints left must have for the settlement mean to be `threshold`.

    None when no print is left. Raises `ArithmeticRefusal` for a threshold that is no number or beyond 1e15.
    """
    if not abs(threshold) <= THRESHOLD_MAX:
        raise ArithmeticRefusal(f"threshold is {threshold!r}; give dollars, at most {THRESHOLD_MAX:g}")
    if not inputs.left:
        return None
    return (WINDOW_SECONDS * threshold - inputs.seen_sum) / inputs.left


def decided(contract: Contract, inputs: SettlementInputs, move_max: float) -> bool | None:
    """Give whether a contract certainly pays, None while both outcomes are possible.

    `move_max` bounds how far any print left may be from `inputs.spot`, as a share of it (0.001 is 0.1 %). While the
    reference price has an error or a print is missing nothing is decided, nor where the mean may be beyond a million
    and a half dollars, whose last digit no float holds. The contract must have its strikes.
    Raises `ArithmeticRefusal` for a bound outside [0, 1]: give a share.
    """
    if not 0.0 <= move_max <= 1.0:
        raise ArithmeticRefusal(f"move_max is {move_max!r}; give a share of the spot, from 0 to 1")
    if inputs.sd_dollars or inputs.bridge_s:
        return None
    if contract.comparison is Comparison.BETWEEN:
        # A range pays at its floor and above but not beyond its cap: two thresholds, each decided for itself.
        over_floor = decided(_as(contract, Comparison.AT_LEAST, contract.floor_e8), inputs, move_max)
        over_cap = decided(_as(contract, Comparison.ABOVE, contract.cap_e8), inputs, move_max)
        if over_floor is False or over_cap is True:
            return False
        return True if over_floor and over_cap is False else None
    left = inputs.left * inputs.spot
    lowest = math.floor((inputs.seen_sum + left * (1.0 - move_max)) * E8_PER_DOLLAR)
    highest = math.ceil((inputs.seen_sum + left * (1.0 + move_max)) * E8_PER_DOLLAR)
    # Beyond 187 000 dollars a print, four roundings of a double come to whole units.
    slip = highest >> _SLIP_BITS
    lowest, highest = lowest - slip, highest + slip
    if not inputs.left:
        lowest = highest = round(inputs.seen_sum * E8_PER_DOLLAR)
    if highest > _TOTAL_MAX_E8:
        return None
    at_lowest, at_highest = pays(contract, lowest), pays(contract, highest)
    return at_lowest if at_lowest is at_highest else None


def _as(contract: Contract, comparison: Comparison, floor_e8: int | None) -> Contract:
    return msgspec.structs.replace(contract, comparison=comparison, floor_e8=floor_e8, cap_e8=None)
