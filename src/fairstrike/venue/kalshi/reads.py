"""A shell: carries `Ask` out, and typed calls. Reads are retried with back-off, signed anew, within the read budget."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from fairstrike.core.effects import Ask, Effect
from fairstrike.core.errors import ProtocolError
from fairstrike.core.events import AskFailed, BatchEnded, Event
from fairstrike.venue.kalshi.asking import PAGES_MAX, ask
from fairstrike.venue.kalshi.budget import Budget
from fairstrike.venue.kalshi.calls import Call
from fairstrike.venue.kalshi.rest import Errands, Rest, converse, persist
from fairstrike.venue.kalshi.wire.transport import Request, Response
from fairstrike.venue.port import Inbox

R = TypeVar("R")


class Page(Protocol):
    """A result that may be followed by another."""

    @property
    def cursor(self) -> str | None:
        """Where the next page begins; empty or None on the last."""
        ...


Q = TypeVar("Q", bound=Page)


class Reads:
    """The `Gateway` of reads. `shard` gives whose cash a balance is, None for all together."""

    def __init__(
        self, rest: Rest, budget: Budget, inbox: Inbox, shard: Callable[[], int | None] = lambda: None
    ) -> None:
        """Take the connection, the budget shared with writes, and where events go."""
        self._rest = rest
        self._budget = budget
        self._shard = shard
        self._errands = Errands(self._carry, rest, inbox)

    def submit(self, effect: Effect) -> None:
        """Take an `Ask`; when too many are under way it fails at once."""
        assert isinstance(effect, Ask), "reads carry out nothing but Ask"
        if not self._errands.take(effect):
            now_ns = self._rest.clock.now_ns()
            self._errands.say([AskFailed(what=effect.what, reason="too many reads under way", recv_ns=now_ns)])

    async def run(self) -> None:
        """Carry out what is submitted until `stop`."""
        await self._errands.run()

    def stop(self) -> None:
        """Take nothing more and let `run` return."""
        self._errands.stop()

    async def exchange(self, request: Request) -> Response:
        """Give the answer to a read, after up to `retries_max` retries.

        Raises `Unanswered` when the last try got none.
        """
        assert request.method == "GET", "only reads are retried without a thought"
        return await persist(self._rest, self._budget, request, f"{request.path}?{request.query}")

    async def call(self, call: Call[R]) -> R:
        """Give the result of a typed call.

        Raises `Unanswered`, a `VenueRefusal`, or `ProtocolError` for an answer that cannot be read.
        """
        return call.result(await self.exchange(call.request))

    async def _carry(self, effect: Effect) -> list[Event]:
        assert isinstance(effect, Ask), "reads carry out nothing but Ask"
        events = await converse(ask(effect, self._rest.clock.now_ns(), self._shard()), self.exchange)
        if effect.what == "markets" and events:
            # What is listed waits for a moment of decision, and without a stream there may be none for a long time.
            events.append(BatchEnded(recv_ns=events[-1].recv_ns))
        return events


async def all_pages(first: Call[Q], call: Callable[[Call[Q]], Awaitable[Q]]) -> list[Q]:
    """Give every page of a call, the first one included.

    Raises what the calls raise, and `ProtocolError` for a list without end.
    """
    pages = [await call(first)]
    seen: str | None = ""
    while (cursor := pages[-1].cursor) and cursor != seen:
        if len(pages) == PAGES_MAX:
            raise ProtocolError(f"{first.request.path} has more than {PAGES_MAX} pages; ask for less")
        pages.append(await call(first.after(cursor)))
        seen = cursor
    return pages
