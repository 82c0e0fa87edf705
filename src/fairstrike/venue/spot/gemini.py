"""Gemini, market data version 1: one connection for each asset, with book, trades and heartbeats.

Version 1 and not 2, because it numbers its messages and stamps its books. `socket_sequence` counts them from zero in
each connection, heartbeats among them: after a gap the venue says to connect anew. The first message holds the whole
book.
Source: developer.gemini.com, WebSocket, market data v1, and "Sequence Numbers".
"""

from collections.abc import Sequence

import msgspec

from fairstrike.venue.spot.values import (
    UNREAD,
    Alive,
    BookBroken,
    BookChanged,
    BookReplaced,
    Value,
    Venue,
    address,
    instant_of_ms,
    sides,
    traded,
)

HOST = "api.gemini.com"


class _Event(msgspec.Struct):
    type: str
    price: str = ""
    side: str = ""
    remaining: str = ""
    amount: str = ""


class _Message(msgspec.Struct):
    type: str = ""
    socket_sequence: int = -1
    timestampms: int | None = None
    events: list[_Event] = []
    result: str = ""
    reason: str = ""


_decoder = msgspec.json.Decoder(_Message)


class Gemini(Venue):
    """The protocol of one connection for one asset, against the dollar."""

    source = "gemini"

    def __init__(self, asset: str, host: str = HOST) -> None:
        """Take the asset and the host."""
        super().__init__({asset: asset}, address(host, f"/v1/marketdata/{asset}USD?heartbeat=true"), part=asset)
        self._asset = asset
        self._next: int | None = 0

    def connected(self) -> list[bytes]:
        """Begin a connection; nothing needs to be said, the address says it."""
        self._next = 0
        return []

    def _read(self, data: bytes) -> list[Value]:
        message = _decoder.decode(data)
        if message.result == "error":
            return [self._unreadable(message.reason)]
        values = self._told(message)
        if self._next is None:
            return []
        if message.socket_sequence != self._next:
            lost, self._next = f"message {self._next} lost", None
            return [BookBroken(asset=self._asset, reason=lost)]
        self._next += 1
        return values

    def _doubted(self, data: bytes) -> Sequence[BookBroken]:
        if self._next is None:
            return []
        self._next = None
        return [BookBroken(asset=self._asset, reason=UNREAD)]

    def _told(self, message: _Message) -> list[Value]:
        stamp_ns = None if message.timestampms is None else instant_of_ms(message.timestampms)
        if message.type == "heartbeat":
            return [Alive(venue_ns=stamp_ns)]
        bids, asks = sides(
            (event.side, event.price, event.remaining) for event in message.events if event.type == "change"
        )
        values: list[Value] = [
            traded(self._asset, event.price, event.amount, stamp_ns)
            for event in message.events
            if event.type == "trade" and stamp_ns is not None
        ]
        if message.socket_sequence == 0:
            values.append(BookReplaced(asset=self._asset, bids=bids, asks=asks, venue_ns=stamp_ns))
        elif bids or asks:
            values.append(BookChanged(asset=self._asset, bids=bids, asks=asks, venue_ns=stamp_ns))
        return values
