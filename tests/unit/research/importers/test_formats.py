"""Files and folders become recordings, each read by the one importer that knows it."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

from fairstrike.app import replaying
from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BookSnapshot
from fairstrike.research.importers import formats
from fairstrike.research.importers.base import Recording
from fairstrike.research.importers.formats import FORMATS, opened, recordings
from fairstrike.store.tape import head
from tests.unit.research.importers.samples import (
    OUTCOMES,
    RANGE,
    SAMPLES,
    events,
    instant,
    kinds,
    ladder,
    lines,
    outcome,
    put,
)

REPOSITORY = Path(__file__).parents[4]
GUIDE = "docs/guides/recordings.md"

KINDS = {
    "recorded.jsonl": "Recorded",
    "stream.jsonl": "Stream15m",
    "ladder.jsonl": "Ladders",
    "depth.jsonl": "Depth",
    "frames.json": "Frames",
    "markets-20260710T202800Z.json": "Markets",
    "btc-perp.csv": "Candles",
} | dict.fromkeys(("single.json", "fills.json", "settlements.json", "series.json", "grids.json"), "Answers")

REAL = {
    "btc15m/*.jsonl.gz": "Stream15m",
    "hourly-ladders/*": "Ladders",
    "wire/orderbook-depth-*": "Depth",
    "wire/ws-*": "Frames",
    "wire/rest-markets-*": "Markets",
    "wire/[mps][aroe]*": "Answers",
    "spot/*": "Candles",
}


def recognised(path: Path) -> list[str]:
    begun = head(path)
    return [kind.__name__ for kind in FORMATS if kind.recognises(path, begun)]


def refusal(*paths: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        recordings(paths)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Formats


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_is_recognised_by_one_importer_however_packed(tmp_path: Path, name: str, ending: str) -> None:
    assert recognised(put(tmp_path, name + ending, SAMPLES[name])) == [KINDS[name]]


@pytest.mark.parametrize("pattern", REAL)
def test_each_real_file_is_recognised_by_one_importer(shared_data: Path, pattern: str) -> None:
    files = sorted(shared_data.glob(pattern))
    assert files
    assert {path.name: recognised(path) for path in files} == {path.name: [REAL[pattern]] for path in files}


def test_every_format_has_a_sample_and_a_name_for_people() -> None:
    assert {kind.__name__ for kind in FORMATS} == set(KINDS.values())
    assert len({kind.kind for kind in FORMATS} - {""}) == len(FORMATS)


@pytest.mark.parametrize("name", SAMPLES)
def test_plain_and_packed_files_give_the_same(tmp_path: Path, name: str) -> None:
    found = []
    for ending in ("", ".gz", ".zst"):
        recording = opened(put(tmp_path, name + ending, SAMPLES[name]))
        units = list(recording.units())
        notes = [note.replace(ending + ":", ":") for note in recording.notes]
        found.append((recording.first_ns, units, notes, recording.deltas, recording.snapshots, recording.is_over))
        assert recording.bytes_read == recording.path.stat().st_size
    assert found[1:] == found[:1] * 2


def test_a_recording_whose_first_line_is_long_is_recognised(tmp_path: Path) -> None:
    strikes = (outcome(f"KXBTC-26JUL1017-T{n}", 0.1, 0.2, cap_strike=n) for n in range(1_000, 5_000))
    data = lines(ladder("20:24:00", (*OUTCOMES, *strikes)))
    assert len(data) > 300_000
    assert recognised(put(tmp_path, "ladder.jsonl.gz", data)) == ["Ladders"]


@pytest.mark.parametrize(
    "data",
    [b"some text\n", b"a,b,c\n1,2,3\n", b"[1, 2]\n", b"{}", b'{"ts": 1}\n', b"\xff\xfe\x00\n", b"\x1f\x8b\x08\x00"],
)
def test_a_file_of_no_format_is_refused_and_the_guide_is_named(tmp_path: Path, data: bytes) -> None:
    said = refusal(put(tmp_path, "other.jsonl", data))
    assert said.startswith("other.jsonl is in no format that can be read; these are: a 15-minute capture, an hourly-")
    assert said.endswith(f"{GUIDE} describes them, and how to add one")
    assert (REPOSITORY / GUIDE).is_file()


@pytest.mark.parametrize("name", ["e.jsonl", "e.json.gz", "e.csv.zst"])
@pytest.mark.parametrize("data", [b"", b"\n", b"   \n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    assert refusal(put(tmp_path, name, data)) == f"{name} is empty; give a recording with at least one frame"


def test_what_lies_beside_a_capture_is_not_read_alone(tmp_path: Path) -> None:
    cure = "is read together with the capture it lies beside; name the capture"
    for name in ("a.spot.csv.gz", "results.csv"):
        assert refusal(put(tmp_path, name, b"run,recv_ns\n")) == f"{name} {cure}"


# Paths


def names(found: list[Recording]) -> list[str]:
    return [recording.path.name for recording in found]


def test_recordings_come_in_order_of_their_first_events(tmp_path: Path) -> None:
    paths = [put(tmp_path, name, SAMPLES[name]) for name in SAMPLES]
    found = recordings(paths)
    assert [recording.first_ns for recording in found] == sorted(recording.first_ns for recording in found)
    assert names(found) == names(recordings(paths[::-1])) == names(recordings([tmp_path]))
    assert len(found) == len(SAMPLES)


def test_a_folder_is_read_to_its_depths_without_what_is_no_recording(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    put(deep, "depth.jsonl.gz", SAMPLES["depth.jsonl"])
    put(tmp_path, "stream.jsonl", SAMPLES["stream.jsonl"])
    for name in ("README.md", "stream.spot.csv.gz", "results.csv", ".hidden.jsonl", "notes.txt", "SHA256SUMS"):
        put(tmp_path, name, b"words\n")
    assert names(recordings([tmp_path])) == ["stream.jsonl", "depth.jsonl.gz"]


@pytest.mark.parametrize("name", ["notes.csv", "stream.jsonl.bz2", "depth.jsonl.part", "STREAM.JSONL", "a.json.gz"])
def test_a_file_of_a_folder_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    put(tmp_path, "stream.jsonl", SAMPLES["stream.jsonl"])
    put(tmp_path, name, b"words\n")
    assert refusal(tmp_path) == (
        f"{name} in the folder {tmp_path} is in no format that can be read; name the recordings themselves, or move it "
        f"elsewhere. {GUIDE} lists the formats"
    )


@pytest.mark.parametrize("file", [None, "README.md", "results.csv"])
def test_a_folder_without_a_recording_is_refused(tmp_path: Path, file: str | None) -> None:
    if file is not None:
        put(tmp_path, file, b"words\n")
    cure = "holds no recording; name a folder with .jsonl, .json or .csv files, packed or not"
    assert refusal(tmp_path) == f"{tmp_path} {cure}"


def test_a_file_named_twice_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "depth.jsonl", SAMPLES["depth.jsonl"])
    assert refusal(path, tmp_path) == "depth.jsonl is named twice; name each recording once"


def test_a_path_that_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    assert refusal(pipe) == f"{pipe} is neither a file nor a folder; give a recording as a file"


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    gone = tmp_path / "gone.jsonl"
    assert refusal(gone) == f"{gone} cannot be read (No such file or directory); check the path and its permissions"


# The guide's own importer


def block(language: str) -> str:
    (code,) = re.findall(
        rf"^```{language}\n(.*?)^```$", (REPOSITORY / GUIDE).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return str(code)


@pytest.fixture
def best_prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Recording]:
    """The importer of the guide, entered among the formats."""
    path = tmp_path / "best_prices.py"
    path.write_text(block("python"), "utf-8")
    spec = importlib.util.spec_from_file_location("best_prices", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kind: type[Recording] = module.BestPrices
    assert issubclass(kind, Recording)
    monkeypatch.setattr(formats, "FORMATS", (*FORMATS, kind))
    return kind


def test_the_importer_of_the_guide_reads_its_table(tmp_path: Path, best_prices: type[Recording]) -> None:
    recording = opened(put(tmp_path, "best.csv.gz", block("csv").encode()))
    assert type(recording) is best_prices
    units = list(recording.units())
    shown, over = ["BookSnapshot", "BatchEnded"], ["BookLost", "BatchEnded"]
    assert kinds(units) == [["BookSnapshot", *shown], ["BookLost", *over], shown, over]
    books = [(b.ticker, b.bids, b.asks) for b in events(units) if isinstance(b, BookSnapshot)]
    assert books == [
        (RANGE, ((4_000, 1_200),), ((4_400, 300),)),
        ("KXBTC-26JUL1017-B64150", (), ((500, 800),)),
        (RANGE, ((6_100, 500),), ()),
    ]
    assert (recording.first_ns, recording.snapshots[RANGE], recording.is_over) == (instant("20:24:00"), 2, True)


def test_the_importer_of_the_guide_is_replayed_with_another(tmp_path: Path, best_prices: type[Recording]) -> None:
    files = [put(tmp_path, "best.csv", block("csv").encode()), put(tmp_path, "ladder.jsonl", lines(ladder("20:30:00")))]
    settings = replaying.settings_of(None, replaying.Choices(strategies=("none",)))
    report = replaying.run(replaying.prepare(files, settings), tmp_path / "out", lambda _: None)
    assert report.files == ("best.csv", "ladder.jsonl")
    assert {ticker: market.snapshots for ticker, market in report.markets.items() if market.snapshots > 1} == {RANGE: 3}
    assert (report.markets[RANGE].best_yes_bid, report.markets[RANGE].best_yes_ask) == ("0.6100", None)


@pytest.mark.parametrize(
    "row", ["a,b", "soon,T,,,,", "2026-07-10T20:55:00Z,T,2,1,,", "2026-07-10T20:55:00Z,T,0.5,-1,,"]
)
def test_the_importer_of_the_guide_refuses_what_is_no_row(
    tmp_path: Path, best_prices: type[Recording], row: str
) -> None:
    recording = opened(put(tmp_path, "best.csv", f"{block('csv')}{row}\n".encode()))
    with pytest.raises(RecordingError, match=r"best\.csv line 5 is not what a table of best prices holds \("):
        list(recording.units())


def test_no_other_importer_recognises_what_the_guide_s_does(tmp_path: Path, best_prices: type[Recording]) -> None:
    assert recognised(put(tmp_path, "best.csv", block("csv").encode())) == []
    for name, data in SAMPLES.items():
        assert not best_prices.recognises(tmp_path / name, data)


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.jsonl"
    path.symlink_to(path.name)
    assert "is a link that leads to itself" in refusal(path)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    assert "has a name that is not UTF-8" in refusal(tmp_path / os.fsdecode(b"\xff.jsonl"))
