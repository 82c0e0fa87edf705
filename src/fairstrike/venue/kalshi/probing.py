"""A stream that is only looked at: each channel is asked for by itself, and what comes is counted.

A `Probe` speaks in a `Session`'s place and makes no events. It tells which channels the key may have, how many
frames each brought, which numbers were missing, and how old frames were by the venue's own stamps.
"""

from collections.abc import Iterable
from enum import Enum

import msgspec

from fairstrike.core.events import Event
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.venue.kalshi.subscriptions import (
    BOOK_CHANNEL,
    INDEX_CHANNEL,
    INDEX_IDS,
    LIFECYCLE_CHANNEL,
    MARKET_CHANNELS,
)
from fairstrike.venue.kalshi.wire.commands import (
    ADD_MARKETS,
    DELETE_MARKETS,
    GET_SNAPSHOT,
    Subscribe,
    SubscribeParams,
    Unsubscribe,
    UnsubscribeParams,
    UpdateParams,
    UpdateSubscription,
    encode_command,
)
from fairstrike.venue.kalshi.wire.stream import (
    KNOWN_TYPES,
    TERMINAL_CODES,
    DeltaFrame,
    ErrorFrame,
    FastIndexFrame,
    FillFrame,
    Frame,
    IndexFrame,
    OkFrame,
    OrderGroupFrame,
    SnapshotFrame,
    SubscribedFrame,
    TickerFrame,
    TradeFrame,
    UnsubscribedFrame,
    UserOrderFrame,
    decode_envelope,
    decode_frame,
)

PUBLIC_CHANNELS = (LIFECYCLE_CHANNEL,)
ACCOUNT_CHANNELS = ("fill", "user_orders", "market_positions", "order_group_updates")
INDEX_CHANNELS = (INDEX_CHANNEL, "cfbenchmarks_value_5hz")
CHANNELS = (*MARKET_CHANNELS, *PUBLIC_CHANNELS, *ACCOUNT_CHANNELS, *INDEX_CHANNELS)
"""Every channel that is asked for; those of markets need at least one."""

_AGES_MAX = 100_000
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Standing(Enum):
    """Where a channel stands."""

    NOT_ASKED = "not asked"
    ASKED = "no answer"
    OPEN = "open"
    REFUSED = "refused"
    ENDED = "ended"


class Tally(msgspec.Struct, kw_only=True):
    """What one channel brought. Ages are in nanoseconds of venue time, the first hundred thousand of them."""

    channel: str
    standing: Standing = Standing.NOT_ASKED
    sid: int | None = None
    code: int | None = None
    reason: str = ""
    frames: int = 0
    missing: int = 0
    repeated: int = 0
    expected: int | None = None
    ages_ns: list[int] = msgspec.field(default_factory=list)
    last_ns: int | None = None

    def age_ns(self, share: float) -> int | None:
        """Give the age that this share of the frames did not exceed, None without any."""
        if not self.ages_ns:
            return None
        ages = sorted(self.ages_ns)
        return ages[min(len(ages) - 1, int(share * len(ages)))]


class Probe:
    """Asks for channels and counts. Spoken to like a `Session`; its events are none."""

    def __init__(self, tickers: Iterable[str], channels: Iterable[str] = CHANNELS) -> None:
        """Ask for these channels, those of markets for these markets; without any, they are left out."""
        self.tickers = tuple(tickers)
        self.tallies = {channel: Tally(channel=channel) for channel in channels}
        self.frames = self.bytes = self.unreadable = self.connections = 0
        self.unknown: dict[str, int] = {}
        self.books: set[str] = set()
        self.asked_again: set[str] = set()
        self.given_again: set[str] = set()
        self.connected_ns: int | None = None
        self._asked: dict[int, str] = {}
        self._last_id = 0

    @property
    def is_broken(self) -> bool:
        """Never: a probe takes what comes."""
        return False

    @property
    def is_answered(self) -> bool:
        """Whether every channel asked for was opened or refused."""
        return self.connections > 0 and all(tally.standing is not Standing.ASKED for tally in self.tallies.values())

    def connected(self, recv_ns: int) -> tuple[list[Event], list[bytes]]:
        """Ask for each channel by itself, so that each has an answer of its own."""
        self.connections += 1
        self.connected_ns = recv_ns
        said = []
        for channel, tally in self.tallies.items():
            tally.sid = tally.expected = None
            params = self._params(channel)
            if params is not None:
                tally.standing = Standing.ASKED
                said.append(encode_command(Subscribe(id=self._next_id(channel), params=params)))
        return [], said

    def disconnected(self, recv_ns: int, reason: str) -> list[Event]:
        """Keep what was counted."""
        return []

    def check(self, now_ns: int) -> tuple[list[Event], list[bytes]]:
        """Give nothing: a silence is part of what is looked at."""
        return [], []

    def watch(self, tickers: Iterable[str]) -> list[bytes]:
        """Give the commands that add markets to their open channels."""
        return [self._update(tally, ADD_MARKETS, tuple(tickers)) for tally in self._open(MARKET_CHANNELS)]

    def unwatch(self, tickers: Iterable[str]) -> list[bytes]:
        """Give the commands that take markets from their open channels; without any, those that close all of it."""
        gone = tuple(tickers)
        if gone:
            return [self._update(tally, DELETE_MARKETS, gone) for tally in self._open(MARKET_CHANNELS)]
        sids = tuple(tally.sid for tally in self._open(CHANNELS) if tally.sid is not None)
        return [encode_command(Unsubscribe(id=self._next_id(""), params=UnsubscribeParams(sids=sids)))] if sids else []

    def resubscribe(self, tickers: Iterable[str]) -> list[bytes]:
        """Give the command that asks for books anew; who is given one is noted."""
        asked = tuple(tickers)
        self.asked_again.update(asked)
        return [self._update(tally, GET_SNAPSHOT, asked) for tally in self._open((BOOK_CHANNEL,)) if asked]

    def receive(self, data: bytes, recv_ns: int) -> list[Event]:
        """Count one frame."""
        self.frames += 1
        self.bytes += len(data)
        try:
            frame = decode_frame(data)
        except _UNREADABLE:
            self._unread(data, recv_ns)
        else:
            self._take(frame, recv_ns)
        return []

    def _take(self, frame: Frame, recv_ns: int) -> None:
        match frame:
            case SubscribedFrame(msg=opened):
                channel = self._asked.get(frame.id or 0, "") if opened is None else opened.channel
                self._opened(channel, frame.sid if opened is None else opened.sid)
            case ErrorFrame():
                self._refused(frame)
            case OkFrame() | UnsubscribedFrame():
                tally = self._count(frame.sid, frame.seq)
                if tally is not None and isinstance(frame, UnsubscribedFrame):
                    tally.standing, tally.sid = Standing.ENDED, None
            case _:
                tally = self._count(frame.sid, frame.seq)
                if tally is not None:
                    tally.frames += 1
                    tally.last_ns = recv_ns
                    stamp_ms = _stamp_ms(frame)
                    if stamp_ms is not None and len(tally.ages_ns) < _AGES_MAX:
                        tally.ages_ns.append(recv_ns - stamp_ms * MILLISECOND_NS)
                if isinstance(frame, SnapshotFrame):
                    self.books.add(frame.msg.market_ticker)
                    if frame.msg.market_ticker in self.asked_again:
                        self.given_again.add(frame.msg.market_ticker)

    def _opened(self, channel: str, sid: int | None) -> None:
        tally = self.tallies.get(channel)
        if tally is not None:
            tally.standing, tally.sid = Standing.OPEN, sid

    def _refused(self, frame: ErrorFrame) -> None:
        channel = self._asked.get(frame.id or 0, "")
        tally = self.tallies.get(channel) or self._by_sid(frame.sid)
        if tally is None:
            return
        is_end = tally.standing is not Standing.ASKED
        if is_end and frame.msg.code not in TERMINAL_CODES:
            return
        tally.standing = Standing.ENDED if is_end else Standing.REFUSED
        tally.code, tally.reason = frame.msg.code, frame.msg.msg or ""

    def _unread(self, data: bytes, recv_ns: int) -> None:
        try:
            envelope = decode_envelope(data)
        except _UNREADABLE:
            self.unreadable += 1
            return
        tally = self._count(envelope.sid, envelope.seq)
        if tally is not None:
            tally.frames += 1
            tally.last_ns = recv_ns
        if envelope.type in KNOWN_TYPES:
            self.unreadable += 1
        else:
            self.unknown[envelope.type] = self.unknown.get(envelope.type, 0) + 1

    def _count(self, sid: int | None, seq: int | None) -> Tally | None:
        """Give the channel of a frame, its number held against those before it."""
        tally = self._by_sid(sid)
        if tally is not None and seq is not None:
            if tally.expected is not None and seq < tally.expected:
                tally.repeated += 1
            else:
                tally.missing += 0 if tally.expected is None else seq - tally.expected
                tally.expected = seq + 1
        return tally

    def _by_sid(self, sid: int | None) -> Tally | None:
        return next((tally for tally in self.tallies.values() if sid is not None and tally.sid == sid), None)

    def _open(self, channels: Iterable[str]) -> list[Tally]:
        found = [self.tallies[channel] for channel in channels if channel in self.tallies]
        return [tally for tally in found if tally.standing is Standing.OPEN and tally.sid is not None]

    def _params(self, channel: str) -> SubscribeParams | None:
        if channel in INDEX_CHANNELS:
            return SubscribeParams(channels=(channel,), index_ids=INDEX_IDS)
        if channel in MARKET_CHANNELS:
            if not self.tickers:
                return None
            return SubscribeParams(channels=(channel,), market_tickers=self.tickers, use_yes_price=False)
        return SubscribeParams(channels=(channel,))

    def _update(self, tally: Tally, action: str, tickers: tuple[str, ...]) -> bytes:
        assert tally.sid is not None, "an open channel has a sid"
        params = UpdateParams(action=action, sids=(tally.sid,), market_tickers=tickers)
        return encode_command(UpdateSubscription(id=self._next_id(""), params=params))

    def _next_id(self, channel: str) -> int:
        self._last_id += 1
        self._asked[self._last_id] = channel
        return self._last_id


def _stamp_ms(frame: Frame) -> int | None:
    """Give the venue's own stamp of a frame, epoch milliseconds, where its kind has one."""
    match frame:
        case DeltaFrame() | TickerFrame() | TradeFrame() | FillFrame() | OrderGroupFrame():
            return frame.msg.ts_ms
        case UserOrderFrame():
            return frame.msg.last_updated_ts_ms
        case IndexFrame() | FastIndexFrame():
            return frame.msg.received_at
        case _:
            return None
