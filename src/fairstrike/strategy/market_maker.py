"""The simple maker: rest on both sides of fair value and lean against the inventory.

Quotes the strike at the money and one either side of each threshold ladder, and every 15-minute market, at
fair ∓ half spread − net inventory × skew, post-only. No quotes in the last two minutes; what is left is
flattened by immediate-or-cancel orders in the last 75 seconds. A quote whose edge is gone is withdrawn at once.
"""

from collections import Counter

import msgspec

from fairstrike.core.bounds import Amount, Count, Period, Positive
from fairstrike.core.contract import Comparison, Contract, Timeframe
from fairstrike.core.order import Intent, Side, Signal, TimeInForce
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, PPM, ppm_of_belief, ticks_of_belief_down, ticks_of_belief_up
from fairstrike.market.view import MarketView
from fairstrike.strategy.base import POLLED, WISHED, Wakes, Wish, edge_ppm, own
from fairstrike.strategy.caution import RESTRAINED, Caution
from fairstrike.strategy.quoting import Quote, post_only_price, requote
from fairstrike.strategy.scene import Scene


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ladder and 15-minute half spreads in cents, sizes in centicontracts, windows in seconds.

    `skew_cents` is per contract of net inventory. Inventory at `position_cc_max` stops the side that adds.
    `caution` scales both half spreads and the size.
    """

    half_spread_cents: Amount = 2.0
    quote_edge_cents: Amount = 2.0
    skew_cents: Amount = 0.02
    size_cc: Positive = 10 * CC_PER_CONTRACT
    position_cc_max: Positive = 100 * CC_PER_CONTRACT
    strikes_each_side: Count = 1
    refresh_seconds: Period = 2.0
    buffer_ticks: Count = 1
    volume_24h_cc_min: Count = 0
    quotes_ranges: bool = False
    no_quote_seconds: Amount = 120.0
    flatten_seconds: Amount = 75.0
    caution: Caution = Caution()


class MarketMaker:
    """Two-sided quotes around fair value."""

    name = "market_maker"
    code = 3

    def __init__(self, params: Params) -> None:
        """Keep the parameters; nothing else outlives a decision but the time of the last improvement."""
        self._params = params
        self._improved_ns: dict[str, int] = {}
        self.tally: Counter[str] = Counter()
        self.wakes = Wakes(best_price=True, index=True, own_order=True, every_ns=SECOND_NS)

    def trades(self, contract: Contract) -> bool:
        """Look at thresholds and 15-minute markets, and at ranges when they are asked for."""
        is_range = contract.comparison is Comparison.BETWEEN
        return self._params.quotes_ranges if is_range else contract.comparison is not Comparison.BELOW

    def consider(self, scene: Scene) -> list[Wish]:
        """Give wishes for each woken market."""
        wishes: list[Wish] = []
        for ticker in scene.woken:
            view = scene.market(ticker)
            if view.closes_in_ns <= self._params.flatten_seconds * SECOND_NS:
                self.tally["the flatten window has begun"] += 1
                wishes += self._flatten(view)
            else:
                wishes += self._quote(view, self._why_not(scene, view))
        return wishes

    def _quote(self, view: MarketView, reason: str) -> list[Wish]:
        """Give the wishes that bring the quotes to where they should be; with a reason, there should be none."""
        mine = own(view.working, self.name)
        wanted: dict[Side, Quote] = {}
        if not reason:
            for side in (Side.BID, Side.ASK):
                quote = self._one_side(view, side)
                if quote is not None:
                    wanted[side] = quote
        self.tally[reason or (WISHED if wanted else "no room, no price, or no edge after the fee")] += 1
        ticker = view.contract.ticker
        since_ns = view.now_ns - self._improved_ns.get(ticker, -(10**18))
        may_improve = since_ns >= (refresh_ns := self._params.refresh_seconds * SECOND_NS)
        wishes = requote(self.name, view.contract, mine, wanted, may_improve=may_improve)
        if wishes and may_improve:
            recent = {each: at_ns for each, at_ns in self._improved_ns.items() if view.now_ns - at_ns < refresh_ns}
            self._improved_ns = recent | {ticker: view.now_ns}
        return list(wishes)

    def _one_side(self, view: MarketView, side: Side) -> Quote | None:
        assert view.book is not None and view.p_fair is not None
        params, net_cc = self._params, view.share_cc(self.name)
        if side.sign * net_cc >= params.position_cc_max:
            return None
        multipliers = params.caution.at(view.regime)
        is_window = view.contract.timeframe is Timeframe.QUARTER_HOUR
        half = (params.quote_edge_cents if is_window else params.half_spread_cents) / 100 * multipliers.half_spread
        skew = net_cc / CC_PER_CONTRACT * params.skew_cents / 100
        p_quote = min(1.0, max(0.0, view.p_fair - side.sign * half - skew))
        raw = ticks_of_belief_down(p_quote) if side is Side.BID else ticks_of_belief_up(p_quote)
        price = post_only_price(view.contract, view.book, side, raw, params.buffer_ticks)
        if price is None:
            return None
        edge = edge_ppm(view.p_fair, side, price, view.schedule, is_maker=True)
        if edge <= 0:
            return None
        size_cc = min(multipliers.size_of(params.size_cc), params.position_cc_max - side.sign * net_cc)
        features = {"fair_ppm": ppm_of_belief(view.p_fair), "net_cc": net_cc}
        return Quote(side=side, price_ticks=price, size_cc=size_cc, edge_ppm=edge, features=features)

    def _flatten(self, view: MarketView) -> list[Wish]:
        mine = own(view.working, self.name)
        net_cc = view.share_cc(self.name)
        wishes: list[Wish] = list(requote(self.name, view.contract, mine, {}, may_improve=False))
        if wishes or mine or net_cc == 0 or view.book is None or not view.is_open or view.closes_in_ns <= 0:
            return wishes
        side = Side.ASK if net_cc > 0 else Side.BID
        touch = view.book.bid_ticks if side is Side.ASK else view.book.ask_ticks
        if touch is None:
            return wishes
        fair_ppm = ppm_of_belief(view.p_fair) if view.p_fair is not None else touch * 100
        signal = Signal(
            strategy=self.name,
            ticker=view.contract.ticker,
            side=side,
            price_ticks=touch,
            size_cc=abs(net_cc),
            intent=Intent.REDUCE,
            tif=TimeInForce.IOC,
            post_only=False,
            edge_ppm=side.sign * (fair_ppm - touch * 100),
            confidence_ppm=PPM,
            reason="the flatten window has begun; inventory is sold at the touch",
            features={"net_cc": net_cc, "fair_ppm": fair_ppm},
        )
        return [signal]

    def _why_not(self, scene: Scene, view: MarketView) -> str:
        """Give why a market is not to be quoted; empty when it is."""
        if not view.is_open:
            return "the market is not open"
        if view.closes_in_ns <= self._params.no_quote_seconds * SECOND_NS:
            return "the no-quote window has begun"
        if view.book is None:
            return "no book that can be vouched for"
        if view.is_polled:
            return POLLED
        if view.p_fair is None:
            return "no fair value"
        if not self._params.caution.at(view.regime).size:
            return RESTRAINED
        return "" if self._is_near(scene, view) else "too far from the money, or too little volume"

    def _is_near(self, scene: Scene, view: MarketView) -> bool:
        """Whether a market is a 15-minute one, or at the money ± the stated number of strikes."""
        contract = view.contract
        if view.volume_24h_cc < self._params.volume_24h_cc_min:
            return False
        if contract.timeframe is Timeframe.QUARTER_HOUR:
            return True
        if view.reference is None or contract.floor_e8 is None:
            return False
        rungs = scene.rungs(contract.group)
        strikes = [c.floor_e8 for c in rungs if c.series == contract.series and c.floor_e8 is not None]
        now_e8 = view.reference.value_e8
        nearest = min(range(len(strikes)), key=lambda rung: abs(strikes[rung] - now_e8))
        return abs(strikes.index(contract.floor_e8) - nearest) <= self._params.strikes_each_side
