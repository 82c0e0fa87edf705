"""A trader's loop in a process of its own that kills itself at a given act of the journal: `python -m` this file.

It is told a golden tape in turns of drawn length, keeps its inputs, and says on a pipe which effects it handed out,
each after it was handed out. Acts are the journal's system calls: opening, writing, renaming and deleting files.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import msgspec

from fairstrike.app import build, config
from fairstrike.app.turn import Turn
from fairstrike.core.chance import Dice
from fairstrike.core.effects import Effect
from fairstrike.core.events import Event
from fairstrike.core.records import RunStarted
from fairstrike.store.journal import Journal, Params
from tests.golden.tape import Golden, load

SMALL = Params(segment_bytes=50_000)
EVENTS = 9_000
_In = ParamSpec("_In")
_Out = TypeVar("_Out")


class Order(msgspec.Struct, frozen=True):
    """What the process is told: the journal's folder, the act that kills it (0 none), and how far into that act.

    Of a write the stated share is done; anything else is done when the share is at least a half.
    """

    folder: str
    act: int
    share: float
    pipe: int


class Fate:
    """Counts the journal's acts and ends the process at the one that was drawn."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._write = os.write
        self.acts = 0

    def install(self) -> None:
        """Put itself between this process and its files."""
        os.write = self.write  # type: ignore[assignment]
        os.open = self.passing(os.open)
        # The journal renames and deletes by these.
        Path.replace = self.passing(Path.replace)  # type: ignore[method-assign]
        Path.unlink = self.passing(Path.unlink)  # type: ignore[method-assign]

    def write(self, file: int, data: bytes | memoryview, /) -> int:
        if self._is_due():
            self._write(file, data[: int(len(data) * self._order.share)])
            die()
        return self._write(file, data)

    def passing(self, act: Callable[_In, _Out]) -> Callable[_In, _Out]:
        def counted(*args: _In.args, **kwargs: _In.kwargs) -> _Out:
            is_due = self._is_due()
            if is_due and self._order.share < 0.5:
                die()
            result = act(*args, **kwargs)
            if is_due:
                die()
            return result

        return counted

    def say(self, body: bytes) -> None:
        self._write(self._order.pipe, len(body).to_bytes(4, "little") + body)

    def _is_due(self) -> bool:
        self.acts += 1
        return self.acts == self._order.act


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives SIGKILL")


def tape() -> Golden:
    """As much of the golden tape as a run is told."""
    golden = load("quarter")
    return Golden(golden.started, golden.events[:EVENTS])


def trader(started: RunStarted, journal: Journal) -> Turn:
    """A fresh trader that keeps its inputs."""
    settings = msgspec.json.decode(started.settings, type=config.Settings)
    return Turn(build.engine(started, settings), journal, keeps_inputs=True)


def in_turns(events: list[Event]) -> Iterator[list[Event]]:
    dice, start = Dice(4, 4), 0
    while start < len(events):
        end = start + dice.between(1, 30)
        yield events[start:end]
        start = end


def played(started: RunStarted, journal: Journal, events: list[Event], hand_out: Callable[[Effect], None]) -> None:
    """Run a trader over the events; effects are handed out after each turn, as the trader's loop does."""
    turn = trader(started, journal)
    for effect in turn.start(started):
        hand_out(effect)
    for told in in_turns(events):
        for effect in turn(told):
            hand_out(effect)
    journal.close(events[-1].recv_ns)


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    golden, encode = tape(), msgspec.msgpack.Encoder().encode
    fate = Fate(order)
    fate.install()
    journal = Journal(Path(order.folder), SMALL)
    played(golden.started, journal, golden.events, lambda effect: fate.say(encode(effect)))
    fate.say(encode({"acts": fate.acts}))


if __name__ == "__main__":
    main()
