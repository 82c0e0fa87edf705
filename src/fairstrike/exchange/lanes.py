"""The way of frames to each connection: lost, doubled, late, out of order, misnumbered or broken on it."""

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from heapq import heappop, heappush

import msgspec

from fairstrike.exchange import faults as of
from fairstrike.exchange.api.connection import Frame, encode
from fairstrike.exchange.inforce import Live

CHANNEL_OF_TYPE = {
    "orderbook_snapshot": "orderbook_delta",
    "orderbook_delta": "orderbook_delta",
    "ticker": "ticker",
    "trade": "trade",
    "fill": "fill",
    "user_order": "user_orders",
    "market_position": "market_positions",
    "market_lifecycle_v2": "market_lifecycle_v2",
    "event_lifecycle": "market_lifecycle_v2",
    "event_fee_update": "market_lifecycle_v2",
    "cfbenchmarks_value": "cfbenchmarks_value",
    "cfbenchmarks_value_5hz": "cfbenchmarks_value_5hz",
    "order_group_updates": "order_group_updates",
}
"""The channel that each type of frame with news is of."""


class _News(msgspec.Struct, frozen=True, kw_only=True):
    market_ticker: str = ""


class _Sent(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    id: int = 0
    sid: int = 0
    seq: int = 0
    msg: msgspec.Raw = msgspec.Raw()


_decode_frame = msgspec.json.Decoder(_Sent).decode
_decode_news = msgspec.json.Decoder(_News).decode


class _Lane:
    """One connection's way: frames under way by (due instant, number), and what was done to its numbers."""

    __slots__ = ("jumps", "last_due_ns", "sent", "under_way", "waiting")

    def __init__(self) -> None:
        self.under_way: list[tuple[int, int, bytes]] = []
        self.last_due_ns = 0
        self.sent = 0
        self.jumps: dict[int, int] = {}
        self.waiting: bytes | None = None

    def send(self, frame: bytes, due_ns: int) -> None:
        self.sent += 1
        heappush(self.under_way, (due_ns, self.sent, frame))

    @property
    def is_plain(self) -> bool:
        return not (self.under_way or self.jumps or self.waiting)


class _Fate(msgspec.Struct, kw_only=True):
    """What becomes of one frame."""

    copies: int = 1
    late_ns: int | None = None
    wait_ns: int = 0
    is_broken: bool = False
    is_overtaken: bool = False


class Lanes:
    """Every connection's way, bent by the faults that `live` gives for an instant."""

    def __init__(self, live: Callable[[int], Iterator[Live]]) -> None:
        """Start without connections."""
        self._live = live
        self._lanes: dict[int, _Lane] = {}

    def frames(self, connection: int, account: str, frames: Sequence[bytes], now_ns: int) -> list[bytes]:
        """Give the frames that arrive now of those sent now (`frames`) and earlier, in order of arrival."""
        lives = tuple(self._live(now_ns))
        lane = self._lanes.get(connection)
        if not any(isinstance(live.fault, of.Framed) for live in lives) and (lane is None or lane.is_plain):
            return list(frames)
        if lane is None:
            lane = self._lanes[connection] = _Lane()
        theirs = [live for live in lives if isinstance(live.fault, of.Framed) and fits(live.fault, account)]
        for frame in frames:
            _send(lane, frame, theirs, now_ns)
        arrived: list[bytes] = []
        while lane.under_way and lane.under_way[0][0] <= now_ns:
            arrived.append(heappop(lane.under_way)[2])
        return arrived

    def due_ns(self) -> int | None:
        """Give when the next late frame arrives, None when none is under way."""
        return min((lane.under_way[0][0] for lane in self._lanes.values() if lane.under_way), default=None)

    def forget(self, connection: int) -> None:
        """Forget a connection and what is on its way to it."""
        self._lanes.pop(connection, None)


def fits(fault: of.Framed | of.Disconnect, account: str) -> bool:
    """Whether a fault is about an account."""
    return fault.account is None or fnmatchcase(account, fault.account)


def _send(lane: _Lane, data: bytes, lives: Sequence[Live], now_ns: int) -> None:
    if any(isinstance(live.fault, of.SilentStream) and live.strikes(1.0, None) for live in lives):
        return
    frame = _decode_frame(data)
    channel = CHANNEL_OF_TYPE.get(frame.type)
    ticker = _decode_news(frame.msg).market_ticker if channel is not None else ""
    fate = _Fate()
    for live in lives:
        if channel is not None and fate.copies and _is_about(live.fault, channel, ticker):
            _strike(lane, live, fate, frame)
    jump = lane.jumps.get(frame.sid, 0)
    if frame.seq and jump:
        data = _renumbered(frame, frame.seq + jump)
    if fate.is_broken:
        data = data[: len(data) // 2]
    due_ns = max(now_ns + fate.wait_ns, lane.last_due_ns)
    if fate.late_ns is None:
        lane.last_due_ns = due_ns
    else:
        due_ns += fate.late_ns
    if fate.is_overtaken and lane.waiting is None:
        lane.waiting = data
        return
    for _ in range(fate.copies):
        lane.send(data, due_ns)
    if lane.waiting is not None:
        lane.send(lane.waiting, due_ns)
        lane.waiting = None


def _renumbered(frame: _Sent, seq: int) -> bytes:
    msg = frame.msg if bytes(frame.msg) else None
    return encode(Frame(type=frame.type, id=frame.id, sid=frame.sid, seq=seq, msg=msg))


def _is_about(fault: of.Fault, channel: str, ticker: str) -> bool:
    if isinstance(fault, of.SilentStream) or not isinstance(fault, of.Framed):
        return False
    wanted = "fill" if isinstance(fault, of.LateFill | of.DuplicateFill) else fault.channel
    return wanted in (None, channel) and (fault.market is None or fnmatchcase(ticker, fault.market))


def _strike(lane: _Lane, live: Live, fate: _Fate, frame: _Sent) -> None:
    fault = live.fault
    assert isinstance(fault, of.Framed), "only faults of frames strike frames"
    if isinstance(fault, of.SilentStream):
        return
    if isinstance(fault, of.SequenceGap) and not frame.seq:
        return
    if isinstance(fault, of.ReorderFrame) and lane.waiting is not None:
        return
    if not live.strikes(fault.probability, fault.count):
        return
    match fault:
        case of.DropFrame():
            fate.copies = 0
        case of.DuplicateFrame() | of.DuplicateFill():
            fate.copies += 1
        case of.ReorderFrame():
            fate.is_overtaken = True
        case of.SequenceGap():
            lane.jumps[frame.sid] = lane.jumps.get(frame.sid, 0) + fault.size
        case of.MalformedFrame():
            fate.is_broken = True
        case of.StreamLatency():
            fate.wait_ns += live.delay_ns(fault.law, fault.ms, fault.spread_ms)
        case of.LateFill():
            fate.late_ns = (fate.late_ns or 0) + round(fault.ms * 1_000_000)
