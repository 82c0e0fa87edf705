"""`results.csv`: the official result, else the next strike, else nothing."""

from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.research.importers.base import settlements
from fairstrike.research.importers.results import results
from tests.unit.research.captures import CLOSE_TEXT

HEADER = "run,market_ticker,close_time,strike_usd,official_result,settlement_value_usd_from_next_strike"


def found_in(folder: Path, *rows: str) -> list[tuple[str, int | None, bool]]:
    path = folder / "results.csv"
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return [(r.ticker, r.value_ticks, r.is_derived) for r in results(path, {"a"}).values()]


def test_an_official_result_comes_before_a_derived_one(tmp_path: Path) -> None:
    assert found_in(tmp_path, f"a,T,{CLOSE_TEXT},100.00,no,100.00") == [("T", 0, False)]


@pytest.mark.parametrize(("settled", "value"), [("99.99", 0), ("100.00", 10_000), ("100.01", 10_000)])
def test_a_derived_result_is_yes_when_the_next_strike_is_at_least_the_own(
    tmp_path: Path, settled: str, value: int
) -> None:
    assert found_in(tmp_path, f"a,T,{CLOSE_TEXT},100.00,,{settled}") == [("T", value, True)]


def test_a_market_without_either_stays_open(tmp_path: Path) -> None:
    assert found_in(tmp_path, f"a,T,{CLOSE_TEXT},100.00,,") == [("T", None, True)]
    assert settlements(results(tmp_path / "results.csv", {"a"})) == []


def test_one_market_with_two_results_is_refused(tmp_path: Path) -> None:
    same = f"a,T,{CLOSE_TEXT},100.00,yes,"
    assert found_in(tmp_path, same, same) == [("T", 10_000, False)]
    with pytest.raises(RecordingError, match="tells two results of T"):
        found_in(tmp_path, same, f"a,T,{CLOSE_TEXT},100.00,no,")


@pytest.mark.parametrize("text", ["", "run,market_ticker\n", "a,b,c\n1,2,3\n"])
def test_a_file_that_is_no_table_of_results_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.csv").write_text(text)
    with pytest.raises(RecordingError, match=r"results\.csv lacks the column"):
        results(tmp_path / "results.csv", {"a"})


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(f"\ufeff{HEADER}\na,T,{CLOSE_TEXT},1,no,\n", encoding="utf-8")
    assert list(results(tmp_path / "results.csv", {"a"})) == ["T"]


def test_results_of_other_runs_are_left_out(tmp_path: Path) -> None:
    assert found_in(tmp_path, f"b,T,{CLOSE_TEXT},100.00,yes,") == []


@pytest.mark.parametrize("row", [f"a,T,{CLOSE_TEXT},100.00,maybe,", "a,T,soon,1,yes,", "a,T", f"a,T,{CLOSE_TEXT},x,,1"])
def test_a_row_that_cannot_be_used_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(RecordingError, match=r"results\.csv"):
        found_in(tmp_path, row)


def test_markets_settle_a_second_after_their_close_in_order_of_time(tmp_path: Path) -> None:
    found_in(tmp_path, "a,U,2026-05-14T00:45:00Z,1,yes,", f"a,T,{CLOSE_TEXT},1,no,")
    units = settlements(results(tmp_path / "results.csv", {"a"}))
    close_ns = 1_778_718_600 * 10**9
    assert [instant for instant, _ in units] == [close_ns + 10**9, close_ns + 901 * 10**9]
