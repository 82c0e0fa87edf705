"""The same tape gives the same decisions as when it was made, byte for byte.

A digest that changed by intent is accepted with `python -m tests.golden.make`, which says what changed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.events import Event
from tests.golden.tape import (
    FOLDER,
    NAMES,
    Decision,
    decisions_of,
    digest,
    digest_of,
    first_difference,
    load,
    replayed,
)

BYTES_MAX = 200_000


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_gives_the_decisions_it_gave(name: str) -> None:
    decisions = replayed(load(name))
    assert first_difference(decisions_of(name), decisions) == ""
    assert digest(decisions) == digest_of(name)


def in_turns(events: Sequence[Event], seed: int) -> Iterator[Sequence[Event]]:
    """The events cut into turns of drawn length."""
    dice, start = Dice(seed, 1), 0
    while start < len(events):
        end = start + dice.between(1, 40)
        yield events[start:end]
        start = end


@pytest.mark.parametrize("name", NAMES)
def test_how_events_are_cut_into_turns_changes_nothing(name: str) -> None:
    golden = load(name)
    assert digest(replayed(golden, in_turns(golden.events, 3))) == digest_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_holds_what_trading_has(name: str) -> None:
    kinds = Counter(kind for kind, *_ in decisions_of(name))
    seldom = {kind for kind in ("Booked", "Settled", "SendOrder", "CancelOrder", "Refused") if kinds[kind] < 1}
    assert (seldom, kinds["RunEnded"], kinds["Halt"]) == (set(), 1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_is_small(name: str) -> None:
    sizes = [(FOLDER / f"{name}.{part}.zst").stat().st_size for part in ("tape", "decisions")]
    assert max(sizes) < BYTES_MAX


def test_a_change_is_told_by_its_first_record() -> None:
    one: list[Decision] = [("A", 1, b"\x01"), ("B", 2, b"\x02")]
    assert first_difference(one, one) == ""
    assert first_difference(one, [one[0], ("B", 2, b"\x03")]) == "record 1 was B at 2: 2\nand is now B at 2: 3"
    assert first_difference(one, one[:1]).startswith("there were 2 records and are 1 now")
