"""Rows come back as they were, each file is checked first, and what was there stays until all is made."""

import shutil
from pathlib import Path

import pytest

from fairstrike.core.errors import DiskError, RecordingError, UsageError
from fairstrike.core.timing import DAY_NS
from fairstrike.store.parquet import DELTA, MANIFEST, SCHEMAS, SNAPSHOT, Archive, Row, Source, Tables

SOURCES = (Source(name="a.jsonl", sha256="00"),)
ROWS: list[Row] = [
    (1, None, "KXBTC15M-A", SNAPSHOT, None, None, None),
    (5, 3, "KXBTC15M-A", DELTA, True, 4_000, -500),
    (DAY_NS + 7, 6, "KXBTC15M-B", DELTA, False, 4_200, 5 << 40),
]


def made(folder: Path, rows: list[Row] = ROWS) -> Archive:
    with Tables(folder) as tables:
        for row in rows:
            tables.add("book", "KXBTC15M", row)
        tables.finish(SOURCES)
    return Archive(folder)


def read(archive: Archive) -> list[Row]:
    return [tuple(row.values()) for table in archive.tables("book") for row in table.to_pylist()]


def test_rows_come_back_in_files_by_day_and_series(tmp_path: Path) -> None:
    archive = made(tmp_path / "p")
    assert read(archive) == ROWS
    assert [(part.path, part.rows, part.first_ns, part.last_ns) for part in archive.manifest.parts] == [
        ("stream=book/date=1970-01-01/series=KXBTC15M/part.parquet", 2, 1, 5),
        ("stream=book/date=1970-01-02/series=KXBTC15M/part.parquet", 1, DAY_NS + 7, DAY_NS + 7),
    ]
    assert archive.manifest.sources == SOURCES
    assert [table.column_names for table in archive.tables("book", columns=("ticker",))] == [["ticker"]] * 2
    assert archive.parts("book", "KXBTCD") == archive.parts("trade") == []


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path / "a").manifest == made(tmp_path / "b").manifest


def test_more_rows_than_one_group_holds(tmp_path: Path) -> None:
    rows: list[Row] = [(n, n - 1, f"T-{n % 7}", DELTA, bool(n % 2), n % 10_000, n) for n in range(150_000)]
    assert read(made(tmp_path / "p", rows)) == rows


def test_every_stream_can_be_empty_but_for_its_instant(tmp_path: Path) -> None:
    with Tables(tmp_path / "p") as tables:
        for stream, schema in SCHEMAS.items():
            tables.add(stream, "S", (9, *[None] * (len(schema) - 1)))
        tables.finish(())
    archive = Archive(tmp_path / "p")
    assert {stream: [t.num_rows for t in archive.tables(stream)] for stream in SCHEMAS} == {
        stream: [1] for stream in SCHEMAS
    }


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_a_changed_file_is_refused(tmp_path: Path, harm: str) -> None:
    archive = made(tmp_path / "p")
    path = tmp_path / "p" / archive.manifest.parts[0].path
    data = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-9] if harm == "cut" else data[:40] + bytes([data[40] ^ 1]) + data[41:])
    with pytest.raises(RecordingError, match="is missing or was changed; run `fairstrike compact` again"):
        read(archive)


@pytest.mark.parametrize("text", [None, b"", b"{}", b"\xff", b"[" * 9_000, b'{"version":9,"sources":[],"parts":[]}'])
def test_a_manifest_that_cannot_be_used(tmp_path: Path, text: bytes | None) -> None:
    if text is not None:
        (tmp_path / MANIFEST).write_bytes(text)
    with pytest.raises(RecordingError, match="fairstrike compact"):
        Archive(tmp_path)


def test_what_was_there_stays_until_all_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    made(folder)
    with Tables(folder) as tables:
        tables.add("book", "KXBTC15M", ROWS[0])
    assert read(Archive(folder)) == ROWS
    made(folder, ROWS[:1])
    assert read(Archive(folder)) == ROWS[:1]
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_what_a_killed_maker_left_is_removed(tmp_path: Path) -> None:
    made(tmp_path / "p")
    shutil.copytree(tmp_path / "p", tmp_path / ".p.making")
    (tmp_path / ".p.making" / "more").write_text("half")
    made(tmp_path / "p", ROWS[:1])
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_other_files_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds other files than Parquet of ours"):
        Tables(tmp_path / "letters")
    with pytest.raises(UsageError, match="is a file"):
        Tables(tmp_path / "letters" / "dear.txt")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((DiskError, UsageError)):
        Tables(tmp_path / "file" / "p")
