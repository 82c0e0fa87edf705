"""Estimates of a settlement mean against official values, on trades made by hand."""

from pathlib import Path

import pytest

from fairstrike.core.contract import Window
from fairstrike.core.timing import SECOND_NS, format_rfc3339, parse_rfc3339_ns
from fairstrike.research.estimators import ESTIMATORS, errors, official_values

CLOSE_NS = parse_rfc3339_ns("2026-05-14T00:30:00Z")
CLOSE_E8 = 80_003 * 10**8
HEADER = "run,market_ticker,close_time,strike_usd,official_result,settlement_value_usd_from_next_strike\n"
RESULTS = "r,A,2026-05-14T00:30:00Z,79990.00,no,80003.00\nr,B,2026-05-14T00:45:00Z,80003.00,,\n"


def folder_of(folder: Path, trades: list[tuple[float, float]], results: str = RESULTS) -> Path:
    """A folder with trades as (seconds from the close, dollars) beside results."""
    rows = [
        f"{CLOSE_NS + round(at * SECOND_NS)},{format_rfc3339(CLOSE_NS + round(at * SECOND_NS))},{dollars}"
        for at, dollars in trades
    ]
    (folder / "r.spot.csv").write_text("recv_ns,exchange_ts,price_usd\n" + "\n".join(rows) + "\n")
    (folder / "results.csv").write_text(HEADER + results)
    return folder


def test_a_strike_is_the_value_of_the_window_before(tmp_path: Path) -> None:
    found = official_values(folder_of(tmp_path, []) / "results.csv")
    assert found == {CLOSE_NS - 900 * SECOND_NS: 79_990 * 10**8, CLOSE_NS: CLOSE_E8}


def test_a_price_that_stands_still_is_off_by_its_distance_in_every_estimate(tmp_path: Path) -> None:
    steady = [(at / 2, 80_001.0) for at in range(-180, 20)]
    found = errors(folder_of(tmp_path, steady))
    assert {(one.name, one.window) for one in found} == {(name, window) for name in ESTIMATORS for window in Window}
    for one in found:
        assert (one.count, one.mean, one.rms, one.sd) == (1, -2.0, 2.0, 0.0)


def test_the_two_readings_differ_by_a_sixtieth_of_first_against_last_print(tmp_path: Path) -> None:
    """One trade 100 ms before each second; the one that the close prints is 63 dollars higher."""
    trades = [(second - 0.1, 80_003.0 + (63.0 if second == 0 else 0.0)) for second in range(-70, 5)]
    found = {
        one.window: one.mean for one in errors(folder_of(tmp_path, trades)) if one.name.startswith("last trade st")
    }
    assert found == {Window.BEFORE_CLOSE: 0.0, Window.UP_TO_CLOSE: pytest.approx(63 / 60)}


def test_the_mean_of_a_second_takes_every_trade_of_it(tmp_path: Path) -> None:
    trades = [(second - part, price) for second in range(-70, 5) for part, price in ((0.9, 80_000.0), (0.1, 80_006.0))]
    found = {one.name: one.mean for one in errors(folder_of(tmp_path, trades)) if one.window is Window.BEFORE_CLOSE}
    assert found["mean of the trades of the second before"] == 0.0
    assert found["last trade stamped at each second"] == 3.0


def test_a_window_that_trades_do_not_cover_is_left_out(tmp_path: Path) -> None:
    assert errors(folder_of(tmp_path, [(at, 80_001.0) for at in range(-59, 5)])) == []
    assert errors(folder_of(tmp_path, [(at, 80_001.0) for at in range(-90, 0)])) == []
