"""Long sums as a strategy knows them: what it asks for, and the answer it is shown."""

import msgspec


class Compute(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's wish that a worker compute what takes longer than a decision may.

    `kind` and `inputs` are words of pricing/computations.py, `group` is the settlement group they are about. An answer
    that is not there `good_for_ns` after the wish is worth nothing, and one that came is good until then.
    """

    strategy: str
    kind: str
    group: str
    inputs: bytes
    good_for_ns: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a wish of `asked_ns`: the result of its kind, in msgpack, good until `good_until_ns`."""

    kind: str
    group: str
    result: bytes
    asked_ns: int
    good_until_ns: int
