"""What a replay prints for people, and a demo's screen."""

from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from fairstrike.app import printing
from fairstrike.app.demo import Demo, Wanted, World
from fairstrike.research.report import MarketReport, ReplayReport, StrategyReport

IDLE = MarketReport(
    deltas=1,
    snapshots=1,
    gaps=0,
    frozen=0,
    best_yes_bid=None,
    best_yes_ask=None,
    fills=0,
    fees="0.0000",
    pnl="0.0000",
    result="yes",
    is_derived=False,
    seconds_without_book=0.0,
)
TRADED = msgspec.structs.replace(IDLE, deltas=1_234, fills=3, fees="0.0700", pnl="-5.1200", result="no")


def report(strategies: dict[str, StrategyReport], **markets: MarketReport) -> ReplayReport:
    return ReplayReport(
        files=("a.jsonl",),
        without_spot=(),
        cut=(),
        markets=markets,
        strategies=strategies,
        deltas=sum(market.deltas for market in markets.values()),
        fills=3,
        fees="0.0700",
        pnl="-5.1200",
        cash="994.8800",
        open_cost="0.0000",
        gaps=0,
        frozen=0,
        seconds_without_book=0.0,
        journal="runs/[odd] name",
        digest="0123456789abcdef0123",
    )


def test_replay_report_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    taker = StrategyReport(fills=3, fees="0.0700", pnl="-5.1200", open_markets=0)
    printing.replay_report(report({"taker": taker}, IDLE=IDLE, TRADED=TRADED))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert lines[0] == "2 markets, 1,235 deltas"
    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert rows["IDLE"] == ["1", "yes"]
    assert rows["TRADED"] == ["1,234", "3", "0.07", "−5.12", "no"]
    assert rows["taker"] == ["3", "0.07", "−5.12"]
    assert not lines[lines.index("Strategies") - 1]
    assert "fills 3 · fees $0.07 · P&L of settled markets −5.12" in lines
    assert lines[-1] == "journal runs/[odd] name · digest 0123456789abcdef"


def test_one_market_is_no_plural(capsys: pytest.CaptureFixture[str]) -> None:
    printing.replay_report(report({}, IDLE=IDLE))
    text = capsys.readouterr().out
    assert text.startswith("1 market, 1 delta\n")
    assert "Strategies" not in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 40), (120, 40)])
def test_demo_screen_fills_the_terminal_bar_first(tmp_path: Path, width: int, height: int) -> None:
    demo = Demo(Wanted(seed=1, speed=1, folder=tmp_path / "new", limit_seconds=1.0))
    demo.world = World(60_000_000_000, 0, 0, {}, [])
    console = Console(width=width, height=height, color_system=None)
    with console.capture() as captured:
        console.print(printing.demo_screen(demo, width, height))
    lines = captured.get().splitlines()
    assert len(lines) == height
    assert lines[0].startswith("  50% ━")
    assert lines[1].startswith("╭")
    assert lines[-1].startswith("╰")
