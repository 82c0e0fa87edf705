"""A desk process killed at any moment loses nothing and writes nothing twice."""

import subprocess
import sys
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
PATIENCE_S = 60.0


def start(folder: Path, *url: str) -> "subprocess.Popen[str]":
    """A desk process that has just begun to follow, into the folder's own database or another."""
    desk = subprocess.Popen([sys.executable, "-c", COMMAND, str(folder), *url], stdout=subprocess.PIPE, text=True)
    assert desk.stdout is not None
    assert desk.stdout.readline() == "up\n"
    return desk


def kill(desk: "subprocess.Popen[str]") -> None:
    assert desk.poll() is None
    desk.kill()
    desk.communicate()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_desk_catches_up(tmp_path: Path, seed: int) -> None:
    dice = Dice(seed, 3)
    said = SampleRun(seed, 2_000).said
    journal = Journal(tmp_path / "journal", SMALL)
    for _ in range(KILLS):
        desk = start(tmp_path)
        # From before the first table to in the midst of catching up: the writer goes on meanwhile.
        until_s = monotonic() + dice.uniform() * 0.6
        while monotonic() < until_s and len(said) > 500:
            append(journal, said[:3])
            del said[:3]
        kill(desk)
        append(journal, said[:50])
        del said[:50]
    desk = start(tmp_path)
    append(journal, said)
    journal.close(0)
    assert desk.wait(PATIENCE_S) == 0
    desk.communicate()
    assert dump(tmp_path) == built_in_one_go(tmp_path)


def test_a_desk_killed_while_it_catches_up_a_finished_run_goes_on(tmp_path: Path) -> None:
    dice = Dice(5, 3)
    said = SampleRun(5, 3_000).said
    journal = Journal(tmp_path / "journal", SMALL)
    append(journal, said)
    journal.close(0)
    for _ in range(KILLS):
        desk = start(tmp_path)
        try:
            desk.wait(dice.uniform() * 0.5)
        except subprocess.TimeoutExpired:
            kill(desk)
        else:
            desk.communicate()
    run_desk(tmp_path)
    assert (tmp_path / DATABASE).exists()
    assert dump(tmp_path) == built_in_one_go(tmp_path)
