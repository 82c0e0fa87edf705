"""Coinbase's frames. Source: docs.cdp.coinbase.com, Advanced Trade WebSocket, "Channels" (level2, heartbeats) and
"Overview" (sequence numbers), whose examples these are, with their products and numbers. The frame of trades is made
of the fields that the channel market_trades lists; it is not the page's own."""

import msgspec
import pytest

from fairstrike.venue.spot.coinbase import Coinbase
from fairstrike.venue.spot.values import UNREAD, Alive, BookBroken, BookChanged, BookReplaced, Traded, Unreadable
from tests.unit.venue.spot.samples import assert_garbage_is_refused, levels

SNAPSHOT = b"""{"channel": "l2_data", "client_id": "", "timestamp": "2023-02-09T20:32:50.714964855Z", "sequence_num": 0,
  "events": [{"type": "snapshot", "product_id": "BTC-USD", "updates": [
    {"side": "bid", "event_time": "1970-01-01T00:00:00Z", "price_level": "21921.73", "new_quantity": "0.06317902"},
    {"side": "bid", "event_time": "1970-01-01T00:00:00Z", "price_level": "21921.3", "new_quantity": "0.02"}]}]}"""

HEARTBEAT = b"""{"channel": "heartbeats", "client_id": "", "timestamp": "2023-06-23T20:31:26.122969572Z",
  "sequence_num": 0, "events": [
    {"current_time": "2023-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105", "heartbeat_counter": "3049"}]}"""

TRADES = b"""{"channel": "market_trades", "client_id": "", "timestamp": "2023-02-09T20:19:35.39625135Z",
  "sequence_num": 0, "events": [{"type": "snapshot", "trades": [{"trade_id": "000000000", "product_id": "ETH-USD",
    "price": "1260.01", "size": "0.3", "side": "BUY", "time": "2019-08-14T20:42:27.265Z"}]}]}"""

STAMP_NS = 1_675_974_770_714_964_000


def numbered(data: bytes, number: int) -> bytes:
    return data.replace(b'"sequence_num": 0', f'"sequence_num": {number}'.encode())


def update(number: int, side: str = "offer", quantity: str = "0.5") -> bytes:
    text = numbered(SNAPSHOT, number).decode().replace('"snapshot"', '"update"')
    return text.replace('"side": "bid"', f'"side": "{side}"').replace('"0.02"', f'"{quantity}"').encode()


def test_what_is_said_first() -> None:
    venue = Coinbase(["BTC", "ETH"])
    assert venue.url == "wss://advanced-trade-ws.coinbase.com"
    assert [msgspec.json.decode(said) for said in venue.connected()] == [
        {"type": "subscribe", "product_ids": ["BTC-USD", "ETH-USD"], "channel": channel}
        for channel in ("heartbeats", "level2", "market_trades")
    ]


def test_the_documented_snapshot() -> None:
    (book,) = Coinbase(["BTC"]).receive(SNAPSHOT)
    bids = levels((21_921.73, 0.06317902), (21_921.3, 0.02))
    assert book == BookReplaced(asset="BTC", bids=bids, asks=[], venue_ns=STAMP_NS)


def test_an_update_sets_sizes_and_zero_takes_away() -> None:
    venue = Coinbase(["BTC"])
    venue.receive(SNAPSHOT)
    (change,) = venue.receive(update(1, quantity="0"))
    asks = levels((21_921.73, 0.06317902), (21_921.3, 0))
    assert change == BookChanged(asset="BTC", bids=[], asks=asks, venue_ns=STAMP_NS)


def test_the_documented_heartbeat() -> None:
    assert Coinbase(["BTC"]).receive(HEARTBEAT) == [Alive(venue_ns=1_687_552_286_122_969_000)]


def test_trades_of_before_the_connection_are_not_told() -> None:
    assert Coinbase(["ETH"]).receive(TRADES) == []


def test_a_trade() -> None:
    (trade,) = Coinbase(["ETH"]).receive(TRADES.replace(b'"snapshot"', b'"update"'))
    expected = Traded(asset="ETH", price_e8=126_001_000_000, size_e8=30_000_000, venue_ns=1_565_815_347_265_000_000)
    assert trade == expected


def test_a_number_left_out_breaks_every_book_until_its_snapshot() -> None:
    venue = Coinbase(["BTC", "ETH"])
    venue.receive(SNAPSHOT)
    assert venue.receive(numbered(HEARTBEAT, 3))[0] == BookBroken(asset="BTC", reason="2 messages lost")
    assert venue.receive(update(4)) == []
    said = [msgspec.json.decode(one) for one in venue.resubscribe("BTC")]
    assert [(one["type"], one["product_ids"], one["channel"]) for one in said] == [
        ("unsubscribe", ["BTC-USD"], "level2"),
        ("subscribe", ["BTC-USD"], "level2"),
    ]
    assert isinstance(venue.receive(numbered(SNAPSHOT, 5))[0], BookReplaced)
    assert isinstance(venue.receive(update(6))[0], BookChanged)


def test_a_message_told_twice_changes_nothing() -> None:
    venue = Coinbase(["BTC"])
    venue.receive(SNAPSHOT)
    venue.receive(update(1))
    assert venue.receive(update(1, quantity="9")) == []


def test_numbers_that_begin_anew_break_every_book_until_its_snapshot() -> None:
    """Taken for messages told twice they would silence the venue as long as the connection lasts."""
    venue = Coinbase(["BTC"])
    venue.receive(numbered(SNAPSHOT, 1_000))
    assert venue.receive(numbered(HEARTBEAT, 0))[0] == BookBroken(asset="BTC", reason="its numbers went back")
    assert isinstance(venue.receive(numbered(SNAPSHOT, 1))[0], BookReplaced)
    assert isinstance(venue.receive(update(2))[0], BookChanged)


def test_a_frame_that_cannot_be_read_breaks_every_book_at_once() -> None:
    venue = Coinbase(["BTC", "ETH"])
    venue.receive(SNAPSHOT)
    refused, *broken = venue.receive(update(1, quantity="many"))
    assert isinstance(refused, Unreadable)
    # A snapshot that was asked for may be lost too, so a book that was not there is asked for.
    assert broken == [BookBroken(asset=asset, reason=UNREAD) for asset in ("BTC", "ETH")]
    assert venue.receive(update(2)) == []
    assert isinstance(venue.receive(numbered(SNAPSHOT, 3))[0], BookReplaced)
    assert isinstance(venue.receive(update(4))[0], BookChanged)


def test_a_new_connection_counts_anew() -> None:
    venue = Coinbase(["BTC"])
    venue.receive(numbered(SNAPSHOT, 7))
    venue.connected()
    assert venue.receive(update(0)) == []
    assert isinstance(venue.receive(numbered(SNAPSHOT, 1))[0], BookReplaced)


@pytest.mark.parametrize("quantity", ["-1", "nan", "inf", "1e400", ""])
def test_sizes_that_cannot_be_are_refused(quantity: str) -> None:
    venue = Coinbase(["BTC"])
    assert isinstance(venue.receive(update(0, quantity=quantity))[0], Unreadable)


def test_refusals_other_products_and_channels() -> None:
    venue = Coinbase(["SOL"])
    assert venue.receive(SNAPSHOT) == []
    assert venue.receive(b'{"channel": "subscriptions", "sequence_num": 1, "events": [{"subscriptions": {}}]}') == []
    assert venue.receive(b'{"type": "error", "message": "no such product"}') == [
        Unreadable(reason="coinbase: no such product")
    ]


def test_garbage() -> None:
    assert_garbage_is_refused(Coinbase(["BTC"]))
