"""What is heard of spot venues that answer, that are silent, and whose stamps are old."""

import asyncio
import time

import pytest

from fairstrike.app import spot_probing
from fairstrike.app.clock import SystemClock
from fairstrike.app.spot_probing import Heard, listen
from fairstrike.core.timing import SECOND_NS, VenueClock
from fairstrike.venue.connection import Params
from fairstrike.venue.spot.coinbase import Coinbase
from tests.sockets.spot import coinbase
from tests.unit.venue.spot.fake_venue import FakeVenue


def heard(*frames: bytes) -> Heard:
    """What is heard of a venue that says these frames once it was asked for something."""

    async def body() -> Heard:
        async with FakeVenue() as venue:
            clock = SystemClock(VenueClock())
            listening = asyncio.ensure_future(listen([Coinbase(["BTC"], venue.host)], clock, Params()))
            await venue.until(lambda: len(venue.heard) == 3)
            venue.say(*frames)
            (found,) = await listening
            return found

    return asyncio.run(body())


def test_a_venue_that_tells_something_fresh_is_heard_at_once() -> None:
    found = heard(coinbase(0, time.time_ns()))
    assert (found.line, found.problem) == ("coinbase", "")
    assert found.answered_ns is not None
    assert found.age_ns is not None
    assert 0 <= found.age_ns < SECOND_NS


@pytest.mark.parametrize(
    ("frames", "problem"),
    [
        ((), "it told nothing for 0.3 s"),
        ((b'{"type": "error", "message": "not here"}',), "coinbase: not here"),
    ],
)
def test_a_venue_that_tells_nothing(monkeypatch: pytest.MonkeyPatch, frames: tuple[bytes, ...], problem: str) -> None:
    monkeypatch.setattr(spot_probing, "_SECONDS", 0.3)
    assert heard(*frames) == Heard(line="coinbase", answered_ns=None, age_ns=None, problem=problem)


def test_an_old_stamp_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spot_probing, "_SECONDS", 0.3)
    found = heard(coinbase(0, time.time_ns() - 60 * SECOND_NS))
    assert found.problem == ""
    assert found.age_ns is not None
    assert 60 * SECOND_NS <= found.age_ns < 62 * SECOND_NS
