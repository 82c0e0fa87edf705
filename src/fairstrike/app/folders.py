"""Run folders: which one may be used for what, so that nothing in it is lost, and that only its owner reads it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from fairstrike.core.errors import JournalError, UsageError
from fairstrike.core.records import RunStarted
from fairstrike.store.journal import DECISIONS, INPUTS, read, segments

LOCK, JOURNAL = "lock", "journal"
_OF_A_RUN = frozenset({"run.json", LOCK, JOURNAL, "trader.db", "control.sock"})
_SEGMENT = re.compile(rf"({INPUTS}|{DECISIONS})-\d+\.(fsj|fsj\.zst|part)")


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
def replay_journal(folder: Path) -> Iterator[Path]:
    """Give a fresh folder for a replay's journal; when the block ends well it becomes the journal of `folder`.

    The journal of an earlier replay stays until then. Raises `UsageError` when `folder` holds a journal that is not a
    replay's, or files that are not a journal's.
    """
    old = _replaceable(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="replaying-", dir=folder) as place:
        made = Path(place) / JOURNAL
        yield made
        for path in old:
            path.unlink()
        if old:
            (folder / JOURNAL).rmdir()
        made.replace(folder / JOURNAL)


def _replaceable(folder: Path) -> list[Path]:
    """Give the segments of an earlier replay in `folder`, refusing anything else."""
    journal = folder / JOURNAL
    try:
        first = _first_run(journal)
    except JournalError:
        raise UsageError(f"{folder} holds a journal that cannot be read; name another folder with --folder") from None
    is_live = first.execution != "backtest" if first is not None else bool(_inputs_bytes(journal))
    if (folder / LOCK).exists() or is_live:
        raise UsageError(f"{folder} holds a live run's journal; name another folder with --folder")
    old = list(journal.iterdir()) if journal.is_dir() else []
    for path in old:
        if not _SEGMENT.fullmatch(path.name):
            raise UsageError(f"{path} is no part of a journal; name another folder with --folder")
    return old


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
