"""The desk follows a journal into its database and can always begin again."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairstrike.app.desk import follow
from fairstrike.app.desk.follow import DATABASE, OWN, Desk, Pace, run_desk, wanted_database
from fairstrike.core.chance import Dice
from fairstrike.core.effects import SendOrder
from fairstrike.core.errors import JournalError, LockedError, UsageError
from fairstrike.core.order import Refused
from fairstrike.core.records import Booked, Ordered, Settled
from fairstrike.store.database import Database, PlaceMoved, file_url
from fairstrike.store.journal import Journal
from fairstrike.store.segments import DECISIONS, segments
from tests.clusters import Cluster, tables_of
from tests.unit.app.desk.sample import CASH_UD, SMALL, Said, SampleRun, append, write_run

TABLES = ("runs", "orders", "fills", "settlements", "positions", "signals", "progress", "spot_candles", "spot_fundings")
Dump = dict[str, list[tuple[object, ...]]]


@contextmanager
def asking(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def dump(folder: Path) -> Dump:
    """Every table's rows, in order."""
    with asking(folder / DATABASE) as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


def built_in_one_go(folder: Path) -> Dump:
    """The same journal's database, made anew in another place."""
    url = folder / "fresh"
    url.mkdir()
    (url / "journal").symlink_to((folder / "journal").absolute())
    run_desk(url, once=True)
    return dump(url)


def counted(said: list[Said], kind: type) -> int:
    return sum(1 for _, body in said if isinstance(body, kind))


def test_tables_hold_the_run(tmp_path: Path) -> None:
    run = SampleRun(1, 80)
    write_run(tmp_path, run.said)
    assert run_desk(tmp_path) == 0
    tables = dump(tmp_path)
    assert len(tables["orders"]) == counted(run.said, SendOrder)
    assert len(tables["fills"]) == counted(run.said, Booked)
    assert len(tables["settlements"]) == counted(run.said, Settled)
    assert len(tables["signals"]) == counted(run.said, Ordered) + counted(run.said, Refused)
    with asking(tmp_path / DATABASE) as connection:
        assert connection.execute("SELECT cash_start_ud, cash_end_ud, fees_ud, reason, seed FROM runs").fetchall() == [
            (CASH_UD, run.ledger.cash_ud, run.ledger.fees_ud, "stop", str(2**64 - 1))
        ]
        assert connection.execute("SELECT sum(fee_ud) FROM fills").fetchone() == (run.ledger.fees_ud,)
        assert connection.execute("SELECT sum(pnl_ud) FROM settlements").fetchone() == (run.ledger.cash_ud - CASH_UD,)
        assert dict(connection.execute("SELECT ticker, settled_pnl_ud FROM positions")) == run.ledger.market_pnl_ud
        assert connection.execute("SELECT source, asset, close_e8, volume_e8 FROM spot_candles").fetchall() == [
            ("binance", "BTC", 41, 39),
            ("binance", "BTC", 81, 79),
        ]
        assert connection.execute("SELECT count(*), min(rate_e8) FROM spot_fundings").fetchone() == (80, -79)
        assert connection.execute("SELECT DISTINCT features FROM signals").fetchall() == [('{"a":1,"b":2}',)]


def test_postgres_holds_what_sqlite_holds(tmp_path: Path, cluster: Cluster) -> None:
    url = cluster.new_database()
    said = SampleRun(1, 80).said + SampleRun(9, 30, "b").said
    write_run(tmp_path, said[:200])
    run_desk(tmp_path, once=True, url=url)
    write_run(tmp_path, said[200:])
    for _ in range(2):
        run_desk(tmp_path, once=True, url=url)
        run_desk(tmp_path, once=True)
        assert tables_of(url) == tables_of(file_url(tmp_path / DATABASE))
    assert min(map(len, tables_of(url).values())) > 0


@pytest.mark.parametrize("seed", range(4))
def test_batches_of_any_size_give_the_same_database(tmp_path: Path, seed: int) -> None:
    dice, said = Dice(seed, 2), SampleRun(seed, 60).said + SampleRun(seed + 9, 30, "b").said
    journal = Journal(tmp_path / "journal", SMALL)
    desk = Desk(tmp_path)
    while said:
        count = dice.between(1, 40)
        append(journal, said[:count])
        del said[:count]
        while desk.turn():
            pass
        if dice.below(4) == 0:
            desk.close()
            desk = Desk(tmp_path)
    desk.close()
    journal.close(0)
    assert dump(tmp_path) == built_in_one_go(tmp_path)


def test_turning_again_writes_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, SampleRun(1, 20).said)
    run_desk(tmp_path, once=True)
    desk = Desk(tmp_path)
    assert desk.turn() == 0
    assert desk.has_ended
    desk.close()


def test_a_deleted_database_is_built_again_while_following(tmp_path: Path) -> None:
    said = SampleRun(1, 40).said
    journal = Journal(tmp_path / "journal", SMALL)
    desk = Desk(tmp_path)
    append(journal, said[:100])
    while desk.turn():
        pass
    (tmp_path / DATABASE).unlink()
    append(journal, said[100:])
    while desk.turn():
        pass
    desk.close()
    journal.close(0)
    assert dump(tmp_path) == built_in_one_go(tmp_path)


@pytest.mark.parametrize("rubbish", [b"", b"rubbish " * 2_000])
def test_a_damaged_database_is_built_again(tmp_path: Path, rubbish: bytes) -> None:
    write_run(tmp_path, SampleRun(1, 40).said)
    (tmp_path / DATABASE).write_bytes(rubbish)
    run_desk(tmp_path)
    assert dump(tmp_path) == built_in_one_go(tmp_path)


def test_a_locked_database_is_caught_up_later(tmp_path: Path) -> None:
    said = SampleRun(1, 40).said
    write_run(tmp_path, said[:100])
    run_desk(tmp_path, once=True)
    write_run(tmp_path, said[100:])
    desk = Desk(tmp_path)
    assert desk.turn() > 0
    with asking(tmp_path / DATABASE) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(2):
            with pytest.raises(LockedError):
                desk.turn()
        other.execute("ROLLBACK")
    while desk.turn():
        pass
    desk.close()
    assert dump(tmp_path) == built_in_one_go(tmp_path)


def test_waiting_for_a_locked_database_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path, SampleRun(1, 5).said)
    run_desk(tmp_path, once=True)
    monkeypatch.setattr(follow, "BUSY_S_MAX", 0.0)
    with asking(tmp_path / DATABASE) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError, match="close that program"):
            run_desk(tmp_path, poll_s=0.0)


def test_two_desks_on_one_database_lose_nothing(tmp_path: Path) -> None:
    said = SampleRun(1, 40).said
    url = file_url(tmp_path / "shared.db")
    journal = Journal(tmp_path / "journal", SMALL)
    desks = [Desk(tmp_path, url), Desk(tmp_path, url)]
    moved = 0
    while said:
        append(journal, said[:30])
        del said[:30]
        for desk in desks:
            try:
                desk.turn()
            except PlaceMoved:
                moved += 1
    journal.close(0)
    for desk in desks:
        desk.close()
    run_desk(tmp_path, once=True, url=url)
    run_desk(tmp_path, once=True)
    assert moved > 0
    assert tables_of(url) == tables_of(file_url(tmp_path / DATABASE))


def test_what_a_server_lost_is_written_again(tmp_path: Path) -> None:
    said = SampleRun(1, 40).said
    url = file_url(tmp_path / "named.db")
    journal = Journal(tmp_path / "journal", SMALL)
    append(journal, said[:100])
    desk = Desk(tmp_path, url)
    while desk.turn():
        pass
    server = Database(url)
    server.clear()
    server.close()
    append(journal, said[100:])
    journal.close(0)
    with pytest.raises(PlaceMoved):
        desk.turn()
    while desk.turn():
        pass
    desk.close()
    run_desk(tmp_path, once=True)
    assert tables_of(url) == tables_of(file_url(tmp_path / DATABASE))


def test_the_command_line_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert wanted_database(None) is None
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://user:secret@host/name\n")
    assert wanted_database(None) == "postgresql://user:secret@host/name"
    assert wanted_database("postgresql://host/other") == "postgresql://host/other"
    assert wanted_database(OWN) is None


@pytest.mark.parametrize("url", ["postgresql://user:secret@host/name", "postgresql://user@host/name?password=secret"])
def test_a_password_on_the_command_line_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no secret: put the whole address") as caught:
        wanted_database(url)
    assert "secret@" not in str(caught.value)
    assert "=secret" not in str(caught.value)


def test_the_own_database_of_another_journal_is_emptied(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        write_run(tmp_path / name, SampleRun(seed, 40).said)
        run_desk(tmp_path / name)
    (tmp_path / "a" / DATABASE).replace(tmp_path / "b" / DATABASE)
    run_desk(tmp_path / "b")
    assert dump(tmp_path / "b") == built_in_one_go(tmp_path / "b")


def test_a_named_database_of_another_journal_is_refused(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        write_run(tmp_path / name, SampleRun(seed, 40).said)
    url = file_url(tmp_path / "all.db")
    run_desk(tmp_path / "a", url=url)
    with pytest.raises(UsageError, match="holds another journal"):
        run_desk(tmp_path / "b", url=url)


def test_everything_before_a_damage_is_written(tmp_path: Path) -> None:
    write_run(tmp_path, SampleRun(1, 40).said)
    path = segments(tmp_path / "journal", DECISIONS)[-1]
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(JournalError, match="is damaged after record n = ") as caught:
        run_desk(tmp_path)
    with asking(tmp_path / DATABASE) as connection:
        (last_n,) = connection.execute("SELECT n FROM progress").fetchone()
    assert f"n = {last_n};" in str(caught.value)


def test_a_record_of_another_version_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", SMALL)
    journal.append(DECISIONS, "CashSet", 1, {"cash": 5})
    journal.close(1)
    with pytest.raises(JournalError, match="CashSet"):
        run_desk(tmp_path)


def test_folders_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        run_desk(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="holds no journal"):
        run_desk(tmp_path, once=True)
    (tmp_path / "journal" / "decisions-000001.fsj").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        run_desk(tmp_path)


def test_the_journal_is_left_as_it_is(tmp_path: Path) -> None:
    write_run(tmp_path, SampleRun(1, 20).said)
    before = {path: path.read_bytes() for path in (tmp_path / "journal").iterdir()}
    run_desk(tmp_path)
    assert {path: path.read_bytes() for path in (tmp_path / "journal").iterdir()} == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_following(tmp_path: Path, number: signal.Signals) -> None:
    write_run(tmp_path, SampleRun(1, 20).said[:-2])
    before = signal.getsignal(number)
    desk = Desk(tmp_path)
    turns: list[LockedError | None] = []

    def then(trouble: LockedError | None) -> None:
        turns.append(trouble)
        if len(turns) == 3:
            os.kill(os.getpid(), number)

    with follow.until_signalled() as is_stopping:
        follow.follow(desk, is_stopping, Pace(stay=True, poll_s=0.0), then)
    desk.close()
    assert len(turns) == 3
    assert signal.getsignal(number) == before
