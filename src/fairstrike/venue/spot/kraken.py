"""Kraken, WebSocket version 2: book, trades and quarter-hour candles on one connection.

Each message of a book carries a CRC-32 of its ten best levels a side, computed over the digits as they are written on
the wire: a book whose sum differs is broken. A book is cut to the depth asked for after each change, as the venue
tells nothing of levels beyond. A heartbeat comes when nothing else does, and has no stamp.
Source: docs.kraken.com, Spot WebSocket v2: book, trade, ohlc, heartbeat, and the guide on the book's checksum.
"""

import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from fairstrike.core.events import SpotCandle
from fairstrike.core.timing import parse_rfc3339_ns
from fairstrike.market.replica import SpotLevel
from fairstrike.venue.spot.book import SpotBook
from fairstrike.venue.spot.values import (
    MALFORMED,
    UNREAD,
    Alive,
    BookBroken,
    BookChanged,
    BookReplaced,
    Value,
    Venue,
    address,
    e8,
    instant,
    level,
    traded,
)

HOST = "ws.kraken.com"

_BOOK, _TRADES, _CANDLES = "book", "trade", "ohlc"
_DEPTH = 100
_SUMMED = 10
_INTERVAL_MINUTES = 15


class _Level(msgspec.Struct):
    price: Decimal
    qty: Decimal


class _Item(msgspec.Struct):
    """An item of any channel's `data`."""

    symbol: str = ""
    bids: list[_Level] = []
    asks: list[_Level] = []
    checksum: int = 0
    timestamp: str | None = None
    price: Decimal = Decimal(0)
    qty: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    low: Decimal = Decimal(0)
    close: Decimal = Decimal(0)
    volume: Decimal = Decimal(0)
    interval_begin: str = ""
    interval: int = 0


class _Message(msgspec.Struct):
    channel: str = ""
    type: str = ""
    timestamp: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"[]")
    success: bool = True
    error: str = ""


_envelope = msgspec.json.Decoder(_Message)
_items = msgspec.json.Decoder(list[_Item])


class _Kept:
    """A book and its digits as written on the wire, by price: what the checksum is computed over."""

    __slots__ = ("_asks", "_bids", "book")

    def __init__(self) -> None:
        self.book = SpotBook()
        self._bids: dict[int, str] = {}
        self._asks: dict[int, str] = {}

    def apply(self, item: _Item) -> tuple[list[SpotLevel], list[SpotLevel]]:
        """Apply an item's levels and cut the book; give all that changed."""
        bids, asks = _noted(item.bids, self._bids), _noted(item.asks, self._asks)
        self.book.change(bids, asks)
        for prices, digits, changes in zip(
            self.book.beyond(_DEPTH), (self._bids, self._asks), (bids, asks), strict=True
        ):
            for price in prices:
                del digits[price]
                changes.append((price, 0))
        self.book.change(bids, asks)
        return bids, asks

    def checksum(self) -> int:
        """Give the CRC-32 of the ten best asks and bids, in this order."""
        asks = "".join(self._asks[price] for price, _ in self.book.asks(_SUMMED))
        bids = "".join(self._bids[price] for price, _ in self.book.bids(_SUMMED))
        return zlib.crc32((asks + bids).encode())


class Kraken(Venue):
    """The protocol of one connection for some assets, against the dollar."""

    source = "kraken"

    def __init__(self, assets: Iterable[str], host: str = HOST) -> None:
        """Take the assets and the host."""
        super().__init__({f"{asset}/USD": asset for asset in assets}, address(host, "/v2"))
        self._books: dict[str, _Kept] = {}

    def connected(self) -> list[bytes]:
        """Begin a connection; give what to say first."""
        self._books.clear()
        symbols = list(self._assets)
        return [
            _command("subscribe", {"channel": _BOOK, "symbol": symbols, "depth": _DEPTH}),
            _command("subscribe", {"channel": _TRADES, "symbol": symbols}),
            _command("subscribe", {"channel": _CANDLES, "symbol": symbols, "interval": _INTERVAL_MINUTES}),
        ]

    def resubscribe(self, asset: str) -> list[bytes]:
        """Give what to say to have a book anew: leave it and ask again, which brings a snapshot."""
        symbols = [symbol for symbol, own in self._assets.items() if own == asset]
        methods = ("unsubscribe", "subscribe")
        return [_command(method, {"channel": _BOOK, "symbol": symbols, "depth": _DEPTH}) for method in methods]

    def _read(self, data: bytes) -> list[Value]:
        message = _envelope.decode(data)
        if not message.success:
            return [self._unreadable(message.error)]
        if message.channel == "heartbeat":
            return [Alive()]
        if message.channel not in (_BOOK, _TRADES, _CANDLES):
            return []
        items = [item for item in _items.decode(message.data) if item.symbol in self._assets]
        return [value for item in items for value in self._values(message, item)]

    def _doubted(self, data: bytes) -> Sequence[BookBroken]:
        try:
            if _envelope.decode(data).channel != _BOOK:
                return []
        except MALFORMED:
            # Nobody knows what it was.
            pass
        self._books.clear()
        return [BookBroken(asset=asset, reason=UNREAD) for asset in self.assets]

    def _values(self, message: _Message, item: _Item) -> list[Value]:
        if message.channel == _BOOK:
            return self._book(item, is_snapshot=message.type == "snapshot")
        asset = self._assets[item.symbol]
        if message.channel == _TRADES:
            return [traded(asset, item.price, item.qty, parse_rfc3339_ns(item.timestamp or ""))]
        if item.interval != _INTERVAL_MINUTES:
            return []
        start_ns = instant(item.interval_begin)
        candle = SpotCandle(
            asset=asset,
            source=self.source,
            start_ns=start_ns,
            open_e8=e8(item.open),
            high_e8=e8(item.high),
            low_e8=e8(item.low),
            close_e8=e8(item.close),
            volume_e8=e8(item.volume),
            venue_ns=instant(message.timestamp) if message.timestamp else start_ns,
        )
        return [candle]

    def _book(self, item: _Item, *, is_snapshot: bool) -> list[Value]:
        asset = self._assets[item.symbol]
        kept = _Kept() if is_snapshot else self._books.get(asset)
        if kept is None:
            return []
        # A frame that cannot be read to its end leaves no half-changed book behind.
        self._books.pop(asset, None)
        try:
            bids, asks = kept.apply(item)
            stamp_ns = None if item.timestamp is None else parse_rfc3339_ns(item.timestamp)
        except MALFORMED as error:
            return [self._unreadable(error), BookBroken(asset=asset, reason=UNREAD)]
        if kept.checksum() != item.checksum:
            return [BookBroken(asset=asset, reason="its checksum differs")]
        self._books[asset] = kept
        kind = BookReplaced if is_snapshot else BookChanged
        return [kind(asset=asset, bids=bids, asks=asks, venue_ns=stamp_ns)]


def _noted(levels: Iterable[_Level], digits: dict[int, str]) -> list[SpotLevel]:
    """Give levels, and note the digits of each."""
    found: list[SpotLevel] = []
    for told in levels:
        price, size = level(told.price, told.qty)
        if size > 0:
            digits[price] = _digits(told.price) + _digits(told.qty)
        else:
            digits.pop(price, None)
        found.append((price, size))
    return found


def _digits(number: Decimal) -> str:
    return f"{number:f}".replace(".", "").lstrip("0")


def _command(method: str, params: dict[str, str | int | list[str]]) -> bytes:
    return msgspec.json.encode({"method": method, "params": params})
