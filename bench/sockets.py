"""Bare clients for loads: HTTP and WebSocket with no more work than it takes to count what comes back."""

import asyncio
import re
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from fairstrike.core.timing import VenueClock
from fairstrike.exchange.announcement import Announcement

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_STAMP = re.compile(rb'"ts_ms":(\d+)')
_DELTA = b'{"type":"orderbook_delta"'
_SAMPLED = 20


def request_bytes(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Give a whole HTTP request."""
    named = {"Host": "127.0.0.1", **headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def port_of(announcement: Announcement) -> int:
    """Give the exchange's port."""
    port = urlsplit(announcement.rest).port
    assert port is not None, "the exchange names its port"
    return port


async def post_all(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, list[float]]:
    """Send every request over so many connections, on each one after the other's answer.

    Gives the seconds it took and each request's own milliseconds. All must be answered by 201.
    """
    waiting, taken = iter(requests), list[float]()

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 201 "), head
            found = _LENGTH.search(head)
            assert found is not None, "answers say how long they are"
            await reader.readexactly(int(found[1]))
            taken.append((time.perf_counter() - began) * 1_000)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.perf_counter() - began, taken


class Reader(asyncio.Protocol):
    """A stream that counts its deltas and notes the age of every twentieth, in milliseconds of the machine's time."""

    def __init__(self, clock: VenueClock, hello: Sequence[bytes]) -> None:
        """Say `hello` once connected: the handshake and commands."""
        self.deltas = 0
        self.ages_ms: list[float] = []
        self._clock = clock
        self._hello = hello
        self._rest = b""
        self._is_open = False

    def itself(self) -> "Reader":
        """Give this reader: what a loop asks for when it connects."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        assert isinstance(transport, asyncio.WriteTransport), "a socket can be written to"
        transport.writelines(self._hello)

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        now_ns = time.time_ns()
        data = self._rest + data
        place = 0
        if not self._is_open:
            assert data.startswith(b"HTTP/1.1 101 "), data[:200]
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            self._is_open, place = True, end + 4
        size_of, total = _frame, len(data)
        while place < total:
            start, end = size_of(data, place)
            if end > total:
                break
            if data.startswith(_DELTA, start):
                self.deltas += 1
                if self.deltas % _SAMPLED == 0:
                    self._note(data, start, end, now_ns)
            place = end
        self._rest = data[place:]

    def _note(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        found = _STAMP.search(data, start, end)
        assert found is not None, "deltas carry their instant"
        clock = self._clock
        venue_ns = int(found[1]) * 1_000_000 - clock.anchor_venue_ns
        self.ages_ms.append((now_ns - clock.anchor_system_ns - venue_ns / clock.factor) / 1e6)


def _frame(data: bytes, place: int) -> tuple[int, int]:
    """Give where a frame's payload begins and ends, beyond the data when it is not whole."""
    left = len(data) - place
    if left < 2:
        return place, len(data) + 1
    size = data[place + 1]
    if size < 126:
        return place + 2, place + 2 + size
    if size == 126:
        if left < 4:
            return place, len(data) + 1
        return place + 4, place + 4 + int.from_bytes(data[place + 2 : place + 4], "big")
    if left < 10:
        return place, len(data) + 1
    return place + 10, place + 10 + int.from_bytes(data[place + 2 : place + 10], "big")
