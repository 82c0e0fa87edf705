"""A journal's inputs, through a fresh engine, give its decisions, or the first difference is named."""

from pathlib import Path

import msgspec
import pytest

import fairstrike
from fairstrike.app.verifying import Comparer, verify
from fairstrike.core.errors import Diverged, JournalError, UsageError
from fairstrike.core.records import CashSet, RunStarted, TapeFile
from fairstrike.core.timing import MINUTE_NS
from fairstrike.store.following import read
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import DECISIONS, INPUTS, Record, segments
from tests.kill.stepped_run import SMALL, played, tape

GOLDEN = tape()
EVENTS = GOLDEN.events[:2_500]


def written(folder: Path, runs: int = 1, params: Params = SMALL, started: RunStarted = GOLDEN.started) -> Path:
    """A run folder with the journal of some runs of the same few minutes."""
    for number in range(runs):
        journal = Journal(folder / "journal", params)
        run_ns = started.run_ns + number * MINUTE_NS
        played(msgspec.structs.replace(started, run_ns=run_ns), journal, EVENTS, lambda effect: None)
    return folder


def decided(folder: Path) -> list[Record]:
    return [record for record in read(folder / "journal", DECISIONS) if record.kind not in ("Segment", "InputsDeleted")]


@pytest.mark.parametrize("runs", [1, 3])
def test_every_run_is_made_again(tmp_path: Path, runs: int) -> None:
    found = verify(written(tmp_path, runs), [], lambda _: None)
    assert (found.runs, found.records, found.left_out) == (runs, len(decided(tmp_path)), 0)


def test_the_journal_folder_itself_may_be_named(tmp_path: Path) -> None:
    assert verify(written(tmp_path) / "journal", [], lambda _: None).runs == 1


def test_runs_whose_inputs_are_gone_are_left_out(tmp_path: Path) -> None:
    size = sum(len(record.body) for record in [*read(written(tmp_path / "one") / "journal", INPUTS)])
    place = written(tmp_path / "three", 3, Params(segment_bytes=50_000, inputs_bytes_max=max(60_000, size // 4)))
    assert segments(place / "journal", INPUTS)[0].name != "inputs-000001.fsj.zst"
    found = verify(place, [], lambda _: None)
    assert found.left_out >= 1
    assert found.runs + found.left_out == 3


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="holds no journal"):
        verify(tmp_path, [], lambda _: None)


def test_the_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    other = msgspec.structs.replace(GOLDEN.started, program="99.0.0")
    with pytest.raises(JournalError, match=r"99\.0\.0"):
        verify(written(tmp_path, started=other), [], lambda _: None)


def test_a_replay_s_journal_needs_its_recordings(tmp_path: Path) -> None:
    file = TapeFile(name="run.jsonl.gz", sha256="0" * 64)
    started = msgspec.structs.replace(GOLDEN.started, tape=(file,))
    with pytest.raises(UsageError, match=r"--tape: run\.jsonl\.gz"):
        verify(written(tmp_path, started=started), [], lambda _: None)


def test_a_decision_of_other_settings_is_named(tmp_path: Path) -> None:
    other = msgspec.structs.replace(GOLDEN.started, account_tag=GOLDEN.started.account_tag ^ 1)
    written(tmp_path, started=other)
    bodies = [(record.kind, record.instant_ns, record.body) for record in decided(tmp_path)]
    changed = Journal(tmp_path / "changed" / "journal", SMALL)
    for kind, instant_ns, body in bodies:
        struct = GOLDEN.started if kind == "RunStarted" else msgspec.msgpack.decode(body)
        changed.append(DECISIONS, kind, instant_ns, struct)
    for event in EVENTS:
        changed.append(INPUTS, type(event).__name__, event.recv_ns, event)
    changed.close(0)
    with pytest.raises(Diverged, match=r"record n = \d+ differs"):
        verify(tmp_path / "changed", [], lambda _: None)


def record(n: int, cash_ud: int) -> Record:
    body = msgspec.Raw(msgspec.msgpack.encode(CashSet(cash_ud=cash_ud)))
    return Record(n, 1, "CashSet", 5, body)


def test_equal_records_are_counted() -> None:
    comparer = Comparer([record(1, 7), record(2, 8)])
    comparer.append(DECISIONS, "CashSet", 5, CashSet(cash_ud=7))
    assert (comparer.count, comparer.missing) == (1, record(2, 8))


def test_what_is_decided_beyond_the_record_s_end_is_no_difference() -> None:
    comparer = Comparer([record(1, 7)])
    for cash_ud in (7, 8):
        comparer.append(DECISIONS, "CashSet", 5, CashSet(cash_ud=cash_ud))
    assert (comparer.count, comparer.missing) == (1, None)


@pytest.mark.parametrize(("kind", "instant", "cash"), [("Halt", 5, 7), ("CashSet", 6, 7), ("CashSet", 5, 8)])
def test_kind_instant_and_body_must_be_equal(kind: str, instant: int, cash: int) -> None:
    with pytest.raises(Diverged, match="record n = 1 differs"):
        Comparer([record(1, 7)]).append(DECISIONS, kind, instant, CashSet(cash_ud=cash))


def test_the_version_is_part_of_a_run(tmp_path: Path) -> None:
    (first, *_) = decided(written(tmp_path))
    assert msgspec.msgpack.decode(first.body, type=RunStarted).program == fairstrike.__version__
