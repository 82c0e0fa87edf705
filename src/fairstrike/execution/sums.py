"""Long sums: who asked for which, how long its answer is good, and the answers that wait to be shown.

While a sum of a kind and a settlement group is under way for a strategy, another is not begun. It is over when its
answer came, or when its time has passed: then the strategy may ask again, whatever became of the worker.

Nothing here can send. A wish becomes the effect `StartComputation` and nothing else, an answer is shown to who asked,
and what that strategy then wishes goes through the door like any wish.
"""

import hashlib
from collections import Counter
from collections.abc import Callable

import msgspec

from fairstrike.core.computing import Answer, Compute
from fairstrike.core.effects import StartComputation
from fairstrike.core.events import ComputationDone
from fairstrike.core.records import ComputationAsked, ComputationDropped

LATE, UNANSWERED, UNKNOWN, UNDER_WAY = "late", "unanswered", "unknown", "under way"
"""Why a sum or a wish comes to nothing: its answer came after its time; none came; nobody waits for an answer of this
number; the like of it is not done yet."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A sum that is under way."""

    number: int
    wish: Compute
    asked_ns: int
    deadline_ns: int


class Sums:
    """The long sums of one run. `dropped` counts what came to nothing, by its reason."""

    def __init__(self, write: Callable[[ComputationAsked | ComputationDropped], None]) -> None:
        """Take where records go; the first sum is number 1."""
        self._write = write
        self._count = 0
        self._asked: dict[int, _Asked] = {}
        self._answers: dict[str, list[Answer]] = {}
        self.dropped: Counter[str] = Counter()

    def ask(self, wish: Compute, now_ns: int) -> StartComputation | None:
        """Give the effect that starts a sum, None while one of its kind and group is under way for its strategy."""
        for asked in [asked for asked in self._asked.values() if asked.deadline_ns < now_ns]:
            self._drop(asked.number, UNANSWERED)
        if any(_is_like(asked.wish, wish) for asked in self._asked.values()):
            self.dropped[UNDER_WAY] += 1
            return None
        self._count += 1
        number, deadline_ns = self._count, now_ns + wish.good_for_ns
        self._asked[number] = _Asked(number=number, wish=wish, asked_ns=now_ns, deadline_ns=deadline_ns)
        self._write(
            ComputationAsked(
                strategy=wish.strategy,
                kind=wish.kind,
                group=wish.group,
                number=number,
                inputs_sha256=hashlib.sha256(wish.inputs).hexdigest(),
                deadline_ns=deadline_ns,
            )
        )
        return StartComputation(kind=wish.kind, number=number, inputs=wish.inputs, deadline_ns=deadline_ns)

    def fold(self, done: ComputationDone) -> None:
        """Take a result in; one that nobody waits for, or that is late, is dropped."""
        asked = self._asked.get(done.number)
        if asked is None or asked.wish.kind != done.kind:
            self._drop(done.number, UNKNOWN)
        elif done.recv_ns > asked.deadline_ns:
            self._drop(done.number, LATE)
        else:
            del self._asked[done.number]
            answer = Answer(
                kind=done.kind,
                group=asked.wish.group,
                result=done.result,
                asked_ns=asked.asked_ns,
                good_until_ns=asked.deadline_ns,
            )
            self._answers.setdefault(asked.wish.strategy, []).append(answer)

    def take(self, now_ns: int) -> dict[str, tuple[Answer, ...]]:
        """Give the answers that came since, by strategy, once; those whose time passed meanwhile are dropped."""
        if not self._answers:
            return {}
        taken, self._answers = self._answers, {}
        good: dict[str, tuple[Answer, ...]] = {}
        for name, found in taken.items():
            good[name] = tuple(one for one in found if now_ns <= one.good_until_ns)
            self.dropped[LATE] += len(found) - len(good[name])
        return {name: found for name, found in good.items() if found}

    def _drop(self, number: int, reason: str) -> None:
        if reason != UNKNOWN:
            del self._asked[number]
        self.dropped[reason] += 1
        self._write(ComputationDropped(number=number, reason=reason))


def _is_like(one: Compute, other: Compute) -> bool:
    return (one.strategy, one.kind, one.group) == (other.strategy, other.kind, other.group)
