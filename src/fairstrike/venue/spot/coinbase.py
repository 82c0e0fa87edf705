"""Coinbase Advanced Trade: book, trades and heartbeats on one connection, without a key.

Every message of a connection carries the next `sequence_num`, whatever its channel: a number that was left out is a
message lost, and then no book of the connection can be vouched for. A number that came before is a message told twice,
one that came long before says that the numbers cannot be relied on.
Source: docs.cdp.coinbase.com, Advanced Trade WebSocket overview and channels.
"""

from collections.abc import Iterable, Sequence

import msgspec

from fairstrike.core.timing import parse_rfc3339_ns
from fairstrike.venue.spot.values import (
    UNREAD,
    Alive,
    BookBroken,
    BookChanged,
    BookReplaced,
    Value,
    Venue,
    address,
    sides,
    traded,
)

HOST = "advanced-trade-ws.coinbase.com"

_BOOK, _TRADES, _HEARTBEATS = "level2", "market_trades", "heartbeats"
_TWICE_MAX = 100


class _Update(msgspec.Struct):
    side: str
    price_level: str
    new_quantity: str


class _Trade(msgspec.Struct):
    product_id: str
    price: str
    size: str
    time: str


class _Event(msgspec.Struct):
    type: str = ""
    product_id: str = ""
    updates: list[_Update] = []
    trades: list[_Trade] = []


class _Message(msgspec.Struct):
    channel: str = ""
    timestamp: str = ""
    sequence_num: int | None = None
    events: list[_Event] = []
    type: str = ""
    message: str = ""


_decoder = msgspec.json.Decoder(_Message)


class Coinbase(Venue):
    """The protocol of one connection for some assets, against the dollar."""

    source = "coinbase"

    def __init__(self, assets: Iterable[str], host: str = HOST) -> None:
        """Take the assets and the host."""
        super().__init__({f"{asset}-USD": asset for asset in assets}, address(host))
        self._whole: set[str] = set()
        self._next: int | None = None

    def connected(self) -> list[bytes]:
        """Begin a connection; give what to say first, within five seconds."""
        self._whole.clear()
        self._next = None
        return [self._command("subscribe", channel, list(self._assets)) for channel in (_HEARTBEATS, _BOOK, _TRADES)]

    def resubscribe(self, asset: str) -> list[bytes]:
        """Give what to say to have a book anew: leave it and ask again, which brings a snapshot."""
        products = [product for product, own in self._assets.items() if own == asset]
        return [self._command(what, _BOOK, products) for what in ("unsubscribe", "subscribe")]

    def _read(self, data: bytes) -> list[Value]:
        message = _decoder.decode(data)
        if message.type == "error":
            return [self._unreadable(message.message)]
        number = message.sequence_num
        if number is None:
            return [self._unreadable("a message without a number"), *self._doubted(data)]
        told, broken = self._told(message), list[Value]()
        if self._next is not None and self._next - _TWICE_MAX <= number < self._next:
            return []
        if self._next is not None and number != self._next:
            lost = number - self._next
            reason = f"{lost} messages lost" if lost > 0 else "its numbers went back"
            broken = [BookBroken(asset=asset, reason=reason) for asset in sorted(self._whole)]
            self._whole.clear()
        self._next = number + 1
        for value in told:
            if isinstance(value, BookReplaced):
                self._whole.add(value.asset)
            elif isinstance(value, BookChanged) and value.asset not in self._whole:
                continue
            broken.append(value)
        return broken

    def _doubted(self, data: bytes) -> Sequence[BookBroken]:
        self._whole.clear()
        return [BookBroken(asset=asset, reason=UNREAD) for asset in self.assets]

    def _told(self, message: _Message) -> list[Value]:
        if message.channel == _HEARTBEATS:
            return [Alive(venue_ns=parse_rfc3339_ns(message.timestamp))]
        if message.channel == "l2_data":
            stamp_ns = parse_rfc3339_ns(message.timestamp)
            return [self._book(event, stamp_ns) for event in message.events if event.product_id in self._assets]
        if message.channel != _TRADES:
            return []
        # A snapshot holds trades of before the connection.
        return [
            traded(self._assets[trade.product_id], trade.price, trade.size, parse_rfc3339_ns(trade.time))
            for event in message.events
            for trade in event.trades
            if event.type == "update" and trade.product_id in self._assets
        ]

    def _book(self, event: _Event, stamp_ns: int) -> Value:
        bids, asks = sides((update.side, update.price_level, update.new_quantity) for update in event.updates)
        kind = BookReplaced if event.type == "snapshot" else BookChanged
        return kind(asset=self._assets[event.product_id], bids=bids, asks=asks, venue_ns=stamp_ns)

    def _command(self, what: str, channel: str, products: list[str]) -> bytes:
        return msgspec.json.encode({"type": what, "product_ids": products, "channel": channel})
