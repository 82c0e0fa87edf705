"""What an exchange is started with: captures that can be replayed, and those that cannot."""

from pathlib import Path

import pytest

from fairstrike.app import locks, rehearsing
from fairstrike.core.errors import RecordingError, UsageError
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.calibrated import CalibratedParams
from fairstrike.exchange.replayed import ReplayedParams
from fairstrike.exchange.worlds import START_NS, WorldParams
from tests.commands import fairstrike
from tests.unit.research.captures import RUN, TICKER, delta, ns, opening, watch, write, write_spot
from tests.unit.research.importers.samples import lines, polled


def test_generated_worlds_begin_at_their_own_instant() -> None:
    assert rehearsing.stage(None, None) == (WorldParams(), START_NS)
    assert rehearsing.stage("demo", None) == (WorldParams(), START_NS)
    assert rehearsing.stage("calibrated", None) == (CalibratedParams(), START_NS)


def test_a_capture_brings_its_prints_and_results(tmp_path: Path) -> None:
    path = write(tmp_path, opening(delta(5, 2, 3)))
    write_spot(tmp_path, [(500, "00:24:28.400", "79600.5"), (2_500, "00:24:30.400", "79601")])
    header = "run,market_ticker,close_time,strike_usd,official_result,settlement_value_usd_from_next_strike"
    row = f"{RUN},{TICKER},2026-05-14T00:30:00Z,79487.86,yes,79500.25"
    (tmp_path / "results.csv").write_text(f"{header}\n{row}\n")
    world, start_ns = rehearsing.stage(None, path)
    assert isinstance(world, ReplayedParams)
    known = world.capture.results[TICKER]
    assert (known.value_ticks, known.value_e8) == (10_000, 7_950_025_000_000)
    assert [value_e8 for _, value_e8 in world.capture.prints()] == [7_960_050_000_000] * 2
    assert start_ns == ns(0) - SECOND_NS
    assert len(list(world.capture.units())) == len(list(world.capture.units())) > 0


def test_liquidity_beside_a_capture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^a capture brings its own liquidity; leave out --liquidity or --replay$"):
        rehearsing.stage("demo", tmp_path / "x")


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([], "is empty; give a recording with at least one frame"),
        ([b"no capture"], "is in no format that can be read"),
        (opening(delta(5, 2, 3), b"{"), "line 5 is not what a 15-minute capture holds"),
        (opening(delta(5, 2, 3, price="0.4005")), "has a price of 0.4005 dollars"),
        ([watch(0, strike=None)], f"states no strike of {TICKER}"),
        ([watch(0, ticker="KXNBAGAME-1")], "'KXNBAGAME' is no series of crypto markets"),
        (opening(delta(-5, 2, 3)), "goes back in time at line 4"),
    ],
    ids=["empty", "another format", "damaged", "off the grid", "no strike", "no crypto", "back in time"],
)
def test_what_cannot_be_replayed_is_refused(tmp_path: Path, frames: list[bytes], sentence: str) -> None:
    with pytest.raises(RecordingError) as refused:
        rehearsing.replayed(write(tmp_path, frames))
    assert sentence in str(refused.value)


def test_a_folder_and_other_recordings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"is a folder; name one capture in it$"):
        rehearsing.replayed(tmp_path)
    polls = tmp_path / "polls.jsonl"
    polls.write_bytes(lines(polled("20:00:00")))
    with pytest.raises(RecordingError, match=r"of which no stream can be made; name a 15-minute capture$"):
        rehearsing.replayed(polls)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--replay gone.jsonl", "gone.jsonl cannot be read (No such file or directory)"),
        ("--replay .", ". is a folder; name one capture in it"),
        ("--replay x --liquidity demo", "a capture brings its own liquidity; leave out --liquidity or --replay"),
        ("--liquidity deep", "Invalid value for '--liquidity': Value error, 'deep' is not one of 'demo', 'calibrated'"),
        ("--record gone/x", "gone/x cannot be written (No such file or directory); name a new file in a folder"),
        ("--record taken", "taken cannot be written (File exists); name a new file"),
        ("--record run.jsonl.zst", "run.jsonl.zst would have to be zstd, which is read only; name it .jsonl.gz or"),
    ],
)
def test_the_command_refuses_in_one_sentence(tmp_path: Path, arguments: str, sentence: str) -> None:
    (tmp_path / "taken").touch()
    said = fairstrike("exchange", *arguments.split(), folder=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.sentence.startswith(sentence)


def test_a_scenario_is_a_plain_file_of_some_size(tmp_path: Path) -> None:
    for path, sentence in ((tmp_path, "is no plain file"), (Path("/dev/zero"), "is no plain file")):
        with pytest.raises(UsageError, match=rf"{sentence}; name a scenario file$"):
            rehearsing.faults(path, ())
    long = tmp_path / "long.toml"
    long.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(UsageError, match=r"is longer than a megabyte; name a scenario file$"):
        rehearsing.faults(long, ())


def test_two_exchanges_do_not_share_a_folder_of_keys(tmp_path: Path) -> None:
    with locks.held(tmp_path / "keys" / "exchange.lock", "beside this"):
        said = fairstrike("exchange", "--folder", "keys", folder=tmp_path)
    assert said.code == 6
    assert said.sentence == (
        "another exchange keeps its keys in keys; stop it first, or name another folder with --folder"
    )
