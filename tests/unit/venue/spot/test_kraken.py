"""Kraken's frames. Source: docs.kraken.com, Spot WebSocket v2: "Book checksum" (the snapshot and its sum), "Book (Level
2)" (the update), "Candles (OHLC)" and "Heartbeat"; the examples are the pages' own. The page "Trades" was not at hand
with its example: that frame has the fields it lists."""

import msgspec
import pytest

from fairstrike.core.events import SpotCandle
from fairstrike.venue.spot.kraken import Kraken
from fairstrike.venue.spot.values import UNREAD, Alive, BookBroken, BookChanged, BookReplaced, Traded, Unreadable
from tests.unit.venue.spot.samples import assert_garbage_is_refused, levels

BIDS = """45283.5 0.10000000|45283.4 1.54582015|45282.1 0.10000000|45281.0 0.10000000|45280.3 1.54592586
|45279.0 0.07990000|45277.6 0.03310103|45277.5 0.30000000|45277.3 1.54602737|45276.6 0.15445238"""
ASKS = """45285.2 0.00100000|45286.4 1.54571953|45286.6 1.54571109|45289.6 1.54560911|45290.2 0.15890660
|45291.8 1.54553491|45294.7 0.04454749|45296.1 0.35380000|45297.5 0.09945542|45299.5 0.18772827"""
CHECKSUM = 3_310_070_434


def side(text: str) -> str:
    pairs = (pair.split() for pair in text.split("|") if pair)
    return "[" + ", ".join(f'{{"price": {price}, "qty": {size}}}' for price, size in pairs) + "]"


def frame(bids: str, asks: str, checksum: int, kind: str = "update", stamp: str = "") -> bytes:
    stamped = f', "timestamp": "{stamp}"' if stamp else ""
    return (
        f'{{"channel": "book", "type": "{kind}", "data": [{{"symbol": "BTC/USD", "bids": {side(bids)}, '
        f'"asks": {side(asks)}, "checksum": {checksum}{stamped}}}]}}'
    ).encode()


SNAPSHOT = frame(BIDS, ASKS, CHECKSUM, "snapshot")


def whole() -> Kraken:
    venue = Kraken(["BTC"])
    assert isinstance(venue.receive(SNAPSHOT)[0], BookReplaced)
    return venue


def test_what_is_said_first() -> None:
    venue = Kraken(["BTC", "SOL"])
    said = [msgspec.json.decode(one) for one in venue.connected()]
    assert venue.url == "wss://ws.kraken.com/v2"
    assert {one["method"] for one in said} == {"subscribe"}
    assert [one["params"] for one in said] == [
        {"channel": "book", "symbol": ["BTC/USD", "SOL/USD"], "depth": 100},
        {"channel": "trade", "symbol": ["BTC/USD", "SOL/USD"]},
        {"channel": "ohlc", "symbol": ["BTC/USD", "SOL/USD"], "interval": 15},
    ]


def test_the_documented_snapshot_has_the_documented_checksum() -> None:
    (book,) = Kraken(["BTC"]).receive(SNAPSHOT)
    assert isinstance(book, BookReplaced)
    assert book.bids[:2] == levels((45_283.5, 0.1), (45_283.4, 1.54582015))
    assert (len(book.bids), len(book.asks), book.venue_ns) == (10, 10, None)


def test_another_checksum_breaks_the_book_until_the_next_snapshot() -> None:
    venue = Kraken(["BTC"])
    broken = BookBroken(asset="BTC", reason="its checksum differs")
    assert venue.receive(frame(BIDS, ASKS, CHECKSUM + 1, "snapshot")) == [broken]
    assert venue.receive(frame("", "", CHECKSUM)) == []
    assert [msgspec.json.decode(one)["method"] for one in venue.resubscribe("BTC")] == ["unsubscribe", "subscribe"]
    assert isinstance(venue.receive(SNAPSHOT)[0], BookReplaced)


def test_changes_there_and_back_keep_the_checksum() -> None:
    """A level beyond the tenth does not count, and what is set, taken away and set again is as it was."""
    venue = whole()
    (change,) = venue.receive(frame("45270.0 2.00000000", "", CHECKSUM, stamp="2023-10-06T17:35:55.440295Z"))
    assert change == BookChanged(asset="BTC", bids=levels((45_270, 2)), asks=[], venue_ns=1_696_613_755_440_295_000)
    there_and_back = "45283.5 0|45283.5 0.10000000"
    assert isinstance(venue.receive(frame(there_and_back, "", CHECKSUM))[0], BookChanged)
    assert isinstance(venue.receive(frame("45283.5 0", "", CHECKSUM))[0], BookBroken)


def test_the_digits_on_the_wire_are_summed() -> None:
    """0.1 and 0.10000000 are one size and two texts."""
    assert isinstance(whole().receive(frame("45283.5 0.1", "", CHECKSUM))[0], BookBroken)


def test_a_book_is_cut_to_its_depth() -> None:
    deep = "|".join(f"{40_000 - number}.0 1.00000000" for number in range(100))
    (change,) = whole().receive(frame(deep, "", CHECKSUM))
    assert isinstance(change, BookChanged)
    assert sorted(change.bids[100:]) == levels(*((39_901 + number, 0) for number in range(10)))


def test_the_documented_heartbeat() -> None:
    assert Kraken(["BTC"]).receive(b'{"channel": "heartbeat"}') == [Alive()]


CANDLES = b"""{"channel": "ohlc", "type": "snapshot", "timestamp": "2023-10-04T16:26:01.806315597Z", "data": [
  {"symbol": "ALGO/USD", "open": 0.09875, "high": 0.0988, "low": 0.09875, "close": 0.09875, "trades": 13,
   "volume": 16255.46368, "vwap": 0.09879, "interval_begin": "2023-10-04T15:30:00.000000000Z", "interval": 5,
   "timestamp": "2023-10-04T15:35:00.000000Z"}]}"""


def test_candles_of_a_quarter_of_an_hour() -> None:
    venue = Kraken(["ALGO"])
    assert venue.receive(CANDLES) == []
    (candle,) = venue.receive(CANDLES.replace(b'"interval": 5', b'"interval": 15'))
    assert candle == SpotCandle(
        asset="ALGO",
        source="kraken",
        start_ns=1_696_433_400_000_000_000,
        open_e8=9_875_000,
        high_e8=9_880_000,
        low_e8=9_875_000,
        close_e8=9_875_000,
        volume_e8=1_625_546_368_000,
        venue_ns=1_696_436_761_806_315_000,
    )


def test_a_trade() -> None:
    data = b"""{"channel": "trade", "type": "update", "data": [{"symbol": "BTC/USD", "side": "sell", "price": 45283.4,
      "qty": 0.0005, "ord_type": "market", "trade_id": 1, "timestamp": "2023-10-06T17:35:55.440295Z"}]}"""
    (trade,) = Kraken(["BTC"]).receive(data)
    expected = Traded(asset="BTC", price_e8=4_528_340_000_000, size_e8=50_000, venue_ns=1_696_613_755_440_295_000)
    assert trade == expected


@pytest.mark.parametrize("price", ["0", "-1.0", '"NaN"', "1e999"])
def test_a_level_that_cannot_be_breaks_the_book(price: str) -> None:
    values = whole().receive(frame(f"{price} 1.00000000", "", CHECKSUM))
    assert [type(value) for value in values] == [Unreadable, BookBroken]


def test_a_refused_subscription() -> None:
    data = b'{"error": "Currency pair not supported", "method": "subscribe", "success": false}'
    assert Kraken(["BTC"]).receive(data) == [Unreadable(reason="kraken: Currency pair not supported")]


def test_garbage() -> None:
    assert_garbage_is_refused(Kraken(["BTC"]))


@pytest.mark.parametrize("data", [b"{", b'{"channel": "book", "data": 7}', frame("1.0 many", "", 0)])
def test_a_frame_that_may_be_of_a_book_and_cannot_be_read_breaks_every_book_at_once(data: bytes) -> None:
    venue = Kraken(["BTC", "ETH"])
    venue.receive(SNAPSHOT)
    refused, *broken = venue.receive(data)
    assert isinstance(refused, Unreadable)
    assert broken == [BookBroken(asset=asset, reason=UNREAD) for asset in ("BTC", "ETH")]
    assert venue.receive(frame("45283.4 1.0", "", 0)) == []
    assert isinstance(venue.receive(SNAPSHOT)[0], BookReplaced)


def test_a_book_with_a_stamp_that_is_none_is_broken() -> None:
    refused, broken = whole().receive(frame(BIDS, ASKS, CHECKSUM, stamp="yesterday"))
    assert isinstance(refused, Unreadable)
    assert broken == BookBroken(asset="BTC", reason=UNREAD)


def test_a_trade_that_cannot_be_read_leaves_the_book() -> None:
    venue = whole()
    assert [type(value) for value in venue.receive(b'{"channel": "trade", "data": 7}')] == [Unreadable]
    assert isinstance(venue.receive(frame("", "", CHECKSUM))[0], BookChanged)
