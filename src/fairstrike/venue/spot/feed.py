"""A shell: keeps one connection to each spot venue, and prints what they come to once a second.

A connection that ends is made anew after five seconds, then after twice that up to half a minute. It is ended by us
when it is silent, when frame after frame cannot be read, and when a book broke that asking anew does not mend.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.chance import Dice
from fairstrike.core.events import Event, StreamChanged
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.connection import Library, NoConnection, hold
from fairstrike.venue.connection import Line as Held
from fairstrike.venue.connection import Params as ConnectionParams
from fairstrike.venue.kalshi.budget import Backoff
from fairstrike.venue.port import Clock, Inbox
from fairstrike.venue.spot.prices import Prices
from fairstrike.venue.spot.values import BookBroken, Unreadable, Venue

Tap = Callable[[str, bytes, int], None]
"""Takes the name of a connection, a raw copy of each of its messages, and the receive stamp (ns)."""

_WAITING_MAX = 1_000

_log = logging.getLogger(__name__)


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Waits between connections, the longest silence of one, the shortest time between two repairs of its books.

    A connection that held for `backoff_last_ns` was a good one: after it the wait is the first again. More than
    `unreadable_max` frames in a row that cannot be read end it.
    """

    backoff_first_ns: Positive = 5 * SECOND_NS
    backoff_last_ns: Positive = 30 * SECOND_NS
    silent_after_ns: Positive = 15 * SECOND_NS
    repair_every_ns: Positive = 5 * SECOND_NS
    unreadable_max: Positive = 20
    message_bytes_max: Positive = 64 * 1024 * 1024


class FeedParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed is joined to: venues, what their values come to, where events go, clock, dice, a tap.

    `on_print` is told each instant at which prices are asked for prints. `library` holds the connections.
    """

    venues: Sequence[Venue]
    prices: Prices
    inbox: Inbox
    clock: Clock
    dice: Dice
    tap: Tap | None = None
    on_print: Callable[[int], None] = lambda now_ns: None
    library: Library = "picows"


class SpotFeed:
    """The `Feed` of all spot venues."""

    def __init__(self, params: Params, parts: FeedParts) -> None:
        """Take the venues; nothing is connected before `run`."""
        self._params = params
        self._parts = parts
        self._stopped = asyncio.Event()
        self._waiting: list[Event] = []
        self._lines = [_Line(self, params, parts, venue) for venue in parts.venues]

    async def run(self) -> None:
        """Connect, print and reconnect until `stop`."""
        tasks = [asyncio.ensure_future(line.keep(self._stopped)) for line in self._lines]
        tasks.append(asyncio.ensure_future(self._print()))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def stop(self) -> None:
        """Close every connection and let `run` return."""
        self._stopped.set()
        for line in self._lines:
            line.close("stopped")

    def tell(self, events: Sequence[Event]) -> None:
        """Hand events over; what a full inbox does not take waits, and the oldest is lost beyond a thousand."""
        self._waiting += events
        if self._waiting and self._parts.inbox(self._waiting):
            self._waiting = []
        elif len(self._waiting) > _WAITING_MAX:
            _log.warning("the inbox is full: %d spot events lost", len(self._waiting) - _WAITING_MAX)
            del self._waiting[:-_WAITING_MAX]

    async def _print(self) -> None:
        clock, prices = self._parts.clock, self._parts.prices
        while not self._stopped.is_set():
            await _until(clock, prices.due_ns(clock.now_ns()), self._stopped)
            now_ns = clock.now_ns()
            self._parts.on_print(now_ns)
            self.tell(prices.prints(now_ns))


class _Line:
    """One venue's connection, and what is heard on it."""

    def __init__(self, feed: SpotFeed, params: Params, parts: FeedParts, venue: Venue) -> None:
        self._feed = feed
        self._params = params
        self._parts = parts
        self._venue = venue
        self._line: Held | None = None
        self._ending = ""
        self._heard_ns = self._opened_ns = 0
        self._repaired_ns: int | None = None
        self._unreadable = 0
        self._is_told_down = False
        self._connection = ConnectionParams(message_bytes_max=params.message_bytes_max, library=parts.library)

    async def keep(self, stopped: asyncio.Event) -> None:
        params, clock, venue = self._params, self._parts.clock, self._venue
        backoff = Backoff(params.backoff_first_ns, params.backoff_last_ns, self._parts.dice)
        while not stopped.is_set():
            watch = asyncio.ensure_future(self._watch(stopped))
            self._ending = ""
            try:
                reason = await hold(venue.url, venue.headers, self, self._connection)
            except NoConnection as error:
                reason = f"no connection ({error})"
            finally:
                watch.cancel()
            now_ns, was_up = clock.now_ns(), self._line is not None
            self._line = None
            self._parts.prices.disconnected(venue)
            if was_up and now_ns - self._opened_ns >= params.backoff_last_ns:
                backoff.reset()
            if was_up or not (self._is_told_down or stopped.is_set()):
                self._tell_down(reason, now_ns, logging.DEBUG if stopped.is_set() else logging.WARNING)
            else:
                _log.debug("%s: %s", venue.line, reason)
            await _until(clock, now_ns + backoff.next_ns(), stopped)

    def close(self, reason: str) -> None:
        """End the connection that is held or being made, if one is."""
        self._ending = self._ending or reason
        if self._line is not None:
            self._line.close(self._ending)

    def opened(self, line: Held) -> None:
        self._line = line
        if self._ending:  # it was ended before it came about
            line.close(self._ending)
        self._heard_ns = self._opened_ns = now_ns = self._parts.clock.now_ns()
        self._repaired_ns = None
        self._unreadable = 0
        for text in self._venue.connected():
            line.say(text)
        self._is_told_down = False
        self._feed.tell([StreamChanged(source=self._venue.line, is_up=True, reason="", recv_ns=now_ns)])

    def heard(self, data: bytes) -> None:
        recv_ns = self._heard_ns = self._parts.clock.now_ns()
        if self._parts.tap is not None:
            self._parts.tap(self._venue.line, data, recv_ns)
        values = self._venue.receive(data)
        self._feed.tell(self._parts.prices.take(self._venue, values, recv_ns))
        is_unread = any(isinstance(value, Unreadable) for value in values)
        self._unreadable = self._unreadable + 1 if is_unread else 0
        for value in values:
            if isinstance(value, BookBroken) and not value.comes_again:
                self._repair(value, recv_ns)
        if self._unreadable > self._params.unreadable_max:
            self.close("too many frames that cannot be read")

    def read_ended(self) -> None:
        """Nothing: prices are told once a second."""

    def _tell_down(self, reason: str, now_ns: int, level: int) -> None:
        """Say once that there is no connection, until there is one again."""
        self._is_told_down = True
        self._feed.tell([StreamChanged(source=self._venue.line, is_up=False, reason=reason, recv_ns=now_ns)])
        _log.log(level, "%s is down: %s; it is connected to again and again", self._venue.line, reason)

    def _repair(self, broken: BookBroken, now_ns: int) -> None:
        commands = self._venue.resubscribe(broken.asset)
        is_soon = self._repaired_ns is not None and 0 < now_ns - self._repaired_ns < self._params.repair_every_ns
        if not commands or is_soon or self._line is None:
            self.close(f"the book of {broken.asset} broke: {broken.reason}")
            return
        self._repaired_ns = now_ns
        for text in commands:
            self._line.say(text)

    async def _watch(self, stopped: asyncio.Event) -> None:
        clock, silent_ns = self._parts.clock, self._params.silent_after_ns
        while not stopped.is_set():
            since_ns = self._heard_ns if self._line is not None else clock.now_ns()
            if clock.now_ns() - since_ns >= silent_ns:
                self.close("it was silent")
                return
            await _until(clock, since_ns + silent_ns, stopped)


async def _until(clock: Clock, due_ns: int, stopped: asyncio.Event) -> None:
    """Wait for an instant or the stop, whichever comes first."""
    waits = [asyncio.ensure_future(clock.sleep_until(due_ns)), asyncio.ensure_future(stopped.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
