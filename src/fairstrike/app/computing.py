"""The way to the worker: long sums out, their results back into the inbox, or nothing at all.

The worker is started with the first sum and asked for one at a time. A sum that is not done by its deadline is given
up: its worker is ended, and the next sum starts another. What waits longer than its deadline is not begun. So nothing
old arrives, and the engine waits for nothing.
"""

import asyncio
import logging
import sys
from collections import deque

import msgspec

from fairstrike.core.effects import Effect, StartComputation
from fairstrike.core.events import ComputationDone
from fairstrike.venue.port import Clock, Inbox
from fairstrike.worker.frames import HEAD_BYTES, Question, Reply, framed, length_of

WAITING_MAX = 16
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
        asking.cancel()
        waiting.cancel()
        reply, _ = await asyncio.gather(asking, waiting, return_exceptions=True)
        if isinstance(reply, Reply):
            self._tell(effect, reply)
            return
        self._give_up(
            effect, "its worker ended" if isinstance(reply, OSError | EOFError) else "it was not done by its deadline"
        )
        await self._end_worker()
        if not isinstance(reply, OSError | EOFError | asyncio.CancelledError):
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
        if worker.returncode is None:
            worker.kill()
        await worker.wait()
        if worker.stdin is not None:
            worker.stdin.close()

    def _give_up(self, effect: StartComputation, reason: str) -> None:
        self.given_up += 1
        _log.warning("computation %s %d was given up: %s", effect.kind, effect.number, reason)
