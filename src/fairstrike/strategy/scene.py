"""The scene: all that matters to a strategy at one decision."""

from collections.abc import Callable

from fairstrike.core.computing import Answer
from fairstrike.core.contract import Contract
from fairstrike.market.view import MarketView
from fairstrike.pricing.settlement import SettlementInputs

Known = Callable[[str, int, int], SettlementInputs | None]
"""What is known of a settlement mean, by asset, close and instant; None when it cannot be vouched for."""


class Scene:
    """One decision's surroundings. Views are made when asked for, once.

    `woken` are the tickers whose declared wakes fired for the strategy being asked, in ticker order, and `answers` are
    those of long sums that came for it; `rungs` gives a settlement group's contracts, by series and strike.
    """

    __slots__ = ("_known", "_made", "_make", "answers", "now_ns", "rungs", "woken")

    def __init__(
        self,
        now_ns: int,
        make: Callable[[str], MarketView],
        rungs: Callable[[str], tuple[Contract, ...]],
        known: Known,
    ) -> None:
        """Take the instant, the maker of views, and what contracts and knowledge of a settlement group come from."""
        self.now_ns = now_ns
        self.rungs = rungs
        self.woken: tuple[str, ...] = ()
        self.answers: tuple[Answer, ...] = ()
        self._make = make
        self._known = known
        self._made: dict[str, MarketView] = {}

    def market(self, ticker: str) -> MarketView:
        """Give one market's view."""
        view = self._made.get(ticker)
        if view is None:
            view = self._made[ticker] = self._make(ticker)
        return view

    def known(self, contract: Contract) -> SettlementInputs | None:
        """Give what is known of the mean that settles a contract's group, None while that cannot be vouched for."""
        return self._known(contract.asset, contract.close_ns, self.now_ns)

    def forget(self, ticker: str) -> None:
        """Drop a market's view: something was ordered in it and the next reader must see that."""
        self._made.pop(ticker, None)
