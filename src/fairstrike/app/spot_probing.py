"""Whether spot venues can be heard: each is connected to once, until it told something that is fresh."""

import asyncio
from collections.abc import Sequence

import msgspec

from fairstrike.app.clock import SystemClock
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.connection import Line, NoConnection, Params, hold
from fairstrike.venue.spot.values import Unreadable, Venue

FRESH_NS = 3 * SECOND_NS
_SECONDS = 5.0


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one connection, by the name of its venue's line.

    `answered_ns` is the time to the first frame that told something, `age_ns` the age of the freshest by its venue's
    stamp; None when there was none. `problem` says why nothing was told, empty otherwise.
    """

    line: str
    answered_ns: int | None
    age_ns: int | None
    problem: str


async def listen(venues: Sequence[Venue], clock: SystemClock, params: Params) -> list[Heard]:
    """Connect to every venue at once, for five seconds at most, and give what was heard, in their order."""
    return list(await asyncio.gather(*(_Ear(venue, clock).listen(params) for venue in venues)))


class _Ear:
    """One connection's listener."""

    def __init__(self, venue: Venue, clock: SystemClock) -> None:
        self._venue = venue
        self._clock = clock
        self._begun_ns = clock.now_ns()
        self._answered_ns: int | None = None
        self._age_ns: int | None = None
        self._problem = f"it told nothing for {_SECONDS:g} s"
        self._line: Line | None = None

    async def listen(self, params: Params) -> Heard:
        try:
            async with asyncio.timeout(_SECONDS):
                ended = await hold(self._venue.url, self._venue.headers, self, params)
            self._problem = ended if self._answered_ns is None else ""
        except NoConnection as error:
            self._problem = f"no connection ({error})"
        except TimeoutError:
            self._problem = self._problem if self._answered_ns is None else ""
        return Heard(line=self._venue.line, answered_ns=self._answered_ns, age_ns=self._age_ns, problem=self._problem)

    def opened(self, line: Line) -> None:
        self._line = line
        for text in self._venue.connected():
            line.say(text)

    def heard(self, data: bytes) -> None:
        now_ns = self._clock.now_ns()
        for value in self._venue.receive(data):
            if isinstance(value, Unreadable):
                self._problem = value.reason
                continue
            self._answered_ns = self._answered_ns or now_ns - self._begun_ns
            stamp_ns = getattr(value, "venue_ns", None)
            if stamp_ns is not None and (self._age_ns is None or now_ns - stamp_ns < self._age_ns):
                self._age_ns = now_ns - stamp_ns
        if self._age_ns is not None and self._age_ns <= FRESH_NS and self._line is not None:
            self._line.close("it was heard")

    def read_ended(self) -> None:
        """Nothing: each frame is looked at as it comes."""
