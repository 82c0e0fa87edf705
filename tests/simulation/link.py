"""The stream between the box and the session: frames one way, commands the other, each after a drawn time.

All frames of one venue instant arrive together and in order, `BatchEnded` last, as one socket read gives them.
"""

from collections.abc import Callable, Sequence

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.effects import Resubscribe, Unwatch, Watch
from fairstrike.core.events import BatchEnded, Event
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange.box import Box
from fairstrike.venue.kalshi.session import Session
from fairstrike.venue.kalshi.signing import Signer
from tests.simulation.schedule import Rank, Schedule


class LinkParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a link joins; `deliver` takes events, `touched` hears that the box did something."""

    schedule: Schedule
    box: Box
    session: Session
    signer: Signer
    deliver: Callable[[Sequence[Event]], None]
    touched: Callable[[], None]


class Link:
    """One connection at a time. Frames of a connection that is gone arrive no more."""

    def __init__(self, parts: LinkParts, dice: Dice) -> None:
        """Start disconnected, drawing latencies from `dice`."""
        self._parts = parts
        self._dice = dice
        self._connection: int | None = None
        self._down_ns = self._up_ns = 0
        self.under_way = 0
        self.frames = 0

    def connect(self) -> None:
        """Shake hands, signed, and say what is wanted."""
        parts, now_ns = self._parts, self._parts.schedule.now_ns
        wall_ms = now_ns // MILLISECOND_NS
        connection = parts.box.connect(parts.signer.sign_stream(wall_ms), wall_ms)
        if not isinstance(connection, int):
            parts.schedule.at(now_ns + SECOND_NS, Rank.FRAMES, self.connect)
            return
        self._connection = connection
        events, commands = parts.session.connected(now_ns)
        self._say(commands)
        parts.deliver(events)
        parts.schedule.at(now_ns + SECOND_NS, Rank.FRAMES, lambda: self._look(connection))

    def disconnect(self, reason: str) -> None:
        """Break the connection; a new one is made a while later."""
        parts = self._parts
        if self._connection is None:
            return
        parts.box.disconnect(self._connection)
        self._connection = None
        self.under_way = 0
        parts.deliver(parts.session.disconnected(parts.schedule.now_ns, reason))
        wait_ns = SECOND_NS + self._dice.below(SECOND_NS)
        parts.schedule.at(parts.schedule.now_ns + wait_ns, Rank.FRAMES, self.connect)

    def submit(self, effect: Watch | Unwatch | Resubscribe) -> None:
        """Carry out a change of what is watched; disconnected, it holds from the next connection on."""
        session = self._parts.session
        match effect:
            case Watch(tickers=tickers):
                self._say(session.watch(tickers))
            case Unwatch(tickers=tickers):
                self._say(session.unwatch(tickers))
            case Resubscribe(tickers=tickers):
                self._say(session.resubscribe(tickers))

    def collect(self) -> None:
        """Put what the box owes us on its way."""
        connection = self._connection
        if connection is None:
            return
        frames = self._parts.box.frames(connection)
        if self._parts.box.is_lost(connection):
            self._parts.schedule.at(self._parts.schedule.now_ns, Rank.FRAMES, lambda: self.disconnect("lost"))
        if frames:
            self._down_ns = self._later(self._down_ns, 5, 40)
            self.under_way += 1
            self._parts.schedule.at(self._down_ns, Rank.FRAMES, lambda: self._arrive(connection, frames))

    def _arrive(self, connection: int, frames: list[bytes]) -> None:
        if connection != self._connection:
            return
        self.under_way -= 1
        self.frames += len(frames)
        parts, now_ns = self._parts, self._parts.schedule.now_ns
        receive = parts.session.receive
        events: list[Event] = []
        for frame in frames:
            events += receive(frame, now_ns)
        if events:
            events.append(BatchEnded(recv_ns=now_ns))
            parts.deliver(events)
        if parts.session.is_broken:
            self.disconnect("the venue ended a subscription")

    def _look(self, connection: int) -> None:
        """Every second, ask the session what follows from the time that passed."""
        if connection != self._connection:
            return
        parts, now_ns = self._parts, self._parts.schedule.now_ns
        events, commands = parts.session.check(now_ns)
        self._say(commands)
        if events:
            parts.deliver([*events, BatchEnded(recv_ns=now_ns)])
        if parts.session.is_broken:
            self.disconnect("the stream was silent or late")
        else:
            parts.schedule.at(now_ns + SECOND_NS, Rank.FRAMES, lambda: self._look(connection))

    def _say(self, commands: list[bytes]) -> None:
        connection = self._connection
        if connection is None or not commands:
            return
        self._up_ns = self._later(self._up_ns, 5, 40)
        self._parts.schedule.at(self._up_ns, Rank.REQUEST, lambda: self._heard(connection, commands))

    def _heard(self, connection: int, commands: list[bytes]) -> None:
        if connection != self._connection:
            return
        for command in commands:
            self._parts.box.command(connection, command, self._parts.schedule.now_ns)
        self._parts.touched()

    def _later(self, last_ns: int, least_ms: int, most_ms: int) -> int:
        """Give when what is sent now arrives: never before what was sent earlier."""
        latency_ns = self._dice.between(least_ms, most_ms) * MILLISECOND_NS + self._dice.below(MILLISECOND_NS)
        return max(last_ns + 1, self._parts.schedule.now_ns + latency_ns)
