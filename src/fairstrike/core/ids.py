"""Identifiers: client order ids, trade accounts, settlement groups.

A client order id is a UUID of version 8 that carries, from the top: 24 bits product and account tag,
24 + 18 bits start of the run in milliseconds, 8 bits strategy, 32 bits counter and 16 zero bits. Ours are
recognised by the tag, never repeat across restarts (the account lock forbids two runs in one
millisecond), are the same in every replay, and name their strategy even when the journal is lost.
"""

import hashlib
import uuid

import msgspec

from fairstrike.core.errors import ArithmeticRefusal

_PRODUCT = 0xFA5
_BITS_RUN, _BITS_STRATEGY, _BITS_COUNTER, _BITS_SPARE = 42, 8, 32, 16


class OrderIdParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a client order id of ours says: account tag, start of the run, strategy code, counter."""

    tag: int
    run_ms: int
    strategy: int
    counter: int


def account_tag(account: str) -> int:
    """Give the 24-bit tag of this product and the account `account` (an API key id, or a mode's name)."""
    return (_PRODUCT << 12) | int.from_bytes(hashlib.sha256(account.encode()).digest()[:2], "big") >> 4


def pack_order_id(parts: OrderIdParts) -> str:
    """Give the UUID text of `parts`.

    Raises `ArithmeticRefusal` when a part does not fit its bits: start a new run.
    """
    if (
        parts.tag >> 24
        or parts.run_ms >> _BITS_RUN
        or parts.strategy >> _BITS_STRATEGY
        or parts.counter >> _BITS_COUNTER
    ):
        raise ArithmeticRefusal(f"{parts} does not fit into an order id; start a new run")
    body = parts.tag
    body = (body << _BITS_RUN) | parts.run_ms
    body = (body << _BITS_STRATEGY) | parts.strategy
    body = (body << _BITS_COUNTER) | parts.counter
    body <<= _BITS_SPARE
    high, middle, low = body >> 74, (body >> 62) & 0xFFF, body & ((1 << 62) - 1)
    return str(uuid.UUID(int=(high << 80) | (8 << 76) | (middle << 64) | (2 << 62) | low))


def unpack_order_id(text: str) -> OrderIdParts | None:
    """Give the parts of a client order id, or None when it is not one of this product's."""
    try:
        number = uuid.UUID(text).int
    except ValueError:
        return None
    if (number >> 76) & 0xF != 8 or (number >> 62) & 3 != 2:
        return None
    body = ((number >> 80) << 74) | (((number >> 64) & 0xFFF) << 62) | (number & ((1 << 62) - 1))
    spare, body = body & ((1 << _BITS_SPARE) - 1), body >> _BITS_SPARE
    counter, body = body & ((1 << _BITS_COUNTER) - 1), body >> _BITS_COUNTER
    strategy, body = body & ((1 << _BITS_STRATEGY) - 1), body >> _BITS_STRATEGY
    run_ms, tag = body & ((1 << _BITS_RUN) - 1), body >> _BITS_RUN
    if spare or tag >> 12 != _PRODUCT:
        return None
    return OrderIdParts(tag=tag, run_ms=run_ms, strategy=strategy, counter=counter)


def group_id(asset: str, close_ns: int) -> str:
    """Give the settlement group: all markets, across series, settled by one value of one index."""
    return f"{asset}@{close_ns // 1_000_000_000}"
