"""What the terminal shows of a run."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from fairstrike.app.desk.follow import Pace
from fairstrike.app.desk.state import DeskState
from fairstrike.app.desk.terminal import clock, dollars, lasting, panel, run_terminal, sparkline, summary
from tests.unit.app.desk.sample import SampleRun, write_run
from tests.unit.app.desk.test_state import folded


def shown(renderable: RenderableType, width: int = 110) -> str:
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(renderable)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("expected", "ud"),
    [("$0.00", 0), ("$0.00", -4_999), ("$0.01", 5_000), ("−$1,234.57", -1_234_565_001), ("$12.00", 12_000_000)],
)
def test_dollars(expected: str, ud: int) -> None:
    assert dollars(ud) == expected


def test_signed_dollars() -> None:
    assert [dollars(ud, signed=True) for ud in (10_000, 0, -10_000)] == ["+$0.01", "$0.00", "−$0.01"]


def test_clock() -> None:
    assert clock(1_789_000_000 * 1_000_000_000) == "00:26:40"


def test_a_run_may_last_longer_than_a_day() -> None:
    assert lasting((30 * 3_600 + 61) * 1_000_000_000) == "30:01:01"


def test_sparkline_spans_its_values() -> None:
    assert sparkline([], 10) == ""
    assert sparkline([5, 5, 5], 10) == "▄▄▄"
    assert sparkline([0, 7], 10) == "▁█"
    assert len(sparkline(list(range(1_000)), 40)) == 40
    assert sparkline(list(range(1_000)), 40)[-1] == "█"


def test_panel_before_the_first_record() -> None:
    text = shown(panel(DeskState()))
    assert "waiting for a run" in text
    assert "none" in text


def test_panel_shows_the_run() -> None:
    run = SampleRun(5, 60)
    middle = folded(run.said[: len(run.said) // 2])
    text = shown(panel(middle, "the database is locked"))
    for words in (dollars(middle.cash_ud), dollars(middle.equity_ud), "momentum_scalp", "the database is locked"):
        assert words in text
    for ticker in middle.positions:
        assert ticker in text
    assert len(text.splitlines()) <= 32


def test_panel_fits_a_hundred_columns() -> None:
    middle = folded(SampleRun(5, 90).said[:200])
    assert middle.positions
    assert "…" not in shown(panel(middle), 100)


def test_summary_states_the_result() -> None:
    run = SampleRun(5, 60)
    state = folded(run.said)
    text = shown(summary(state, [(run.said[0][0], 7_948_700_000_000), (run.now_ns, 7_949_000_000_000)]))
    for words in (dollars(state.pnl_ud, signed=True), dollars(run.ledger.cash_ud), "Settlements", "cash_buffer", "▲"):
        assert words in text


def test_run_terminal_prints_the_summary_and_fills_the_database(tmp_path: Path) -> None:
    run = SampleRun(5, 60)
    write_run(tmp_path, run.said)
    console = Console(file=StringIO(), width=100, color_system=None)
    assert run_terminal(tmp_path, Pace(poll_s=0.0), console=console) == 0
    assert isinstance(console.file, StringIO)
    assert dollars(run.ledger.cash_ud) in console.file.getvalue()
    assert (tmp_path / "trader.db").stat().st_size > 0


def test_run_terminal_draws_while_it_follows(tmp_path: Path) -> None:
    write_run(tmp_path, SampleRun(5, 60).said)
    console = Console(file=StringIO(), width=100, force_terminal=True, color_system=None)
    run_terminal(tmp_path, Pace(poll_s=0.0), console=console)
    assert isinstance(console.file, StringIO)
    assert "Last fills" in console.file.getvalue()
