"""How many entries the containers hold that can be reached from an object: what would notice that a state grows."""

from collections import Counter, deque
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import msgspec

_PLAIN = (int, float, str, bytes, type, type(None), ModuleType, FunctionType, BuiltinFunctionType)


def entries(root: object) -> Counter[str]:
    """Entries of all dicts, lists, sets and deques reachable from `root`, by the attribute that holds them."""
    found: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [("", root)]
    while waiting:
        name, one = waiting.pop()
        if isinstance(one, _PLAIN) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict | list | set | deque):
            found[name] += len(one)
        waiting += _parts(name, one)
    return found


def _parts(name: str, one: object) -> list[tuple[str, object]]:
    if isinstance(one, dict):
        return [(name, part) for pair in one.items() for part in pair]
    if isinstance(one, list | tuple | set | frozenset | deque):
        return [(name, part) for part in one]
    if isinstance(one, MethodType):
        return [(name, one.__self__)]
    if isinstance(one, msgspec.Struct):
        return [(name, getattr(one, field)) for field in one.__struct_fields__]
    names = {
        *getattr(one, "__dict__", ()),
        *(slot for kind in type(one).__mro__ for slot in getattr(kind, "__slots__", ())),
    }
    return [(f"{type(one).__name__}.{slot}", getattr(one, slot)) for slot in sorted(names) if hasattr(one, slot)]
