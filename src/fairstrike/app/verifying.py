"""`fairstrike verify`: run a journal's inputs through a fresh engine and hold every decision against the record.

There is no gateway: effects go nowhere. Decisions must come out byte for byte. A run that was killed may have inputs
whose decisions were never written; what a fresh engine decides beyond the record's end is then no difference.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

import fairstrike
from fairstrike.app import build, config, replaying
from fairstrike.app.turn import Turn
from fairstrike.core.errors import Diverged, JournalError, UsageError
from fairstrike.core.events import Event
from fairstrike.core.records import RunStarted
from fairstrike.research.importers.formats import named
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS, INPUTS, Record, segments

_BOOKKEEPING = ("Segment", "InputsDeleted")
_END_WITHIN = 50


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found equal: runs, decision records; runs left out because their inputs are gone; runs without end."""

    runs: int
    records: int
    left_out: int
    cut: int


class Comparer:
    """A sink that holds each decision record against the next one of the journal."""

    def __init__(self, recorded: Sequence[Record]) -> None:
        """Take one run's decision records, without the journal's own bookkeeping."""
        self._recorded = recorded
        self._at = 0
        self.count = 0

    def append(self, chain: str, kind: str, instant_ns: int, body: msgspec.Struct) -> int:
        """Compare one record.

        Raises `Diverged` naming the first differing pair.
        """
        if chain != DECISIONS or self._at == len(self._recorded):
            return 0
        expected = self._recorded[self._at]
        made = msgspec.msgpack.encode(body)
        if (kind, instant_ns, made) != (expected.kind, expected.instant_ns, bytes(expected.body)):
            was = f"{expected.kind} {_text(bytes(expected.body))} at {expected.instant_ns}"
            raise Diverged(
                f"record n = {expected.n} differs. Journal: {was}. Now: {kind} {_text(made)} at {instant_ns}. "
                "Use the program and the recordings that wrote the journal"
            )
        self._at += 1
        self.count += 1
        return expected.n

    def flush(self, instant_ns: int) -> None:
        """Keep nothing."""

    @property
    def missing(self) -> Record | None:
        """The first record that the journal has and the replay did not make."""
        return self._recorded[self._at] if self._at < len(self._recorded) else None


def verify(folder: Path, tape: Sequence[Path], on_progress: Callable[[int], None]) -> Verified:
    """Verify every run of the journal in `folder`; `tape` are the recordings when the runs were replays.

    Raises `JournalError` when the journal is absent, damaged or of another program version, `Diverged` at the first
    difference, `UsageError` when recordings are needed or are not those of the run.
    """
    if not folder.exists():
        raise UsageError(f"there is no {folder}; name a run folder, e.g. one under runs/")
    place = folder / "journal" if (folder / "journal").is_dir() else folder
    if not segments(place, DECISIONS):
        raise JournalError(f"{folder} holds no journal; name a run folder, e.g. one under runs/")
    oldest = min((int(path.name.split("-")[1].split(".")[0]) for path in segments(place, INPUTS)), default=1)
    first_n = next((record.n for record in read(place, INPUTS)), 0) if oldest > 1 else 0
    count, runs, left_out, cut = 0, 0, 0, 0
    for number, records in enumerate(_runs(place)):
        started = msgspec.msgpack.decode(records[0].body, type=RunStarted)
        if records[0].n < first_n:
            left_out += 1
            continue
        next_n = _next_run_n(place, number)
        count += _verify_run(place, records, started, tape, (records[0].n, next_n), on_progress)
        runs += 1
        is_cut = all(record.kind != "RunEnded" for record in records[-_END_WITHIN:])
        if is_cut and started.tape:
            raise JournalError(
                f"the journal in {folder} ends in the middle, and a replay's is only put in place whole; replay again"
            )
        cut += is_cut
    if not runs + left_out:
        raise JournalError(f"{folder} holds no run; name the folder of one that has begun")
    return Verified(runs=runs, records=count, left_out=left_out, cut=cut)


def _verify_run(
    place: Path,
    records: Sequence[Record],
    started: RunStarted,
    tape: Sequence[Path],
    span: tuple[int, int],
    on_progress: Callable[[int], None],
) -> int:
    if started.program != fairstrike.__version__:
        raise JournalError(
            f"the journal was written by version {started.program} and this is {fairstrike.__version__}; "
            "install the version that wrote it"
        )
    settings = msgspec.json.decode(started.settings, type=config.Settings)
    engine = build.engine(started, settings)
    comparer = Comparer(records)
    if started.tape:
        turn = Turn(engine, comparer, keeps_inputs=False)
        replaying.drive(_same_tape(tape, started, settings), engine, turn, on_progress)
    else:
        turn = Turn(engine, comparer, keeps_inputs=True)
        turn.start(started)
        for done, event in enumerate(_inputs(place, span)):
            turn([event])
            if not done & 0xFFF:
                on_progress(done)
    missing = comparer.missing
    if missing is not None:
        raise Diverged(
            f"record n = {missing.n} ({missing.kind}) was not made again; the inputs before it are incomplete"
        )
    return comparer.count


def _same_tape(tape: Sequence[Path], started: RunStarted, settings: config.Settings) -> replaying.Prepared:
    names = ", ".join(file.name for file in started.tape)
    if not tape:
        raise UsageError(f"this journal is a replay's; name its recordings with --tape: {names}")
    prepared = replaying.prepare(named(tape, {file.name for file in started.tape}) or tape, settings)
    own = [file.sha256 for file in prepared.started.tape] == [file.sha256 for file in started.tape]
    if own and prepared.started.tape != started.tape:
        raise UsageError(
            "trades or results beside the recordings are not those that this run read; restore them, or replay anew"
        )
    if prepared.started.tape != started.tape:
        raise UsageError(f"these are not the recordings of this run; it read {names}")
    return prepared


def _runs(place: Path) -> Iterator[list[Record]]:
    """Give each run's decision records, the journal's own bookkeeping left out."""
    run = 0

    def number(record: Record) -> int:
        nonlocal run
        run += record.kind == "RunStarted"
        return run

    kept = (record for record in read(place, DECISIONS) if record.kind not in _BOOKKEEPING)
    for key, records in groupby(kept, key=number):
        if key:
            yield list(records)


def _next_run_n(place: Path, number: int) -> int:
    starts = [record.n for record in read(place, DECISIONS) if record.kind == "RunStarted"]
    return starts[number + 1] if number + 1 < len(starts) else 1 << 62


def _inputs(place: Path, span: tuple[int, int]) -> Iterator[Event]:
    decoder = msgspec.msgpack.Decoder(Event)
    for record in read(place, INPUTS):
        if span[0] < record.n < span[1] and record.kind not in _BOOKKEEPING:
            yield decoder.decode(record.body)


def _text(body: bytes) -> str:
    return msgspec.json.encode(msgspec.msgpack.decode(body)).decode()[:300]
