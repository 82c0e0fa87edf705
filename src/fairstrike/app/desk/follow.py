"""Following a run: from the decision chain of its journal into the database, from wherever it stood.

The desk only reads the run folder's journal; nothing it does reaches the trader. Each poll's records become rows and
enter the database together with the place reached, so that a desk killed at any moment goes on where its last whole
transaction ended. The folder's own database is a projection: deleted, damaged or left from another journal, it is
made anew. A database named by the user is never emptied. One whose server is down is waited for, as long as it takes.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec

from fairstrike.app import dotenv
from fairstrike.app.desk.facts import facts_of
from fairstrike.app.desk.rows import RowMaker
from fairstrike.core.chance import Dice
from fairstrike.core.errors import DatabaseAway, DatabaseDamaged, LockedError, UsageError
from fairstrike.core.timing import SECOND_NS
from fairstrike.store.database import Database, PlaceMoved, Progress, Rows, file_url, holds_password, remove_file
from fairstrike.store.following import Follower
from fairstrike.store.segments import DECISIONS, Record
from fairstrike.venue.kalshi.budget import Backoff

DATABASE = "trader.db"
JOURNAL = "journal"
OWN = "own"
BUSY_S_MAX = 60.0
_AWAY_FIRST_NS, _AWAY_LAST_NS = SECOND_NS // 2, 30 * SECOND_NS
_NAP_S_MAX = 0.25


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long to follow: `once` until caught up, `stay` beyond a run's end; `poll_s` is the pause between looks."""

    once: bool = False
    stay: bool = False
    poll_s: float = 0.25


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the records read last, not yet in the database."""

    rows: Rows
    reached: Progress
    records: int


class Desk:
    """Keeps one database up to date with one run folder."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        """Take the run folder; `url` names another database than the folder's own `trader.db`.

        Raises `UsageError` when the folder cannot be read.
        """
        self._journal = journal_of(folder)
        self._own = None if url is not None else folder / DATABASE
        self._url = file_url(folder / DATABASE) if url is None else url
        self._database: Database | None = None
        self._follower = Follower(self._journal, DECISIONS)
        self._batch: _Batch | None = None
        self._maker: RowMaker | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the newest run in the database ended in good order."""
        return self._maker is not None and self._maker.run.has_ended

    def turn(self) -> int:
        """Write what is new. Gives the number of records written, 0 when there is nothing new.

        Raises `LockedError` while the database is held by another program, or its server is away: turn again, nothing
        is lost; `JournalError` when the journal is damaged, after everything before the damage was written;
        `UsageError` when the folder or the database cannot be used.
        """
        try:
            return self._turn()
        except PlaceMoved:
            # The next turn goes on from where the database stands.
            self.close()
            raise
        except DatabaseDamaged:
            if self._own is None:
                raise
        self.close()
        remove_file(self._own)
        return self._turn()

    def close(self) -> None:
        """Let go of the database; the next turn opens it again."""
        if self._database is not None:
            self._database.close()
        self._database = self._maker = self._batch = None

    def _turn(self) -> int:
        database, maker = self._ready()
        if self._batch is None:
            self._batch = self._read(maker)
        if self._batch is None:
            return 0
        database.write(self._batch.rows, DECISIONS, self._batch.reached)
        written = self._batch.records
        self._batch = None
        return written

    def _ready(self) -> tuple[Database, RowMaker]:
        if self._database is not None and self._database.is_gone:
            self.close()
        if self._database is None or self._maker is None:
            self.close()
            self._database = Database(self._url)
            self._follower = self._resumed(self._database)
            self._maker = RowMaker(self._database.newest_run())
        return self._database, self._maker

    def _resumed(self, database: Database) -> Follower:
        """Give a follower behind the last record the database holds, or at the start of a database emptied."""
        stands = database.progress(DECISIONS)
        if stands is None:
            return Follower(self._journal, DECISIONS)
        with _readable():
            follower = Follower(self._journal, DECISIONS, stands.n)
        if (follower.last_n, follower.digest) == (stands.n, stands.digest):
            return follower
        if self._own is None:
            raise UsageError(
                f"the database given holds another journal than {self._journal}: name an empty database for this run"
            )
        database.clear()
        return Follower(self._journal, DECISIONS)

    def _read(self, maker: RowMaker) -> _Batch | None:
        with _readable():
            records = self._follower.poll()
        if not records:
            return None
        rows = maker.rows(facts_of(records, with_decisions=False))
        reached = Progress(n=self._follower.last_n, digest=self._follower.digest)
        return _Batch(rows=rows, reached=reached, records=len(records))


def run_desk(folder: Path, once: bool = False, url: str | None = None, poll_s: float = 0.25, stay: bool = False) -> int:
    """Keep the folder's database up to date. Gives the exit code, 0.

    Returns when the run has ended and nothing new arrives, on SIGTERM or SIGINT, and with `once` as soon as it has
    caught up; with `stay` it waits for the folder's next run. `poll_s` is the pause between looks in seconds.
    Raises as `Desk.turn` does; a database held by others is waited for, `BUSY_S_MAX` seconds in one stretch, and one
    whose server is away as long as it takes, unless `once` is asked. Of each such stretch stderr tells once.
    """
    if once and not journal_of(folder).is_dir():
        raise UsageError(f"{folder} holds no journal: name the folder of a run")
    desk = Desk(folder, url)
    try:
        with until_signalled() as is_stopping:
            follow(desk, is_stopping, Pace(once=once, stay=stay, poll_s=poll_s), _Teller())
    finally:
        desk.close()
    return 0


def follow(
    desk: Desk, is_stopping: Callable[[], bool], pace: Pace, after_turn: Callable[[LockedError | None], None]
) -> None:
    """Turn the desk until it is stopping, has caught up (`once`), or the run is over and `stay` is not asked.

    `after_turn` is called after each look, with the error while the database cannot be written.
    """
    wait = _Wait(pace)
    while not is_stopping():
        wrote = 0
        if wait.is_over():
            try:
                wrote = desk.turn()
                wait.end()
            except LockedError as trouble:
                wait.begin(trouble)
        after_turn(wait.trouble)
        if wrote:
            continue
        if wait.trouble is None and (pace.once or (desk.has_ended and not pace.stay)):
            return
        nap(pace.poll_s)


class _Wait:
    """A database that cannot be written just now: why, since when, and when to try again."""

    def __init__(self, pace: Pace) -> None:
        self.trouble: LockedError | None = None
        self._is_patient = not pace.once
        self._since_s = self._again_s = 0.0
        self._backoff = Backoff(_AWAY_FIRST_NS, _AWAY_LAST_NS, Dice(os.getpid(), 0))

    def is_over(self) -> bool:
        """Whether to try again now."""
        return self.trouble is None or time.monotonic() >= self._again_s

    def begin(self, trouble: LockedError) -> None:
        """Wait, or go on waiting; raises the trouble when that has taken too long."""
        now_s = time.monotonic()
        if self.trouble is None:
            self._since_s = now_s
        is_away = isinstance(trouble, DatabaseAway)
        if now_s - self._since_s > BUSY_S_MAX and not (is_away and self._is_patient):
            raise trouble
        self.trouble = trouble
        self._again_s = now_s + self._backoff.next_ns() / SECOND_NS if is_away else now_s

    def end(self) -> None:
        """The database was written."""
        self.trouble = None
        self._backoff.reset()


class _Teller:
    """Says once that the server of a database is away, and once that it is back."""

    def __init__(self) -> None:
        self._is_away = False

    def __call__(self, trouble: LockedError | None) -> None:
        if isinstance(trouble, DatabaseAway) and not self._is_away:
            self._is_away = True
            print(f"fairstrike: {trouble}; waiting for it, nothing is lost", file=sys.stderr, flush=True)
        elif trouble is None and self._is_away:
            self._is_away = False
            print("fairstrike: the database is back; what was missed is written", file=sys.stderr, flush=True)


def wanted_database(said: str | None) -> str | None:
    """Give the database to write: what the command line says, else DATABASE_URL; None is the folder's own.

    Raises `UsageError` for a password on the command line, which every user of the machine can read.
    """
    if said == OWN:
        return None
    if said is not None and holds_password(said):
        raise UsageError("a password on the command line is no secret: put the whole address into .env as DATABASE_URL")
    return said or dotenv.database_url()


def read_new(follower: Follower) -> list[Record]:
    """Give a follower's next records. Raises `JournalError` for a damaged journal, `UsageError` for an unreadable."""
    with _readable():
        return follower.poll()


def journal_of(folder: Path) -> Path:
    """Give a run folder's journal folder, which need not exist yet.

    Raises `UsageError` when the folder is missing or may not be read: name the folder of a run.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: name the folder of a run")
    journal = folder / JOURNAL
    for place in (folder, journal):
        if place.is_dir() and not os.access(place, os.R_OK | os.X_OK):
            raise UsageError(f"{place} may not be read: run the desk as the user who runs the trader")
    return journal


@contextmanager
def until_signalled() -> Iterator[Callable[[], bool]]:
    """Within the block SIGTERM and SIGINT make the given question true instead of ending the program."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def nap(seconds: float) -> None:
    """Sleep that long, a quarter of a second at most: a signal should not wait for its answer."""
    time.sleep(min(seconds, _NAP_S_MAX))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        place = problem.filename or "the journal"
        raise UsageError(f"{place} cannot be read ({problem.strerror}): correct its permissions") from problem
