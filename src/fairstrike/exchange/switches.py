"""The protocol's switches as written on the command line: what the venue was not seen to do in one way only; pure.

They are the fields of `FloorParams` and `BoxParams`, with their defaults; a delay is named with a dot, as in
`hourly.determination_ns`. The token buckets go by the name of their tier.
"""

import difflib
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from fairstrike.core.errors import ConfigError
from fairstrike.core.timing import DAY_NS
from fairstrike.exchange.api.budgets import ADVANCED, BASIC, SHARDS
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.floor import FloorParams

TIERS = {"basic": BASIC, "advanced": ADVANCED, "none": None}
_TIER = "tier"
_SHARD = "money_shard"
_SPAN_NS_MAX = 3_650 * DAY_NS
# The seed of faults is the world's.
_HIDDEN = frozenset({_TIER, "fault_seed"})

P = TypeVar("P", bound=msgspec.Struct)


class Switches(msgspec.Struct, frozen=True, kw_only=True):
    """What is switched on the floor, and in the box around it."""

    floor: FloorParams = FloorParams()
    box: BoxParams = BoxParams()


def names() -> tuple[str, ...]:
    """Give the names of all switches."""
    return (_TIER, *_names_of(FloorParams()), *_names_of(BoxParams()))


def parse_switches(texts: Sequence[str]) -> Switches:
    """Give the switches written as NAME=VALUE, the later of two; the others at their defaults.

    Raises `ConfigError` for an unknown name, and for a value that a switch cannot have.
    """
    floor, box = FloorParams(), BoxParams()
    for text in texts:
        name, _, value = text.partition("=")
        if name == _TIER:
            if value not in TIERS:
                raise ConfigError(f"there is no tier {value[:40]!r} here; use one of {', '.join(TIERS)}")
            box = msgspec.structs.replace(box, tier=TIERS[value])
        elif name in _names_of(floor):
            floor = _switched(floor, name, value)
        elif name in _names_of(box):
            box = _switched(box, name, value)
        else:
            raise ConfigError(f"there is no switch {name[:40]!r}; {_hint(name)}")
    return Switches(floor=floor, box=box)


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name, names(), n=1)
    return f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(names())}"


def _names_of(params: msgspec.Struct) -> Iterator[str]:
    for field in msgspec.structs.fields(params):
        value = getattr(params, field.name)
        if isinstance(value, msgspec.Struct) and field.name not in _HIDDEN:
            yield from (f"{field.name}.{inner}" for inner in _names_of(value))
        elif field.name not in _HIDDEN:
            yield field.name


def _switched(params: P, name: str, text: str) -> P:
    outer, _, inner = name.partition(".")
    if inner:
        return msgspec.structs.replace(params, **{outer: _switched(getattr(params, outer), inner, text)})
    kind = next(field.type for field in msgspec.structs.fields(params) if field.name == outer)
    try:
        value = msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as why:
        raise ConfigError(f"switch {name} cannot be {text[:40]!r}: {why}; correct its value") from None
    if isinstance(value, int) and value < 0:
        raise ConfigError(f"switch {name} cannot be {text[:40]!r}: it is below zero; correct its value")
    if outer == _SHARD and value not in SHARDS:
        raise ConfigError(f"switch {name} cannot be {text[:40]!r}: the shards are {SHARDS[0]} to {SHARDS[-1]}")
    if isinstance(value, int) and value > _SPAN_NS_MAX:
        raise ConfigError(f"switch {name} cannot be {text[:40]!r}: it is more than ten years; correct its value")
    return msgspec.structs.replace(params, **{outer: value})
