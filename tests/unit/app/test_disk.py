"""What is left free on a disk."""

from pathlib import Path

import pytest

from fairstrike.app import disk
from fairstrike.app.disk import GIB, RECORDER_LEAVES_GIB, Params, Watch
from fairstrike.core.timing import MINUTE_NS


def looks(monkeypatch: pytest.MonkeyPatch, *free_gib: float) -> list[tuple[bool, bool]]:
    """Whether a warning is due and whether there is a problem, at looks twenty seconds apart."""
    watch, found = Watch(Path("runs"), Params(warn_bytes=4 * GIB, stop_bytes=2 * GIB)), []
    for number, gib in enumerate(free_gib):
        monkeypatch.setattr(disk, "free_bytes", lambda folder, gib=gib: int(gib * GIB))
        warning = watch.look(number * MINUTE_NS // 3)
        found.append((bool(warning), bool(watch.problem)))
    return found


def test_it_is_told_each_minute_and_is_a_problem_below_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet, told, problem = (False, False), (True, False), (False, True)
    assert looks(monkeypatch, 4, 3.99, 3, 2.5, 2.1, 2, 1.99) == [quiet, told, quiet, quiet, told, quiet, problem]


def test_trading_ends_before_a_recording() -> None:
    assert Params().stop_bytes > RECORDER_LEAVES_GIB * GIB
    assert Params().warn_bytes > Params().stop_bytes


def test_the_sentence_says_how_much_is_free_and_what_to_do(tmp_path: Path) -> None:
    watch = Watch(tmp_path, Params(stop_bytes=1 << 60))
    assert watch.look(0) == ""
    assert watch.problem.startswith(f"the disk of {tmp_path} has {disk.free_bytes(tmp_path) / GIB:.0f}"[:-2])
    assert watch.problem.endswith(" are to be left; make room, or lower disk.stop_bytes")
