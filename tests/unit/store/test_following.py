"""A chain is read from anywhere, while it grows too."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.chance import Dice
from fairstrike.core.errors import JournalError
from fairstrike.core.records import CashSet
from fairstrike.store.following import Follower, read
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import DECISIONS, Record, compress_segment, segments
from tests.unit.store.journals import SMALL, cash, everything, flipped, written


def test_follower_digest_is_the_writers(tmp_path: Path) -> None:
    journal = written(tmp_path, 30, SMALL)
    follower = Follower(tmp_path, DECISIONS)
    while follower.poll():
        pass
    assert (follower.last_n, follower.digest) == (journal.n, journal.digest())


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
