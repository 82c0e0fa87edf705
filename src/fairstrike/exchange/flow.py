"""The order flow of one 15-minute market, as streams of the venue show it: makers who re-quote, takers, a deep ladder.

Time is cut into instants, as the venue's milliseconds cut it: about fifty a second, in bursts. At most of them one
order is moved (cancelled and placed anew with the same size, the commonest thing a real stream shows), placed or
cancelled; at some a taker takes. Which order is moved or cancelled is drawn by age: mostly one of the last placed, so
that prices live from milliseconds to minutes without any timer. Distances from the best price, sizes and the pace
depend on where the price is: below 10 cents and above 90 the grid is ten times finer and quotes flicker.

Makers know a fair value (`fair_ticks`) and stand back from it by a small distance drawn anew now and then. A best
price beyond that is retreated from or taken; a gap before it is filled. Behind them stands a ladder of patient orders.

Everything is one house account of makers and one of takers acting on the floor through ordinary orders, so clients'
orders queue among them and are taken like theirs. Sizes in centicontracts, prices in ticks, all chance from the dice.
"""

import math
from collections.abc import Sequence

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.contract import Contract
from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR
from fairstrike.exchange.floor import Floor, MarketStatus, MarketView, Placed, PlaceOrder, Reduced
from fairstrike.exchange.flow_figures import (
    BEHIND_SIZES,
    BEST_SIZES,
    DEEP_SIZES,
    IMPROVING_SIZES,
    LADDER_SIZES,
    NEAR_SIZES,
    REGIONS,
    TAKER_SIZES,
)

FLOW_MAKER = "house-flow-maker"
FLOW_TAKER = "house-flow-taker"
CENT_TICKS = 100
_SIDES = (Side.BID, Side.ASK)

_PICKS_MAX = 20
_HOUR_S = 3_600
_DECIDED_TICKS = 0.05
_BEYOND_SHARE = 0.8
_WALK_TICKS = 40
_LARGE_CC = 1_700 * CC_PER_CONTRACT
_LARGE_BEHIND_TICKS = (300, 990)
_REACTION_NS = 6 * MILLISECOND_NS


class FlowParams(msgspec.Struct, frozen=True, kw_only=True):
    """How the flow moves. Shares are of the instants that are neither a retreat nor the filling of a gap.

    `orders` is how many orders of re-quoting makers the market tends to; `age_bias` above 1 moves younger ones;
    in the last `last_ns` before the close it is `last_share` of them.
    In the last `late_ns` takers want `late_taker_scale` times as much, and makers'
    slack is `late_slack_scale` times theirs. Bursts: the logarithm of the pace has two
    parts of these standard deviations that forget themselves over these times.
    """

    instants_per_second: float = 67.0
    orders: int = 100
    requote_share: float = 0.60
    trade_share: float = 0.115
    batch_share: float = 0.02
    batch_max: int = 4
    last_ns: int = 75 * SECOND_NS
    last_share: float = 0.5
    late_taker_scale: float = 1.15
    late_slack_scale: float = 2.0
    late_ns: int = 120 * SECOND_NS
    age_bias: float = 2.5
    gap_eagerness: float = 0.26
    reload_share: float = 0.16
    retreat_eagerness: float = 0.5
    informed_share: float = 0.15
    ladder_share: float = 0.55
    refill_per_second: float = 0.7
    renewals_per_hour: float = 2.0
    slow_sd: float = 0.55
    slow_s: float = 40.0
    quick_sd: float = 0.42
    quick_s: float = 1.5


class _Order(msgspec.Struct, kw_only=True):
    """A resting order of ours."""

    order_id: str
    side: Side
    price_ticks: int
    size_cc: int
    since_ns: int


class Flow:
    """One market's flow. Set `fair_ticks`, call `begin` once it is open, then `act` at each instant it names."""

    def __init__(self, floor: Floor, contract: Contract, dice: Dice, params: FlowParams) -> None:
        """Act on `contract` on `floor`, where the accounts `FLOW_MAKER` and `FLOW_TAKER` are open."""
        self.fair_ticks: float | None = None
        self._floor = floor
        self._contract = contract
        self._dice = dice
        self._params = params
        self._orders: list[_Order] = []
        self._ladder: dict[tuple[Side, int], _Order] = {}
        self._halves = dict.fromkeys(_SIDES, 0.0)
        self._slow = self._quick = 0.0
        self._last_ns = 0
        self._refill_ns = 0
        self._now_ns = 0
        self._best: dict[Side, int | None] = dict.fromkeys(_SIDES)
        self._best_cc = dict.fromkeys(_SIDES, 0)
        self._region = REGIONS[-1]
        self._steps = _grid(contract)

    def begin(self, now_ns: int) -> None:
        """Put up the ladder and the makers' first orders."""
        if not self._look(now_ns):
            return
        self._last_ns = now_ns
        for side in _SIDES:
            self._redraw_half(side)
        self._put_ladders()
        self._read_best()
        for _ in range(self._params.orders):
            self._add()

    def wait_ns(self) -> int:
        """Give the time to the next instant: at least a millisecond."""
        dt = (self._now_ns - self._last_ns) / SECOND_NS
        self._last_ns = self._now_ns
        params = self._params
        self._slow = self._forget(self._slow, params.slow_sd, dt / params.slow_s)
        self._quick = self._forget(self._quick, params.quick_sd, dt / params.quick_s)
        spread = (params.slow_sd**2 + params.quick_sd**2) / 2.0
        rate = params.instants_per_second * self._region.pace * math.exp(self._slow + self._quick - spread)
        return max(int(self._dice.exponential(1.0 / rate) * SECOND_NS), MILLISECOND_NS)

    def act(self, now_ns: int) -> None:
        """Do what happens at one instant."""
        if not self._look(now_ns):
            return
        before = dict(self._best)
        self._do_one()
        for side in _SIDES:
            is_worse = before[side] is not None and before[side] != self._best[side] and self._has_gap(side)
            if is_worse and self._dice.uniform() < self._params.reload_share:
                self._fill_gap(side)
        if now_ns >= self._refill_ns:
            self._refill()
            if self._dice.uniform() < self._params.renewals_per_hour / self._params.refill_per_second / _HOUR_S:
                self._renew()

    # What may happen

    def _do_one(self) -> None:
        params, draw = self._params, self._dice.uniform()
        for side in _SIDES:
            if self._dice.uniform() < self._region.half_change:
                self._redraw_half(side)
        side = self._side()
        if self._is_beyond(side) and self._dice.uniform() < params.retreat_eagerness:
            self._retreat(side)
        elif self._has_gap(side) and self._dice.uniform() < params.gap_eagerness:
            self._fill_gap(side)
        elif draw < params.batch_share:
            for _ in range(self._dice.between(2, params.batch_max)):
                self._requote()
        elif draw < params.batch_share + params.trade_share:
            self._take(side, TAKER_SIZES.draw(self._dice))
        elif draw < params.batch_share + params.trade_share + params.requote_share:
            self._requote()
        elif self._dice.uniform() < len(self._orders) / (2.0 * self._orders_wanted()):
            self._withdraw()
        else:
            self._add()

    def _requote(self) -> None:
        order = self._pick()
        if order is not None and self._cancel(order):
            self._place(order.side, self._distance(), order.size_cc)

    def _withdraw(self) -> None:
        order = self._pick()
        if order is not None:
            self._cancel(order)

    def _add(self) -> None:
        distance = self._distance()
        self._place(self._side(), distance, self._size_cc(distance))

    def _take(self, side: Side, contracts: float) -> None:
        """Have a taker of `side` take from the other: at its best price, and a little beyond it when that is gone."""
        best = self._best[side.opposite]
        grid = self._contract.grid_down if side is Side.BID else self._contract.grid_up
        price = None if best is None else grid(best + side.sign * _WALK_TICKS)
        if price is None:
            return
        scale = self._region.taker_scale * (self._params.late_taker_scale if self._is_late() else 1.0)
        size_cc = max(int(contracts * scale * CC_PER_CONTRACT), 1)
        if size_cc > 2 * CC_PER_CONTRACT and self._dice.below(3):
            size_cc -= size_cc % CC_PER_CONTRACT
        ticker = self._contract.ticker
        wish = PlaceOrder(ticker=ticker, side=side, price_ticks=price, size_cc=size_cc, tif=TimeInForce.IOC)
        self._floor.place(FLOW_TAKER, wish, self._now_ns)
        self._read_best()

    def _retreat(self, side: Side) -> None:
        """Give up the best price of `side`, which fair value has left: takers take it, or makers move away."""
        price = self._best[side]
        mine = [order for order in self._orders if order.side is side and order.price_ticks == price]
        patient = None if price is None else self._ladder.pop((side, price), None)
        if patient is not None and self._cancel_resting(patient):
            return
        if not mine or self._dice.uniform() < self._params.informed_share:
            self._take(side.opposite, 2.0 * TAKER_SIZES.draw(self._dice))
            return
        for order in mine[: self._dice.between(1, 3)]:
            self._orders.remove(order)
            if self._cancel_resting(order):
                self._place(side, self._distance(), order.size_cc)

    def _fill_gap(self, side: Side) -> None:
        """Improve the best price of `side` to where makers want to stand, by an order moved there or a new one."""
        bound = self._bound(side)
        if bound is None:
            return
        size_cc = int(IMPROVING_SIZES.draw(self._dice)) * CC_PER_CONTRACT
        if self._dice.uniform() < self._params.requote_share:
            order = self._pick()
            if order is not None and order.side is side and self._cancel(order):
                size_cc = order.size_cc
        other = self._best[side.opposite]
        if other is not None and (bound - other) * side.sign >= 0:
            # The other side holds on to a price that makers would leave: as near to it as can be.
            beside = other - side.sign
            near = self._contract.grid_down(beside) if side is Side.BID else self._contract.grid_up(beside)
            if near is None or near == self._best[side]:
                return
            bound = near
        self._rest(side, bound, size_cc)

    def _refill(self) -> None:
        """Put patient orders back where the price has left."""
        self._refill_ns = self._now_ns + int(SECOND_NS / self._params.refill_per_second)
        side = self._side()
        price = self._steps[self._dice.below(len(self._steps))]
        is_wanted = self._dice.uniform() < self._params.ladder_share
        if is_wanted and (side, price) not in self._ladder and self._is_behind(side, price):
            self._put_ladder(side, price)

    def _renew(self) -> None:
        """Have everybody take down everything and put it up anew, in one instant."""
        for order in self._ladder.values():
            self._cancel_resting(order)
        self._ladder.clear()
        for order in tuple(self._orders):
            if self._cancel(order):
                self._place(order.side, self._distance(), order.size_cc)
        self._put_ladders()

    def _put_ladders(self) -> None:
        for side in _SIDES:
            for price in self._steps:
                if self._is_behind(side, price) and self._dice.uniform() < self._params.ladder_share:
                    self._put_ladder(side, price)

    def _orders_wanted(self) -> float:
        is_last = self._contract.close_ns - self._now_ns < self._params.last_ns
        return self._params.orders * (self._params.last_share if is_last else 1.0)

    # How it is done

    def _look(self, now_ns: int) -> bool:
        """Read the market; False when nothing can be done there."""
        self._floor.advance(now_ns)
        self._now_ns = now_ns
        market = self._floor.market(self._contract.ticker)
        if self.fair_ticks is None or market is None or market.status is not MarketStatus.ACTIVE:
            return False
        self._note_best(market)
        edge = min(self.fair_ticks, TICKS_PER_DOLLAR - self.fair_ticks)
        self._region = next((region for region in REGIONS if edge < region.end_ticks), REGIONS[-1])
        return True

    def _read_best(self) -> None:
        market = self._floor.market(self._contract.ticker)
        assert market is not None, "the flow's market is listed"
        self._note_best(market)

    def _note_best(self, market: MarketView) -> None:
        for side, level in ((Side.BID, market.bid), (Side.ASK, market.ask)):
            self._best[side], self._best_cc[side] = level or (None, 0)

    def _place(self, side: Side, distance: int, size_cc: int) -> None:
        """Rest an order `distance` ticks behind the best price of its side, but not beyond where makers stand."""
        bound = self._bound(side)
        best = self._best[side]
        if bound is None:
            return
        if size_cc > _LARGE_CC:
            distance = max(distance, self._dice.between(*_LARGE_BEHIND_TICKS))
        start = bound if best is None else best
        wanted = start - side.sign * distance
        if (wanted - bound) * side.sign > 0:
            wanted = bound if distance < 0 else wanted
        # What would stand beyond the grid is mostly not placed at all.
        if 0 < wanted < TICKS_PER_DOLLAR or self._dice.uniform() < _BEYOND_SHARE:
            self._rest(side, wanted, size_cc)

    def _rest(self, side: Side, wanted_ticks: int, size_cc: int) -> None:
        # Towards the best price: what is drawn at 1.5 cents behind it stands 1 cent behind it on a grid of cents.
        grid = self._contract.grid_up if side is Side.BID else self._contract.grid_down
        price = grid(wanted_ticks)
        other = self._best[side.opposite]
        if price is None or size_cc <= 0 or (other is not None and (price - other) * side.sign >= 0):
            return
        placed = self._put(side, price, size_cc)
        if placed is not None:
            self._orders.append(placed)

    def _put(self, side: Side, price: int, size_cc: int) -> _Order | None:
        wish = PlaceOrder(ticker=self._contract.ticker, side=side, price_ticks=price, size_cc=size_cc, post_only=True)
        placed = self._floor.place(FLOW_MAKER, wish, self._now_ns)
        if not isinstance(placed, Placed):
            return None
        best = self._best[side]
        if best is None or (price - best) * side.sign > 0:
            self._best[side], self._best_cc[side] = price, size_cc
        elif price == best:
            self._best_cc[side] += size_cc
        order_id = placed.order.order_id
        return _Order(order_id=order_id, side=side, price_ticks=price, size_cc=size_cc, since_ns=self._now_ns)

    def _put_ladder(self, side: Side, price: int) -> None:
        size_cc = int(LADDER_SIZES.draw(self._dice)) * CC_PER_CONTRACT
        placed = self._put(side, price, size_cc)
        if placed is not None:
            self._ladder[side, price] = placed

    def _cancel(self, order: _Order) -> bool:
        self._orders.remove(order)
        return self._cancel_resting(order)

    def _cancel_resting(self, order: _Order) -> bool:
        done = isinstance(self._floor.cancel(FLOW_MAKER, order.order_id, self._now_ns), Reduced)
        if done and order.price_ticks == self._best[order.side]:
            self._read_best()
        return done

    def _pick(self) -> _Order | None:
        """Give an order that still rests, mostly one of the youngest: the logarithm of its rank is about uniform."""
        for _ in range(_PICKS_MAX):
            count = len(self._orders)
            if not count:
                return None
            rank = int((count + 1) ** (self._dice.uniform() ** self._params.age_bias)) - 1
            order = self._orders[-1 - min(rank, count - 1)]
            open_cc = self._floor.open_cc(order.order_id)
            if not open_cc:
                self._orders.remove(order)
            elif self._now_ns - order.since_ns >= _REACTION_NS and (
                not self._is_alone(order, open_cc) or self._dice.uniform() >= self._region.loyalty
            ):
                return order
        return None

    def _is_alone(self, order: _Order, open_cc: int) -> bool:
        side = order.side
        return order.price_ticks == self._best[side] and self._best_cc[side] <= open_cc and not self._is_beyond(side)

    # What is drawn

    def _side(self) -> Side:
        return _SIDES[self._dice.below(2)]

    def _distance(self) -> int:
        """Give ticks behind the best price."""
        table = self._region.distances
        draw = self._dice.uniform() * sum(weight for weight, _, _ in table)
        for weight, low, high in table:
            draw -= weight
            if draw < 0:
                return self._dice.between(low, high)
        return 0

    def _size_cc(self, distance: int) -> int:
        sizes = DEEP_SIZES
        if distance <= 0:
            sizes = BEST_SIZES if distance == 0 else IMPROVING_SIZES
        elif distance < 2_000:
            sizes = NEAR_SIZES if distance < 200 else BEHIND_SIZES
        return int(sizes.draw(self._dice)) * CC_PER_CONTRACT

    def _redraw_half(self, side: Side) -> None:
        self._halves[side] = self._dice.exponential(self._region.half_ticks)

    def _forget(self, value: float, sd: float, share: float) -> float:
        keep = math.exp(-share)
        return value * keep + sd * math.sqrt(1.0 - keep * keep) * self._dice.normal()

    # Where makers stand

    def _bound(self, side: Side, slack_ticks: float = 0.0) -> int | None:
        """Give the best price at which makers want to stand on `side`, None when there is none.

        Somebody always bids the lowest price, and asks the highest, for what is not yet decided.
        """
        assert self.fair_ticks is not None, "a flow acts on a known fair value"
        away = self._halves[side] - slack_ticks
        if side is Side.BID:
            lowest = self._steps[0] if self.fair_ticks > _DECIDED_TICKS else 0
            return self._contract.grid_down(max(math.floor(self.fair_ticks - away), lowest))
        highest = self._steps[-1] if self.fair_ticks < TICKS_PER_DOLLAR - _DECIDED_TICKS else TICKS_PER_DOLLAR
        return self._contract.grid_up(min(math.ceil(self.fair_ticks + away), highest))

    def _is_late(self) -> bool:
        return self._contract.close_ns - self._now_ns < self._params.late_ns

    def _is_beyond(self, side: Side) -> bool:
        slack_ticks = self._region.slack_ticks * (self._params.late_slack_scale if self._is_late() else 1.0)
        best, bound = self._best[side], self._bound(side, slack_ticks)
        return best is not None and (bound is None or (best - bound) * side.sign > 0)

    def _has_gap(self, side: Side) -> bool:
        best, bound = self._best[side], self._bound(side)
        return bound is not None and (best is None or (bound - best) * side.sign > 0)

    def _is_behind(self, side: Side, price: int) -> bool:
        bound = self._bound(side)
        return bound is not None and (bound - price) * side.sign > CENT_TICKS


def _grid(contract: Contract) -> Sequence[int]:
    """Give every price of a market, ascending."""
    prices: list[int] = []
    price = contract.grid_up(1)
    while price is not None:
        prices.append(price)
        price = contract.grid_up(price + 1)
    return prices
