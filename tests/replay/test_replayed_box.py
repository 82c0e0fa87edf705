"""A whole capture played by the exchange in a box: its stream, recorded and rebuilt, is the capture's book."""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from fairstrike.app import rehearsing
from fairstrike.core.units import CC_PER_CONTRACT
from fairstrike.exchange.recording import Recorder
from fairstrike.exchange.replayed import ReplayedWorld
from fairstrike.exchange.streaming import Streams

CAPTURE = "rv600_forward_native_shadow_20260513T1541Z"
MOMENTS = 33_600
Moment = tuple[int, int]
"""A venue millisecond, and of the whole book after it the sum of its levels' hashes, which no order changes."""


class Rebuilt:
    """The books of a capture before the close, after each venue millisecond, and how its volume rose, by market."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.moments: defaultdict[str, list[Moment]] = defaultdict(list)
        self.volume_rise: defaultdict[str, float] = defaultdict(float)
        self._levels: dict[str, dict[tuple[str, str], float]] = {}
        self._sums: dict[str, int] = {}
        self._volumes: dict[str, float] = {}
        self._close_ms: dict[str, int] = {}
        for line in lines:
            frame = json.loads(line)
            self._take(frame["type"], frame["msg"])

    def _take(self, kind: str, message: dict[str, str]) -> None:
        ticker = message.get("market_ticker", "")
        if kind == "watch_market":
            self._close_ms[ticker] = round(datetime.fromisoformat(message["close_time"]).timestamp() * 1_000)
        elif kind == "ticker":
            volume = float(message["volume_fp"])
            self.volume_rise[ticker] += volume - self._volumes.get(ticker, volume)
            self._volumes[ticker] = volume
        elif kind == "orderbook_snapshot":
            self._levels[ticker] = {
                (side, level[0]): float(level[1])
                for side in ("yes", "no")
                for level in message.get(f"{side}_dollars_fp", ())
            }
            self._sums[ticker] = sum(map(hash, self._levels[ticker].items()))
        elif kind == "orderbook_delta" and int(message["ts_ms"]) < self._close_ms[ticker]:
            levels, key = self._levels[ticker], (message["side"], message["price_dollars"])
            before = levels.pop(key, 0.0)
            after = round(before + float(message["delta_fp"]), 2)
            self._sums[ticker] -= hash((key, before)) if before else 0
            if after:
                levels[key] = after
                self._sums[ticker] += hash((key, after))
            self._note(ticker, int(message["ts_ms"]))

    def _note(self, ticker: str, stamp_ms: int) -> None:
        moments, book = self.moments[ticker], self._sums[ticker]
        if moments and moments[-1][0] >= stamp_ms:
            moments[-1] = (moments[-1][0], book)
        else:
            moments.append((stamp_ms, book))


def played(world: ReplayedWorld) -> Iterator[bytes]:
    """The lines that a recorder of a world without clients writes."""
    streams = Streams(world.floor)
    recorder = Recorder(world.floor, streams)
    while (due_ns := world.next_due_ns()) is not None:
        world.advance(due_ns)
        streams.publish(world.floor.drain(), due_ns)
        yield from recorder.lines(due_ns)


@pytest.fixture(scope="module")
def capture(shared_data: Path) -> Path:
    return shared_data / "btc15m" / f"{CAPTURE}.jsonl.gz"


def standing(moments: list[Moment]) -> Callable[[int], int | None]:
    """What stood at a millisecond; ask in order of time."""
    left = iter(moments)
    upcoming = next(left, None)
    book: int | None = None

    def at(stamp_ms: int) -> int | None:
        nonlocal upcoming, book
        while upcoming is not None and upcoming[0] <= stamp_ms:
            book, upcoming = upcoming[1], next(left, None)
        return book

    return at


def test_recording_a_replayed_capture_gives_its_book_after_every_millisecond(capture: Path) -> None:
    world = ReplayedWorld(rehearsing.replayed(capture))
    box = Rebuilt(played(world))
    with gzip.open(capture) as lines:
        real = Rebuilt(lines)
    compared = 0
    for ticker, moments in real.moments.items():
        book_at = standing(box.moments[ticker])
        # With its last millisecond a recording is over, and the outside depth with it.
        for stamp_ms, book in moments[:-1]:
            assert book_at(stamp_ms) == book, (ticker, stamp_ms)
            compared += 1
    assert compared >= MOMENTS
    assert world.floor.total_ud() == 2 * 10**18
    for ticker, rise in real.volume_rise.items():
        traded_cc = sum(trade.size_cc for trade in world.floor.trades(ticker))
        assert 0.9 * rise / 2 <= traded_cc / CC_PER_CONTRACT <= rise / 2
