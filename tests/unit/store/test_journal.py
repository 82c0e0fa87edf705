"""The journal keeps every whole record, whoever dies, and says so when one was changed."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import JournalError
from fairstrike.core.records import CashSet
from fairstrike.store.following import read
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import DECISIONS, INPUTS, segments
from tests.unit.store.journals import SMALL, WIDE, cash, everything, flipped, record_ends, written


def test_records_come_back_in_order(tmp_path: Path) -> None:
    written(tmp_path, 20).close(20)
    assert cash(read(tmp_path, DECISIONS)) == list(range(20))


def test_both_chains_share_the_counter(tmp_path: Path) -> None:
    journal = Journal(tmp_path, WIDE)
    numbers = [journal.append(chain, "CashSet", 1, CashSet(cash_ud=1)) for chain in (INPUTS, DECISIONS, INPUTS)]
    journal.close(2)
    assert numbers == [3, 4, 5]
    assert [r.n for r in read(tmp_path, INPUTS)] == [1, 3, 5]
    assert [r.n for r in read(tmp_path, DECISIONS)] == [2, 4]


def test_nothing_is_on_disk_before_flush(tmp_path: Path) -> None:
    journal = Journal(tmp_path, WIDE)
    journal.append(DECISIONS, "CashSet", 1, CashSet(cash_ud=1))
    assert cash(read(tmp_path, DECISIONS)) == []
    journal.flush(1)
    assert cash(read(tmp_path, DECISIONS)) == [1]


def test_equal_records_give_equal_digests(tmp_path: Path) -> None:
    digests = {written(tmp_path / name, 30, SMALL).digest() for name in ("one", "two")}
    assert len(digests) == 1
    assert written(tmp_path / "three", 31, SMALL).digest() not in digests


def test_full_segments_are_compressed(tmp_path: Path) -> None:
    written(tmp_path, 30, SMALL).close(30)
    names = [path.name for path in segments(tmp_path, DECISIONS)]
    assert len(names) > 3
    assert names == sorted(names)
    assert all(name.endswith(".fsj.zst") for name in names[:-1])
    assert names[-1].endswith(".fsj")
    assert cash(read(tmp_path, DECISIONS)) == list(range(30))


def test_segments_left_uncompressed_are_compressed_at_the_next_start(tmp_path: Path) -> None:
    Journal(tmp_path, WIDE).close(0)
    (tmp_path / "decisions-000001.part").write_bytes(b"half")
    written(tmp_path, 3).close(3)
    assert [path.suffix for path in segments(tmp_path, DECISIONS)] == [".zst", ".fsj"]
    assert cash(read(tmp_path, DECISIONS)) == [0, 1, 2]


def test_a_torn_end_is_cut_at_every_offset(tmp_path: Path) -> None:
    written(tmp_path / "whole", 4).close(4)
    data = segments(tmp_path / "whole", DECISIONS)[0].read_bytes()
    ends = [len(data) - len(data[start:]) for start in record_ends(data)]
    for size in range(len(data) + 1):
        folder = tmp_path / f"cut{size}"
        folder.mkdir()
        (folder / "decisions-000001.fsj").write_bytes(data[:size])
        kept = sum(1 for end in ends[1:] if end <= size)
        assert cash(read(folder, DECISIONS)) == list(range(kept))
        written(folder, 2, first=kept).close(9)
        assert cash(read(folder, DECISIONS)) == list(range(kept + 2))


def test_opening_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    written(tmp_path, 4).close(4)
    path = segments(tmp_path, DECISIONS)[0]
    path.write_bytes(flipped(path.read_bytes(), 40))
    with pytest.raises(JournalError):
        Journal(tmp_path, WIDE)


def test_a_start_that_died_at_once_leaves_no_hole(tmp_path: Path) -> None:
    written(tmp_path, 3).close(3)
    (tmp_path / "decisions-000002.fsj").write_bytes(b"to")
    written(tmp_path, 1, first=3).close(4)
    assert [path.name[:16] for path in segments(tmp_path, DECISIONS)] == ["decisions-000001", "decisions-000002"]
    assert cash(read(tmp_path, DECISIONS)) == [0, 1, 2, 3]


def test_inputs_are_bounded_and_each_deletion_is_recorded(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Params(segment_bytes=400, inputs_bytes_max=2_000))
    for number in range(300):
        journal.append(INPUTS, "CashSet", number, CashSet(cash_ud=number))
        journal.flush(number)
    journal.close(300)
    kept = segments(tmp_path, INPUTS)
    assert sum(path.stat().st_size for path in kept) <= 2_000 + 400
    deleted = [msgspec.msgpack.decode(r.body) for r in everything(tmp_path) if r.kind == "InputsDeleted"]
    assert [body["segment"] for body in deleted] == list(range(1, int(kept[0].name[7:13])))
    assert all(len(body["chain"]) == 64 for body in deleted)
    values = cash(read(tmp_path, INPUTS))
    assert values == list(range(values[0], 300))


FULL = """
import sys
from pathlib import Path
from fairstrike.core.errors import DiskError
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import DECISIONS, INPUTS
journal = Journal(Path(sys.argv[1]), Params())
try:
    for n in range(10_000):
        journal.append(INPUTS, "Read", n, {"text": "x" * 500})
        journal.append(DECISIONS, "Decided", n, {"text": "x"})
        journal.flush(n)
except DiskError as error:
    print(n, error)
journal.close(n)
"""


def allow_little() -> None:
    """No file of this process may have more than 20,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_a_full_disk_leaves_no_decision_without_its_inputs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=allow_little,
    )
    number, sentence = done.stdout.split(" ", 1)
    expected = f"the journal in {tmp_path} cannot be written (File too large): make room, then start again"
    assert sentence.strip() == expected
    for chain in (INPUTS, DECISIONS):
        assert [record.instant_ns for record in read(tmp_path, chain)][1:] == list(range(int(number)))
    Journal(tmp_path, Params()).close(0)
