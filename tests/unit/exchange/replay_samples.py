"""A recorded market by hand: frames, and a driver that folds books as the engine does."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from fairstrike.core.contract import CENT_GRID, Comparison, Contract
from fairstrike.core.effects import CancelOrder, Effect, SendOrder
from fairstrike.core.events import BatchEnded, BookDelta, BookSnapshot, Event, Level, OrderFilled
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.replay import Market, Params, Replay, Unit
from fairstrike.market.book import Book

TICKER = "KXBTC15M-26MAY140030-30"
BID, ASK = Side.BID, Side.ASK
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
MS = 1_000_000
START = 1_778_718_000_000 * MS
CLOSE = START + 900_000 * MS
DELAY_MS = 75


def at(ms: int) -> int:
    """The instant so many milliseconds after the start."""
    return START + ms * MS


def snapshot(ms: int, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = ()) -> Unit:
    book = BookSnapshot(ticker=TICKER, bids=bids, asks=asks, recv_ns=at(ms))
    return at(ms), [book, BatchEnded(recv_ns=at(ms))]


def delta(ms: int, side: Side, price: int, change_cc: int) -> BookDelta:
    return BookDelta(ticker=TICKER, is_bid=side is BID, price_ticks=price, delta_cc=change_cc, recv_ns=at(ms))


def batch(ms: int, *changes: tuple[Side, int, int]) -> Unit:
    """A group of deltas (side, price, change) received at once."""
    return at(ms), [*(delta(ms, *change) for change in changes), BatchEnded(recv_ns=at(ms))]


def tick(ms: int) -> Unit:
    """An instant at which nothing of the book changes."""
    return at(ms), [BatchEnded(recv_ns=at(ms))]


def send(
    key: str, side: Side, price: int, size: int, tif: TimeInForce = GTC, post_only: bool = False, ticker: str = TICKER
) -> SendOrder:
    return SendOrder(
        client_order_id=key,
        ticker=ticker,
        side=side,
        price_ticks=price,
        size_cc=size,
        tif=tif,
        post_only=post_only,
        reduce_only=False,
        exchange_index=0,
    )


def reduce(key: str, side: Side, price: int, size: int, tif: TimeInForce = IOC) -> SendOrder:
    """An order that may only close what we hold."""
    return msgspec.structs.replace(send(key, side, price, size, tif), reduce_only=True)


def expiring(order: SendOrder, ms: int) -> SendOrder:
    """The same order with its end so many milliseconds after the start."""
    return msgspec.structs.replace(order, expire_ns=at(ms))


def cancel(key: str) -> CancelOrder:
    return CancelOrder(client_order_id=key, order_id="", ticker=TICKER, exchange_index=0)


class Recorded:
    """The recorded world driven to its end; `told` are all units it gave, `book` the book as folded."""

    def __init__(
        self,
        units: Iterable[Unit],
        decisions: Mapping[int, Sequence[Effect]] | None = None,
        params: Params | None = None,
        schedule: FeeSchedule | None = None,
    ) -> None:
        """`decisions` maps milliseconds to the effects decided once the unit of that instant is folded."""
        self.book: Book | None = None
        self._market = Market(contract=CONTRACT, schedule=schedule or FeeSchedule(taker_ppm=0), book=None)
        self._due = {at(ms): list(effects) for ms, effects in (decisions or {}).items()}
        self.told: list[Unit] = []
        self.replay = Replay(iter(units), self._find, params or Params())

    def run(self, on_unit: Callable[["Recorded", Unit], None] = lambda _, __: None) -> "Recorded":
        while (unit := self.replay.advance()) is not None:
            for event in unit[1]:
                self._fold(event)
            self.told.append(unit)
            on_unit(self, unit)
            for effect in self._due.pop(unit[0], ()):
                self.replay.submit(effect)
        return self

    def answers(self) -> list[tuple[int, Event]]:
        """What our own orders caused: (milliseconds after the start, event)."""
        recorded = (BookSnapshot, BookDelta, BatchEnded)
        return [
            ((instant - START) // MS, event)
            for instant, events in self.told
            for event in events
            if not isinstance(event, recorded)
        ]

    def fills(self) -> list[tuple[int, str, int, int]]:
        """Fills as (milliseconds, order, price, size)."""
        return [
            (ms, event.client_order_id or "", event.price_ticks, event.size_cc)
            for ms, event in self.answers()
            if isinstance(event, OrderFilled)
        ]

    def _fold(self, event: Event) -> None:
        if isinstance(event, BookSnapshot) and event.ticker == TICKER:
            self.book = Book(event.bids, event.asks)
        elif isinstance(event, BookDelta) and self.book is not None:
            assert self.book.apply(event.is_bid, event.price_ticks, event.delta_cc)

    def _find(self, ticker: str) -> Market | None:
        if ticker != TICKER:
            return None
        return Market(contract=CONTRACT, schedule=self._market.schedule, book=self.book)


CONTRACT = Contract(
    ticker=TICKER,
    event_ticker="KXBTC15M-26MAY140030",
    series="KXBTC15M",
    asset="BTC",
    comparison=Comparison.AT_LEAST,
    open_ns=START,
    close_ns=CLOSE,
    floor_e8=80_000 * 10**8,
    grid=CENT_GRID,
)


class Honest:
    """Holds what was taken of each level since a group last ended without it against the most that stood since."""

    def __init__(self) -> None:
        self.stood: dict[tuple[Side, int], int] = {}
        self.sizes: dict[tuple[Side, int], int] = {}
        self.taken: dict[tuple[Side, int], int] = {}

    def __call__(self, world: Recorded, unit: Unit) -> None:
        for event in unit[1]:
            if isinstance(event, BookDelta):
                key = (BID if event.is_bid else ASK, event.price_ticks)
                self.sizes[key] = self.sizes.get(key, 0) + event.delta_cc
                self.stood[key] = max(self.stood.get(key, 0), self.sizes[key])
            elif isinstance(event, BatchEnded):
                for key in [key for key, size in self.sizes.items() if not size]:
                    self.taken[key] = self.stood[key] = 0
            elif isinstance(event, OrderFilled) and event.is_taker:
                key = (event.side.opposite, event.price_ticks)
                self.taken[key] = self.taken.get(key, 0) + event.size_cc
                assert self.taken[key] <= self.stood.get(key, 0)
            elif isinstance(event, OrderFilled):
                through = [k for k in self.sizes if self.goes_through(k, event)]
                assert event.size_cc <= sum(self.sizes[k] for k in through)

    @staticmethod
    def goes_through(key: tuple[Side, int], fill: OrderFilled) -> bool:
        return key[0] is not fill.side and fill.side.sign * (fill.price_ticks - key[1]) > 0
