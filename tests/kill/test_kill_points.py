"""A trader killed at any act of its journal: what was acted on is written, and the journal goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fairstrike.app.verifying import verify
from fairstrike.core.chance import Dice
from fairstrike.core.effects import Effect
from fairstrike.core.timing import MINUTE_NS
from fairstrike.store.following import read
from fairstrike.store.journal import Journal
from fairstrike.store.segments import DECISIONS, INPUTS, Record
from tests.conftest import REPOSITORY
from tests.kill.stepped_run import SMALL, Order, played, tape

SEED = 11
ACTS, MOMENTS = range(18), range(18, 24)
LIMIT_S = 180.0
BOOKKEEPING = ("Segment", "InputsDeleted")
EFFECTS = {kind.__name__ for kind in Effect.__args__}


class Killed:
    """One run of the process: what it said on its pipe before it ended."""

    def __init__(self, folder: Path, act: int, share: float, bytes_until_kill: int | None = None) -> None:
        self.folder = folder
        reading, writing = os.pipe()
        order = msgspec.json.encode(Order(str(folder / "journal"), act, share, writing)).decode()
        command = [sys.executable, "-m", "tests.kill.stepped_run", order]
        self._said = bytearray()
        with subprocess.Popen(command, cwd=REPOSITORY, pass_fds=[writing], stderr=subprocess.PIPE) as self.process:
            try:
                os.close(writing)
                self._listen(reading, bytes_until_kill)
                _, errors = self.process.communicate(timeout=LIMIT_S)
            finally:
                self.process.kill()
        self.errors = errors.decode()

    def _listen(self, reading: int, bytes_until_kill: int | None) -> None:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while data := pipe.read(65_536):
                self._said += data
                if bytes_until_kill is not None and len(self._said) >= bytes_until_kill:
                    self.process.kill()
                    bytes_until_kill = None

    def said(self) -> Iterator[bytes]:
        """Whole messages; the last may be torn by the parent's own kill."""
        at = 0
        while at + 4 <= len(self._said):
            end = at + 4 + int.from_bytes(self._said[at : at + 4], "little")
            if end <= len(self._said):
                yield bytes(self._said[at + 4 : end])
            at = end

    def records(self, chain: str) -> list[Record]:
        place = self.folder / "journal"
        return [record for record in read(place, chain) if record.kind not in BOOKKEEPING]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """The run that nobody kills."""
    return Killed(tmp_path_factory.mktemp("whole"), 0, 0.0)


@pytest.fixture(scope="module")
def acts(whole: Killed) -> int:
    assert whole.process.returncode == 0, whole.errors
    found: int = msgspec.msgpack.decode(list(whole.said())[-1])["acts"]
    return found


def hold(run: Killed) -> None:
    """Everything that must be true of what a killed trader leaves."""
    assert run.process.returncode == -signal.SIGKILL, run.errors
    decisions, said = run.records(DECISIONS), list(run.said())
    effects = [bytes(record.body) for record in decisions if record.kind in EFFECTS]
    assert effects[: len(said)] == said
    golden = tape()
    told = [msgspec.msgpack.encode(event) for event in golden.events]
    inputs = [bytes(record.body) for record in run.records(INPUTS)]
    assert inputs == told[: len(inputs)]

    runs = sum(record.kind == "RunStarted" for record in decisions)
    if decisions:
        found = verify(run.folder, [], lambda _: None)
        assert (found.runs, found.records) == (1, len(decisions))

    journal = Journal(run.folder / "journal", SMALL)
    again = msgspec.structs.replace(golden.started, run_ns=golden.events[-1].recv_ns + MINUTE_NS)
    played(again, journal, golden.events[:3_000], lambda _: None)
    after = run.records(DECISIONS)
    assert [record.n for record in after[: len(decisions)]] == [record.n for record in decisions]
    numbers = sorted(record.n for chain in (INPUTS, DECISIONS) for record in run.records(chain))
    assert len(set(numbers)) == len(numbers)
    found = verify(run.folder, [], lambda _: None)
    assert (found.runs, found.records, found.left_out) == (runs + 1, len(after), 0)


def test_a_run_that_nobody_kills_says_all_it_did(whole: Killed, acts: int) -> None:
    effects = [bytes(record.body) for record in whole.records(DECISIONS) if record.kind in EFFECTS]
    assert list(whole.said())[:-1] == effects
    assert len({msgspec.msgpack.decode(effect)["type"] for effect in effects}) > 4
    assert acts > len(tape().events) // 30


@pytest.mark.parametrize("number", ACTS)
def test_killed_in_the_middle_of_an_act(tmp_path: Path, acts: int, number: int) -> None:
    dice = Dice(SEED, number)
    hold(Killed(tmp_path, dice.between(1, acts), dice.uniform()))


@pytest.mark.parametrize("number", MOMENTS)
def test_killed_from_outside(tmp_path: Path, whole: Killed, number: int) -> None:
    size = sum(4 + len(message) for message in list(whole.said())[:-1])
    hold(Killed(tmp_path, 0, 0.0, Dice(SEED, number).between(1, size - 20_000)))
