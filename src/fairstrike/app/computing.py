"""The way to the worker: long sums out, their results back into the inbox, or nothing at all.

The worker is started with the first sum and asked for one at a time. A sum that is not done by its deadline is given
up, and what waits longer than its deadline is not begun. So nothing old arrives, and the engine waits for nothing.

A worker that answers late stays: it may only just have started. One that is silent for `PATIENCE_S` beyond a deadline
is ended. What ended, by itself or by us, is started anew with the next sum, after a pause that doubles each time until
a worker answers again.
"""

import asyncio
import logging
import sys
import time
from collections import deque

import msgspec

from fairstrike.app.repeats import Repeats
from fairstrike.core.effects import Effect, StartComputation
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import ComputationDone
from fairstrike.venue.port import Clock, Inbox
from fairstrike.worker.frames import HEAD_BYTES, Question, Reply, framed, length_of

WAITING_MAX = 16
PATIENCE_S = 5.0
"""A start takes half a second, on a busy machine two; no sum that can still be of use takes as long as this."""

PAUSE_FIRST_S, PAUSE_MAX_S = 0.5, 30.0
_ENDINGS = (OSError, EOFError, asyncio.CancelledError, msgspec.MsgspecError, ArithmeticRefusal)
"""How asking ends when the worker did, or said what is no reply, or when nobody waits any more."""

_log = logging.getLogger("fairstrike.worker")


class Computations:
    """A gateway for `StartComputation`."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        """Take where results go and the venue's clock, which deadlines are on. No process is started yet."""
        self._inbox = inbox
        self._clock = clock
        self._waiting: deque[StartComputation] = deque()
        self._asked = asyncio.Event()
        self._is_stopping = False
        self._under_way: asyncio.Future[Reply] | None = None
        self._worker: asyncio.subprocess.Process | None = None
        self._pause_s = 0.0
        self._rests_until_s = 0.0
        self._repeats = Repeats()
        self.given_up = 0

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker that runs, if one does."""
        return None if self._worker is None else self._worker.pid

    def submit(self, effect: Effect) -> None:
        """Take a sum. With sixteen waiting the oldest is given up: the newest prices matter."""
        assert isinstance(effect, StartComputation), "nothing else is computed"
        if len(self._waiting) == WAITING_MAX:
            self._give_up(self._waiting.popleft(), "others wait")
        self._waiting.append(effect)
        self._asked.set()

    async def run(self) -> None:
        """Have sums done until `stop`; then end the worker."""
        try:
            while not self._is_stopping:
                await self._asked.wait()
                self._asked.clear()
                while self._waiting and not self._is_stopping:
                    await self._one(self._waiting.popleft())
        finally:
            await self._end_worker()

    def stop(self) -> None:
        """Begin nothing more and let `run` return."""
        self._is_stopping = True
        self._asked.set()
        if self._under_way is not None:
            self._under_way.cancel()

    async def _one(self, effect: StartComputation) -> None:
        if self._clock.now_ns() >= effect.deadline_ns:
            self._give_up(effect, "its deadline had passed before it began")
            return
        self._under_way = asking = asyncio.ensure_future(self._ask(effect))
        waiting = asyncio.ensure_future(self._clock.sleep_until(effect.deadline_ns))
        await asyncio.wait((asking, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        is_late = not asking.done()
        if is_late:
            self._give_up(effect, "it was not done by its deadline")
            if self._worker is not None:
                await asyncio.wait((asking,), timeout=PATIENCE_S)
            asking.cancel()
        (reply,) = await asyncio.gather(asking, return_exceptions=True)
        if isinstance(reply, Reply):
            self._pause_s = 0.0
            if not is_late:
                self._tell(effect, reply)
            return
        if not is_late and not self._is_stopping:
            self._give_up(effect, "its worker ended")
        await self._end_worker()
        if not isinstance(reply, _ENDINGS):
            raise reply

    def _tell(self, effect: StartComputation, reply: Reply) -> None:
        now_ns = self._clock.now_ns()
        done = ComputationDone(kind=effect.kind, number=effect.number, result=reply.result, recv_ns=now_ns)
        if reply.refusal:
            self._give_up(effect, reply.refusal)
        elif now_ns > effect.deadline_ns or not self._inbox([done]):
            self._give_up(effect, "nobody could take its result in time")

    async def _ask(self, effect: StartComputation) -> Reply:
        if self._worker is None:
            await asyncio.sleep(self._rests_until_s - time.monotonic())
            self._worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fairstrike.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        sink, source = self._worker.stdin, self._worker.stdout
        assert sink is not None, "it was asked for"
        assert source is not None, "it was asked for"
        sink.write(framed(Question(number=effect.number, kind=effect.kind, inputs=effect.inputs)))
        await sink.drain()
        head = await source.readexactly(HEAD_BYTES)
        return msgspec.msgpack.decode(await source.readexactly(length_of(head)), type=Reply)

    async def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        self._pause_s = min(max(2 * self._pause_s, PAUSE_FIRST_S), PAUSE_MAX_S)
        self._rests_until_s = time.monotonic() + self._pause_s
        if worker.returncode is None:
            worker.kill()
        await worker.wait()
        if worker.stdin is not None:
            worker.stdin.close()

    def _give_up(self, effect: StartComputation, reason: str) -> None:
        self.given_up += 1
        text = f"a computation ({effect.kind}) was given up: {reason}"
        if self._repeats.is_due(text, time.monotonic_ns()):
            _log.warning("%s", text)
