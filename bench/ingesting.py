"""A trader or a recorder that notes what it ingests: `python -m bench.ingesting WHAT COUNT ...`.

Each is the product's own, joined as its command joins it; only the journal, or the recording, also looks at the clock.
It ends itself after so many deltas and prints one `Taken`.

    trade COUNT FOLDER                       the trader of a run folder
    record COUNT FOLDER BOX WEBSOCKET        a recorder of the exchange with the line BOX
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import patch

import msgspec

from bench.sending import DELTA
from fairstrike.app import config, recording, run, runfile
from fairstrike.app.clock import SystemClock
from fairstrike.store.journal import Journal
from fairstrike.store.journal import Params as JournalParams
from fairstrike.store.raw import Line, Received, Writer
from fairstrike.store.segments import INPUTS
from fairstrike.venue.connection import Library

SERIES = "KXBTCD"
"""The series of all markets but one, which opens later."""

_SAMPLED = 8
_DELTA = f'{{"type":"{DELTA}"'.encode()


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken in from the first delta on: deltas, lost books, wall and processor seconds.

    Of a trader also the ages of deltas, in nanoseconds since their bytes came out of the socket: when they were folded
    into their books, and when what followed was decided and all of it written.
    """

    deltas: int
    lost: int
    seconds: float
    processor_seconds: float
    folded: tuple[int, ...] = ()
    written: tuple[int, ...] = ()


class Notes:
    """What one process took in, with the instants of the first and the last delta."""

    def __init__(self, count: int) -> None:
        """End the process, as a signal does, after so many deltas."""
        self._count = count
        self._begun: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self.deltas = self.lost = 0
        self.folded_ns: list[int] = []
        self.written_ns: list[int] = []

    def begin(self) -> None:
        """Note the instant before the first delta."""
        if self._begun is None:
            self._begun = (time.monotonic(), time.process_time())

    def end(self) -> None:
        """Note the instant after the last delta, and let the process end."""
        self._last = (time.monotonic(), time.process_time())
        os.kill(os.getpid(), signal.SIGTERM)

    @property
    def is_whole(self) -> bool:
        """Whether all deltas are there."""
        return self.deltas >= self._count

    def taken(self) -> Taken:
        """Give what was noted."""
        assert self._begun is not None, "deltas came"
        return Taken(
            deltas=self.deltas,
            lost=self.lost,
            seconds=self._last[0] - self._begun[0],
            processor_seconds=self._last[1] - self._begun[1],
            folded=tuple(self.folded_ns),
            written=tuple(self.written_ns),
        )


def trade(notes: Notes, folder: Path) -> None:
    """Run the trader of a folder until all deltas are in its journal."""
    clock = SystemClock(runfile.read(folder).clock)

    class NotingJournal(Journal):
        """A journal that notes how old deltas are when the next event comes, and when it has written them."""

        def __init__(self, place: Path, params: JournalParams, compress: Callable[[Path], None]) -> None:
            self._instants: list[int] = []
            self._folding_ns = 0
            super().__init__(place, params, compress)

        def append(self, chain: str, kind: str, instant_ns: int, body: msgspec.Struct | dict[str, int | str]) -> int:
            if self._folding_ns:
                notes.folded_ns.append(clock.now_ns() - self._folding_ns)
                self._folding_ns = 0
            if chain == INPUTS:
                if kind == "BookDelta":
                    notes.begin()
                    self._instants.append(instant_ns)
                    if len(self._instants) % _SAMPLED == 1:
                        self._folding_ns = instant_ns
                elif kind == "BookLost":
                    notes.lost += 1
            return super().append(chain, kind, instant_ns, body)

        def flush(self, instant_ns: int) -> None:
            super().flush(instant_ns)
            if self._instants:
                now_ns = clock.now_ns()
                notes.written_ns += [now_ns - one for one in self._instants[::_SAMPLED]]
                notes.deltas += len(self._instants)
                self._instants.clear()
                if notes.is_whole:
                    notes.end()

    with patch.object(run, "Journal", NotingJournal):
        asyncio.run(run.trade(folder))


def record(notes: Notes, folder: Path, box: Path, websocket: Library) -> None:
    """Record an exchange until all deltas are on the disk."""

    class NotingWriter(Writer):
        """A recording that notes what it has written."""

        def frame(self, recv_ns: int, source: str, connection: int, data: bytes) -> None:
            if data.startswith(_DELTA):
                notes.begin()
            super().frame(recv_ns, source, connection, data)

        def write(self, taken: Sequence[Received | Line]) -> None:
            super().write(taken)
            notes.deltas += sum(isinstance(one, tuple) and one[3].startswith(_DELTA) for one in taken)
            if notes.is_whole:
                notes.end()

    wanted = recording.Wanted(
        environment="box",
        box=box,
        folder=folder,
        series=(SERIES,),
        events=1,
        seconds=0,
        interval_seconds=0.5,
        segment_seconds=3_600,
        segment_mib=64,
        disk_min_gib=1,
        settings=config.Settings(websocket=websocket),
    )
    with patch.object(recording, "Writer", NotingWriter):
        report = recording.run(wanted, lambda second: None)
    notes.lost = report.books_asked_again


def main() -> int:
    """Run until all is there, and print what was noted."""
    what, count, *more = sys.argv[1:]
    notes = Notes(int(count))
    match what, more:
        case "trade", [folder]:
            trade(notes, Path(folder))
        case "record", [folder, box, websocket]:
            record(notes, Path(folder), Path(box), msgspec.convert(websocket, Library))
        case _:
            raise SystemExit(__doc__)
    print(msgspec.json.encode(notes.taken()).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
