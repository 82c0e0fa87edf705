"""One turn of a run: write down what came in, let the engine fold and decide, write down what follows.

This is the loop body of every mode. Shells fill its list of events and carry out the effects it gives; nothing is
handed out that the journal does not hold.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from fairstrike.core.effects import Effect, StartComputation
from fairstrike.core.events import Event
from fairstrike.core.order import Refused
from fairstrike.core.records import Decided, RunStarted
from fairstrike.engine import Engine
from fairstrike.execution.clerk import Outcome
from fairstrike.store.segments import DECISIONS, INPUTS


class Sink(Protocol):
    """Where a turn writes: the journal, or what compares a replay with one."""

    def append(self, chain: str, kind: str, instant_ns: int, body: msgspec.Struct) -> int:
        """Add one record; nothing is kept before `flush`."""

    def flush(self, instant_ns: int) -> None:
        """Keep what was added."""


class Turn:
    """Engine and journal together. `keeps_inputs` is off in replay, where the tape is the input.

    Counts what it sees: `events` folded, `decisions` (moments of decision), `wakes` (markets that a strategy was woken
    for), and signals `refused` by risk, by rule.
    """

    def __init__(self, engine: Engine, journal: Sink, *, keeps_inputs: bool) -> None:
        """Join an engine to what keeps its records."""
        self._engine = engine
        self._journal = journal
        self._keeps_inputs = keeps_inputs
        self.events = self.decisions = self.wakes = 0
        self.refused: Counter[str] = Counter()

    def start(self, started: RunStarted) -> list[Effect]:
        """Write the first record of the run and give the engine's first effects."""
        self._journal.append(DECISIONS, "RunStarted", started.run_ns, started)
        effects: list[Effect] = []
        self._write(self._engine.start(started.run_ns), started.run_ns, effects)
        self._journal.flush(started.run_ns)
        return effects

    def __call__(self, events: Sequence[Event]) -> list[Effect]:
        """Take events in order of receipt; give the effects of every decision among them."""
        effects: list[Effect] = []
        engine, journal, is_written = self._engine, self._journal, False
        self.events += len(events)
        for event in events:
            if self._keeps_inputs:
                is_written = True
                journal.append(INPUTS, type(event).__name__, event.recv_ns, event)
            if engine.fold(event):
                self.decisions += 1
                outcome = engine.decide(event.recv_ns)
                if outcome.records or outcome.effects:
                    is_written = True
                    self._write(outcome, event.recv_ns, effects)
        if is_written:
            journal.flush(events[-1].recv_ns)
        return effects

    def _write(self, outcome: Outcome, instant_ns: int, effects: list[Effect]) -> None:
        for record in outcome.records:
            if type(record) is Decided:
                self.wakes += len(record.rows)
            elif type(record) is Refused:
                self.refused[record.rule] += 1
            self._journal.append(DECISIONS, type(record).__name__, instant_ns, record)
        for effect in outcome.effects:
            if type(effect) is StartComputation:  # Its inputs are long; `ComputationAsked` stands for it.
                continue
            self._journal.append(DECISIONS, type(effect).__name__, instant_ns, effect)
        effects += outcome.effects
