"""A desk on PostgreSQL: killed, left without its server, and told a password, over a journal that goes on."""

import time
from pathlib import Path

import pytest
from sqlalchemy.exc import ProgrammingError

from fairstrike.app.desk.follow import DATABASE, run_desk
from fairstrike.core.chance import Dice
from fairstrike.store.database import file_url
from fairstrike.store.journal import Journal
from tests.clusters import PASSWORD, Cluster, Tables, tables_of
from tests.kill.test_desk import PATIENCE_S, following
from tests.sockets.processes import Command, wait_for
from tests.unit.app.desk.sample import SMALL, SampleRun, append, write_run

KILLS = 3
AWAY_S = 60.0


def in_sqlite(folder: Path) -> Tables:
    """The tables that the same journal gives in the folder's own database."""
    run_desk(folder, once=True)
    return tables_of(file_url(folder / DATABASE))


def test_a_killed_desk_catches_up(tmp_path: Path, cluster: Cluster) -> None:
    url, dice = cluster.new_database(), Dice(3, 3)
    said = SampleRun(3, 800).said
    journal = Journal(tmp_path / "journal", SMALL)
    for _ in range(KILLS):
        with following(tmp_path, url) as desk:
            # From before the first table to in the midst of catching up: the writer goes on meanwhile.
            until_s = time.monotonic() + dice.uniform()
            while time.monotonic() < until_s and len(said) > 300:
                append(journal, said[:3])
                del said[:3]
            assert desk.poll() is None
        append(journal, said[:50])
        del said[:50]
    with following(tmp_path, url) as desk:
        append(journal, said)
        journal.close(0)
        assert desk.wait(PATIENCE_S) == 0
    assert tables_of(url) == in_sqlite(tmp_path)


def test_a_server_that_comes_late_and_goes_for_a_while_misses_nothing(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, said = cluster.new_database(), SampleRun(4, 200).said
    monkeypatch.setenv("DATABASE_URL", url)
    journal = Journal(tmp_path / "journal", SMALL)
    try:
        cluster.stop()
        with Command(tmp_path / "desk.log", "desk", tmp_path) as desk:
            errors = desk.log.with_suffix(".errors")
            append(journal, said[:200])
            wait_for("a warning", lambda: warnings_in(errors) == 1, AWAY_S, desk)
            cluster.start()
            wait_for("rows", lambda: has_rows(url), AWAY_S, desk)
            cluster.stop()
            append(journal, said[200:400])
            wait_for("another warning", lambda: warnings_in(errors) == 2, AWAY_S, desk)
            append(journal, said[400:])
            # Long enough for a second try, of which nothing is told.
            time.sleep(1.0)
            cluster.start()
            journal.close(0)
            assert desk.ended(time.monotonic() + PATIENCE_S) == 0, desk.logs()
    finally:
        cluster.start()
    away, back = "waiting for it, nothing is lost", "the database is back; what was missed is written"
    told = errors.read_text()
    assert [line.endswith((away, back)[place % 2]) for place, line in enumerate(told.splitlines())] == [True] * 4, told
    assert tables_of(url) == in_sqlite(tmp_path)


def warnings_in(errors: Path) -> int:
    return errors.read_text().count("cannot be reached")


def has_rows(url: str) -> bool:
    try:
        return bool(tables_of(url)["progress"])
    except ProgrammingError:
        return False  # Before the first table.


def test_a_password_is_told_nowhere(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    write_run(tmp_path, SampleRun(6, 20).said)
    codes = {}
    for name, url in {
        "right": cluster.new_database(),
        "wrong": cluster.url("postgres", password=f"{PASSWORD}x"),
    }.items():
        monkeypatch.setenv("DATABASE_URL", url)
        with Command(tmp_path / f"{name}.log", "desk", tmp_path) as desk:
            codes[name] = desk.ended(time.monotonic() + PATIENCE_S)
            assert len(desk.log.with_suffix(".errors").read_text().splitlines()) == (name != "right")
    assert codes == {"right": 0, "wrong": 2}
    told = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(told) > len(codes)
    assert [path.name for path, data in told.items() if PASSWORD.encode() in data] == []
