"""`fairstrike export`: recordings of any format for other tools, into a new folder."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from fairstrike.core.errors import DiskError, UsageError
from fairstrike.research import backtest
from fairstrike.research.exporting import FORMATS, exporter
from fairstrike.research.importers.base import Recording
from fairstrike.research.importers.formats import recordings as recordings_of
from fairstrike.research.importers.formats import results_of


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: the format, the folder, its files and their rows."""

    format: str
    folder: str
    files: tuple[str, ...]
    rows: int


def prepare(kind: str, folder: Path, out: Path) -> list[Recording]:
    """Give the recordings to export.

    Raises `UsageError` for a format there is none of and an `out` that is not new or empty, `RecordingError` as replay.
    """
    if kind not in FORMATS:
        raise UsageError(f"there is no format {kind!r}; choose {', '.join(FORMATS)}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there and not an empty folder; name a new one")
    return recordings_of([folder])


def run(kind: str, recordings: list[Recording], out: Path, on_progress: Callable[[int], None]) -> Report:
    """Write the recordings; tell the bytes read so far.

    Raises `RecordingError` as replay does, `DiskError` for a full disk.
    """
    try:
        with ExitStack() as stack:
            out.mkdir(parents=True, exist_ok=True)
            made = exporter(kind, out, stack)
            for count, (_, events) in enumerate(backtest.feed(recordings, results_of(recordings))):
                made.take(events)
                if not count & 0x3FF:
                    on_progress(sum(each.bytes_read for each in recordings))
            files = made.finish()
    except OSError as error:
        raise DiskError(
            f"{out} cannot be written ({error.strerror or error}); make room or mend the disk, then again"
        ) from None
    return Report(format=kind, folder=str(out), files=tuple(path.name for path in files), rows=made.rows)
