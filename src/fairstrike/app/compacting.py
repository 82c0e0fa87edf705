"""`fairstrike compact`: recordings of any format into Parquet by stream, date and series, with checksums."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from fairstrike.core.errors import RecordingError
from fairstrike.research import backtest
from fairstrike.research.importers.base import Recording
from fairstrike.research.importers.formats import recordings as recordings_of
from fairstrike.research.importers.formats import results_of
from fairstrike.research.tables import rows
from fairstrike.store.parquet import Archive, Manifest, Source, Tables, check_replaceable
from fairstrike.store.tape import digest

FOLDER = "parquet"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: rows and bytes by stream, the parts, and what was noticed while reading."""

    folder: str
    is_new: bool
    rows: int
    bytes: int
    files: int
    streams: dict[str, int]
    cut: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Recordings found good to read, and where their rows go."""

    recordings: list[Recording]
    sources: tuple[Source, ...]
    out: Path

    @property
    def bytes_total(self) -> int:
        """The size of all recordings as files."""
        return sum(recording.bytes_total for recording in self.recordings)


def prepare(folder: Path, out: Path | None) -> Prepared:
    """Give what is to be compacted; without `out` it goes to `parquet` inside the folder, or beside a file.

    Raises `RecordingError` for a folder without recordings or with one that cannot be read, `UsageError` for a place
    that holds anything else.
    """
    place = out or (folder if folder.is_dir() else folder.parent) / FOLDER
    check_replaceable(place)
    recordings = recordings_of([folder])
    sources = tuple(Source(name=file.name, sha256=digest(file)) for recording in recordings for file in recording.files)
    beside = (Source(name=f"beside {each.path.name}", sha256=each.beside_sha256()) for each in recordings)
    return Prepared(
        recordings=recordings, sources=(*sources, *(source for source in beside if source.sha256)), out=place
    )


def run(prepared: Prepared, on_progress: Callable[[int], None]) -> Report:
    """Make the Parquet, unless it is there and was made of the same recordings; tell the bytes read so far.

    Raises `RecordingError` for what cannot be read or two recordings of one book, `DiskError` for a full disk.
    """
    there = _there(prepared)
    if there is not None:
        return _report(prepared, there, is_new=False)
    recordings, found = prepared.recordings, results_of(prepared.recordings)
    with Tables(prepared.out) as tables:
        for count, (_, events) in enumerate(backtest.feed(recordings, found)):
            for event in events:
                for stream, series, row in rows(event):
                    tables.add(stream, series, row)
            if not count & 0x3FF:
                on_progress(sum(each.bytes_read for each in recordings))
        if not tables.rows:
            raise RecordingError(f"nothing is in {recordings[0].path.name}; name another recording")
        return _report(prepared, tables.finish(prepared.sources), is_new=True)


def _there(prepared: Prepared) -> Manifest | None:
    """Give the manifest of what was made of these very recordings and is whole, else None."""
    try:
        archive = Archive(prepared.out)
        if archive.manifest.sources != prepared.sources:
            return None
        for part in archive.manifest.parts:
            if digest(prepared.out / part.path) != part.sha256:
                return None
    except (RecordingError, OSError):
        return None
    return archive.manifest


def _report(prepared: Prepared, manifest: Manifest, *, is_new: bool) -> Report:
    streams: dict[str, int] = {}
    for part in manifest.parts:
        streams[part.stream] = streams.get(part.stream, 0) + part.rows
    return Report(
        folder=str(prepared.out),
        is_new=is_new,
        rows=sum(streams.values()),
        bytes=sum(part.bytes for part in manifest.parts),
        files=len(manifest.parts),
        streams=streams,
        cut=tuple(f"{cut.name} after line {cut.line_count}" for each in prepared.recordings for cut in each.cuts),
        notes=tuple(note for each in prepared.recordings for note in each.notes),
    )
