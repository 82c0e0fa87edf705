"""A shell: one WebSocket at a time, bytes in and out. All that the spot venues know of sockets is here."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from fairstrike.core.timing import SECOND_NS


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a handshake, a quiet line and a ping's answer may take, and the longest message."""

    handshake_ns: int = 10 * SECOND_NS
    ping_every_ns: int = 30 * SECOND_NS
    pong_within_ns: int = 10 * SECOND_NS
    message_bytes_max: int = 64 * 1024 * 1024


class Listener(Protocol):
    """Who is at our end of a connection."""

    def opened(self, say: Callable[[bytes], None]) -> None:
        """Begin: `say` sends text until the connection ends."""
        ...

    def heard(self, data: bytes) -> None:
        """Take one whole message."""
        ...


class Connection:
    """Holds one connection after the other."""

    def __init__(self, params: Params) -> None:
        """Take the bounds."""
        self._params = params
        self._transport: WSTransport | None = None
        self._reason = ""

    async def hold(self, url: str, headers: Mapping[str, str], listener: Listener) -> str:
        """Hold one connection until it ends; give why it ended, or why there was none."""
        params = self._params
        self._reason = ""
        try:
            transport, _ = await ws_connect(
                lambda: _Ear(self, listener, params.message_bytes_max),
                url,
                extra_headers=dict(headers),
                websocket_handshake_timeout=params.handshake_ns / SECOND_NS,
                enable_auto_ping=True,
                auto_ping_idle_timeout=params.ping_every_ns / SECOND_NS,
                auto_ping_reply_timeout=params.pong_within_ns / SECOND_NS,
                max_frame_size=params.message_bytes_max,
                max_redirects=0,
            )
        except (WSError, OSError, TimeoutError) as error:
            return f"no connection ({str(error) or type(error).__name__})"
        try:
            await transport.wait_disconnected()
        except (WSError, OSError) as error:
            return self._reason or str(error) or type(error).__name__
        finally:
            self._transport = None
            transport.disconnect(graceful=False)
        return self._reason or "closed by the venue"

    def close(self, reason: str) -> None:
        """End the connection that is held or being made, if one is."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.disconnect()

    def began(self, transport: WSTransport) -> Callable[[bytes], None]:
        """Note a connection that came about; give how to speak on it. For the ear."""
        self._transport = transport
        if self._reason:  # it was ended before it came about
            transport.disconnect()
        return lambda text: transport.send(WSMsgType.TEXT, text)


class _Ear(WSListener):
    """Joins frames to messages."""

    def __init__(self, connection: Connection, listener: Listener, message_bytes_max: int) -> None:
        super().__init__()
        self._connection = connection
        self._listener = listener
        self._bytes_max = message_bytes_max
        self._partial = bytearray()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._listener.opened(self._connection.began(transport))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is WSMsgType.CLOSE:
            self._connection.close(f"closed by the venue: {frame.get_close_code()}")
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            data = frame.get_payload_as_bytes()
            if frame.fin and not self._partial:
                self._listener.heard(data)
                return
            self._partial += data
            if len(self._partial) > self._bytes_max:
                self._connection.close("a message was longer than any should be")
                self._partial.clear()
            elif frame.fin:
                whole = bytes(self._partial)
                self._partial.clear()
                self._listener.heard(whole)
