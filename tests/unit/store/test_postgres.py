"""PostgreSQL, on a real server: migrations, writes, the pool, time limits, TLS, and what a refusal means."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from cryptography.hazmat.primitives.serialization import Encoding

from fairstrike.core.errors import DatabaseAway, DatabaseDamaged, LockedError, UsageError
from fairstrike.store import database as room
from fairstrike.store.database import Database, PlaceMoved, RunPlace, file_url, metadata
from fairstrike.store.postgres import Params, engine, refusal
from tests.clusters import PASSWORD, Cluster, authority, tables_of
from tests.unit.store.test_database import MOVED, NO_NUMBERS, ORDER, RUN, reached

CONFIG = Config()
CONFIG.set_main_option("script_location", str(Path(room.__file__).parent / "migrations"))
CONFIG.set_main_option("path_separator", "os")
WAIT_S = 30.0
OLDER = [script.revision for script in ScriptDirectory.from_config(CONFIG).walk_revisions()][1:]


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.new_database()


@contextmanager
def asking(url: str) -> Iterator[sa.Connection]:
    made = engine(sa.make_url(url))
    try:
        with made.begin() as connection:
            yield connection
    finally:
        made.dispose()


def test_migrations_make_the_tables_of_the_program(url: str) -> None:
    Database(url).close()
    with asking(url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize("revision", OLDER)
def test_a_database_of_an_older_version_is_brought_up_to_date(url: str, revision: str) -> None:
    with asking(url) as connection:
        CONFIG.attributes["connection"] = connection
        command.upgrade(CONFIG, revision)
        connection.execute(sa.insert(metadata.tables["runs"]), RUN["runs"][(1,)])
    database = Database(url)
    assert database.newest_run() == RunPlace(n=1, has_ended=False)
    database.close()
    with asking(url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_newer_schema_is_refused(url: str) -> None:
    Database(url).close()
    with asking(url) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseDamaged, match="another program version"):
        Database(url)


def test_programs_that_start_together_migrate_once(url: str) -> None:
    opening = "import sys; from fairstrike.store.database import Database; Database(sys.argv[1]).close()"
    started = [subprocess.Popen([sys.executable, "-c", opening, url]) for _ in range(2)]
    assert [one.wait(WAIT_S) for one in started] == [0, 0]


def test_writing_twice_gives_what_sqlite_gives(url: str, tmp_path: Path) -> None:
    urls = [file_url(tmp_path / "trader.db"), url]
    for one in urls:
        database = Database(one)
        for _ in range(2):
            database.write(ORDER | RUN, "decisions", reached(5))
            database.write(MOVED, "decisions", reached(6))
        database.write({"runs": {(1,): {"n": 1, "ended_n": 9, "reason": "stop"}}}, "decisions", reached(9))
        assert database.newest_run() == RunPlace(n=1, has_ended=True)
        assert database.progress("decisions") == reached(9)
        database.close()
    lite, postgres = map(tables_of, urls)
    assert postgres == lite
    assert len(lite["orders"]) == 1


def test_a_character_that_postgres_lacks_stops_nothing(url: str) -> None:
    database = Database(url)
    database.write({"orders": {("a\0",): {"client_order_id": "a\0", "ticker": "T\0"}}}, "decisions", reached(1))
    database.close()
    assert [order[0] for order in tables_of(url)["orders"]] == ["a\ufffd"]


def test_a_batch_that_fails_leaves_nothing(url: str) -> None:
    database = Database(url)
    with pytest.raises(UsageError, match="refused"):
        database.write({**ORDER, "positions": {(1, "T"): NO_NUMBERS}}, "decisions", reached(1))
    assert database.progress("decisions") is None
    database.close()
    assert tables_of(url)["orders"] == []


def test_of_two_writers_the_one_left_behind_writes_nothing(url: str) -> None:
    first, second = Database(url), Database(url)
    assert (first.progress("decisions"), second.progress("decisions")) == (None, None)
    first.write(ORDER, "decisions", reached(5))
    with pytest.raises(PlaceMoved, match="let one of them follow"):
        second.write(MOVED, "decisions", reached(3))
    assert second.progress("decisions") == reached(5)
    second.write(MOVED, "decisions", reached(6))
    with pytest.raises(PlaceMoved):
        first.write(ORDER, "decisions", reached(7))
    first.close()
    second.close()


def test_a_table_held_by_another_program_is_waited_for(url: str) -> None:
    database = Database(f"{url}&lock_timeout=1")
    with asking(url) as other:
        other.execute(sa.text("LOCK TABLE orders"))
        with pytest.raises(DatabaseAway, match="lock timeout"):
            database.write(ORDER, "decisions", reached(1))
    database.write(ORDER, "decisions", reached(1))
    database.close()


def test_the_pool_and_the_time_limits_are_those_of_the_address(url: str) -> None:
    made = engine(sa.make_url(f"{url}&pool_size=1&pool_timeout=1&statement_timeout=7&connect_timeout=9"))
    with made.begin() as connection:
        assert connection.execute(sa.text("SHOW statement_timeout")).scalar() == "7s"
        assert connection.execute(sa.text("SHOW lock_timeout")).scalar() == f"{Params().lock_timeout}s"
        with pytest.raises(sa.exc.TimeoutError):
            made.connect()
    made.dispose()


def test_a_cut_connection_is_made_anew(url: str) -> None:
    database = Database(url)
    with asking(url) as other:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        cut = other.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        assert cut.scalars().all() == [True]
    database.write(ORDER, "decisions", reached(1))
    assert database.progress("decisions") == reached(1)
    database.close()


def test_a_server_that_is_down_is_away_and_found_again(url: str, cluster: Cluster) -> None:
    database = Database(url)
    cluster.stop()
    try:
        for _ in range(2):
            with pytest.raises(DatabaseAway, match="cannot be reached"):
                database.write(ORDER, "decisions", reached(1))
        with pytest.raises(DatabaseAway, match="cannot be reached"):
            Database(url)
    finally:
        cluster.start()
    database.write(ORDER, "decisions", reached(1))
    assert database.progress("decisions") == reached(1)
    database.close()


def test_a_server_that_came_up_a_moment_ago_refused_nothing(url: str) -> None:
    before = psycopg.OperationalError("Connection refused")
    assert isinstance(refusal(sa.make_url(url), "here", before, was_reached=False), DatabaseAway)


def test_a_verified_server_is_used(cluster: Cluster, url: str) -> None:
    words = f"sslmode=verify-full&sslrootcert={cluster.authority}"
    Database(f"{url}&{words}").close()
    with asking(f"{url}&{words}") as connection:
        used = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.execute(sa.text(used)).scalar() is True


def test_a_server_that_is_not_the_one_meant_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other.crt"
    other.write_bytes(authority("another authority")[0].public_bytes(Encoding.PEM))
    with pytest.raises(UsageError, match="certificate verify failed") as caught:
        Database(cluster.url("postgres", words=f"sslmode=verify-full&sslrootcert={other}"))
    assert not isinstance(caught.value, LockedError)
    with pytest.raises(UsageError, match="does not match host name"):
        Database(
            cluster.url("postgres", host="127.0.0.1", words=f"sslmode=verify-full&sslrootcert={cluster.authority}")
        )
    with pytest.raises(UsageError, match="does not exist"):
        Database(cluster.url("postgres", words=f"sslmode=verify-full&sslrootcert={tmp_path / 'none.crt'}"))


def test_what_the_server_refuses_is_one_sentence_without_the_password(cluster: Cluster) -> None:
    wrong = "wr0ng-s3cret"
    addresses = {
        cluster.url("postgres", password=wrong): "password authentication failed",
        cluster.url("nowhere"): 'database "nowhere" does not exist',
        cluster.url("nowhere", password=f"{wrong}%40x"): "password authentication failed",
    }
    for address, words in addresses.items():
        with pytest.raises(UsageError, match=words) as caught:
            Database(address)
        assert re.search(rf"{wrong}|{PASSWORD}", str(caught.value)) is None
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("sslmod=require", "did you mean 'sslmode'"),
        ("poolsize=3", "did you mean 'pool_size'"),
        ("zzz=3", "leave it out"),
        ("pool_size=0", "correct that number"),
        ("statement_timeout=soon", "correct that number"),
        ("sslmode=perhaps", "invalid sslmode value"),
        ("connect_timeout=soon", "refused"),
    ],
)
def test_a_word_that_is_none_is_named(words: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Database(f"postgresql://user@127.0.0.1:1/name?{words}")


@pytest.mark.parametrize("port", [0, 65_536])
def test_a_port_that_is_none_is_not_waited_for(port: int) -> None:
    with pytest.raises(UsageError, match=f"says port {port}, which is none; give one of 1 to 65535"):
        Database(f"postgresql://user@127.0.0.1:{port}/name")
