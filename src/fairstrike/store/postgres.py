"""How PostgreSQL is reached: what an address may say, the pool, the time limits, and what the server's refusals mean.

An address is what libpq takes (`postgresql://user@host:5432/name?sslmode=verify-full`) and the `Params` below, which
are taken out before libpq sees the rest. Limits of time are set inside each transaction, and nothing is prepared on
the server, so that an external pooler may stand between. No sentence holds a password.
"""

import difflib
import logging
from typing import Annotated

import msgspec
import psycopg
import sqlalchemy as sa
from msgspec import Meta
from psycopg import pq
from psycopg.conninfo import make_conninfo
from sqlalchemy import event

from fairstrike.core.errors import DatabaseAway, UsageError

_DRIVER = "postgresql+psycopg"
_PORTS = range(1, 65_536)
_CONNECTION = {
    "application_name": "fairstrike",
    "connect_timeout": "5",
    # A network that went silent is noticed within half a minute.
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# SQLSTATEs, or their beginnings, of what passes by itself or by the administrator's hand: connection, standby,
# rollback, resources, objects in use, intervention, system.
_PASSING = ("08", "25006", "40", "53", "55", "57", "58")


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """What an address may say beyond libpq's own words, all whole numbers.

    `pool_size` connections are kept at most; `pool_timeout` is how long to wait for a free one, `pool_recycle` the age
    at which one is made anew, `statement_timeout` and `lock_timeout` what one statement may take (all in s).
    """

    pool_size: Annotated[int, Meta(ge=1, le=100)] = 2
    pool_timeout: Annotated[int, Meta(ge=1, le=3_600)] = 10
    pool_recycle: Annotated[int, Meta(ge=1, le=86_400)] = 1_800
    statement_timeout: Annotated[int, Meta(ge=1, le=3_600)] = 60
    lock_timeout: Annotated[int, Meta(ge=1, le=3_600)] = 10


def engine(url: sa.URL) -> sa.Engine:
    """Give an engine; nothing is connected yet.

    Raises `UsageError` for words in the address that neither we nor libpq know.
    """
    params, rest = _read(url)
    # What it warns of, a lost connection above all, reaches us as exceptions.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    made = sa.create_engine(
        rest,
        pool_size=params.pool_size,
        max_overflow=0,
        pool_timeout=params.pool_timeout,
        pool_recycle=params.pool_recycle,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None},
    )
    limits = {name: f"{getattr(params, name)}s" for name in ("statement_timeout", "lock_timeout")}
    statement = sa.select(*(sa.func.set_config(name, limit, True) for name, limit in limits.items()))

    def limit(connection: sa.Connection) -> None:
        connection.execute(statement)

    event.listen(made, "begin", limit)
    return made


def refusal(url: sa.URL, place: str, cause: BaseException | None, was_reached: bool) -> UsageError | DatabaseAway:
    """Give what a failure means for the database at `url`, which people know as `place`: to wait, or to correct.

    Once a database `was_reached`, no failure to connect is the address's fault. Before that, a server that answers
    and does not let us in refuses what the address says.
    """
    told = _told(cause)
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    if state is not None:
        if state.startswith(_PASSING):
            return DatabaseAway(f"{place} cannot be used now ({told}): see to the database server")
        return UsageError(f"{place} refused ({told}): name an empty database in which this user may make tables")
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError) and (was_reached or not _is_refused(url)):
        return DatabaseAway(f"{place} cannot be reached ({told}): check the database server and the network")
    return UsageError(f"{place} refused ({told}): correct user, password, name or TLS in the database address")


def _told(cause: BaseException | None) -> str:
    """Give the reason alone of what may begin with the addresses tried, over several lines."""
    line = "; ".join(dict.fromkeys(line.strip() for line in str(cause).splitlines() if line.strip()))
    return line.rpartition(" failed: ")[2].removeprefix("FATAL:").strip()


def _is_refused(url: sa.URL) -> bool:
    """Whether the address is at fault: no attempt can be made of it, or a server answers there and lets nobody in.

    Asked without password, and again without TLS, whose failure looks like nobody's answer.
    """
    rest = _read(url)[1]
    _, words = rest.get_dialect()().create_connect_args(rest)
    named = {name: value for name, value in words.items() if name != "password"}
    bare = {name: value for name, value in words.items() if name in ("host", "hostaddr", "port", "connect_timeout")}
    pinged = [
        pq.PGconn.ping(make_conninfo(**asked).encode())
        for asked in (named, bare | {"sslmode": "disable", "gssencmode": "disable"})
    ]
    return pq.Ping.NO_ATTEMPT in pinged or (pq.Ping.OK in pinged and not _is_let_in(make_conninfo(**words)))


def _is_let_in(address: str) -> bool:
    """Whether a connection succeeds now: the server may have come up since the last."""
    try:
        psycopg.connect(address).close()
    except psycopg.Error:
        return False
    return True


def _read(url: sa.URL) -> tuple[Params, sa.URL]:
    """Give our own words of an address and what is left of it for libpq."""
    ours = {name: url.query[name] for name in Params.__struct_fields__ if name in url.query}
    try:
        params = msgspec.convert(ours, Params, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the database address cannot be used ({problem}): correct that number") from None
    if url.port is not None and url.port not in _PORTS:
        raise UsageError(f"the database address says port {url.port}, which is none; give one of 1 to {_PORTS[-1]}")
    rest = url.set(drivername=_DRIVER).difference_update_query(tuple(ours))
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    for name in rest.query:
        if name not in known:
            near = difflib.get_close_matches(name, {*known, *Params.__struct_fields__}, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "leave it out"
            raise UsageError(f"the database address says {name!r}, which PostgreSQL does not know; {hint}")
    return params, rest.update_query_dict({name: v for name, v in _CONNECTION.items() if name not in rest.query})
