"""Verbatim frames of a socket, through the session that reads them live."""

from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import BookDelta, BookLost, BookSnapshot
from fairstrike.research.importers.base import Unit
from fairstrike.research.importers.frames import Frames
from tests.unit.research.importers.samples import (
    FRAMES_MS,
    SNAPSHOT,
    STREAMED,
    change,
    events,
    frame,
    frames,
    kinds,
    put,
    text,
)


def opened(folder: Path, *told: object) -> Frames:
    return Frames(put(folder, "frames.json", frames(*told)))


def read(folder: Path, *told: object) -> list[Unit]:
    return list(opened(folder, *told).units())


def test_frames_become_books_and_changes(tmp_path: Path) -> None:
    recording = opened(tmp_path, SNAPSHOT, change(2, 2), change(2, 3, ts_ms=FRAMES_MS + 2), change(5, 4))
    units = list(recording.units())
    assert kinds(units) == [
        ["BookSnapshot", "BatchEnded"],
        ["OffsetStepped", "BookDelta", "BookDelta", "BatchEnded"],
        ["BookDelta", "BatchEnded"],
        ["StreamChanged", "BookLost", "BatchEnded"],
    ]
    assert [at_ns // 10**6 - FRAMES_MS for at_ns, _ in units] == [1, 2, 5, 5]
    assert (recording.deltas, recording.snapshots) == ({STREAMED: 3}, {STREAMED: 1})
    assert (recording.first_ns, recording.is_over, recording.is_priced) == (FRAMES_MS * 10**6, True, False)


def test_prices_of_no_become_prices_of_yes(tmp_path: Path) -> None:
    told = events(read(tmp_path, SNAPSHOT, change(2, 2, side="no", price_dollars="0.5800", delta_fp="-1.50")))
    (book,) = [event for event in told if isinstance(event, BookSnapshot)]
    (delta,) = [event for event in told if isinstance(event, BookDelta)]
    assert (book.bids, book.asks) == (((4_000, 500),), ((4_200, 200),))
    assert (delta.is_bid, delta.price_ticks, delta.delta_cc) == (False, 4_200, -150)


def test_empty_sides_may_be_absent(tmp_path: Path) -> None:
    (book,) = [e for e in events(read(tmp_path, frame(1, "orderbook_snapshot", 1))) if isinstance(e, BookSnapshot)]
    assert (book.bids, book.asks) == ((), ())


def test_a_jump_of_numbers_loses_the_book_and_is_counted(tmp_path: Path) -> None:
    recording = opened(tmp_path, SNAPSHOT, change(2, 2), change(3, 4))
    lost = [event.reason for event in events(list(recording.units())) if isinstance(event, BookLost)]
    assert (lost, recording.gaps) == (["gap"], {STREAMED: 1})


@pytest.mark.parametrize("kind", ["ok", "unsubscribed", "made_up_by_the_venue"])
def test_frames_that_say_nothing_of_a_book_are_passed_over(tmp_path: Path, kind: str) -> None:
    note = {"received_ms": FRAMES_MS + 2, "frame": {"type": kind, "id": 3, "sid": 9, "msg": None}}
    told = [name for names in kinds(read(tmp_path, SNAPSHOT, note, change(3, 2))) for name in names]
    assert told.count("BookSnapshot") == told.count("BookDelta") == 1


def test_an_error_the_venue_sent_is_no_damage(tmp_path: Path) -> None:
    error = {"received_ms": FRAMES_MS + 2, "frame": {"type": "error", "id": 3, "msg": {"code": 6, "msg": "no"}}}
    told = [name for names in kinds(read(tmp_path, SNAPSHOT, error, change(3, 2))) for name in names]
    assert told.count("FrameRefused") == told.count("BookDelta") == 1


@pytest.mark.parametrize(
    "bad",
    [
        *(change(2, 2, price_dollars=price) for price in ("2.0000", "-0.1000", "NaN", "1e400", "0.00001", 0.4)),
        *(change(2, 2, delta_fp=size) for size in ("NaN", "1e400", "0.001", "9" * 20, 5)),
        change(2, 2, side="maybe"),
        change(2, 2, ts_ms=10**14),
        frame(2, "orderbook_snapshot", 2, yes_dollars_fp=[["0.4000", "-5.00"]]),
        frame(2, "orderbook_snapshot", 2, yes_dollars_fp=[["2.0000", "5.00"]]),
        {"received_ms": FRAMES_MS + 2, "frame": [1]},
        {"received_ms": FRAMES_MS + 2, "frame": {"type": 1}},
    ],
)
def test_a_frame_that_cannot_be_read_is_refused_with_its_number(tmp_path: Path, bad: object) -> None:
    with pytest.raises(RecordingError, match=r"frames\.json line 3 is not what a document of frames holds \("):
        read(tmp_path, SNAPSHOT, bad)


@pytest.mark.parametrize("bad", [{"received_ms": -1, "frame": {}}, {"received_ms": 10**14, "frame": {}}, {}, 5])
def test_a_document_of_other_entries_is_refused(tmp_path: Path, bad: object) -> None:
    with pytest.raises(RecordingError, match=r"frames\.json line 1 is not what a document of frames holds \("):
        opened(tmp_path, bad)


def test_a_document_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.json holds no frame; give a recording with at least one"):
        Frames(put(tmp_path, "none.json", text({"captured_ms": 1, "frames": []})))


def test_frames_out_of_order_of_receipt_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="goes back in time"):
        read(tmp_path, SNAPSHOT, change(9, 2), change(8, 3))


@pytest.mark.parametrize("name", ["frames.json", "frames.json.gz", "frames.json.zst"])
def test_a_cut_document_is_refused(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, name, frames(SNAPSHOT, change(2, 2)))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RecordingError, match=r"frames\.json.* give a (complete copy|copy that is not damaged)"):
        Frames(path)
