"""Who only observes: looks at every market and wishes nothing, in an engine built for it."""

from fairstrike.app import build, config
from fairstrike.core.effects import Ask, Halt, Watch
from fairstrike.core.events import Event
from fairstrike.core.records import WAKE_BEST_PRICE, WAKE_EVERY, Decided, RunEnded
from fairstrike.execution.clerk import Outcome
from tests.unit.engine_samples import RUN, T, batch, command, listed, of, printed, snapshot, timer


class Observed:
    """An engine as it is built for observing."""

    def __init__(self) -> None:
        settings = config.observe_profile("box")
        self.engine = build.engine(build.run_started(settings, "observe", RUN), settings)
        self.begun = self.engine.start(RUN)

    def feed(self, *events: Event) -> Outcome:
        """What all decisions among these events gave, as one."""
        made = [self.engine.decide(event.recv_ns) for event in events if self.engine.fold(event)]
        return Outcome(
            records=[record for one in made for record in one.records],
            effects=[effect for one in made for effect in one.effects],
        )


def test_nothing_is_read_of_an_account() -> None:
    hall = Observed()
    outcome = hall.feed(listed(), timer(60, "orders"), timer(60, "catalog"), batch(60))
    asked = {ask.what for ask in of(Ask, [*hall.begun.effects, *outcome.effects])}
    assert asked == {"markets"}
    assert of(Watch, outcome.effects) == [Watch(tickers=(T,))]


def test_best_prices_and_every_second_are_written_down() -> None:
    hall = Observed()
    first = hall.feed(listed(), snapshot(1), batch(1), printed(1))
    later = hall.feed(timer(2, "pulse"), timer(2.5, "pulse"), timer(3, "pulse"))
    rows = [
        (row.wakes, row.bid_ticks, row.ask_ticks)
        for one in of(Decided, first.records + later.records)
        for row in one.rows
    ]
    assert rows == [
        (WAKE_BEST_PRICE | WAKE_EVERY, 4_000, 4_200),
        (WAKE_EVERY, 4_000, 4_200),
        (WAKE_EVERY, 4_000, 4_200),
    ]
    assert [type(record) for record in first.records + later.records] == [Decided] * 3


def test_a_stop_has_nothing_to_prove() -> None:
    outcome = Observed().feed(command(5, "stop", "SIGTERM"))
    assert of(Halt, outcome.effects) == [Halt(reason="SIGTERM", is_clean=True)]
    assert of(RunEnded, outcome.records) == [RunEnded(reason="SIGTERM", cash_ud=0, fees_ud=0, resting=0)]
