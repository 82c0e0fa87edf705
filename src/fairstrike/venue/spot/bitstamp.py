"""Bitstamp, WebSocket version 2: the hundred best levels and trades on one connection.

Each frame of a book is whole, so none can be missing: the channel of changes would need a snapshot from elsewhere. A
book older by its microsecond stamp than the one before is dropped; one much older says that a stamp was wrong, and the
book is broken. The venue asks for a reconnect before it restarts.
Source: www.bitstamp.net/websocket/v2.
"""

from collections.abc import Iterable, Sequence

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import parse_decimal
from fairstrike.venue.spot.values import (
    MALFORMED,
    UNREAD,
    Alive,
    BookBroken,
    BookReplaced,
    Value,
    Venue,
    address,
    level,
    traded,
)

HOST = "ws.bitstamp.net"

_BOOK, _TRADES = "order_book_", "live_trades_"
_STAMP_US_MAX = 10**17
_BACK_NS_MAX = 5 * SECOND_NS


class _Message(msgspec.Struct):
    event: str
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Book(msgspec.Struct):
    microtimestamp: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _Trade(msgspec.Struct):
    microtimestamp: str
    price_str: str
    amount_str: str


class _Complaint(msgspec.Struct):
    message: str = ""


_envelope = msgspec.json.Decoder(_Message)
_book = msgspec.json.Decoder(_Book)
_trade = msgspec.json.Decoder(_Trade)
_complaint = msgspec.json.Decoder(_Complaint)


class Bitstamp(Venue):
    """The protocol of one connection for some assets, against the dollar."""

    source = "bitstamp"

    def __init__(self, assets: Iterable[str], host: str = HOST) -> None:
        """Take the assets and the host."""
        super().__init__({f"{asset.lower()}usd": asset for asset in assets}, address(host))
        self._latest: dict[str, int] = {}

    def connected(self) -> list[bytes]:
        """Begin a connection; give what to say first."""
        self._latest.clear()
        return [_subscription(channel + market) for channel in (_BOOK, _TRADES) for market in self._assets]

    def _read(self, data: bytes) -> list[Value]:
        message = _envelope.decode(data)
        match message.event:
            case "data" if message.channel.startswith(_BOOK):
                return self._whole_book(message)
            case "trade":
                return self._match(message)
            case "bts:heartbeat":
                return [Alive()]
            case "bts:request_reconnect":
                reason = "the venue asks for a new connection"
                return [BookBroken(asset=asset, reason=reason) for asset in self.assets]
            case "bts:error":
                return [self._unreadable(_complaint.decode(message.data).message)]
            case _:
                return []

    def _doubted(self, data: bytes) -> Sequence[BookBroken]:
        assets: Sequence[str | None] = self.assets
        try:
            channel = _envelope.decode(data).channel
            assets = [self._assets.get(channel.removeprefix(_BOOK))] if channel.startswith(_BOOK) else []
        except MALFORMED:
            # Nobody knows what it was.
            pass
        return [BookBroken(asset=asset, reason=UNREAD, comes_again=True) for asset in assets if asset is not None]

    def _whole_book(self, message: _Message) -> list[Value]:
        asset = self._assets.get(message.channel.removeprefix(_BOOK))
        if asset is None:
            return []
        book = _book.decode(message.data)
        stamp_ns = _instant(book.microtimestamp)
        bids, asks = ([level(*pair) for pair in side] for side in (book.bids, book.asks))
        back_ns = self._latest.get(asset, 0) - stamp_ns
        if back_ns > _BACK_NS_MAX:
            return [BookBroken(asset=asset, reason="its stamps went back")]
        if back_ns > 0:
            return []
        self._latest[asset] = stamp_ns
        return [BookReplaced(asset=asset, bids=bids, asks=asks, venue_ns=stamp_ns)]

    def _match(self, message: _Message) -> list[Value]:
        asset = self._assets.get(message.channel.removeprefix(_TRADES))
        if asset is None:
            return []
        trade = _trade.decode(message.data)
        return [traded(asset, trade.price_str, trade.amount_str, _instant(trade.microtimestamp))]


def _instant(microseconds: str) -> int:
    stamp_us = parse_decimal(microseconds, 0)
    if not 0 <= stamp_us <= _STAMP_US_MAX:
        raise ArithmeticRefusal(f"{microseconds[:40]!r} us is no instant")
    return stamp_us * 1_000


def _subscription(channel: str) -> bytes:
    return msgspec.json.encode({"event": "bts:subscribe", "data": {"channel": channel}})
