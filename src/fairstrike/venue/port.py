"""The three ports. Everything that runs the engine is plugged in here: live, paper, backtest, rehearsal.

A `Feed` yields events, a `Gateway` takes effects and yields their answers as events, a `Clock` says the time
and wakes. Requests and responses of the venue are in `venue.kalshi.wire.transport`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from fairstrike.core.effects import Effect
from fairstrike.core.events import Event

Inbox = Callable[[Sequence[Event]], bool]
"""Takes the events of one read, in order; False when it is full, and then none of them were taken."""


class Clock(Protocol):
    """Says the venue's time (ns UTC) and wakes."""

    def now_ns(self) -> int:
        """Give the venue's instant now: the machine's, or that of a simulated exchange, or the tape's."""
        ...

    async def sleep_until(self, due_ns: int) -> None:
        """Return when the venue's clock has reached `due_ns`."""
        ...


class Feed(Protocol):
    """Brings events from outside into an inbox until it is stopped."""

    async def run(self) -> None:
        """Connect, deliver, reconnect; return only after `stop`."""
        ...

    def stop(self) -> None:
        """End `run` soon; what was received is delivered."""
        ...


class Gateway(Protocol):
    """Carries effects out; their answers arrive as events through the inbox it was built with."""

    def submit(self, effect: Effect) -> None:
        """Take an effect without waiting. A full queue is answered at once by the effect's failure event."""
        ...

    async def run(self) -> None:
        """Carry out what was submitted until `stop`, and what was submitted before it."""
        ...

    def stop(self) -> None:
        """Take nothing more and let `run` return."""
        ...
