"""A venue that only sends: markets of the exchange in a box, and a stream of their deltas made before it is asked for.

`python -m bench.sending FOLDER DELTAS STRIKES` prints an announcement and then takes orders on its standard input, one
line each: so many deltas at so many a second (0: as fast as they are taken) for the next client to subscribe. Commands
and requests are answered by a box that stands still; when a client has subscribed and is quiet, what the same markets
did afterwards is sent, numbered to follow, stamped with the instant it is sent at. Each order is answered by one line.
"""

import asyncio
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from itertools import cycle
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from bench.fanning import LIVELY
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS, VenueClock
from fairstrike.exchange.administration import KeyType
from fairstrike.exchange.announcement import AccountKey, Admin, Announcement
from fairstrike.exchange.api.call import BoxRequest, BoxResponse
from fairstrike.exchange.box import Box, BoxParams
from fairstrike.exchange.files import write_new_key
from fairstrike.exchange.framing import join
from fairstrike.exchange.streaming import BOOK, INDEX, TICKER, TRADE, Streams
from fairstrike.exchange.verification import Keyring
from fairstrike.exchange.worlds import START_NS, World, WorldParams
from fairstrike.venue.kalshi.subscriptions import INDEX_IDS
from fairstrike.venue.kalshi.wire.commands import Subscribe, SubscribeParams, encode_command
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, STREAM_PATH

DELTA = "orderbook_delta"
_SEED, _ACCOUNT, _KEY_ID = 1, "client", "bench"
_BEGIN_NS = START_NS + 5 * SECOND_NS
_STEP_NS = 2 * MILLISECOND_NS
_QUIET_SECONDS, _PRINT_SECONDS = 1.0, 0.1
_FLOOD_DELTAS, _FLOOD_SECOND_DELTAS = 200, 20_000
_STAMP = re.compile(rb"(?<=[:\"])\d{13}(?=[,}])")
_CHANNELS = {DELTA: BOOK, "ticker": TICKER, "trade": TRADE, INDEX: INDEX}
_SECONDS_TO_SEND = 120.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: so many deltas, so many a second (0: as fast as they are taken)."""

    deltas: int
    rate: int


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent, in how many seconds, and how many of them the sender's processor was busy."""

    deltas: int
    frames: int
    seconds: float
    processor_seconds: float


class Sender:
    """A sender in a process of its own, and its address."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until it is ready."""
        self._process = process
        self.announcement = msgspec.json.decode(self._line(), type=Announcement)

    def order(self, order: Order) -> None:
        """Say what the next client is to be sent."""
        assert self._process.stdin is not None, "the input is a pipe"
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()

    def sent(self) -> Sent:
        """Wait for the end of what was ordered."""
        return msgspec.json.decode(self._line(), type=Sent)

    def _line(self) -> bytes:
        assert self._process.stdout is not None, "the output is a pipe"
        return self._process.stdout.readline()


@contextmanager
def sending(folder: Path, deltas: int, strikes: int) -> Iterator[Sender]:
    """A sender for the length of a block, with so many deltas made of so many strikes."""
    command = [sys.executable, "-m", "bench.sending", str(folder), str(deltas), str(strikes)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Sender(process)
    finally:
        process.kill()
        process.wait()


class _Frame(msgspec.Struct, frozen=True):
    type: str
    msg: msgspec.Raw = msgspec.Raw(b"{}")
    sid: int | None = None
    seq: int | None = None


_Moment = list[_Frame]
"""What happened at one instant of the venue: a match is several frames, and no book in the middle of one is sent."""


class _Opened(msgspec.Struct, frozen=True):
    channel: str
    sid: int


class _Numbers:
    """The subscriptions of one connection as they were told: each channel's sid, each sid's last number."""

    def __init__(self) -> None:
        self._sids: dict[str, int] = {}
        self._last: dict[int, int] = {}
        self.books = 0

    def note(self, data: bytes) -> None:
        frame = _decode(data)
        self.books += frame.type == "orderbook_snapshot"
        if frame.type == "subscribed":
            opened = msgspec.json.decode(frame.msg, type=_Opened)
            self._sids[opened.channel] = opened.sid
        if frame.sid is not None and frame.seq is not None:
            self._last[frame.sid] = frame.seq

    def next(self, frame: _Frame) -> bytes | None:
        """Give a frame made elsewhere as this connection's next; None for a channel that it has not opened."""
        sid = self._sids.get(_CHANNELS[frame.type])
        if sid is None:
            return None
        head = f'{{"type":"{frame.type}","sid":{sid},'
        if frame.seq is not None:
            seq = self._last[sid] = self._last.get(sid, 0) + 1
            head += f'"seq":{seq},'
        return head.encode() + b'"msg":' + bytes(frame.msg) + b"}"


class _Write:
    """The bytes of one write, where its stamps stand in them, and what is in it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.stamps: list[int] = []
        self.frames = self.deltas = 0

    def add(self, frame: bytes, *, is_delta: bool) -> None:
        whole = join((frame,))
        begin = len(self.data) + len(whole) - len(frame)
        self.stamps += [begin + found.start() for found in _STAMP.finditer(frame)]
        self.data += whole
        self.frames += 1
        self.deltas += is_delta

    def stamp(self, venue_ns: int) -> None:
        digits = b"%013d" % (venue_ns // MILLISECOND_NS)
        for place in self.stamps:
            self.data[place : place + 13] = digits


_decode = msgspec.json.Decoder(_Frame).decode


def _made(params: WorldParams, deltas: int) -> tuple[list[_Moment], list[_Frame]]:
    """Make what the markets do after `_BEGIN_NS`, book, ticker and trade frames by moment, and the index's apart."""
    world = World(seed=_SEED, params=params)
    streams = Streams(world.floor)
    now_ns = _BEGIN_NS
    world.advance(now_ns)
    streams.publish(world.floor.drain(), now_ns)
    tickers = tuple(view.contract.ticker for view in world.floor.markets())
    connection = streams.connect(_ACCOUNT)
    opening = (
        SubscribeParams(channels=(BOOK, TICKER, TRADE), market_tickers=tickers),
        SubscribeParams(channels=(INDEX,), index_ids=INDEX_IDS),
    )
    for number, channels in enumerate(opening):
        streams.command(connection, encode_command(Subscribe(id=number, params=channels)))
    streams.frames(connection)
    moments: list[_Moment] = []
    prints: list[_Frame] = []
    count = 0
    while count < deltas:
        now_ns += _STEP_NS
        world.advance(now_ns)
        streams.publish(world.floor.drain(), now_ns)
        moment = [_decode(data) for data in streams.frames(connection)]
        prints += [frame for frame in moment if frame.type == INDEX]
        moments.append([frame for frame in moment if frame.type != INDEX])
        count += sum(frame.type == DELTA for frame in moment)
    return moments, prints


class _Venue:
    """The sockets: requests and commands to the box, and the stream to whoever subscribed."""

    def __init__(self, folder: Path, deltas: int, strikes: int) -> None:
        params = msgspec.structs.replace(LIVELY, strikes=strikes)
        self._moments, self._prints = _made(params, deltas)
        world = World(seed=_SEED, params=params)
        world.floor.open_account(_ACCOUNT, key_id=_KEY_ID, balance_ud=10**9)
        keyring = Keyring()
        self._key_path = folder / "sender.pem"
        keyring.add(_KEY_ID, _ACCOUNT, write_new_key(self._key_path, KeyType.RSA))
        # All that is followed: the 15-minute market opens later.
        self._books = sum(view.contract.is_struck for view in world.floor.markets())
        self._box = Box(world, keyring, BoxParams(tier=None))
        self._box.advance(_BEGIN_NS)
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._clock = VenueClock()

    async def run(self) -> None:
        """Announce, and serve until the input ends."""
        runner = web.ServerRunner(web.Server(self._attend))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        place = f"127.0.0.1:{runner.addresses[0][1]}"
        self._clock = VenueClock(anchor_venue_ns=_BEGIN_NS, anchor_system_ns=time.time_ns())
        account = AccountKey(name=_ACCOUNT, key_id=_KEY_ID, private_key=str(self._key_path), balance="0")
        _say(
            Announcement(
                rest=f"http://{place}{BASE_PATH}",
                ws=f"ws://{place}{STREAM_PATH}",
                clock=self._clock,
                accounts=(account,),
                admin=Admin(url=f"http://{place}/admin", token=""),
                seed=_SEED,
            )
        )
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
            self._orders.put_nowait(msgspec.json.decode(line, type=Order))

    async def _attend(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path == STREAM_PATH:
            return await self._stream(request)
        call = BoxRequest(
            method=request.method, path=path, query=query, headers=dict(request.headers), body=await request.read()
        )
        return _http(self._box.answer(call, _BEGIN_NS, _wall_ms()))

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = self._box.connect(request.headers, _wall_ms())
        if isinstance(connection, BoxResponse):
            return _http(connection)
        answer = web.WebSocketResponse(compress=False)
        await answer.prepare(request)
        assert request.transport is not None, "an accepted socket has a transport"
        assert isinstance(request.transport, asyncio.WriteTransport), "a socket can be written to"
        client = _Client(request.transport, self._books)
        speaking = asyncio.create_task(self._speak(client))
        async for message in answer:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
            self._box.command(connection, data, _BEGIN_NS)
            client.answer(self._box.frames(connection))
        if client.is_being_sent:
            # Who has all may go before the sender has said so.
            await speaking
        speaking.cancel()
        self._box.disconnect(connection)
        return answer

    async def _speak(self, client: "_Client") -> None:
        """Print the index until the client has every book and is quiet, then send what was ordered."""
        prints = cycle(self._prints)
        while not client.is_ready:
            await asyncio.sleep(_PRINT_SECONDS)
            write = _Write()
            if (data := client.numbers.next(next(prints))) is not None:
                write.add(data, is_delta=False)
            write.stamp(self._clock.venue_ns(time.time_ns()))
            client.transport.write(bytes(write.data))
        order = await self._orders.get()
        client.is_being_sent = True
        writes = _writes(order, self._moments, prints, client.numbers)
        descriptor = client.transport.get_extra_info("socket").fileno()
        _say(await asyncio.get_running_loop().run_in_executor(None, _send, writes, order.rate, descriptor, self._clock))


class _Client:
    """Who listens: its transport, its subscriptions, and whether it has every book and nothing more to say."""

    def __init__(self, transport: asyncio.WriteTransport, books: int) -> None:
        self.transport = transport
        self._books = books
        self.numbers = _Numbers()
        self._answered_at = time.monotonic()
        self.is_being_sent = False

    @property
    def is_ready(self) -> bool:
        return self.numbers.books >= self._books and time.monotonic() - self._answered_at > _QUIET_SECONDS

    def answer(self, frames: list[bytes]) -> None:
        assert not self.is_being_sent, "who is sent what was made before cannot be answered: its numbers are taken"
        for frame in frames:
            self.numbers.note(frame)
        self.transport.write(join(frames))
        self._answered_at = time.monotonic()


def _writes(order: Order, moments: list[_Moment], prints: Iterator[_Frame], numbers: _Numbers) -> list[_Write]:
    """Give the writes of an order, each of whole moments, and a print of the index with each second's first."""
    share, second = (1, order.rate) if order.rate else (_FLOOD_DELTAS, _FLOOD_SECOND_DELTAS)
    writes, write, left, printed_at = list[_Write](), _Write(), order.deltas, order.deltas
    for moment in moments:
        for frame in moment:
            if left and (data := numbers.next(frame)) is not None:
                write.add(data, is_delta=frame.type == DELTA)
                left -= frame.type == DELTA
        if printed_at - left >= second and (value := numbers.next(next(prints))) is not None:
            write.add(value, is_delta=False)
            printed_at = left
        if write.deltas >= share or not left:
            writes.append(write)
            write = _Write()
        if not left:
            break
    return writes


def _send(writes: list[_Write], rate: int, descriptor: int, clock: VenueClock) -> Sent:
    """Write all of it at its pace, waiting for room where there is none."""
    began, busy = time.monotonic(), time.thread_time()
    deltas = 0
    with socket.socket(fileno=_own(descriptor)) as line:
        for write in writes:
            if rate and (early := began + deltas / rate - time.monotonic()) > 0:
                time.sleep(early)
            write.stamp(clock.venue_ns(time.time_ns()))
            left = memoryview(write.data)
            while left:
                try:
                    left = left[line.send(left) :]
                except BlockingIOError:
                    select.select((), (line,), (), _SECONDS_TO_SEND)
            deltas += write.deltas
    return Sent(
        deltas=deltas,
        frames=sum(write.frames for write in writes),
        seconds=time.monotonic() - began,
        processor_seconds=time.thread_time() - busy,
    )


def _own(descriptor: int) -> int:
    """Give a copy of a socket's descriptor, to be closed by who uses it."""
    return os.dup(descriptor)


def _http(answer: BoxResponse) -> web.Response:
    headers = {"Date": formatdate(time.time(), usegmt=True), **answer.headers}
    return web.Response(status=answer.status, body=answer.body, content_type="application/json", headers=headers)


def _wall_ms() -> int:
    return time.time_ns() // MILLISECOND_NS


def _say(what: msgspec.Struct) -> None:
    print(msgspec.json.encode(what).decode(), flush=True)


def main() -> int:
    """Serve until the input ends."""
    folder, deltas, strikes = sys.argv[1:]
    asyncio.run(_Venue(Path(folder), int(deltas), int(strikes)).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
