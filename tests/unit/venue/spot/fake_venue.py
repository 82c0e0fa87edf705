"""A spot venue on a loopback socket: keeps what it is told, says what a test wants, and hangs up on request."""

import asyncio
from collections.abc import Callable
from types import TracebackType

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

Greeting = Callable[["FakeVenue", WSTransport], None]


class FakeVenue:
    """`greet` is called with each new connection; `heard` holds the texts of all of them.

    A connection that `refuse` says yes to is ended before it came about.
    """

    def __init__(
        self, greet: Greeting = lambda venue, door: None, refuse: Callable[["FakeVenue"], bool] = lambda venue: False
    ) -> None:
        self.greet = greet
        self.refuse = refuse
        self.heard: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.doors: list[WSTransport] = []
        self.host = ""
        self._changed = asyncio.Event()

    async def __aenter__(self) -> "FakeVenue":
        self._server = await ws_create_server(self._greet, "127.0.0.1", 0)
        self.host = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for door in self.doors:
            door.disconnect(graceful=False)
        await asyncio.sleep(0)

    def say(self, *frames: bytes) -> None:
        """Say something on the newest connection."""
        for frame in frames:
            self.doors[-1].send(WSMsgType.TEXT, frame)

    def changed(self) -> None:
        self._changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that only happens when a connection comes or says something."""
        async with asyncio.timeout(10):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    def _greet(self, request: WSUpgradeRequest) -> "_Door | None":
        if self.refuse(self):
            return None
        self.paths.append(request.path.decode())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return _Door(self)


class _Door(WSListener):
    def __init__(self, venue: FakeVenue) -> None:
        super().__init__()
        self._venue = venue

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._venue.doors.append(transport)
        self._venue.greet(self._venue, transport)
        self._venue.changed()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self._venue.heard.append(frame.get_payload_as_bytes())
            self._venue.changed()
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
