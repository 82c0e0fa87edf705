"""Makes the golden tapes anew and says what changed: `.venv/bin/python -m tests.golden.make [--tape]`.

Without `--tape` the tapes stay and only their decisions and digests are made anew: the way to accept a change of
decisions that is meant. With it the simulated exchange plays again too: the way to accept a change of events.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fairstrike.core.events import Event
from fairstrike.core.records import RunStarted
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.worlds import WorldParams
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS, INPUTS
from tests.golden.tape import NAMES, Decision, Golden, decisions_of, digest, first_difference, load, replayed, save
from tests.simulation.stepped import KeyPair, SteppedWorld

SEED = 5
PLAYED_S = 20 * 60
SMALL = WorldParams(strikes=2)


def played() -> Golden:
    """A small world of the simulated exchange, over its close and settlement, up to the trader's halt."""
    with tempfile.TemporaryDirectory() as folder:
        world = SteppedWorld(SEED, Path(folder), fresh_key(), params=SMALL)
        world.run_until(world.schedule.now_ns + PLAYED_S * SECOND_NS)
        world.run_to_halt()
        place = Path(folder) / "journal"
        first = next(record for record in read(place, DECISIONS) if record.kind == "RunStarted")
        decoder = msgspec.msgpack.Decoder(Event)
        events = [decoder.decode(record.body) for record in read(place, INPUTS) if record.kind != "Segment"]
        return Golden(msgspec.msgpack.decode(first.body, type=RunStarted), events)


def fresh_key() -> KeyPair:
    """A key for signatures; nothing of it enters a decision."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private=private, public=public)


def told(name: str, before: Sequence[Decision], after: Sequence[Decision]) -> None:
    difference = first_difference(before, after)
    if not difference:
        print(f"{name}: nothing changed ({len(after)} records, {digest(after)})")
        return
    was, now = Counter(kind for kind, *_ in before), Counter(kind for kind, *_ in after)
    print(f"{name}: {difference}")
    for kind in sorted(was | now):
        print(f"  {kind:12} {was[kind]:6} -> {now[kind]:6}")


def main() -> None:
    plays = "--tape" in sys.argv[1:]
    for name in NAMES:
        golden = played() if plays else load(name)
        decisions = replayed(golden)
        try:
            before = decisions_of(name)
        except FileNotFoundError:
            before = []
        save(name, golden, decisions)
        told(name, before, decisions)


if __name__ == "__main__":
    main()
