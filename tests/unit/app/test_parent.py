"""A process that watches a pipe ends when its other end is closed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fairstrike.app.parent import PIPE_VARIABLE
from tests.commands import PROGRAM, fairstrike, run

PATIENCE_S = 120.0
WATCHING = "import signal; from fairstrike.app.parent import end_with_parent; end_with_parent(); print(flush=True)"


def watching(pipe: int) -> "subprocess.Popen[bytes]":
    """A process that watches the pipe and waits; it has said that it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{WATCHING}; signal.pause()"],
        env=os.environ | {PIPE_VARIABLE: str(pipe)},
        pass_fds=[pipe],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_the_end_of_the_pipe_is_a_sigterm() -> None:
    watched, held = os.pipe()
    process = watching(watched)
    try:
        os.close(watched)
        assert process.poll() is None
        os.close(held)
        assert process.wait(PATIENCE_S) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()


def test_nobody_s_child_ends_by_itself(tmp_path: Path) -> None:
    assert PIPE_VARIABLE not in os.environ
    assert run(sys.executable, "-c", WATCHING, folder=tmp_path).code == 0


@pytest.mark.parametrize("value", ["999", "-1", "x", "", str(1 << 80), "0"])
def test_what_is_no_pipe_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(PIPE_VARIABLE, value)
    for said in (
        fairstrike("desk", "gone", folder=tmp_path),
        run(PROGRAM[0], "-m", "fairstrike.app.run", tmp_path, folder=tmp_path),
    ):
        assert said.code == 2
        assert said.sentence == f"{PIPE_VARIABLE} is {value!r} in the environment, which is no open pipe; unset it"
