"""`fairstrike replay` on every format, damaged in every way: exit code 2 and one sentence, or what could be read."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.commands import Said
from tests.unit.research.captures import NEXT, book, connected, delta, opening
from tests.unit.research.importers.samples import (
    CANDLES,
    RANGE,
    SAMPLES,
    SNAPSHOT,
    answer,
    change,
    frames,
    ladder,
    lines,
    market,
    outcome,
    polled,
    put,
    text,
)

MARKETS = "markets-20260710T202800Z.json"
NOT_UNPACKED = "cannot be unpacked; give a complete copy, named as it was recorded"
DAMAGED = re.compile(r"(\S+) line (\d+) is not what .* holds \(.*\); give a copy that is not damaged")
DOCUMENTS = ("frames.json", MARKETS, "single.json", "fills.json", "settlements.json", "series.json", "grids.json")
LINES = ("stream.jsonl", "ladder.jsonl", "depth.jsonl")


# Imports the program once, with what a first command makes it import; then each command runs in a fork of it, whole as
# from a shell. A fork that ends by itself skips tidying up its memory, which takes longer than the command.
FORKS = """
import contextlib, gc, io, json, os, sys
from fairstrike.app import cli
def run(folder, arguments):
    os.chdir(folder)
    sys.argv = ["fairstrike", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
with contextlib.redirect_stdout(io.StringIO()):
    code = run(*json.loads(sys.stdin.readline()))
gc.collect()
gc.freeze()
print(code, flush=True)
for line in sys.stdin:
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    folder, arguments = json.loads(line)
    for number, name in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    code = run(folder, arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
"""
_started: list[subprocess.Popen[str]] = []


@pytest.fixture(scope="module", autouse=True)
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The program, waiting for commands."""
    command = [sys.executable, "-c", FORKS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        _started.append(started)
        folder = tmp_path_factory.mktemp("first")
        put(folder, "stream.jsonl", SAMPLES["stream.jsonl"])
        assert call(folder, "stream.jsonl") == 0
        yield
        _started.clear()


def call(folder: Path, *names: str) -> int:
    """Have a replay run, and give its exit code."""
    (started,) = _started
    assert started.stdin is not None
    assert started.stdout is not None
    arguments = ["replay", *names, "--json", "--strategy", "none", "--folder", "out"]
    started.stdin.write(json.dumps([str(folder), arguments]) + "\n")
    started.stdin.flush()
    return int(started.stdout.readline())


def replay(folder: Path, *names: str) -> Said:
    """A replay and all that it printed."""
    code = call(folder, *names)
    out, err = ((folder / name).read_text("utf-8") for name in (".out", ".err"))
    return Said(code=code, out=out, err=err)


def refused(folder: Path, *names: str) -> str:
    """The sentence of a replay that must be refused."""
    said = replay(folder, *names)
    assert (said.code, said.out) == (2, "")
    assert not (folder / "out" / "journal").exists()
    return said.sentence


class Market(msgspec.Struct, frozen=True):
    """One market of a report."""

    snapshots: int


class Report(msgspec.Struct, frozen=True):
    """A replay's report, as far as it is asked for here."""

    files: tuple[str, ...]
    cut: tuple[str, ...]
    deltas: int
    gaps: int
    markets: dict[str, Market]


def replayed(folder: Path, *names: str) -> Report:
    """The report of a replay that must be done."""
    said = replay(folder, *names)
    assert (said.code, said.err) == (0, "")
    return msgspec.json.decode(said.out, type=Report)


def test_every_format_is_replayed_in_one_run_from_a_folder(tmp_path: Path) -> None:
    for number, (name, data) in enumerate(SAMPLES.items()):
        put(tmp_path, name + ("", ".gz", ".zst")[number % 3], data)
    report = replayed(tmp_path, ".")
    assert len(report.files) == len(SAMPLES)
    assert (report.cut, report.deltas, report.gaps) == ((), 7, 0)


# Cut


@pytest.mark.parametrize("name", LINES)
def test_a_recording_of_lines_is_read_up_to_its_cut(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, SAMPLES[name][:-20])
    whole = SAMPLES[name].count(b"\n") - 1
    assert replayed(tmp_path, name).cut == (f"{name} after line {whole}",)


@pytest.mark.parametrize("name", ["ladder.jsonl.gz", "depth.jsonl.gz", "ladder.jsonl.zst", "btc-perp.csv.gz"])
def test_a_packed_recording_is_read_up_to_its_cut(tmp_path: Path, name: str) -> None:
    plain = name.rpartition(".")[0]
    data = SAMPLES[plain]
    if name.endswith(".zst"):
        first = put(tmp_path, name, data).read_bytes()
        (tmp_path / name).write_bytes(first + first[:-3])
    else:
        path = put(tmp_path, name, data)
        path.write_bytes(path.read_bytes()[:-8])
    (cut,) = replayed(tmp_path, name).cut
    assert re.fullmatch(rf"{name} after line [1-9]", cut)


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_cut_document_is_refused(tmp_path: Path, name: str, ending: str) -> None:
    path = put(tmp_path, name + ending, SAMPLES[name])
    path.write_bytes(path.read_bytes()[:-5])
    said = refused(tmp_path, path.name)
    if ending:
        assert said == f"{path.name} {NOT_UNPACKED}"
    else:
        assert DAMAGED.fullmatch(said)


def test_a_cut_document_of_many_lines_is_refused(tmp_path: Path) -> None:
    data = SAMPLES["single.json"].replace(b",", b",\n")
    path = put(tmp_path, "single.json.gz", data)
    path.write_bytes(path.read_bytes()[:-5])
    assert refused(tmp_path, path.name) == f"{path.name} ends in the middle; give a complete copy"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_packed_recording_cut_at_once_is_refused(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, f"{name}.gz", SAMPLES[name])
    path.write_bytes(path.read_bytes()[:5])
    assert refused(tmp_path, path.name) == f"{path.name} {NOT_UNPACKED}"


# Wrong


BAD: dict[str, tuple[str, bytes, int]] = {
    "stream, type": ("a.jsonl", lines(*opening(delta(3, 2, 3).replace(b'"seq":2', b'"seq":"2"'))), 4),
    "stream, price": ("a.jsonl", lines(*opening(delta(3, 2, 3, price="2.0000"))), 4),
    "stream, NaN": ("a.jsonl", lines(*opening(delta(3, 2, 3).replace(b'"5.00"', b'"NaN"'))), 4),
    "stream, 1e400": ("a.jsonl", lines(*opening(delta(3, 2, 3).replace(b'"5.00"', b"1e400"))), 4),
    "stream, size": ("a.jsonl", lines(*opening(book(3, 2, yes=[["0.4000", "-5.00"]]))), 4),
    "stream, time": ("a.jsonl", lines(*opening(delta(10**15, 2, 3))), 4),
    "ladder, type": ("a.jsonl", lines(ladder("20:24:00"), ladder("20:25:00", [5])), 2),
    "ladder, price": ("a.jsonl", lines(ladder("20:24:00", (outcome(RANGE, 0.4, 2.0, cap_strike=5),))), 1),
    "ladder, NaN": ("a.jsonl", lines(ladder("20:24:00", (outcome(RANGE, "NaN", 1, cap_strike=5),))), 1),
    "ladder, 1e400": ("a.jsonl", lines(ladder("20:24:00", (outcome(RANGE, 0, 1, cap_strike="1e400"),))), 1),
    "depth, type": ("a.jsonl", lines(polled("20:24:00"), polled("20:25:00") | {"ticker": ["x"]}), 2),
    "depth, price": ("a.jsonl", lines(polled("20:24:00", yes_bids=[[2.0, 1]])), 1),
    "depth, NaN": ("a.jsonl", lines(polled("20:24:00", no_bids=[[0.4, "NaN"]])), 1),
    "depth, 1e400": ("a.jsonl", lines(polled("20:24:00")).replace(b"12.0", b"1e400"), 1),
    "depth, size": ("a.jsonl", lines(polled("20:24:00", no_bids=[[0.4, -1]])), 1),
    "frames, type": ("a.json", frames(SNAPSHOT, change(2, 2, side=5)), 3),
    "frames, price": ("a.json", frames(SNAPSHOT, change(2, 2, price_dollars="2.0000")), 3),
    "frames, NaN": ("a.json", frames(SNAPSHOT, change(2, 2, delta_fp="NaN")), 3),
    "markets, type": (MARKETS, text({RANGE: market(status=5)}), 1),
    "markets, price": (MARKETS, text({RANGE: market(yes_ask_dollars="2.0000")}), 1),
    "markets, NaN": (MARKETS, text({RANGE: market(floor_strike="NaN", yes_bid_dollars="NaN")}), 1),
    "markets, size": (MARKETS, text({RANGE: market(yes_bid_size_fp="-5.00")}), 1),
    "answers, type": ("a.json", answer(single={"market": 5}), 1),
    "answers, price": ("a.json", SAMPLES["single.json"].replace(b'[["0.4000"', b'[["2.0000"'), 1),
    "answers, fees": ("a.json", SAMPLES["series.json"].replace(b'"ticker":"S"', b'"ticker":"S","fee_type":"x"'), 1),
    "candles, NaN": ("btc-1.csv", CANDLES.replace(b"46411", b"NaN"), 3),
    "candles, 1e400": ("btc-1.csv", CANDLES.replace(b"46411", b"1e400"), 3),
    "candles, columns": ("btc-1.csv", CANDLES + b"5\n", 4),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_format_does_not_hold_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    name, data, number = BAD[case]
    put(tmp_path, name, data)
    found = DAMAGED.fullmatch(refused(tmp_path, name))
    assert found is not None
    assert found.groups() == (name, str(number))


@pytest.mark.parametrize(
    ("name", "data", "number"),
    [
        ("a.jsonl", lines(*opening(delta(9, 2, 9), delta(8, 3, 8))), 5),
        ("a.jsonl", lines(polled("20:24:00"), polled("20:23:00")), 2),
        ("a.json", frames(SNAPSHOT, change(9, 2), change(8, 3)), 0),
        ("btc-1.csv", CANDLES + CANDLES.splitlines(keepends=True)[1], 4),
    ],
    ids=["stream", "depth", "frames", "candles"],
)
def test_recordings_out_of_order_are_refused(tmp_path: Path, name: str, data: bytes, number: int) -> None:
    put(tmp_path, name, data)
    cure = "give a recording whose lines are in order of receipt"
    assert refused(tmp_path, name) == f"{name} goes back in time at line {number}; {cure}"


def test_a_ladder_out_of_order_is_put_in_order(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", lines(ladder("20:54:00"), ladder("20:24:00")))
    report = replayed(tmp_path, "a.jsonl")
    assert report.markets[RANGE].snapshots == 2


def test_fields_we_do_not_know_are_tolerated(tmp_path: Path) -> None:
    for name in ("stream.jsonl", "ladder.jsonl", "depth.jsonl", *DOCUMENTS):
        put(tmp_path, name, SAMPLES[name].replace(b'"ticker":', b'"colour":{"a":[null]},"ticker":'))
    assert len(replayed(tmp_path, ".").files) == len(LINES) + len(DOCUMENTS)


# Paths


def test_an_empty_file_of_each_ending_is_refused(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.json.gz", "a.csv.zst"):
        put(tmp_path, name, b"")
        assert refused(tmp_path, name) == f"{name} is empty; give a recording with at least one frame"


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    cure = "holds no recording; name a folder with .jsonl, .json or .csv files, packed or not"
    assert refused(tmp_path, "empty") == f"empty {cure}"


def test_a_folder_with_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    put(tmp_path / "tapes", "stream.jsonl", SAMPLES["stream.jsonl"])
    put(tmp_path / "tapes", "notes.csv", b"day,remark\n1,rain\n")
    said = refused(tmp_path, "tapes")
    assert said.startswith(
        "notes.csv in the folder tapes is in no format that can be read; name the recordings themselves"
    )
    assert replayed(tmp_path, "tapes/stream.jsonl").files == ("stream.jsonl",)


def test_one_recording_under_another_name_is_refused(tmp_path: Path) -> None:
    for name in SAMPLES:
        other = f"btc-other-20260710T202400Z{Path(name).suffix}"
        put(tmp_path, name, SAMPLES[name])
        put(tmp_path, other, SAMPLES[name])
        found = re.fullmatch(
            r"(\S+) and (\S+) are the same recording under two names; name one of them", refused(tmp_path, name, other)
        )
        assert found is not None
        assert set(found.groups()) == {name, other}


def test_two_recordings_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder, clock in (("a", "20:24:00"), ("b", "20:25:00")):
        (tmp_path / folder).mkdir()
        put(tmp_path / folder, "depth.jsonl", lines(polled(clock)))
    said = refused(tmp_path, "a", "b")
    assert said == "two recordings are called depth.jsonl; a run knows them by name: rename one of them"


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, "gone.jsonl")
    assert said == "gone.jsonl cannot be read (No such file or directory); check the path and its permissions"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to(os.devnull)], ids=["pipe", "device"])
def test_a_path_that_is_neither_file_nor_folder_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.jsonl")
    assert refused(tmp_path, "a.jsonl") == "a.jsonl is neither a file nor a folder; give a recording as a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file, whatever its mode")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", SAMPLES["stream.jsonl"]).chmod(0)
    assert (
        refused(tmp_path, "a.jsonl") == "a.jsonl cannot be read (Permission denied); check the path and its permissions"
    )


# Two of one market


def test_two_captures_of_one_market_at_the_same_time_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", lines(*opening(delta(3, 2, 3), delta(900, 3, 900))))
    put(tmp_path, "b.jsonl", lines(*opening(delta(5, 2, 5))[1:]))
    put(tmp_path, "c.jsonl", lines(connected(5), book(6, 1, NEXT), delta(7, 2, 7, ticker=NEXT)))
    said = refused(tmp_path, "b.jsonl", "c.jsonl", "a.jsonl")
    assert said == "a.jsonl and b.jsonl both hold KXBTC15M-26MAY132030-30 at the same time; name one of them"
    assert replayed(tmp_path, "a.jsonl", "c.jsonl").deltas == 3


def test_captures_of_one_market_after_each_other_are_one_run(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", lines(*opening(delta(3, 2, 3))))
    put(tmp_path, "b.jsonl", lines(connected(10), book(11, 1), delta(12, 2, 12)))
    assert replayed(tmp_path, "a.jsonl", "b.jsonl").deltas == 2


def test_polls_of_one_market_are_one_run_while_their_moments_do_not_meet(tmp_path: Path) -> None:
    put(tmp_path, "ladder.jsonl", lines(ladder("20:24:00"), ladder("20:54:00")))
    put(tmp_path, "depth.jsonl", lines(polled("20:25:00"), polled("20:54:01")))
    report = replayed(tmp_path, "ladder.jsonl", "depth.jsonl")
    assert report.markets[RANGE].snapshots == 4


def test_polls_of_one_market_whose_moments_meet_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "ladder.jsonl", lines(ladder("20:24:00"), ladder("20:54:00")))
    put(tmp_path, "depth.jsonl", lines(polled("20:25:00"), polled("20:54:00.5")))
    said = refused(tmp_path, "ladder.jsonl", "depth.jsonl")
    assert said == f"ladder.jsonl and depth.jsonl both hold {RANGE} at the same time; name one of them"
