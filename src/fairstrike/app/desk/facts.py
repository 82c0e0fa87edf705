"""The decision chain's records as typed values: what the desk's parts read."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from fairstrike.core.effects import CancelOrder, Halt, SendOrder, Warn
from fairstrike.core.errors import JournalError
from fairstrike.core.events import SpotTold
from fairstrike.core.order import Refused, Withdraw
from fairstrike.core.records import Booked, CashSet, Decided, Ordered, OrderMoved, RunEnded, RunStarted, Settled
from fairstrike.core.regime import RegimeSeen
from fairstrike.store.segments import Record

T = TypeVar("T")

Body = (
    Decided
    | Ordered
    | OrderMoved
    | SendOrder
    | CancelOrder
    | Booked
    | Settled
    | Refused
    | Withdraw
    | RunStarted
    | CashSet
    | RegimeSeen
    | SpotTold
    | RunEnded
    | Warn
    | Halt
)
"""What the desk understands; effects that only move the machinery are left out."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the decision chain: its counter, its instant and what it says."""

    n: int
    instant_ns: int
    body: Body


_TYPES: tuple[type[Body], ...] = Body.__args__
_DECODERS: dict[str, msgspec.msgpack.Decoder[Body]] = {kind.__name__: msgspec.msgpack.Decoder(kind) for kind in _TYPES}


def facts_of(records: Iterable[Record], *, with_decisions: bool = True) -> list[Fact]:
    """Give the records the desk understands, in order; without decisions `Decided` is left out too.

    Raises `JournalError` when a record of a known kind cannot be read: use the program version that wrote it.
    """
    facts: list[Fact] = []
    for record in records:
        decoder = _DECODERS.get(record.kind)
        if decoder is None or (record.kind == "Decided" and not with_decisions):
            continue
        facts.append(Fact(n=record.n, instant_ns=record.instant_ns, body=read_body(record, decoder)))
    return facts


def read_body(record: Record, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """Give what a record says. Raises `JournalError` when it cannot be read: use the program version that wrote it."""
    try:
        return decoder.decode(record.body)
    except msgspec.MsgspecError as problem:
        raise JournalError(
            f"record n = {record.n} ({record.kind}) cannot be read: {problem}; "
            "use the program version that wrote the journal"
        ) from None
