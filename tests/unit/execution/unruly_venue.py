"""A venue that knows the truth and tells it late, twice and out of order: the model that orders are held against.

Answers to requests arrive in any order, the stream keeps its order but runs ahead of answers or behind them, old
words are said again, fills may name only the venue's id, lists are read between being asked for and being
delivered. It never contradicts itself.
"""

from collections.abc import Sequence

import msgspec

from fairstrike.core.chance import Dice
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
from fairstrike.core.order import Side, TimeInForce
from fairstrike.execution.orders import OrderEvent

REST_LAG_NS = 1_000_000_000


class FewRolls:
    """So many rolls of dice with one seed; zeros follow."""

    def __init__(self, seed: int, rolls: int) -> None:
        self._dice = Dice(seed, 0)
        self._left = rolls

    def roll(self, sides: int) -> int:
        self._left -= 1
        return self._dice.below(sides) if self._left >= 0 else 0

    @property
    def is_used_up(self) -> bool:
        return self._left <= 0


class Truth:
    """One order as it really is: on its way, rejected, lost, resting, canceled or executed."""

    def __init__(self, sent: SendOrder, number: int) -> None:
        self.sent = sent
        self.order_id = f"v{number}"
        self.status = "under way"
        self.filled_cc = 0

    @property
    def left_cc(self) -> int:
        return self.sent.size_cc - self.filled_cc


class UnrulyVenue:
    """Takes effects, moves on by itself, and hands out events when asked to."""

    def __init__(self, dice: FewRolls) -> None:
        self._dice = dice
        self.now_ns = 0
        self.truths: dict[str, Truth] = {}
        self.fills: list[OrderFilled] = []
        self._requests: list[SendOrder | CancelOrder] = []
        self._answers: list[OrderEvent] = []
        self._stream: list[OrderEvent] = []
        self._lists: list[OrdersRead] = []
        self._asked: list[int] = []
        self._said: list[OrderEvent] = []

    def take(self, effect: SendOrder | CancelOrder) -> None:
        if isinstance(effect, SendOrder):
            self.truths[effect.client_order_id] = Truth(effect, len(self.truths) + 1)
        self._requests.append(effect)

    def move_on(self) -> None:
        """One thing happens at the venue."""
        self.now_ns += self._dice.roll(400) * 1_000_000
        act = self._dice.roll(5)
        resting = [truth for truth in self.truths.values() if truth.status == "resting"]
        if act in (0, 1) and self._requests:
            self._arrive(self._requests.pop(self._dice.roll(len(self._requests))))
        elif act == 2 and resting:
            self._match(resting[self._dice.roll(len(resting))], is_taker=False)
        elif act == 3 and resting and self._dice.roll(3) == 0:
            self._end(resting[self._dice.roll(len(resting))])
        elif act == 4 and not self._asked:
            self._asked.append(self.now_ns)
        elif act == 4:
            self._read_list()

    def speak(self) -> OrderEvent | None:
        """The next event to be heard, None when there is nothing to say."""
        mouths = [mouth for mouth in (self._answers, self._stream, self._lists) if mouth]
        if self._said and self._dice.roll(6) == 5:
            return self._heard_now(self._said[self._dice.roll(len(self._said))])
        if not mouths:
            return None
        mouth = mouths[self._dice.roll(len(mouths))]
        event = mouth.pop(self._dice.roll(len(mouth)) if mouth is self._answers else 0)
        if not isinstance(event, OrdersRead):
            self._said.append(event)
        return self._heard_now(event)

    def calm_down(self) -> list[OrderEvent]:
        """Everything still to be said, and three clean lists far enough apart."""
        while self._requests:
            self._arrive(self._requests.pop(0))
        events = [*self._answers, *self._stream, *self._lists]
        self._answers, self._stream, self._lists, self._asked = [], [], [], []
        for _ in range(3):
            self.now_ns += 2 * REST_LAG_NS
            self._asked.append(self.now_ns)
            self._read_list()
            events += self._lists
            self._lists = []
        return events

    def _heard_now(self, event: OrderEvent) -> OrderEvent:
        self.now_ns += 1
        return msgspec.structs.replace(event, recv_ns=self.now_ns)

    def _arrive(self, request: SendOrder | CancelOrder) -> None:
        truth = self.truths[request.client_order_id]
        if isinstance(request, CancelOrder):
            self._answer_cancel(truth)
            return
        fate = self._dice.roll(8)
        if fate == 6:
            truth.status = "lost"
            self._doubt(truth)
        elif fate == 7:
            self._reject(truth)
        else:
            self._accept(truth, immediate=fate in (1, 2, 3), is_doubted=fate in (3, 4))

    def _accept(self, truth: Truth, *, immediate: bool, is_doubted: bool) -> None:
        truth.status = "resting"
        sent = truth.sent
        while immediate and truth.left_cc and self._dice.roll(3):
            self._match(truth, is_taker=True)
        rests = sent.tif is TimeInForce.GTC and truth.left_cc > 0
        if is_doubted:
            self._doubt(truth)
        else:
            acked = OrderAcked(
                client_order_id=sent.client_order_id,
                order_id=truth.order_id,
                filled_cc=truth.filled_cc,
                remaining_cc=truth.left_cc if rests else 0,
                recv_ns=0,
            )
            self._answers.append(acked)
        if rests:
            self._stream.append(self._report(truth))
        elif truth.left_cc:
            self._end(truth)

    def _reject(self, truth: Truth) -> None:
        truth.status = "rejected"
        if self._dice.roll(2):
            self._stream.append(msgspec.structs.replace(self._report(truth), status="canceled"))
        key = truth.sent.client_order_id
        self._answers.append(OrderRejected(client_order_id=key, code="no", message="no", recv_ns=0))

    def _doubt(self, truth: Truth) -> None:
        self._answers.append(OrderDoubted(client_order_id=truth.sent.client_order_id, reason="time-out", recv_ns=0))

    def _answer_cancel(self, truth: Truth) -> None:
        key, reduced_cc = truth.sent.client_order_id, 0
        if self._dice.roll(4) == 3:
            self._answers.append(CancelFailed(client_order_id=key, reason="time-out", recv_ns=0))
            if self._dice.roll(2):
                return
        if truth.status == "resting":
            reduced_cc = truth.left_cc
            self._end(truth)
        if not (self._answers and isinstance(self._answers[-1], CancelFailed)):
            self._answers.append(CancelAnswered(client_order_id=key, reduced_cc=reduced_cc, recv_ns=0))

    def _match(self, truth: Truth, *, is_taker: bool) -> None:
        sent = truth.sent
        size_cc = min(truth.left_cc, (self._dice.roll(4) + 1) * sent.size_cc // 4)
        names_us = self._dice.roll(3) > 0
        fill = OrderFilled(
            trade_id=f"t{len(self.fills)}",
            order_id=truth.order_id,
            client_order_id=sent.client_order_id if names_us else None,
            ticker=sent.ticker,
            side=sent.side,
            price_ticks=sent.price_ticks,
            size_cc=size_cc,
            fee_ud=self._dice.roll(50),
            is_taker=is_taker,
            recv_ns=0,
        )
        self.fills.append(fill)
        self._stream.append(fill)
        truth.filled_cc += size_cc
        if truth.left_cc == 0:
            truth.status = "executed"
        self._stream.append(self._report(truth))

    def _end(self, truth: Truth) -> None:
        truth.status = "canceled"
        self._stream.append(self._report(truth))

    def _read_list(self) -> None:
        orders = tuple(self._report(truth) for truth in self.truths.values() if truth.status == "resting")
        self._lists.append(OrdersRead(orders=orders, asked_ns=self._asked.pop(), recv_ns=self.now_ns))

    def _report(self, truth: Truth) -> OrderReported:
        sent = truth.sent
        return OrderReported(
            client_order_id=sent.client_order_id,
            order_id=truth.order_id,
            ticker=sent.ticker,
            side=sent.side,
            price_ticks=sent.price_ticks,
            status=truth.status,
            filled_cc=truth.filled_cc,
            remaining_cc=truth.left_cc if truth.status == "resting" else 0,
            recv_ns=0,
        )


def flow_ud(fills: Sequence[OrderFilled]) -> int:
    """Cash of fills when opening YES pays the price and NO its complement, contract by contract."""
    net: dict[str, int] = {}
    cash_ud = 0
    for fill in fills:
        paid = fill.price_ticks if fill.side is Side.BID else 10_000 - fill.price_ticks
        cash_ud -= fill.fee_ud
        for _ in range(fill.size_cc):
            before = net.get(fill.ticker, 0)
            cash_ud += 10_000 - paid if before * fill.side.sign < 0 else -paid
            net[fill.ticker] = before + fill.side.sign
    return cash_ud
