"""The served exchange under load from another process: orders over HTTP, and deltas to many streams."""

import asyncio
import tempfile
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.boxing import ORDERS_PATH, order_body
from bench.measuring import Figure, Progress, Scale
from bench.served import Served, served
from bench.sockets import Reader, port_of, post_all, request_bytes
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.exchange.liquidity import CENT_TICKS
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.commands import Subscribe, SubscribeParams, encode_command
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, STREAM_PATH

ORDERS = "signed orders over HTTP, checked (wall time)"
DELTAS = "deltas delivered to streams (wall time)"

CONNECTIONS = (1, 8, 32)
STREAMS = ((1, 4), (10, 4), (50, 2))
"""How many streams, and how many venue seconds a second: the more streams, the calmer the markets."""

_STRIKES = 600
_WARM_SECONDS = 2.0
_LEVELS = 10


class Exchange:
    """What a load needs to know of a served exchange."""

    def __init__(self, server: Served) -> None:
        """Read the key."""
        announcement = server.announcement
        self.server = server
        self.port = port_of(announcement)
        self.clock = announcement.clock
        account = announcement.accounts[0]
        self._signer = Signer(account.key_id, Path(account.private_key).read_bytes(), Allowed.EVERYTHING)

    def signed(self, method: str, path: str) -> dict[str, str]:
        """Give headers signed now."""
        return self._signer.sign(method, path, time.time_ns() // MILLISECOND_NS)

    async def tickers(self) -> tuple[str, ...]:
        """Give the markets."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request_bytes("GET", f"{BASE_PATH}/markets?limit=1000", {"Connection": "close"}, b""))
        body = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        return tuple(row["ticker"] for row in msgspec.json.decode(body)["markets"])

    def hello(self, tickers: Sequence[str]) -> tuple[bytes, bytes]:
        """Give a handshake and the command that opens the books."""
        key = b64encode(b"0123456789abcdef").decode()
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        named = upgrade | {"Sec-WebSocket-Key": key} | self.signed("GET", STREAM_PATH)
        params = SubscribeParams(channels=("orderbook_delta",), market_tickers=tuple(tickers))
        command = encode_command(Subscribe(id=1, params=params))
        # A mask of zeros leaves the payload as it is.
        head = b"\x81\xfe" + len(command).to_bytes(2, "big") + b"\0\0\0\0"
        return request_bytes("GET", STREAM_PATH, named, b""), head + command


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give orders a second by concurrency, and deltas a second and their ages by number of streams."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        with served(Path(folder)) as server:
            found += asyncio.run(_orders(Exchange(server), scale, progress))
        for streams, speed in STREAMS:
            progress.step(f"deltas to {streams} streams")
            with served(Path(folder), speed=speed, strikes=_STRIKES) as server:
                found += asyncio.run(_deltas(Exchange(server), streams, scale))
    return found


async def _orders(exchange: Exchange, scale: Scale, progress: Progress) -> list[Figure]:
    tickers = (await exchange.tickers())[:-1]
    rates: dict[int, list[float]] = {connections: [] for connections in CONNECTIONS}
    middles: dict[int, list[float]] = {connections: [] for connections in CONNECTIONS}
    spent: dict[int, list[float]] = {connections: [] for connections in CONNECTIONS}
    for number in range(-1, scale.rounds):
        for connections in CONNECTIONS:
            progress.step(f"orders over {connections} connections, round {max(number, 0) + 1} of {scale.rounds}")
            # Signed before they are sent, and soon enough to be young when they are.
            requests = [
                request_bytes(
                    "POST",
                    ORDERS_PATH,
                    exchange.signed("POST", ORDERS_PATH),
                    order_body(tickers[order % len(tickers)], (1 + order % _LEVELS) * CENT_TICKS),
                )
                for order in range(scale.orders)
            ]
            spent_s = exchange.server.processor_s()
            seconds, taken = await post_all(exchange.port, requests, connections)
            if number >= 0:
                rates[connections].append(scale.orders / seconds)
                spent[connections].append(scale.orders / _spent_s(exchange, spent_s))
                middles[connections].append(sorted(taken)[len(taken) // 2])
    return [
        figure
        for connections in CONNECTIONS
        for figure in (
            _figure(ORDERS, f"{connections} at a time", "/s", rates[connections]),
            _figure(ORDERS, f"{connections} at a time, an answer", "ms", middles[connections]),
            _figure(ORDERS, f"{connections} at a time, by the server's processor", "/s", spent[connections]),
        )
    ]


async def _deltas(exchange: Exchange, streams: int, scale: Scale) -> list[Figure]:
    tickers = await exchange.tickers()
    loop = asyncio.get_running_loop()
    readers = []
    for _ in range(streams):
        reader = Reader(exchange.clock, exchange.hello(tickers))
        await loop.create_connection(reader.itself, "127.0.0.1", exchange.port)
        readers.append(reader)
    await asyncio.sleep(_WARM_SECONDS)
    rates, spent, middles, ends = [], [], [], []
    for _ in range(scale.rounds):
        for reader in readers:
            reader.deltas, reader.ages_ms = 0, []
        began, spent_s = time.perf_counter(), exchange.server.processor_s()
        await asyncio.sleep(scale.stream_seconds)
        seconds, spent_s = time.perf_counter() - began, _spent_s(exchange, spent_s)
        ages = sorted(age for reader in readers for age in reader.ages_ms)
        assert ages, "deltas came"
        deltas = sum(reader.deltas for reader in readers)
        rates.append(deltas / seconds)
        spent.append(deltas / spent_s)
        middles.append(ages[len(ages) // 2])
        ends.append(ages[len(ages) * 99 // 100])
    return [
        _figure(DELTAS, f"{streams} streams", "/s", rates),
        _figure(DELTAS, f"{streams} streams, by the server's processor", "/s", spent),
        _figure(DELTAS, f"{streams} streams, age of a delta", "ms", middles),
        _figure(DELTAS, f"{streams} streams, age, 99th percentile", "ms", ends),
    ]


def _spent_s(exchange: Exchange, since_s: float) -> float:
    """Give the processor's seconds since, at least the hundredth that the system counts in."""
    return max(exchange.server.processor_s() - since_s, 0.01)


def _figure(section: str, name: str, unit: str, runs: Sequence[float]) -> Figure:
    return Figure(section=section, name=name, unit=unit, runs=tuple(runs))
