"""What strategies and risk are shown: one market, and the scene of all that matters now."""

from collections.abc import Callable

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Order, Position
from fairstrike.market.book import BookView
from fairstrike.market.index import Reference


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    """One market now. `book` and `p_fair` are None when they cannot be vouched for.

    A book that `is_polled` came by REST while the stream was down: good for display, valuation and exits only.
    `closes_in_ns` is venue time to the close; `working` are the orders of every strategy, oldest first; `shares` are
    the strategies' parts of the position, net `_cc` by name.
    """

    contract: Contract
    schedule: FeeSchedule
    is_open: bool
    volume_24h_cc: int
    now_ns: int
    closes_in_ns: int
    book: BookView | None
    p_fair: float | None
    reference: Reference | None
    position: Position
    working: tuple[Order, ...]
    shares: dict[str, int] = {}
    is_polled: bool = False

    def share_cc(self, strategy: str) -> int:
        """Give a strategy's own net contracts (`_cc`), zero when it has none."""
        return self.shares.get(strategy, 0)


class Scene:
    """One decision's surroundings. Views are made when asked for, once.

    `woken` are the tickers whose declared wakes fired for the strategy being asked, in ticker order; `rungs` gives a
    settlement group's contracts, by series and strike.
    """

    __slots__ = ("_made", "_make", "now_ns", "rungs", "woken")

    def __init__(
        self,
        now_ns: int,
        make: Callable[[str], MarketView],
        rungs: Callable[[str], tuple[Contract, ...]],
    ) -> None:
        """Take the instant, the maker of views, and the lookup from settlement group to contracts."""
        self.now_ns = now_ns
        self.rungs = rungs
        self.woken: tuple[str, ...] = ()
        self._make = make
        self._made: dict[str, MarketView] = {}

    def market(self, ticker: str) -> MarketView:
        """Give one market's view."""
        view = self._made.get(ticker)
        if view is None:
            view = self._made[ticker] = self._make(ticker)
        return view

    def forget(self, ticker: str) -> None:
        """Drop a market's view: something was ordered in it and the next reader must see that."""
        self._made.pop(ticker, None)
