"""The way to the worker, with a real one: results in time, none late, a worker that dies is replaced."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence

import msgspec
import pytest

from fairstrike.app import computing
from fairstrike.app.clock import SystemClock
from fairstrike.app.computing import WAITING_MAX, Computations
from fairstrike.core.effects import StartComputation
from fairstrike.core.events import ComputationDone, Event
from fairstrike.core.timing import SECOND_NS, VenueClock
from fairstrike.pricing.computations import DISTRIBUTION, DistributionFitted, DistributionInputs, encoded
from fairstrike.pricing.settlement import SettlementInputs
from tests.unit.worker.samples import CONTRACTS, SCHEDULES

INPUTS = encoded(
    DistributionInputs(
        contracts=CONTRACTS,
        quotes={"KXBTCD T79999.99": (5_000, 5_200)},
        schedules=SCHEDULES,
        known=SettlementInputs(spot=80_060.0, vol_annual=0.35, first_s=540.0, left=60),
    )
)
PATIENCE_S = 120.0


class Way:
    """Computations between a clock and a list, with what the tests ask of them."""

    def __init__(self) -> None:
        self.clock = SystemClock(VenueClock())
        self.told: list[Event] = []
        self.arrived = asyncio.Event()
        self.computations = Computations(self._inbox, self.clock)

    def _inbox(self, events: Sequence[Event]) -> bool:
        self.told += events
        self.arrived.set()
        return True

    def ask(self, number: int, *, kind: str = DISTRIBUTION, seconds: float = PATIENCE_S) -> None:
        deadline_ns = self.clock.now_ns() + round(seconds * SECOND_NS)
        effect = StartComputation(kind=kind, number=number, inputs=INPUTS, deadline_ns=deadline_ns)
        self.computations.submit(effect)

    async def until(self, count: int) -> list[ComputationDone]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.told) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return [event for event in self.told if isinstance(event, ComputationDone)]

    async def worker(self) -> int:
        """Have a first sum done; give the process that did it."""
        self.ask(1)
        await self.until(1)
        pid = self.computations.worker_pid
        assert pid is not None
        return pid

    async def given_up(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.computations.given_up < count:
                await asyncio.sleep(0.01)


def driven(work: Callable[[Way], Coroutine[None, None, None]]) -> None:
    """Run some work beside the computations, which are stopped after it."""

    async def both() -> None:
        way = Way()
        running = asyncio.create_task(way.computations.run())
        try:
            await work(way)
        finally:
            way.computations.stop()
            async with asyncio.timeout(PATIENCE_S):
                await running
        assert way.computations.worker_pid is None

    asyncio.run(both())


def test_results_come_back_in_order() -> None:
    async def work(way: Way) -> None:
        for number in (1, 2, 3):
            way.ask(number)
        done = await way.until(3)
        assert [(one.kind, one.number) for one in done] == [(DISTRIBUTION, number) for number in (1, 2, 3)]
        assert msgspec.msgpack.decode(done[0].result, type=DistributionFitted).fit.slack == 0.0
        assert done[0].result == done[2].result

    driven(work)


def test_what_is_refused_or_late_never_arrives() -> None:
    async def work(way: Way) -> None:
        way.ask(1, kind="unknown")
        way.ask(2, seconds=-1.0)
        way.ask(3)
        assert [one.number for one in await way.until(1)] == [3]
        assert way.computations.given_up == 2

    driven(work)


def test_one_beyond_its_deadline_is_given_up_and_the_next_is_done() -> None:
    async def work(way: Way) -> None:
        # No process starts and answers in a millisecond.
        way.ask(1, seconds=0.001)
        way.ask(2)
        assert [one.number for one in await way.until(1)] == [2]
        assert way.computations.given_up == 1

    driven(work)


def test_a_killed_worker_is_replaced() -> None:
    async def work(way: Way) -> None:
        first = await way.worker()
        os.kill(first, signal.SIGKILL)
        way.ask(2)
        await way.given_up(1)
        way.ask(3)
        assert [one.number for one in await way.until(2)] == [1, 3]
        assert way.computations.worker_pid not in (None, first)

    driven(work)


def test_a_worker_killed_in_the_middle_of_a_sum_is_replaced_and_nobody_waits() -> None:
    async def work(way: Way) -> None:
        first = await way.worker()
        os.kill(first, signal.SIGSTOP)
        way.ask(2)
        # The loop goes on while the worker does not.
        await asyncio.sleep(0.05)
        os.kill(first, signal.SIGKILL)
        await way.given_up(1)
        way.ask(3)
        assert [one.number for one in await way.until(2)] == [1, 3]

    driven(work)


def test_a_late_worker_stays_and_one_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(way: Way) -> None:
        monkeypatch.setattr(computing, "PATIENCE_S", PATIENCE_S)
        first = await way.worker()
        os.kill(first, signal.SIGSTOP)
        way.ask(2, seconds=0.05)
        await way.given_up(1)
        os.kill(first, signal.SIGCONT)
        way.ask(3)
        assert [one.number for one in await way.until(2)] == [1, 3]
        assert way.computations.worker_pid == first
        monkeypatch.setattr(computing, "PATIENCE_S", 0.3)
        os.kill(first, signal.SIGSTOP)
        way.ask(4, seconds=0.05)
        way.ask(5)
        assert [one.number for one in await way.until(3)] == [1, 3, 5]
        assert way.computations.worker_pid != first

    driven(work)


def test_a_worker_that_cannot_start_is_tried_again_after_longer_and_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "PAUSE_FIRST_S", 0.2)
    monkeypatch.setattr("sys.executable", "/bin/false")

    async def work(way: Way) -> None:
        began_s = time.monotonic()
        for number in range(4):
            way.ask(number)
        await way.given_up(4)
        # Three pauses: 0.2, 0.4 and 0.8 seconds.
        assert time.monotonic() - began_s >= 1.4
        monkeypatch.undo()
        way.ask(5)
        assert [one.number for one in await way.until(1)] == [5]

    driven(work)


def test_the_oldest_waiting_makes_room() -> None:
    async def work(way: Way) -> None:
        for number in range(WAITING_MAX + 1):
            way.ask(number)
        assert way.computations.given_up == 1
        done = await way.until(WAITING_MAX)
        assert [one.number for one in done] == list(range(1, WAITING_MAX + 1))

    driven(work)


def test_a_stop_waits_for_nothing() -> None:
    async def work(way: Way) -> None:
        way.ask(1, seconds=3_600.0)
        await asyncio.sleep(0.01)
        way.computations.stop()
        assert way.told == []

    driven(work)
