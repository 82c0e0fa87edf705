"""A shell: keeps the stream connected and moves its frames through the session into the inbox.

The handshake is signed anew at each connection. All frames of one socket read share one receive stamp and are
handed over together, `BatchEnded` last. A full inbox ends the connection: what could not be handed over is gone,
so every book must be.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Protocol

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.effects import Effect, Resubscribe, Unwatch, Watch
from fairstrike.core.errors import Refused, Unreachable
from fairstrike.core.events import BatchEnded, Event
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.venue.connection import HandshakeAnswered, Line, NoConnection, hold
from fairstrike.venue.connection import Params as ConnectionParams
from fairstrike.venue.kalshi.budget import Backoff
from fairstrike.venue.kalshi.refusals import RateLimited, VenueDown, refusal
from fairstrike.venue.kalshi.rest import WallMs, deliver
from fairstrike.venue.kalshi.signing import Signer
from fairstrike.venue.kalshi.wire.transport import Response
from fairstrike.venue.port import Clock, Inbox

Tap = Callable[[bytes, int], None]
"""Takes a raw copy of each frame and its receive stamp (ns)."""

Change = Watch | Unwatch | Resubscribe
"""What changes what is watched."""

_log = logging.getLogger(__name__)
_STOPPED = "it was stopped"


class Speaker(Protocol):
    """What a stream is spoken by: `session.Session` when trading, `probing.Probe` when only looking.

    Takes frames and gives events; what it wants said are commands as bytes.
    """

    @property
    def is_broken(self) -> bool:
        """Whether the connection must be made anew."""
        ...

    def connected(self, recv_ns: int) -> tuple[list[Event], list[bytes]]:
        """Begin a connection; give events and what to say first."""
        ...

    def disconnected(self, recv_ns: int, reason: str) -> list[Event]:
        """End a connection; give events."""
        ...

    def receive(self, data: bytes, recv_ns: int) -> list[Event]:
        """Give the events of one frame's bytes."""
        ...

    def check(self, now_ns: int) -> tuple[list[Event], list[bytes]]:
        """Give what follows from the time that passed: events, and what to say."""
        ...

    def watch(self, tickers: Iterable[str]) -> list[bytes]:
        """Give what to say to stream these markets."""
        ...

    def unwatch(self, tickers: Iterable[str]) -> list[bytes]:
        """Give what to say to stream them no longer."""
        ...

    def resubscribe(self, tickers: Iterable[str]) -> list[bytes]:
        """Give what to say to have their books anew."""
        ...


class StreamParams(msgspec.Struct, frozen=True, kw_only=True):
    """Where the stream is, e.g. "wss://external-api-ws.kalshi.com/trade-api/ws/v2", and its bounds.

    Of the first connection no more than `first_tries` are made, None for no bound, and only one when the venue refuses
    for a reason that does not pass; later ones are tried for ever. The waits between them begin anew after a connection
    that stood for as long as was waited for it. `look_every_s` is how often the speaker is asked
    what follows from the time that passed, in real seconds; what is too long it judges itself.
    """

    url: str
    first_tries: int | None = None
    connection: ConnectionParams = ConnectionParams()
    backoff_first_ns: int = SECOND_NS
    backoff_last_ns: int = 30 * SECOND_NS
    inbox_retry_ns: int = 20 * MILLISECOND_NS
    look_every_s: float = 0.1


class StreamParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream is joined to: protocol, signatures, where events go, the clocks, the dice, a tap.

    Without a signer the venue refuses the handshake.
    """

    session: Speaker
    signer: Signer | None
    inbox: Inbox
    clock: Clock
    wall_ms: WallMs
    dice: Dice
    tap: Tap | None = None


class Stream:
    """The `Feed` of Kalshi's stream; it also carries out `Watch`, `Unwatch` and `Resubscribe`."""

    def __init__(self, params: StreamParams, parts: StreamParts) -> None:
        """Take where to connect and what to join."""
        self._params = params
        self._parts = parts
        self._line: Line | None = None
        self._changes: list[Change] = []
        self._stopped = asyncio.Event()
        self._was_connected = False
        self._opened_ns = 0
        self._looking: asyncio.TimerHandle | None = None

    def submit(self, effect: Effect) -> None:
        """Carry out a change of what is watched; disconnected, it holds from the next connection on.

        What is submitted in one turn of the loop is said together, one command for neighbours of a kind: after a gap,
        one asks for every book.
        """
        assert isinstance(effect, Change), f"the stream does not carry out {type(effect).__name__}"
        if not self._changes:
            asyncio.get_running_loop().call_soon(self._carry_out)
        self._changes.append(effect)

    def _carry_out(self) -> None:
        changes, self._changes = self._changes, []
        session = self._parts.session
        for kind, alike in groupby(changes, key=type):
            tickers = [ticker for change in alike for ticker in change.tickers]
            if kind is Watch:
                self._send(session.watch(tickers))
            elif kind is Unwatch:
                self._send(session.unwatch(tickers))
            else:
                self._send(session.resubscribe(tickers))

    async def run(self) -> None:
        """Connect, deliver and reconnect until `stop`.

        Raises `Unreachable` or a `VenueRefusal` when the last try of a bounded first connection fails.
        """
        params = self._params
        first_tries = params.first_tries
        backoff, waited_ns = Backoff(params.backoff_first_ns, params.backoff_last_ns, self._parts.dice), 0
        while not self._stopped.is_set():
            self._was_connected = False
            try:
                reason = await self._connection()
                first_tries = None
            except (Unreachable, Refused) as error:
                if first_tries is not None:
                    first_tries -= 1
                    if not first_tries or not isinstance(error, Unreachable | RateLimited | VenueDown):
                        raise
                reason = str(error)
            # Told once: a try that failed while it was down, and an end that was asked for, are no news.
            is_news = self._was_connected and not self._stopped.is_set()
            _log.log(logging.WARNING if is_news else logging.DEBUG, "stream down: %s", reason)
            clock = self._parts.clock
            down = self._parts.session.disconnected(clock.now_ns(), reason)
            await deliver(down, self._parts.inbox, clock, params.inbox_retry_ns)
            if self._was_connected and clock.now_ns() - self._opened_ns >= waited_ns:
                backoff.reset()
            waited_ns = backoff.next_ns()
            await self._pause(waited_ns)

    def stop(self) -> None:
        """Close the connection and let `run` return."""
        self._stopped.set()
        if self._line is not None:
            self._line.close(_STOPPED)

    async def _connection(self) -> str:
        """Hold one connection until it ends; give why it ended."""
        params, parts = self._params, self._parts
        headers = {} if parts.signer is None else parts.signer.sign_stream(parts.wall_ms())
        try:
            return await hold(params.url, headers, _Listener(self, parts), params.connection)
        except HandshakeAnswered as error:
            if error.status < 400:
                raise Unreachable(f"{params.url} is no stream ({error}): check the address.") from None
            raise refusal(Response(status=error.status, body=error.body)) from None
        except NoConnection as error:
            raise Unreachable(
                f"{params.url} took no connection ({error}): check the address, the network and the key."
            ) from None
        finally:
            if self._looking is not None:
                self._looking.cancel()
            self._line = None

    def opened(self, line: Line, listener: "_Listener") -> list[Event]:
        """Begin the session on a connection; give its events. For the listener."""
        self._line = line
        self._was_connected = True
        _log.info("stream up: %s", self._params.url)
        self._opened_ns = self._parts.clock.now_ns()
        events, commands = self._parts.session.connected(self._opened_ns)
        self._send(commands)
        self._look(listener)
        if self._stopped.is_set():
            line.close(_STOPPED)
        return events

    def _look(self, listener: "_Listener") -> None:
        """Ask now and then what follows from the time that passed; a failure ends the run as one of the listener's."""
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(self._params.look_every_s, self._look, listener)
        self._send(listener.look())

    def _send(self, commands: list[bytes]) -> None:
        if self._line is not None:
            for command in commands:
                _log.debug("stream says %s", command.decode())
                self._line.say(command)

    async def _pause(self, wait_ns: int) -> None:
        clock = self._parts.clock
        waits = [
            asyncio.ensure_future(clock.sleep_until(clock.now_ns() + wait_ns)),
            asyncio.ensure_future(self._stopped.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


class _Listener:
    """Collects the events of one read."""

    def __init__(self, stream: Stream, parts: StreamParts) -> None:
        self._stream = stream
        self._parts = parts
        self._receive = parts.session.receive
        self._line: Line | None = None
        self._events: list[Event] = []
        self._recv_ns: int | None = None
        self._is_over = False

    def opened(self, line: Line) -> None:
        self._line = line
        self._events += self._stream.opened(line, self)
        self._hand_over()

    def heard(self, data: bytes) -> None:
        recv_ns = self._recv_ns
        if recv_ns is None:
            recv_ns = self._recv_ns = self._parts.clock.now_ns()
        if self._parts.tap is not None:
            self._parts.tap(data, recv_ns)
        self._events += self._receive(data, recv_ns)

    def read_ended(self) -> None:
        self._hand_over()

    def look(self) -> list[bytes]:
        """Have the events of the time that passed handed over; give what to say."""
        if self._is_over:
            return []
        now_ns = self._parts.clock.now_ns()
        events, commands = self._parts.session.check(now_ns)
        if events:
            self._events += events
            self._recv_ns = self._recv_ns or now_ns
            self._hand_over()
        if self._parts.session.is_broken:
            self._end("the stream was silent or late")
        return commands

    def _hand_over(self) -> None:
        recv_ns, self._recv_ns = self._recv_ns, None
        events, self._events = self._events, []
        if not events:
            return
        if recv_ns is not None:
            events.append(BatchEnded(recv_ns=recv_ns))
        if not self._parts.inbox(events):
            self._end("the inbox was full")
        elif self._parts.session.is_broken:
            self._end("the venue ended a subscription")

    def _end(self, reason: str) -> None:
        assert self._line is not None, "only an open connection is ended"
        self._is_over = True
        self._line.close(reason)
