"""How trader and worker talk: four bytes of length, little endian, then a msgpack body."""

import struct

import msgspec

from fairstrike.core.errors import ArithmeticRefusal

HEAD_BYTES = 4
BODY_MAX = 64 * 1024 * 1024


class Question(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One computation asked for; `number` comes back with its answer."""

    number: int
    kind: str
    inputs: bytes


class Reply(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Its result, or why there is none."""

    number: int
    result: bytes = b""
    refusal: str = ""


def framed(body: Question | Reply) -> bytes:
    """Give a body with its length before it."""
    packed = msgspec.msgpack.encode(body)
    return struct.pack("<I", len(packed)) + packed


def length_of(head: bytes) -> int:
    """Give the length of the body that follows these four bytes. Raises `ArithmeticRefusal` beyond 64 MiB."""
    (length,) = struct.unpack("<I", head)
    if length > BODY_MAX:
        raise ArithmeticRefusal(
            f"a frame of {length} bytes is no question and no reply; both sides must be one version"
        )
    return int(length)
