"""Golden tapes: what a trader was told, what it decided then, and the digest of that.

`NAME.tape.zst` holds the run's `RunStarted` and every event in order, `NAME.decisions.zst` the records it decided,
`NAME.sha256` their digest. A record is (kind, instant in ns, body); the record of the start is not among them, so
that a new version number alone changes nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import zstandard

from fairstrike.app import build, config
from fairstrike.app.turn import Turn
from fairstrike.core.events import Event
from fairstrike.core.records import RunStarted
from fairstrike.store.segments import DECISIONS

FOLDER = Path(__file__).resolve().parent
NAMES = ("quarter",)
Decision = tuple[str, int, bytes]


class Golden(msgspec.Struct, frozen=True, array_like=True):
    """A tape: how the run started, and everything it was told."""

    started: RunStarted
    events: list[Event]


class Kept:
    """A sink that keeps the decisions."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def append(self, chain: str, kind: str, instant_ns: int, body: msgspec.Struct) -> int:
        if chain == DECISIONS and kind != "RunStarted":
            self.decisions.append((kind, instant_ns, msgspec.msgpack.encode(body)))
        return 0

    def flush(self, instant_ns: int) -> None:
        """Nothing to keep elsewhere."""


def load(name: str) -> Golden:
    return msgspec.msgpack.decode(_unpacked(FOLDER / f"{name}.tape.zst"), type=Golden)


def decisions_of(name: str) -> list[Decision]:
    """The decisions that were kept with a tape."""
    return msgspec.msgpack.decode(_unpacked(FOLDER / f"{name}.decisions.zst"), type=list[Decision])


def digest_of(name: str) -> str:
    return (FOLDER / f"{name}.sha256").read_text("ascii").strip()


def save(name: str, golden: Golden, decisions: Sequence[Decision]) -> None:
    packer = zstandard.ZstdCompressor(level=19)
    (FOLDER / f"{name}.tape.zst").write_bytes(packer.compress(msgspec.msgpack.encode(golden)))
    (FOLDER / f"{name}.decisions.zst").write_bytes(packer.compress(msgspec.msgpack.encode(decisions)))
    (FOLDER / f"{name}.sha256").write_text(f"{digest(decisions)}\n", "ascii")


def turn_of(golden: Golden, sink: Kept) -> Turn:
    """A fresh trader for a tape."""
    settings = msgspec.json.decode(golden.started.settings, type=config.Settings)
    return Turn(build.engine(golden.started, settings), sink, keeps_inputs=False)


def replayed(golden: Golden, turns: Iterator[Sequence[Event]] | None = None) -> list[Decision]:
    """The decisions a fresh trader makes of a tape, told one event a turn unless `turns` says otherwise."""
    kept = Kept()
    turn = turn_of(golden, kept)
    turn.start(golden.started)
    for events in turns or ([event] for event in golden.events):
        turn(events)
    return kept.decisions


def digest(decisions: Sequence[Decision]) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(decisions)).hexdigest()


def first_difference(before: Sequence[Decision], after: Sequence[Decision]) -> str:
    """The first pair of records that differ, in words; empty when all are equal."""
    for number, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return f"record {number} was {_text(old)}\nand is now {_text(new)}"
    if len(before) != len(after):
        longer = before if len(before) > len(after) else after
        extra = _text(longer[min(len(before), len(after))])
        return f"there were {len(before)} records and are {len(after)} now; the first without a partner is {extra}"
    return ""


def _text(decision: Decision) -> str:
    kind, instant_ns, body = decision
    return f"{kind} at {instant_ns}: {msgspec.json.encode(msgspec.msgpack.decode(body)).decode()}"


def _unpacked(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompress(path.read_bytes())
