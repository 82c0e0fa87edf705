"""`fairstrike stats` as people call it: figures, a page, and one sentence for what cannot be used."""

import json
from pathlib import Path

import pytest

from fairstrike.app import stats
from fairstrike.core.errors import RecordingError, UsageError
from tests.commands import fairstrike
from tests.unit.research import captures

MARKET = captures.TICKER


def capture(folder: Path) -> Path:
    """A little capture: a book, three deltas in two venue milliseconds, a ticker."""
    return captures.write(
        folder,
        captures.opening(
            captures.delta(10, 2, 10),
            captures.delta(11, 3, 10, price="0.4100"),
            captures.delta(1_500, 4, 1_500),
            captures.ticker(1_600),
        ),
    )


def test_figures_as_json(tmp_path: Path) -> None:
    said = fairstrike("stats", capture(tmp_path), "--json", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    found = json.loads(said.out)
    assert (found["files"], found["deltas"], found["markets_counted"]) == ([f"{captures.RUN}.jsonl"], 3, 1)
    assert found["markets"][0]["ticker"] == MARKET
    assert found["deltas_per_second"]["max"] == 2
    assert found["deltas_per_millisecond"] == {"p50": 1, "p99": 2, "max": 2}
    assert found["ladders"] is None


def test_tables_and_a_page(tmp_path: Path) -> None:
    capture(tmp_path)
    said = fairstrike("stats", ".", "--html", "page.html", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("1 market, 3 deltas\n")
    assert said.out.endswith("page page.html\n")
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("stats", "Missing argument 'paths'"),
        ("stats gone.jsonl", "gone.jsonl cannot be read (No such file or directory)"),
        ("stats empty.jsonl", "empty.jsonl is empty; give a recording"),
        ("stats letter.txt", "letter.txt is in no format that can be read"),
        ("stats nothing", "nothing holds no recording"),
        ("stats torn.jsonl", "torn.jsonl line 4 is not what a 15-minute capture holds"),
        ("stats run_20260514T002428Z.jsonl --html gone/page.html", "the page cannot be written to gone/page.html"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, arguments: str, sentence: str) -> None:
    capture(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "letter.txt").write_text("Dear all,\n")
    (tmp_path / "nothing").mkdir()
    captures.write(tmp_path, captures.opening(b'{"no": "frame"}', captures.delta(9, 2, 9)), "torn.jsonl")
    said = fairstrike(*arguments.split(), folder=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.sentence.startswith(sentence)


def test_a_recording_without_a_book(tmp_path: Path) -> None:
    path = captures.write(tmp_path, [captures.watch(0), captures.connected(1)])
    with pytest.raises(RecordingError, match="no order book is in these recordings"):
        stats.run(stats.prepare([path]), lambda done: None)


def test_a_page_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file in a folder that is there"):
        stats.prepare([capture(tmp_path)], tmp_path)


def test_progress_counts_bytes(tmp_path: Path) -> None:
    recordings = stats.prepare([capture(tmp_path)])
    told: list[int] = []
    stats.run(recordings, told.append)
    assert told
    assert max(told) <= stats.bytes_total(recordings)
