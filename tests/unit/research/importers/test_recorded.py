"""A recorded run comes to the events the recorder had, however many segments it is in, and a bad line is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    ContractListed,
    FrameRefused,
    IndexPrinted,
    MarketSettled,
    StreamChanged,
)
from fairstrike.research.importers.base import Recording
from fairstrike.research.importers.formats import recordings
from fairstrike.store.raw import Line, Note, Params, Writer
from tests.unit.research.importers.samples import (
    QUARTER,
    RECORDED,
    RECORDED_NS,
    SERIES,
    answered,
    events,
    framed,
    header,
    kinds,
    lines,
    noted,
    put,
    quarter,
    recorded,
    recorded_change,
    text,
)

RUN = "20260710T202400Z"


def read(folder: Path, *told: object, name: str = "r.jsonl.zst") -> Recording:
    (found,) = recordings([put(folder, name, lines(header(), *told))])
    return found


def test_a_run_comes_to_its_events_in_units(tmp_path: Path) -> None:
    (recording,) = recordings([put(tmp_path, "r.jsonl.zst", RECORDED)])
    units = list(recording.units())
    assert kinds(units) == [
        ["ContractListed"],
        ["StreamChanged", "BatchEnded"],
        ["BookSnapshot", "BatchEnded"],
        ["OffsetStepped", "BookDelta", "BookDelta", "BatchEnded"],
        ["FrameRefused"],
        ["BookDelta", "BatchEnded"],
        ["StreamChanged", "BookLost", "BatchEnded"],
    ]
    assert recording.first_ns == RECORDED_NS
    assert (dict(recording.deltas), dict(recording.snapshots), recording.gaps) == (
        {QUARTER: 3},
        {QUARTER: 1},
        {QUARTER: 0},
    )
    assert recording.notes == ["r.jsonl.zst: frames that could not be read when they came: 1"]
    assert recording.is_over
    assert recording.bytes_read == recording.bytes_total


def test_answers_tell_terms_and_each_result_once(tmp_path: Path) -> None:
    settled = quarter(status="finalized", result="yes", settlement_value_dollars="1.0000")
    page = text({"markets": [settled]})
    recording = read(tmp_path, answered(1, 1, SERIES, page).strip(), answered(5, 2, SERIES, page).strip())
    told = events(list(recording.units()))
    assert [event.value_ticks for event in told if isinstance(event, MarketSettled)] == [10_000]
    assert not [event for event in told if isinstance(event, ContractListed)]


def test_strikes_published_late_are_told_when_they_are(tmp_path: Path) -> None:
    before, after = text({"markets": [quarter(floor_strike=None)]}), text({"markets": [quarter()]})
    recording = read(tmp_path, answered(1, 1, SERIES, before).strip(), answered(5, 2, SERIES, after).strip())
    listed = [event for event in events(list(recording.units())) if isinstance(event, ContractListed)]
    assert [event.contract.floor_e8 for event in listed] == [None, 6_400_050_000_000]


def test_an_answer_that_never_came_tells_nothing_but_that(tmp_path: Path) -> None:
    silent = recorded(1, answer={"ask": 1, "what": "markets", "key": "KXBTC15M"})
    recording = read(tmp_path, silent)
    assert kinds(list(recording.units())) == [["AskFailed", "StreamChanged", "BatchEnded"]]


def test_a_gap_makes_the_book_absent_until_the_next_snapshot(tmp_path: Path) -> None:
    book = framed(5, "orderbook_snapshot", 1), framed(9, "orderbook_snapshot", 6)
    recording = read(
        tmp_path, noted(1, "connected"), book[0], recorded_change(6, 4, 5), recorded_change(7, 5, 6), book[1]
    )
    told = events(list(recording.units()))
    assert [event.reason for event in told if isinstance(event, BookLost)] == ["gap", "disconnected"]
    assert sum(isinstance(event, BookSnapshot) for event in told) == 2
    assert not [event for event in told if isinstance(event, BookDelta)]
    assert recording.gaps == {QUARTER: 1}


def test_a_reconnection_is_what_the_recorder_noted(tmp_path: Path) -> None:
    again = noted(7, "disconnected", reason="closed by the venue"), noted(8, "connected")
    recording = read(
        tmp_path, noted(1, "connected"), framed(5, "orderbook_snapshot", 9), *again, framed(9, "orderbook_snapshot", 1)
    )
    changes = [(e.is_up, e.reason) for e in events(list(recording.units())) if isinstance(e, StreamChanged)]
    assert changes[:3] == [(True, "connected"), (False, "closed by the venue"), (True, "connected")]


def test_a_silence_loses_every_book_as_it_did_live(tmp_path: Path) -> None:
    begun = noted(0, "watch", markets=[QUARTER]), noted(1, "connected"), framed(5, "orderbook_snapshot", 1)
    silent = noted(10_106, "silent"), recorded_change(10_200, 3, 10_100)
    recording = read(tmp_path, *begun, recorded_change(6, 2, 5), *silent)
    told = events(list(recording.units()))
    assert [(event.reason, event.recv_ns) for event in told if isinstance(event, BookLost)] == [
        ("silent", RECORDED_NS + 10_106_000_000)
    ]
    assert sum(isinstance(event, BookDelta) for event in told) == 1


def test_frames_of_other_sources_are_counted_and_passed_over(tmp_path: Path) -> None:
    recording = read(tmp_path, recorded(1, frame={"x": 1}) | {"source": "elsewhere"})
    assert not [event for event in events(list(recording.units())) if isinstance(event, FrameRefused)]
    assert recording.notes == ["r.jsonl.zst: lines of other sources, passed over: 1"]


def test_index_values_are_prints(tmp_path: Path) -> None:
    data = text({"type": "value", "id": "BRTI", "time": RECORDED_NS // 1_000_000, "value": "64000.12"}).decode()
    value = recorded(3, frame={"type": "cfbenchmarks_value", "sid": 2, "msg": {"index_id": "BRTI", "data": data}})
    told = events(list(read(tmp_path, value).units()))
    assert [event.value_e8 for event in told if isinstance(event, IndexPrinted)] == [6_400_012_000_000]


@given(every=st.integers(1, 12))
def test_segments_come_to_the_same_events_as_one_file(tmp_path_factory: pytest.TempPathFactory, every: int) -> None:
    whole, parts = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("parts")
    body = RECORDED.splitlines(keepends=True)[1:]
    put(whole, f"{RUN}-000001.jsonl.zst", RECORDED)
    for number, begin in enumerate(range(0, len(body), every), start=1):
        segment = lines(header(segment=number)) + b"".join(body[begin : begin + every])
        put(parts, f"{RUN}-{number:06d}.jsonl.zst", segment)
    (one,), (other,) = recordings([whole]), recordings([parts])
    assert list(one.units()) == list(other.units())
    assert len(other.files) == -(-len(body) // every)


def test_a_missing_segment_is_noted(tmp_path: Path) -> None:
    for number in (1, 3):
        put(tmp_path, f"{RUN}-00000{number}.jsonl.zst", lines(header(segment=number)))
    (recording,) = recordings([tmp_path])
    list(recording.units())
    assert recording.notes == [f"{RUN}-000001.jsonl.zst: 1 segments before {RUN}-000003.jsonl.zst are missing"]


def test_what_a_writer_wrote_is_read(tmp_path: Path) -> None:
    tape = Writer(tmp_path, RUN, "box", RECORDED_NS, Params())
    tape.line(Line(recv_ns=RECORDED_NS, source="kalshi", note=Note(kind="connected")))
    tape.frame(RECORDED_NS + 5, "kalshi", 1, text({"type": "ticker", "sid": 3, "msg": {"market_ticker": QUARTER}}))
    tape.close()
    (recording,) = recordings([tmp_path])
    assert [each[0] for each in kinds(list(recording.units()))] == ["StreamChanged", "TickerSeen"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"no json", "JSON is malformed"),
        (text({"recv_ns": -1, "source": "kalshi"}), "-1 is not a time"),
        (text({"source": "kalshi"}), "missing required field"),
        (text({"recv_ns": 1, "source": "kalshi", "packed": "no base64!"}), "Invalid base64"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: bytes, why: str) -> None:
    recording = read(tmp_path, bad)
    with pytest.raises(RecordingError, match="line 2 is not what a recording by fairstrike record holds") as told:
        list(recording.units())
    assert why in str(told.value)


def test_lines_that_go_back_in_time_are_refused(tmp_path: Path) -> None:
    recording = read(tmp_path, noted(9, "connected"), noted(3, "disconnected"))
    with pytest.raises(RecordingError, match="goes back in time at line 3"):
        list(recording.units())


def test_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="it is of version 2 and this program reads version 1"):
        recordings([put(tmp_path, "r.jsonl", lines(header(version=2)))])
