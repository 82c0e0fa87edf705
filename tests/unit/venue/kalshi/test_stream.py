"""The stream over a socket: handshakes, batches, back-off, a full inbox."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from itertools import pairwise
from types import TracebackType
from typing import get_args

import pytest
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from fairstrike.core.chance import Dice
from fairstrike.core.effects import Ask, Resubscribe, Unwatch, Watch
from fairstrike.core.errors import Unreachable
from fairstrike.core.events import BatchEnded, BookDelta, BookLost, BookSnapshot, StreamChanged
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.connection import Library, Params
from fairstrike.venue.kalshi.refusals import KeyUnknown, VenueDown
from fairstrike.venue.kalshi.session import Session
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.stream import Stream, StreamParams, StreamParts
from fairstrike.venue.kalshi.wire.commands import Command, Subscribe, UpdateSubscription, decode_command
from tests.unit.venue.kalshi.fakes import TICKER, JumpingClock, ListInbox, delta, frame, snapshot
from tests.unit.venue.kalshi.scripted import PEM, ScriptedVenue, WallTicks

LIBRARY: list[Library] = ["picows"]
Script = Callable[["Door", WSTransport, Command], None]


class Door(WSListener):
    """The venue's end of one connection: keeps commands and answers each by the script."""

    def __init__(self, venue: "StreamVenue") -> None:
        super().__init__()
        self.venue = venue

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.venue.transports.append(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            command = decode_command(frame.get_payload_as_bytes())
            self.venue.commands.append(command)
            self.venue.script(self, transport, command)
        elif frame.msg_type is WSMsgType.PONG:
            self.venue.pongs += 1
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()

    def say(self, transport: WSTransport, *frames: bytes, ping: bool = False) -> None:
        """Send frames in one write, a ping behind them when asked for."""
        whole = b"".join(raw_frame(0x81, data) for data in frames) + (raw_frame(0x89, b"heartbeat") * ping)
        transport.underlying_transport.write(whole)


def raw_frame(head: int, data: bytes) -> bytes:
    size = len(data)
    length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
    return bytes([head]) + length + data


class StreamVenue:
    """A server of the stream that follows a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.handshakes: list[dict[str, str]] = []
        self.commands: list[Command] = []
        self.transports: list[WSTransport] = []
        self.pongs = 0
        self.url = ""
        self.port = 0

    async def __aenter__(self) -> "StreamVenue":
        self._server = await ws_create_server(self._greet, "127.0.0.1", self.port)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/trade-api/ws/v2"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for transport in self.transports:
            transport.disconnect(graceful=False)
        await asyncio.sleep(0)

    def _greet(self, request: WSUpgradeRequest) -> Door:
        self.handshakes.append({name.upper(): value for name, value in request.headers.items()})
        return Door(self)


def stream_to(
    url: str,
    inbox: ListInbox,
    session: Session,
    tapped: list[bytes] | None = None,
    *,
    first_tries: int | None = None,
    clock: JumpingClock | None = None,
) -> Stream:
    parts = StreamParts(
        session=session,
        signer=Signer("key-id", PEM, Allowed.READS),
        inbox=inbox,
        clock=clock or JumpingClock(),
        wall_ms=WallTicks(),
        dice=Dice(1, 1),
        tap=None if tapped is None else lambda data, recv_ns: tapped.append(data),
    )
    params = StreamParams(url=url, first_tries=first_tries, connection=Params(library=LIBRARY[0]))
    return Stream(params, parts)


@pytest.fixture(autouse=True, params=get_args(Library))
def library(request: pytest.FixtureRequest) -> None:
    """Every test is made with each library that can hold a WebSocket."""
    LIBRARY[:] = [request.param]


def run(body: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(body, 20))


def silent(door: Door, transport: WSTransport, command: Command) -> None:
    """Answer nothing."""


def is_for_markets(command: Command) -> bool:
    return isinstance(command, Subscribe) and "orderbook_delta" in command.params.channels


@pytest.mark.parametrize("ping", [False, True])
def test_frames_of_one_read_are_handed_over_together(ping: bool) -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            door.say(transport, snapshot(1), delta(2), delta(3), ping=ping)

    async def body() -> None:
        inbox, session, tapped = ListInbox(), Session(), list[bytes]()
        session.watch([TICKER])
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, session, tapped)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BatchEnded)
            while ping and not venue.pongs:
                await asyncio.sleep(0)
            stream.stop()
            await running
        up, batch = inbox.batches[:2]
        assert up == [StreamChanged(source="kalshi", is_up=True, reason="connected", recv_ns=up[0].recv_ns)]
        kinds = [type(event) for event in batch]
        assert (kinds[0], kinds[-1], kinds.count(BookDelta)) == (BookSnapshot, BatchEnded, 2)
        assert len({event.recv_ns for event in batch}) == 1
        assert tapped == [snapshot(1), delta(2), delta(3)]
        assert isinstance(inbox.events[-2], StreamChanged)
        assert isinstance(inbox.events[-1], BookLost)

    run(body())


def test_each_connection_is_signed_anew_and_loses_the_books() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            door.say(transport, snapshot(1))
            asyncio.get_running_loop().call_soon(transport.disconnect)

    async def body() -> None:
        inbox, session, clock = ListInbox(), Session(), JumpingClock()
        session.watch([TICKER])
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, session, clock=clock)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookSnapshot, 3)
            stream.stop()
            await running
        assert clock.slept_ns[0] == SECOND_NS
        assert len(venue.handshakes) == 3
        assert len({shake["KALSHI-ACCESS-TIMESTAMP"] for shake in venue.handshakes}) == 3
        lost = [event for event in inbox.events if isinstance(event, BookLost)]
        assert {event.reason for event in lost} == {"disconnected"}
        assert [command.id for command in venue.commands] == list(range(1, 10))

    run(body())


def test_changes_of_what_is_watched_are_sent() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            acks = [
                frame("subscribed", {"channel": channel, "sid": sid})
                for sid, channel in enumerate(("orderbook_delta", "ticker", "trade"), start=1)
            ]
            door.say(transport, *acks, snapshot(1))

    async def body() -> None:
        inbox = ListInbox()
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, Session())
            stream.submit(Watch(tickers=(TICKER,)))
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookSnapshot)
            stream.submit(Resubscribe(tickers=(TICKER,), reason="frozen"))
            stream.submit(Unwatch(tickers=(TICKER,)))
            while len(venue.commands) < 7:
                await asyncio.sleep(0)
            stream.stop()
            await running
        updates = [command for command in venue.commands if isinstance(command, UpdateSubscription)]
        assert [command.params.action for command in updates] == ["get_snapshot"] + ["delete_markets"] * 3

    run(body())


def test_what_is_wanted_in_one_turn_is_said_at_once_and_in_order() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            door.say(transport, frame("subscribed", {"channel": "orderbook_delta", "sid": 1}), snapshot(1))

    async def body() -> None:
        inbox = ListInbox()
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, Session())
            for name in (TICKER, "B", "C"):
                stream.submit(Watch(tickers=(name,)))
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookSnapshot)
            before = len(venue.commands)
            for name in (TICKER, "B", TICKER):
                stream.submit(Resubscribe(tickers=(name,), reason="gap"))
            stream.submit(Unwatch(tickers=("B",)))
            stream.submit(Unwatch(tickers=("C",)))
            stream.submit(Resubscribe(tickers=(TICKER,), reason="frozen"))
            while len(venue.commands) < before + 3:
                await asyncio.sleep(0)
            stream.stop()
            await running
        (opened,) = (command for command in venue.commands if is_for_markets(command))
        assert isinstance(opened, Subscribe)
        assert opened.params.market_tickers == (TICKER, "B", "C")
        updates = [command.params for command in venue.commands[before:] if isinstance(command, UpdateSubscription)]
        assert [(params.action, params.market_tickers) for params in updates] == [
            ("get_snapshot", (TICKER, "B")),
            ("delete_markets", ("B", "C")),
            ("get_snapshot", (TICKER,)),
        ]

    run(body())


def test_full_inbox_ends_the_connection_and_loses_the_books() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            door.say(transport, snapshot(1))

    async def body() -> None:
        inbox, session = ListInbox(room=1), Session()
        session.watch([TICKER])
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, session)
            running = asyncio.create_task(stream.run())
            while not inbox.refused:
                await asyncio.sleep(0)
            stream.stop()
            inbox.room = 100
            await running
        down, lost = inbox.events[1:3]
        assert isinstance(down, StreamChanged)
        assert down.reason == "the inbox was full"
        assert isinstance(lost, BookLost)

    run(body())


def test_a_silence_loses_the_books_and_then_the_connection() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            ack = frame("subscribed", {"channel": "orderbook_delta", "sid": 1})
            door.say(transport, ack, snapshot(1))

    async def body() -> None:
        inbox, session, clock = ListInbox(), Session(), JumpingClock()
        session.watch([TICKER])
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, session, clock=clock)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookSnapshot)
            clock.instant_ns += 10 * SECOND_NS
            await inbox.wait_for(BookLost)
            (batch,) = [batch for batch in inbox.batches if any(isinstance(event, BookLost) for event in batch)]
            assert batch == [
                BookLost(ticker=TICKER, reason="silent", recv_ns=clock.instant_ns),
                BatchEnded(recv_ns=clock.instant_ns),
            ]
            clock.instant_ns += 10 * SECOND_NS
            await inbox.wait_for(BookSnapshot, 2)
            stream.stop()
            await running
        downs = [event for event in inbox.events if isinstance(event, StreamChanged) and not event.is_up]
        assert downs[0].reason == "the stream was silent or late"

    run(body())


def test_ended_subscription_makes_a_new_connection() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            ack = frame("subscribed", {"channel": "orderbook_delta", "sid": 1})
            overflow = frame("error", {"code": 25, "msg": "subscription buffer overflow"}, sid=1)
            door.say(transport, ack, snapshot(1), overflow)

    async def body() -> None:
        inbox, session = ListInbox(), Session()
        session.watch([TICKER])
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, session)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookSnapshot, 2)
            stream.stop()
            await running
        downs = [event for event in inbox.events if isinstance(event, StreamChanged) and not event.is_up]
        assert downs[0].reason == "the venue ended a subscription"

    run(body())


def test_message_in_pieces_is_one_frame() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            data = snapshot(1)
            transport.underlying_transport.write(raw_frame(0x01, data[:20]) + raw_frame(0x00, data[20:40]))
            transport.underlying_transport.write(raw_frame(0x80, data[40:]))

    async def body() -> None:
        inbox, session = ListInbox(), Session()
        session.watch([TICKER])
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, session)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookSnapshot)
            stream.stop()
            await running

    run(body())


def test_nothing_behind_the_venues_goodbye_is_taken() -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            goodbye = raw_frame(0x88, (1001).to_bytes(2, "big"))
            whole = raw_frame(0x81, snapshot(1)) + goodbye + raw_frame(0x81, delta(2))
            transport.underlying_transport.write(whole)

    async def body() -> None:
        inbox, session = ListInbox(), Session()
        session.watch([TICKER])
        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, session)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookLost)
            stream.stop()
            await running
        down = next(event for event in inbox.events if isinstance(event, StreamChanged) and not event.is_up)
        assert down.reason == "closed by the venue: 1001"
        assert not any(isinstance(event, BookDelta) for event in inbox.events)

    run(body())


def test_unreachable_venue_is_one_sentence_when_tries_are_bounded() -> None:
    async def body() -> None:
        stream = stream_to("ws://127.0.0.1:9/", ListInbox(), Session(), first_tries=1)
        with pytest.raises(Unreachable, match=r"ws://127\.0\.0\.1:9/ took no connection"):
            await stream.run()

    run(body())


def test_patient_stream_backs_off_from_one_second_to_thirty() -> None:
    async def body() -> None:
        inbox, clock = ListInbox(), JumpingClock()
        stream = stream_to("ws://127.0.0.1:9/", inbox, Session(), clock=clock)
        running = asyncio.create_task(stream.run())
        await inbox.wait_for(StreamChanged, 8)
        stream.stop()
        await running
        waits = clock.slept_ns[:7]
        assert waits[0] == SECOND_NS
        assert all(first <= second for first, second in pairwise(waits[:6]))
        assert 22 * SECOND_NS < max(waits) <= 30 * SECOND_NS
        assert all(not event.is_up for event in inbox.events if isinstance(event, StreamChanged))

    run(body())


@pytest.mark.parametrize(("stands_s", "grows"), [(0, True), (40, False)])
def test_a_venue_that_hangs_up_at_once_is_not_stormed(stands_s: int, grows: bool) -> None:
    async def body() -> None:
        inbox, clock = ListInbox(), JumpingClock()

        def script(door: Door, transport: WSTransport, command: Command) -> None:
            clock.instant_ns += stands_s * SECOND_NS
            transport.disconnect(graceful=False)

        async with StreamVenue(script) as venue:
            stream = stream_to(venue.url, inbox, Session(), clock=clock)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(StreamChanged, 16)
            stream.stop()
            await running
        waits = clock.slept_ns[:6]
        assert waits == sorted(waits)
        assert waits[0] == SECOND_NS
        assert waits[-1] > 20 * SECOND_NS if grows else waits[-1] == SECOND_NS

    run(body())


def test_each_change_of_the_stream_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    def script(door: Door, transport: WSTransport, command: Command) -> None:
        if is_for_markets(command):
            door.say(transport, snapshot(1))

    async def body() -> None:
        inbox, session = ListInbox(), Session()
        session.watch([TICKER])
        venue = StreamVenue(script)
        async with venue:
            stream = stream_to(venue.url, inbox, session)
            running = asyncio.create_task(stream.run())
            await inbox.wait_for(BookSnapshot)
        await inbox.wait_for(StreamChanged, 6)
        venue.port = int(venue.url.split(":")[2].partition("/")[0])
        async with venue:
            await inbox.wait_for(BookSnapshot, 2)
            stream.stop()
            await running

    with caplog.at_level(logging.INFO, logger="fairstrike"):
        run(body())
    told = [record.levelno for record in caplog.records if record.name.startswith("fairstrike.")]
    assert told == [logging.INFO, logging.WARNING, logging.INFO]


def test_stream_carries_out_nothing_else() -> None:
    stream = stream_to("ws://127.0.0.1:9/", ListInbox(), Session())
    with pytest.raises(AssertionError):
        stream.submit(Ask(what="orders"))


def test_a_refused_handshake_is_a_typed_refusal() -> None:
    body = {"error": {"code": "authentication_error", "message": "no", "details": "INVALID_PARAMETER"}}

    async def check() -> None:
        async with ScriptedVenue([(401, body)]) as venue:
            url = venue.origin.replace("http", "ws") + "/trade-api/ws/v2"
            with pytest.raises(KeyUnknown):
                await stream_to(url, ListInbox(), Session(), first_tries=3).run()
        assert len(venue.asked) == 1

    run(check())


def test_a_first_connection_is_tried_again_while_the_venue_fails() -> None:
    async def check() -> None:
        clock = JumpingClock()
        async with ScriptedVenue([(503, b""), (429, b""), (502, b"")]) as venue:
            url = venue.origin.replace("http", "ws") + "/trade-api/ws/v2"
            with pytest.raises(VenueDown):
                await stream_to(url, ListInbox(), Session(), first_tries=3, clock=clock).run()
        assert len(venue.asked) == 3
        assert len(clock.slept_ns) == 2

    run(check())
