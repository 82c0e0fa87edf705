"""How much to buy: the fraction of a bankroll that lets it grow fastest, and less than that.

Of one binary with probability p at cost c, price and fee together, Kelly stakes f* = (p − c)/(1 − c); the log of the
bankroll then grows by p·ln(1 + f(1 − c)/c) + (1 − p)·ln(1 − f) a bet. p is never known: believing 0.93 where 0.91 is
true full Kelly loses, a quarter of it breaks even. So a fraction is staked, fixed or ramped up with the edge.

Claims on one settlement value are one bet. Jointly the stakes f solve

    max Σ_s π_s · ln(1 + Σ_j f_j (y_js / c_j − 1)),   f ≥ 0, Σ f ≤ 1,

a concave problem over the simplex of stakes and cash. It is solved by moving stake from the asset with the least
marginal growth to that with the most until no move gains; the most that is left to gain is then known (Cover 1984).

Source: Kelly 1956; Thorp 2006.
"""

import math
from collections.abc import Sequence

import msgspec

from fairstrike.core.bounds import Share
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.order import Side
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR, UD_PER_DOLLAR

_MOVES_MAX = 5_000
_GAIN_LEAST = 1e-10
_NEWTON_MAX = 60
_COST_MIN = 1e-9
_PAYOFF_MAX = 1e9
_WEALTH_MIN = 1e-280
"""What is left where less than a float can hold is: of it a share and a logarithm can be taken."""

_BANKROLL_MAX_UD = 10**12 * UD_PER_DOLLAR


class Ramp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The multiple of Kelly by edge (dollars a contract after fees): `least` at `from_edge`, `most` at `to_edge`."""

    from_edge: Share = 0.04
    to_edge: Share = 0.12
    least: Share = 0.25
    most: Share = 1.0

    def multiple(self, edge: float) -> float:
        """Give the multiple at an edge; none below `from_edge`, and no more than `most` above `to_edge`.

        Raises `ArithmeticRefusal` for an edge that is no number.
        """
        if math.isnan(edge):
            raise ArithmeticRefusal("the edge is no number; give dollars a contract")
        if edge < self.from_edge:
            return 0.0
        if edge >= self.to_edge:
            return self.most
        return self.least + (self.most - self.least) * (edge - self.from_edge) / (self.to_edge - self.from_edge)


def kelly_fraction(p: float, cost: float) -> float:
    """Give the share of the bankroll to stake on a claim of probability `p` that costs `cost` dollars, fee included.

    0 without an edge. Raises `ArithmeticRefusal` for what is no probability, p in [0, 1], or no cost, [1e-9, 1].
    """
    _require(p, cost)
    return 0.0 if p <= cost else (p - cost) / (1.0 - cost)


def growth(p: float, cost: float, fraction: float) -> float:
    """Give the expected growth of the bankroll's logarithm from staking `fraction`; −inf where all may be lost.

    Raises `ArithmeticRefusal` as `kelly_fraction`, and for a fraction outside [0, 1].
    """
    _require(p, cost)
    if not 0.0 <= fraction <= 1.0:
        raise ArithmeticRefusal(f"fraction is {fraction!r}; give a share of the bankroll")
    won = p * math.log1p(fraction * (1.0 - cost) / cost)
    if p == 1.0:
        return won
    return won + (1.0 - p) * math.log1p(-fraction) if fraction < 1.0 else -math.inf


def cost_of(schedule: FeeSchedule, side: Side, price_ticks: int, *, is_maker: bool) -> float:
    """Give the dollars that one contract costs with its fee: of YES for a bid, of NO for an ask, at a YES price."""
    paid_ticks = price_ticks if side is Side.BID else TICKS_PER_DOLLAR - price_ticks
    fee_ud = trade_fee_ud(schedule, price_ticks, CC_PER_CONTRACT, is_maker=is_maker)
    return (paid_ticks * CC_PER_CONTRACT + fee_ud) / UD_PER_DOLLAR


def kelly_size_cc(p_side: float, cost: float, bankroll_ud: int, multiple: float = 1.0) -> int:
    """Give the whole contracts (`_cc`) that `multiple` times Kelly buys, rounded down.

    `p_side` is the probability that the side bought pays, `cost` that of one contract (`cost_of`). Raises
    `ArithmeticRefusal` as `kelly_fraction`, for a multiple outside [0, 1] and a bankroll beyond a trillion dollars.
    """
    if not 0.0 <= multiple <= 1.0:
        raise ArithmeticRefusal(f"multiple is {multiple!r}; give a share of Kelly, from 0 to 1")
    if bankroll_ud > _BANKROLL_MAX_UD:
        raise ArithmeticRefusal(f"the bankroll is {bankroll_ud} microdollars; give what an account can hold")
    staked_ud = kelly_fraction(p_side, cost) * multiple * max(bankroll_ud, 0)
    return int(staked_ud / (cost * UD_PER_DOLLAR)) * CC_PER_CONTRACT


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of a side on offer: dollars with fee, and dollars paid in each state."""

    cost: float
    payoff: tuple[float, ...]


class JointStakes(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the bankroll for each claim, their growth, and the most that other stakes could add to it."""

    fractions: tuple[float, ...]
    growth: float
    gap: float


def joint_kelly(probabilities: Sequence[float], claims: Sequence[Claim]) -> JointStakes:
    """Give the stakes on claims of one settlement event that grow the bankroll fastest.

    `probabilities` are those of the states, adding up to 1. Raises `ArithmeticRefusal` for others, for a cost outside
    [1e-9, 1e9], and for payoffs outside [0, 1e9] or of another number of states.
    """
    states = len(probabilities)
    if not (all(0.0 <= p <= 1.0 for p in probabilities) and abs(math.fsum(probabilities) - 1.0) < 1e-9):
        raise ArithmeticRefusal("the probabilities of the states are not shares that add up to 1; scale them")
    for claim in claims:
        if not _COST_MIN <= claim.cost <= _PAYOFF_MAX or len(claim.payoff) != states:
            raise ArithmeticRefusal(f"a claim costs {claim.cost!r} and has {len(claim.payoff)} payoffs of {states}")
        if not all(0.0 <= dollars <= _PAYOFF_MAX for dollars in claim.payoff):
            raise ArithmeticRefusal("a claim pays a negative or unknown amount; give dollars of 0 or more")
    # A state that cannot happen does not count. Asset 0 is cash.
    live = [state for state in range(states) if probabilities[state] > 0.0]
    pi = [probabilities[state] for state in live]
    returns = [[1.0] * len(live), *([claim.payoff[s] / claim.cost for s in live] for claim in claims)]
    shares, gap = _settled(pi, returns)
    wealth = _wealth(shares, returns)
    return JointStakes(
        fractions=tuple(shares[1:]),
        growth=math.fsum(p * math.log(w) for p, w in zip(pi, wealth, strict=True)),
        gap=gap,
    )


def _settled(pi: Sequence[float], returns: Sequence[Sequence[float]]) -> tuple[list[float], float]:
    shares = [1.0] + [0.0] * (len(returns) - 1)
    gap = math.inf
    for _ in range(_MOVES_MAX):
        wealth = _wealth(shares, returns)
        weights = [p / w for p, w in zip(pi, wealth, strict=True)]
        gains = [math.fsum(x * weight for x, weight in zip(asset, weights, strict=True)) for asset in returns]
        best = max(range(len(returns)), key=gains.__getitem__)
        worst = min((asset for asset in range(len(returns)) if shares[asset] > 0.0), key=gains.__getitem__)
        gap = gains[best] - 1.0
        if gap < _GAIN_LEAST:
            break
        moved = _best_move(pi, wealth, returns[best], returns[worst], shares[worst])
        shares[best] += moved
        shares[worst] = max(shares[worst] - moved, 0.0)
    return shares, max(gap, 0.0)


def _best_move(
    pi: Sequence[float], wealth: Sequence[float], to: Sequence[float], of: Sequence[float], most: float
) -> float:
    """Give how much to move from one asset to another: where growth is flat, or all of it (Newton in a bracket)."""
    change = [a - b for a, b in zip(to, of, strict=True)]
    low, high, at = 0.0, most, 0.5 * most
    if _slope(pi, wealth, change, most)[0] >= 0.0:
        return most
    for _ in range(_NEWTON_MAX):
        slope, bend = _slope(pi, wealth, change, at)
        low, high = (at, high) if slope > 0.0 else (low, at)
        step = at - slope / bend if bend < 0.0 else 0.5 * (low + high)
        after = step if low < step < high else 0.5 * (low + high)
        if abs(after - at) <= 1e-16:
            break
        at = after
    # Not all of it pays: a rest is kept, or a state that can happen would be left with nothing.
    return at


def _slope(pi: Sequence[float], wealth: Sequence[float], change: Sequence[float], moved: float) -> tuple[float, float]:
    slope = bend = 0.0
    for p, w, d in zip(pi, wealth, change, strict=True):
        left = w + moved * d
        if left <= 0.0:
            return -math.inf, 0.0
        rate = d / left
        slope += p * rate
        bend -= p * rate * rate
    return slope, bend


def _wealth(shares: Sequence[float], returns: Sequence[Sequence[float]]) -> list[float]:
    held = [(share, asset) for share, asset in zip(shares, returns, strict=True) if share > 0.0]
    states = range(len(returns[0]))
    return [max(math.fsum(share * asset[state] for share, asset in held), _WEALTH_MIN) for state in states]


def _require(p: float, cost: float) -> None:
    if not (0.0 <= p <= 1.0 and _COST_MIN <= cost <= 1.0):
        raise ArithmeticRefusal(f"p {p!r} at cost {cost!r}: give a probability, and dollars above 0 up to 1")
