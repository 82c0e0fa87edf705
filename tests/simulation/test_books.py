"""Books through any schedule of faults: once the faults are over, every rebuilt book equals the exchange's.

The observing trader's own parts (session, books, rounds) run against the pure exchange, in stepped time. Faults are
drawn by hypothesis: what they hit, for how long, in which order, with breaks of the line between them.
"""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from fairstrike.app import config
from fairstrike.core.events import BookDelta, BooksRead
from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange import faults as of
from fairstrike.exchange.worlds import WorldParams
from tests.simulation.checks import inputs
from tests.simulation.stepped import KeyPair, SteppedWorld

PARAMS = WorldParams(strikes=3)
OBSERVING = config.observe_profile("box")
BOOK: of.Channel = "orderbook_delta"
WHOLE_AGAIN_NS = 45 * SECOND_NS
EXAMPLES, STEPS = 40, 8

FAULTS: tuple[of.Fault, ...] = (
    of.DropFrame(channel=BOOK, probability=0.1),
    of.DropFrame(channel=BOOK, probability=0.7),
    of.DropFrame(probability=0.3),
    of.DuplicateFrame(channel=BOOK, probability=0.3),
    of.ReorderFrame(channel=BOOK, probability=0.2),
    of.ReorderFrame(probability=0.5),
    of.SequenceGap(channel=BOOK, size=3, count=1),
    of.SequenceGap(channel=BOOK, size=50, count=2),
    of.MalformedFrame(channel=BOOK, probability=0.1),
    of.StreamLatency(ms=200),
    of.StreamLatency(ms=3_000),
    of.SilentStream(),
    of.Disconnect(),
    of.Disconnect(every_s=4.0, count=None),
    of.ServerError(path="/markets*", probability=0.5),
)


def observing(seed: int, folder: Path, key: KeyPair) -> SteppedWorld:
    """A trader that observes a small world, its books there."""
    world = SteppedWorld(seed, folder, key, params=PARAMS, settings=OBSERVING)
    world.run_until(world.schedule.now_ns + 5 * SECOND_NS)
    return world


def unlike(world: SteppedWorld) -> dict[str, str]:
    """The open markets whose books are not the exchange's, and how they differ; nothing may be on its way."""
    found: dict[str, str] = {}
    for ticker, view in world.engine.catalog.listings.items():
        book = world.engine.books.served(ticker)
        if view.is_open(world.schedule.now_ns) and (book is None or world.engine.books.is_polled(ticker)):
            found[ticker] = "absent"
        elif book is not None and book.levels() != tuple(world.floor.levels(ticker, side) for side in Side):
            found[ticker] = "different"
    return found


def settle(world: SteppedWorld) -> None:
    """Let time pass until nothing is on its way."""
    world.run_until(world.schedule.now_ns + WHOLE_AGAIN_NS)
    for _ in range(200):
        if not world.link.under_way:
            return
        world.run_until(world.schedule.now_ns + SECOND_NS // 100)
    raise AssertionError("the stream is never at rest")


class Faulty(RuleBasedStateMachine):
    """A world in which faults come and go; at the end all are gone and the books must be whole again."""

    key: KeyPair

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()

    @initialize(seed=st.integers(1, 3))
    def begin(self, seed: int) -> None:
        self.world = observing(seed, Path(self.folder.name), self.key)

    @rule(fault=st.sampled_from(FAULTS), seconds=st.integers(1, 40))
    def cause(self, fault: of.Fault, seconds: int) -> None:
        self.world.box.add_fault(fault, self.world.schedule.now_ns)
        self._pass(seconds)

    @rule(seconds=st.integers(1, 20))
    def calm(self, seconds: int) -> None:
        self._calm()
        self._pass(seconds)

    @rule()
    def cut(self) -> None:
        self.world.link.disconnect("the line was cut")
        self._pass(1)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._calm()
            settle(self.world)
            assert unlike(self.world) == {}
            self.world.journal.close(self.world.schedule.now_ns)
        self.folder.cleanup()

    def _calm(self) -> None:
        for fault in self.world.box.faults():
            self.world.box.remove_fault(fault.id, self.world.schedule.now_ns)

    def _pass(self, seconds: int) -> None:
        self.world.run_until(self.world.schedule.now_ns + seconds * SECOND_NS)


def test_after_any_faults_every_book_is_the_exchanges(key: KeyPair) -> None:
    machine = type("Machine", (Faulty,), {"key": key})
    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))


def test_audits_find_nothing_where_nothing_is_wrong(key: KeyPair, tmp_path: Path) -> None:
    world = observing(1, tmp_path, key)
    world.run_until(world.world.close_ns)
    world.journal.close(world.schedule.now_ns)
    assert len(inputs(tmp_path, BooksRead)) == 17
    assert world.warnings == []
    assert [shelf.losses for shelf in world.engine.books.shelves.values() if shelf.losses] == []


def test_a_change_that_never_was_is_found_by_the_next_audit(key: KeyPair, tmp_path: Path) -> None:
    world = observing(1, tmp_path, key)
    ticker = next(ticker for ticker in world.engine.books.shelves if ticker.startswith("KXBTCD-"))
    now_ns = world.schedule.now_ns
    wrong = BookDelta(ticker=ticker, is_bid=True, price_ticks=100, delta_cc=777, recv_ns=now_ns)
    assert world.engine.books.delta(wrong)
    world.run_until(now_ns + MINUTE_NS + 5 * SECOND_NS)
    settle(world)
    assert world.engine.books.shelves[ticker].losses == {"audit": 1}
    assert [text for text in world.warnings if text.startswith(f"{ticker}: REST shows another book")] == world.warnings
    assert unlike(world) == {}
    world.journal.close(now_ns)


def test_a_book_that_stays_crossed_is_dropped_and_read_anew(key: KeyPair, tmp_path: Path) -> None:
    world = observing(1, tmp_path, key)
    ticker = next(ticker for ticker in world.engine.books.shelves if ticker.startswith("KXBTCD-"))
    now_ns, book = world.schedule.now_ns, world.engine.books.served(ticker)
    assert book is not None
    assert book.ask_ticks is not None
    wrong = BookDelta(ticker=ticker, is_bid=True, price_ticks=book.ask_ticks, delta_cc=777, recv_ns=now_ns)
    assert world.engine.books.delta(wrong)
    assert world.engine.books.served(ticker) is None
    world.run_until(now_ns + 20 * SECOND_NS)
    settle(world)
    assert world.engine.books.shelves[ticker].losses == {"crossed": 1}
    assert unlike(world) == {}
    world.journal.close(now_ns)
