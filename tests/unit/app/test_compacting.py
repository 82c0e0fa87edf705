"""Every format becomes Parquet once, and the command's words for what cannot be done."""

from pathlib import Path

import pytest

from fairstrike.app import compacting, covering, exporting
from fairstrike.core.errors import RecordingError, UsageError
from fairstrike.store.parquet import Archive
from tests.commands import fairstrike
from tests.unit.research.importers.samples import RECORDED, SAMPLES, put


def compacted(folder: Path, out: Path | None = None) -> compacting.Report:
    return compacting.run(compacting.prepare(folder, out), lambda done: None)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    put(folder, "20260710T202400Z-000001.jsonl.zst", RECORDED)
    return folder


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"fills.json", "settlements.json", "series.json", "grids.json"}))
def test_every_format_is_compacted(tmp_path: Path, name: str) -> None:
    report = compacted(put(tmp_path, name, SAMPLES[name]))
    assert report.rows == sum(report.streams.values()) > 0
    assert report.folder == str(tmp_path / "parquet")
    assert covering.cover(tmp_path, None).report.rows == report.streams


def test_a_second_time_nothing_is_done_and_a_change_is_taken_in(recorded: Path) -> None:
    first, second = compacted(recorded), compacted(recorded)
    assert (first.is_new, second.is_new) == (True, False)
    assert (first.rows, first.bytes, first.streams) == (second.rows, second.bytes, second.streams)
    put(recorded, "20260710T202400Z-000002.jsonl.zst", RECORDED.replace(b'"segment":1', b'"segment":2')[:190] + b"}\n")
    with pytest.raises(RecordingError):
        compacted(recorded)
    assert len(Archive(recorded / "parquet").manifest.sources) == 1


def test_a_damaged_file_is_made_anew(recorded: Path) -> None:
    compacted(recorded)
    archive = Archive(recorded / "parquet")
    path = recorded / "parquet" / archive.manifest.parts[0].path
    path.write_bytes(path.read_bytes()[:-1])
    assert compacted(recorded).is_new
    assert sum(table.num_rows for table in archive.tables("book")) == 7


def test_recordings_are_replayed_with_their_parquet_beside_them(recorded: Path) -> None:
    compacted(recorded)
    (recorded / "20260710T202400Z.rows.csv").write_text("time,ticker\n")
    assert [recording.path.suffix for recording in compacting.prepare(recorded, None).recordings] == [".zst"]


def test_what_holds_no_events_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="name another recording"):
        compacted(put(tmp_path, "fills.json", SAMPLES["fills.json"]))
    assert [path.name for path in tmp_path.iterdir()] == ["fills.json"]


def test_pictures_and_exports_are_refused_where_they_cannot_go(recorded: Path, tmp_path: Path) -> None:
    compacted(recorded)
    for out in (tmp_path / "a.gif", tmp_path / "gone" / "a.png"):
        with pytest.raises(UsageError, match="cannot be drawn"):
            covering.cover(recorded, out)
    with pytest.raises(UsageError, match="there is no format 'xml'; choose jsonl, csv, hftbacktest"):
        exporting.prepare("xml", recorded, tmp_path / "out")
    with pytest.raises(UsageError, match="is there and not an empty folder; name a new one"):
        exporting.prepare("csv", recorded, recorded)


def test_the_commands(recorded: Path, tmp_path: Path) -> None:
    said = fairstrike("coverage", "recordings", folder=tmp_path)
    assert said.code == 2
    assert said.sentence == (
        "recordings holds no manifest.json; make one with `fairstrike compact`, or name the folder that it made"
    )
    said = fairstrike("compact", "recordings", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("recordings/parquet made: 12 rows in 3 files, ")
    said = fairstrike("coverage", "recordings", "--out", "c.html", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert "KXBTC15M-26JUL101630-30" in said.out
    assert "<svg" in (tmp_path / "c.html").read_text()
    said = fairstrike("export", "recordings", "out", "--to", "hftbacktest", "--json", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".npz"]
