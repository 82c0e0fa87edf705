"""The worked example: take what is offered below its worth.

Buys YES when fair − ask − fee reaches the stated edge, buys NO (sells YES) when bid − fair − fee does. One
immediate-or-cancel order at a time and market, priced at the worst level that still has the edge.
"""

from collections import Counter

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.contract import Contract
from fairstrike.core.order import Intent, Side, Signal, TimeInForce
from fairstrike.core.units import CC_PER_CONTRACT, PPM, ppm_of_belief
from fairstrike.market.view import MarketView
from fairstrike.strategy.base import POLLED, WISHED, Wakes, Wish, edge_ppm, own
from fairstrike.strategy.caution import RESTRAINED, Caution, Multipliers
from fairstrike.strategy.scene import Scene


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Least edge per contract after fees, order size (`caution` scales both), and the cap on the net position."""

    edge_cents: float = 3.0
    size_cc: Positive = 10 * CC_PER_CONTRACT
    position_cc_max: Positive = 100 * CC_PER_CONTRACT
    caution: Caution = Caution()


class Taker:
    """Takes the touch, and what lies behind it, while the edge lasts."""

    name = "taker"
    code = 1
    wakes = Wakes(best_price=True, best_size_cc=1, index=True)

    def __init__(self, params: Params) -> None:
        """Keep the parameters."""
        self._params = params
        self._edge_ppm = round(params.edge_cents * PPM / 100)
        self.tally: Counter[str] = Counter()

    def trades(self, contract: Contract) -> bool:
        """Look at every market."""
        return True

    def consider(self, scene: Scene) -> list[Wish]:
        """Give at most one signal a woken market."""
        found: list[Wish] = []
        for ticker in scene.woken:
            view = scene.market(ticker)
            multipliers = self._params.caution.at(view.regime)
            reason = self._why_not(view) if multipliers.size else RESTRAINED
            signal = None if reason else self._take(view, multipliers)
            if signal is not None:
                found.append(signal)
            self.tally[reason or (WISHED if signal else "the best prices offer less than the edge")] += 1
        return found

    def _why_not(self, view: MarketView) -> str:
        """Give why a market is not even priced; empty when it is."""
        if not view.is_open:
            return "the market is not open"
        if view.book is None:
            return "no book that can be vouched for"
        if view.is_polled:
            return POLLED
        if view.p_fair is None:
            return "no fair value"
        return "an order of ours is under way" if own(view.working, self.name) else ""

    def _take(self, view: MarketView, multipliers: Multipliers) -> Signal | None:
        edge_least, size_most_cc = multipliers.edge_of(self._edge_ppm), multipliers.size_of(self._params.size_cc)
        for side in (Side.BID, Side.ASK):
            room_cc = self._params.position_cc_max - side.sign * view.share_cc(self.name)
            size_cc = min(size_most_cc, room_cc)
            if size_cc <= 0:
                continue
            signal = self._signal(view, side, size_cc, edge_least)
            if signal is not None:
                return signal
        return None

    def _signal(self, view: MarketView, side: Side, size_cc: int, edge_least: int) -> Signal | None:
        assert view.book is not None and view.p_fair is not None
        best = view.book.ask_ticks if side is Side.BID else view.book.bid_ticks
        if best is None:
            return None
        edge = edge_ppm(view.p_fair, side, best, view.schedule, is_maker=False)
        if edge < edge_least:
            return None
        limit, offered_cc = best, 0
        for price, level_cc in view.book.depth(side.opposite, 10):
            if edge_ppm(view.p_fair, side, price, view.schedule, is_maker=False) < edge_least:
                break
            limit, offered_cc = price, offered_cc + level_cc
            if offered_cc >= size_cc:
                break
        return Signal(
            strategy=self.name,
            ticker=view.contract.ticker,
            side=side,
            price_ticks=limit,
            size_cc=min(size_cc, offered_cc),
            intent=Intent.OPEN,
            tif=TimeInForce.IOC,
            post_only=False,
            edge_ppm=edge,
            confidence_ppm=min(PPM, 500_000 + 5 * edge),
            reason="the best price offers the stated edge after the fee",
            features={"fair_ppm": ppm_of_belief(view.p_fair), "best_ticks": best},
        )
