"""Candles of a perpetual: one price a minute, told when the minute is over."""

from pathlib import Path

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import parse_rfc3339_ns
from fairstrike.research.importers.candles import Candles
from tests.unit.research.importers.samples import CANDLES, put

HEADER = b"timestamp,open,high,low,close,volume\n"


def opened(folder: Path, data: bytes, name: str = "btc-perp.csv") -> Candles:
    return Candles(put(folder, name, data))


def test_each_close_is_told_when_its_minute_is_over(tmp_path: Path) -> None:
    recording = opened(tmp_path, CANDLES)
    first_ns = parse_rfc3339_ns("2021-12-31T23:02:00Z")
    expected = [(first_ns, 4_637_700_000_000), (first_ns + 60 * 10**9, 4_641_100_000_000)]
    told = [(at_ns, event) for at_ns, events in recording.units() for event in events]
    assert told == [
        (
            at_ns,
            IndexPrinted(
                asset="BTC", source="perpetual", second=at_ns // 10**9, value_e8=value, recv_ns=at_ns, venue_ns=at_ns
            ),
        )
        for at_ns, value in expected
    ]
    assert (recording.first_ns, recording.is_over) == (first_ns, True)
    assert recording.notes == ["btc-perp.csv: 2 candles read; they price nothing"]


def test_the_asset_is_the_first_part_of_the_name(tmp_path: Path) -> None:
    (first, *_) = opened(tmp_path, CANDLES, "eth-perp.csv").units()
    assert [event.asset for event in first[1] if isinstance(event, IndexPrinted)] == ["ETH"]


@pytest.mark.parametrize("name", ["candles.csv", "doge-perp.csv", "1-btc.csv"])
def test_a_name_without_an_asset_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match=f"{name} does not say whose candles these are; begin its name with BTC"):
        opened(tmp_path, CANDLES, name)


def test_a_file_without_a_candle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"btc-perp\.csv holds no candle; give a file with at least one"):
        opened(tmp_path, HEADER)


@pytest.mark.parametrize(
    "row",
    [
        b"2021-12-31 23:03:00,1,1,1",
        b"2021-12-31 23:0",
        b"yesterday,1,1,1,5,5",
        b"1921-12-31 23:03:00,1,1,1,5,5",
        *(
            b"2021-12-31 23:03:00,1,1,1,%s,5" % close
            for close in (b"", b"0", b"-1", b"NaN", b"1e400", b"\xff", b"9" * 20)
        ),
    ],
)
def test_a_row_that_is_no_candle_is_refused_with_its_number(tmp_path: Path, row: bytes) -> None:
    recording = opened(tmp_path, CANDLES + row)
    with pytest.raises(RecordingError, match=r"btc-perp\.csv line 4 is not what a file of candles holds \("):
        list(recording.units())


def test_candles_out_of_order_are_refused(tmp_path: Path) -> None:
    recording = opened(tmp_path, CANDLES + b"2021-12-31 23:01:00,1,1,1,5,5\n")
    with pytest.raises(RecordingError, match=r"btc-perp\.csv goes back in time at line 4"):
        list(recording.units())
