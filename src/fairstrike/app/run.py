"""The trader's process: `python -m fairstrike.app.run FOLDER`. Bytes in, turns, bytes out.

Shells put lists of events into one bounded inbox; the loop takes them out, turns, and hands the effects to the
shells. SIGINT, SIGTERM and SIGHUP become the command `stop`: everything is cancelled and proved gone before the process
ends; before the run has begun there is nothing to cancel, and it ends at once. Whatever fails inside ends the same
way, by the venue's own cancel-all, loudly and with its own exit code.
"""

import asyncio
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import assert_never

from fairstrike.app import build, disk, dotenv, locks, runfile
from fairstrike.app.clock import SystemClock
from fairstrike.app.crash import EXIT_INTERRUPTED, TraceAside, keep_trace
from fairstrike.app.emergency import cancel_everything
from fairstrike.app.parent import end_with_parent
from fairstrike.app.readiness import check_venue, take_limits
from fairstrike.app.repeats import Repeats
from fairstrike.app.signals import when_asked_to_stop
from fairstrike.app.turn import Turn
from fairstrike.core.effects import (
    Ask,
    CancelOrder,
    Effect,
    Halt,
    Resubscribe,
    SendOrder,
    SetTimer,
    StartComputation,
    Unwatch,
    Warn,
    Watch,
)
from fairstrike.core.errors import DiskError, FairstrikeError, UsageError
from fairstrike.core.events import Commanded, Event, StreamChanged, TimerFired
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.core.units import format_ud
from fairstrike.execution.clerk import Clerk
from fairstrike.store.journal import Journal
from fairstrike.store.segments import compress_segment
from fairstrike.venue.kalshi.session import SOURCE

EXIT_CLEAN, EXIT_OURS, EXIT_NOT_PROVED = 0, 8, 9
INBOX_MAX = 100_000
_SYNC_SECONDS, _DISK_LOOK_SECONDS = 0.05, 1.0
_log = logging.getLogger("fairstrike")


class Inbox:
    """The one bounded queue between shells and engine."""

    def __init__(self) -> None:
        """Start empty."""
        self._events: deque[Event] = deque()
        self._filled = asyncio.Event()

    def __call__(self, events: Sequence[Event]) -> bool:
        """Take events in; False when there is no room, and then none were taken."""
        if len(self._events) + len(events) > INBOX_MAX:
            return False
        self._events.extend(events)
        self._filled.set()
        return True

    def wake(self) -> None:
        """Have `take` return, be it with nothing."""
        self._filled.set()

    async def take(self) -> list[Event]:
        """Give everything that came in, waiting for something or to be woken."""
        await self._filled.wait()
        events = list(self._events)
        self._events.clear()
        self._filled.clear()
        return events


class Trader:
    """One run: parts joined, a loop, and an end."""

    def __init__(self, run: runfile.RunFile, folder: Path) -> None:
        """Open the journal and build the parts; nothing is sent yet."""
        self._clock = SystemClock(run.clock)
        self.inbox = Inbox()
        self.shells = build.shells(run, self._clock, self.inbox)
        self._repeats = Repeats()
        self._disk = disk.Watch(folder, run.settings.disk)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        settings = build.under_clock(run.settings, run.clock)
        self._started = build.run_started(settings, run.account, self._clock.now_ns())
        self._has_key = run.key_id is not None
        self._work: set[asyncio.Future[None]] = set()
        self._journal = Journal(folder / "journal", run.settings.journal, compress=self._compress_aside)
        self._engine = build.engine(self._started, settings)
        self._turn = Turn(self._engine, self._journal, keeps_inputs=True)
        self._halt: Halt | None = None
        self._stray: BaseException | None = None
        self.has_begun = False

    async def make_ready(self) -> None:
        """Return when the trader may begin, within the account's own limits; nothing but reads is sent.

        Raises `DiskError` when less of the disk is free than is to be left, and as `check_venue` does.
        """
        self._look_at_disk()
        if self._disk.problem:
            raise DiskError(f"nothing was begun: {self._disk.problem}")
        await check_venue(self.shells.rest, self.shells.budget, has_key=self._has_key)
        if not self._has_key:
            return
        limits = await take_limits(self.shells.reads, self.shells.budget, self._clock.now_ns)
        if isinstance(limits, str):
            _log.warning("%s", limits)

    async def run(self, asked: "asyncio.Future[str]") -> int:
        """Trade until halted; what `asked` comes to is the reason to stop. Gives the exit code."""
        asyncio.get_running_loop().set_exception_handler(self._on_stray)
        self.has_begun = True
        asked.add_done_callback(lambda asked: self.command("stop", asked.result()))
        carriers = [asyncio.create_task(part.run()) for part in self.shells.runnable()]
        keeping = [asyncio.create_task(self._keep_syncing()), asyncio.create_task(self._keep_looking_at_disk())]
        try:
            self._carry(self._turn.start(self._started))
            if self.shells.stream is None:
                self.inbox([StreamChanged(source=SOURCE, is_up=False, reason="no key", recv_ns=self._clock.now_ns())])
            await self._loop([*carriers, *keeping])
        finally:
            for task in keeping:
                task.cancel()
            for part in self.shells.runnable():
                part.stop()
            ended, _ = await asyncio.wait(carriers, timeout=5)
            for carrier in ended:
                carrier.exception()  # Looked at, so that a second failure does not speak over the first.
            self._journal.close(self._clock.now_ns())
            if self._work:
                await asyncio.wait(self._work, timeout=5)
        assert self._halt is not None
        print(summary(self._halt, self._engine.clerk), flush=True)
        if self._disk.problem:
            print(f"fairstrike: the trader stopped: {self._disk.problem}", file=sys.stderr)
        if not self._halt.is_clean:
            return EXIT_NOT_PROVED
        return DiskError.exit_code if self._disk.problem else EXIT_CLEAN

    def command(self, command: str, argument: str) -> None:
        """Tell the engine a command of the operator, as soon as there is room for it: a stop is never lost."""
        now_ns = self._clock.now_ns()
        if not self.inbox([Commanded(command=command, argument=argument, recv_ns=now_ns)]):
            self._clock.call_at(now_ns + MILLISECOND_NS, lambda: self.command(command, argument))

    async def _loop(self, carriers: "list[asyncio.Task[None]]") -> None:
        """Turn as soon as something came in: were more reads let in between, a flood would fill the inbox."""
        for carrier in carriers:
            carrier.add_done_callback(lambda _: self.inbox.wake())
        while self._halt is None:
            if self._stray is not None:
                raise self._stray
            events = await self.inbox.take()
            for carrier in carriers:
                if carrier.done():
                    carrier.result()
                    raise AssertionError("a shell returned while the trader runs")
            self._carry(self._turn(events))

    def _carry(self, effects: list[Effect]) -> None:
        """Hand effects to the shells that carry them out."""
        for effect in effects:
            match effect:
                case SendOrder() | CancelOrder():
                    assert self.shells.writes is not None, "nothing that sends exists in this execution"
                    self.shells.writes.submit(effect)
                case SetTimer():
                    self._set_timer(effect)
                case Ask():
                    self.shells.reads.submit(effect)
                case Watch() | Unwatch() | Resubscribe():
                    if self.shells.stream is not None:
                        self.shells.stream.submit(effect)
                case StartComputation():
                    self.shells.computations.submit(effect)
                case Warn():
                    if self._repeats.is_due(effect.text, time.monotonic_ns()):
                        _log.warning("%s", effect.text)
                case Halt():
                    self._halt = effect
                case _:
                    assert_never(effect)

    def _set_timer(self, effect: SetTimer) -> None:
        before = self._timers.pop(effect.name, None)
        if before is not None:
            before.cancel()
        self._timers[effect.name] = self._clock.call_at(effect.due_ns, lambda: self._fire(effect.name))

    def _fire(self, name: str) -> None:
        if not self.inbox([TimerFired(name=name, recv_ns=self._clock.now_ns())]):
            self._timers[name] = self._clock.call_at(self._clock.now_ns() + MILLISECOND_NS, lambda: self._fire(name))

    def _on_stray(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Take in a failure that happened in a callback, outside every task: it ends the run like any other."""
        error = context.get("exception")
        if not isinstance(error, Exception) or isinstance(error, OSError):
            _log.warning("%s", context.get("message"))
        elif self._stray is None:
            self._stray = error
            self.command("stop", "failure")

    async def _keep_looking_at_disk(self) -> None:
        """Stop trading, once, before the disk is full."""
        while not self._disk.problem:
            await asyncio.sleep(_DISK_LOOK_SECONDS)
            self._look_at_disk()
        _log.error("stopping: %s", self._disk.problem)
        self.command("stop", "disk low")
        await asyncio.Event().wait()

    def _look_at_disk(self) -> None:
        if warning := self._disk.look(time.monotonic_ns()):
            _log.warning("%s", warning)

    async def _keep_syncing(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SYNC_SECONDS)
            await loop.run_in_executor(None, self._journal.sync)

    def _compress_aside(self, path: Path) -> None:
        work = asyncio.get_running_loop().run_in_executor(None, compress_segment, path)
        self._work.add(work)
        work.add_done_callback(self._work.discard)


def summary(halt: Halt, clerk: Clerk) -> str:
    """Give the last line of a run: what it came to, and whether it is proved that nothing rests."""
    if not clerk.has_account:
        return f"stopped ({halt.reason}): it only looked, and nothing was sent"
    ledger = clerk.ledger
    money = "cash was never read"
    if clerk.is_open:
        gained_ud = ledger.cash_ud + ledger.open_cost_ud() - ledger.equity_start_ud
        money = (
            f"cash ${format_ud(ledger.cash_ud)}, result ${format_ud(gained_ud)} after ${format_ud(ledger.fees_ud)} fees"
        )
    proof = "proved by two empty lists" if halt.is_clean else "NOT proved: look at the venue"
    return (
        f"stopped ({halt.reason}): {money}, {sum(r.fills for r in ledger.results.values())} fills, "
        f"{len(clerk.orders.all_working())} orders resting, {proof}"
    )


async def _is_done_before(asked: "asyncio.Future[str]", work: Coroutine[None, None, None]) -> bool:
    """Do the work; False when it was given up because `asked` came first."""
    working = asyncio.ensure_future(work)
    waiting: list[asyncio.Future[None] | asyncio.Future[str]] = [working, asked]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if asked.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return False
    working.result()
    return True


async def trade(folder: Path) -> int:
    """Run the trader of a folder to its end. Gives the exit code."""
    asked = when_asked_to_stop()
    end_with_parent()
    run = runfile.read(folder)
    held = [locks.hold(folder / "lock", f"in {folder}")]
    if run.settings.execution != "observe":
        held.append(locks.hold(build.account_lock(run), "on this account"))
    trader = Trader(run, folder)
    try:
        if await _is_done_before(asked, trader.make_ready()):
            return await trader.run(asked)
        print(f"stopped ({asked.result()}) before anything was sent", flush=True)
        return EXIT_CLEAN
    except Exception as error:
        is_ours = not isinstance(error, FairstrikeError)
        if is_ours:
            kind, place = type(error).__name__, keep_trace(error)
            _log.error("stopping after a failure of the program itself (%s); please report its trace %s", kind, place)
        if trader.has_begun and trader.shells.writes is not None:
            outcome = await cancel_everything(trader.shells.rest)
            _log.error("%s", outcome.told)
            if not outcome.is_proved:
                if not is_ours:
                    print(f"fairstrike: {error}", file=sys.stderr)
                return EXIT_NOT_PROVED
        if is_ours:
            return EXIT_OURS
        raise
    finally:
        await trader.shells.rest.close()


def main() -> int:
    """Start from the command line: one argument, the run folder."""
    os.umask(0o077)
    try:
        _log_to_screen()
        if not __debug__:
            raise UsageError("Python runs with assertions off; start without -O and without PYTHONOPTIMIZE")
        if len(sys.argv) != 2:
            raise UsageError("give one run folder; `fairstrike trade` makes it")
        return asyncio.run(trade(Path(sys.argv[1])))
    except FairstrikeError as error:
        print(f"fairstrike: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("fairstrike: interrupted before anything was sent", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:
        print(
            f"fairstrike: the program itself failed before it traded ({type(error).__name__}: {error}); "
            f"trace in {keep_trace(error)}",
            file=sys.stderr,
        )
        return EXIT_OURS


def _log_to_screen() -> None:
    screen = logging.StreamHandler()
    screen.setFormatter(TraceAside("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=dotenv.log_level(), handlers=[screen])


if __name__ == "__main__":
    sys.exit(main())
