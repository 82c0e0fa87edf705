"""Commands of the product as processes: a hard limit, their logs when it is reached, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

_POLL_S = 0.05
_END_S = 20.0


class Command:
    """`python -m fairstrike ARGUMENTS`, its output in a file; ended, with all it started, when the block ends."""

    def __init__(self, log: Path, *arguments: str | Path) -> None:
        self.log = log
        with log.open("wb") as file, log.with_suffix(".errors").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fairstrike", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=errors,
            )

    def ended(self, until_s: float) -> int:
        """The exit code, waited for until that instant of the monotonic clock; then everything is ended and told."""
        try:
            return self.process.wait(max(0.0, until_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            logs = self.logs()
            self.end()
            raise AssertionError(f"{self.log.stem} took too long and was ended\n{logs}") from None

    def logs(self) -> str:
        """The ends of this command's logs and of those in the folder beside them."""
        found = sorted({*self.log.parent.rglob("*.log"), *self.log.parent.rglob("*.errors")})
        tails = (path.read_text("utf-8", "replace").splitlines()[-20:] for path in found)
        return "\n".join("\n".join((f"-- {path}", *tail)) for path, tail in zip(found, tails, strict=True))

    def descendants(self) -> list[int]:
        return descendants_of(self.process.pid)

    def end(self) -> None:
        """Interrupt the command; what it and its children leave running is killed, by their numbers."""
        started = self.descendants()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in started:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)

    def __enter__(self) -> "Command":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


class Playing(NamedTuple):
    """A demonstration under way, and the instant of the monotonic clock by which it must have ended."""

    command: Command
    until_s: float


def descendants_of(pid: int) -> list[int]:
    """Every process that a process started, and those that they started, as far as they still belong to it."""
    parents = [(int(stat.parent.name), parent_in(stat)) for stat in Path("/proc").glob("[0-9]*/stat")]
    found, front = [], [pid]
    while front:
        front = [child for child, parent in parents if parent in front]
        found += front
    return found


def parent_in(stat: Path) -> int:
    """The parent that a process's `stat` file names; 0 when the process is over."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(what: str, happened: Callable[[], bool], seconds: float, *commands: Command) -> None:
    """Return when something has happened; it must, in time, and while the commands run."""
    until = time.monotonic() + seconds
    while not happened():
        for command in commands:
            code = command.process.poll()
            assert code is None, f"{command.log.stem} ended with {code} before {what}\n{command.logs()}"
        assert time.monotonic() < until, f"no {what} within {seconds:.0f} s\n{commands[0].logs() if commands else ''}"
        time.sleep(_POLL_S)


def unserved_s(*pids: int) -> float:
    """How long processes have stood ready to run and no processor was free for them, in seconds, all added up."""
    stats = (stat for pid in pids for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(stat.read_text().split()[1]) for stat in stats) / 1e9
