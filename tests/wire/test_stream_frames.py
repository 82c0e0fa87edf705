"""Real frames of the stream, and sixteen real streams: what the session makes of them."""

import gzip
import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from fairstrike.core.events import BookDelta, BookLost, BookSnapshot, FrameRefused
from fairstrike.venue.kalshi.session import Session
from fairstrike.venue.kalshi.wire.stream import DeltaFrame, SnapshotFrame, decode_frame

WITH_A_GAP = ("20260515T024708Z", "20260515T045448Z")
DROPPED_IN_A_GAP = {"20260515T045448Z": 2}
RUNS = (
    "20260513T1541Z",
    "20260513T202034Z",
    "20260513T215130Z",
    "20260513T222021Z",
    "20260513T230108Z",
    "20260514T002426Z",
    "20260514T010859Z",
    "20260514T014324Z",
    "20260514T043808Z",
    "20260514T053423Z",
    "20260514T122254Z",
    "20260514T130107Z",
    *WITH_A_GAP,
    "20260515T063046Z",
    "20260515T091646Z",
)


class Line(msgspec.Struct):
    """What tells one line of a recording from another; the line itself is a frame without its sid."""

    recv_ns: int
    type: str


def verbatim(shared_data: Path) -> list[tuple[int, bytes]]:
    text = gzip.decompress((shared_data / "wire" / "ws-orderbook-2026-08-07.json.gz").read_bytes())
    return [
        (entry["received_ms"] * 1_000_000, json.dumps(entry["frame"]).encode()) for entry in json.loads(text)["frames"]
    ]


def test_verbatim_frames_are_all_read(shared_data: Path) -> None:
    session, kinds = Session(), Counter[str]()
    for recv_ns, data in verbatim(shared_data):
        kinds.update(type(event).__name__ for event in session.receive(data, recv_ns))
    assert kinds == {"BookSnapshot": 12, "BookDelta": 245, "OffsetStepped": 1}
    assert sum(session.gaps.values()) == 0


def test_verbatim_frames_keep_their_meaning_when_encoded(shared_data: Path) -> None:
    for _, data in verbatim(shared_data):
        frame = decode_frame(data)
        assert decode_frame(msgspec.json.encode(frame)) == frame


def test_best_no_bid_is_the_yes_ask(shared_data: Path) -> None:
    session = Session()
    events = [event for recv_ns, data in verbatim(shared_data) for event in session.receive(data, recv_ns)]
    book = next(event for event in events if isinstance(event, BookSnapshot))
    assert book.ticker == "KXMLBGAME-26AUG072140LADAZ-LAD"
    assert max(book.bids) == (6_200, 172_033)
    assert min(book.asks) == (6_300, 18_384_840)


def test_lost_frame_of_a_real_stream_is_a_gap(shared_data: Path) -> None:
    frames = verbatim(shared_data)
    missing = next(
        number for number, (_, data) in enumerate(frames) if isinstance(decode_frame(data), DeltaFrame) and number > 100
    )
    session = Session()
    events = [
        event for recv_ns, data in frames[:missing] + frames[missing + 1 :] for event in session.receive(data, recv_ns)
    ]
    lost = [event for event in events if isinstance(event, BookLost)]
    assert len(lost) == 12
    assert all(isinstance(event, BookLost) for event in events[events.index(lost[0]) :])


@pytest.mark.parametrize("run", RUNS)
def test_recorded_stream_has_its_known_gaps(shared_data: Path, run: str) -> None:
    (path,) = (shared_data / "btc15m").glob(f"*{run}.jsonl.gz")
    session, recorded, kinds = Session(), Counter[str](), Counter[type]()
    lines = msgspec.json.Decoder(Line)
    with gzip.open(path) as file:
        for data in file:
            line = lines.decode(data)
            recorded[line.type] += 1
            events = session.receive(data, line.recv_ns)
            if line.type == "ws_connected":
                events, _ = session.connected(line.recv_ns)
            kinds.update(type(event) for event in events)
    assert sum(session.gaps.values()) == (1 if run in WITH_A_GAP else 0)
    assert kinds[FrameRefused] == 0
    assert kinds[BookSnapshot] == recorded["orderbook_snapshot"]
    assert recorded["orderbook_delta"] - kinds[BookDelta] == DROPPED_IN_A_GAP.get(run, 0)
    assert session.offset_ns is not None
    assert abs(session.offset_ns) < 500_000_000


def test_typed_entry_gives_what_bytes_give(shared_data: Path) -> None:
    by_bytes, by_frame = Session(), Session()
    for recv_ns, data in verbatim(shared_data):
        frame = decode_frame(data)
        assert by_bytes.receive(data, recv_ns) == by_frame.receive_frame(frame, recv_ns)
        assert isinstance(frame, DeltaFrame | SnapshotFrame) or frame.seq != 1
