"""One connection over a real socket: joined messages, the end and its reason, no connection at all."""

import asyncio
from collections.abc import Callable

from picows import WSCloseCode, WSMsgType, WSTransport

from fairstrike.venue.spot.connection import Connection, Params
from tests.unit.venue.spot.fake_venue import FakeVenue


class Ear:
    def __init__(self) -> None:
        self.heard_all: list[bytes] = []
        self.say: Callable[[bytes], None] | None = None

    def opened(self, say: Callable[[bytes], None]) -> None:
        self.say = say
        say(b"hello")

    def heard(self, data: bytes) -> None:
        self.heard_all.append(data)


async def held(greet: Callable[[FakeVenue, WSTransport], None], params: Params) -> tuple[str, Ear, FakeVenue]:
    async with FakeVenue(greet) as venue:
        ear = Ear()
        async with asyncio.timeout(10):
            reason = await Connection(params).hold(f"{venue.host}/feed?a=b", {"Authorization": "Basic x"}, ear)
    return reason, ear, venue


def test_messages_and_fragments_until_the_venue_closes() -> None:
    def greet(venue: FakeVenue, door: WSTransport) -> None:
        door.send(WSMsgType.TEXT, b"one")
        door.send(WSMsgType.TEXT, b"tw", fin=False)
        door.send(WSMsgType.CONTINUATION, b"o")
        door.send_close(WSCloseCode.POLICY_VIOLATION)

    reason, ear, venue = asyncio.run(held(greet, Params()))
    assert (ear.heard_all, reason) == ([b"one", b"two"], "closed by the venue: 1008")
    assert (venue.paths, venue.headers[0]["authorization"]) == (["/feed?a=b"], "Basic x")


def test_what_we_say_is_heard() -> None:
    async def body() -> FakeVenue:
        async with FakeVenue() as venue:
            connection = Connection(Params())
            holding = asyncio.ensure_future(connection.hold(venue.host, {}, Ear()))
            await venue.until(lambda: venue.heard == [b"hello"])
            connection.close("enough")
            async with asyncio.timeout(10):
                assert await holding == "enough"
            return venue

    assert asyncio.run(body()).heard == [b"hello"]


def test_a_message_longer_than_any_should_be_ends_it() -> None:
    def greet(venue: FakeVenue, door: WSTransport) -> None:
        for _ in range(3):
            door.send(WSMsgType.TEXT if not venue.heard else WSMsgType.CONTINUATION, b"x" * 60, fin=False)
            venue.heard.append(b"")

    reason, ear, _ = asyncio.run(held(greet, Params(message_bytes_max=100)))
    assert (ear.heard_all, reason) == ([], "a message was longer than any should be")


def test_no_connection_is_a_reason_and_no_error() -> None:
    async def body() -> str:
        async with FakeVenue() as venue:
            host = venue.host
        return await Connection(Params()).hold(host, {}, Ear())

    assert asyncio.run(body()).startswith("no connection (")
