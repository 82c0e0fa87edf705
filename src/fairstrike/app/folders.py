"""Run folders: which one may be used for what, so that nothing in it is lost, and that only its owner reads it."""

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from fairstrike.app import locks
from fairstrike.core.errors import JournalError, LockedError, UsageError
from fairstrike.core.records import RunStarted
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS, INPUTS, segments

RUNS = Path("runs")
LOCK, JOURNAL, PAGE = "lock", "journal", "report.html"
_SAME_SECOND_MAX = 1_000
_REPLAY_LOCK = "replaying.lock"
_LEFT = re.compile(r"replaying-[a-z0-9_]{8}")
_OF_A_RUN = frozenset({"run.json", LOCK, JOURNAL, "trader.db", "control.sock"})
_SEGMENT = re.compile(rf"({INPUTS}|{DECISIONS})-\d+\.(fsj|fsj\.zst|part)")


def fresh(what: str) -> Path:
    """Make a folder for a run that begins now and give it: `what` and the UTC second, with a number when that is taken.

    Raises `UsageError` when so many have begun in this second that none is free.
    """
    name = f"{what}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    RUNS.mkdir(mode=0o700, parents=True, exist_ok=True)
    for ending in ("", *(f"-{number}" for number in range(2, _SAME_SECOND_MAX))):
        place = RUNS / f"{name}{ending}"
        try:
            place.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return place
    raise UsageError("too many runs have begun in this second; start again, or name a folder with --folder")


def claim_for_trader(folder: Path) -> None:
    """Make `folder`, or take one that is empty or an earlier run's, and close it to everybody else (0700).

    Raises `UsageError` for a folder that holds anything else, `JournalError` when its journal is damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {entry.name for entry in folder.iterdir()}
    if found and not found & _OF_A_RUN:
        raise UsageError(f"{folder} holds other files than a run's; name a new folder with --folder")
    first = _first_run(folder / JOURNAL)
    if first is not None and first.execution == "backtest":
        raise UsageError(f"{folder} holds a replay's journal; name another folder with --folder")
    folder.chmod(0o700)


@contextmanager
def replay_results(folder: Path) -> Iterator[Path]:
    """Give a fresh folder for a replay's `JOURNAL` and `PAGE`; when the block ends well they become those of `folder`.

    Journal and page of an earlier replay stay until then, and both are replaced or none. What a killed replay left
    behind is removed. Raises `UsageError` when `folder` holds a journal that is not a replay's, or files that are not
    a journal's, `LockedError` while another replay writes there.
    """
    _check_replaceable(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_replay(folder):
        # Somebody may have finished here before the lock was ours.
        _check_replaceable(folder)
        for left in folder.iterdir():
            if _LEFT.fullmatch(left.name) and left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
        with TemporaryDirectory(prefix="replaying-", dir=folder) as place:
            made, before = Path(place) / "made", Path(place) / "before"
            made.mkdir()
            before.mkdir()
            yield made
            _exchange(made, before, folder)


@contextmanager
def _only_replay(folder: Path) -> Iterator[None]:
    try:
        lock = locks.hold(folder / _REPLAY_LOCK, str(folder))
    except LockedError:
        raise LockedError(
            f"another replay is writing to {folder}; wait for its end, or name another folder with --folder"
        ) from None
    try:
        yield
    finally:
        os.close(lock)


def _exchange(made: Path, before: Path, folder: Path) -> None:
    """Put what was made in the place of what was there; interrupted in the middle, put all back."""
    names = [name for name in (JOURNAL, PAGE) if (made / name).exists()]
    with ExitStack() as undoing:
        undoing.callback(_undo, names, made, before, folder)
        for name in names:
            if (folder / name).exists():
                (folder / name).replace(before / name)
            (made / name).replace(folder / name)
        undoing.pop_all()


def _undo(names: Sequence[str], made: Path, before: Path, folder: Path) -> None:
    for name in names:
        if (before / name).exists():
            if (folder / name).exists():
                (folder / name).replace(made / name)
            (before / name).replace(folder / name)


def _check_replaceable(folder: Path) -> None:
    """Refuse a folder in which anything but an earlier replay stands where a replay's results go."""
    journal = folder / JOURNAL
    try:
        first = _first_run(journal)
    except JournalError:
        raise UsageError(f"{folder} holds a journal that cannot be read; name another folder with --folder") from None
    is_live = first.execution != "backtest" if first is not None else bool(_inputs_bytes(journal))
    if (folder / LOCK).exists() or is_live:
        raise UsageError(f"{folder} holds a live run's journal; name another folder with --folder")
    if (folder / PAGE).is_dir():
        raise UsageError(f"{folder / PAGE} is a folder, where the page would go; name another folder with --folder")
    for path in journal.iterdir() if journal.is_dir() else ():
        if not _SEGMENT.fullmatch(path.name):
            raise UsageError(f"{path} is no part of a journal; name another folder with --folder")


def _first_run(journal: Path) -> RunStarted | None:
    """Give how the journal's first run started, None when there is none."""
    body = next((record.body for record in read(journal, DECISIONS) if record.kind == "RunStarted"), None)
    if body is None:
        return None
    try:
        return msgspec.msgpack.decode(body, type=RunStarted)
    except msgspec.MsgspecError:
        raise JournalError(
            f"the journal in {journal} was written by another version; name another folder, or use that version"
        ) from None


def _inputs_bytes(journal: Path) -> int:
    # A replay's chain of inputs holds nothing but the first record of its segment.
    size = sum(path.stat().st_size for path in segments(journal, INPUTS))
    return size if size > 1_024 else 0
