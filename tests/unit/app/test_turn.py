"""A turn writes down what came in, what was decided, and keeps it before anything is handed out."""

from collections.abc import Sequence

import msgspec

from fairstrike.app.turn import Turn
from fairstrike.core.effects import SendOrder, StartComputation
from fairstrike.core.events import Event
from fairstrike.core.records import RunStarted
from fairstrike.store.segments import DECISIONS, INPUTS
from tests.unit.engine_samples import BID, RUN, Hall, acked, at, batch, delta, key_of, of, printed, read, signal, wish

STARTED = RunStarted(
    program="0",
    execution="live",
    environment="box",
    account_tag=1,
    run_ns=RUN,
    seed=1,
    settings="{}",
    settings_digest="",
)


class Book:
    """A sink that notes what is added and when it is kept."""

    def __init__(self) -> None:
        self.added: list[tuple[str, str, int]] = []
        self.kept: list[tuple[int, int]] = []

    def append(self, chain: str, kind: str, instant_ns: int, body: msgspec.Struct) -> int:
        self.added.append((chain, kind, instant_ns))
        return len(self.added)

    def flush(self, instant_ns: int) -> None:
        self.kept.append((len(self.added), instant_ns))


def turned(hall: Hall, *turns: Sequence[Event], keeps_inputs: bool = True) -> Book:
    book = Book()
    turn = Turn(hall.engine, book, keeps_inputs=keeps_inputs)
    for events in turns:
        turn(events)
    return book


def test_the_start_is_the_first_record_and_is_kept() -> None:
    book = Book()
    effects = Turn(Hall().engine, book, keeps_inputs=True).start(STARTED)
    assert book.added[0] == (DECISIONS, "RunStarted", RUN)
    assert [kind for _, kind, _ in book.added[1:]] == [type(effect).__name__ for effect in effects]
    assert book.kept == [(len(book.added), RUN)]


def test_an_event_is_written_before_what_follows_from_it() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    book = turned(hall, [printed(41)])
    expected = [(INPUTS, "IndexPrinted"), (DECISIONS, "Decided"), (DECISIONS, "Ordered")]
    expected += [(DECISIONS, "OrderMoved"), (DECISIONS, "SendOrder")]
    assert [(chain, kind) for chain, kind, _ in book.added] == expected


def test_everything_is_kept_before_effects_are_given() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [signal()]
    book = Book()
    effects = Turn(hall.engine, book, keeps_inputs=True)([printed(41), batch(41.5)])
    assert len(of(SendOrder, effects)) == 1
    assert book.kept == [(len(book.added), at(41.5))]


def test_a_long_sum_is_written_down_without_its_inputs() -> None:
    hall = Hall().opened()
    hall.asking.wishes = [wish()]
    book = Book()
    effects = Turn(hall.engine, book, keeps_inputs=True)([printed(41)])
    assert [effect.inputs for effect in of(StartComputation, effects)] == [b"in"]
    assert [kind for chain, kind, _ in book.added if chain == DECISIONS] == ["Decided", "ComputationAsked"]


def test_a_turn_decides_at_each_moment_in_it() -> None:
    hall = Hall().opened()
    book = turned(hall, [delta(50, BID, 4_100, 5), batch(50), delta(51, BID, 4_150, 5), batch(51)])
    assert [instant for chain, _, instant in book.added if chain == DECISIONS] == [at(50), at(51)]


def test_a_replay_keeps_no_inputs_and_writes_only_when_something_is_decided() -> None:
    hall = Hall().opened()
    book = turned(hall, [batch(50)], [delta(51, BID, 4_100, 5)], [batch(51)], keeps_inputs=False)
    assert [(chain, kind) for chain, kind, _ in book.added] == [(DECISIONS, "Decided")]
    assert book.kept == [(1, at(51))]


def test_how_events_are_cut_into_turns_changes_no_decision() -> None:
    events: list[Event] = [printed(41), delta(41.2, BID, 4_100, 5), batch(41.2), acked(41.3, key_of(0)), read(42)]
    whole, single = Hall().opened(), Hall().opened()
    for hall in (whole, single):
        hall.asking.wishes = [signal()]
    one, each = turned(whole, events), turned(single, *([event] for event in events))
    assert one.added == each.added


def test_a_turn_counts_what_it_sees() -> None:
    hall = Hall().opened()
    turn = Turn(hall.engine, Book(), keeps_inputs=False)
    hall.asking.wishes = [signal(), signal(size=10**9)]
    turn([printed(41)])
    turn([delta(50, BID, 4_100, 5), batch(50)])
    turn([delta(51, BID, 4_150, 5)])
    assert (turn.events, turn.decisions, turn.wakes) == (4, 2, 2)
    assert sum(turn.refused.values()) == 1
