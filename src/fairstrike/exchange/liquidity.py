"""Everybody else on the box's markets: background makers, noise takers and the giver of planted gifts.

Makers quote each market around its settlement-averaged fair value and quote anew when it moves. Takers arrive
as a Poisson process and hit whoever is best, a client's resting order included. At planned instants the giver
offers contracts well under fair value while the makers keep their bids away and takers keep selling: a client
that joins the best bid buys cheaply, in parts. All chance is drawn from seeded dice; rates are a venue
second's, divided by the clock's factor.
"""

from collections.abc import Callable
from heapq import heappop, heappush

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.contract import Contract
from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR
from fairstrike.exchange.floor import Floor, Placed, PlaceOrder

CENT_TICKS = 100
MAKERS = ("house-maker-1", "house-maker-2")
TAKER = "house-taker"
GIVER = "house-giver"
_REACH_TICKS = 20 * CENT_TICKS
"""A taker leaves a price alone that is further from fair value than this."""


class LiquidityParams(msgspec.Struct, frozen=True, kw_only=True):
    """How lively the markets are. Rates and durations are in venue time before division by `factor`."""

    factor: int = 1
    levels: int = 4
    spread_cents_min: int = 2
    spread_cents_max: int = 5
    move_ticks: int = CENT_TICKS
    requote_ns_min: int = 2 * SECOND_NS
    refresh_ns_min: int = 4 * SECOND_NS
    refresh_ns_max: int = 8 * SECOND_NS
    trades_per_second: float = 1.5
    lot_max: int = 15


class Agenda:
    """Acts arranged for later instants, done in order of (instant, arrangement)."""

    def __init__(self) -> None:
        """Start empty."""
        self._acts: list[tuple[int, int, Callable[[int], None]]] = []
        self._arranged = 0

    def arrange(self, instant_ns: int, act: Callable[[int], None]) -> None:
        """Have `act` done at `instant_ns`, which it is told."""
        self._arranged += 1
        heappush(self._acts, (instant_ns, self._arranged, act))

    def next_due_ns(self) -> int | None:
        """Give the instant of the next arranged act, None when there is none."""
        return self._acts[0][0] if self._acts else None

    def run(self, now_ns: int) -> None:
        """Do everything arranged up to `now_ns`, what is arranged meanwhile included."""
        while self._acts and self._acts[0][0] <= now_ns:
            instant_ns, _, act = heappop(self._acts)
            act(instant_ns)


class FairBoard:
    """What a YES contract of each market is worth now, in ticks; unstruck and ended markets are absent."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.ticks: dict[str, int] = {}


class BackgroundMaker:
    """The makers' quotes in one market: several levels a side, cancelled and placed as fair value moves."""

    def __init__(self, floor: Floor, contract: Contract, dice: Dice, params: LiquidityParams) -> None:
        """Quote `contract` on `floor`; nothing is quoted until `requote`."""
        self.cap_ticks: int | None = None
        self._floor = floor
        self._contract = contract
        self._dice = dice
        self._params = params
        self._orders: dict[tuple[Side, int], str] = {}
        self._spread_cents = self._draw_spread()
        self._quoted_ticks = 0
        self._next_move_ns = 0
        self._next_refresh_ns = 0

    def is_due(self, fair_ticks: int, now_ns: int) -> bool:
        """Whether the quotes are older than their refresh, or fair value left them by more than a cent."""
        has_moved = abs(fair_ticks - self._quoted_ticks) > self._params.move_ticks
        return now_ns >= self._next_refresh_ns or (has_moved and now_ns >= self._next_move_ns)

    def delay_ns(self) -> int:
        """Give how long the makers take to follow this time: well under a second."""
        return self._dice.between(60, 700) * MILLISECOND_NS

    def requote(self, fair_ticks: int, now_ns: int) -> None:
        """Take down what no longer fits `fair_ticks`, then put up what is missing."""
        self._floor.advance(now_ns)
        market = self._floor.market(self._contract.ticker)
        if market is None or not market.is_trading:
            return
        self._arrange_next(fair_ticks, now_ns)
        wanted = self._wanted(fair_ticks)
        for key, order_id in tuple(self._orders.items()):
            is_stale = key not in wanted or not self._dice.below(8)
            if is_stale or not self._floor.open_cc(order_id):
                self._floor.cancel(self._owner(key), order_id, now_ns)
                del self._orders[key]
        for key, depth in wanted.items():
            if key not in self._orders:
                self._put_up(key, depth, now_ns)

    def _put_up(self, key: tuple[Side, int], depth: int, now_ns: int) -> None:
        side, price_ticks = key
        wish = PlaceOrder(
            ticker=self._contract.ticker,
            side=side,
            price_ticks=price_ticks,
            size_cc=self._dice.between(20, 120) * (1 + depth) * CC_PER_CONTRACT,
        )
        placed = self._floor.place(self._owner(key), wish, now_ns)
        assert isinstance(placed, Placed), "a background quote is never refused"
        if placed.order.remaining_cc:
            self._orders[key] = placed.order.order_id

    def _owner(self, key: tuple[Side, int]) -> str:
        return MAKERS[key[1] // CENT_TICKS % 2]

    def _wanted(self, fair_ticks: int) -> dict[tuple[Side, int], int]:
        """Give the levels to quote, with their depth counted from the best."""
        wanted: dict[tuple[Side, int], int] = {}
        half_ticks = self._spread_cents * CENT_TICKS // 2
        best_bid = fair_ticks - half_ticks
        if self.cap_ticks is not None:
            best_bid = min(best_bid, self.cap_ticks)
        for depth in range(self._params.levels):
            bid = self._contract.grid_down(best_bid - depth * CENT_TICKS)
            if bid is not None:
                wanted[Side.BID, bid] = depth
            ask = self._contract.grid_up(fair_ticks + half_ticks + depth * CENT_TICKS)
            if ask is not None:
                wanted[Side.ASK, ask] = depth
        return wanted

    def _arrange_next(self, fair_ticks: int, now_ns: int) -> None:
        params = self._params
        is_far = not 2 * CENT_TICKS <= fair_ticks <= TICKS_PER_DOLLAR - 2 * CENT_TICKS
        pause_ns = self._dice.between(params.refresh_ns_min, params.refresh_ns_max) * params.factor
        self._quoted_ticks = fair_ticks
        self._next_move_ns = now_ns + params.requote_ns_min * params.factor
        self._next_refresh_ns = now_ns + pause_ns * (6 if is_far else 1)
        if not self._dice.below(5):
            self._spread_cents = self._draw_spread()

    def _draw_spread(self) -> int:
        return self._dice.between(self._params.spread_cents_min, self._params.spread_cents_max)


class NoiseTakers:
    """Small traders who take what is best: near the money either way, on favourites mostly selling."""

    def __init__(self, floor: Floor, board: FairBoard, dice: Dice, params: LiquidityParams) -> None:
        """Trade on `floor` where `board` knows a fair value."""
        self.selling_only: set[str] = set()
        self._floor = floor
        self._board = board
        self._dice = dice
        self._params = params

    def wait_ns(self) -> int:
        """Give the time until the next arrival."""
        mean_s = self._params.factor / self._params.trades_per_second
        return max(int(self._dice.exponential(mean_s) * SECOND_NS), MILLISECOND_NS)

    def arrive(self, now_ns: int) -> None:
        """Have one trader take from one market; nothing happens when no price there is sensible."""
        interests = [(ticker, _interest(ticks)) for ticker, ticks in self._board.ticks.items()]
        draw = self._dice.below(max(sum(weight for _, weight in interests), 1))
        lot_cc = self._dice.between(1, self._params.lot_max) * CC_PER_CONTRACT
        is_sale = self._dice.uniform()
        for ticker, weight in interests:
            draw -= weight
            if draw < 0:
                sale_share = 0.75 if _is_favourite(self._board.ticks[ticker]) else 0.5
                side = Side.ASK if ticker in self.selling_only or is_sale < sale_share else Side.BID
                self.take(ticker, side, lot_cc, now_ns)
                return

    def take(self, ticker: str, side: Side, lot_cc: int, now_ns: int) -> None:
        """Take up to `lot_cc` at the best price of the other side, if that is near fair value."""
        self._floor.advance(now_ns)
        market = self._floor.market(ticker)
        if market is None or not market.is_trading:
            return
        best = market.bid if side is Side.ASK else market.ask
        if best is None or (self._board.ticks.get(ticker, best[0]) - best[0]) * -side.sign > _REACH_TICKS:
            return
        wish = PlaceOrder(ticker=ticker, side=side, price_ticks=best[0], size_cc=lot_cc, tif=TimeInForce.IOC)
        self._floor.place(TAKER, wish, now_ns)


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """A planned gift: an ask of `size_cc` at `ask_ticks`, under the fair value then, for a while."""

    ticker: str
    start_ns: int
    end_ns: int
    ask_ticks: int
    size_cc: int
    fair_ticks: int


class Giver:
    """Carries out plants: makers step back, the ask appears, takers keep selling, all ends after a while."""

    def __init__(self, floor: Floor, agenda: Agenda, dice: Dice, takers: NoiseTakers) -> None:
        """Give on `floor`, by `agenda`; `takers` sell meanwhile."""
        self._floor = floor
        self._agenda = agenda
        self._dice = dice
        self._takers = takers

    def arrange(self, plant: Plant, maker: BackgroundMaker, board: FairBoard, factor: int) -> None:
        """Arrange one plant on the market of `maker`."""
        order_ids: list[str] = []

        def start(now_ns: int) -> None:
            maker.cap_ticks = plant.ask_ticks - 3 * CENT_TICKS
            maker.requote(board.ticks[plant.ticker], now_ns)
            self._takers.selling_only.add(plant.ticker)
            placed = self._floor.place(GIVER, _gift(plant), now_ns)
            # A pause of the market takes the gift with it.
            if isinstance(placed, Placed):
                order_ids.append(placed.order.order_id)
            self._agenda.arrange(now_ns + SECOND_NS, sell)

        def sell(now_ns: int) -> None:
            if now_ns >= plant.end_ns:
                return
            lot_cc = self._dice.between(1, 6) * CC_PER_CONTRACT
            self._takers.take(plant.ticker, Side.ASK, lot_cc, now_ns)
            pause_ms = self._dice.between(2_000, 5_000) * factor
            self._agenda.arrange(now_ns + min(pause_ms, 12_000) * MILLISECOND_NS, sell)

        def end(now_ns: int) -> None:
            for order_id in order_ids:
                self._floor.cancel(GIVER, order_id, now_ns)
            self._takers.selling_only.discard(plant.ticker)
            maker.cap_ticks = None
            maker.requote(board.ticks[plant.ticker], now_ns)

        self._agenda.arrange(plant.start_ns, start)
        self._agenda.arrange(plant.end_ns, end)


def _gift(plant: Plant) -> PlaceOrder:
    return PlaceOrder(ticker=plant.ticker, side=Side.ASK, price_ticks=plant.ask_ticks, size_cc=plant.size_cc)


def _is_favourite(fair_ticks: int) -> bool:
    return 85 * CENT_TICKS <= fair_ticks <= 98 * CENT_TICKS


def _interest(fair_ticks: int) -> int:
    if _is_favourite(fair_ticks):
        return 2
    return 1 if 25 * CENT_TICKS <= fair_ticks <= 75 * CENT_TICKS else 0
