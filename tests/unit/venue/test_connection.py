"""One WebSocket over a real socket, held by each library: what is said and heard, and every way it ends."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import get_args

import pytest
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from fairstrike.venue.connection import (
    BY_VENUE,
    HandshakeAnswered,
    Library,
    Line,
    NoConnection,
    Params,
    hold,
)
from tests.unit.venue.kalshi.scripted import ScriptedVenue

BOTH = pytest.mark.parametrize("library", get_args(Library))
GOODBYE = bytes([0x88, 2]) + (1_001).to_bytes(2, "big")
Act = Callable[[WSTransport, bytes], None]


def raw(head: int, data: bytes) -> bytes:
    return bytes([head, len(data)]) + data


class Ear:
    """Our listener: says hello, keeps what it is told, and may end the connection at a word."""

    def __init__(self, last: bytes = b"") -> None:
        self.told: list[bytes | str] = []
        self._last = last

    def opened(self, line: Line) -> None:
        self.line = line
        line.say(b"hello")

    def heard(self, data: bytes) -> None:
        self.told.append(data)
        if data == self._last:
            self.line.close("heard enough")

    def read_ended(self) -> None:
        self.told.append("read")


class Far(WSListener):
    """The far end: answers every text by the test's own act; keeps the answers to its pings."""

    def __init__(self, act: Act, pongs: list[bytes]) -> None:
        super().__init__()
        self._act = act
        self._pongs = pongs

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self._act(transport, frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.PONG:
            self._pongs.append(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()


def held(library: Library, act: Act, ear: Ear, bytes_max: int = 1_000) -> tuple[str, list[bytes], dict[str, str]]:
    """Why the connection ended, the far end's pongs, and the headers it was shown."""
    pongs: list[bytes] = []
    shown: dict[str, str] = {}

    def greet(request: WSUpgradeRequest) -> Far:
        shown.update(request.headers.items())
        return Far(act, pongs)

    async def body() -> str:
        server = await ws_create_server(greet, "127.0.0.1", 0)
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/path"
        params = Params(library=library, message_bytes_max=bytes_max)
        try:
            return await hold(url, {"X-Signed": "yes"}, ear, params)
        finally:
            server.close()

    return run(body()), pongs, shown


def run(body: Coroutine[None, None, str]) -> str:
    return asyncio.run(asyncio.wait_for(body, 20))


@BOTH
def test_messages_of_one_read_are_told_together(library: Library) -> None:
    def act(transport: WSTransport, said: bytes) -> None:
        assert said == b"hello"
        transport.underlying_transport.write(raw(0x81, b"one") + raw(0x81, b"two") + GOODBYE)

    ear = Ear()
    reason, _, shown = held(library, act, ear)
    assert (reason, ear.told) == ("closed by the venue: 1001", [b"one", b"two", "read"])
    assert {name.title(): value for name, value in shown.items()}["X-Signed"] == "yes"


@BOTH
def test_what_never_pauses_is_told_in_several_reads(library: Library) -> None:
    def act(transport: WSTransport, said: bytes) -> None:
        transport.underlying_transport.write(raw(0x81, b"x" * 100) * 5_000 + GOODBYE)

    ear = Ear()
    held(library, act, ear)
    assert ear.told.count(b"x" * 100) == 5_000
    assert ear.told.count("read") > 2


@BOTH
def test_a_message_in_pieces_is_one(library: Library) -> None:
    def act(transport: WSTransport, said: bytes) -> None:
        pieces = raw(0x01, b"a") + raw(0x00, b"b") + raw(0x80, b"c")
        transport.underlying_transport.write(pieces + GOODBYE)

    ear = Ear()
    held(library, act, ear)
    assert ear.told == [b"abc", "read"]


@BOTH
def test_a_ping_is_answered(library: Library) -> None:
    def act(transport: WSTransport, said: bytes) -> None:
        if said == b"hello":
            transport.underlying_transport.write(raw(0x89, b"beat") + raw(0x81, b"one"))
        else:
            transport.underlying_transport.write(GOODBYE)

    class Twice(Ear):
        def heard(self, data: bytes) -> None:
            self.line.say(b"again")

    assert held(library, act, Twice())[1] == [b"beat"]


@BOTH
def test_nothing_is_told_after_it_was_closed(library: Library) -> None:
    def act(transport: WSTransport, said: bytes) -> None:
        transport.underlying_transport.write(raw(0x81, b"one") + raw(0x81, b"two"))

    ear = Ear(last=b"one")
    assert (held(library, act, ear)[0], ear.told) == ("heard enough", [b"one", "read"])


@BOTH
def test_a_line_that_breaks_is_an_end(library: Library) -> None:
    def act(transport: WSTransport, said: bytes) -> None:
        transport.underlying_transport.abort()

    reason = held(library, act, Ear())[0]
    assert reason
    assert reason != "heard enough"


@BOTH
def test_a_message_too_long_ends_it(library: Library) -> None:
    def act(transport: WSTransport, said: bytes) -> None:
        piece = bytes([0x00, 100]) + b"x" * 100
        transport.underlying_transport.write(raw(0x01, b"x") + piece * 3)

    ear = Ear()
    reason = held(library, act, ear, bytes_max=200)[0]
    assert reason not in ("", BY_VENUE)
    assert b"x" * 101 not in b"".join(part for part in ear.told if isinstance(part, bytes))


@BOTH
def test_a_handshake_that_is_refused_keeps_its_answer(library: Library) -> None:
    async def body() -> str:
        async with ScriptedVenue([(401, {"error": {"code": "no"}})]) as venue:
            url = venue.origin.replace("http", "ws") + "/path"
            with pytest.raises(HandshakeAnswered) as refused:
                await hold(url, {}, Ear(), Params(library=library))
        assert refused.value.status == 401
        return refused.value.body.decode()

    assert '"no"' in run(body())


@BOTH
def test_no_server_is_no_connection(library: Library) -> None:
    with pytest.raises(NoConnection):
        run(hold("ws://127.0.0.1:9/", {}, Ear(), Params(library=library)))
