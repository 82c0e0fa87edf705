"""One stream of a served exchange, frame by frame: what is right and what is wrong. Source: RFC 6455."""

import json
import socket
import struct
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from tests.fuzz.serving import ANSWER_SECONDS_MAX, Serving

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_STREAM = "/trade-api/ws/v2"
_MASK = b"\x1d\xe5\x07\xb2"
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(
    payload: bytes, opcode: int = TEXT, *, is_last: bool = True, is_masked: bool = True, reserved: int = 0
) -> bytes:
    """The bytes of one frame of a client; `reserved` are the three bits that must not be set."""
    first = bytes([is_last << 7 | reserved << 4 | opcode])
    mask_bit, size = is_masked << 7, len(payload)
    if size < 126:
        head = bytes([mask_bit | size])
    elif size < 1 << 16:
        head = bytes([mask_bit | 126]) + struct.pack(">H", size)
    else:
        head = bytes([mask_bit | 127]) + struct.pack(">Q", size)
    if not is_masked:
        return first + head + payload
    repeated = (_MASK * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
    return first + head + _MASK + masked


class Stream:
    """A connection for the length of a block; what was read stays in `texts`, `pongs` and in the end `close_code`."""

    def __init__(self, exchange: Serving) -> None:
        self._socket = socket.create_connection(
            ("127.0.0.1", urlsplit(exchange.announcement.ws).port or 0), ANSWER_SECONDS_MAX
        )
        self.texts: list[Any] = []
        self.pongs: list[bytes] = []
        self.close_code: int | None = None
        signed = exchange.signed.headers("GET", _STREAM)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        self.send(
            f"GET {_STREAM} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {_KEY}\r\n{head}\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self._socket.recv(1)
        assert answer.startswith(b"HTTP/1.1 101 "), answer

    def send(self, data: bytes) -> None:
        """Send bytes; an exchange that has closed already does not hear them."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def say(self, **command: object) -> None:
        """Send a command."""
        self.send(frame(json.dumps(command).encode()))

    def read(self) -> int:
        """Read one frame and give its opcode, 0 when the connection is over."""
        head = self._take(2)
        if not head:
            return 0
        opcode, size = head[0] & 15, head[1]
        assert head[0] & 0xF0 == 0x80, "frames are whole"
        assert self.close_code is None, "nothing follows a close"
        if size == 126:
            size = int.from_bytes(self._take(2), "big")
        elif size == 127:
            size = int.from_bytes(self._take(8), "big")
        payload = self._take(size)
        if opcode == TEXT:
            self.texts.append(json.loads(payload))
        elif opcode == PONG:
            self.pongs.append(payload)
        elif opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big")
        return opcode

    def answer(self, request: int) -> list[Any]:
        """What was said up to the answer to a request, that last; nothing when the connection ended instead."""
        while not self.texts or self.texts[-1].get("id") != request:
            if self.read() == 0:
                return []
        said, self.texts = self.texts, []
        return said

    def _take(self, size: int) -> bytes:
        parts = []
        while size:
            try:
                part = self._socket.recv(min(size, 1 << 20))
            except ConnectionResetError:
                part = b""
            if not part:
                return b""
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
