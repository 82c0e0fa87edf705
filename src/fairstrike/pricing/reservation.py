"""What a holder of contracts would pay or take for one more, and what a quote costs that stands too long.

Under exponential utility with risk aversion γ per dollar, q contracts of a binary with probability p held to its end
have the certainty equivalent CE(q) = −ln(1 − p + p·e^(−γq)) / γ. Its derivative is expit(logit p − γq): inventory skews
linearly in the logit, exactly, and stays in (0, 1). One contract more is worth CE(q + 1) − CE(q). For a ladder see
`distribution.tilted`, which is the same for many states.
"""

import math

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import expit

_EXPONENT_MIN, _EXPONENT_MAX = 1e-12, 700.0
"""Where the utility is a straight line, and where e^x is about to overflow."""

_SIZE_MIN, _DECAY_MIN = 1e-6, 1e-9
_HELD_MAX = _GAMMA_MAX = 1e12
_HUGE = 1e100


def reservation_price(p: float, held: float, gamma: float) -> float:
    """Give the price at which a holder of `held` contracts (negative: sold) neither buys nor sells a little.

    `p` in [0, 1]; `gamma` per dollar, 0 to 1e12; `held` at most 1e12 either way. Raises `ArithmeticRefusal` outside
    these domains.
    """
    _require(p, held, gamma)
    if p in (0.0, 1.0):
        return p
    return expit(math.log(p / (1.0 - p)) - gamma * held)


def indifference_bid(p: float, held: float, gamma: float, size: float = 1.0) -> float:
    """Give the most dollars a contract that the holder pays for `size` more, at least a millionth of a contract.

    Domain as in `reservation_price`.
    """
    _require(p, held, gamma)
    if not _SIZE_MIN <= size <= _HELD_MAX:
        raise ArithmeticRefusal(f"size is {size!r}; give a number of contracts from {_SIZE_MIN:g} to {_HELD_MAX:g}")
    return (_certainty(p, held + size, gamma) - _certainty(p, held, gamma)) / size


def indifference_ask(p: float, held: float, gamma: float, size: float = 1.0) -> float:
    """Give the least dollars a contract for which the holder sells `size`. Domain as in `reservation_price`."""
    return indifference_bid(p, held - size, gamma, size)


def half_spread(gamma: float, decay: float) -> float:
    """Give the half spread, dollars, that suits a fill rate falling as exp(−`decay` × distance in dollars).

    Without risk aversion it is 1 / `decay`. Add the fee and `stale_quote_cost`.
    Raises `ArithmeticRefusal` for a decay outside [1e-9, 1e12] or a `gamma` outside [0, 1e12].
    Source: Avellaneda and Stoikov 2008, ln(1 + γ/k) / γ.
    """
    if not (_DECAY_MIN <= decay <= _GAMMA_MAX and 0.0 <= gamma <= _GAMMA_MAX):
        raise ArithmeticRefusal(f"gamma {gamma!r}, decay {decay!r}: give 0 or more and above 0, up to {_GAMMA_MAX:g}")
    return math.log1p(gamma / decay) / gamma if gamma / decay > _EXPONENT_MIN else 1.0 / decay


def stale_quote_cost(slope: float, dollars_per_root_second: float, latency_s: float) -> float:
    """Give the expected move against a quote, dollars a contract, until it can be withdrawn.

    `slope` is ∂P/∂S a dollar (`settlement.slope_above`), `dollars_per_root_second` the index's standard deviation in a
    second. It is what the fastest taker gains when every move is picked off: slope · σ_$ · √(L / 2π).
    Raises `ArithmeticRefusal` for a latency or standard deviation below 0, or what is no number up to 1e100.
    """
    if not (abs(slope) <= _HUGE and 0.0 <= dollars_per_root_second <= _HUGE and 0.0 <= latency_s <= _HUGE):
        raise ArithmeticRefusal(
            f"slope {slope!r}, dollars_per_root_second {dollars_per_root_second!r}, latency_s {latency_s!r}: "
            "give numbers, the last two 0 or more"
        )
    return abs(slope) * dollars_per_root_second * math.sqrt(latency_s / (2.0 * math.pi))


def _certainty(p: float, held: float, gamma: float) -> float:
    exponent = -gamma * held
    if abs(exponent) < _EXPONENT_MIN or p in (0.0, 1.0):
        return p * held
    if exponent > _EXPONENT_MAX:
        # 1 − p and −1 are nothing beside it.
        return -(math.log(p) + exponent) / gamma
    return -math.log1p(p * math.expm1(exponent)) / gamma


def _require(p: float, held: float, gamma: float) -> None:
    if not (0.0 <= p <= 1.0 and abs(held) <= _HELD_MAX and 0.0 <= gamma <= _GAMMA_MAX):
        raise ArithmeticRefusal(
            f"p {p!r}, held {held!r}, gamma {gamma!r}: give p in [0, 1], gamma 0 or more, neither beyond 1e12"
        )
