"""Trades beside a capture become one print a second of Coinbase's clock."""

import gzip
import os
from itertools import pairwise
from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import IndexPrinted, OffsetStepped
from fairstrike.research.importers.spot import index_prints
from fairstrike.research.importers.stream15m import Stream15m
from fairstrike.store.tape import Cut
from tests.unit.research.captures import RUN, events_of, ns, opening, write, write_spot

COLUMNS = "recv_ns,exchange_ts,price_usd"


def prints(folder: Path, trades: list[tuple[float, str, str]]) -> list[tuple[float, int, int]]:
    """Index prints as (milliseconds, second after 00:24:28, dollars) of a capture with these trades beside it."""
    path = write(folder, opening())
    write_spot(folder, trades)
    units = list(Stream15m(path).prints())
    assert all(before <= after for (before, _), (after, _) in pairwise(units))
    found = [event for event in events_of(units, IndexPrinted) if isinstance(event, IndexPrinted)]
    first = ns(0) // 1_000_000_000
    return [((e.recv_ns - ns(0)) / 1e6, e.second - first, e.value_e8 // 10**8) for e in found]


def test_each_whole_second_prints_the_last_trade_received(tmp_path: Path) -> None:
    trades = [(100.0, "00:24:28.1", "100"), (900.0, "00:24:28.9", "101"), (2_500.0, "00:24:30.5", "102")]
    assert prints(tmp_path, [*trades, (3_100.0, "00:24:31.1", "103")]) == [
        (1_000.0, 1, 101),
        (2_000.0, 2, 101),
        (3_000.0, 3, 102),
    ]


def test_seconds_are_those_of_coinbase_s_clock(tmp_path: Path) -> None:
    trades = [(100.0, "00:24:27.8", "100"), (1_350.0, "00:24:29.05", "101"), (1_400.0, "00:24:29.1", "102")]
    assert prints(tmp_path, trades) == [(300.0, 0, 100), (1_300.0, 1, 100)]


def test_a_trade_received_at_the_whole_second_counts(tmp_path: Path) -> None:
    trades = [(100.0, "00:24:28.1", "100"), (1_000.0, "00:24:29.0", "101"), (1_100.0, "00:24:29.1", "102")]
    assert prints(tmp_path, trades) == [(1_000.0, 1, 101)]


def test_no_second_is_left_out_when_the_offset_steps(tmp_path: Path) -> None:
    trades = [(100.0, "00:24:27.8", "100"), (1_250.0, "00:24:29.05", "101"), (3_000.0, "00:24:30.8", "102")]
    assert prints(tmp_path, trades) == [(300.0, 0, 100), (1_250.0, 1, 101), (2_200.0, 2, 101)]


def test_ten_minutes_after_the_last_trade_nothing_is_printed_until_the_next(tmp_path: Path) -> None:
    first, hour, year = (100.0, "00:24:28.1", "100"), (3_600_100.0, "01:24:28.1", "101"), 365 * 86_400
    found = prints(tmp_path, [first, hour, (3_601_200.0, "01:24:29.2", "102")])
    assert [second for _, second, _ in found] == [*range(1, 601), 3_601]
    assert found[-1] == (3_601_000.0, 3_601, 101)
    assert len(prints(tmp_path, [first, (200 * year * 1_000.0, "01:24:28.1", "101")])) == 600


def test_a_stamp_of_another_century_prints_no_century(tmp_path: Path) -> None:
    path = write(tmp_path, opening())
    rows = [
        f"{ns(100)},2026-05-14T00:24:28.1Z,100",
        f"{ns(200)},2250-01-01T00:00:00Z,101",
        f"{ns(9_000)},2250-01-01T00:00:09Z,102",
    ]
    (tmp_path / f"{RUN}.spot.csv").write_text("\n".join(["recv_ns,exchange_ts,price_usd", *rows, ""]))
    assert len(events_of(list(Stream15m(path).prints()), IndexPrinted)) < 700


def test_the_first_trade_tells_the_offset_of_coinbase_s_clock(tmp_path: Path) -> None:
    path = write(tmp_path, opening())
    write_spot(tmp_path, [(100.0, "00:24:27.8", "100")])
    (step,) = events_of(list(Stream15m(path).prints()), OffsetStepped)
    assert isinstance(step, OffsetStepped)
    assert (step.source, step.offset_ns) == ("coinbase", 300_000_000)


def test_without_trades_beside_it_a_capture_has_no_prints(tmp_path: Path) -> None:
    recording = Stream15m(write(tmp_path, opening()))
    assert recording.spot is None
    assert list(recording.prints()) == []


NO_TRADES = ("a,b,c\n1,2,3\n", f"{COLUMNS}\nx,y,z\n", f"{COLUMNS}\n5\n", f"{COLUMNS}\n5,6,\xff\n", "", "\xff")


@pytest.mark.parametrize("text", NO_TRADES)
def test_a_file_of_trades_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, opening())
    (tmp_path / f"{RUN}.spot.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordingError, match=r"spot\.csv"):
        list(Stream15m(path).prints())


def test_trades_out_of_order_of_receipt_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, opening())
    write_spot(tmp_path, [(100.0, "00:24:28.1", "100"), (99.0, "00:24:28.2", "101")])
    with pytest.raises(RecordingError, match="goes back in time"):
        list(Stream15m(path).prints())


def test_a_pipe_in_the_place_of_the_trades_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, opening())
    os.mkfifo(tmp_path / f"{RUN}.spot.csv")
    with pytest.raises(RecordingError, match="is no plain file"):
        list(Stream15m(path).prints())


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_trades_that_end_in_the_middle_of_a_row_are_read_to_there(tmp_path: Path, ending: str) -> None:
    rows = [COLUMNS, *(f"{ns(900 * n)},2026-05-14T00:24:{28 + n}.0Z,100" for n in range(4)), f"{ns(9_000)},2026-0"]
    data = "\n".join(rows).encode()
    path = tmp_path / f"trades.csv{ending}"
    path.write_bytes(gzip.compress(data)[:-8] if ending else data)
    cuts: list[Cut] = []
    assert list(index_prints(path, cuts.append))
    assert [cut.line_count for cut in cuts] == [5]
