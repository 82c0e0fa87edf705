"""Recorded events as Parquet: one row an event or book level, in files by stream, date and series, with a manifest.

    FOLDER/manifest.json
    FOLDER/stream=book/date=2026-05-13/series=KXBTC15M/part.parquet

`date` is the UTC day of receipt. The manifest names every file with its rows, first and last instant and SHA-256, and
the recordings they were made of. Any Parquet tool reads the files; `Archive` checks them first. Prices are YES prices
in ticks, sizes in centicontracts, index values in `_e8`, instants in ns UTC; an empty `venue_ns` had no stamp.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from fairstrike.core.errors import DiskError, RecordingError, UsageError
from fairstrike.core.timing import DAY_NS, SECOND_NS

MANIFEST = "manifest.json"
VERSION = 1
ROWS_A_GROUP = 1 << 17
_PART = "part.parquet"

DELTA, LEVEL, SNAPSHOT, LOST, ENDED = range(5)
"""What a row of `book` is: a signed change, a level of the snapshot begun before it, a snapshot's begin, a loss, an
end.

A book ended when its connection, its recording or its moment was over; it was lost when something was wrong.
"""

Cell = int | str | bool | None
Row = tuple[Cell, ...]

_NAME = pa.dictionary(pa.int32(), pa.string())
_STAMPS = [("recv_ns", pa.int64()), ("venue_ns", pa.int64())]
SCHEMAS: Mapping[str, pa.Schema] = {
    "book": pa.schema(
        [
            *_STAMPS,
            ("ticker", _NAME),
            ("kind", pa.uint8()),
            ("is_bid", pa.bool_()),
            ("price_ticks", pa.int16()),
            ("size_cc", pa.int64()),
        ]
    ),
    "trade": pa.schema(
        [
            *_STAMPS,
            ("ticker", _NAME),
            ("price_ticks", pa.int16()),
            ("size_cc", pa.int64()),
            ("taker_is_bid", pa.bool_()),
        ]
    ),
    "ticker": pa.schema(
        [
            *_STAMPS,
            ("ticker", _NAME),
            ("bid_ticks", pa.int16()),
            ("ask_ticks", pa.int16()),
            ("volume_cc", pa.int64()),
        ]
    ),
    "index": pa.schema(
        [*_STAMPS, ("asset", _NAME), ("source", _NAME), ("second", pa.int64()), ("value_e8", pa.int64())]
    ),
    "candle": pa.schema(
        [
            *_STAMPS,
            ("asset", _NAME),
            ("source", _NAME),
            ("start_ns", pa.int64()),
            *((f"{name}_e8", pa.int64()) for name in ("open", "high", "low", "close", "volume")),
        ]
    ),
    "funding": pa.schema(
        [
            *_STAMPS,
            ("asset", _NAME),
            ("source", _NAME),
            *((name, pa.int64()) for name in ("rate_e8", "mark_e8", "next_ns")),
        ]
    ),
    "market": pa.schema(
        [
            ("recv_ns", pa.int64()),
            ("ticker", _NAME),
            ("event_ticker", _NAME),
            ("status", _NAME),
            ("comparison", _NAME),
            ("open_ns", pa.int64()),
            ("close_ns", pa.int64()),
            ("floor_e8", pa.int64()),
            ("cap_e8", pa.int64()),
        ]
    ),
    "result": pa.schema(
        [*_STAMPS, ("ticker", _NAME), ("value_ticks", pa.int16()), ("is_paid", pa.bool_()), ("is_derived", pa.bool_())]
    ),
    "feed": pa.schema(
        [("recv_ns", pa.int64()), ("source", _NAME), ("kind", _NAME), ("reason", _NAME), ("offset_ns", pa.int64())]
    ),
}
"""The columns of each stream."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file the rows were made of: its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file: where it is below the folder, what it holds, and the SHA-256 of its bytes."""

    path: str
    stream: str
    date: str
    series: str
    rows: int
    first_ns: int
    last_ns: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds and what it was made of."""

    version: int
    sources: tuple[Source, ...]
    parts: tuple[Part, ...]


class Tables:
    """A folder of Parquet being made, as a context. It takes the place of what is there when `finish` is called.

    Left without that, nothing stays of it.
    """

    def __init__(self, folder: Path) -> None:
        """Begin beside `folder`. Raises `UsageError` when it holds anything but such files, `DiskError` as it says."""
        self.rows = 0
        self._folder = folder
        self._making = folder.with_name(f".{folder.name}.making")
        check_replaceable(folder)
        self._open: dict[tuple[str, str, str], _Partition] = {}
        try:
            if self._making.exists():
                shutil.rmtree(self._making)
            self._making.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise _full(folder, error) from None

    def add(self, stream: str, series: str, row: Row) -> None:
        """Add a row, `recv_ns` first. Raises `DiskError` when the disk takes no more."""
        recv_ns = row[0]
        assert isinstance(recv_ns, int), "a row begins with its instant"
        key = (stream, _date(recv_ns), series)
        partition = self._open.get(key)
        if partition is None:
            partition = self._open[key] = _Partition(self._making, key)
        self.rows += 1
        partition.waiting.append(row)
        if len(partition.waiting) >= ROWS_A_GROUP:
            self._flush(partition)

    def finish(self, sources: Sequence[Source]) -> Manifest:
        """Write what is left and the manifest, and put all in its place. Raises `DiskError` as `add` does."""
        parts = []
        try:
            for partition in self._open.values():
                self._flush(partition)
                parts.append(partition.close())
            parts.sort(key=lambda part: part.path)
            manifest = Manifest(version=VERSION, sources=tuple(sources), parts=tuple(parts))
            (self._making / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
            before = self._folder.with_name(f".{self._folder.name}.before")
            if before.exists():
                shutil.rmtree(before)
            if self._folder.exists():
                self._folder.replace(before)
            self._making.replace(self._folder)
            if before.exists():
                shutil.rmtree(before)
        except OSError as error:
            raise _full(self._folder, error) from None
        return manifest

    def __enter__(self) -> "Tables":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._making, ignore_errors=True)

    def _flush(self, partition: "_Partition") -> None:
        try:
            partition.flush()
        except OSError as error:
            raise _full(self._folder, error) from None


class _Partition:
    def __init__(self, folder: Path, key: tuple[str, str, str]) -> None:
        self.waiting: list[Row] = []
        self._key = key
        self._folder = folder
        stream, date, series = key
        self._name = f"stream={stream}/date={date}/series={series}/{_PART}"
        self._schema = SCHEMAS[stream]
        self._rows = 0
        self._first_ns, self._last_ns = 1 << 62, 0
        path = folder / self._name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Instants grow by little, so their differences are small; prices, sizes and names repeat.
        growing = {"recv_ns", "venue_ns"}.intersection(self._schema.names)
        self.writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=[name for name in self._schema.names if name not in growing],
            column_encoding=dict.fromkeys(growing, "DELTA_BINARY_PACKED"),
        )

    def flush(self) -> None:
        if not self.waiting:
            return
        columns = list(zip(*self.waiting, strict=True))
        instants = [instant for instant in columns[0] if isinstance(instant, int)]
        self._first_ns = min(self._first_ns, *instants)
        self._last_ns = max(self._last_ns, *instants)
        self._rows += len(self.waiting)
        self.waiting = []
        arrays = [
            pa.array(column, pa.string()).dictionary_encode() if field.type == _NAME else pa.array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self.writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> Part:
        self.writer.close()
        stream, date, series = self._key
        path = self._folder / self._name
        return Part(
            path=self._name,
            stream=stream,
            date=date,
            series=series,
            rows=self._rows,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            bytes=path.stat().st_size,
            sha256=_sha256(path),
        )


class Archive:
    """A folder of Parquet to read from."""

    def __init__(self, folder: Path) -> None:
        """Read the manifest. Raises `RecordingError` when there is none, or it is damaged or of another version."""
        self._folder = folder
        path = folder / MANIFEST
        try:
            self.manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except OSError:
            raise RecordingError(
                f"{folder} holds no {MANIFEST}; make one with `fairstrike compact`, or name the folder that it made"
            ) from None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RecordingError(f"{path} cannot be read ({error}); run `fairstrike compact` again") from None
        if self.manifest.version != VERSION:
            raise RecordingError(f"{path} is of version {self.manifest.version}; run `fairstrike compact` again")

    def parts(self, stream: str, series: str | None = None) -> list[Part]:
        """Give the files of a stream, of one series or of all, in order of date."""
        found = [part for part in self.manifest.parts if part.stream == stream and series in (None, part.series)]
        return sorted(found, key=lambda part: (part.date, part.series))

    def tables(
        self, stream: str, series: str | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """Give the rows of a stream, one table a file, each checked against its SHA-256 first.

        Raises `RecordingError` when a file is missing or was changed.
        """
        for part in self.parts(stream, series):
            path = self._folder / part.path
            try:
                is_whole = _sha256(path) == part.sha256
                table = pq.ParquetFile(path).read(None if columns is None else list(columns)) if is_whole else None
            except (OSError, pa.ArrowException):
                table = None
            if table is None or table.num_rows != part.rows:
                raise RecordingError(f"{path} is missing or was changed; run `fairstrike compact` again")
            yield table


def check_replaceable(folder: Path) -> None:
    """Refuse a folder that holds anything but Parquet of ours. Raises `UsageError`."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder with --out")
    found = {entry.name for entry in folder.iterdir()}
    if found and MANIFEST not in found:
        raise UsageError(f"{folder} holds other files than Parquet of ours; name another folder with --out")


def _date(recv_ns: int) -> str:
    day = recv_ns // DAY_NS
    return _dates.get(day) or _dates.setdefault(
        day, datetime.fromtimestamp(day * DAY_NS // SECOND_NS, UTC).strftime("%Y-%m-%d")
    )


_dates: dict[int, str] = {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _full(folder: Path, error: OSError) -> DiskError:
    return DiskError(f"{folder} cannot be written ({error.strerror or error}); make room or mend the disk, then again")
