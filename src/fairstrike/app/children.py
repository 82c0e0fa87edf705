"""Child processes of one command: started with a log each, watched, and always ended.

Each child watches a pipe whose other end its parent holds, so that it ends even when the parent was killed. A child
that needs another holds that one's pipe too: what is needed ends after it.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType, TracebackType

from fairstrike.app.parent import PIPE_VARIABLE
from fairstrike.core.errors import FairstrikeError

_TAIL_LINES = 15
_END_SECONDS = 5.0
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)


class ChildDied(FairstrikeError):
    """A process this command started ended by itself. Cure: read the log that the message names."""


class Child:
    """One child process of this program; its output goes to a log file, its first line can be waited for."""

    def __init__(
        self, name: str, arguments: list[str], log: Path, *, module: str = "fairstrike", needs: "Child | None" = None
    ) -> None:
        """Start `python -m MODULE ARGUMENTS`; `needs` outlives it whatever happens to the parent."""
        self.name = name
        self.log = log
        self._file = log.open("wb")
        watched, held = os.pipe()
        self._lifeline = os.fdopen(held, "wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {PIPE_VARIABLE: str(watched)},
            pass_fds=[watched] if needs is None else [watched, needs._lifeline.fileno()],
        )
        os.close(watched)

    def check(self) -> None:
        """Raise `ChildDied` when the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise ChildDied(
                f"the {self.name} ended by itself with exit code {code}; its log {self.log} says:\n{self.tail()}"
            )

    def wait(self, seconds: float) -> int | None:
        """Give the exit code, None when the process still runs after `seconds`."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End the process: asked first, killed when it does not listen."""
        if self.process.poll() is None:
            self.process.terminate()
            if self.wait(_END_SECONDS) is None:
                self.process.kill()
                self.process.wait()
        self._file.close()
        self._lifeline.close()

    def tail(self) -> str:
        """Give the last lines of the log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:])


class Children:
    """Children that end with the block they belong to, the youngest first.

    Inside the block SIGTERM and SIGHUP interrupt as Ctrl-C does: no child outlives a parent that was told to end.
    """

    def __init__(self, folder: Path) -> None:
        """Logs go into `folder`."""
        self._folder = folder
        self._started: list[Child] = []
        self._before = {number: signal.getsignal(number) for number in _ENDINGS}

    def start(
        self, name: str, arguments: list[str], *, module: str = "fairstrike", needs: Child | None = None
    ) -> Child:
        """Start one more child; `needs` is an older one that it cannot do without, to its end."""
        child = Child(name, arguments, self._folder / f"{name}.log", module=module, needs=needs)
        self._started.append(child)
        return child

    def check(self) -> None:
        """Raise `ChildDied` when any has ended."""
        for child in self._started:
            child.check()

    def __enter__(self) -> "Children":
        """Begin the block."""
        for number in _ENDINGS:
            signal.signal(number, _interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every child, undisturbed by further signals."""
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(self._started):
            child.end()
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
