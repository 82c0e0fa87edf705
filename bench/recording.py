"""Recording: what a delta costs to write and on the disk, and how fast rows of Parquet are read, checks included."""

import gzip
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from bench.streams import Capture, frames
from fairstrike.core.timing import SECOND_NS
from fairstrike.store.parquet import DELTA, Archive, Tables
from fairstrike.store.raw import RawTape, Writer, segments
from fairstrike.venue.kalshi.session import Session, SessionParams

WRITE = "recording, a delta (processor time)"
DISK = "recording, a delta on the disk"
READ = "Parquet, rows read a second (wall time, checksums included)"

_PLAIN = "write the frames to a file as they are"
_HALF, _WHOLE = "recorder, a sync point each half second", "recorder, a sync point each second"
_GZIP = "gzip, the whole file at once"
_ROWS = "all columns"
_ONE = "one column"
_COPIES = 20

Frames = list[tuple[bytes, int]]


def measure(capture: Capture, scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of recording and of reading back."""
    found = frames(capture.path, scale.deltas)
    taken = take(_writing(found), scale.rounds, progress, "recording")
    sizes = {
        _GZIP: [len(gzip.compress(b"\n".join(data for data, _ in found))) / len(found)],
        _HALF: [_size(found, SECOND_NS // 2)],
        _WHOLE: [_size(found, SECOND_NS)],
    }
    with tempfile.TemporaryDirectory() as folder:
        archive = _archive(Path(folder) / "parquet", found, 1 if scale.rounds == 1 else _COPIES)
        reading = take(
            {_ROWS: lambda: _rows_a_second(archive, None), _ONE: lambda: _rows_a_second(archive, ("recv_ns",))},
            scale.rounds,
            progress,
            "Parquet",
        )
    return [
        *figures(WRITE, taken, "ns", dict.fromkeys((_HALF, _WHOLE), _PLAIN)),
        *figures(DISK, sizes, "bytes", dict.fromkeys((_HALF, _WHOLE), _GZIP)),
        *figures(READ, reading, "/s", {}),
    ]


def _writing(found: Frames) -> dict[str, Case]:
    def plain() -> float:
        with tempfile.TemporaryFile() as file:
            began = processor_ns()
            for data, _ in found:
                file.write(data + b"\n")
            file.flush()
            return each_ns(began, len(found))

    return {
        _PLAIN: plain,
        _HALF: lambda: _record(found, SECOND_NS // 2)[0],
        _WHOLE: lambda: _record(found, SECOND_NS)[0],
    }


def _record(found: Frames, every_ns: int) -> tuple[float, float]:
    """Give the processor time and the bytes on the disk of one frame, written each so many recorded ns."""
    with tempfile.TemporaryDirectory() as folder:
        began = processor_ns()
        tape = Writer(Path(folder), "20260101T000000Z", "bench", found[0][1])
        for batch in _batches(found, every_ns):
            for data, recv_ns in batch:
                tape.frame(recv_ns, "kalshi", 1, data)
            tape.write(tape.take())
        took = each_ns(began, len(found))
        tape.close()
        paths = segments(Path(folder))
        kept = sum(1 for path in paths for _ in RawTape(path, lambda cut: None).lines()) - len(paths)
        assert kept == len(found), "every frame can be read again"
    return took, tape.bytes_packed / len(found)


def _size(found: Frames, every_ns: int) -> float:
    return _record(found, every_ns)[1]


def _batches(found: Frames, every_ns: int) -> Iterator[Frames]:
    begun_ns = found[0][1]
    edges = [0]
    for place, (_, recv_ns) in enumerate(found):
        if recv_ns - begun_ns >= every_ns:
            edges.append(place)
            begun_ns = recv_ns
    for first, last in pairwise([*edges, len(found)]):
        yield found[first:last]


def _archive(folder: Path, found: Frames, copies: int) -> Archive:
    """Make an archive of the frames' changes, so many times over."""
    session = Session(SessionParams())
    events = [event for data, recv_ns in found for event in session.receive(data, recv_ns)]
    with Tables(folder) as tables:
        for _ in range(copies):
            for number, event in enumerate(events):
                head = (event.recv_ns, event.recv_ns - number % 7, "KXBTC15M-26MAY132030-30")
                tables.add(
                    "book", "KXBTC15M", (*head, DELTA, bool(number % 2), 100 * (1 + number % 99), number % 5_000)
                )
        tables.finish(())
    return Archive(folder)


def _rows_a_second(archive: Archive, columns: tuple[str, ...] | None) -> float:
    began = time.perf_counter()
    count = sum(table.num_rows for table in archive.tables("book", columns=columns))
    took = time.perf_counter() - began
    assert count == sum(part.rows for part in archive.parts("book")), "every row is read"
    return float(count / took)
