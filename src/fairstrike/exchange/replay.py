"""Own orders against a recorded book: the exchange of backtests and of paper trading.

A feed of recorded events is merged with what our own orders cause. An order decided at t meets all frames received
up to t + entry + feed latency, and is answered at that instant. What it then meets is the recorded book:

- a taker walks the recorded depth within its limit;
- a post-only order that would cross is refused;
- a resting order fills only when the recorded opposite best goes *through* its price, at its own price, for at most
  the size that stands through it. It is judged where a group of frames ends.

What an order of ours took of a level, either way, is not there for any of ours again until the level is gone where a
group of frames ends. No book, or a crossed one: no fill. Nothing fills at or after a market's close. A resting order
ends at its expiry. A reduce-only order takes at most our net position and never rests. Order of events at one instant:
recorded first, then arrivals and answers, then timers; in order of submission. Where nothing was recorded for ten
minutes timers wait until the recording goes on: a run over separate days does not live through the nights. Fees are
`core.fees` with the market's own schedule, rounded per order.
"""

import heapq
from collections.abc import Callable, Iterator
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from fairstrike.core.contract import Contract
from fairstrike.core.effects import Ask, CancelOrder, Effect, SendOrder, SetTimer
from fairstrike.core.events import (
    BalanceRead,
    BatchEnded,
    BookDelta,
    BookSnapshot,
    CancelAnswered,
    Event,
    ListRead,
    MarketSettled,
    OrderAcked,
    OrderFilled,
    OrderRejected,
    OrderReported,
    OrdersRead,
    PositionsRead,
    TimerFired,
)
from fairstrike.core.fees import FeeSchedule, fill_fee
from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import TICKS_PER_DOLLAR

Unit = tuple[int, list[Event]]
"""An instant and the events of it."""

Taken = dict[tuple[Side, int], int]
"""What we took of the levels of a market's recorded book, centicontracts by side and price."""

_ARRIVAL, _TIMER = 1, 2
_GRACE_NS = 60 * SECOND_NS
_HOLE_NS = 600 * SECOND_NS
_LEVELS_MAX = 200


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Latencies of the order path and the account's cash."""

    entry_latency_ns: Annotated[int, Meta(ge=0)] = 50 * MILLISECOND_NS
    feed_latency_ns: Annotated[int, Meta(ge=0)] = 25 * MILLISECOND_NS
    cash_ud: Annotated[int, Meta(gt=0)] = 10_000_000_000


class RecordedBook(Protocol):
    """What the simulation asks of the recorded book; it also says whether it is crossed."""

    bid_ticks: int | None
    ask_ticks: int | None

    @property
    def is_crossed(self) -> bool:
        """Whether the book is in the middle of a match."""

    def size_cc(self, side: Side, price_ticks: int) -> int:
        """Give the size recorded at a price."""

    def depth(self, side: Side, levels: int) -> list[tuple[int, int]]:
        """Give the best levels."""


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation must know of a market."""

    contract: Contract
    schedule: FeeSchedule
    book: RecordedBook | None


class _Expiry(msgspec.Struct, frozen=True, kw_only=True):
    ticker: str
    client_order_id: str


class _Resting:
    """An order of ours in the simulation; mutable, private to it."""

    __slots__ = ("carry_ud", "filled_cc", "order", "order_id")

    def __init__(self, order: SendOrder, order_id: str) -> None:
        self.order = order
        self.order_id = order_id
        self.filled_cc = 0
        self.carry_ud = 0

    @property
    def remaining_cc(self) -> int:
        return self.order.size_cc - self.filled_cc


class Replay:
    """A feed with our orders in it. `advance` gives the next events, `submit` takes effects.

    `market` looks up a market and its recorded book (the one the engine folds: one book is enough because
    feed latency is constant).
    """

    def __init__(self, feed: Iterator[Unit], market: Callable[[str], Market | None], params: Params) -> None:
        """Start at the feed's first unit."""
        self._feed = feed
        self._market = market
        self._delay_ns = params.entry_latency_ns + params.feed_latency_ns
        self._cash_ud = params.cash_ud
        self._heap: list[tuple[int, int, int, Effect | _Expiry]] = []
        self._timers: dict[str, int] = {}
        self._next: Unit | None = next(feed, None)
        self._sequence = 0
        self._resting: dict[str, dict[str, _Resting]] = {}
        self._taken: dict[str, Taken] = {}
        self._touched: dict[str, set[tuple[Side, int]]] = {}
        self._net_cc: dict[str, int] = {}
        self._ended: list[str] = []
        self._closed: set[str] = set()
        self.now_ns = self._last_ns = self._next[0] if self._next is not None else 0

    def advance(self) -> Unit | None:
        """Give the next instant and its events, None when the feed and all its consequences are over."""
        if self._ended:
            ended, self._ended = self._ended, []
            filled: list[Event] = []
            for ticker in ended:
                self._forget_vanished(ticker)
                filled += self._fill_through(ticker, self.now_ns)
            if filled:
                return self.now_ns, filled
        while self._heap:
            due_ns, rank, number, effect = self._heap[0]
            if self._next is not None and self._next[0] <= due_ns:
                break
            if self._next is not None and rank == _TIMER and due_ns > self._last_ns + _HOLE_NS:
                heapq.heapreplace(self._heap, (self._next[0], rank, number, effect))
                continue
            if self._next is None and due_ns > self._last_ns + _GRACE_NS:
                return None
            heapq.heappop(self._heap)
            self.now_ns = due_ns
            events = self._own(effect, number, due_ns)
            if events:
                return due_ns, events
        if self._next is None:
            return None
        unit, self._next = self._next, next(self._feed, None)
        self._note(unit)
        return unit

    def submit(self, effect: Effect) -> None:
        """Take an effect of the decision made at the last unit's instant."""
        match effect:
            case SendOrder() | CancelOrder():
                self._push(self.now_ns + self._delay_ns, _ARRIVAL, effect)
            case Ask(what="balance" | "positions" | "orders" | "fills" | "order_states"):
                self._push(self.now_ns, _ARRIVAL, effect)
            case SetTimer():
                self._timers[effect.name] = self._push(max(effect.due_ns, self.now_ns), _TIMER, effect)
            case _:
                pass

    def _push(self, due_ns: int, rank: int, effect: Effect | _Expiry) -> int:
        self._sequence += 1
        heapq.heappush(self._heap, (due_ns, rank, self._sequence, effect))
        return self._sequence

    def _note(self, unit: Unit) -> None:
        """Keep what a recorded unit means for our orders; it is judged once the engine has folded it."""
        self.now_ns, events = unit
        self._last_ns = self.now_ns
        for event in events:
            if type(event) is BookDelta:
                taken = self._taken.get(event.ticker)
                if taken:
                    self._touch(event, taken)
            elif type(event) is BookSnapshot:
                if self._taken.get(event.ticker):
                    self._touched.setdefault(event.ticker, set()).update(self._taken[event.ticker])
            elif type(event) is MarketSettled:
                self._net_cc.pop(event.ticker, None)
                self._close(event.ticker)
        if (self._resting or self._touched) and type(events[-1]) is BatchEnded:
            self._ended = list(dict.fromkeys([e.ticker for e in events if isinstance(e, BookDelta | BookSnapshot)]))

    def _close(self, ticker: str) -> None:
        """Cancel what rests in a market that is over."""
        if ticker in self._closed:
            return
        self._closed.add(ticker)
        for key, own in self._resting.get(ticker, {}).items():
            cancel = CancelOrder(client_order_id=key, order_id=own.order_id, ticker=ticker, exchange_index=0)
            self._push(self.now_ns, _ARRIVAL, cancel)

    def _touch(self, event: BookDelta, taken: Taken) -> None:
        """Note that a level we took of changed: whether it is gone shows at the group's end."""
        key = (Side.BID if event.is_bid else Side.ASK, event.price_ticks)
        if key in taken:
            self._touched.setdefault(event.ticker, set()).add(key)

    def _forget_vanished(self, ticker: str) -> None:
        """Forget what we took of levels that are gone now that a group of frames has ended."""
        touched = self._touched.pop(ticker, None)
        market = self._market(ticker) if touched else None
        if touched is None or market is None or market.book is None:
            return
        taken = self._taken[ticker]
        for key in touched:
            if not market.book.size_cc(*key):
                taken.pop(key, None)

    def _own(self, effect: Effect | _Expiry, number: int, now_ns: int) -> list[Event]:
        match effect:
            case SendOrder():
                return self._arrive(effect, now_ns)
            case CancelOrder():
                return [self._cancel(effect.ticker, effect.client_order_id, now_ns)]
            case _Expiry():
                is_resting = effect.client_order_id in self._resting.get(effect.ticker, {})
                return [self._cancel(effect.ticker, effect.client_order_id, now_ns)] if is_resting else []
            case SetTimer():
                if self._timers.get(effect.name) != number:
                    return []
                del self._timers[effect.name]
                return [TimerFired(name=effect.name, recv_ns=now_ns)]
            case Ask(what="balance"):
                return [BalanceRead(balance_ud=self._cash_ud, recv_ns=now_ns), BatchEnded(recv_ns=now_ns)]
            case Ask(what="positions"):
                return [PositionsRead(positions=(), recv_ns=now_ns), BatchEnded(recv_ns=now_ns)]
            case Ask(what="fills" | "order_states"):
                return [ListRead(what=effect.what, asked_ns=now_ns, recv_ns=now_ns), BatchEnded(recv_ns=now_ns)]
            case _:
                return [self._listed(now_ns)]

    def _arrive(self, order: SendOrder, now_ns: int) -> list[Event]:
        market = self._market(order.ticker)
        if market is None or order.ticker in self._closed or now_ns >= market.contract.close_ns:
            return [_rejected(order, "market_inactive", now_ns)]
        expire_ns = order.expire_ns if order.tif is TimeInForce.GTC else None
        if expire_ns is not None and expire_ns <= now_ns:
            return [_rejected(order, "invalid_order", now_ns)]
        book = market.book
        touch = None
        if book is not None:
            touch = book.ask_ticks if order.side is Side.BID else book.bid_ticks
        crosses = touch is not None and order.side.sign * (order.price_ticks - touch) >= 0
        if order.post_only and crosses:
            return [_rejected(order, "post only cross", now_ns)]
        self._sequence += 1
        own = _Resting(order, f"O{self._sequence}")
        size_cc = self._open_cc(order)
        takes = crosses and book is not None and not book.is_crossed
        matches = self._walk(market, order.side, order.price_ticks, size_cc) if takes else []
        if order.tif is TimeInForce.FOK and sum(size for _, size in matches) < size_cc:
            return [_rejected(order, "fill_or_kill_insufficient_resting_volume", now_ns)]
        self._take(order.ticker, order.side.opposite, matches)
        fills: list[Event] = [self._fill(own, market, price, size, now_ns, is_taker=True) for price, size in matches]
        rests = order.tif is TimeInForce.GTC and not order.reduce_only and own.remaining_cc > 0
        if rests:
            self._resting.setdefault(order.ticker, {})[order.client_order_id] = own
            if expire_ns is not None:
                expiry = _Expiry(ticker=order.ticker, client_order_id=order.client_order_id)
                self._push(expire_ns, _ARRIVAL, expiry)
        acked = OrderAcked(
            client_order_id=order.client_order_id,
            order_id=own.order_id,
            filled_cc=own.filled_cc,
            remaining_cc=own.remaining_cc if rests else 0,
            recv_ns=now_ns,
        )
        return [acked, *fills]

    def _open_cc(self, order: SendOrder) -> int:
        """Give how much an order may fill: a reduce-only one no more than the position it closes."""
        if not order.reduce_only:
            return order.size_cc
        return min(order.size_cc, max(-order.side.sign * self._net_cc.get(order.ticker, 0), 0))

    def _walk(self, market: Market, side: Side, limit_ticks: int, size_cc: int) -> list[tuple[int, int]]:
        """Give the recorded levels within a limit that an order of `side` meets, without what we took before."""
        assert market.book is not None
        taken = self._taken.get(market.contract.ticker, {})
        matches: list[tuple[int, int]] = []
        for price, level_cc in market.book.depth(side.opposite, _LEVELS_MAX):
            if size_cc <= 0 or side.sign * (price - limit_ticks) > 0:
                break
            part_cc = min(size_cc, level_cc - taken.get((side.opposite, price), 0))
            if part_cc > 0:
                matches.append((price, part_cc))
                size_cc -= part_cc
        return matches

    def _take(self, ticker: str, side: Side, matches: list[tuple[int, int]]) -> None:
        """Note what was taken of recorded levels of `side`."""
        taken = self._taken.setdefault(ticker, {})
        for price, size_cc in matches:
            taken[side, price] = taken.get((side, price), 0) + size_cc

    def _fill_through(self, ticker: str, now_ns: int) -> list[Event]:
        """Give the fills of resting orders whose price the recorded opposite best went through."""
        orders = self._resting.get(ticker)
        market = self._market(ticker) if orders else None
        if not orders or market is None:
            return []
        if now_ns >= market.contract.close_ns:
            self._close(ticker)
            return []
        if market.book is None or market.book.is_crossed:
            return []
        bid, ask = market.book.bid_ticks, market.book.ask_ticks
        events: list[Event] = []
        for side, best in ((Side.BID, ask), (Side.ASK, bid)):
            if best is None:
                continue
            mine = [o for o in orders.values() if o.order.side is side and side.sign * (o.order.price_ticks - best) > 0]
            mine.sort(key=lambda own: -own.order.side.sign * own.order.price_ticks)
            for own in mine:
                events += self._fill_one_through(own, market, now_ns)
        return events

    def _fill_one_through(self, own: _Resting, market: Market, now_ns: int) -> list[Event]:
        order = own.order
        matches = self._walk(market, order.side, order.price_ticks - order.side.sign, own.remaining_cc)
        size_cc = sum(size for _, size in matches)
        if not size_cc:
            return []
        self._take(order.ticker, order.side.opposite, matches)
        fill = self._fill(own, market, order.price_ticks, size_cc, now_ns, is_taker=False)
        if not own.remaining_cc:
            del self._resting[order.ticker][order.client_order_id]
        return [fill]

    def _fill(
        self, own: _Resting, market: Market, price: int, size_cc: int, now_ns: int, *, is_taker: bool
    ) -> OrderFilled:
        order = own.order
        fee = fill_fee(
            market.schedule,
            price,
            size_cc,
            is_maker=not is_taker,
            is_bid=order.side is Side.BID,
            carry_ud=own.carry_ud,
        )
        own.carry_ud = fee.carry_ud
        own.filled_cc += size_cc
        self._net_cc[order.ticker] = self._net_cc.get(order.ticker, 0) + order.side.sign * size_cc
        self._sequence += 1
        assert 0 < price < TICKS_PER_DOLLAR
        return OrderFilled(
            trade_id=f"T{self._sequence}",
            order_id=own.order_id,
            client_order_id=order.client_order_id,
            ticker=order.ticker,
            side=order.side,
            price_ticks=price,
            size_cc=size_cc,
            fee_ud=fee.fee_ud,
            is_taker=is_taker,
            recv_ns=now_ns,
        )

    def _cancel(self, ticker: str, client_order_id: str, now_ns: int) -> CancelAnswered:
        own = self._resting.get(ticker, {}).pop(client_order_id, None)
        reduced_cc = 0 if own is None else own.remaining_cc
        return CancelAnswered(client_order_id=client_order_id, reduced_cc=reduced_cc, recv_ns=now_ns)

    def _listed(self, now_ns: int) -> OrdersRead:
        reports = tuple(
            OrderReported(
                client_order_id=own.order.client_order_id,
                order_id=own.order_id,
                ticker=own.order.ticker,
                side=own.order.side,
                price_ticks=own.order.price_ticks,
                status="resting",
                filled_cc=own.filled_cc,
                remaining_cc=own.remaining_cc,
                recv_ns=now_ns,
            )
            for ticker in sorted(self._resting)
            for own in self._resting[ticker].values()
        )
        return OrdersRead(orders=reports, asked_ns=now_ns, recv_ns=now_ns)


def _rejected(order: SendOrder, code: str, now_ns: int) -> OrderRejected:
    return OrderRejected(client_order_id=order.client_order_id, code=code, message=code, recv_ns=now_ns)
