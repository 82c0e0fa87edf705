"""Bitstamp's frames. Source: www.bitstamp.net/websocket/v2, "Live order book" (bids and asks, the top hundred,
microtimestamp), "Live ticker" and "Subscriptions". The page lists fields and shows no frame of data: the frames here
have those fields, written as public recordings of the channels show them."""

import msgspec
import pytest

from fairstrike.venue.spot.bitstamp import Bitstamp
from fairstrike.venue.spot.values import UNREAD, Alive, BookBroken, BookReplaced, Traded, Unreadable
from tests.unit.venue.spot.samples import assert_garbage_is_refused, levels

BOOK = b"""{"data": {"timestamp": "1653978373", "microtimestamp": "1653978373164007",
  "bids": [["31524.50", "0.36400000"], ["31521.05", "0.23734197"]], "asks": [["31535.44", "0.31708837"]]},
  "channel": "order_book_btcusd", "event": "data"}"""

TRADE = b"""{"data": {"id": 629344156, "timestamp": "1653978374", "amount": 0.07375969, "amount_str": "0.07375969",
  "price": 31530, "price_str": "31530", "type": 0, "microtimestamp": "1653978374090000", "buy_order_id": 1,
  "sell_order_id": 2}, "channel": "live_trades_btcusd", "event": "trade"}"""


def test_what_is_said_first() -> None:
    venue = Bitstamp(["BTC"])
    assert venue.url == "wss://ws.bitstamp.net"
    assert [msgspec.json.decode(said) for said in venue.connected()] == [
        {"event": "bts:subscribe", "data": {"channel": channel}}
        for channel in ("order_book_btcusd", "live_trades_btcusd")
    ]


def test_each_book_is_whole() -> None:
    (book,) = Bitstamp(["BTC"]).receive(BOOK)
    assert book == BookReplaced(
        asset="BTC",
        bids=levels((31_524.5, 0.364), (31_521.05, 0.23734197)),
        asks=levels((31_535.44, 0.31708837)),
        venue_ns=1_653_978_373_164_007_000,
    )


def test_a_book_older_than_the_last_is_dropped() -> None:
    venue = Bitstamp(["BTC"])
    venue.receive(BOOK)
    assert venue.receive(BOOK.replace(b"3164007", b"3164006")) == []
    assert len(venue.receive(BOOK)) == 1
    venue.connected()
    assert len(venue.receive(BOOK.replace(b"3164007", b"3164006"))) == 1


def test_a_stamp_of_the_future_does_not_hold_up_the_book() -> None:
    """Or heartbeats would vouch for the book of that frame as long as the connection lasts."""
    venue = Bitstamp(["BTC"])
    venue.receive(BOOK.replace(b"1653978373", b"1753978373"))
    assert venue.receive(BOOK) == [BookBroken(asset="BTC", reason="its stamps went back")]
    venue.connected()
    assert isinstance(venue.receive(BOOK)[0], BookReplaced)


def test_a_trade() -> None:
    (trade,) = Bitstamp(["BTC"]).receive(TRADE)
    expected = Traded(asset="BTC", price_e8=3_153_000_000_000, size_e8=7_375_969, venue_ns=1_653_978_374_090_000_000)
    assert trade == expected


def test_a_venue_that_asks_for_a_reconnect_has_no_books() -> None:
    venue = Bitstamp(["BTC", "ETH"])
    values = venue.receive(b'{"event": "bts:request_reconnect", "channel": "", "data": ""}')
    assert [(type(value), getattr(value, "asset", "")) for value in values] == [
        (BookBroken, "BTC"),
        (BookBroken, "ETH"),
    ]
    assert venue.resubscribe("BTC") == []


def test_heartbeats_answers_errors_and_other_markets() -> None:
    venue = Bitstamp(["ETH"])
    assert venue.receive(b'{"event": "bts:heartbeat"}') == [Alive()]
    assert venue.receive(b'{"event": "bts:subscription_succeeded", "channel": "x", "data": {}}') == []
    assert venue.receive(b'{"event": "bts:error", "channel": "", "data": {"code": 1, "message": "Bad channel"}}') == [
        Unreadable(reason="bitstamp: Bad channel")
    ]
    assert venue.receive(BOOK) == []
    assert venue.receive(TRADE) == []


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1.5", "9" * 30])
def test_stamps_that_cannot_be_are_refused(stamp: str) -> None:
    data = BOOK.replace(b"1653978373164007", stamp.encode())
    assert isinstance(Bitstamp(["BTC"]).receive(data)[0], Unreadable)


def test_garbage() -> None:
    assert_garbage_is_refused(Bitstamp(["BTC"]))


@pytest.mark.parametrize(
    ("data", "assets"),
    [(b"{", ("BTC", "ETH")), (BOOK.replace(b"0.364", b"many"), ("BTC",)), (TRADE.replace(b'"31530"', b'"many"'), ())],
)
def test_a_book_that_cannot_be_read_is_absent_until_the_next_frame(data: bytes, assets: tuple[str, ...]) -> None:
    venue = Bitstamp(["BTC", "ETH"])
    refused, *broken = venue.receive(data)
    assert isinstance(refused, Unreadable)
    assert broken == [BookBroken(asset=asset, reason=UNREAD, comes_again=True) for asset in assets]
