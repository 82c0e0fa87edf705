"""Frames of a WebSocket as a server sends them: text, unmasked, whole. Source: RFC 6455 section 5.2."""

from collections.abc import Iterable

PING_FRAME = b"\x89\x09heartbeat"


def join(frames: Iterable[bytes]) -> bytes:
    """Give the bytes of text frames for one write."""
    parts: list[bytes] = []
    for frame in frames:
        size = len(frame)
        if size < 126:
            parts.append(bytes((0x81, size)))
        elif size < 1 << 16:
            parts.append(b"\x81\x7e" + size.to_bytes(2, "big"))
        else:
            parts.append(b"\x81\x7f" + size.to_bytes(8, "big"))
        parts.append(frame)
    return b"".join(parts)
