"""The desk's database: what the decision chain says, as tables that people and tools can ask.

It is a projection: every row follows from the journal, is keyed by natural ids and is written again without harm, so
the database may be deleted at any time. Rows and the place reached in the chain enter in one transaction, and only
while the chain stands there where it was last seen. Money, prices, sizes and instants are integers; the unit is the
end of the column's name. SQLite, and PostgreSQL as `store.postgres` reaches it.
"""

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import msgspec
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite

from fairstrike.core.errors import DatabaseAway, DatabaseDamaged, LockedError, UsageError

Value = int | str | bool | None
Row = dict[str, Value]
Rows = dict[str, dict[tuple[Value, ...], Row]]
"""By table name and natural key: the columns to write. Columns left out keep what they hold."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_EXAMPLE = "postgresql://user@host/name"
_WAIT_S = 0.25
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}

_POSTGRES = ("postgresql", "postgres")
_WITH_DRIVER = ("postgresql+psycopg", "sqlite+pysqlite")
_MIGRATING = 0x6661_6972_7374_726B
"""The number of PostgreSQL's advisory lock under which one program at a time migrates."""

metadata = sa.MetaData()


class PlaceMoved(LockedError):
    """A chain stands elsewhere in the database than it was left. Cure: go on from where it stands."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The last record of a chain that is in the database, and the chain's digest there (hex)."""

    n: int
    digest: str


class RunPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The newest run in the database: the n of its first record (0: none yet), and whether it has ended."""

    n: int
    has_ended: bool


class _Text(sa.TypeDecorator[str]):
    """Text. PostgreSQL has no NUL in it, and is given U+FFFD instead: no word of the venue's may stop the desk."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Give what is written."""
        return value.replace("\0", "\ufffd") if value is not None and dialect.name == "postgresql" else value


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, _Text, primary_key=True)


def _whole_key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _Text, nullable=nullable)


def _flag(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=nullable)


runs = sa.Table(
    "runs",
    metadata,
    _whole_key("n"),
    *(_text(name) for name in ("program", "execution", "environment")),
    *(_whole(name) for name in ("account_tag", "run_ns", "started_ns")),
    *(_text(name) for name in ("seed", "settings", "settings_digest")),
    *(_whole(name, nullable=True) for name in ("cash_start_ud", "ended_n", "ended_ns", "cash_end_ud", "fees_ud")),
    _whole("resting", nullable=True),
    _text("reason", nullable=True),
)

# Known in part when only a move was seen: all but the id may be absent.
orders = sa.Table(
    "orders",
    metadata,
    _key("client_order_id"),
    _whole("run_n", nullable=True),
    *(_text(name, nullable=True) for name in ("order_id", "strategy", "ticker", "side", "intent", "tif", "state")),
    *(_whole(name, nullable=True) for name in ("price_ticks", "size_cc", "filled_cc")),
    *(_flag(name, nullable=True) for name in ("post_only", "reduce_only")),
    *(_whole(name, nullable=True) for name in ("created_ns", "sent_ns", "updated_ns")),
    sa.Index("orders_by_time", "created_ns"),
    sa.Index("orders_by_ticker", "ticker"),
)

# A fill happened once, in the run that booked it first.
fills = sa.Table(
    "fills",
    metadata,
    _key("trade_id"),
    _key("order_id"),
    _whole("run_n"),
    _whole("n"),
    *(_text(name) for name in ("client_order_id", "strategy", "ticker", "side")),
    *(_whole(name) for name in ("price_ticks", "size_cc", "fee_ud", "cash_ud", "net_cc", "booked_ns", "recv_ns")),
    _whole("venue_ns", nullable=True),
    _flag("is_taker"),
    sa.Index("fills_by_time", "booked_ns"),
    sa.Index("fills_by_ticker", "ticker"),
    info={"first_wins": True},
)

settlements = sa.Table(
    "settlements",
    metadata,
    _whole_key("run_n"),
    _key("ticker"),
    *(_whole(name) for name in ("n", "value_ticks", "net_cc", "payout_ud", "pnl_ud", "cash_ud", "settled_ns")),
    _flag("is_derived"),
    sa.Index("settlements_by_time", "settled_ns"),
    sa.Index("settlements_by_ticker", "ticker"),
)

positions = sa.Table(
    "positions",
    metadata,
    _whole_key("run_n"),
    _key("ticker"),
    *(_whole(name) for name in ("net_cc", "cost_ud", "updated_ns")),
    *(_whole(name, nullable=True) for name in ("realised_ud", "settled_pnl_ud")),
    sa.Index("positions_by_time", "updated_ns"),
    sa.Index("positions_by_ticker", "ticker"),
)

# Approved signals name their order, refused ones the rule, its value and its limit.
signals = sa.Table(
    "signals",
    metadata,
    _whole_key("n"),
    _whole("run_n"),
    _whole("signalled_ns"),
    *(_text(name) for name in ("verdict", "strategy", "ticker", "side", "intent", "tif", "reason", "features")),
    *(_whole(name) for name in ("price_ticks", "size_cc", "edge_ppm", "confidence_ppm")),
    _flag("post_only"),
    _whole("expire_ns", nullable=True),
    _text("client_order_id", nullable=True),
    _text("rule", nullable=True),
    _whole("rule_value", nullable=True),
    _whole("rule_limit", nullable=True),
    sa.Index("signals_by_time", "signalled_ns"),
    sa.Index("signals_by_ticker", "ticker"),
)

# The last telling of a candle is the one that stays.
spot_candles = sa.Table(
    "spot_candles",
    metadata,
    *(_key(name) for name in ("source", "asset")),
    _whole_key("start_ns"),
    *(_whole(f"{name}_e8") for name in ("open", "high", "low", "close", "volume")),
    *(_whole(name) for name in ("venue_ns", "told_ns")),
    sa.Index("spot_candles_by_time", "start_ns"),
)

spot_fundings = sa.Table(
    "spot_fundings",
    metadata,
    *(_key(name) for name in ("source", "asset")),
    _whole_key("told_ns"),
    *(_whole(name) for name in ("rate_e8", "mark_e8", "next_ns", "venue_ns")),
    sa.Index("spot_fundings_by_time", "told_ns"),
)

progress = sa.Table("progress", metadata, _key("chain"), _whole("n"), _text("digest"))


class Database:
    """A database at its newest schema. One writer: the desk."""

    def __init__(self, url: str) -> None:
        """Connect, making or migrating the tables.

        Raises `UsageError` for an address that cannot be used, `DatabaseDamaged` for contents that cannot, and
        `LockedError` while another program holds the database, `DatabaseAway` while its server cannot be used.
        """
        self._url = _parsed(url)
        self._engine = _engine(self._url)
        self._is_open = False
        self._stands: dict[str, Progress | None] = {}
        self._file = sqlite_file(url)
        if self._file is not None:
            _make_private(self._file)
        try:
            with self._asking():
                _migrate(self._engine)
            self._is_open = True
        finally:
            if not self._is_open:
                self._engine.dispose()
        self._identity = _identity(self._file)

    @property
    def is_gone(self) -> bool:
        """Whether the database's file was deleted or replaced since it was opened."""
        return self._file is not None and _identity(self._file) != self._identity

    def progress(self, chain: str) -> Progress | None:
        """Give the place reached in a chain, None before its first record."""
        with self._asking(), self._engine.begin() as connection:
            found = _progress(connection, chain)
        self._stands[chain] = found
        return found

    def newest_run(self) -> RunPlace:
        """Give the newest run's first n and whether it has ended."""
        with self._asking(), self._engine.begin() as connection:
            row = connection.execute(sa.select(runs.c.n, runs.c.ended_n).order_by(runs.c.n.desc()).limit(1)).first()
        return RunPlace(n=0, has_ended=False) if row is None else RunPlace(n=row.n, has_ended=row.ended_n is not None)

    def write(self, rows: Rows, chain: str, reached: Progress) -> None:
        """Write rows and the place reached, all or nothing.

        Raises `LockedError` when another program holds the database and `DatabaseAway` when its server cannot be used:
        try again. Raises `PlaceMoved`, and writes nothing, when the chain does not stand where it was last seen:
        another program wrote, a write of ours arrived though its answer was lost, or the server lost some.
        """
        with self._asking(), self._engine.begin() as connection:
            stands = _progress(connection, chain)
            if stands != self._stands.setdefault(chain, stands):
                raise PlaceMoved(f"another program writes into {described(self._url)} too: let one of them follow")
            for name, found in rows.items():
                for columns, group in groupby(sorted(found.values(), key=sorted), key=sorted):
                    table = metadata.tables[name]
                    connection.execute(self._statement(table, columns), [_bound(table, row) for row in group])
            place: Row = {"chain": chain, "n": reached.n, "digest": reached.digest}
            connection.execute(self._statement(progress, place), place)
        self._stands[chain] = reached

    def clear(self) -> None:
        """Empty every table."""
        with self._asking(), self._engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(sa.delete(table))
        self._stands.clear()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _statement(self, table: sa.Table, columns: Collection[str]) -> sa.Insert | sa.Update:
        keys = [column.name for column in table.primary_key]
        others = [name for name in columns if name not in keys]
        if any(not column.nullable and column.name not in columns for column in table.columns):
            # A part of a row whose first part stands already.
            found = [table.c[name] == sa.bindparam(f"key_{name}") for name in keys]
            return sa.update(table).where(*found).values({name: sa.bindparam(name) for name in others})
        if self._engine.dialect.name == "postgresql":
            return _upsert(postgresql.insert(table), table, keys, others)
        return _upsert(sqlite.insert(table), table, keys, others)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        place = described(self._url)
        try:
            yield
        except CommandError as problem:
            raise DatabaseDamaged(f"{place} was made by another program version: name an empty database") from problem
        except sa.exc.TimeoutError as problem:
            raise DatabaseAway(f"{place} is asked by others of this program: raise pool_size") from problem
        except sa.exc.DBAPIError as problem:
            if isinstance(problem.orig, sqlite3.Error):
                raise _named(place, problem.orig) from problem
            from fairstrike.store import postgres

            raise postgres.refusal(self._url, place, problem.orig, self._is_open) from problem


def _upsert(
    statement: postgresql.Insert | sqlite.Insert, table: sa.Table, keys: list[str], others: list[str]
) -> postgresql.Insert | sqlite.Insert:
    if table.info.get("first_wins"):
        return statement.on_conflict_do_nothing(index_elements=keys)
    new = {name: statement.excluded[name] for name in others}
    return statement.on_conflict_do_update(index_elements=keys, set_=new)


def _bound(table: sa.Table, row: Row) -> Row:
    """Give a row's parameters; an update names its keys apart from the columns it sets."""
    return row | {f"key_{column.name}": row[column.name] for column in table.primary_key}


def file_url(path: Path) -> str:
    """Give the address of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def sqlite_file(url: str) -> Path | None:
    """Give the file of a SQLite address, None for other databases."""
    parts = _parsed(url)
    if parts.get_backend_name() != "sqlite" or not parts.database or parts.database == ":memory:":
        return None
    return Path(parts.database)


def described(url: str | sa.URL) -> str:
    """Give an address for people: no password, and none of the words after the name.

    Raises `UsageError` when it is none.
    """
    parts = _parsed(url) if isinstance(url, str) else url
    place = (parts.get_backend_name(), parts.username, None, parts.host, parts.port, parts.database)
    return sa.URL.create(*place).render_as_string()


def holds_password(url: str) -> bool:
    """Whether a password stands in an address, in its place or among the words at its end.

    Raises `UsageError` when it is no address.
    """
    parts = _parsed(url)
    return parts.password is not None or any("password" in word or "secret" in word for word in parts.query)


def remove_file(path: Path) -> None:
    """Delete a SQLite file and what SQLite keeps beside it."""
    for ending in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _parsed(url: str) -> sa.URL:
    try:
        parts = sa.make_url(url)
        if "+" in parts.drivername and parts.drivername not in _WITH_DRIVER:
            raise ValueError(parts.drivername)
    except (sa.exc.ArgumentError, ValueError):
        raise UsageError(f"the database address is not a URL such as {_EXAMPLE}") from None
    if parts.get_backend_name() in _POSTGRES and url.count("@") > 1:
        # What follows the first one would be taken for the host's name, and told.
        raise UsageError("an @ inside the user or password of the database address is written %40: write it so")
    return parts


def _engine(url: sa.URL) -> sa.Engine:
    backend = url.get_backend_name()
    if backend == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": _WAIT_S})
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
        return engine
    if backend not in _POSTGRES:
        raise UsageError(f"databases of kind {backend!r} are not supported: use sqlite or postgresql")
    try:
        from fairstrike.store import postgres
    except ImportError:
        raise UsageError("PostgreSQL needs the Python package psycopg[binary]: install the locked packages") from None
    return postgres.engine(url)


def _leave_transactions_to_us(connection: sqlite3.Connection, record: object) -> None:
    """Python's driver begins late and not before a CREATE TABLE; a killed migration must leave nothing."""
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _migrate(engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _make_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as problem:
        raise UsageError(
            f"{path} cannot be written ({problem.strerror}): correct the folder or its permissions"
        ) from None


def _identity(path: Path | None) -> tuple[int, int] | None:
    try:
        found = None if path is None else path.stat()
    except FileNotFoundError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _progress(connection: sa.Connection, chain: str) -> Progress | None:
    """Give where a chain stands, and where the database can, have others wait for this transaction's end."""
    asked = sa.select(progress).where(progress.c.chain == chain).with_for_update()
    row = connection.execute(asked).one_or_none()
    return None if row is None else Progress(n=row.n, digest=row.digest)


def _named(place: str, cause: sqlite3.Error) -> UsageError | LockedError:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return DatabaseDamaged(f"{place} is damaged ({cause}): delete it, it is filled again from the journal")
    if code not in _BUSY:
        return UsageError(f"{place} cannot be used ({cause}): free the disk or correct the permissions")
    return LockedError(f"{place} is locked by another program: close that program")
