"""Binance: spot trades and quarter-hour candles on one connection, the perpetuals' funding on another.

Its prices are in another dollar (USDT), so they are never part of the index and serve marked, when nothing else is
left. Some countries are refused: the hosts are settings. Streams are named in the address, and nothing is said.
Source: github.com/binance/binance-spot-api-docs, web-socket-streams.md; developers.binance.com, USDS-margined futures,
Mark Price Stream.
"""

from collections.abc import Iterable

import msgspec

from fairstrike.core.events import SpotCandle, SpotFunding
from fairstrike.venue.spot.values import Value, Venue, address, e8, instant_of_ms, rate_e8, traded

HOST = "stream.binance.com:9443"
FUTURES_HOST = "fstream.binance.com"

_SPOT = ("trade", "kline_15m")
_FUTURES = ("markPrice@1s",)


class _Kline(msgspec.Struct):
    t: int
    i: str
    o: str
    h: str
    l: str  # noqa: E741
    c: str
    v: str


class _Trade(msgspec.Struct, tag="trade", tag_field="e"):
    s: str
    p: str
    q: str
    T: int


class _KlineUpdate(msgspec.Struct, tag="kline", tag_field="e"):
    E: int
    s: str
    k: _Kline


class _MarkPrice(msgspec.Struct, tag="markPriceUpdate", tag_field="e"):
    E: int
    s: str
    p: str
    r: str
    T: int


class _Message(msgspec.Struct):
    data: _Trade | _KlineUpdate | _MarkPrice


_decoder = msgspec.json.Decoder(_Message)


class Binance(Venue):
    """The protocol of one connection for some assets: spot, or with `is_futures` the perpetuals' funding."""

    source = "binance"

    def __init__(self, assets: Iterable[str], host: str = HOST, *, is_futures: bool = False) -> None:
        """Take the assets and the host."""
        symbols = {f"{asset}USDT": asset for asset in assets}
        streams = _FUTURES if is_futures else _SPOT
        names = "/".join(f"{symbol.lower()}@{stream}" for symbol in symbols for stream in streams)
        super().__init__(symbols, address(host, f"/stream?streams={names}"), part="futures" if is_futures else "")

    def connected(self) -> list[bytes]:
        """Begin a connection; nothing needs to be said, the address says it."""
        return []

    def _read(self, data: bytes) -> list[Value]:
        told = _decoder.decode(data).data
        asset = self._assets.get(told.s)
        return [] if asset is None else [_value(asset, told)]


def _value(asset: str, told: _Trade | _KlineUpdate | _MarkPrice) -> Value:
    match told:
        case _Trade():
            return traded(asset, told.p, told.q, instant_of_ms(told.T))
        case _KlineUpdate(k=kline):
            return SpotCandle(
                asset=asset,
                source=Binance.source,
                start_ns=instant_of_ms(kline.t),
                open_e8=e8(kline.o),
                high_e8=e8(kline.h),
                low_e8=e8(kline.l),
                close_e8=e8(kline.c),
                volume_e8=e8(kline.v),
                venue_ns=instant_of_ms(told.E),
            )
        case _MarkPrice():
            return SpotFunding(
                asset=asset,
                source=Binance.source,
                rate_e8=rate_e8(told.r),
                mark_e8=e8(told.p),
                next_ns=instant_of_ms(told.T),
                venue_ns=instant_of_ms(told.E),
            )
