"""Recordings of frames: they go through the live client's session, and come out in units.

Frames of one venue millisecond of one market are one group; `BatchEnded` stands right after a group's last frame,
with its receive time. A snapshot is a group of its own; tickers neither end nor join a group.
"""

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

import msgspec

from fairstrike.core.events import BatchEnded, Event, FrameRefused
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.research.importers.base import Recording, Unit
from fairstrike.venue.kalshi.session import Session, SessionParams

APART = "apart"
"""The group of what neither ends nor joins one."""

Told = tuple[int, Hashable, list[Event]]
"""A frame's receive time, its group (None: one of its own) and its events."""

OFFSET_STEP_NS = 20 * MILLISECOND_NS


class SessionRecording(Recording):
    """A recording of frames with their receive times; a format says how its frames are told."""

    def __init__(self, path: Path) -> None:
        """Look at the beginning of the file; the session is new."""
        super().__init__(path)
        self.session = Session(SessionParams(offset_step_ns=OFFSET_STEP_NS))

    @property
    def gaps(self) -> Mapping[str, int]:
        """Runs of missing frames by market."""
        return self.session.gaps

    def frames(self) -> Iterator[Told]:
        """Give every line's receive time, group and events, in order of the file."""
        raise AssertionError(f"{type(self).__name__} tells no frames")

    def units(self) -> Iterator[Unit]:
        """Give the frames' events in units: one receive time each, ended by at most one `BatchEnded`.

        Raises `RecordingError` for a line that is no frame, or not in order of receipt.
        """
        instant = 0
        events: list[Event] = []
        for told, is_end in self._grouped():
            for event in told:
                if event.recv_ns != instant:
                    if events:
                        yield instant, events
                    if event.recv_ns < instant:
                        raise self._not_in_order(self.tape.path.name, self.tape.line_count)
                    instant = event.recv_ns
                    events = []
                events.append(event)
            if is_end:
                yield instant, events
                events = []
        if events:
            yield instant, events
        self.is_over = True

    def _readable(self, number: int, recv_ns: int, events: list[Event]) -> list[Event]:
        """Give the events of a frame received at `recv_ns`, as known from then on.

        Changes that came before their market's first snapshot are known with it: they carry its receive time.

        Raises `RecordingError` when the session could not read it.
        """
        for event in events:
            if isinstance(event, FrameRefused):
                raise self._spoiled(number, event.reason)
        return known_at(recv_ns, events)

    def _grouped(self) -> Iterator[tuple[list[Event], bool]]:
        """Give events and whether they close a group: `BatchEnded` comes last of those that do."""
        group: Hashable = None
        ended_ns = last_ns = 0
        waiting: list[Event] = []
        for recv_ns, key, events in self.frames():
            last_ns = recv_ns
            if key is APART:
                waiting += events
                continue
            if group is not None and key != group:
                yield [BatchEnded(recv_ns=ended_ns)], True
            if waiting:
                yield waiting, False
                waiting = []
            group, ended_ns = key, last_ns
            if key is None and events:
                yield [*events, BatchEnded(recv_ns=ended_ns)], True
            else:
                yield events, False
        if group is not None:
            yield [BatchEnded(recv_ns=ended_ns)], True
        yield waiting, False
        yield [*self.session.disconnected(last_ns, "the recording ended"), BatchEnded(recv_ns=last_ns)], True


def known_at(recv_ns: int, events: list[Event]) -> list[Event]:
    """Give events as known at an instant: changes kept until their market's first snapshot are known with it."""
    return [e if e.recv_ns == recv_ns else msgspec.structs.replace(e, recv_ns=recv_ns) for e in events]
