"""The exchange on a real port in a thread of its own, and what its loop and its sockets complained of."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from requests.auth import AuthBase

from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.server import ExchangeServer, ServerSettings
from fairstrike.venue.kalshi.signing import Allowed, Signer

ANSWER_SECONDS_MAX = 60.0
START_SECONDS_MAX = 120.0


class _Complaints(logging.Handler):
    """Keeps what is logged, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.said.append(f"{record.name}: {record.getMessage()} {trace}")


class Signed(AuthBase):
    """Signs a prepared request as the first account of the exchange."""

    def __init__(self, announcement: Announcement) -> None:
        account = announcement.accounts[0]
        self._signer = Signer(account.key_id, Path(account.private_key).read_bytes(), Allowed.EVERYTHING)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        path = request.path_url.partition("?")[0]
        request.headers.update(self.headers(request.method or "GET", path))
        return request

    def headers(self, method: str, path: str) -> dict[str, str]:
        """The headers of a request, path from the root, signed now."""
        return self._signer.sign(method, path, time_ns() // 1_000_000)


class Serving:
    """A stepped exchange that takes every request: its addresses, and what it complained of."""

    def __init__(self, announcement: Announcement, complaints: list[str]) -> None:
        self.announcement = announcement
        self.complaints = complaints
        self.signed = Signed(announcement)
        self._bearer = {"Authorization": f"Bearer {announcement.admin.token}"}

    def connected(self) -> socket.socket:
        """A connection that has said nothing yet."""
        return socket.create_connection(("127.0.0.1", urlsplit(self.announcement.rest).port), ANSWER_SECONDS_MAX)

    def talk(self, data: bytes, *, is_all: bool = False) -> bytes:
        """What the exchange says on a connection of its own until it closes it.

        With `is_all` our half is closed after the bytes, so that it does not wait for more.
        """
        with self.connected() as connection:
            connection.sendall(data)
            if is_all:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def get(self, path: str, **query: str | int) -> Any:
        """The body of a signed GET that must succeed."""
        answer = requests.get(self.announcement.rest + path, params=query, auth=self.signed, timeout=ANSWER_SECONDS_MAX)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def step(self, seconds: float) -> None:
        """Let venue time pass."""
        url = f"{self.announcement.admin.url}/step"
        answer = requests.post(url, json={"seconds": seconds}, headers=self._bearer, timeout=60)
        assert answer.status_code == 200, answer.text

    def state(self) -> Any:
        """What the administration shows of the world."""
        url = f"{self.announcement.admin.url}/state"
        return requests.get(url, headers=self._bearer, timeout=ANSWER_SECONDS_MAX).json()


async def _serve(server: ExchangeServer, ready: threading.Event, told: list[Announcement]) -> None:
    told.append(await server.start())
    ready.set()
    try:
        await server.run()
    finally:
        await server.close()


@contextmanager
def serving(folder: Path, **changes: object) -> Iterator[Serving]:
    """An exchange for the length of a block. `changes` are of its `ServerSettings`."""
    plain = ServerSettings(folder=folder / "keys", is_stepped=True, box=BoxParams(tier=None))
    server = ExchangeServer(msgspec.structs.replace(plain, **changes))
    ready, told, complaints = threading.Event(), list[Announcement](), _Complaints()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(server, ready, told),), name="exchange")
    logging.getLogger().addHandler(complaints)
    thread.start()
    try:
        assert ready.wait(START_SECONDS_MAX), "the exchange did not start"
        yield Serving(told[0], complaints.said)
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(START_SECONDS_MAX)
        loop.close()
        logging.getLogger().removeHandler(complaints)
