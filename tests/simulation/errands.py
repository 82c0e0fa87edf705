"""Orders, cancels and reads carried step by step: the same conversations, bytes, budget and retries as the shells'.

An errand is a generator: it yields a request to send, or an instant to wait for, and returns events.
"""

from collections.abc import Callable, Generator, Sequence
from urllib.parse import urlencode

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.effects import Ask, CancelOrder, SendOrder
from fairstrike.core.events import Event, OrderRejected
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.exchange.api.call import BoxRequest, BoxResponse
from fairstrike.exchange.box import Box
from fairstrike.exchange.mishaps import PLAIN, Ending
from fairstrike.venue.kalshi.budget import Budget
from fairstrike.venue.kalshi.rest import RestParams
from fairstrike.venue.kalshi.signing import Signer
from fairstrike.venue.kalshi.translate import conversation
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, Conversation, Request, Response, Unanswered
from tests.simulation.schedule import Rank, Schedule

_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_BOUNDS = RestParams(origin="")

Step = Request | int
Errand = Generator[Step, Response | None, list[Event]]
Exchanging = Generator[Step, Response | None, Response]


class ErrandParts(msgspec.Struct, frozen=True, kw_only=True):
    """What errands are joined to; `deliver` takes what they end in, `touched` hears that the box did something."""

    schedule: Schedule
    box: Box
    signer: Signer
    budget: Budget
    deliver: Callable[[Sequence[Event]], None]
    touched: Callable[[], None]


class Errands:
    """Carries effects out against the box, side by side, each leg taking a drawn time."""

    def __init__(self, parts: ErrandParts, dice: Dice) -> None:
        """Draw latencies from `dice`."""
        self._parts = parts
        self._dice = dice
        self._schedule = parts.schedule
        self._budget = parts.budget
        self.requests = 0

    def submit(self, effect: SendOrder | CancelOrder | Ask) -> None:
        """Begin an errand."""
        self._go_on(self._errand(effect), None)

    def _go_on(self, errand: Errand, answer: Response | Unanswered | None) -> None:
        try:
            step = errand.throw(answer) if isinstance(answer, Unanswered) else errand.send(answer)
        except StopIteration as end:
            events: list[Event] = end.value
            self._schedule.at(self._schedule.now_ns, Rank.ANSWER, lambda: self._parts.deliver(events))
            return
        if isinstance(step, int):
            self._schedule.at(step, Rank.ANSWER, lambda: self._go_on(errand, None))
        else:
            self._attempt(errand, step)

    def _errand(self, effect: SendOrder | CancelOrder | Ask) -> Errand:
        now_ns = self._schedule.now_ns
        if isinstance(effect, SendOrder):
            cost = self._budget.cost_of("POST", "/portfolio/events/orders")
            if self._budget.wait_ns(cost, now_ns) > _BOUNDS.send_wait_max_ns:
                key, text = effect.client_order_id, "the write budget is spent: the order was not sent"
                return [OrderRejected(client_order_id=key, code="rate_limited", message=text, recv_ns=now_ns)]
        return (yield from self._converse(conversation(effect, asked_ns=now_ns)))

    def _converse(self, talk: Conversation) -> Errand:
        try:
            request = next(talk)
            while True:
                try:
                    response = yield from self._exchange(request)
                except Unanswered as error:
                    request = talk.throw(error)
                else:
                    request = talk.send(response)
        except StopIteration as end:
            events: list[Event] = end.value
            return events

    def _exchange(self, request: Request) -> Exchanging:
        """Send within the budget; what may be asked again is, after a back-off."""
        cost = self._budget.cost_of(request.method, request.path)
        polled = f"{request.path}?{request.query}" if request.method == "GET" else ""
        backoff = self._budget.backoff()
        retries = 0 if request.method == "POST" else _BOUNDS.retries_max
        for retries_left in range(retries, -1, -1):
            while wait_ns := self._budget.wait_ns(cost, self._schedule.now_ns, polled):
                yield self._schedule.now_ns + wait_ns
            self._budget.take(cost, self._schedule.now_ns, polled)
            try:
                response = yield request
            except Unanswered:
                if not retries_left:
                    raise
            else:
                assert response is not None, "a request is resumed with its answer"
                if response.status == 429:
                    self._budget.note_refused(cost, self._schedule.now_ns)
                if response.status not in _TRY_AGAIN or not retries_left:
                    return response
            yield self._schedule.now_ns + backoff.next_ns()
        raise AssertionError("the last try returns or raises")

    def _attempt(self, errand: Errand, request: Request) -> None:
        """Sign and send a request once: it arrives, is answered, and the answer arrives, unless a fault has it."""
        self.requests += 1
        schedule, parts, sent_ns = self._schedule, self._parts, self._schedule.now_ns
        path = BASE_PATH + request.path
        call = BoxRequest(
            method=request.method,
            path=path,
            query=urlencode(request.query),
            headers=parts.signer.sign(request.method, path, sent_ns // MILLISECOND_NS),
            body=request.body,
        )
        course = parts.box.course(call, sent_ns)
        there_ns = self._dice.between(15, 60) * MILLISECOND_NS + self._dice.below(MILLISECOND_NS)
        back_ns = self._dice.between(10, 50) * MILLISECOND_NS + self._dice.below(MILLISECOND_NS)

        def arrive() -> None:
            answer = parts.box.reply(call, course, schedule.now_ns, schedule.now_ns // MILLISECOND_NS)
            parts.touched()
            if answer is None:
                return
            told_ns = schedule.now_ns + course.back_ns + back_ns
            if course.ending is Ending.CUT:
                schedule.at(min(told_ns, given_up_ns), Rank.ANSWER, give_up)
            elif told_ns < given_up_ns:
                schedule.at(told_ns, Rank.ANSWER, lambda: told(answer))

        def told(answer: BoxResponse) -> None:
            done()
            headers = tuple(answer.headers.items())
            response = Response(status=answer.status, body=answer.body, recv_ns=schedule.now_ns, headers=headers)
            self._go_on(errand, response)

        def give_up() -> None:
            if not is_over:
                done()
                self._go_on(errand, Unanswered("no answer came in time", recv_ns=schedule.now_ns))

        def done() -> None:
            is_over.append(True)

        is_over: list[bool] = []
        given_up_ns = sent_ns + _BOUNDS.timeout_ns
        schedule.at(sent_ns + course.there_ns + there_ns, Rank.REQUEST, arrive)
        if course is not PLAIN:
            schedule.at(given_up_ns, Rank.ANSWER, give_up)
