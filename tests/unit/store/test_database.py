"""The database: migrated tables, idempotent writes, one transaction a batch, clear refusals."""

import sqlite3
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fairstrike.core.errors import DatabaseDamaged, LockedError, UsageError
from fairstrike.store.database import (
    Database,
    Progress,
    Row,
    Rows,
    RunPlace,
    described,
    file_url,
    metadata,
    remove_file,
)

ORDER: Rows = {"orders": {("a",): {"client_order_id": "a", "ticker": "T", "state": "sending", "filled_cc": 0}}}
MOVED: Rows = {"orders": {("a",): {"client_order_id": "a", "state": "resting"}}}
NO_NUMBERS: Row = {"run_n": 1, "ticker": "T", "net_cc": None, "cost_ud": None, "updated_ns": None}
RUN: Rows = {
    "runs": {
        (1,): {
            "n": 1,
            "program": "0.1.0",
            "execution": "paper",
            "environment": "prod",
            "account_tag": 1,
            "run_ns": 2,
            "started_ns": 3,
            "seed": str(2**64 - 1),
            "settings": "{}",
            "settings_digest": "",
        }
    }
}


def reached(n: int) -> Progress:
    return Progress(n=n, digest=f"{n:064x}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trader.db"


def rows_of(file: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_migrations_make_the_tables_of_the_program(file: Path) -> None:
    Database(file_url(file)).close()
    engine = sa.create_engine(file_url(file))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_new_database_is_private_and_at_the_start(file: Path) -> None:
    database = Database(file_url(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert database.progress("decisions") is None
    assert database.newest_run() == RunPlace(n=0, has_ended=False)
    database.close()


def test_every_index_on_time_and_ticker_exists(file: Path) -> None:
    Database(file_url(file)).close()
    names = {name for (name,) in rows_of(file, "SELECT name FROM sqlite_master WHERE type = 'index'")}
    for table in ("orders", "fills", "settlements", "positions", "signals"):
        assert {f"{table}_by_time", f"{table}_by_ticker"} <= names
    assert {"spot_candles_by_time", "spot_fundings_by_time"} <= names


def test_a_database_of_the_first_version_is_brought_up_to_date(file: Path) -> None:
    database = Database(file_url(file))
    database.write(RUN, "decisions", reached(1))
    database.close()
    connection = sqlite3.connect(file)
    for statement in (
        "DROP TABLE spot_candles",
        "DROP TABLE spot_fundings",
        "UPDATE alembic_version SET version_num = '0001'",
    ):
        connection.execute(statement)
    connection.commit()
    connection.close()
    database = Database(file_url(file))
    assert database.newest_run() == RunPlace(n=1, has_ended=False)
    assert rows_of(file, "SELECT * FROM spot_candles") == []
    database.close()


def test_writing_twice_changes_nothing(file: Path) -> None:
    database = Database(file_url(file))
    for _ in range(2):
        database.write(ORDER, "decisions", reached(5))
        database.write(MOVED, "decisions", reached(6))
    assert rows_of(file, "SELECT ticker, state, filled_cc FROM orders") == [("T", "resting", 0)]
    assert database.progress("decisions") == reached(6)
    database.close()


def test_a_part_of_a_row_with_required_columns_updates_it(file: Path) -> None:
    database = Database(file_url(file))
    database.write(RUN, "decisions", reached(1))
    assert database.newest_run() == RunPlace(n=1, has_ended=False)
    database.write({"runs": {(1,): {"n": 1, "ended_n": 9, "reason": "stop"}}}, "decisions", reached(9))
    assert database.newest_run() == RunPlace(n=1, has_ended=True)
    assert rows_of(file, "SELECT seed, reason FROM runs") == [(str(2**64 - 1), "stop")]
    database.close()


def test_a_batch_that_fails_leaves_nothing(file: Path) -> None:
    database = Database(file_url(file))
    with pytest.raises(UsageError):
        database.write({**ORDER, "positions": {(1, "T"): NO_NUMBERS}}, "decisions", reached(1))
    assert rows_of(file, "SELECT * FROM orders") == []
    assert database.progress("decisions") is None
    database.close()


def test_a_locked_database_is_told_and_can_be_written_later(file: Path) -> None:
    database = Database(file_url(file))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LockedError, match="locked by another program"):
        database.write(ORDER, "decisions", reached(1))
    other.execute("ROLLBACK")
    other.close()
    database.write(ORDER, "decisions", reached(1))
    assert database.progress("decisions") == reached(1)
    database.close()


def test_a_deleted_or_replaced_file_is_noticed(file: Path) -> None:
    database = Database(file_url(file))
    seen = [database.is_gone]
    file.rename(file.with_name("kept"))
    seen.append(database.is_gone)
    file.touch()
    seen.append(database.is_gone)
    assert seen == [False, True, True]
    database.close()


def test_garbage_is_no_database(file: Path) -> None:
    file.write_bytes(b"no database at all, " * 500)
    with pytest.raises(DatabaseDamaged, match="is damaged"):
        Database(file_url(file))


def test_a_newer_schema_is_refused(file: Path) -> None:
    Database(file_url(file)).close()
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(DatabaseDamaged, match="another program version"):
        Database(file_url(file))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not a URL"),
        ("mysql://host/name", "not supported"),
        ("postgresql+nodriver://host/name", "not a URL"),
        ("postgresql://user:sec:ret/@host:port/name", "not a URL"),
        ("postgresql://user:sec@ret@host/name", "%40"),
        ("sqlite:////proc/none/trader.db", "cannot be written"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        Database(url)
    assert "sec" not in str(caught.value)


def test_people_are_told_no_password() -> None:
    assert described("postgresql://user:secret@host:1/name?sslpassword=secret") == "postgresql://user@host:1/name"
    assert described(file_url(Path("run/trader.db"))) == "sqlite:///run/trader.db"


def test_without_its_driver_postgres_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "fairstrike.store.postgres", raising=False)
    monkeypatch.delattr("fairstrike.store.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match="install the locked packages"):
        Database("postgresql://user@host/name")


def test_clearing_empties_every_table(file: Path) -> None:
    database = Database(file_url(file))
    database.write({**ORDER, **RUN}, "decisions", reached(1))
    database.clear()
    assert database.progress("decisions") is None
    assert [rows_of(file, f"SELECT * FROM {name}") for name in metadata.tables] == [[]] * len(metadata.tables)
    database.close()


def test_removing_a_file_removes_what_stands_beside_it(file: Path) -> None:
    for ending in ("", "-journal", "-wal"):
        file.with_name(file.name + ending).touch()
    remove_file(file)
    assert list(file.parent.iterdir()) == []
