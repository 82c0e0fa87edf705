"""What a stream of the box says, written down as lines that replay and statistics read.

A recorder is one more connection: it subscribes to the books and tickers of one market after the other, as a recorder
of the venue does, and gives each frame as a line with its receive time. Recorded markets are those of 15 minutes.
"""

from collections.abc import Iterable, Iterator

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.timing import SECOND_NS, format_rfc3339
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.floor import Floor, MarketStatus
from fairstrike.exchange.listings import QUARTER_HOUR_NS
from fairstrike.exchange.streaming import Streams

RECORDER = "recorder"
_KEPT_AFTER_CLOSE_NS = 8 * SECOND_NS
_BOOKS = ("orderbook_snapshot", "orderbook_delta")
_encode = msgspec.json.Encoder().encode


class _Frame(msgspec.Struct):
    type: str
    seq: int | None = None
    msg: msgspec.Raw = msgspec.Raw(b"null")


_decode = msgspec.json.Decoder(_Frame).decode


class Recorder:
    """Follows the 15-minute market that is open on a floor, through `streams` of it."""

    def __init__(self, floor: Floor, streams: Streams) -> None:
        """Follow nothing yet."""
        self._floor = floor
        self._streams = streams
        self._connection: int | None = None
        self._contract: Contract | None = None

    def lines(self, now_ns: int) -> Iterator[bytes]:
        """Give what was said since the last call, each as one line with its end; turns to the next market in time.

        Everything that happened up to `now_ns` must be published to the streams.
        """
        yield from self._heard(now_ns)
        if self._contract is not None and now_ns >= self._contract.close_ns + _KEPT_AFTER_CLOSE_NS:
            yield self._line("market_rotated", now_ns, None, b"{}")
            assert self._connection is not None, "a market is followed on a connection"
            self._streams.disconnect(self._connection)
            self._contract = self._connection = None
        if self._contract is None:
            self._contract = self._open_market()
            if self._contract is not None:
                yield from self._follow(self._contract, now_ns)

    def _open_market(self) -> Contract | None:
        for market in self._floor.markets():
            contract = market.contract
            is_short = contract.close_ns - contract.open_ns <= QUARTER_HOUR_NS
            if is_short and market.status is MarketStatus.ACTIVE and contract.is_struck:
                return contract
        return None

    def _follow(self, contract: Contract, now_ns: int) -> Iterator[bytes]:
        assert contract.floor_e8 is not None, "a followed market is struck"
        watch = {
            "market_ticker": contract.ticker,
            "close_time": format_rfc3339(contract.close_ns),
            "status": "active",
            "strike": contract.floor_e8 / E8_PER_DOLLAR,
        }
        yield self._line("watch_market", now_ns, None, _encode(watch))
        self._connection = self._streams.connect(RECORDER)
        yield self._line("ws_connected", now_ns, None, _encode({"market_ticker": contract.ticker}))
        for number, channel in enumerate(("ticker", "orderbook_delta"), 1):
            params = {"channels": [channel], "market_tickers": [contract.ticker]}
            self._streams.command(self._connection, _encode({"id": number, "cmd": "subscribe", "params": params}))
        yield from self._heard(now_ns)

    def _heard(self, now_ns: int) -> Iterator[bytes]:
        frames: Iterable[bytes] = () if self._connection is None else self._streams.frames(self._connection)
        for frame in map(_decode, frames):
            if frame.type in _BOOKS:
                yield self._line(frame.type, now_ns, frame.seq, bytes(frame.msg))
            elif frame.type == "ticker":
                yield self._line(frame.type, now_ns, None, bytes(frame.msg))
            elif frame.type == "subscribed":
                yield self._line(
                    "ws_subscribed", now_ns, None, b'{"type":"subscribed","msg":' + bytes(frame.msg) + b"}"
                )

    def _line(self, kind: str, now_ns: int, seq: int | None, msg: bytes) -> bytes:
        assert self._contract is not None, "lines are of the followed market"
        head = {"recv_ns": now_ns, "type": kind, "market_ticker": self._contract.ticker, "seq": seq, "sid": None}
        return _encode({**head, "msg": msgspec.Raw(msg)}) + b"\n"
