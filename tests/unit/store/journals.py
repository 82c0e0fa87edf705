"""Small journals, and what is done to them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from fairstrike.core.records import CashSet
from fairstrike.store.following import read
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import DECISIONS, Record

SMALL = Params(segment_bytes=400)


WIDE = Params()


def written(folder: Path, count: int, params: Params = WIDE, first: int = 0) -> Journal:
    """An open journal with `count` more decisions, each flushed by itself."""
    journal = Journal(folder, params)
    for number in range(first, first + count):
        journal.append(DECISIONS, "CashSet", number, CashSet(cash_ud=number))
        journal.flush(number)
    return journal


def cash(records: Iterator[Record] | list[Record]) -> list[int]:
    """What the `CashSet` records among these say."""
    return [msgspec.msgpack.decode(r.body, type=CashSet).cash_ud for r in records if r.kind == "CashSet"]


def everything(folder: Path) -> list[Record]:
    return list(read(folder, DECISIONS))


def record_ends(data: bytes) -> list[int]:
    """Offsets behind each framed record of a segment."""
    ends, at = [], 0
    while at < len(data):
        at += 24 + int.from_bytes(data[at : at + 4], "little")
        ends.append(at)
    return ends


def flipped(data: bytes, at: int, bit: int | None = None) -> bytes:
    mask = 1 << (at % 8 if bit is None else bit)
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
