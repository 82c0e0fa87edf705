"""What the engine needs for an event: folding alone, and folding and deciding without and with a strategy."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from bench.streams import Capture
from fairstrike.app import build, replaying
from fairstrike.app.turn import Turn
from fairstrike.core.effects import Effect
from fairstrike.core.events import BookDelta, BookSnapshot, Event
from fairstrike.market.books import Books, Params
from fairstrike.research import backtest
from fairstrike.store.journal import Journal

SECTION = "engine, an event (processor time)"

_BOOKS = "book changes alone"
_FOLD = "fold"
_NONE = "fold and decide, no strategy"
_TAKER = "fold and decide, taker"


class Lived:
    """A replay lived through once: what the engine was told in order, and how many effects it gave."""

    def __init__(self, path: Path, strategy: str) -> None:
        """Run the capture with `strategy`, or with "none"."""
        choices = replaying.Choices(strategies=(strategy,), cash="10000", size=10, net_max=100, edge=3.0)
        settings = replaying.settings_of(None, choices)
        prepared = replaying.prepare([path], settings)
        self.started, self.settings = prepared.started, settings
        self.events: list[Event] = []
        self.effects = 0
        with tempfile.TemporaryDirectory() as folder:
            engine, journal = build.engine(self.started, settings), Journal(Path(folder), settings.journal)
            turn = Turn(engine, journal, keeps_inputs=False)

            def noted(events: Sequence[Event]) -> list[Effect]:
                self.events += events
                effects = turn(events)
                self.effects += len(effects)
                return effects

            feed = backtest.feed(prepared.recordings, prepared.found)
            world = build.simulation(engine, settings, feed)
            backtest.run(world, noted, turn.start(self.started), lambda _: None)
            journal.close(self.started.run_ns)

    def fold(self) -> float:
        """Fold all events into a fresh engine."""
        fold = build.engine(self.started, self.settings).fold
        began = processor_ns()
        for event in self.events:
            fold(event)
        return each_ns(began, len(self.events))

    def decide(self) -> float:
        """Fold all events into a fresh engine and decide whenever it is time to."""
        engine, effects = build.engine(self.started, self.settings), 0
        engine.start(self.started.run_ns)
        fold, decide = engine.fold, engine.decide
        began = processor_ns()
        for event in self.events:
            if fold(event):
                effects += len(decide(event.recv_ns).effects)
        took = each_ns(began, len(self.events))
        assert effects == self.effects, "the same events give the same effects"
        return took

    def books(self) -> float:
        """Apply the book changes alone; all events count."""
        books = Books(Params())
        began = processor_ns()
        for event in self.events:
            if type(event) is BookDelta:
                books.delta(event)
            elif type(event) is BookSnapshot:
                books.snapshot(event)
        return each_ns(began, len(self.events))


def measure(capture: Capture, scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of one event."""
    progress.step("the engine: living through the capture")
    idle, taking = Lived(capture.path, "none"), Lived(capture.path, "taker")
    cases: dict[str, Case] = {_BOOKS: idle.books, _FOLD: idle.fold, _NONE: idle.decide, _TAKER: taking.decide}
    taken = take(cases, scale.rounds, progress, "the engine")
    return figures(SECTION, taken, "ns", dict.fromkeys((_FOLD, _NONE, _TAKER), _BOOKS))
