"""What a run's journal says and what the desk's database says: two tellings of one run."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from fairstrike.core.events import OrderFilled
from fairstrike.core.order import Signal
from fairstrike.core.records import Booked, Ordered, OrderMoved, RunEnded, Settled
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS

_Kind = TypeVar("_Kind", bound=msgspec.Struct)
Rows = set[tuple[object, ...]]


def records(run: Path, kind: type[_Kind]) -> list[_Kind]:
    """The decision records of one kind, in order."""
    found = (record for record in read(run / "journal", DECISIONS) if record.kind == kind.__name__)
    return [msgspec.msgpack.decode(record.body, type=kind) for record in found]


def in_journal(run: Path) -> dict[str, Rows]:
    """Orders, fills and settlements as the journal tells them."""
    moved = {move.client_order_id: (move.state.value, move.filled_cc) for move in records(run, OrderMoved)}
    orders: Rows = {(o.client_order_id, *_asked(o.signal), *moved[o.client_order_id]) for o in records(run, Ordered)}
    fills: Rows = {(*_filled(b.fill), b.client_order_id, b.strategy, b.cash_ud, b.net_cc) for b in records(run, Booked)}
    settlements: Rows = {
        (s.ticker, s.value_ticks, s.net_cc, s.payout_ud, s.pnl_ud, s.cash_ud) for s in records(run, Settled)
    }
    return {"orders": orders, "fills": fills, "settlements": settlements}


def _asked(signal: Signal) -> tuple[object, ...]:
    return signal.strategy, signal.ticker, signal.side.value, signal.price_ticks, signal.size_cc


def _filled(fill: OrderFilled) -> tuple[object, ...]:
    return fill.trade_id, fill.order_id, fill.ticker, fill.side.value, fill.price_ticks, fill.size_cc, fill.fee_ud


def in_database(run: Path) -> dict[str, Rows]:
    """The same as the desk wrote them down."""
    columns = {
        "orders": "client_order_id, strategy, ticker, side, price_ticks, size_cc, state, filled_cc",
        "fills": "trade_id, order_id, ticker, side, price_ticks, size_cc, fee_ud, client_order_id, strategy, "
        "cash_ud, net_cc",
        "settlements": "ticker, value_ticks, net_cc, payout_ud, pnl_ud, cash_ud",
    }
    with closing(sqlite3.connect(run / "trader.db")) as database:
        return {table: set(database.execute(f"SELECT {names} FROM {table}")) for table, names in columns.items()}


def partial_fills(run: Path) -> int:
    """How many orders stood filled in part for a while."""
    sizes = {ordered.client_order_id: ordered.signal.size_cc for ordered in records(run, Ordered)}
    moves = records(run, OrderMoved)
    return len({m.client_order_id for m in moves if 0 < m.filled_cc < sizes[m.client_order_id]})


def end_of(run: Path) -> RunEnded:
    """How the run ended; it must have, once."""
    (ended,) = records(run, RunEnded)
    return ended
