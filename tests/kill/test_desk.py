"""A desk process killed at any moment loses nothing and writes nothing twice."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest

from fairstrike.app.desk.follow import DATABASE, run_desk
from fairstrike.core.chance import Dice
from fairstrike.store.journal import Journal
from tests.unit.app.desk.sample import SMALL, SampleRun, append
from tests.unit.app.desk.test_follow import built_in_one_go, dump

COMMAND = "import sys, pathlib; from fairstrike.app.desk.follow import run_desk; "
COMMAND += "print('up', flush=True); run_desk(pathlib.Path(sys.argv[1]), poll_s=0.001, url=(sys.argv[2:] or [None])[0])"
KILLS = 4
PATIENCE_S = 180.0


@contextmanager
def following(folder: Path, *url: str) -> Iterator["subprocess.Popen[str]"]:
    """A desk process that has just begun to follow, into the folder's own database or another; killed at the end."""
    command = [sys.executable, "-c", COMMAND, str(folder), *url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as desk:
        try:
            assert desk.stdout is not None
            assert desk.stdout.readline() == "up\n"
            yield desk
        finally:
            desk.kill()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_desk_catches_up(tmp_path: Path, seed: int) -> None:
    dice = Dice(seed, 3)
    said = SampleRun(seed, 2_000).said
    journal = Journal(tmp_path / "journal", SMALL)
    for _ in range(KILLS):
        with following(tmp_path) as desk:
            # From before the first table to in the midst of catching up: the writer goes on meanwhile.
            until_s = monotonic() + dice.uniform() * 0.6
            while monotonic() < until_s and len(said) > 500:
                append(journal, said[:3])
                del said[:3]
            assert desk.poll() is None
        append(journal, said[:50])
        del said[:50]
    with following(tmp_path) as desk:
        append(journal, said)
        journal.close(0)
        assert desk.wait(PATIENCE_S) == 0
    assert dump(tmp_path) == built_in_one_go(tmp_path)


def test_a_desk_killed_while_it_catches_up_a_finished_run_goes_on(tmp_path: Path) -> None:
    dice = Dice(5, 3)
    said = SampleRun(5, 3_000).said
    journal = Journal(tmp_path / "journal", SMALL)
    append(journal, said)
    journal.close(0)
    for _ in range(KILLS):
        with following(tmp_path) as desk, suppress(subprocess.TimeoutExpired):
            desk.wait(dice.uniform() * 0.5)
    run_desk(tmp_path)
    assert (tmp_path / DATABASE).exists()
    assert dump(tmp_path) == built_in_one_go(tmp_path)
