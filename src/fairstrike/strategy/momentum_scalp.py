"""Momentum scalp: buy deep in-the-money thresholds that are offered too cheap.

Wants YES where fair ≥ 0.90, ask ≤ 0.93, the edge after fees ≥ 3 cents, at least 20 contracts stand at the ask
and at most 8 hours are left; the best five by edge. `prefer_maker` rests post-only one cent over the best bid
and withdraws after 60 seconds unfilled; otherwise an immediate-or-cancel order takes the ask while the edge
clears the taker fee.
"""

from collections import Counter

import msgspec

from fairstrike.core.bounds import Amount, Count, Period, Positive, Share
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.order import Intent, OrderState, Side, Signal, TimeInForce, Withdraw
from fairstrike.core.timing import HOUR_NS, SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, PPM, TICKS_PER_DOLLAR, ppm_of_belief
from fairstrike.market.view import MarketView
from fairstrike.strategy.base import POLLED, WISHED, Wakes, Wish, edge_ppm, own
from fairstrike.strategy.caution import RESTRAINED, Caution
from fairstrike.strategy.scene import Scene


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The conditions of an entry and how it is made. `caution` scales the least edge and the size."""

    p_fair_min: Share = 0.90
    ask_dollars_max: Share = 0.93
    edge_cents_min: float = 3.0
    ask_cc_min: Count = 20 * CC_PER_CONTRACT
    hours_max: Amount = 8.0
    seconds_min: Amount = 90.0
    best_count: Count = 5
    prefer_maker: bool = True
    over_bid_ticks: Count = 100
    unfilled_seconds: Amount = 60.0
    size_cc: Positive = 20 * CC_PER_CONTRACT
    position_cc_max: Positive = 40 * CC_PER_CONTRACT
    look_every_seconds: Period = 30.0
    caution: Caution = Caution()


class MomentumScalp:
    """Buys favourites below their worth, on thresholds only."""

    name = "momentum_scalp"
    code = 2

    def __init__(self, params: Params) -> None:
        """Keep the parameters."""
        self._params = params
        self._edge_ppm = round(params.edge_cents_min * PPM / 100)
        self._ask_ticks_max = round(params.ask_dollars_max * TICKS_PER_DOLLAR)
        self.tally: Counter[str] = Counter()
        self.wakes = Wakes(
            best_price=True,
            best_size_cc=params.ask_cc_min,
            index=True,
            own_order=True,
            every_ns=round(params.look_every_seconds * SECOND_NS),
        )

    def trades(self, contract: Contract) -> bool:
        """Look at hourly and daily thresholds."""
        return contract.comparison is Comparison.ABOVE

    def consider(self, scene: Scene) -> list[Wish]:
        """Give withdrawals of stale entries and the best new ones by edge."""
        wishes: list[Wish] = []
        entries: list[Signal] = []
        for ticker in scene.woken:
            view = scene.market(ticker)
            wishes += self._withdrawals(view)
            signal = self._entry(view)
            if signal is not None:
                entries.append(signal)
        entries.sort(key=lambda signal: (-signal.edge_ppm, signal.ticker))
        return wishes + list(entries[: self._params.best_count])

    def _withdrawals(self, view: MarketView) -> list[Withdraw]:
        age_max_ns = self._params.unfilled_seconds * SECOND_NS
        late = view.closes_in_ns < self._params.seconds_min * SECOND_NS
        gone = view.p_fair is not None and view.p_fair < self._params.p_fair_min
        return [
            Withdraw(
                strategy=self.name,
                ticker=order.ticker,
                client_order_id=order.client_order_id,
                reason="the entry was not filled in time or its ground is gone",
            )
            for order in own(view.working, self.name)
            if order.state is OrderState.RESTING and (late or gone or view.now_ns - order.created_ns > age_max_ns)
        ]

    def _entry(self, view: MarketView) -> Signal | None:
        params, book = self._params, view.book
        reason = self._why_not(view)
        if reason or book is None or book.ask_ticks is None or view.p_fair is None:
            self.tally[reason] += 1
            return None
        ask = book.ask_ticks
        price = self._price(view, ask)
        multipliers = params.caution.at(view.regime)
        size_cc = min(multipliers.size_of(params.size_cc), params.position_cc_max - view.share_cc(self.name))
        if price is None or size_cc <= 0:
            self.tally["no price or no room for an entry"] += 1
            return None
        edge = edge_ppm(view.p_fair, Side.BID, price, view.schedule, is_maker=params.prefer_maker)
        if edge < multipliers.edge_of(self._edge_ppm):
            self.tally["less than the edge after the fee"] += 1
            return None
        self.tally[WISHED] += 1
        return Signal(
            strategy=self.name,
            ticker=view.contract.ticker,
            side=Side.BID,
            price_ticks=price,
            size_cc=size_cc,
            intent=Intent.OPEN,
            tif=TimeInForce.GTC if params.prefer_maker else TimeInForce.IOC,
            post_only=params.prefer_maker,
            edge_ppm=edge,
            confidence_ppm=ppm_of_belief(view.p_fair),
            reason="a favourite is offered under its worth",
            features={"fair_ppm": ppm_of_belief(view.p_fair), "ask_ticks": ask},
        )

    def _why_not(self, view: MarketView) -> str:
        """Give why a market is no candidate for an entry; empty when it is one."""
        params, book = self._params, view.book
        hours_max_ns, seconds_min_ns = params.hours_max * HOUR_NS, params.seconds_min * SECOND_NS
        if not view.is_open:
            return "the market is not open"
        if book is None:
            return "no book that can be vouched for"
        if view.is_polled:
            return POLLED
        if view.p_fair is None:
            return "no fair value"
        if not params.caution.at(view.regime).size:
            return RESTRAINED
        if own(view.working, self.name):
            return "an order of ours is under way"
        if not seconds_min_ns <= view.closes_in_ns <= hours_max_ns:
            return "too near the close, or too far from it"
        if view.p_fair < params.p_fair_min:
            return "no favourite"
        ask = book.ask_ticks
        if ask is None or ask > self._ask_ticks_max or book.size_cc(Side.ASK, ask) < params.ask_cc_min:
            return "the ask is too dear or too small"
        return ""

    def _price(self, view: MarketView, ask_ticks: int) -> int | None:
        if not self._params.prefer_maker:
            return ask_ticks
        assert view.book is not None
        bid = view.book.bid_ticks
        if bid is None:
            return None
        price = view.contract.grid_up(bid + self._params.over_bid_ticks)
        return price if price is not None and price < ask_ticks else None
