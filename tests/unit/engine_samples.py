"""An engine with a strategy that wishes what a test says, and the events it is fed."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from fairstrike.core.computing import Answer, Compute
from fairstrike.core.contract import CENT_GRID, Comparison, Contract, Timeframe
from fairstrike.core.effects import Effect
from fairstrike.core.events import (
    BalanceRead,
    BatchEnded,
    BookDelta,
    BookLost,
    BookSnapshot,
    Commanded,
    ComputationDone,
    ContractListed,
    Event,
    HeldPosition,
    IndexPrinted,
    Level,
    ListRead,
    OrderAcked,
    OrderFilled,
    OrderReported,
    OrdersRead,
    PositionsRead,
    TimerFired,
)
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.ids import OrderIdParts, pack_order_id
from fairstrike.core.order import Intent, Order, Side, Signal, TimeInForce
from fairstrike.engine import Engine, Rooms
from fairstrike.execution import reconcile, stopping
from fairstrike.execution.clerk import Clerk, Entry, Notes, Outcome
from fairstrike.execution.rounds import Params
from fairstrike.market.books import Books
from fairstrike.market.books import Params as BooksParams
from fairstrike.market.catalog import Catalog
from fairstrike.market.index import Params as IndexParams
from fairstrike.pricing.fair import Fairs
from fairstrike.pricing.fair import Params as FairParams
from fairstrike.pricing.regimes import Params as RegimeParams
from fairstrike.pricing.volatility import Params as VolatilityParams
from fairstrike.risk.limits import Door
from fairstrike.risk.limits import Params as LimitsParams
from fairstrike.strategy.base import Wakes, Wish
from fairstrike.strategy.scene import Scene

T, U = "KXBTCD-26MAY1417-T80000", "KXBTCD-26MAY1417-T81000"
BID, ASK = Side.BID, Side.ASK
MS, SECOND = 1_000_000, 1_000_000_000
RUN = 1_778_718_000 * SECOND
CASH_UD = 10_000_000_000
TAG = 0xFA5123
_Found = TypeVar("_Found")


def at(seconds: float) -> int:
    """The instant so many seconds after the start of the run."""
    return RUN + round(seconds * 1_000) * MS


def contract(ticker: str = T) -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker="KXBTCD-26MAY1417",
        series="KXBTCD",
        asset="BTC",
        comparison=Comparison.ABOVE,
        open_ns=RUN - 3_600 * SECOND,
        close_ns=RUN + 3_600 * SECOND,
        floor_e8=80_000 * 10**8,
        grid=CENT_GRID,
    )


def listed(ticker: str = T, seconds: float = 0) -> ContractListed:
    return ContractListed(
        contract=contract(ticker), schedule=FeeSchedule(), status="active", volume_24h_cc=0, recv_ns=at(seconds)
    )


def lost(seconds: float, reason: str) -> BookLost:
    return BookLost(ticker=T, reason=reason, recv_ns=at(seconds))


def snapshot(
    seconds: float,
    bids: tuple[Level, ...] = ((4_000, 50_000),),
    asks: tuple[Level, ...] = ((4_200, 50_000),),
    ticker: str = T,
) -> BookSnapshot:
    return BookSnapshot(ticker=ticker, bids=bids, asks=asks, recv_ns=at(seconds), venue_ns=at(seconds))


def delta(
    seconds: float, side: Side, price: int, change: int, venue: float | None = None, ticker: str = T
) -> BookDelta:
    return BookDelta(
        ticker=ticker,
        is_bid=side is BID,
        price_ticks=price,
        delta_cc=change,
        recv_ns=at(seconds),
        venue_ns=at(seconds if venue is None else venue),
    )


def batch(seconds: float) -> BatchEnded:
    return BatchEnded(recv_ns=at(seconds))


def command(seconds: float, name: str, argument: str = "") -> Commanded:
    return Commanded(command=name, argument=argument, recv_ns=at(seconds))


def timer(seconds: float, name: str) -> TimerFired:
    return TimerFired(name=name, recv_ns=at(seconds))


def printed(seconds: int, dollars: int = 80_000, source: str = "official") -> IndexPrinted:
    return IndexPrinted(
        asset="BTC", source=source, second=at(seconds) // SECOND, value_e8=dollars * 10**8, recv_ns=at(seconds)
    )


def read(seconds: float, *orders: OrderReported) -> OrdersRead:
    return OrdersRead(orders=orders, asked_ns=at(seconds), recv_ns=at(seconds))


def fills_read(seconds: float) -> ListRead:
    return ListRead(what="fills", asked_ns=at(seconds), recv_ns=at(seconds))


def positions(seconds: float, *held: HeldPosition) -> PositionsRead:
    return PositionsRead(positions=held, recv_ns=at(seconds))


def balance(seconds: float, cash_ud: int = CASH_UD) -> BalanceRead:
    return BalanceRead(balance_ud=cash_ud, recv_ns=at(seconds))


def account(seconds: float, *held: HeldPosition, cash_ud: int = CASH_UD) -> tuple[Event, ...]:
    """The reads that a run begins with: cash between two equal answers of positions."""
    return (positions(seconds, *held), balance(seconds, cash_ud), positions(seconds, *held))


def acked(seconds: float, key: str, filled: int = 0, remaining: int = 100, order_id: str = "v1") -> OrderAcked:
    return OrderAcked(
        client_order_id=key, order_id=order_id, filled_cc=filled, remaining_cc=remaining, recv_ns=at(seconds)
    )


def filled(seconds: float, key: str, size: int = 100, price: int = 4_000, trade: str = "t1") -> OrderFilled:
    return OrderFilled(
        trade_id=trade,
        order_id="v1",
        client_order_id=key,
        ticker=T,
        side=BID,
        price_ticks=price,
        size_cc=size,
        fee_ud=0,
        is_taker=False,
        recv_ns=at(seconds),
    )


def resting(seconds: float, key: str, ticker: str = T) -> OrderReported:
    return OrderReported(
        client_order_id=key,
        order_id="old",
        ticker=ticker,
        side=BID,
        price_ticks=4_000,
        status="resting",
        filled_cc=0,
        remaining_cc=100,
        recv_ns=at(seconds),
    )


def key_of(number: int, run_ns: int = RUN, tag: int = TAG) -> str:
    """The client order id of the run's order so many."""
    return pack_order_id(OrderIdParts(tag=tag, run_ms=run_ns // MS, strategy=9, counter=number))


def signal(side: Side = BID, price: int = 4_000, size: int = 100, intent: Intent = Intent.OPEN) -> Signal:
    return Signal(
        strategy="asking",
        ticker=T,
        side=side,
        price_ticks=price,
        size_cc=size,
        intent=intent,
        tif=TimeInForce.GTC,
        post_only=True,
        edge_ppm=10_000,
        confidence_ppm=500_000,
        reason="the test says so",
    )


def wish(kind: str = "fit", inputs: bytes = b"in", seconds: float = 1) -> Compute:
    """A wish for a long sum whose answer is good for so long."""
    return Compute(strategy="asking", kind=kind, group="BTC@1", inputs=inputs, good_for_ns=round(seconds * SECOND))


def computed(seconds: float, number: int, kind: str = "fit", result: bytes = b"out") -> ComputationDone:
    return ComputationDone(kind=kind, number=number, result=result, recv_ns=at(seconds))


class Asking:
    """A strategy that wishes what it is told, once, and notes what woke it."""

    name = "asking"
    code = 9

    def __init__(self, wakes: Wakes) -> None:
        self.wakes = wakes
        self.tally: Counter[str] = Counter()
        self.wishes: list[Wish] = []
        self.asked: list[tuple[str, ...]] = []
        self.answers: list[Answer] = []

    def trades(self, contract: Contract) -> bool:
        return contract.series == "KXBTCD"

    def consider(self, scene: Scene) -> list[Wish]:
        self.asked.append(scene.woken)
        self.answers += scene.answers
        wishes, self.wishes = self.wishes, []
        return wishes


class Hall:
    """An engine and its strategy. `feed` folds, decides where told to, and gives what every decision gave."""

    def __init__(
        self,
        wakes: Wakes | None = None,
        limits: LimitsParams | None = None,
        timeframes: tuple[Timeframe, ...] = tuple(Timeframe),
        regimes: RegimeParams | None = None,
    ) -> None:
        notes, catalog = Notes(), Catalog()
        params = (reconcile.Params(), stopping.Params())
        rooms = Rooms(
            notes=notes,
            catalog=catalog,
            books=Books(BooksParams()),
            fairs=Fairs(
                FairParams(),
                IndexParams(),
                VolatilityParams(returns_min=20),
                regimes=regimes or RegimeParams(),
            ),
            door=Door(limits or LimitsParams()),
            clerk=Clerk(catalog, notes, (TAG, RUN), params),
        )
        self.asking = Asking(wakes or Wakes(best_price=True, index=True, own_order=True))
        engine_params = Params(series=("KXBTCD", "KXBTC15M"), timeframes=timeframes)
        self.engine = Engine(engine_params, rooms, [self.asking])
        self.outcomes: list[Outcome] = [self.engine.start(RUN)]

    def feed(self, *events: Event) -> Outcome:
        """Records and effects of all decisions among these events, as one."""
        records: list[Entry] = []
        effects: list[Effect] = []
        for event in events:
            if self.engine.fold(event):
                outcome = self.engine.decide(event.recv_ns)
                self.outcomes.append(outcome)
                records += outcome.records
                effects += outcome.effects
        return Outcome(records=records, effects=effects)

    def opened(self) -> "Hall":
        """Trading: the account is clear, a market is watched, its book is there, prices have been printed."""
        self.feed(read(0.1), listed(), batch(0.2), *account(0.3), snapshot(0.4), batch(0.4))
        self.feed(*(printed(second, 80_000 + second % 7) for second in range(1, 41)))
        self.asking.asked.clear()
        return self

    def ordered(self) -> str:
        """One resting bid; gives its id."""
        self.asking.wishes = [signal()]
        self.feed(printed(41))
        self.feed(acked(41.1, key_of(0)))
        return key_of(0)

    def bytes(self) -> bytes:
        return msgspec.msgpack.encode(self.outcomes)


def working(hall: Hall) -> list[Order]:
    return hall.engine.clerk.orders.all_working()


def of(kind: type[_Found], items: Iterable[object]) -> list[_Found]:
    return [item for item in items if isinstance(item, kind)]
