"""A shell: a WebSocket held by aiohttp's client, the fallback. Messages that are ready at once count as one read."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace

import aiohttp

from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.connection import BY_VENUE, HandshakeAnswered, Listener, NoConnection, Params

_DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
_GOODBYE_SECONDS = 1.0
_AT_ONCE_MAX = 256
"""A stream that is always ready must still be handed over."""


async def hold(url: str, headers: Mapping[str, str], listener: Listener, params: Params) -> str:
    """Hold one connection until it ends; give why it ended. Raises as `connection.hold` does."""
    answered = _Answered()
    tracing = aiohttp.TraceConfig()
    tracing.on_request_end.append(answered)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[tracing]) as http:
        try:
            async with asyncio.timeout(params.handshake_ns / SECOND_NS):
                socket = await http.ws_connect(
                    url,
                    headers=dict(headers),
                    heartbeat=params.ping_every_ns / SECOND_NS,
                    max_msg_size=params.message_bytes_max,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE_SECONDS),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise HandshakeAnswered(error.status, answered.body) from None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NoConnection(str(error) or type(error).__name__) from None
        return await _Line(socket, listener).run()


class _Answered:
    """Keeps the body of a handshake that was answered otherwise: the library drops it with the connection."""

    def __init__(self) -> None:
        self.body = b""

    async def __call__(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, ended: aiohttp.TraceRequestEndParams
    ) -> None:
        if ended.response.status != 101:
            self.body = await ended.response.read()


class _Line:
    """Our end: a reader, and a writer behind a queue because the library's sending waits."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, listener: Listener) -> None:
        self._socket = socket
        self._listener = listener
        self._unsaid: asyncio.Queue[bytes] = asyncio.Queue()
        self._over = asyncio.Event()
        self._reason = ""
        self._told = 0

    def say(self, data: bytes) -> None:
        self._unsaid.put_nowait(data)

    def close(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._over.set()

    async def run(self) -> str:
        """Read and write until the end; give why it ended."""
        working: list[asyncio.Task[object]] = []
        try:
            self._listener.opened(self)
            working += [asyncio.create_task(work) for work in (self._read(), self._write(), self._over.wait())]
            done, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except OSError as error:
            self.close(str(error) or type(error).__name__)
        finally:
            for task in working:
                task.cancel()
            await self._socket.close()
        return self._reason

    async def _read(self) -> None:
        """Tell messages. Receiving lets nothing else happen while one is ready: those up to a wait are one read."""
        loop = asyncio.get_running_loop()
        while not self._over.is_set():
            message = await self._socket.receive()
            if not self._told:
                loop.call_soon(self._end_read)
            self._told += 1
            self._take(message)
            if self._told >= _AT_ONCE_MAX or self._over.is_set():
                self._end_read()
                await asyncio.sleep(0)

    def _end_read(self) -> None:
        if self._told:
            self._told = 0
            self._listener.read_ended()

    def _take(self, message: aiohttp.WSMessage) -> None:
        if message.type in _DATA:
            self._listener.heard(message.data.encode() if isinstance(message.data, str) else message.data)
        elif message.type is aiohttp.WSMsgType.CLOSE:
            self.close(f"closed by the venue: {message.data}")
        elif message.type is aiohttp.WSMsgType.ERROR:
            self.close(str(message.data) or type(message.data).__name__)
        else:
            self.close(BY_VENUE)

    async def _write(self) -> None:
        while True:
            await self._socket.send_str((await self._unsaid.get()).decode())
