"""A failure of the program itself: one sentence, a code of its own, the trace in a private file."""

import logging
import re
import sys
from pathlib import Path

import pytest

from fairstrike.app.crash import EXIT_CRASHED, EXIT_INTERRUPTED, TraceAside
from tests.commands import Said, run

FAILING = """
import sys
from fairstrike.app import cli, verifying
def fail(*_):
    raise {error}
verifying.verify = fail
sys.argv = ["fairstrike", "verify", "run", "--json"]
cli.main()
"""


def failing(folder: Path, error: str) -> Said:
    return run(sys.executable, "-c", FAILING.format(error=error), folder=folder)


def test_a_failure_inside_a_command(tmp_path: Path) -> None:
    said = failing(tmp_path, "ZeroDivisionError('a fault')")
    assert (said.code, said.out) == (EXIT_CRASHED, "")
    found = re.fullmatch(
        r"this is a failure of the program itself \(ZeroDivisionError\); .* kept in (\S+)", said.sentence
    )
    assert found is not None
    trace = Path(found[1])
    assert trace.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError: a fault" in trace.read_text()


def test_a_failed_assertion_is_a_failure_of_ours(tmp_path: Path) -> None:
    assert "(AssertionError)" in failing(tmp_path, "AssertionError()").sentence


def test_an_interrupted_command(tmp_path: Path) -> None:
    said = failing(tmp_path, "KeyboardInterrupt()")
    assert (said.code, said.sentence) == (EXIT_INTERRUPTED, "interrupted")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_command_ended_by_a_signal(tmp_path: Path, name: str) -> None:
    program = f"import os, signal, time\n{FAILING}".replace(
        "raise {error}", f"os.kill(os.getpid(), signal.{name}); time.sleep(9)"
    )
    said = run(sys.executable, "-c", program, folder=tmp_path)
    assert (said.code, said.sentence) == (EXIT_INTERRUPTED, "interrupted")


@pytest.mark.parametrize("where", ["> /dev/full", "| true"])
def test_an_output_that_is_full_or_closed(tmp_path: Path, where: str) -> None:
    said = run(
        "bash", "-c", f"set -o pipefail; (sleep 0.1; {sys.executable} -m fairstrike --version) {where}", folder=tmp_path
    )
    assert said.code == 1
    assert said.sentence.startswith("the output cannot be written (")


def test_a_name_that_the_output_cannot_show(tmp_path: Path) -> None:
    program = f"PYTHONIOENCODING=ascii exec {sys.executable} -m fairstrike stats µ.jsonl"
    said = run("bash", "-c", program, folder=tmp_path)
    assert said.code == 2
    assert said.sentence.startswith("\\xb5.jsonl cannot be read")


def test_a_file_that_cannot_be_used_is_no_failure_of_ours(tmp_path: Path) -> None:
    said = failing(tmp_path, "PermissionError(13, 'Permission denied', '/some/file')")
    assert said.code == 2
    assert said.sentence == "/some/file cannot be used (Permission denied); check path and permissions"


def test_a_logged_trace_goes_to_a_file() -> None:
    try:
        raise ValueError("inner")
    except ValueError:
        record = logging.LogRecord("library", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    message, _, last = TraceAside("%(message)s").format(record).partition("\n")
    assert message == "failed"
    trace = Path(last.removeprefix("trace in "))
    assert "ValueError: inner" in trace.read_text()
    trace.unlink()
