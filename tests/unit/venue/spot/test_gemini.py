"""Gemini's frames. Source: docs.gemini.com, WebSocket market data version 1: "Change event", "Trade event",
"Sequence numbers"; developer.gemini.com keeps the same pages as archived. The examples are the pages' own, with their
numbers. The heartbeat is the one of the published interface description of the same feed (asyncapi/spec)."""

from fairstrike.venue.spot.gemini import Gemini
from fairstrike.venue.spot.values import UNREAD, Alive, BookBroken, BookChanged, BookReplaced, Traded, Unreadable
from tests.unit.venue.spot.samples import assert_garbage_is_refused, levels

INITIAL = b"""{"type": "update", "eventId": 5375461993, "socket_sequence": 0, "events": [
  {"type": "change", "reason": "initial", "price": "3641.61", "delta": "0.83372051", "remaining": "0.83372051",
   "side": "bid"},
  {"type": "change", "reason": "initial", "price": "3641.62", "delta": "4.072", "remaining": "4.072",
   "side": "ask"}]}"""

CANCELLED = b"""{"type": "update", "eventId": 5375503736, "timestamp": 1547759964, "timestampms": 1547759964051,
  "socket_sequence": 2, "events": [
  {"type": "change", "side": "bid", "price": "3628.01", "remaining": "0", "delta": "-2", "reason": "cancel"}]}"""

TRADED = b"""{"type": "update", "eventId": 5375547515, "timestamp": 1547760288, "timestampms": 1547760288001,
  "socket_sequence": 15, "events": [
  {"type": "trade", "tid": 5375547515, "price": "3632.54", "amount": "0.1362819142", "makerSide": "ask"}]}"""

HEARTBEAT = b'{"type": "heartbeat", "socket_sequence": 1656}'


def at(data: bytes, number: int) -> bytes:
    head, _, tail = data.partition(b'"socket_sequence": ')
    return head + b'"socket_sequence": ' + str(number).encode() + tail.lstrip(b"0123456789")


def whole() -> Gemini:
    venue = Gemini("BTC")
    venue.connected()
    venue.receive(INITIAL)
    return venue


def test_the_address_says_what_is_wanted() -> None:
    venue = Gemini("ETH", host="api.sandbox.gemini.com")
    assert venue.url == "wss://api.sandbox.gemini.com/v1/marketdata/ETHUSD?heartbeat=true"
    assert venue.connected() == []


def test_the_first_message_is_the_whole_book() -> None:
    venue = Gemini("BTC")
    (book,) = venue.receive(INITIAL)
    bids, asks = levels((3_641.61, 0.83372051)), levels((3_641.62, 4.072))
    assert book == BookReplaced(asset="BTC", bids=bids, asks=asks, venue_ns=None)


def test_the_documented_change() -> None:
    (change,) = whole().receive(at(CANCELLED, 1))
    bids = levels((3_628.01, 0))
    assert change == BookChanged(asset="BTC", bids=bids, asks=[], venue_ns=1_547_759_964_051_000_000)


def test_the_documented_trade_has_ten_decimals() -> None:
    (trade,) = whole().receive(at(TRADED, 1))
    expected = Traded(asset="BTC", price_e8=363_254_000_000, size_e8=13_628_191, venue_ns=1_547_760_288_001_000_000)
    assert trade == expected


def test_a_gap_breaks_the_book_and_only_a_new_connection_mends_it() -> None:
    venue = whole()
    assert venue.receive(CANCELLED) == [BookBroken(asset="BTC", reason="message 1 lost")]
    assert venue.receive(at(CANCELLED, 3)) == []
    assert venue.resubscribe("BTC") == []
    venue.connected()
    assert isinstance(venue.receive(INITIAL)[0], BookReplaced)


def test_heartbeats_share_the_numbers() -> None:
    venue = whole()
    assert venue.receive(at(HEARTBEAT, 1)) == [Alive()]
    assert isinstance(venue.receive(at(CANCELLED, 2))[0], BookChanged)
    assert isinstance(venue.receive(HEARTBEAT)[0], BookBroken)


def test_a_frame_that_cannot_be_read_breaks_the_book_at_once() -> None:
    venue = whole()
    refused, broken = venue.receive(at(CANCELLED.replace(b"3628.01", b"zero"), 1))
    assert isinstance(refused, Unreadable)
    assert broken == BookBroken(asset="BTC", reason=UNREAD)
    # It comes with the next connection.
    assert venue.receive(at(CANCELLED, 2)) == []
    assert [type(value) for value in venue.receive(b"{")] == [Unreadable]


def test_a_refusal() -> None:
    data = b'{"result": "error", "reason": "RateLimited", "message": "too many"}'
    assert Gemini("BTC").receive(data) == [Unreadable(reason="gemini: RateLimited")]


def test_garbage() -> None:
    for value in (Gemini("BTC").receive(b"{}"), Gemini("BTC").receive(b'{"type": "update"}')):
        assert [type(one) for one in value] == [BookBroken]
    assert_garbage_is_refused(Gemini("BTC"))
