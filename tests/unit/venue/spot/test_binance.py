"""Binance's frames. Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md ("Trade Streams",
"Kline/Candlestick Streams", combined streams); developers.binance.com, USDS-margined futures, "Mark Price Stream". The
examples are the pages' own; the candle's interval is the one asked for here."""

import pytest

from fairstrike.core.events import SpotCandle, SpotFunding
from fairstrike.venue.spot.binance import FUTURES_HOST, Binance
from fairstrike.venue.spot.values import Traded, Unreadable
from tests.unit.venue.spot.samples import assert_garbage_is_refused

TRADE = b"""{"stream": "bnbusdt@trade", "data": {"e": "trade", "E": 1672515782136, "s": "BNBUSDT", "t": 12345,
  "p": "0.001", "q": "100", "b": 88, "a": 50, "T": 1672515782136, "m": true, "M": true}}"""

KLINE = b"""{"stream": "bnbusdt@kline_15m", "data": {"e": "kline", "E": 1672515782136, "s": "BNBUSDT", "k": {
  "t": 1672515780000, "T": 1672515839999, "s": "BNBUSDT", "i": "15m", "f": 100, "L": 200, "o": "0.0010",
  "c": "0.0020", "h": "0.0025", "l": "0.0015", "v": "1000", "n": 100, "x": false, "q": "1.0000", "V": "500",
  "Q": "0.500", "B": "123456"}}}"""

MARK = b"""{"stream": "btcusdt@markPrice@1s", "data": {"e": "markPriceUpdate", "E": 1562305380000, "s": "BTCUSDT",
  "p": "11794.15000000", "i": "11784.62659091", "P": "11784.25641265", "r": "0.00038167", "T": 1562306400000}}"""


def test_the_address_names_the_streams() -> None:
    spot = Binance(["BTC", "ETH"])
    assert spot.url == (
        "wss://stream.binance.com:9443/stream?streams=btcusdt@trade/btcusdt@kline_15m/ethusdt@trade/ethusdt@kline_15m"
    )
    futures = Binance(["BTC"], FUTURES_HOST, is_futures=True)
    assert futures.url == "wss://fstream.binance.com/stream?streams=btcusdt@markPrice@1s"
    assert (spot.connected(), spot.resubscribe("BTC")) == ([], [])


def test_the_documented_trade() -> None:
    (trade,) = Binance(["BNB"]).receive(TRADE)
    expected = Traded(asset="BNB", price_e8=100_000, size_e8=10_000_000_000, venue_ns=1_672_515_782_136_000_000)
    assert trade == expected


def test_the_documented_candle() -> None:
    (candle,) = Binance(["BNB"]).receive(KLINE)
    assert candle == SpotCandle(
        asset="BNB",
        source="binance",
        start_ns=1_672_515_780_000_000_000,
        open_e8=100_000,
        high_e8=250_000,
        low_e8=150_000,
        close_e8=200_000,
        volume_e8=100_000_000_000,
        venue_ns=1_672_515_782_136_000_000,
    )


def test_the_documented_funding_rate() -> None:
    (funding,) = Binance(["BTC"], FUTURES_HOST, is_futures=True).receive(MARK)
    assert funding == SpotFunding(
        asset="BTC",
        source="binance",
        rate_e8=38_167,
        mark_e8=1_179_415_000_000,
        next_ns=1_562_306_400_000_000_000,
        venue_ns=1_562_305_380_000_000_000,
    )


def test_a_rate_may_be_negative() -> None:
    (funding,) = Binance(["BTC"]).receive(MARK.replace(b"0.00038167", b"-0.00010000"))
    assert isinstance(funding, SpotFunding)
    assert funding.rate_e8 == -10_000


def test_other_symbols_are_nothing() -> None:
    assert Binance(["ETH"]).receive(TRADE) == []


@pytest.mark.parametrize("data", [TRADE.replace(b"0.001", b"dear"), TRADE.replace(b'"T": 1672515782136', b'"T": -1')])
def test_what_cannot_be_is_refused(data: bytes) -> None:
    assert isinstance(Binance(["BNB"]).receive(data)[0], Unreadable)


def test_garbage() -> None:
    assert_garbage_is_refused(Binance(["BTC"]))
