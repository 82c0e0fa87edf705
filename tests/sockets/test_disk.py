"""A disk that fills while a trader and a recorder run on it: trading ends first, in good order, then the recording."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairstrike.app.disk import GIB
from fairstrike.core.records import Ordered
from fairstrike.exchange.announcement import Announcement
from tests.commands import PROGRAM, fairstrike, trade
from tests.sockets.books import end_of, records
from tests.sockets.test_bad_input import PATIENCE_S, Running, exchange, resting, until

BOX = ("--env", "box", "--box", "exchange.log")
MAKER = """
[rooms.engine]
series = ["KXBTCD"]
[strategies.market_maker]
[disk]
warn_bytes = {warn}
stop_bytes = {stop}
"""
LEAST_FREE = 8 * GIB


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("disk")


@pytest.fixture(scope="module")
def line(place: Path) -> Iterator[Announcement]:
    with exchange(place, "--seed", "3") as announced:
        yield announced


def settings(place: Path, *, warn: int, stop: int) -> Path:
    path = place / "maker.toml"
    path.write_text(MAKER.format(warn=warn, stop=stop))
    return path


def traded(place: Path, folder: str, *before: str) -> Running:
    """A trader under way with the settings that were written."""
    where = ("--mode", "live", *BOX, "--config", "maker.toml", "--folder", folder)
    return Running(place, f"{folder}-trader", *before, *PROGRAM, "trade", *where)


def fill(path: Path, size: int) -> None:
    """Take so much of the disk."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def test_a_trader_begins_nothing_on_a_disk_that_is_low(place: Path, line: Announcement) -> None:
    settings(place, warn=0, stop=1 << 60)
    said = trade(place, Path("exchange.log"), "--config", "maker.toml", "--folder", "low")
    assert said.code == 10
    expected = r"nothing was begun: the disk of low has [\d.]+ GiB free and [\d.]+ are to be left; make room, or .*"
    assert re.fullmatch(expected, said.sentence)


def test_trading_ends_first_and_then_the_recording(place: Path, line: Announcement) -> None:
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE:
        pytest.skip(f"the disk of the tests has {free / GIB:.1f} GiB free; filling it takes {LEAST_FREE / GIB:g}")
    settings(place, warn=free + GIB, stop=free - GIB // 2)
    least = ("--disk-min", f"{(free - 3 * GIB // 2) / GIB}")
    recording = (*PROGRAM, "record", *BOX, "--folder", "recorded", "--duration-seconds", "0", *least)
    try:
        with Running(place, "recorder", *recording) as recorder, traded(place, "filled") as trader:
            until("orders rest", lambda: trader.process.poll() is not None or resting(line) > 0)
            assert "make room, or the trader will stop" in trader.said
            fill(place / "first", GIB)
            assert trader.process.wait(PATIENCE_S) == 10, trader.said
            assert re.search(r"stopping: the disk of filled has", trader.said)
            assert re.search(r"stopped \(disk low\): .* 0 orders resting, proved by two empty lists", trader.said)
            assert trader.said.splitlines()[-1].startswith("fairstrike: the trader stopped: the disk of filled has ")
            assert resting(line) == 0
            assert (end_of(place / "filled").reason, end_of(place / "filled").resting) == ("disk low", 0)
            size = sum(path.stat().st_size for path in (place / "recorded").iterdir())
            until("the recording goes on", lambda: sum(p.stat().st_size for p in (place / "recorded").iterdir()) > size)
            assert recorder.process.poll() is None, recorder.said
            fill(place / "second", GIB)
            assert recorder.process.wait(PATIENCE_S) == 10, recorder.said
            assert "recording ended: the disk of recorded has" in recorder.said
    finally:
        (place / "first").unlink(missing_ok=True)
        (place / "second").unlink(missing_ok=True)


def test_a_journal_that_cannot_be_written_cancels_everything(place: Path, line: Announcement) -> None:
    settings(place, warn=0, stop=0)
    with traded(place, "full", "sh", "-c", 'ulimit -f 3000; trap "" XFSZ; exec "$@"', "sh") as trader:
        code = trader.process.wait(PATIENCE_S)
    assert records(place / "full", Ordered), "it had begun to trade"
    assert code == 10, trader.said
    assert "every order was cancelled; two lists of resting orders came back empty" in trader.said
    expected = "fairstrike: the journal in full/journal cannot be written (File too large): make room, then start again"
    assert trader.said.splitlines()[-1] == expected
    assert resting(line) == 0
    verified = fairstrike("verify", "full", folder=place)
    assert (verified.code, verified.err) == (0, "")
