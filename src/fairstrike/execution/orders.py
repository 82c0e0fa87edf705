"""Our orders: from approval to effect, and from every answer to the next state.

Ids are made here, once, from the account tag, the start of the run, the strategy's code and a counter. A fill is
booked once, whichever way it reached us; one that names only the venue's id waits until that id is known.
"""

import msgspec

from fairstrike.core.effects import CancelOrder, SendOrder
from fairstrike.core.events import (
    CancelAnswered,
    CancelFailed,
    OrderAcked,
    OrderDoubted,
    OrderFilled,
    OrderRejected,
    OrderReported,
    OrdersRead,
)
from fairstrike.core.ids import OrderIdParts, pack_order_id
from fairstrike.core.order import TERMINAL_STATES, Approved, Order, OrderState
from fairstrike.core.records import Booked, OrderMoved
from fairstrike.execution.ledger import Ledger
from fairstrike.execution.lifecycle import Move, moved
from fairstrike.execution.reconcile import Params, findings

OrderEvent = (
    OrderAcked | OrderRejected | OrderDoubted | OrderFilled | OrderReported | CancelAnswered | CancelFailed | OrdersRead
)
"""Every event that says something of an order of ours."""

_ORPHANS_MAX = 1_000
_ENDED_KEPT = 10_000


class Orders:
    """All orders of the run, the working ones by market, and the ids that name them."""

    def __init__(self, tag: int, run_ms: int, ledger: Ledger, params: Params) -> None:
        """Start a run: `tag` and `run_ms` go into every id."""
        self._tag = tag
        self._run_ms = run_ms
        self._ledger = ledger
        self._params = params
        self._counter = 0
        self._now_ns = 0
        self._by_venue: dict[str, str] = {}
        self._orphans: dict[str, list[OrderFilled]] = {}
        self._orphan_count = 0
        self._answered_ns: dict[str, int] = {}
        self._missed: dict[str, int] = {}
        self._read_ns: dict[str, int] = {}
        self.by_id: dict[str, Order] = {}
        self.working: dict[str, dict[str, Order]] = {}
        self.ended: list[str] = []
        self.records: list[Booked | OrderMoved] = []

    def place(self, approved: Approved, code: int, exchange_index: int, now_ns: int) -> SendOrder:
        """Give the effect of an approved signal; the order is SENDING from here on."""
        signal = approved.signal
        parts = OrderIdParts(tag=self._tag, run_ms=self._run_ms, strategy=code, counter=self._counter)
        self._counter += 1
        order = Order(
            client_order_id=pack_order_id(parts),
            strategy=signal.strategy,
            ticker=signal.ticker,
            side=signal.side,
            price_ticks=signal.price_ticks,
            size_cc=signal.size_cc,
            tif=signal.tif,
            post_only=signal.post_only,
            reduce_only=approved.reduce_only,
            intent=signal.intent,
            state=OrderState.SENDING,
            created_ns=now_ns,
            expire_ns=signal.expire_ns,
        )
        self._keep(order)
        return SendOrder(
            client_order_id=order.client_order_id,
            ticker=order.ticker,
            side=order.side,
            price_ticks=order.price_ticks,
            size_cc=order.size_cc,
            tif=order.tif,
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            exchange_index=exchange_index,
            expire_ns=order.expire_ns,
        )

    def cancel(self, client_order_id: str, exchange_index: int) -> CancelOrder | None:
        """Give the effect that cancels a resting order; None when it rests no more, or not yet."""
        order = self.by_id.get(client_order_id)
        if order is None or order.order_id is None or order.state is not OrderState.RESTING:
            return None
        self._move(order, Move.ASK_CANCEL)
        return CancelOrder(
            client_order_id=client_order_id,
            order_id=order.order_id,
            ticker=order.ticker,
            exchange_index=exchange_index,
        )

    def fold(self, event: OrderEvent) -> list[str]:
        """Take an answer in. Gives the tickers of the orders it concerned."""
        self._now_ns = event.recv_ns
        match event:
            case OrderFilled():
                return self._filled(event)
            case OrderAcked():
                return self._acked(event)
            case OrderReported():
                return self._reported(event)
            case OrdersRead():
                return self._listed(event)
            case CancelAnswered():
                return self._cancelled(event)
            case CancelFailed():
                return self._step(event.client_order_id, Move.CANCEL_FAIL)
            case OrderRejected():
                return self._step(event.client_order_id, Move.REJECT)
            case OrderDoubted():
                return self._step(event.client_order_id, Move.DOUBT)

    def read(self, what: str, asked_ns: int) -> None:
        """Note that a list, fills or order_states, was told whole."""
        self._read_ns[what] = max(asked_ns, self._read_ns.get(what, 0))

    def of_market(self, ticker: str) -> tuple[Order, ...]:
        """Give the working orders in one market, oldest first."""
        return tuple(self.working.get(ticker, {}).values())

    def all_working(self) -> list[Order]:
        """Give every working order, by market and age."""
        return [order for ticker in sorted(self.working) for order in self.working[ticker].values()]

    def has_unknown(self) -> bool:
        """Whether any order's fate is unknown, or a fill that the venue spoke of is still missing."""
        return any(order.state is OrderState.UNKNOWN or order.final_cc is not None for order in self.all_working())

    def drain(self) -> list[Booked | OrderMoved]:
        """Give, once, what became of orders since the last call: for the journal."""
        records, self.records = self.records, []
        return records

    def _acked(self, event: OrderAcked) -> list[str]:
        order = self.by_id.get(event.client_order_id)
        if order is None:
            return []
        order = self._learn(order, event.order_id)
        if event.remaining_cc > 0:
            self._move(order, Move.ACK_RESTING)
        else:
            self._end(order, event.filled_cc, Move.ACK_DONE)
        return [order.ticker]

    def _filled(self, fill: OrderFilled) -> list[str]:
        key = fill.client_order_id or self._by_venue.get(fill.order_id)
        order = self.by_id.get(key) if key is not None else None
        if self._ledger.has_seen(fill):
            return []
        if order is None:
            self._adopt_later(fill)
            return []
        self._book(fill, order)
        order = msgspec.structs.replace(order, filled_cc=order.filled_cc + fill.size_cc)
        assert order.filled_cc <= order.size_cc, f"{order.client_order_id} filled beyond its size"
        self._move(order, Move.FILL_LAST if order.filled_cc == order.size_cc else Move.FILL_PART)
        order = self._learn(self.by_id[order.client_order_id], fill.order_id)
        if order.is_working and order.final_cc is not None:
            self._end(order, order.final_cc, Move.ACK_DONE)
        return [order.ticker]

    def _adopt_later(self, fill: OrderFilled) -> None:
        """Keep a fill whose order is not known yet; of too many the oldest goes, for reads tell it again."""
        waiting = self._orphans.setdefault(fill.order_id, [])
        if any(other.trade_id == fill.trade_id for other in waiting):
            return
        waiting.append(fill)
        self._orphan_count += 1
        while self._orphan_count > _ORPHANS_MAX:
            self._orphan_count -= len(self._orphans.pop(next(iter(self._orphans))))

    def _book(self, fill: OrderFilled, order: Order) -> None:
        self._ledger.fill(fill, order.strategy)
        position = self._ledger.position(fill.ticker)
        self.records.append(
            Booked(
                fill=fill,
                client_order_id=order.client_order_id,
                strategy=order.strategy,
                cash_ud=self._ledger.cash_ud,
                net_cc=position.net_cc,
                cost_ud=position.cost_ud,
                realised_ud=position.realised_ud,
            )
        )

    def _reported(self, event: OrderReported) -> list[str]:
        order = self.by_id.get(event.client_order_id)
        if order is None:
            return []
        order = self._learn(order, event.order_id)
        if event.status == "resting":
            self._move(order, Move.FOUND_RESTING)
        else:
            self._end(order, event.filled_cc, Move.FOUND_GONE)
        return [order.ticker]

    def _cancelled(self, event: CancelAnswered) -> list[str]:
        order = self.by_id.get(event.client_order_id)
        if order is None:
            return []
        if event.reduced_cc > 0:
            self._end(order, order.size_cc - event.reduced_cc, Move.CANCEL_DONE)
        else:
            self._move(order, Move.CANCEL_VOID)
        return [order.ticker]

    def _listed(self, event: OrdersRead) -> list[str]:
        listed = {report.client_order_id for report in event.orders}
        for order in self.all_working():
            if order.client_order_id in listed:
                self._missed.pop(order.client_order_id, None)
        touched = []
        working = {order.client_order_id: order for order in self.all_working()}
        for finding in findings(working, self._missed, event.orders, event.asked_ns, self._told_ns(), self._params):
            order = self.by_id[finding.client_order_id]
            if finding.report is not None:
                order = self._learn(order, finding.report.order_id)
            self._move(order, finding.move)
            touched.append(order.ticker)
        for order in self.all_working():
            answered_ns = self._answered_ns.get(order.client_order_id)
            if order.client_order_id not in listed and answered_ns is not None and answered_ns <= event.asked_ns:
                self._missed.setdefault(order.client_order_id, event.asked_ns)
        return touched

    def _told_ns(self) -> int:
        return min(self._read_ns.get("fills", 0), self._read_ns.get("order_states", 0))

    def _end(self, order: Order, final_cc: int, move: Move) -> None:
        """End an order that the venue says is over, unless fills that belong to it are still on their way."""
        if not order.is_working:
            return
        if order.filled_cc >= final_cc:
            self._move(order, move)
        elif order.final_cc != final_cc:
            self._keep(msgspec.structs.replace(order, final_cc=final_cc))

    def _step(self, client_order_id: str, move: Move) -> list[str]:
        order = self.by_id.get(client_order_id)
        if order is None:
            return []
        self._move(order, move)
        return [order.ticker]

    def _learn(self, order: Order, order_id: str) -> Order:
        if order.order_id != order_id:
            order = msgspec.structs.replace(order, order_id=order_id)
            self._by_venue[order_id] = order.client_order_id
            self._keep(order)
        waiting = self._orphans.pop(order_id, [])
        self._orphan_count -= len(waiting)
        for fill in waiting:
            self._filled(fill)
        return self.by_id[order.client_order_id]

    def _move(self, order: Order, move: Move) -> None:
        self._keep(msgspec.structs.replace(order, state=moved(order.state, move)))

    def _keep(self, order: Order) -> None:
        key = order.client_order_id
        before = self.by_id.get(key)
        self.by_id[key] = order
        if before is None or _shown(before) != _shown(order):
            self.records.append(
                OrderMoved(
                    client_order_id=key,
                    ticker=order.ticker,
                    state=order.state,
                    filled_cc=order.filled_cc,
                    order_id=order.order_id,
                )
            )
        if order.state in TERMINAL_STATES:
            self._retire(order)
        else:
            self.working.setdefault(order.ticker, {})[key] = order
            if order.state is not OrderState.SENDING:
                self._answered_ns.setdefault(key, self._now_ns)

    def _retire(self, order: Order) -> None:
        key = order.client_order_id
        self._missed.pop(key, None)
        self._answered_ns.pop(key, None)
        if self.working.get(order.ticker, {}).pop(key, None) is None:
            return
        if not self.working[order.ticker]:
            del self.working[order.ticker]
        self.ended.append(key)
        self._forget()

    def _forget(self) -> None:
        if len(self.ended) > _ENDED_KEPT:
            for key in self.ended[: _ENDED_KEPT // 2]:
                order = self.by_id.pop(key)
                self._by_venue.pop(order.order_id or "", None)
            del self.ended[: _ENDED_KEPT // 2]


def _shown(order: Order) -> tuple[OrderState, int, str | None]:
    return (order.state, order.filled_cc, order.order_id)
