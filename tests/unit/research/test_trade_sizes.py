"""Trades that tickers name, out of a recording's lines."""

from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.research.trade_sizes import ticker_trades


def ticker(size: str | None, volume: str, market: str = "A") -> bytes:
    message = {"market_ticker": market, "volume_fp": volume, "last_trade_size_fp": size}
    return msgspec.json.encode({"recv_ns": 1, "type": "ticker", "msg": message})


def write(folder: Path, *lines: bytes) -> Path:
    path = folder / "run.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def test_a_trade_counts_when_the_volume_has_changed(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        ticker("5.00", "100.00"),
        ticker("5.00", "100.00"),
        ticker("5.00", "107.50"),
        ticker("2.50", "110.00"),
        ticker("9.00", "50.00", "B"),
    )
    found = {market: sizes.weights for market, sizes in ticker_trades(path).items()}
    assert found == {"A": {500: 2, 250: 1}, "B": {900: 1}}


@pytest.mark.parametrize(
    "line",
    [
        ticker("0.00", "100.00"),
        ticker(None, "100.00"),
        ticker("5.00", "0.00"),
        ticker("much", "100.00"),
        b'{"last_trade_size_fp": "5.00"}',
        b'{"msg": {"last_trade_size_fp": "5.0',
        b'"last_trade_size_fp" \xff',
        b'{"type": "orderbook_delta"}',
    ],
)
def test_lines_that_name_no_trade(tmp_path: Path, line: bytes) -> None:
    assert ticker_trades(write(tmp_path, line)) == {}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError):
        ticker_trades(tmp_path / "gone.jsonl")
