"""Which recording each market's book comes from: two at a time would be merged into a book that never was.

A recording holds a market's book from its snapshot until the book is lost or the recording is over. A poll's moment is
over after a second, so polls of one market beside each other are fine while their moments do not meet.
"""

from collections.abc import Sequence

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BookDelta, BookLost, BookSnapshot, Event
from fairstrike.research.importers.base import Recording


class Holders:
    """The holder of each market's book now, by the recording's place in `recordings`."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        """Start with no book held."""
        self._recordings = recordings
        self._holders: dict[str, int] = {}

    def take(self, number: int, events: Sequence[Event]) -> None:
        """Note the books that a unit of recording `number` gives and loses, in order of time.

        A unit that begins with a delta is passed over: deltas are most of a recording, and no snapshot stands behind
        one. A book lost there counts as held until the recording's next snapshot of it, or its end.

        Raises `RecordingError` when another recording holds a market whose snapshot this is.
        """
        if type(events[0]) is BookDelta:
            return
        for event in events:
            if isinstance(event, BookLost):
                if self._holders.get(event.ticker) == number:
                    del self._holders[event.ticker]
            elif isinstance(event, BookSnapshot):
                other = self._holders.get(event.ticker, number)
                if other != number and not self._recordings[other].is_over:
                    raise self._overlap(other, number, event.ticker)
                self._holders[event.ticker] = number

    def _overlap(self, first: int, second: int, ticker: str) -> RecordingError:
        names = f"{self._recordings[first].path.name} and {self._recordings[second].path.name}"
        return RecordingError(f"{names} both hold {ticker} at the same time; name one of them")
