"""What must hold of a stepped world, whatever its seed and faults: both sides tell the same story."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from fairstrike.core.effects import Ask
from fairstrike.core.events import BalanceRead, Event
from fairstrike.core.ids import unpack_order_id
from fairstrike.core.order import OrderState, Side
from fairstrike.core.records import Booked, Ordered, OrderMoved, Settled
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange.api.call import BoxRequest
from fairstrike.exchange.happenings import OrderSnapshot, OrderStatus
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS, INPUTS
from fairstrike.venue.kalshi.translate import conversation
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, Response
from tests.simulation.stepped import ACCOUNT, SteppedWorld

_SAMPLE_EVERY_NS = 10 * SECOND_NS
Told = Booked | Ordered | OrderMoved | Settled


class Sampler:
    """Holds both sides' books and positions against each other while the world runs and nothing is on its way."""

    def __init__(self, world: SteppedWorld, *, with_positions: bool = True) -> None:
        """Watch `world` from now on; positions trail where the stream breaks."""
        self._world = world
        self._with_positions = with_positions
        self._next_ns = 0
        self.books = self.positions = self.without_ours = 0
        world.watchers.append(self._look)

    def _look(self) -> None:
        now_ns = self._world.schedule.now_ns
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + _SAMPLE_EVERY_NS
        engine, floor = self._world.engine, self._world.floor
        resting = [order for order in floor.orders(ACCOUNT) if order.remaining_cc]
        for ticker in engine.books.shelves:
            book = engine.books.served(ticker)
            if book is not None:
                self.books += 1
                assert book.levels() == (floor.levels(ticker, Side.BID), floor.levels(ticker, Side.ASK)), ticker
                self._compare_shown(ticker, [order for order in resting if order.ticker == ticker])
        if self._with_positions:
            self._compare_positions()

    def _compare_shown(self, ticker: str, resting: Sequence[OrderSnapshot]) -> None:
        """What strategies are shown is the book of everybody else, where both sides know the same orders of ours."""
        engine, floor = self._world.engine, self._world.floor
        view = engine.view(self._world.schedule.now_ns, ticker)
        known = {order.order_id: order.remaining_cc for order in view.working if order.state is OrderState.RESTING}
        if known != {order.order_id: order.remaining_cc for order in resting}:
            return
        assert view.book is not None
        for side in Side:
            levels = dict(floor.levels(ticker, side))
            for order in resting:
                if order.side is side:
                    levels[order.price_ticks] -= order.remaining_cc
            assert view.book.depth(side, len(levels) or 1) == [level for level in levels.items() if level[1]], ticker
        self.without_ours += bool(resting)

    def _compare_positions(self) -> None:
        # The stream tells of payouts as of fills, so neither side can be ahead of the other.
        engine, floor = self._world.engine, self._world.floor
        theirs = {position.ticker: position.net_cc for position in floor.positions(ACCOUNT) if position.net_cc}
        positions = engine.clerk.ledger.positions.values()
        ours = {position.ticker: position.net_cc for position in positions if position.net_cc}
        self.positions += len(theirs)
        assert ours == theirs


def decisions(folder: Path) -> list[Told]:
    """Give the run's records of orders and money, in order."""
    kinds: dict[str, type[Told]] = {kind.__name__: kind for kind in (Booked, Ordered, OrderMoved, Settled)}
    return [
        msgspec.msgpack.decode(record.body, type=kinds[record.kind])
        for record in read(folder / "journal", DECISIONS)
        if record.kind in kinds
    ]


def inputs(folder: Path, kind: type[msgspec.Struct]) -> list[Event]:
    """Give the run's events of one kind, in order."""
    decoder = msgspec.msgpack.Decoder(Event)
    return [decoder.decode(record.body) for record in read(folder / "journal", INPUTS) if record.kind == kind.__name__]


def check_money(world: SteppedWorld) -> None:
    """Our cash is the box's, to the microdollar, by its books and by its answer; and no money came or went."""
    cash_ud = world.engine.clerk.ledger.cash_ud
    assert cash_ud == world.account.balance_ud
    assert balance_read_ud(world) == cash_ud
    assert world.floor.total_ud() == world.total_ud


def check_nothing_rests(world: SteppedWorld) -> None:
    """The box holds no resting order of ours, and we hold none for working."""
    assert world.halt is not None
    assert world.halt.is_clean
    assert [order for order in world.floor.orders(ACCOUNT) if order.status is OrderStatus.RESTING] == []
    assert world.account.reserved_ud == 0
    assert world.engine.clerk.orders.all_working() == []


def check_fills_and_settlements(world: SteppedWorld, told: list[Told]) -> None:
    """Every fill is booked once, and every market paid us what it says it paid."""
    fills = {(fill.trade_id, fill.order_id): fill.size_cc for fill in world.floor.fills(ACCOUNT)}
    booked = [record.fill for record in told if isinstance(record, Booked)]
    assert len(booked) == len(fills)
    assert {(fill.trade_id, fill.order_id): fill.size_cc for fill in booked} == fills
    paid = {row.ticker: (row.yes_cc - row.no_cc, row.revenue_ud) for row in world.floor.settlements(ACCOUNT)}
    traded = {fill.ticker for fill in booked}
    ours = {each.ticker: (each.net_cc, each.payout_ud) for each in told if isinstance(each, Settled)}
    assert {ticker: row for ticker, row in ours.items() if ticker in traded} == paid
    assert world.floor.positions(ACCOUNT) == ()
    assert all(position.net_cc == 0 for position in world.engine.clerk.ledger.positions.values())


def check_one_order_an_intention(world: SteppedWorld, told: list[Told]) -> None:
    """No side of a market ever carries two orders of a strategy, and nothing is placed beside a doubt.

    An order's id is used once; on the box, two orders of one strategy and side never live at the same time.
    """
    orders = world.floor.orders(ACCOUNT)
    assert len({order.client_order_id for order in orders}) == len(orders)
    lives: dict[tuple[int, str, Side], int] = {}
    for order in orders:
        parts = unpack_order_id(order.client_order_id or "")
        assert parts is not None
        place = (parts.strategy, order.ticker, order.side)
        assert lives.get(place, 0) <= order.created_ns, f"{order.client_order_id} was placed beside another"
        lives[place] = order.updated_ns
    places: dict[str, tuple[str, str, Side]] = {}
    doubted: set[str] = set()
    for record in told:
        if isinstance(record, Ordered):
            signal = record.signal
            place_of = (signal.strategy, signal.ticker, signal.side)
            assert place_of not in {places[key] for key in doubted}, f"{record.client_order_id} beside a doubt"
            places[record.client_order_id] = place_of
        elif isinstance(record, OrderMoved):
            is_doubted = record.state is OrderState.UNKNOWN
            (doubted.add if is_doubted else doubted.discard)(record.client_order_id)
    assert doubted == set()


def balance_read_ud(world: SteppedWorld) -> int:
    """Give our cash as the box answers it to a signed request."""
    now_ns = world.schedule.now_ns
    wall_ms = now_ns // MILLISECOND_NS
    talk = conversation(Ask(what="balance", key=str(world.world.params.exchange_index)), asked_ns=now_ns)
    path = BASE_PATH + next(talk).path
    headers = world.signer.sign("GET", path, wall_ms)
    answer = world.box.answer(BoxRequest(method="GET", path=path, headers=headers), now_ns, wall_ms)
    try:
        talk.send(Response(status=answer.status, body=answer.body, recv_ns=now_ns))
    except StopIteration as end:
        (read_back,) = end.value
        assert isinstance(read_back, BalanceRead)
        return read_back.balance_ud
    raise AssertionError("a balance is one request")
