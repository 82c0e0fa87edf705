"""The command line on bad input: one sentence, exit code 2, no trace."""

import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from fairstrike.app.cli import app
from fairstrike.core.units import CC_PER_CONTRACT, UD_PER_DOLLAR
from fairstrike.exchange.replay import Params as ReplayParams
from fairstrike.strategy.market_maker import Params as MarketMakerParams
from fairstrike.strategy.taker import Params as TakerParams
from tests.commands import PROGRAM, fairstrike, run


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("sell", "No such command 'sell'; see `fairstrike --help`"),
        ("replay", "Missing argument 'files'; see `fairstrike replay --help`"),
        ("exchange --speed fast", "Invalid value for '--speed': Input should be a valid integer"),
        ("exchange --speed 0", "--speed is a whole number from 1 to 1000; to let time stand still use --stepped"),
        ("exchange --stepped --speed 5", "--speed is for time that runs by itself; leave it out with --stepped"),
        ("exchange --port 99999", "there is no port 99999; use one up to 65535"),
        ("exchange --clock-skew-ms 999999999", "a clock skew of 999999999 ms is more than a day"),
        ("exchange --fault kind=earthquake", "a fault has the unknown kind 'earthquake'; choose one of latency,"),
        ("exchange --fault kind=drop,count=0", "fault drop: Expected `int` >= 1 - at `$.count`; correct it"),
        (
            "exchange --fault kind=market_pause,market=KXNONE",
            "fault 1 of the start (market_pause): no market is called",
        ),
        ("exchange --scenario gone.toml", "gone.toml cannot be read (No such file or directory)"),
        ("exchange --account a=much", "balance 'much' is not an amount in dollars"),
        ("exchange --account a --account a", "there is an account a already; choose another name"),
        ("demo --speed 0", "--speed is a whole number of venue seconds a second, 1 to 60"),
        ("replay x --cash -5", "--cash -5 is not above zero"),
        ("replay x --cash 0", "--cash 0 is not above zero"),
        ("replay x --cash 1e-9", "--cash 1e-9 is not an amount in dollars with at most six decimals"),
        ("replay x --cash 1.0000001", "--cash 1.0000001 is not an amount in dollars with at most six decimals"),
        ("replay x --cash nan", "--cash nan is not an amount in dollars with at most six decimals"),
        ("replay x --cash 1000000000.000001", "--cash 1000000000.000001 is not above zero, or beyond all reason"),
        ("replay x --size 0", "--size 0 is not above zero"),
        ("replay x --edge inf", "--edge inf is not a number of cents"),
        ("replay x --strategy guess", "there is no strategy 'guess' for a replay; choose taker, market_maker or none"),
        ("desk gone", "gone is not a folder: name the folder of a run"),
    ],
    ids=lambda value: value if " " in value or value.isalpha() else "",
)
def test_bad_arguments(tmp_path: Path, arguments: str, sentence: str) -> None:
    said = fairstrike(*arguments.split(), folder=tmp_path)
    assert said.code == 2
    assert said.sentence.startswith(sentence)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = fairstrike("exchange", "--folder", "file/keys", folder=tmp_path)
    assert said.code == 2
    assert said.sentence.endswith("cannot be used (Not a directory); check path and permissions")


def test_no_command_shows_the_help(tmp_path: Path) -> None:
    said = run(*PROGRAM, folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert "Usage: fairstrike" in said.out


@pytest.mark.parametrize(("module", "how"), [("fairstrike", "option"), ("fairstrike.app.run", "environment")])
def test_assertions_must_be_on(tmp_path: Path, module: str, how: str) -> None:
    options = ["-O"] if how == "option" else []
    said = run(sys.executable, *options, "-m", module, "x", folder=tmp_path, optimize=None if options else "1")
    assert said.code == 2
    assert said.sentence == "Python runs with assertions off; start without -O and without PYTHONOPTIMIZE"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("replay", "Recordings as files or folders, in the formats that docs/guides/recordings.md lists"),
        ("replay", "excludes --strategy, --cash, --size, --net-max and --edge"),
        ("stats", "Recordings as files or folders, in the formats that docs/guides/recordings.md lists"),
        ("verify", "A recording the run read, or a folder of them"),
    ],
)
def test_help_says_what_may_be_given(tmp_path: Path, command: str, sentence: str) -> None:
    said = fairstrike(command, "--help", folder=tmp_path)
    assert sentence in " ".join(said.out.replace("│", " ").split())


def test_help_states_what_holds_when_an_option_is_left_out() -> None:
    taker, maker = TakerParams(), MarketMakerParams()
    assert (taker.size_cc, taker.position_cc_max) == (maker.size_cc, maker.position_cc_max)
    held = {
        "cash": ReplayParams().cash_ud / UD_PER_DOLLAR,
        "size": taker.size_cc / CC_PER_CONTRACT,
        "net_max": taker.position_cc_max / CC_PER_CONTRACT,
        "edge": taker.edge_cents,
    }
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    told = {option.name: getattr(option, "help", None) for option in commands.commands["replay"].params}
    assert [name for name, value in held.items() if f"({value:g})." not in str(told[name])] == []
