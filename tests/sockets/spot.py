"""Spot venues on this machine, in a thread of their own: ten frames a second each, stamped in an exchange's time."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

import msgspec
from picows import WSTransport

from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS, VenueClock, format_rfc3339
from tests.unit.venue.spot.fake_venue import FakeVenue

_EVERY_S = 0.1
Teller = Callable[[int, int], bytes]
"""Makes a frame, given its number on its connection and the instant (ns)."""


def dollars(at_ns: int) -> int:
    """The middle of every book: it moves a little each second."""
    return 80_000 + at_ns // SECOND_NS % 7


def coinbase(number: int, at_ns: int) -> bytes:
    """A whole book of Bitcoin."""
    sides = (("bid", dollars(at_ns) - 1), ("offer", dollars(at_ns) + 1))
    updates = [{"side": side, "price_level": str(price), "new_quantity": "2"} for side, price in sides]
    event = {"type": "snapshot", "product_id": "BTC-USD", "updates": updates}
    stamp = format_rfc3339(at_ns)
    return msgspec.json.encode({"channel": "l2_data", "timestamp": stamp, "sequence_num": number, "events": [event]})


def binance(number: int, at_ns: int) -> bytes:
    """A match, and every second time the candle under way."""
    stamp_ms, price = at_ns // MILLISECOND_NS, str(dollars(at_ns))
    if number % 2:
        data = {"e": "trade", "E": stamp_ms, "s": "BTCUSDT", "t": number, "p": price, "q": "0.5", "T": stamp_ms}
        return msgspec.json.encode({"stream": "btcusdt@trade", "data": data})
    start_ms = stamp_ms // 900_000 * 900_000
    kline = {"t": start_ms, "i": "15m", "o": price, "h": price, "l": price, "c": price, "v": "12.5"}
    data = {"e": "kline", "E": stamp_ms, "s": "BTCUSDT", "k": kline}
    return msgspec.json.encode({"stream": "btcusdt@kline_15m", "data": data})


def funding(number: int, at_ns: int) -> bytes:
    """A mark price with its funding rate."""
    stamp_ms = at_ns // MILLISECOND_NS
    data = {"e": "markPriceUpdate", "E": stamp_ms, "s": "BTCUSDT", "p": "80001.5", "r": "0.00010000", "T": stamp_ms}
    return msgspec.json.encode({"stream": "btcusdt@markPrice@1s", "data": data})


class SpotVenues:
    """Venues by the name of their setting; `hosts` says where each is, from the beginning of the block to its end."""

    def __init__(self, clock: VenueClock, tellers: Mapping[str, Teller]) -> None:
        self.hosts: dict[str, str] = {}
        self._clock = clock
        self._tellers = tellers
        self._are_up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))

    def __enter__(self) -> "SpotVenues":
        self._thread.start()
        assert self._are_up.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._loop.close()

    async def _run(self) -> None:
        venues = {name: FakeVenue() for name in self._tellers}
        for name, venue in venues.items():
            await venue.__aenter__()
            self.hosts[name] = venue.host
        self._are_up.set()
        numbers: dict[WSTransport, int] = {}
        while not self._over.is_set():
            for name, venue in venues.items():
                for door in venue.doors[-1:]:
                    numbers[door] = number = numbers.get(door, -1) + 1
                    venue.say(self._tellers[name](number, self._clock.venue_ns(time.time_ns())))
            await asyncio.sleep(_EVERY_S)
        for venue in venues.values():
            await venue.__aexit__(None, None, None)
