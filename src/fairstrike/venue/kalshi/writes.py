"""A shell: carries orders and cancels out. The only module that sends writes; observe and paper never import it.

An order is sent once: without an answer it is doubted, and a spent budget rejects it before it is sent. A cancel
names its shard, so asking it again is harmless: it is retried like a read.
"""

from typing import TypeVar

from fairstrike.core.effects import CancelOrder, Effect, SendOrder
from fairstrike.core.events import CancelFailed, Event, OrderRejected
from fairstrike.venue.kalshi.budget import Budget
from fairstrike.venue.kalshi.changes import is_repeatable
from fairstrike.venue.kalshi.rest import Errands, Rest, converse, persist, send
from fairstrike.venue.kalshi.translate import conversation
from fairstrike.venue.kalshi.wire.transport import Request, Response, Talk
from fairstrike.venue.port import Inbox

T = TypeVar("T")


class Writes:
    """The `Gateway` of orders and cancels."""

    def __init__(self, rest: Rest, budget: Budget, inbox: Inbox) -> None:
        """Take the connection, the budget shared with reads, and where events go."""
        self._rest = rest
        self._budget = budget
        self._errands = Errands(self._carry, rest, inbox)

    def submit(self, effect: Effect) -> None:
        """Take an order or a cancel; when too many are under way it is refused at once, unsent."""
        assert isinstance(effect, SendOrder | CancelOrder), "writes carry out orders and cancels"
        if self._errands.take(effect):
            return
        self._errands.say([self._unsent(effect, "too_many_under_way", "too many writes are under way")])

    async def run(self) -> None:
        """Carry out what is submitted until `stop`."""
        await self._errands.run()

    def stop(self) -> None:
        """Take nothing more and let `run` return."""
        self._errands.stop()

    async def change(self, talk: Talk[T]) -> T:
        """Carry a conversation of `changes.py` out within the write budget and give what it comes to.

        What is harmless when it is repeated is retried like a read; everything else is sent once.
        """
        return await converse(talk, self._exchange)

    async def _exchange(self, request: Request) -> Response:
        return await (self._cancel(request) if is_repeatable(request) else self._send(request))

    def _unsent(self, effect: SendOrder | CancelOrder, code: str, text: str) -> Event:
        key, now_ns = effect.client_order_id, self._rest.clock.now_ns()
        if isinstance(effect, SendOrder):
            return OrderRejected(client_order_id=key, code=code, message=text, recv_ns=now_ns)
        return CancelFailed(client_order_id=key, reason=text, recv_ns=now_ns)

    async def _carry(self, effect: Effect) -> list[Event]:
        assert isinstance(effect, SendOrder | CancelOrder), "writes carry out orders and cancels"
        clock = self._rest.clock
        talk = conversation(effect, asked_ns=clock.now_ns())
        if isinstance(effect, CancelOrder):
            return await converse(talk, self._cancel)
        cost = self._budget.cost_of("POST", "/portfolio/events/orders")
        if self._budget.wait_ns(cost, clock.now_ns()) > self._rest.params.send_wait_max_ns:
            return [self._unsent(effect, "rate_limited", "the write budget is spent: the order was not sent")]
        return await converse(talk, self._send)

    async def _send(self, request: Request) -> Response:
        return await send(self._rest, self._budget, request)

    async def _cancel(self, request: Request) -> Response:
        assert is_repeatable(request), "only what is harmless twice is asked again"
        return await persist(self._rest, self._budget, request)
