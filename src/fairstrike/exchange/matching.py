"""One book per market in YES price: price priority, then time; a match is at the resting order's price.

`LiveOrder` is the one mutable thing: an order while it matches and rests. The book changes only sizes and
who rests; money, happenings and the rules of admission live above it.
"""

from bisect import insort
from collections.abc import Iterator
from enum import Enum, auto

import msgspec

from fairstrike.core.events import Level
from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.happenings import OrderSnapshot, OrderStatus, SelfTrade, UpdateReason


class LiveOrder(msgspec.Struct, kw_only=True):
    """An order the exchange took. `open_cc` may still match; `carry_ud` is its fee rounding accumulator."""

    order_id: str
    client_order_id: str | None
    account: str
    ticker: str
    side: Side
    price_ticks: int
    initial_cc: int
    open_cc: int
    tif: TimeInForce
    self_trade: SelfTrade
    exchange_index: int
    created_ns: int
    updated_ns: int
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    expire_ns: int | None = None
    status: OrderStatus = OrderStatus.RESTING
    reason: UpdateReason | None = None
    filled_cc: int = 0
    filled_value_ud: int = 0
    taker_cost_ud: int = 0
    maker_cost_ud: int = 0
    taker_fees_ud: int = 0
    maker_fees_ud: int = 0
    carry_ud: int = 0
    subaccount: int = 0
    group_id: str | None = None

    def snapshot(self) -> OrderSnapshot:
        """Give the order as it stands, as a value."""
        return OrderSnapshot(
            order_id=self.order_id,
            client_order_id=self.client_order_id,
            account=self.account,
            ticker=self.ticker,
            side=self.side,
            price_ticks=self.price_ticks,
            status=self.status,
            initial_cc=self.initial_cc,
            filled_cc=self.filled_cc,
            remaining_cc=self.open_cc,
            tif=self.tif,
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            cancel_on_pause=self.cancel_on_pause,
            self_trade=self.self_trade,
            exchange_index=self.exchange_index,
            taker_cost_ud=self.taker_cost_ud,
            maker_cost_ud=self.maker_cost_ud,
            taker_fees_ud=self.taker_fees_ud,
            maker_fees_ud=self.maker_fees_ud,
            created_ns=self.created_ns,
            updated_ns=self.updated_ns,
            expire_ns=self.expire_ns,
            reason=self.reason,
            subaccount=self.subaccount,
            group_id=self.group_id,
        )


class Match(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The incoming order and `maker` traded `size_cc` at the maker's price."""

    maker: LiveOrder
    price_ticks: int
    size_cc: int


class OwnRemoved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Self-trade prevention took the account's own resting `order`, with `size_cc` open, off the book."""

    order: LiveOrder
    size_cc: int


Step = Match | OwnRemoved


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an incoming order did, step by step; `met_own` says it stopped before one of its own account."""

    steps: tuple[Step, ...]
    met_own: bool


class Reach(Enum):
    """How far an order could get at its limit price if it came now."""

    WHOLE = auto()
    SHORT = auto()
    OWN_ORDER = auto()


class _Half:
    """One side: orders by price in time order, prices sorted so that the best is last."""

    __slots__ = ("keys", "queues", "sign", "sizes")

    def __init__(self, side: Side) -> None:
        self.sign = side.sign
        self.keys: list[int] = []
        self.queues: dict[int, dict[str, LiveOrder]] = {}
        self.sizes: dict[int, int] = {}

    def best(self) -> int | None:
        return self.keys[-1] * self.sign if self.keys else None

    def add(self, order: LiveOrder) -> None:
        price = order.price_ticks
        if price not in self.queues:
            insort(self.keys, price * self.sign)
            self.queues[price] = {}
            self.sizes[price] = 0
        self.queues[price][order.order_id] = order
        self.sizes[price] += order.open_cc

    def take(self, order: LiveOrder, size_cc: int) -> None:
        """Take `size_cc` off a resting order, and the order off the book when nothing stays open."""
        price = order.price_ticks
        assert 0 < size_cc <= order.open_cc, "an order gives at most what it holds"
        order.open_cc -= size_cc
        self.sizes[price] -= size_cc
        if order.open_cc:
            return
        del self.queues[price][order.order_id]
        if not self.queues[price]:
            assert not self.sizes[price], "an empty level holds nothing"
            del self.queues[price], self.sizes[price]
            self.keys.remove(price * self.sign)


class MatchingBook:
    """The resting orders of one market. Never crossed: what crosses matches or is stopped."""

    __slots__ = ("_asks", "_bids")

    def __init__(self) -> None:
        """Start empty."""
        self._bids = _Half(Side.BID)
        self._asks = _Half(Side.ASK)

    def best(self, side: Side) -> Level | None:
        """Give the best price and the size resting there, None for an empty side."""
        half = self._half(side)
        price = half.best()
        return None if price is None else (price, half.sizes[price])

    def levels(self, side: Side) -> tuple[Level, ...]:
        """Give all (price, size) of a side, best first."""
        half = self._half(side)
        return tuple((key * half.sign, half.sizes[key * half.sign]) for key in reversed(half.keys))

    def resting(self, side: Side) -> tuple[LiveOrder, ...]:
        """Give the resting orders of a side in the order in which they would match."""
        half = self._half(side)
        return tuple(order for key in reversed(half.keys) for order in half.queues[key * half.sign].values())

    def crosses(self, side: Side, price_ticks: int) -> bool:
        """Whether an order of this side and price would meet a resting one."""
        best = self._half(side.opposite).best()
        return best is not None and best * side.sign <= price_ticks * side.sign

    def ahead_cc(self, order: LiveOrder) -> int:
        """Give the contracts that match before a resting order: better prices, and earlier orders of its own."""
        for other, ahead_cc in self._queue(order.side):
            if other is order:
                return ahead_cc
        raise AssertionError("a resting order is in the queue of its price")

    def queues_cc(self) -> Iterator[tuple[str, int]]:
        """Give the id of every resting order with the contracts that match before it."""
        for side in Side:
            yield from ((order.order_id, ahead_cc) for order, ahead_cc in self._queue(side))

    def _queue(self, side: Side) -> Iterator[tuple[LiveOrder, int]]:
        half, ahead_cc = self._half(side), 0
        for key in reversed(half.keys):
            for order in half.queues[key * half.sign].values():
                yield order, ahead_cc
                ahead_cc += order.open_cc

    def reach(self, order: LiveOrder) -> Reach:
        """Give whether `order` could fill whole now, or meets an order of its own account before that."""
        wanted_cc = order.open_cc
        half = self._half(order.side.opposite)
        for key in reversed(half.keys):
            price = key * half.sign
            if price * order.side.sign > order.price_ticks * order.side.sign:
                break
            for maker in half.queues[price].values():
                if maker.account == order.account:
                    return Reach.OWN_ORDER
                wanted_cc -= maker.open_cc
                if wanted_cc <= 0:
                    return Reach.WHOLE
        return Reach.SHORT

    def match(self, order: LiveOrder) -> Outcome:
        """Match an incoming order as far as its price allows; its `open_cc` falls, makers' too.

        An order of the same account is never matched: `taker_at_cross` stops before it, `maker` takes it off.
        """
        half = self._half(order.side.opposite)
        steps: list[Step] = []
        while order.open_cc and self.crosses(order.side, order.price_ticks):
            price = half.keys[-1] * half.sign
            maker = next(iter(half.queues[price].values()))
            if maker.account == order.account:
                if order.self_trade is SelfTrade.TAKER_AT_CROSS:
                    return Outcome(steps=tuple(steps), met_own=True)
                steps.append(OwnRemoved(order=maker, size_cc=maker.open_cc))
                half.take(maker, maker.open_cc)
                continue
            size_cc = min(order.open_cc, maker.open_cc)
            half.take(maker, size_cc)
            order.open_cc -= size_cc
            steps.append(Match(maker=maker, price_ticks=price, size_cc=size_cc))
        return Outcome(steps=tuple(steps), met_own=False)

    def rest(self, order: LiveOrder) -> None:
        """Put what is open of `order` at the back of its price's queue; it must not cross."""
        assert order.open_cc > 0, "only an open order rests"
        assert not self.crosses(order.side, order.price_ticks), "a book is never crossed"
        self._half(order.side).add(order)

    def reduce(self, order: LiveOrder, size_cc: int) -> None:
        """Take `size_cc` off a resting order, all of it to remove it; the rest keeps its place."""
        self._half(order.side).take(order, size_cc)

    def _half(self, side: Side) -> _Half:
        return self._bids if side is Side.BID else self._asks
