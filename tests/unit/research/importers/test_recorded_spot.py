"""Spot venues recorded over real sockets: what a replay makes of the frames is what was seen."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from fairstrike.app import config
from fairstrike.app.following import Params as Following
from fairstrike.app.places import Place
from fairstrike.app.recorder import Plan, Recorder
from fairstrike.app.sampled_rows import Rows
from fairstrike.core.events import Event, FrameRefused, IndexPrinted, SpotSummed, SpotTold, StreamChanged
from fairstrike.core.timing import VenueClock
from fairstrike.execution.rounds import Params as EngineParams
from fairstrike.research.importers.formats import recordings
from fairstrike.store.raw import Writer
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.spot.roster import Params as Hosts
from tests.sockets.boxes import until
from tests.sockets.spot import SpotVenues, binance, coinbase, funding
from tests.unit.research.importers.samples import header, lines, noted, put, recorded
from tests.unit.venue.kalshi.fakes import rsa_pem

ENOUGH = {IndexPrinted, SpotTold, SpotSummed, StreamChanged, FrameRefused}


def is_all_there(seen: Sequence[Event]) -> bool:
    """Whether every kind of event was seen, and Gemini's connection was given up for what was missing."""
    is_broken = any(isinstance(event, StreamChanged) and "the book of BTC broke" in event.reason for event in seen)
    return is_broken and {type(event) for event in seen} >= ENOUGH


def gemini(number: int, at_ns: int) -> bytes:
    """A whole book, then changes; the twenty-second frame cannot be read."""
    if number == 21:
        return b"{"
    levels = (("bid", 79_990 + number), ("ask", 80_050))
    both = [
        {"type": "change", "side": side, "price": str(price), "remaining": "3", "delta": "0"} for side, price in levels
    ]
    frame = {"type": "update", "socket_sequence": number, "timestampms": at_ns // 1_000_000, "events": both}
    return msgspec.json.encode(frame)


class Seeing(Recorder):
    """A recorder that remembers what it was told."""

    def __init__(self, *parts: object) -> None:
        self.seen: list[Event] = []
        super().__init__(*parts)  # type: ignore[arg-type]

    def _take(self, events: Sequence[Event]) -> bool:
        self.seen += events
        return super()._take(events)


def test_a_replay_of_the_frames_equals_what_was_seen(tmp_path: Path) -> None:
    async def record() -> list[Event]:
        place = Place(environment="box", origin="http://127.0.0.1:9", ws="ws://127.0.0.1:9")
        tellers = {"coinbase": coinbase, "gemini": gemini, "binance": binance, "binance_futures": funding}
        with SpotVenues(VenueClock(), tellers) as venues:
            series, spot = ("KXBTC15M",), config.Spot(hosts=Hosts(**venues.hosts))
            rooms = config.RoomSettings(engine=EngineParams(series=series))
            plan = Plan(
                series=series,
                folder=tmp_path,
                interval_seconds=1,
                disk_min=0,
                settings=config.Settings(environment="box", rooms=rooms, spot=spot),
                following=Following(events=1),
            )
            tape = Writer(tmp_path, "20260101T000000Z", "box", time.time_ns())
            signer = Signer("nobody", rsa_pem(), Allowed.READS)
            recorder = Seeing(plan, place, signer, tape, Rows(tmp_path / "r.rows.csv"))
            (_, feed) = recorder._feeds
            running = asyncio.ensure_future(feed.run())
            await until("all was seen", lambda: is_all_there(recorder.seen))
            feed.stop()
            await running
            await recorder._look.rest.close()
        tape.close()
        assert recorder.tallies.spot_frames > 20
        return recorder.seen

    seen = asyncio.run(record())
    sources = {event.source for event in seen if isinstance(event, IndexPrinted)}
    assert sources == {"coinbase", "binance", "gemini", "replica"}
    (recording,) = recordings([tmp_path])
    replayed = [event for _, events in recording.units() for event in events]
    assert [without_stamp(event) for event in replayed[:-2]] == [without_stamp(event) for event in seen]
    assert recording.cuts == []


def without_stamp(event: Event) -> Event:
    """A connection's change is noted when it is told, which is a moment after it was."""
    return msgspec.structs.replace(event, recv_ns=0) if isinstance(event, StreamChanged) else event


def test_lines_of_venues_that_are_not_known_are_passed_over(tmp_path: Path) -> None:
    told = [
        recorded(1) | {"source": "nobody", "frame": {}},
        noted(2, "dancing") | {"source": "coinbase"},
        noted(3, "other") | {"source": "spot"},
    ]
    (recording,) = recordings([put(tmp_path, "r.jsonl.zst", lines(header(), *told))])
    list(recording.units())
    assert recording.notes == ["r.jsonl.zst: lines of other sources, passed over: 3"]
