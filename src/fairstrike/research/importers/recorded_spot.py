"""The spot venues' lines of a recording: their frames come to the prices that were printed live.

Each frame goes through its venue's protocol into the same `Prices` as then, and a note says at which instants these
were asked for prints, so that the same events come out. A file that does not begin with the recording has no books of
a venue before it was connected to anew, or its book was asked for anew.
"""

from collections.abc import Sequence

from fairstrike.core.events import Event, StreamChanged
from fairstrike.market.index import INDICES
from fairstrike.store.raw import SPOT, Line, Note
from fairstrike.venue.spot.prices import Params, Prices
from fairstrike.venue.spot.roster import Params as Hosts
from fairstrike.venue.spot.roster import venues
from fairstrike.venue.spot.values import Venue

_NO_LICENCE = ("", "")
"""Whose frames are here was connected to with one."""


class RecordedSpot:
    """The spot venues of one recording."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self._venues = {venue.line: venue for venue in venues(Hosts(), sorted(INDICES), _NO_LICENCE)}
        self._prices = Prices(Params())

    def events(self, line: Line) -> Sequence[Event] | None:
        """Give what a line came to, None when it is no spot venue's."""
        if line.source == SPOT and line.note is not None:
            return self._prices.prints(line.recv_ns) if line.note.kind == "print" else None
        venue = self._venues.get(line.source)
        if venue is None:
            return None
        if line.note is not None:
            return self._noted(venue, line.note, line.recv_ns)
        return self._prices.take(venue, venue.receive(line.data), line.recv_ns)

    def _noted(self, venue: Venue, note: Note, recv_ns: int) -> Sequence[Event] | None:
        match note.kind:
            case "connected":
                venue.connected()
            case "disconnected":
                self._prices.disconnected(venue)
            case _:
                return None
        is_up = note.kind == "connected"
        return [StreamChanged(source=venue.line, is_up=is_up, reason=note.reason, recv_ns=recv_ns)]
