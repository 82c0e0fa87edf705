"""Recordings, prints and settlements as one row of events."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from fairstrike.core.effects import Effect, Halt, SetTimer, StartComputation, Warn
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import (
    BatchEnded,
    Commanded,
    ComputationDone,
    Event,
    IndexPrinted,
    MarketSettled,
    TimerFired,
)
from fairstrike.exchange.replay import Unit
from fairstrike.research.backtest import Computed, feed, run
from fairstrike.research.importers.base import Result
from fairstrike.research.importers.stream15m import Stream15m
from tests.unit.research.captures import (
    NEXT,
    NEXT_CLOSE_TEXT,
    RUN,
    TICKER,
    book,
    connected,
    delta,
    events_of,
    ns,
    opening,
    ticker,
    watch,
    write,
    write_spot,
)

TRADES = [(100.0, "00:24:28.1", "100"), (1_100.0, "00:24:29.1", "101"), (3_100.0, "00:24:31.1", "101")]


def result(close_ms: int, value: int | None) -> Result:
    return Result(ticker=TICKER, close_ns=ns(close_ms), value_ticks=value, is_derived=False)


def fed(folder: Path, found: list[Result], *lines: bytes) -> list[Unit]:
    path = write(folder, opening(*lines))
    write_spot(folder, TRADES)
    return list(feed([Stream15m(path)], {r.ticker: r for r in found}))


def commands(units: list[Unit]) -> list[tuple[int, str]]:
    return [(e.recv_ns, e.command) for e in events_of(units, Commanded) if isinstance(e, Commanded)]


def test_instants_never_go_back(tmp_path: Path) -> None:
    units = fed(tmp_path, [result(60_000, 0)], delta(500, 2, 500), ticker(600), delta(1_200, 3, 1_200))
    assert all(before <= after for (before, _), (after, _) in pairwise(units))
    assert all(event.recv_ns == instant for instant, events in units for event in events)


def test_a_frame_comes_before_a_print_of_the_same_instant(tmp_path: Path) -> None:
    units = fed(tmp_path, [], delta(1_000, 2, 1_000), delta(2_000, 3, 2_000))
    at_second = [type(event) for instant, events in units if instant == ns(1_000) for event in events]
    assert at_second[-2:] == [BatchEnded, IndexPrinted]


def test_working_orders_are_cancelled_when_the_recording_is_over(tmp_path: Path) -> None:
    units = fed(tmp_path, [result(60_000, 0)], delta(500, 2, 500))
    (first, *_) = commands(units)
    assert first == (ns(3_000), "cancel")


def test_the_run_stops_after_the_last_settlement(tmp_path: Path) -> None:
    units = fed(tmp_path, [result(60_000, 0)], delta(500, 2, 500))
    assert events_of(units, MarketSettled)[0].recv_ns == ns(61_000)
    assert commands(units)[1:] == [(ns(62_000), "cancel"), (ns(63_000), "stop")]


def test_without_a_result_the_run_stops_after_the_recording(tmp_path: Path) -> None:
    units = fed(tmp_path, [result(60_000, None)], delta(500, 2, 500))
    assert commands(units) == [(ns(4_000), "cancel"), (ns(5_000), "stop")]


def test_a_settlement_in_the_middle_of_a_recording_is_told_in_its_place(tmp_path: Path) -> None:
    units = fed(tmp_path, [result(-500, 10_000)], delta(400, 2, 400), delta(600, 3, 600))
    (settled,) = [number for number, (_, events) in enumerate(units) if isinstance(events[0], MarketSettled)]
    assert units[settled - 1][0] <= ns(500) <= units[settled + 1][0]
    assert commands(units)[0] == (ns(4_000), "cancel")


def test_two_recordings_are_one_run_in_order_of_receipt(tmp_path: Path) -> None:
    first = Stream15m(write(tmp_path, opening(delta(500, 2, 500), delta(900, 3, 900))))
    other = [watch(0, NEXT, NEXT_CLOSE_TEXT), connected(1), book(2, 1, NEXT), delta(600, 2, 600, ticker=NEXT)]
    second = Stream15m(write(tmp_path, other, f"{RUN}b.jsonl"))
    units = list(feed([first, second], {}))
    assert all(before <= after for (before, _), (after, _) in pairwise(units))
    assert [command for _, command in commands(units)] == ["cancel", "stop"]


class Line:
    """A simulation that tells a few units and notes what is asked of it."""

    def __init__(self, units: int) -> None:
        self.left = units
        self.asked: list[Effect] = []

    def advance(self) -> Unit | None:
        self.left -= 1
        return (ns(self.left), [BatchEnded(recv_ns=ns(self.left))]) if self.left >= 0 else None

    def submit(self, effect: Effect) -> None:
        self.asked.append(effect)


def test_effects_are_handed_to_the_simulation_until_it_ends() -> None:
    line, seen = Line(3), []

    def turn(events: Sequence[Event]) -> list[Effect]:
        seen.append(len(events))
        return [Warn(text=f"{len(seen)}")]

    run(line, turn, [Warn(text="first")], lambda _: None)
    assert line.asked == [Warn(text="first"), Warn(text="1"), Warn(text="2"), Warn(text="3")]


def test_a_halt_ends_the_run() -> None:
    line = Line(3)
    run(line, lambda _: [Halt(reason="stop", is_clean=True)], [], lambda _: None)
    assert line.left == 2


def test_progress_is_told_now_and_then() -> None:
    told: list[int] = []
    run(Line(3_000), lambda _: [], [], told.append)
    assert len(told) == 2


def test_every_unit_is_looked_at_after_its_turn_the_last_one_too() -> None:
    said: list[str] = []

    def turn(events: Sequence[Event]) -> list[Effect]:
        said.append(f"turn {events[0].recv_ns - ns(0)}")
        return [Halt(reason="stop", is_clean=True)] if len(said) > 1 else []

    run(Line(3), turn, [], lambda _: None, lambda at_ns, events: said.append(f"look {at_ns - ns(0)}"))
    assert said == [f"{what} {ms * 1_000_000}" for ms in (2, 1) for what in ("turn", "look")]


# Sums of the worker


class Timers:
    """A world in which nothing happens but timers."""

    def __init__(self) -> None:
        self.due: list[SetTimer] = []
        self.other: list[Effect] = []

    def advance(self) -> Unit | None:
        if not self.due:
            return None
        timer = self.due.pop(0)
        return timer.due_ns, [TimerFired(name=timer.name, recv_ns=timer.due_ns)]

    def submit(self, effect: Effect) -> None:
        if isinstance(effect, SetTimer):
            self.due.append(effect)
        else:
            self.other.append(effect)


def answered(kind: str, inputs: bytes) -> bytes:
    if kind != "echo":
        raise ArithmeticRefusal("there is no such sum; ask for an echo")
    return inputs[::-1]


def sum_of(number: int, kind: str = "echo", deadline_ns: int = 1_000) -> StartComputation:
    return StartComputation(kind=kind, number=number, inputs=b"ab", deadline_ns=deadline_ns)


def test_a_sum_is_told_after_the_stated_delay() -> None:
    timers = Timers()
    world = Computed(timers, answered, delay_ns=70)
    timers.submit(SetTimer(name="own", due_ns=100))
    assert world.advance() == (100, [TimerFired(name="own", recv_ns=100)])
    world.submit(sum_of(3))
    world.submit(Warn(text="other"))
    assert world.advance() == (170, [ComputationDone(kind="echo", number=3, result=b"ba", recv_ns=170)])
    assert world.advance() is None
    assert timers.other == [Warn(text="other")]


def test_a_sum_that_would_be_late_or_is_refused_is_never_told() -> None:
    world = Computed(Timers(), answered, delay_ns=70)
    world.submit(sum_of(1, deadline_ns=69))
    world.submit(sum_of(2, kind="other"))
    assert world.advance() is None
