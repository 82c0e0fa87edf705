"""The journal keeps every whole record, whoever dies, and says so when one was changed."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.chance import Dice
from fairstrike.core.errors import JournalError
from fairstrike.core.records import CashSet
from fairstrike.store.journal import (
    DECISIONS,
    INPUTS,
    Follower,
    Journal,
    Params,
    Record,
    compress_segment,
    read,
    segments,
)

SMALL = Params(segment_bytes=400)
WIDE = Params()


def written(folder: Path, count: int, params: Params = WIDE, first: int = 0) -> Journal:
    """An open journal with `count` more decisions, each flushed by itself."""
    journal = Journal(folder, params)
    for number in range(first, first + count):
        journal.append(DECISIONS, "CashSet", number, CashSet(cash_ud=number))
        journal.flush(number)
    return journal


def cash(records: Iterator[Record] | list[Record]) -> list[int]:
    """What the `CashSet` records among these say."""
    return [msgspec.msgpack.decode(r.body, type=CashSet).cash_ud for r in records if r.kind == "CashSet"]


def everything(folder: Path) -> list[Record]:
    return list(read(folder, DECISIONS))


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


def test_follower_digest_is_the_writers(tmp_path: Path) -> None:
    journal = written(tmp_path, 30, SMALL)
    follower = Follower(tmp_path, DECISIONS)
    while follower.poll():
        pass
    assert (follower.last_n, follower.digest) == (journal.n, journal.digest())


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


def test_a_segment_and_its_compressed_copy_count_once(tmp_path: Path) -> None:
    written(tmp_path, 5).close(5)
    path = segments(tmp_path, DECISIONS)[0]
    plain = path.read_bytes()
    compress_segment(path)
    path.write_bytes(plain)
    assert cash(read(tmp_path, DECISIONS)) == [0, 1, 2, 3, 4]
    written(tmp_path, 5, first=5).close(10)
    assert not path.exists()
    assert cash(read(tmp_path, DECISIONS)) == list(range(10))


def test_segments_can_be_compressed_by_somebody_else(tmp_path: Path) -> None:
    full: list[Path] = []
    journal = Journal(tmp_path, SMALL, full.append)
    for number in range(30):
        journal.append(DECISIONS, "CashSet", number, CashSet(cash_ud=number))
        journal.flush(number)
    journal.sync()
    journal.close(30)
    assert full == segments(tmp_path, DECISIONS)[:-1]
    assert cash(read(tmp_path, DECISIONS)) == list(range(30))


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


def record_ends(data: bytes) -> list[int]:
    """Offsets behind each framed record of a segment."""
    ends, at = [], 0
    while at < len(data):
        at += 24 + int.from_bytes(data[at : at + 4], "little")
        ends.append(at)
    return ends


def test_zeros_behind_the_last_record_are_a_torn_end(tmp_path: Path) -> None:
    written(tmp_path, 3).close(3)
    with segments(tmp_path, DECISIONS)[0].open("ab") as file:
        file.write(bytes(100))
    assert cash(read(tmp_path, DECISIONS)) == [0, 1, 2]
    written(tmp_path, 1, first=3).close(4)
    assert cash(read(tmp_path, DECISIONS)) == [0, 1, 2, 3]


def test_every_flipped_bit_of_a_plain_segment_is_found(tmp_path: Path) -> None:
    written(tmp_path, 4).close(4)
    path = segments(tmp_path, DECISIONS)[0]
    data = path.read_bytes()
    numbers = [record.n for record in everything(tmp_path)]
    ends = record_ends(data)
    for at in range(len(data)):
        path.write_bytes(flipped(data, at))
        good = sum(1 for end in ends if end <= at)
        last_n = numbers[good - 1] if good else 0
        with pytest.raises(JournalError, match=rf"after record n = {last_n};"):
            everything(tmp_path)


def test_every_flipped_bit_of_a_compressed_segment_is_found_or_harmless(tmp_path: Path) -> None:
    written(tmp_path, 12, SMALL).close(12)
    path = segments(tmp_path, DECISIONS)[0]
    data, records = path.read_bytes(), everything(tmp_path)
    found = 0
    for at in range(len(data)):
        for bit in range(8):
            path.write_bytes(flipped(data, at, bit))
            try:
                assert everything(tmp_path) == records
            except JournalError:
                found += 1
    assert found > 7 * len(data)


def flipped(data: bytes, at: int, bit: int | None = None) -> bytes:
    mask = 1 << (at % 8 if bit is None else bit)
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def test_records_before_the_damage_are_given_first(tmp_path: Path) -> None:
    written(tmp_path, 4).close(4)
    path = segments(tmp_path, DECISIONS)[0]
    data = path.read_bytes()
    path.write_bytes(flipped(data, len(data) - 1))
    follower = Follower(tmp_path, DECISIONS)
    assert cash(follower.poll()) == [0, 1, 2]
    for _ in range(2):
        with pytest.raises(JournalError, match="after record n = 5;"):
            follower.poll()


def test_opening_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    written(tmp_path, 4).close(4)
    path = segments(tmp_path, DECISIONS)[0]
    path.write_bytes(flipped(path.read_bytes(), 40))
    with pytest.raises(JournalError):
        Journal(tmp_path, WIDE)


def test_a_lost_segment_is_found(tmp_path: Path) -> None:
    written(tmp_path, 30, SMALL).close(30)
    segments(tmp_path, DECISIONS)[2].unlink()
    with pytest.raises(JournalError, match="does not continue"):
        everything(tmp_path)


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_a_journal_that_lost_a_segment_is_not_opened(tmp_path: Path, lost: int) -> None:
    written(tmp_path, 30, SMALL).close(30)
    before = {path.name for path in tmp_path.iterdir()}
    (tmp_path / f"decisions-{lost:06d}.fsj.zst").unlink()
    with pytest.raises(JournalError, match=f"decisions-{lost:06d} is missing"):
        Journal(tmp_path, SMALL)
    assert {path.name for path in tmp_path.iterdir()} == before - {f"decisions-{lost:06d}.fsj.zst"}


def test_a_chain_of_decisions_without_its_beginning_is_not_read(tmp_path: Path) -> None:
    written(tmp_path, 30, SMALL).close(30)
    segments(tmp_path, DECISIONS)[0].unlink()
    with pytest.raises(JournalError, match="decisions-000001 is missing"):
        everything(tmp_path)


@pytest.mark.parametrize("size", [0, 3, 40])
def test_an_older_segment_without_its_first_record_is_found_at_the_start(tmp_path: Path, size: int) -> None:
    written(tmp_path, 30, SMALL).close(30)
    path = segments(tmp_path, DECISIONS)[2]
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(JournalError, match=r"decisions-000003\.fsj\.zst is damaged after record n = "):
        Journal(tmp_path, SMALL)


@pytest.mark.parametrize("numbers", [(2, 3), (1, 2)])
def test_segments_under_each_others_names_are_found_at_the_start(tmp_path: Path, numbers: tuple[int, int]) -> None:
    written(tmp_path, 30, SMALL).close(30)
    one, two = (tmp_path / f"decisions-{number:06d}.fsj.zst" for number in numbers)
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    with pytest.raises(JournalError, match=f"decisions-{numbers[0]:06d}.fsj.zst is damaged"):
        Journal(tmp_path, SMALL)


def test_the_segment_of_another_journal_is_found_at_the_start(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, 30, SMALL, first=ord(name[0])).close(30)
    paths = [segments(tmp_path / name, DECISIONS)[0] for name in ("one", "two")]
    paths[0].write_bytes(segments(tmp_path / "two", DECISIONS)[1].read_bytes())
    with pytest.raises(JournalError, match=r"decisions-000001\.fsj\.zst is damaged"):
        Journal(tmp_path / "one", SMALL)


def test_a_start_that_died_at_once_leaves_no_hole(tmp_path: Path) -> None:
    written(tmp_path, 3).close(3)
    (tmp_path / "decisions-000002.fsj").write_bytes(b"to")
    written(tmp_path, 1, first=3).close(4)
    assert [path.name[:16] for path in segments(tmp_path, DECISIONS)] == ["decisions-000001", "decisions-000002"]
    assert cash(read(tmp_path, DECISIONS)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "name",
    [
        "decisions-000001 (copy).fsj",
        "decisions-000001 (copy).fsj.zst",
        "decisions-000001.bak.fsj.zst",
        "decisions-000001.fsj.bak",
        "decisions-000000.fsj",
        "decisions-0000001.fsj",
        "decisions-1.fsj",
        "decisions-x.fsj",
    ],
)
def test_files_with_other_names_are_no_part_of_a_journal(tmp_path: Path, name: str) -> None:
    written(tmp_path, 3).close(3)
    path = segments(tmp_path, DECISIONS)[0]
    (tmp_path / name).write_bytes(path.read_bytes() + b"more")
    written(tmp_path, 2, first=3).close(5)
    assert cash(read(tmp_path, DECISIONS)) == [0, 1, 2, 3, 4]
    assert (tmp_path / name).exists()


def test_records_cut_from_an_older_segment_are_found(tmp_path: Path) -> None:
    written(tmp_path, 4).close(4)
    path = segments(tmp_path, DECISIONS)[0]
    written(tmp_path, 1, first=4).close(5)
    compressed = segments(tmp_path, DECISIONS)[0]
    compressed.unlink()
    written(tmp_path / "again", 3).close(3)
    path.write_bytes(segments(tmp_path / "again", DECISIONS)[0].read_bytes())
    with pytest.raises(JournalError, match="does not continue"):
        everything(tmp_path)


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


def test_a_follower_sees_each_record_once_while_writing_goes_on(tmp_path: Path) -> None:
    dice = Dice(1, 1)
    full: list[Path] = []
    journal = Journal(tmp_path, SMALL, full.append)
    follower = Follower(tmp_path, DECISIONS)
    seen: list[int] = []
    for number in range(400):
        journal.append(DECISIONS, "CashSet", number, CashSet(cash_ud=number))
        journal.flush(number)
        if dice.below(3) == 0:
            seen += cash(follower.poll())
        if full and dice.below(5) == 0:
            compress_segment(full.pop(0))
    journal.close(400)
    while records := follower.poll():
        seen += cash(records)
    assert seen == list(range(400))


def test_a_segment_compressed_between_polls_goes_on_where_it_stood(tmp_path: Path) -> None:
    journal = written(tmp_path, 3, Params(segment_bytes=300))
    follower = Follower(tmp_path, DECISIONS)
    assert cash(follower.poll()) == [0, 1, 2]
    for number in range(3, 12):
        journal.append(DECISIONS, "CashSet", number, CashSet(cash_ud=number))
    journal.flush(12)
    assert segments(tmp_path, DECISIONS)[0].suffix == ".zst"
    assert cash(follower.poll()) == list(range(3, 12))
    assert [record.kind for record in follower.poll()] == ["Segment"]
    assert follower.poll() == []


@given(after=st.integers(1, 60))
def test_a_follower_can_start_behind_any_record(tmp_path_factory: pytest.TempPathFactory, after: int) -> None:
    folder = tmp_path_factory.getbasetemp() / "started"
    if not folder.exists():
        written(folder, 40, SMALL).close(40)
    records = everything(folder)
    follower = Follower(folder, DECISIONS, after)
    rest: list[Record] = []
    while more := follower.poll():
        rest += more
    numbers = [record.n for record in records]
    if after in numbers:
        assert rest == records[numbers.index(after) + 1 :]
    if after < numbers[-1]:
        assert [record for record in rest if record.n > after] == [record for record in records if record.n > after]


def test_a_follower_behind_an_unknown_record_says_where_it_stands(tmp_path: Path) -> None:
    written(tmp_path, 3).close(3)
    assert Follower(tmp_path, DECISIONS, 99).last_n == 5


def test_no_journal_is_no_records(tmp_path: Path) -> None:
    assert list(read(tmp_path / "nowhere", DECISIONS)) == []


FULL = """
import sys
from pathlib import Path
from fairstrike.core.errors import DiskError
from fairstrike.store.journal import DECISIONS, INPUTS, Journal, Params
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
