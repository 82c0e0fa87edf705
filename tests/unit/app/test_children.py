"""Child processes end with the block they belong to."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fairstrike.app.children import Child, ChildDied, Children
from tests.commands import run

HOLDS = "import signal, sys; sys.stdout.write('up\\n'); sys.stdout.flush(); signal.pause()"
PARENT = """
import os, sys
from pathlib import Path
from fairstrike.app.children import Child
needed = Child("needed", [], Path("needed.log"), module="watching")
needing = Child("needing", ["slowly"], Path("needing.log"), module="watching", needs=needed)
while not (needed.tail() and needing.tail()):
    pass
print(needed.process.pid, needing.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
WATCHES = """
import signal, sys, time
from fairstrike.app.parent import end_with_parent
def end(number, frame):
    time.sleep(0.5 * len(sys.argv[1:]))
    print(time.monotonic(), flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
end_with_parent()
print("up", flush=True)
while True:
    time.sleep(0.01)
"""
PATIENCE_S = 120.0


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that says that it is up and waits; children find it by the path they are given."""
    (tmp_path / "holding.py").write_text(HOLDS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "holding"


def test_a_child_s_output_goes_to_its_log(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("version", ["--help"])
        assert child.wait(PATIENCE_S) == 0
    assert "Usage" in child.log.read_text("utf-8")


def test_a_child_that_ended_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("replay", ["replay", "none.jsonl"])
        assert child.wait(PATIENCE_S) == 2
        with pytest.raises(ChildDied, match=r"the replay ended by itself with exit code 2(.|\n)*none\.jsonl"):
            child.check()


def test_a_child_that_runs_has_no_code_yet(tmp_path: Path, module: str) -> None:
    with Children(tmp_path) as children:
        child = children.start("holding", [], module=module)
        child.check()
        assert child.wait(0.0) is None
    assert child.process.returncode == -signal.SIGTERM


def followed(folder: Path, then: Callable[[], None]) -> Child:
    """A desk's process in a block in which something happens that ends the block."""
    with Children(folder) as children:
        desk = children.start("desk", ["desk", str(folder), "--stay"])
        STARTED.append(desk)
        then()
    return desk


STARTED: list[Child] = []


def die() -> None:
    raise ChildDied("another one died")


def test_children_end_with_the_block_whatever_ended_it(tmp_path: Path) -> None:
    with pytest.raises(ChildDied):
        followed(tmp_path, die)
    assert STARTED.pop().process.returncode is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_parent_told_to_end_is_interrupted_and_ends_its_children(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        followed(tmp_path, lambda: os.kill(os.getpid(), number))
    assert STARTED.pop().process.returncode is not None
    assert signal.getsignal(number) is before


def ended_at(log: Path) -> float:
    """When a process said that it ends."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        _, *instants = log.read_text("utf-8").splitlines()
        if instants:
            return float(instants[0])
        time.sleep(0.02)
    raise AssertionError(f"{log.stem} did not end with its parent")


def test_children_of_a_killed_parent_end_and_what_one_needs_ends_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "watching.py").write_text(WATCHES, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said = run(sys.executable, "-c", PARENT, folder=tmp_path)
    try:
        assert said.code == -signal.SIGKILL
        assert ended_at(tmp_path / "needing.log") < ended_at(tmp_path / "needed.log")
    except AssertionError:
        for pid in map(int, said.out.split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise
