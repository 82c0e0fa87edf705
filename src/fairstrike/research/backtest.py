"""Recordings driven through the engine. Joins nothing: it is handed a trader and a simulation by the app."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from fairstrike.core.effects import Effect, Halt, SetTimer, StartComputation
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import Commanded, ComputationDone, Event, TimerFired
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.research.importers.base import Recording, Result, Unit, settlements
from fairstrike.research.importers.overlaps import Holders

COMPUTED_AFTER_NS = 50 * MILLISECOND_NS
"""How long after its order a long sum is told in a replay: a cold linear programme, and the way to the worker."""

Look = Callable[[int, Sequence[Event]], None]
"""What looks at a unit, its instant and events, and changes nothing."""


class Simulation(Protocol):
    """What answers the engine: the recorded world with our orders in it."""

    def advance(self) -> Unit | None:
        """Give the next instant and its events, None at the end."""

    def submit(self, effect: Effect) -> None:
        """Take an effect."""


class Computed:
    """A simulation in which the worker's sums are done at once and told a stated time later.

    What could not be told by its deadline is not told, as live. A sum that is refused is told by nobody either.
    """

    def __init__(self, simulation: Simulation, answer: Callable[[str, bytes], bytes], delay_ns: int) -> None:
        """Take the world, what does the sums (worker/answering.py), and how long after its order each is told."""
        self._simulation = simulation
        self._answer = answer
        self._delay_ns = delay_ns
        self._now_ns = 0
        self._done: dict[str, tuple[StartComputation, bytes]] = {}

    def advance(self) -> Unit | None:
        """Give the next instant and its events, results among them."""
        unit = self._simulation.advance()
        if unit is None:
            return None
        self._now_ns, events = unit
        return self._now_ns, [self._told(event) for event in events] if self._done else events

    def submit(self, effect: Effect) -> None:
        """Take an effect; a sum becomes a timer that is told as its result."""
        if type(effect) is not StartComputation:
            self._simulation.submit(effect)
            return
        due_ns = self._now_ns + self._delay_ns
        if due_ns > effect.deadline_ns:
            return
        try:
            result = self._answer(effect.kind, effect.inputs)
        except ArithmeticRefusal:
            return
        name = f"computation {effect.kind} {effect.number}"
        self._done[name] = effect, result
        self._simulation.submit(SetTimer(name=name, due_ns=due_ns))

    def _told(self, event: Event) -> Event:
        done = self._done.pop(event.name, None) if type(event) is TimerFired else None
        if done is None:
            return event
        effect, result = done
        return ComputationDone(kind=effect.kind, number=effect.number, result=result, recv_ns=event.recv_ns)


def feed(recordings: Sequence[Recording], found: Mapping[str, Result]) -> Iterator[Unit]:
    """Give all recordings as one run in order of receipt: frames, then prints, then settlements at one instant.

    `found` are the results of the recorded markets. When the last recording is over working orders are cancelled;
    when the last market is settled the run is stopped.

    Raises `RecordingError` when two recordings hold one market's book at the same time.
    """
    holders = Holders(recordings) if len(recordings) > 1 else None
    sources: list[tuple[int, Iterator[Unit]]] = [(0, _from_its_time(recording)) for recording in recordings]
    sources += [(1, recording.prints()) for recording in recordings]
    sources.append((2, iter(settlements(found))))
    merged = heapq.merge(*(_ranked(units, rank, number) for number, (rank, units) in enumerate(sources)))
    instant, is_over = max((recording.first_ns for recording in recordings), default=0), False
    for due_ns, rank, number, unit in merged:
        if rank == 2 and not is_over and all(recording.is_over for recording in recordings):
            is_over = True
            yield instant, [Commanded(command="cancel", argument="the recording ended", recv_ns=instant)]
        instant = due_ns
        if unit[1]:
            if holders is not None and rank == 0:
                holders.take(number, unit[1])
            yield unit
    for command in ("cancel", "stop"):
        instant += SECOND_NS
        yield instant, [Commanded(command=command, argument="the recording ended", recv_ns=instant)]


def run(
    simulation: Simulation,
    turn: Callable[[Sequence[Event]], list[Effect]],
    first_effects: Sequence[Effect],
    on_progress: Callable[[int], None],
    on_unit: Look | None = None,
) -> None:
    """Drive the simulation to its end.

    `on_progress` is called with the tape's instant now and then, `on_unit` with every unit after its turn.
    """
    for effect in first_effects:
        simulation.submit(effect)
    count, is_over = 0, False
    while (unit := simulation.advance()) is not None:
        instant_ns, events = unit
        for effect in turn(events):
            simulation.submit(effect)
            if type(effect) is Halt:
                is_over = True
                break
        if on_unit is not None:
            on_unit(instant_ns, events)
        if is_over:
            return
        count += 1
        if not count & 0x3FF:
            on_progress(instant_ns)


def _from_its_time(recording: Recording) -> Iterator[Unit]:
    """Give a recording's units after an empty one: so its file is opened when its time has come, not before."""
    yield recording.first_ns, []
    yield from recording.units()


def _ranked(units: Iterator[Unit], rank: int, number: int) -> Iterator[tuple[int, int, int, Unit]]:
    """Give units as tuples in their order; the stream's own number keeps a comparison from reaching the events."""
    return ((unit[0], rank, number, unit) for unit in units)
