"""Spot venues over real sockets: prints, holes, garbage, silence, reconnects."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import msgspec
import pytest
from picows import WSTransport

from fairstrike.app.clock import SystemClock
from fairstrike.core.chance import Dice
from fairstrike.core.events import Event, FrameRefused, IndexPrinted, StreamChanged
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS, VenueClock, format_rfc3339
from fairstrike.venue.spot.bitstamp import Bitstamp
from fairstrike.venue.spot.coinbase import Coinbase
from fairstrike.venue.spot.feed import FeedParts, Params, SpotFeed
from fairstrike.venue.spot.prices import Params as PricesParams
from fairstrike.venue.spot.prices import Prices
from fairstrike.venue.spot.values import Venue
from tests.unit.venue.kalshi.fakes import ListInbox
from tests.unit.venue.spot.fake_venue import FakeVenue

QUICK = Params(
    backoff_first_ns=20 * MILLISECOND_NS,
    backoff_last_ns=80 * MILLISECOND_NS,
    silent_after_ns=5 * SECOND_NS,
    repair_every_ns=5 * SECOND_NS,
    unreadable_max=3,
)


def coinbase_book(number: int, kind: str = "snapshot", bid: str = "79999") -> bytes:
    updates = [
        {"side": side, "price_level": price, "new_quantity": "2"} for side, price in (("bid", bid), ("offer", "80001"))
    ]
    return msgspec.json.encode(
        {
            "channel": "l2_data",
            "timestamp": format_rfc3339(time.time_ns()),
            "sequence_num": number,
            "events": [{"type": kind, "product_id": "BTC-USD", "updates": updates}],
        }
    )


def bitstamp_book(mid: int) -> bytes:
    stamp = str(time.time_ns() // 1_000)
    data = {"microtimestamp": stamp, "bids": [[str(mid - 1), "1"]], "asks": [[str(mid + 1), "1"]]}
    return msgspec.json.encode({"event": "data", "channel": "order_book_btcusd", "data": data})


class Running:
    def __init__(self, prices: Prices, inbox: ListInbox, taps: list[tuple[str, bytes]]) -> None:
        self.prices = prices
        self.inbox = inbox
        self.taps = taps

    def changes(self, source: str) -> list[tuple[bool, str]]:
        return [
            (event.is_up, event.reason)
            for event in self.inbox.events
            if isinstance(event, StreamChanged) and event.source == source
        ]

    async def until(self, is_so: Callable[[Sequence[Event]], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so(self.inbox.events):
                self.inbox.arrived.clear()
                await self.inbox.arrived.wait()


@asynccontextmanager
async def running(*venues: Venue, params: Params = QUICK) -> AsyncIterator[Running]:
    prices, inbox, taps = Prices(PricesParams()), ListInbox(), list[tuple[str, bytes]]()
    parts = FeedParts(
        venues=venues,
        prices=prices,
        inbox=inbox,
        clock=SystemClock(VenueClock()),
        dice=Dice(1, 1),
        tap=lambda source, data, recv_ns: taps.append((source, data)),
    )
    feed = SpotFeed(params, parts)
    task = asyncio.ensure_future(feed.run())
    try:
        yield Running(prices, inbox, taps)
    finally:
        feed.stop()
        async with asyncio.timeout(5):
            await task


def sources(events: Sequence[Event]) -> set[str]:
    return {event.source for event in events if isinstance(event, IndexPrinted)}


def test_two_venues_and_their_replica_are_printed_and_tapped() -> None:
    async def body() -> None:
        async with (
            FakeVenue() as first,
            FakeVenue() as second,
            running(Coinbase(["BTC"], first.host), Bitstamp(["BTC"], second.host)) as run,
        ):
            await first.until(lambda: len(first.heard) == 3)
            await second.until(lambda: len(second.heard) == 2)
            first.say(coinbase_book(0))
            second.say(bitstamp_book(80_002))
            await run.until(lambda events: {"coinbase", "bitstamp", "replica"} <= sources(events))
            printed = [event for event in run.inbox.events if isinstance(event, IndexPrinted)]
            assert {event.value_e8 // 10**8 for event in printed} <= {80_000, 80_001, 80_002}
            assert all(event.venue_ns is not None and event.venue_ns <= event.recv_ns for event in printed)
            assert {source for source, _ in run.taps} == {"coinbase", "bitstamp"}

    asyncio.run(body())


def test_a_hole_makes_the_book_absent_and_asks_anew() -> None:
    async def body() -> None:
        async with FakeVenue() as venue, running(Coinbase(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.heard) == 3)
            venue.say(coinbase_book(0), coinbase_book(2, "update"))
            await venue.until(lambda: len(venue.heard) == 5)
            assert [msgspec.json.decode(said)["type"] for said in venue.heard[3:]] == ["unsubscribe", "subscribe"]
            assert run.prices.book("coinbase", "BTC") is None
            venue.say(coinbase_book(3, bid="79997"), b'{"type": "error", "message": "no such channel"}')
            await run.until(lambda events: any(isinstance(event, FrameRefused) for event in events))
            book = run.prices.book("coinbase", "BTC")
            assert book is not None
            assert book.mid_e8() == 79_999 * 10**8
            assert len(venue.doors) == 1

    asyncio.run(body())


def test_a_frame_that_cannot_be_read_makes_its_books_absent_and_asks_anew() -> None:
    async def body() -> None:
        async with FakeVenue() as venue, running(Coinbase(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.heard) == 3)
            venue.say(coinbase_book(0), b"{")
            await venue.until(lambda: len(venue.heard) == 5)
            assert [msgspec.json.decode(said)["type"] for said in venue.heard[3:]] == ["unsubscribe", "subscribe"]
            assert run.prices.book("coinbase", "BTC") is None

    asyncio.run(body())


def test_a_book_that_comes_again_by_itself_is_not_asked_for() -> None:
    async def body() -> None:
        async with FakeVenue() as venue, running(Bitstamp(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.heard) == 2)
            venue.say(bitstamp_book(80_000), b"{")
            await run.until(lambda events: any(isinstance(event, FrameRefused) for event in events))
            assert run.prices.book("bitstamp", "BTC") is None
            venue.say(bitstamp_book(80_002))
            await run.until(lambda events: "bitstamp" in sources(events))
            assert (len(venue.doors), len(venue.heard)) == (1, 2)

    asyncio.run(body())


def test_a_book_that_breaks_again_at_once_ends_the_connection() -> None:
    async def body() -> None:
        async with FakeVenue() as venue, running(Coinbase(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.heard) == 3)
            venue.say(coinbase_book(0), coinbase_book(2, "update"))
            await venue.until(lambda: len(venue.heard) == 5)
            venue.say(coinbase_book(3), coinbase_book(5, "update"))
            await venue.until(lambda: len(venue.doors) == 2)
            assert run.changes("coinbase")[1] == (False, "the book of BTC broke: 1 messages lost")

    asyncio.run(body())


def test_garbage_is_refused_and_too_much_of_it_ends_the_connection() -> None:
    async def body() -> None:
        async with FakeVenue() as venue, running(Bitstamp(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.heard) == 2)
            venue.say(*([b"\xff not json"] * 4))
            await venue.until(lambda: len(venue.doors) == 2)
            refused = [event for event in run.inbox.events if isinstance(event, FrameRefused)]
            assert len(refused) == 4
            assert run.changes("bitstamp")[1] == (False, "too many frames that cannot be read")

    asyncio.run(body())


def test_garbage_now_and_then_ends_no_connection() -> None:
    async def body() -> None:
        async with FakeVenue() as venue, running(Bitstamp(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.heard) == 2)
            venue.say(*(frame for mid in range(80_000, 80_010) for frame in (b"\xff not json", bitstamp_book(mid))))
            await run.until(lambda events: sum(isinstance(event, FrameRefused) for event in events) == 10)
            await run.until(lambda events: bool(sources(events)))
            assert run.changes("bitstamp") == [(True, "")]

    asyncio.run(body())


def test_a_silent_venue_is_connected_to_anew() -> None:
    async def body() -> None:
        params = msgspec.structs.replace(QUICK, silent_after_ns=50 * MILLISECOND_NS)
        async with FakeVenue() as venue, running(Bitstamp(["BTC"], venue.host), params=params) as run:
            await venue.until(lambda: len(venue.doors) == 2)
            assert run.changes("bitstamp")[1] == (False, "it was silent")

    asyncio.run(body())


def test_a_venue_that_hangs_up_has_no_book_until_it_is_back() -> None:
    async def body() -> None:
        def greet(venue: FakeVenue, door: WSTransport) -> None:
            if len(venue.doors) < 4:
                door.disconnect()

        async with FakeVenue(greet) as venue, running(Bitstamp(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.doors) == 4)
            assert run.prices.book("bitstamp", "BTC") is None
            venue.say(bitstamp_book(80_000))
            await run.until(lambda events: "bitstamp" in sources(events))
            ups = [event for event in run.inbox.events if isinstance(event, StreamChanged) and event.is_up]
            waits = [later.recv_ns - one.recv_ns for one, later in pairwise(ups)]
            assert waits[0] >= QUICK.backoff_first_ns
            assert waits[2] > waits[0]

    asyncio.run(body())


def test_a_venue_that_cannot_be_reached_is_told_of_once_until_it_can(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        refused = 0

        def refuse(venue: FakeVenue) -> bool:
            nonlocal refused
            refused += 1
            return refused <= 3

        async with FakeVenue(refuse=refuse) as venue, running(Bitstamp(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.doors) == 1)
            await run.until(lambda events: any(isinstance(event, StreamChanged) and event.is_up for event in events))
            ((is_up, reason), up) = run.changes("bitstamp")
            assert not is_up
            assert reason.startswith("no connection (")
            assert up == (True, "")

    with caplog.at_level(logging.WARNING):
        asyncio.run(body())
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_a_full_inbox_keeps_what_waits() -> None:
    async def body() -> None:
        async with FakeVenue() as venue, running(Bitstamp(["BTC"], venue.host)) as run:
            await venue.until(lambda: len(venue.heard) == 2)
            run.inbox.room = len(run.inbox.batches)
            venue.say(b"{", bitstamp_book(80_000))
            async with asyncio.timeout(10):
                while run.prices.book("bitstamp", "BTC") is None:
                    await asyncio.sleep(0)
            run.inbox.room = 1_000
            await run.until(lambda events: "bitstamp" in sources(events))
            assert [event for event in run.inbox.events if isinstance(event, FrameRefused)]

    asyncio.run(body())


def test_a_stop_while_nobody_answers_ends_at_once() -> None:
    async def body() -> None:
        async with FakeVenue() as venue:
            host = venue.host
        async with running(Bitstamp(["BTC"], host), params=Params()) as run:
            await asyncio.sleep(0)
        assert run.changes("bitstamp") == []

    asyncio.run(body())
