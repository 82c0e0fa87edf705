"""What the terminal shows of a run: the panel while it goes on, the summary when it is over."""

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from fairstrike.app.desk.follow import Pace
from fairstrike.app.desk.panel import dealt, panel, sparkline
from fairstrike.app.desk.state import DeskState
from fairstrike.app.desk.tables import Sheet, clock, dollars, lasting, put, short
from fairstrike.app.desk.terminal import run_terminal, summary
from fairstrike.core.regime import Regime, RegimeSeen, VolLevel
from tests.unit.app.desk.sample import SampleRun, write_run
from tests.unit.app.desk.test_state import folded

SIZES = [(width, height) for width in (40, 60, 80, 100, 109, 110, 120, 200) for height in (12, 23, 24, 40, 60)]
FILL_LINE = re.compile(r"│ \d\d:\d\d:\d\d +[▲▼] ")


def shown(renderable: RenderableType, width: int = 110) -> str:
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(renderable)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def busy() -> DeskState:
    """A run in its middle, with open positions, two strategies, fills and a warning."""
    state = folded(SampleRun(5, 90).said[:200])
    assert len(state.positions) == 3
    state.warnings.append((state.now_ns, "the feed of the index is late\nand does not say why"))
    return state


def panel_lines(state: DeskState, width: int, height: int, trouble: str = "") -> list[str]:
    return shown(panel(state, width, height, trouble=trouble), width).splitlines()


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


@pytest.mark.parametrize(
    ("expected", "ticker"),
    [
        ("…T79474.99", "KXBTCD-26NOV2117-T79474.99"),
        ("…211700-00", "KXBTC15M-26NOV211700-00"),
        ("KXBTC", "KXBTC"),
    ],
)
def test_short_names(expected: str, ticker: str) -> None:
    assert short(ticker) == expected


@pytest.mark.parametrize(
    ("expected", "lines", "wanted"),
    [([2, 4, 4], 10, [2, 9, 9]), ([1, 1, 0], 2, [3, 3, 3]), ([1, 2], 99, [1, 2]), ([0], 0, [5]), ([0], -3, [5])],
)
def test_lines_are_dealt_in_turn(expected: list[int], lines: int, wanted: list[int]) -> None:
    assert dealt(lines, wanted) == expected


def test_a_narrow_sheet_gives_up_whole_columns_in_order() -> None:
    sheet = Sheet(title="T", columns=("a", "bb", "cc"), rows=[("1", "22", "33")], spare=("cc", "bb"))
    assert sheet.width == 1 + 2 + 2 + 2 + 2
    assert sheet.fitting(9).columns == ("a", "bb", "cc")
    assert sheet.fitting(8).columns == ("a", "bb")
    assert sheet.fitting(0).columns == ("a",)
    assert sheet.fitting(5).rows == [("1", "22")]


def test_only_what_is_marked_is_coloured() -> None:
    console = Console(force_terminal=True, color_system="standard", width=80)
    with console.capture() as captured:
        put(console, "2,057 of KXBTC-26MAY-30 'read', [yellow]1 gap[/]")
    assert captured.get() == "2,057 of KXBTC-26MAY-30 'read', \x1b[33m1 gap\x1b[0m\n"


def test_a_cut_sheet_says_of_how_many() -> None:
    sheet = Sheet(title="Names", columns=("name",), rows=[("a",), ("b",), ("c",)])
    assert sheet.cut(2).title == "Names, 2 of 3"
    assert sheet.cut(3).title == "Names"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_panel_is_as_large_as_told(width: int, height: int) -> None:
    for state in (busy(), DeskState()):
        lines = panel_lines(state, width, height, trouble="the database is locked")
        assert [len(line) for line in lines] == [width] * height
        assert lines[0].startswith("╭")
        assert lines[-1].startswith("╰")
        assert any("the database is locked" in line for line in lines)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_panel_never_cuts_a_figure(width: int, height: int) -> None:
    state = busy()
    text = "\n".join(panel_lines(state, width, height))
    for figure in (dollars(state.cash_ud), dollars(state.equity_ud), dollars(state.pnl_ud, signed=True)):
        assert figure in text
    assert f"{len(state.working)} working · {state.fills_count} fills" in text
    assert not re.search(r"[\d.$]…", text)
    for line in text.splitlines():
        if "▲" in line or "▼" in line:
            assert FILL_LINE.match(line)


@pytest.mark.parametrize(("width", "height"), [(80, 23), (80, 24), (100, 40), (120, 40)])
def test_panel_shows_every_table(width: int, height: int) -> None:
    state = busy()
    text = "\n".join(panel_lines(state, width, height))
    for name in state.strategies:
        marked = state.marked_ud(name)
        assert marked is not None
        assert re.search(rf"{name}.* {re.escape(dollars(marked, signed=True))} ", text)
    for heading in ("orders  refused  fills", "Open positions", "Last fills", "index is late and does"):
        assert heading in text
    for ticker in state.positions:
        assert (ticker if width >= 100 else short(ticker)) in text


def test_a_tall_terminal_shows_more_fills() -> None:
    counts = [
        sum(FILL_LINE.match(line) is not None for line in panel_lines(busy(), 80, height)) for height in (20, 24, 40)
    ]
    assert counts == [3, 7, 23]


def test_panel_says_whether_it_waits_or_reads() -> None:
    assert "waiting for a run" in shown(panel(DeskState(), 80, 24))
    reading = shown(panel(DeskState(), 80, 24, is_reading=True))
    assert "reading the journal" in reading
    assert "$0.00" not in reading
    assert "reading the journal" in shown(panel(busy(), 80, 24, is_reading=True))
    assert "reading the journal" not in shown(panel(busy(), 80, 24))


def test_the_total_is_named_at_cost() -> None:
    text = shown(panel(busy(), 120, 40), 120)
    assert "Equity at cost" in text
    assert "Result at cost" in text


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
    console = Console(file=StringIO(), width=100, height=40, force_terminal=True, color_system=None)
    run_terminal(tmp_path, Pace(poll_s=0.0), console=console)
    assert isinstance(console.file, StringIO)
    before, on_screen, after = re.split(r"\x1b\[\?1049[hl]", console.file.getvalue())
    assert on_screen.index("reading the journal") < on_screen.index("Last fills")
    assert not before
    assert "Cash at the start" in after
    assert "╭" not in after


def test_a_pipe_gets_neither_blanks_nor_broken_lines() -> None:
    console = Console(file=StringIO(), width=40)
    put(console, summary(folded(SampleRun(5, 60).said)))
    put(console, Text("word " * 30))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert lines[-1] == " ".join(["word"] * 30)


def test_regimes_are_in_the_title() -> None:
    state = busy()
    state.regimes["ETH"] = RegimeSeen(asset="ETH", source="official", regime=Regime.SPIKY, level=None)
    state.regimes["BTC"] = RegimeSeen(asset="BTC", source="official", regime=Regime.CALM, level=VolLevel.LOW)
    assert "· BTC calm LOW · ETH spiky " in panel_lines(state, 110, 24)[0]
