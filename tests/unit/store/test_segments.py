"""A segment that was changed, lost or renamed is found."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import JournalError
from fairstrike.core.records import CashSet
from fairstrike.store.following import read
from fairstrike.store.journal import Journal
from fairstrike.store.segments import DECISIONS, compress_segment, framed, segments
from tests.unit.store.journals import SMALL, cash, everything, flipped, record_ends, written


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


@pytest.mark.parametrize(
    ("record", "version"),
    [((2, 2, "CashSet", 0, CashSet(cash_ud=7)), "version 2"), (("2", 1, "CashSet"), "an unknown version")],
)
def test_records_of_another_version_are_neither_read_nor_written_on(
    tmp_path: Path, record: tuple[object, ...], version: str
) -> None:
    journal = written(tmp_path, 0)
    journal.flush(0)
    digest, body = bytes.fromhex(journal.digest()), msgspec.msgpack.encode(record)
    journal.close(0)
    path = segments(tmp_path, DECISIONS)[0]
    path.write_bytes(path.read_bytes() + framed(body, hashlib.sha256(digest + body).digest()))
    told = rf"decisions-000001\.fsj is of {version} of the journal's format: use the program version that wrote it"
    with pytest.raises(JournalError, match=told):
        everything(tmp_path)
    with pytest.raises(JournalError, match=told):
        written(tmp_path, 1)


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
