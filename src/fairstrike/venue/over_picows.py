"""A shell: a WebSocket held by picows, whose callbacks run inside the read of the socket."""

import asyncio
from collections.abc import Mapping

from picows import WSError, WSFrame, WSInvalidStatusError, WSListener, WSMsgType, WSTransport, ws_connect

from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.connection import BY_VENUE, HandshakeAnswered, Listener, NoConnection, Params


async def hold(url: str, headers: Mapping[str, str], listener: Listener, params: Params) -> str:
    """Hold one connection until it ends; give why it ended. Raises as `connection.hold` does."""
    ear = _Ear(listener, params)
    try:
        transport, _ = await ws_connect(
            lambda: ear,
            url,
            extra_headers=dict(headers),
            websocket_handshake_timeout=params.handshake_ns / SECOND_NS,
            enable_auto_ping=True,
            auto_ping_idle_timeout=params.ping_every_ns / SECOND_NS,
            auto_ping_reply_timeout=params.pong_within_ns / SECOND_NS,
            max_frame_size=params.message_bytes_max,
            max_redirects=0,
        )
    except WSInvalidStatusError as error:
        status = 0 if error.response is None else error.response.status
        raise HandshakeAnswered(status, error.raw_body or b"") from None
    except (WSError, OSError, TimeoutError) as error:
        raise NoConnection(str(error) or type(error).__name__) from None
    try:
        await transport.wait_disconnected()
    except (WSError, OSError) as error:
        return ear.reason or str(error) or type(error).__name__
    finally:
        transport.disconnect(graceful=False)
    return ear.reason or BY_VENUE


class _Ear(WSListener):
    """Joins frames to messages, and tells where a read ends. It is the line too."""

    def __init__(self, listener: Listener, params: Params) -> None:
        super().__init__()
        self.reason = ""
        self._listener = listener
        self._heard = listener.heard
        self._bytes_max = params.message_bytes_max
        self._transport: WSTransport | None = None
        self._partial = bytearray()
        self._is_reading = self._is_over = False

    def say(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, data)

    def close(self, reason: str) -> None:
        self._is_over = True
        self.reason = self.reason or reason
        if self._transport is not None:
            self._transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._listener.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._is_over:
            return
        if not self._is_reading:
            self._is_reading = True
            if not frame.last_in_buffer:
                # The last frame of the read may be a ping, which is answered before it gets here.
                asyncio.get_running_loop().call_soon(self._end_read)
        kind = frame.msg_type
        if kind in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            data = frame.get_payload_as_bytes()
            if not frame.fin or self._partial:
                data = self._joined(data, is_last=frame.fin)
            if data:
                self._heard(data)
        elif kind is WSMsgType.CLOSE:
            self.close(f"closed by the venue: {frame.get_close_code()}")
        if frame.last_in_buffer or self._is_over:
            self._end_read()

    def _end_read(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._listener.read_ended()

    def _joined(self, data: bytes, *, is_last: bool) -> bytes:
        self._partial += data
        if len(self._partial) > self._bytes_max:
            self.close("a message was longer than any should be")
            self._partial.clear()
        if not is_last:
            return b""
        whole = bytes(self._partial)
        self._partial.clear()
        return whole
