"""Netting across the markets of one event: how much collateral overlaps and is returned.

Within a market every account nets, always: NO bought while long YES closes YES, a dollar a pair. Across markets
collateral overlaps when their results exclude each other (ranges: at most one pays) or contain each other
(thresholds: a higher one never pays without the lower). What the positions of an event bring in the outcome that is
worst for them is certain, and a subaccount that nets may use it before the event settles.

The venue names both kinds of event and the switch by subaccount; it publishes neither the amount nor whether new
accounts net. Here the amount is that certain payout, less what resting orders could still take from it by closing
positions at their prices; orders that open lock in full as ever. That every market resolves NO is always among the
outcomes: so they do when prints are missing.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from fairstrike.core.contract import Comparison, Contract, settle
from fairstrike.core.timing import WINDOW_SECONDS

MUTUALLY_EXCLUSIVE, NESTED = "MECNET", "DIRECNET"


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """The markets of an event whose collateral overlaps; `outcomes` are the sets of tickers that can pay YES at once.

    The empty set is always one of them.
    """

    event_ticker: str
    tickers: tuple[str, ...]
    outcomes: frozenset[frozenset[str]]

    def least_ud(self, held: Mapping[str, tuple[int, int]]) -> int:
        """Give what positions bring in their worst outcome, in microdollars, never below 0.

        `held` maps ticker to what its position brings if the market resolves NO and if YES.
        """
        none_ud = sum(no_ud for no_ud, _ in held.values())
        gains = {ticker: yes_ud - no_ud for ticker, (no_ud, yes_ud) in held.items()}
        worst_ud = min(sum(gains[ticker] for ticker in paying & gains.keys()) for paying in self.outcomes)
        return max(none_ud + worst_ud, 0)


def basket_of(contracts: Sequence[Contract]) -> Basket | None:
    """Give the basket of an event's markets, None when their collateral does not overlap.

    A market without its strikes stays outside: nothing is certain of it.
    """
    struck = [contract for contract in contracts if contract.is_struck]
    if len(struck) < 2 or not collateral_return(contracts):
        return None
    edges = {edge for contract in struck for edge in (contract.floor_e8, contract.cap_e8) if edge is not None}
    values = {edge + step for edge in edges for step in (-1, 0, 1)}
    outcomes = {
        frozenset(each.ticker for each in struck if settle(each, (value_e8,) * WINDOW_SECONDS)) for value_e8 in values
    }
    return Basket(
        event_ticker=struck[0].event_ticker,
        tickers=tuple(each.ticker for each in struck),
        outcomes=frozenset({frozenset[str](), *outcomes}),
    )


def collateral_return(contracts: Iterable[Contract]) -> str:
    """Give how an event's markets overlap: one of them pays, thresholds contain each other, or nothing to say."""
    kinds = {contract.comparison for contract in contracts}
    if kinds & {Comparison.BETWEEN, Comparison.BELOW}:
        return MUTUALLY_EXCLUSIVE
    return "" if Comparison.AT_LEAST in kinds else NESTED
