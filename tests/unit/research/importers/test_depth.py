"""Polled books of full depth: YES prices, sizes in centicontracts, one unit a capture."""

from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BookSnapshot
from fairstrike.research.importers.base import Unit
from fairstrike.research.importers.depth import Depth
from tests.unit.research.importers.samples import LESS, RANGE, events, instant, kinds, lines, polled, put


def opened(folder: Path, *captures: object) -> Depth:
    return Depth(put(folder, "depth.jsonl", lines(*captures)))


def books(units: list[Unit]) -> list[BookSnapshot]:
    return [event for event in events(units) if isinstance(event, BookSnapshot)]


def test_all_books_of_one_capture_are_one_unit(tmp_path: Path) -> None:
    recording = opened(tmp_path, polled("20:24:00"), polled("20:24:00", LESS), polled("20:54:00"))
    units = list(recording.units())
    one, two = ["BookSnapshot", "BatchEnded"], ["BookLost", "BatchEnded"]
    assert kinds(units) == [["BookSnapshot", *one], ["BookLost", *two], one, two]
    assert [(at_ns - instant("20:24:00")) // 10**9 for at_ns, _ in units] == [0, 1, 1_800, 1_801]
    assert (recording.first_ns, dict(recording.snapshots)) == (instant("20:24:00"), {RANGE: 2, LESS: 1})
    assert (recording.is_over, recording.is_priced, recording.gaps) == (True, False, {})


def test_bids_of_no_are_asks_and_sizes_are_centicontracts(tmp_path: Path) -> None:
    (book,) = books(list(opened(tmp_path, polled("20:24:00")).units()))
    assert (book.bids, book.asks) == (((4_000, 1_200), (3_900, 725)), ((4_400, 300),))


def test_a_size_finer_than_a_centicontract_is_cut_down(tmp_path: Path) -> None:
    line = polled("20:24:00", yes_bids=[[0.4, 2.999], [0.3, 0.001], [0.2, 7], [0.1, "8"]])
    (book,) = books(list(opened(tmp_path, line).units()))
    assert [size for _, size in book.bids] == [299, 0, 700, 800]


def test_empty_sides_are_empty(tmp_path: Path) -> None:
    (book,) = books(list(opened(tmp_path, polled("20:24:00", yes_bids=[], no_bids=[])).units()))
    assert (book.bids, book.asks) == ((), ())


def test_a_line_told_twice_gives_its_book_twice_and_loses_it_once(tmp_path: Path) -> None:
    units = list(opened(tmp_path, polled("20:24:00"), polled("20:24:00")).units())
    assert kinds(units) == [["BookSnapshot", "BookSnapshot", "BatchEnded"], ["BookLost", "BatchEnded"]]


def test_captures_out_of_order_of_time_are_refused(tmp_path: Path) -> None:
    recording = opened(tmp_path, polled("20:24:00"), polled("20:54:00"), polled("20:24:30"))
    with pytest.raises(RecordingError, match=r"depth\.jsonl goes back in time at line 3"):
        list(recording.units())


@pytest.mark.parametrize(
    "changes",
    [
        {"captured_at": "soon"},
        {"captured_at": "1969-12-31T23:59:59Z"},
        {"ticker": 5},
        {"yes_bids": None},
        *({"yes_bids": [[price, 1]]} for price in (2, 1, 0, -0.4, 0.00001, "NaN", "sNaN", "1e400", "Infinity")),
        *({"no_bids": [[0.4, size]]} for size in (-1, "NaN", "sNaN", "1e400", "Infinity", 10**10, "1e-400")),
        {"no_bids": [[0.4]]},
    ],
)
def test_a_line_that_is_no_book_is_refused_with_its_number(tmp_path: Path, changes: dict[str, object]) -> None:
    recording = opened(tmp_path, polled("20:20:00"), polled("20:24:00") | changes)
    with pytest.raises(RecordingError, match=r"depth\.jsonl line 2 is not what a recording of polled books holds \("):
        list(recording.units())


def test_fields_we_do_not_know_are_tolerated(tmp_path: Path) -> None:
    assert len(list(opened(tmp_path, polled("20:24:00", colour={"a": [None]})).units())) == 2
