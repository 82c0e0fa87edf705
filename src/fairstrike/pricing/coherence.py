"""Prices of one settlement group that cannot all be right: a sure gain after taker fees, per one contract each.

Three relations are looked at. A *partition*, markets that part all outcomes among them without gap or overlap: buying
every YES costs less than the dollar one of them pays, or selling YES wherever somebody bids brings more than the
dollar that must be paid at most. And *thresholds*: a higher strike bid above a lower strike's ask.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise

import msgspec

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.order import Side
from fairstrike.core.units import CC_PER_CONTRACT, E8_PER_DOLLAR, UD_PER_DOLLAR

_GAP_MAX_E8 = E8_PER_DOLLAR // 100
"""Ranges of whole cents leave a cent between them: settlement values have no finer one."""


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """A market's best prices in ticks, None where nobody bids or offers."""

    contract: Contract
    bid_ticks: int | None
    ask_ticks: int | None


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One contract bought (a bid) or sold (an ask) at a price, ticks."""

    ticker: str
    side: Side
    price_ticks: int


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """Legs that together gain `gain_ud` microdollars or more after fees, whatever the settlement value is."""

    kind: str
    legs: tuple[Leg, ...]
    gain_ud: int


def violations(quoted: Sequence[Quoted], fee_ud: Callable[[int], int]) -> list[Violation]:
    """Give what gains more than nothing. `quoted` are struck markets of one settlement group.

    `fee_ud` gives the taker fee of one contract at a price in ticks.
    """
    found = [*_partitions(quoted, fee_ud), *_thresholds(quoted, fee_ud)]
    return [violation for violation in found if violation.gain_ud > 0]


def parts_everything(contracts: Sequence[Contract]) -> bool:
    """Whether exactly one of these contracts pays, whatever the settlement value (whole cents) is."""
    ordered = sorted(contracts, key=lambda contract: -1 if contract.floor_e8 is None else contract.floor_e8)
    kinds = [contract.comparison for contract in ordered]
    if len(kinds) < 2 or kinds[0] is not Comparison.BELOW or kinds[-1] is not Comparison.ABOVE:
        return False
    if any(kind is not Comparison.BETWEEN for kind in kinds[1:-1]):
        return False
    return all(_adjoin(low, high) for low, high in pairwise(ordered))


def _adjoin(low: Contract, high: Contract) -> bool:
    if low.cap_e8 is None or high.floor_e8 is None:
        return False
    # "Less than" leaves its bound out and "greater than" leaves it out too: between them lies a cent, or nothing.
    starts = high.floor_e8 + (_GAP_MAX_E8 if high.comparison is Comparison.ABOVE else 0)
    ends = low.cap_e8 - (_GAP_MAX_E8 if low.comparison is Comparison.BELOW else 0)
    return starts - ends == _GAP_MAX_E8


def _partitions(quoted: Sequence[Quoted], fee_ud: Callable[[int], int]) -> Iterator[Violation]:
    events: dict[str, list[Quoted]] = {}
    for one in quoted:
        events.setdefault(one.contract.event_ticker, []).append(one)
    for members in events.values():
        if not parts_everything([one.contract for one in members]):
            continue
        asks = [(one.contract.ticker, one.ask_ticks) for one in members if one.ask_ticks is not None]
        if len(asks) == len(members):
            legs = tuple(Leg(ticker=ticker, side=Side.BID, price_ticks=ask) for ticker, ask in asks)
            yield Violation(kind="partition bought", legs=legs, gain_ud=UD_PER_DOLLAR - _paid_ud(legs, fee_ud))
        bids = [(one.contract.ticker, one.bid_ticks) for one in members if one.bid_ticks is not None]
        legs = tuple(
            Leg(ticker=ticker, side=Side.ASK, price_ticks=bid)
            for ticker, bid in bids
            if bid * CC_PER_CONTRACT > fee_ud(bid)
        )
        yield Violation(kind="partition sold", legs=legs, gain_ud=-_paid_ud(legs, fee_ud) - UD_PER_DOLLAR)


def _thresholds(quoted: Sequence[Quoted], fee_ud: Callable[[int], int]) -> Iterator[Violation]:
    above = [one for one in quoted if one.contract.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)]
    above.sort(key=lambda one: one.contract.floor_e8 or 0)
    for low, high in combinations(above, 2):
        if low.ask_ticks is None or high.bid_ticks is None or low.contract.floor_e8 == high.contract.floor_e8:
            continue
        if high.bid_ticks > low.ask_ticks:
            legs = (
                Leg(ticker=low.contract.ticker, side=Side.BID, price_ticks=low.ask_ticks),
                Leg(ticker=high.contract.ticker, side=Side.ASK, price_ticks=high.bid_ticks),
            )
            yield Violation(kind="thresholds", legs=legs, gain_ud=-_paid_ud(legs, fee_ud))


def _paid_ud(legs: Sequence[Leg], fee_ud: Callable[[int], int]) -> int:
    """Give what one contract of each leg costs, fees included; what is received counts against it."""
    return sum(leg.side.sign * leg.price_ticks * CC_PER_CONTRACT + fee_ud(leg.price_ticks) for leg in legs)
