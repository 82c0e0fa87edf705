"""The statistics as tables and sentences."""

import msgspec
import pytest
from rich.console import Console

from fairstrike.app import stats_printing, stats_words
from fairstrike.app.desk.tables import Sheet
from fairstrike.core.timing import SECOND_NS
from fairstrike.research.market_statistics import STRETCHES
from fairstrike.research.statistics_report import StatisticsReport, statistics_report
from fairstrike.research.survey import Survey, SurveyedMarket


def full() -> Survey:
    survey = Survey()
    for ticker, gaps in (("A", 0), ("B", 1)):
        survey.markets.append(
            SurveyedMarket(file="a.jsonl", ticker=ticker, deltas=1_234, gaps=gaps, frozen=0, impossible=0, overflow=0)
        )
    pool = survey.pool
    pool.deltas = 1_234
    pool.per_second.add(617, 2)
    pool.delays.add(-3_078)
    pool.trades.add(1_588)
    stretch = pool.stretches[STRETCHES.index("2–1 min")]
    stretch.spreads.add(40, SECOND_NS)
    stretch.sizes.add(126_600, SECOND_NS)
    stretch.two_sided_ns, stretch.changes, stretch.moves = SECOND_NS, 8, 6
    return survey


def report(survey: Survey) -> StatisticsReport:
    return statistics_report(survey, ["a.jsonl"], [])


def sheets(found: StatisticsReport) -> list[Sheet]:
    return [part.sheet for part in stats_printing.parts(found)]


def rows(title: str, found: StatisticsReport) -> dict[str, list[str]]:
    sheet = next(sheet for sheet in sheets(found) if sheet.title.startswith(title))
    return {str(first): [str(cell) for cell in rest] for first, *rest in sheet.rows}


def test_cells_of_the_tables() -> None:
    found = report(full())
    flow = rows("1 market, 1,234 deltas", found)
    assert flow["deltas per second of one market"] == ["617", "", "", "", "617", "617", "617", "617"]
    assert flow["receive minus venue time, ms"] == ["", *["−308"] * 7]
    assert flow["size of a trade, contracts"] == ["", "", "", "15.9", "15.9", "15.9", "15.9", ""]
    assert flow["size of a cut, contracts"] == ["", "", "", "–", "–", "–", "–", ""]
    assert rows("The book", found)["2–1 min"] == ["1", "0.4 / 0.4 / 0.4", "633", "–", "– / – / –"]
    assert rows("Activity", found)["2–1 min"] == ["8.0", "6.0", "–", "–"]
    assert rows("2 streamed markets", found)["B"] == ["1,234", "1", "0", "0", "0", "left out"]


def test_sentences() -> None:
    survey = full()
    survey.pool.crossed.add(16)
    first, counted, trades = stats_printing.remarks(report(survey))
    assert first.startswith("1 crossed spell, 0 locked spells: every one began and ended within one venue millisecond")
    assert counted.startswith("counted 1 market with 1,234 deltas, left out 1: markets with a gap")
    assert trades.startswith("trade sizes are those the tickers name")


def test_a_fault_is_said() -> None:
    survey = full()
    survey.pool.crossed.add(16)
    survey.pool.outlived.add(16)
    assert "1 outlived its venue millisecond, which is a fault" in stats_printing.remarks(report(survey))[0]


def test_what_is_uncertain_is_said() -> None:
    found = msgspec.structs.replace(report(full()), is_exact=False, cut=("a.jsonl after line 7",))
    *_, rounded, cut = stats_printing.remarks(found)
    assert rounded.startswith("values were so many that some percentiles are rounded")
    assert cut == "the recording ends in the middle: a.jsonl after line 7; what stands before it was read"


def test_nothing_counted_leaves_the_markets() -> None:
    survey = full()
    survey.pool, survey.markets = Survey().pool, survey.markets[1:]
    found = report(survey)
    assert [sheet.title for sheet in sheets(found)] == ["1 streamed market"]
    assert len(stats_printing.remarks(found)) == 1


def test_polled_books() -> None:
    survey = Survey()
    pool = survey.ladders
    pool.captures, pool.books, pool.two_sided, pool.partitions, pool.incomplete = 3, 9, 6, 3, 1
    pool.markets.add(3, 3)
    pool.bid_sums.add(9_300, 3)
    pool.ask_sums.add(17_900, 2)
    pool.spreads[6].add(300, 6)
    found = report(survey)
    table = rows("Polled books: 3 captures", found)
    assert table["sum of bids over a partition, $ (3)"] == ["0.93"] * 5
    assert table["sum of asks where every market has one, $ (2)"] == ["1.79"] * 5
    assert rows("Spread of polled markets", found) == {"60–30 min": ["6", "3", "3", "3"]}
    assert stats_printing.remarks(found) == ["66.7% of 9 polled books had two sides"]


def test_printed_lines_are_not_filled_up(capsys: pytest.CaptureFixture[str]) -> None:
    stats_printing.statistics(report(full()))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 market, 1,234 deltas"
    assert lines == [line.rstrip() for line in lines]


def long() -> Survey:
    """Markets with names and counts as long as the venue's."""
    survey = full()
    ticker = "KXMLBGAME-26AUG072140LADAZ-LAD"
    survey.markets = [
        SurveyedMarket(file="a", ticker=ticker, deltas=28_057_123, gaps=12, frozen=3, impossible=1, overflow=7)
    ]
    for tally in (survey.pool.adds, survey.pool.cuts, survey.pool.lives):
        tally.add(2_950_812_345)
    return survey


def figures(sheet: Sheet) -> list[str]:
    return [str(cell) for row in sheet.rows for cell in row[sheet.left :]]


@pytest.mark.parametrize(("width", "columns"), [(120, 6), (80, 4)])
def test_tables_give_up_columns_to_fit_a_terminal(width: int, columns: int) -> None:
    for sheet in sheets(report(full())):
        narrow = stats_printing.fitted(sheet, width).sheet
        assert narrow.title == sheet.title
        console = Console(width=1_000)
        assert console.measure(narrow.under_title()).maximum <= width
        if sheet.title.startswith("The book"):
            assert len(narrow.columns) == columns


@pytest.mark.parametrize("width", range(40, 161, 5))
def test_no_terminal_is_so_narrow_that_a_figure_is_cut(width: int) -> None:
    for sheet in sheets(report(long())):
        narrow = stats_printing.fitted(sheet, width)
        console = Console(width=width, color_system=None)
        with console.capture() as captured:
            console.print(msgspec.structs.replace(narrow.sheet, title="").under_title())
        lines = captured.get().splitlines()
        assert max(map(len, lines)) <= width
        assert [cell for cell in figures(narrow.sheet) if cell not in captured.get()] == []
        assert len(lines) == len(sheet.rows) + 2


def test_names_are_cut_before_figures_and_keep_their_ends() -> None:
    *_, sheet = sheets(report(long()))
    narrow = stats_printing.fitted(sheet, 80)
    assert narrow.sheet.columns == sheet.columns
    assert str(narrow.sheet.rows[0][0]).startswith("…")
    assert str(narrow.sheet.rows[0][0]).endswith("LADAZ-LAD")
    assert narrow.said == "narrow terminal: shortened names; --json has all"


def test_what_a_narrow_terminal_lacks_is_said() -> None:
    flow, *_, markets = sheets(report(full()))
    assert stats_printing.fitted(flow, 80).left_out == ("p1",)
    assert stats_printing.fitted(flow, 74).said == "narrow terminal: left out min, p1; --json has all"
    assert stats_printing.fitted(markets, 55).left_out == ("impossible", "overflow")
    assert stats_printing.fitted(flow, 160).said == ""


@pytest.mark.parametrize("name", ["KXBTC15M-26MAY131145-[/]", "KXBTC15M-26MAY131145-[red]"])
def test_a_name_is_drawn_as_it_is_however_narrow(name: str) -> None:
    sheet = Sheet(title="1 streamed market", columns=("market", "deltas"), rows=[(name, "1")])
    for width in (100, 24):
        console = Console(width=width, color_system=None)
        with console.capture() as drawn:
            console.print(stats_printing.fitted(sheet, width).sheet.under_title())
        assert name[-10:] in drawn.get()


def test_every_table_has_its_words() -> None:
    assert [part.sheet.title for part in stats_printing.parts(report(full())) if not part.words] == []


def test_tables_that_mix_series_say_so() -> None:
    survey = full()
    assert "pooled" not in dict(stats_printing.parts(report(survey))[0].words)
    survey.markets += [
        msgspec.structs.replace(survey.markets[0], ticker="KXETH15M-1"),
        msgspec.structs.replace(survey.markets[1], ticker="KXSOL15M-1"),
    ]
    words = dict(stats_printing.parts(report(survey))[0].words)
    assert words["pooled"].startswith("this table mixes markets of 2 series (A, KXETH15M);")


def test_of_many_series_a_few_are_named() -> None:
    ((_, meaning),) = stats_words.pooled(tuple("ABCDEF"))
    assert "6 series (A, B, C, D and 2 more)" in meaning
