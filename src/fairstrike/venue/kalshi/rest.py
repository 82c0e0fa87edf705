"""A shell under `reads` and `writes`: one signed HTTP attempt, and conversations carried side by side.

It decides nothing: it moves bytes, stamps their receipt and turns every way of not getting an answer into
`Unanswered`. Headers are never logged; bodies are, shortened, at DEBUG.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from yarl import URL

from fairstrike.core.effects import Effect
from fairstrike.core.errors import Unreachable
from fairstrike.core.events import Event
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.venue.kalshi.budget import Budget, Cost
from fairstrike.venue.kalshi.signing import Signer
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, Request, Response, Talk, Unanswered
from fairstrike.venue.port import Clock, Inbox

WallMs = Callable[[], int]
"""The wall time in epoch milliseconds: signatures live by it, whatever the venue's clock is."""

T = TypeVar("T")

_log = logging.getLogger(__name__)
_LOGGED_LONGEST = 500
_CHUNK = 65_536
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


class RestParams(msgspec.Struct, frozen=True, kw_only=True):
    """Where the venue's REST is, e.g. "https://external-api.kalshi.com", and the bounds of a shell."""

    origin: str
    timeout_ns: int = 5 * SECOND_NS
    body_bytes_max: int = 32 * 1024 * 1024
    under_way_max: int = 256
    retries_max: int = 3
    send_wait_max_ns: int = SECOND_NS
    inbox_retry_ns: int = 20 * MILLISECOND_NS


class Rest:
    """Sends requests, each once. Opened on first use; closed by `close`, or by the last of its holders."""

    def __init__(self, params: RestParams, signer: Signer | None, clock: Clock, wall_ms: WallMs) -> None:
        """Take where to send, who signs (nobody for public reads) and the two clocks."""
        self.params = params
        self.clock = clock
        self._signer = signer
        self._wall_ms = wall_ms
        self._http: aiohttp.ClientSession | None = None
        self._holders = 0

    async def attempt(self, request: Request) -> Response:
        """Sign and send a request once; give its answer.

        Raises `Unanswered` when none came: check the address and the network.
        """
        path = BASE_PATH + request.path
        headers = {} if self._signer is None else self._signer.sign(request.method, path, self._wall_ms())
        if request.body:
            headers["Content-Type"] = "application/json"
        query = f"?{urlencode(request.query)}" if request.query else ""
        _log.debug("%s %s%s %s", request.method, path, query, _shortened(request.body))
        try:
            response = await self._exchange(request, URL(self.params.origin + path + query, encoded=True), headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            is_babble = isinstance(error, aiohttp.ClientResponseError)
            text = "what came is not HTTP" if is_babble else str(error) or type(error).__name__
            _log.debug("%s %s unanswered: %s", request.method, path, text)
            raise Unanswered(
                f"{self.params.origin} gave no answer ({text}): check the address and the network.",
                recv_ns=self.clock.now_ns(),
            ) from None
        _log.debug("%s %s %d %s", request.method, path, response.status, _shortened(response.body))
        return response

    def hold(self) -> None:
        """Keep the connections open until `release`: reads and writes may share them."""
        self._holders += 1

    async def release(self) -> None:
        """Hold no longer; the last to do so closes the connections."""
        self._holders -= 1
        if not self._holders:
            await self.close()

    async def close(self) -> None:
        """Close the connections; a later attempt opens them anew."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _exchange(self, request: Request, url: URL, headers: dict[str, str]) -> Response:
        body = request.body or None
        async with self._opened().request(
            request.method, url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            received = bytearray()
            async for chunk in answer.content.iter_chunked(_CHUNK):
                received += chunk
                if len(received) > self.params.body_bytes_max:
                    raise aiohttp.ClientPayloadError("the answer is longer than any should be")
            return Response(
                status=answer.status,
                body=bytes(received),
                recv_ns=self.clock.now_ns(),
                headers=tuple(answer.headers.items()),
            )

    def _opened(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.params.timeout_ns / SECOND_NS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._http


def _shortened(body: bytes) -> str:
    return body[:_LOGGED_LONGEST].decode("utf-8", "replace")


async def afford(budget: Budget, cost: Cost, clock: Clock, polled: str = "") -> None:
    """Return when the budget covers a request, which is then spent. Whoever wakes first takes first."""
    now_ns = clock.now_ns()
    wait_ns = budget.wait_ns(cost, now_ns, polled)
    if wait_ns > 0:
        budget.note_wait()
    while wait_ns > 0:
        await clock.sleep_until(now_ns + wait_ns)
        now_ns = clock.now_ns()
        wait_ns = budget.wait_ns(cost, now_ns, polled)
    budget.take(cost, now_ns, polled)


async def send(rest: Rest, budget: Budget, request: Request, polled: str = "") -> Response:
    """Send a request once, when the budget covers it; a 429 is noted there. Raises `Unanswered`."""
    cost = budget.cost_of(request.method, request.path, items=request.items)
    await afford(budget, cost, rest.clock, polled)
    response = await rest.attempt(request)
    if response.status == 429:
        budget.note_refused(cost, rest.clock.now_ns(), response.retry_after_ns)
    return response


async def persist(rest: Rest, budget: Budget, request: Request, polled: str = "") -> Response:
    """Send what is harmless when it is repeated, and up to `retries_max` times again while the venue fails.

    Raises `Unanswered` when the last try got no answer.
    """
    backoff = budget.backoff()
    for retries_left in range(rest.params.retries_max, -1, -1):
        try:
            response = await send(rest, budget, request, polled)
        except Unanswered as error:
            if not retries_left:
                raise
            why = str(error)
        else:
            if response.status not in _TRY_AGAIN or not retries_left:
                return response
            why = f"the venue answered {response.status}"
        wait_ns = backoff.next_ns()
        budget.note_retry(wait_ns)
        _log.info("%s is asked again in %.1f s: %s", request.path, wait_ns / SECOND_NS, why)
        await rest.clock.sleep_until(rest.clock.now_ns() + wait_ns)
    raise AssertionError("the last try returns or raises")


async def converse(talk: Talk[T], exchange: Callable[[Request], Awaitable[Response]]) -> T:
    """Drive a conversation to its end over `exchange`; give what it comes to."""
    try:
        request = next(talk)
        while True:
            try:
                response = await exchange(request)
            except Unreachable as error:
                request = talk.throw(error)
            else:
                request = talk.send(response)
    except StopIteration as end:
        outcome: T = end.value
        return outcome


class Errands:
    """Carries effects out side by side, up to a maximum, and delivers what they end in."""

    def __init__(self, carry: Callable[[Effect], Awaitable[list[Event]]], rest: Rest, inbox: Inbox) -> None:
        """Take how to carry one effect out, over what, and where its events go."""
        self._carry = carry
        self._rest = rest
        self._inbox = inbox
        self._queue: asyncio.Queue[Effect | list[Event] | None] = asyncio.Queue()
        self._under_way = 0
        self._is_stopping = False

    def take(self, effect: Effect) -> bool:
        """Take an effect; False when too many are under way or no more are taken."""
        if self._is_stopping or self._under_way >= self._rest.params.under_way_max:
            return False
        self._under_way += 1
        self._queue.put_nowait(effect)
        return True

    def say(self, events: list[Event]) -> None:
        """Put events into the inbox now; while it is full, `run` keeps them until there is room."""
        if not self._inbox(events):
            # Few: the engine asks for more only after it has emptied the inbox.
            self._queue.put_nowait(events)

    async def run(self) -> None:
        """Carry out what is taken until `stop`, and what was taken before it; then let the connections go."""
        self._rest.hold()
        try:
            async with asyncio.TaskGroup() as tasks:
                while (item := await self._queue.get()) is not None:
                    tasks.create_task(self._deliver(item) if isinstance(item, list) else self._one(item))
        finally:
            await self._rest.release()

    def stop(self) -> None:
        """Take nothing more and let `run` return when all is delivered."""
        if not self._is_stopping:
            self._is_stopping = True
            self._queue.put_nowait(None)

    async def _one(self, effect: Effect) -> None:
        try:
            events = await self._carry(effect)
        finally:
            self._under_way -= 1
        await self._deliver(events)

    async def _deliver(self, events: list[Event]) -> None:
        await deliver(events, self._inbox, self._rest.clock, self._rest.params.inbox_retry_ns)


async def deliver(events: list[Event], inbox: Inbox, clock: Clock, retry_ns: int) -> None:
    """Put events into an inbox, waiting while it is full: what the venue told must not be lost."""
    while events and not inbox(events):
        await clock.sleep_until(clock.now_ns() + retry_ns)
