"""One distribution for all markets that one settlement value settles.

The bounds of every contract of a settlement group, thresholds, ranges with their tails and the window that closes with
them, cut the settlement mean into states: 0 below the lowest edge, i between edge i − 1 and edge i, the last above all.
A contract pays in a run of neighbouring states, so a distribution over states prices them all, and no two prices can
contradict each other. The cent between a range's cap and the next one's floor is a state of its own: nothing rounds the
mean of hourly markets, and a package that pays "always" may not pay there. So is a strike itself where one market pays
from it on and another only beyond it.

    model     differences of the settlement law at the edges
    market    the one nearest to a prior that every quote allows: a bid less its fee and an ask plus its fee bound what
              their market may be worth, and between them the prior decides (`fitted`)
    tilted    π_s · e^(−γ W_s), W_s being what is held pays in s: its prices are those at which a holder with risk
              aversion γ is indifferent, for every strike at once (`reservation` tells the same of one strike)
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from operator import sub

import msgspec

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR, UD_PER_DOLLAR
from fairstrike.pricing.settlement import SettlementLaw, payoff_interval, probabilities_above

_SLACK_FIRST = 1.0 / TICKS_PER_DOLLAR
_ROUNDING = 1e-12
_UNITY = 1e-6
_HELD_MAX = _GAMMA_MAX = _TOTAL_MAX = 1e12
_PAYOFF_MAX = 1e24


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """The states of a settlement group. `edges` are dollars, rising; `spans` gives each ticker's run of states,
    the first that pays and the first after it that does not. Made by `ladder_of`.

    An edge that stands twice has a state for the mean that is the edge itself. A run without a state never pays.
    """

    edges: tuple[float, ...]
    spans: dict[str, tuple[int, int]]


def ladder_of(contracts: Iterable[Contract]) -> Ladder:
    """Give the states of contracts that one value settles; those whose strike is unknown are left out."""
    runs = {one.ticker: _run(one) for one in contracts if one.is_struck}
    cuts = sorted({cut for run in runs.values() for cut in run if cut is not None})
    spans: dict[str, tuple[int, int]] = {}
    for ticker, (low, high) in runs.items():
        first = 0 if low is None else bisect_left(cuts, low) + 1
        after = len(cuts) + 1 if high is None else bisect_left(cuts, high) + 1
        spans[ticker] = (first, max(first, after))
    return Ladder(edges=tuple(edge for edge, _ in cuts), spans=spans)


def gap_states(ladder: Ladder, width_max: float = 0.0101) -> tuple[int, ...]:
    """Give the states no wider than a cent (dollars): between a range's cap and the floor of the next.

    A strike that is a state of its own is none: a mean of whole cents may come to it.
    """
    widths = enumerate((high - low for low, high in pairwise(ladder.edges)), start=1)
    return tuple(state for state, width in widths if 0.0 < width <= width_max)


def model_weights(ladder: Ladder, law: SettlementLaw) -> list[float]:
    """Give the probability of each state by the settlement law; they add up to 1."""
    return _weights(probabilities_above(law, ladder.edges))


def prices(ladder: Ladder, weights: Sequence[float]) -> dict[str, float]:
    """Give the probability that each contract pays, by ticker.

    Raises `ArithmeticRefusal` for weights of another number of states, or that do not add up to a number.
    """
    below = [0.0, *accumulate(weights)]
    if len(weights) != len(ladder.edges) + 1 or not abs(below[-1]) <= _TOTAL_MAX:
        raise ArithmeticRefusal(f"{len(weights)} weights adding up to {below[-1]!r}: give one for each of the states")
    return {ticker: below[after] - below[first] for ticker, (first, after) in ladder.spans.items()}


def payoffs(ladder: Ladder, held: Mapping[str, float]) -> list[float]:
    """Give the dollars that net contracts (by ticker) pay in each state; sold ones (negative) take them.

    What was paid or received for them is apart.

    Raises `ArithmeticRefusal` for a ticker the ladder does not have, or more than 1e12 contracts: leave it out.
    """
    steps = [0.0] * (len(ladder.edges) + 3)
    for ticker, contracts in held.items():
        span = ladder.spans.get(ticker)
        if span is None or not abs(contracts) <= _HELD_MAX:
            raise ArithmeticRefusal(f"{contracts!r} contracts of {ticker} are none of this ladder's; leave them out")
        steps[span[0]] += contracts
        steps[span[1]] -= contracts
    return list(accumulate(steps[: len(ladder.edges) + 1]))


def tilted(weights: Sequence[float], payoff: Sequence[float], gamma: float) -> list[float]:
    """Give the weights under which a holder of `payoff` (dollars by state) with risk aversion `gamma` is indifferent.

    Raises `ArithmeticRefusal` for a `gamma` outside [0, 1e12], weights of another number of states, negative ones or
    none above 0, and where a payoff is no number.
    """
    if not weights or len(weights) != len(payoff) or not 0.0 <= gamma <= _GAMMA_MAX:
        raise ArithmeticRefusal(f"{len(weights)} weights, {len(payoff)} payoffs, gamma {gamma!r}: they do not fit")
    if not (min(weights) >= 0.0 and 0.0 < sum(weights) <= _TOTAL_MAX and abs(sum(payoff)) <= _PAYOFF_MAX):
        raise ArithmeticRefusal("the weights are no shares, or the payoffs no dollars; give what the ladder has")
    # Measured from the worst state no exponent is positive.
    exp, least = math.exp, min(payoff)
    raw = [weight * exp(gamma * (least - dollars)) for weight, dollars in zip(weights, payoff, strict=True)]
    total = sum(raw)
    if total == 0.0:
        # The worst state cannot happen, and those that can are too far above it for a float.
        worst = min(dollars for weight, dollars in zip(weights, payoff, strict=True) if weight > 0.0)
        raw = [w * exp(min(gamma * (worst - dollars), 0.0)) for w, dollars in zip(weights, payoff, strict=True)]
        total = sum(raw)
    return [weight / total for weight in raw]


def reservation_prices(
    ladder: Ladder, weights: Sequence[float], held: Mapping[str, float], gamma: float
) -> dict[str, float]:
    """Give the price of each contract at which its holder is indifferent, given everything `held` on the ladder."""
    return prices(ladder, tilted(weights, payoffs(ladder, held), gamma))


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Between which probabilities a market's quotes leave its worth open, fees counted; 0 and 1 without quotes."""

    low: float = 0.0
    high: float = 1.0


def band_of(bid_ticks: int | None, ask_ticks: int | None, schedule: FeeSchedule) -> Band:
    """Give the band of best prices, YES ticks, less and plus what taking them costs a contract."""
    low, high = 0.0, 1.0
    if bid_ticks is not None:
        low = max(bid_ticks / TICKS_PER_DOLLAR - _fee(schedule, bid_ticks), 0.0)
    if ask_ticks is not None:
        high = min(ask_ticks / TICKS_PER_DOLLAR + _fee(schedule, ask_ticks), 1.0)
    return Band(low=low, high=high)


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution fitted to quotes. `slack`: how far, in dollars, every band had to be widened for one to exist;
    above 0 the prices contradict each other. `ignored` ranges cross or hold another quoted one, or never pay.
    """

    weights: tuple[float, ...]
    slack: float
    ignored: tuple[str, ...]


def fitted(ladder: Ladder, bands: Mapping[str, Band], prior: Sequence[float]) -> Fit:
    """Give the distribution that every band allows and that is near `prior`, the weights of a model.

    From the low end, and from the high end, each edge's probability of a mean above it is taken as near to the prior's
    as the bands of the edges and ranges still to come permit; the mean of both keeps every band. Edges inside a quoted
    range divide it as the prior does.

    Raises `ArithmeticRefusal` for a prior of another number of states, one that is no distribution, and a band outside
    [0, 1].
    """
    edges = len(ladder.edges)
    if len(prior) != edges + 1 or not edges:
        raise ArithmeticRefusal(f"{len(prior)} weights for {edges} edges; give one more than edges, of a ladder of one")
    if not (min(prior) >= 0.0 and abs(sum(prior) - 1.0) < _UNITY):
        raise ArithmeticRefusal("the prior's weights are no shares that add up to 1; give those of a law")
    if not all(0.0 <= band.low <= 1.0 and 0.0 <= band.high <= 1.0 for band in bands.values()):
        raise ArithmeticRefusal("a band is not within 0 and 1; make it with band_of")
    above = list(accumulate(reversed(prior)))[-2::-1]
    ranges, ignored = _ranges(ladder, bands)
    inside = [edge for first, after, _ in ranges for edge in range(first, after - 1)]
    kept = sorted(set(range(edges)).difference(inside))
    slack = 0.0
    while True:
        lows, highs = _bounds(ladder, bands, slack)
        steps = {first - 1: Band(low=band.low - slack, high=band.high + slack) for first, _, band in ranges}
        lower = _chosen(kept, lows, highs, steps, above) if _is_open(lows, highs, steps.values()) else None
        if lower is not None:
            break
        slack = max(2.0 * slack, _SLACK_FIRST)
    # The same from the other end: what is above becomes what is below.
    mirrored = {edges - 1 - (after - 1): steps[first - 1] for first, after, _ in ranges}
    upper = _chosen(
        [edges - 1 - edge for edge in reversed(kept)],
        [1.0 - high for high in reversed(highs)],
        [1.0 - low for low in reversed(lows)],
        mirrored,
        [1.0 - p for p in reversed(above)],
    )
    assert upper is not None, "what is feasible from one end is feasible from the other"
    survival = {edge: 0.5 * (lower[edge] + 1.0 - upper[edges - 1 - edge]) for edge in kept}
    _divide(survival, inside, above, lows, highs)
    return Fit(weights=tuple(_weights([survival[edge] for edge in range(edges)])), slack=slack, ignored=tuple(ignored))


def _run(contract: Contract) -> tuple[tuple[float, bool] | None, tuple[float, bool] | None]:
    """Give the cuts between which a contract pays: an edge, and whether a mean that is the edge lies below the cut."""
    interval, comparison = payoff_interval(contract), contract.comparison
    # A mean that is rounded half up has left the value below at the edge itself.
    is_exact = contract.round_digits is None
    low = None if interval.low is None else (interval.low, is_exact and comparison is Comparison.ABOVE)
    high = None if interval.high is None else (interval.high, is_exact and comparison is Comparison.BETWEEN)
    return low, high


def _weights(above: Sequence[float]) -> list[float]:
    if not above:
        return [1.0]
    found = [1.0 - above[0], *map(sub, above, above[1:]), above[-1]]
    # The last digit of a float may fall the wrong way.
    return found if min(found) >= 0.0 else [max(weight, 0.0) for weight in found]


def _fee(schedule: FeeSchedule, price_ticks: int) -> float:
    return trade_fee_ud(schedule, price_ticks, CC_PER_CONTRACT, is_maker=False) / UD_PER_DOLLAR


def _ranges(ladder: Ladder, bands: Mapping[str, Band]) -> tuple[list[tuple[int, int, Band]], list[str]]:
    """Give the quoted ranges that stand side by side, as (first state, state after, band), and the others' tickers."""
    last = len(ladder.edges) + 1
    quoted = sorted(
        (after, -first, ticker)
        for ticker, (first, after) in ladder.spans.items()
        if ticker in bands and first > 0 and after < last
    )
    found: list[tuple[int, int, Band]] = []
    ignored: list[str] = []
    for after, negative, ticker in quoted:
        first = -negative
        if first == after or (found and first < found[-1][1]):
            ignored.append(ticker)
        else:
            found.append((first, after, bands[ticker]))
    return found, ignored


def _bounds(ladder: Ladder, bands: Mapping[str, Band], slack: float) -> tuple[list[float], list[float]]:
    """Give between what the probability above each edge lies: its own quotes', and those of edges around it."""
    last = len(ladder.edges) + 1
    lows, highs = [0.0] * (last - 1), [1.0] * (last - 1)
    for ticker, band in bands.items():
        first, after = ladder.spans.get(ticker, (0, last))
        if after == last and first > 0:
            edge, low, high = first - 1, band.low, band.high
        elif first == 0 and after < last:
            edge, low, high = after - 1, 1.0 - band.high, 1.0 - band.low
        else:
            continue
        lows[edge] = max(lows[edge], low - slack)
        highs[edge] = min(highs[edge], high + slack)
    highs = list(accumulate(highs, min))
    lows = list(accumulate(reversed(lows), max))[::-1]
    return lows, highs


def _is_open(lows: Sequence[float], highs: Sequence[float], steps: Iterable[Band]) -> bool:
    """Whether every edge, those inside quoted ranges too, and every range by itself is left some worth."""
    return all(low <= high + _ROUNDING for low, high in zip(lows, highs, strict=True)) and all(
        step.low <= step.high + _ROUNDING for step in steps
    )


def _chosen(
    kept: Sequence[int],
    lows: Sequence[float],
    highs: Sequence[float],
    steps: Mapping[int, Band],
    wanted: Sequence[float],
) -> dict[int, float] | None:
    """Give the probability above each kept edge, None when the bands contradict each other.

    `steps` bounds the fall from an edge to the next kept one; elsewhere it is anything from 0.
    """
    ahead: list[tuple[float, float]] = []
    low, high = lows[kept[-1]], highs[kept[-1]]
    for edge in reversed(kept):
        if ahead:
            step = steps.get(edge)
            fall_low, fall_high = (0.0, 1.0) if step is None else (max(step.low, 0.0), step.high)
            low, high = max(lows[edge], low + fall_low), min(highs[edge], high + fall_high)
        if low > high + _ROUNDING:
            return None
        ahead.append((low, max(low, high)))
    found: dict[int, float] = {}
    fall_low, fall_high, before = 0.0, 1.0, 1.0
    for edge, (low, high) in zip(kept, reversed(ahead), strict=True):
        low, high = max(low, before - fall_high), min(high, before - fall_low)
        before = found[edge] = max(min(wanted[edge], high), low)
        step = steps.get(edge)
        fall_low, fall_high = (0.0, 1.0) if step is None else (max(step.low, 0.0), step.high)
    return found


def _divide(
    survival: dict[int, float],
    inside: Sequence[int],
    above: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
) -> None:
    """Fill in the edges inside quoted ranges: what is left to the range's end is shared out as the prior has it."""
    ends = sorted(survival)
    for edge in sorted(inside):
        start, end = edge - 1, ends[bisect_left(ends, edge)]
        falls = above[start] - above[end]
        share = (above[start] - above[edge]) / falls if falls > 0.0 else 0.5
        p = survival[start] - share * (survival[start] - survival[end])
        p = max(min(p, highs[edge]), lows[edge])
        survival[edge] = max(min(p, survival[start]), survival[end])
