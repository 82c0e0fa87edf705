"""The stream's protocol, without the stream: frames in, events and commands out.

Numbers. The venue numbers the frames of a subscription (sid), all its markets together, by one each; some
kinds carry no number. A frame that jumps ahead means frames were lost: no book of that subscription can be
vouched for. Numbers already seen are dropped. A recording may have no sid; its books share one row of
numbers of their own. A market belongs to the subscription that named it first, until that ends: told on two, each of
its changes would count twice.

Books. Each market stands in one of three states:

    state     snapshot                 delta                        jump on its sid
    waiting   held; later deltas join  kept, at most buffered_max   keeps waiting, kept deltas go
    held      held                     told                         lost: BookLost "gap", one gap more
    lost      held                     dropped                      lost

Kept deltas beyond the maximum give `BookLost` "overflow" and the state lost. A frame that cannot be read gives
`FrameRefused` and loses the held books of its subscription ("unreadable"). It does not consume its number, so that one
that does not even tell its subscription shows as a jump.

Time. `check` is asked now and then what follows from the time that passed. A stream that brings nothing for
`silent_after_ns` ("silent"), or only what is older than `late_max_ns` ("late"), loses every held book; one that stays
so for twice as long, though books were asked for, is broken. A watched book that is not held is asked for again every
`overdue_after_ns`: the answer may be lost too, and so may the acknowledgement that told the sid of the books, which is
then asked for as well.
"""

from collections.abc import Iterable
from enum import Enum
from typing import TypeVar, assert_never

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import (
    BookDelta,
    BookLost,
    BookSnapshot,
    Event,
    FrameRefused,
    MarketPaused,
    OffsetStepped,
    StreamChanged,
)
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.venue.kalshi import frame_events
from fairstrike.venue.kalshi.offset import ClockOffset
from fairstrike.venue.kalshi.patience import Patience
from fairstrike.venue.kalshi.subscriptions import INDEX_CHANNEL, MARKET_CHANNELS, Subscriptions
from fairstrike.venue.kalshi.wire.amounts import price_ticks, size_cc
from fairstrike.venue.kalshi.wire.markets import asset_of
from fairstrike.venue.kalshi.wire.stream import (
    KNOWN_TYPES,
    TERMINAL_CODES,
    UNKNOWN_SID,
    DeltaFrame,
    ErrorFrame,
    EventFeeFrame,
    EventLifecycleFrame,
    FastIndexFrame,
    FillFrame,
    Frame,
    IndexFrame,
    LifecycleFrame,
    OkFrame,
    OrderGroupFrame,
    PositionFrame,
    SnapshotFrame,
    SubscribedFrame,
    TickerFrame,
    TradeFrame,
    UnsubscribedFrame,
    UserOrderFrame,
    decode_envelope,
    decode_frame,
)

SOURCE = "kalshi"
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticRefusal)
_REASON_LONGEST = 200
_T = TypeVar("_T")


class SessionParams(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a session. `reads_account` opens the private channels; paper and observe leave them shut.

    `buffered_max` is deltas kept per waiting market, `results_max` results remembered until they are paid,
    `unwatched_max` markets whose last frames are expected, `deltas_per_sample` deltas per offset sample. More than
    `seen_again_max` frames in a row with numbers seen before mean that a number was wrong: the session is broken.
    `silent_after_ns` and `overdue_after_ns` are how long a stream may be silent and a book awaited. A stamp
    received more than `late_max_ns` after it (None: no bound) tells of a slow stream, not of a clock.
    """

    reads_account: bool = True
    buffered_max: int = 1_024
    results_max: int = 4_096
    unwatched_max: int = 4_096
    seen_again_max: int = 200
    offset_step_ns: int = 250 * MILLISECOND_NS
    deltas_per_sample: int = 64
    silent_after_ns: int = 10 * SECOND_NS
    overdue_after_ns: int = 10 * SECOND_NS
    late_max_ns: int | None = None


class _State(Enum):
    WAITING = 1
    HELD = 2
    LOST = 3


_HELD = _State.HELD


class _Market:
    __slots__ = ("buffer", "gaps", "state")

    def __init__(self) -> None:
        self.state = _State.WAITING
        self.buffer: list[tuple[int | None, BookDelta]] = []
        self.gaps = 0


class _Run:
    """One subscription's numbers: the next one, and the first since the last jump; and its markets."""

    __slots__ = ("expected", "markets", "seen_again", "since", "stuck_at")

    def __init__(self) -> None:
        self.expected: int | None = None
        self.seen_again = self.since = self.stuck_at = 0
        self.markets: dict[str, _Market] = {}


class Session:
    """One connection's protocol at a time, and what is remembered across reconnections.

    `is_broken` tells that the venue ended a subscription we need or does not know it any more, that its numbers make no
    sense any more or that it stays silent or late: the connection must be made anew.
    """

    def __init__(self, params: SessionParams | None = None) -> None:
        """Start disconnected, watching nothing."""
        self._params = params or SessionParams()
        self._subscriptions = Subscriptions(reads_account=self._params.reads_account)
        self._runs: dict[int | None, _Run] = {}
        self._markets: dict[str, _Market] = {}
        self._unwatched: dict[str, None] = {}
        self._results: dict[str, int] = {}
        self._offset = ClockOffset(self._params.offset_step_ns)
        self._until_sample = 1
        bounds = (self._params.silent_after_ns, self._params.overdue_after_ns, self._params.late_max_ns)
        self._patience = Patience(*bounds)
        self.is_broken = False

    @property
    def offset_ns(self) -> int | None:
        """The venue's clock against ours (running minimum of receive − venue), None before a sample."""
        return self._offset.offset_ns

    @property
    def gaps(self) -> dict[str, int]:
        """How often each market's book was lost to a jump of numbers."""
        return {ticker: market.gaps for ticker, market in self._markets.items()}

    def receive(self, data: bytes, recv_ns: int) -> list[Event]:
        """Give the events of one frame's bytes, received at `recv_ns`; unreadable bytes are an event too."""
        self._patience.heard_ns = recv_ns
        try:
            frame = decode_frame(data)
        except _UNREADABLE as error:
            return self._unread(data, error, recv_ns)
        return self.receive_frame(frame, recv_ns)

    def receive_frame(self, frame: Frame, recv_ns: int) -> list[Event]:
        """Give the events of one typed frame, received at `recv_ns`."""
        try:
            if isinstance(frame, DeltaFrame):
                return self._delta(frame, recv_ns)
            if isinstance(frame, SnapshotFrame):
                return self._snapshot(frame, recv_ns)
            return self._numbered(frame, recv_ns)
        except _UNREADABLE as error:
            return self._refuse(frame.sid, f"{error}", recv_ns)

    def connected(self, recv_ns: int) -> tuple[list[Event], list[bytes]]:
        """Begin a connection: every number and sid is new. Give events and the commands to send."""
        self._patience.restart(recv_ns)
        events = self._lose_everything("reconnected", recv_ns)
        events.append(StreamChanged(source=SOURCE, is_up=True, reason="connected", recv_ns=recv_ns))
        return events, self._subscriptions.connect()

    def disconnected(self, recv_ns: int, reason: str) -> list[Event]:
        """End a connection: no book can be vouched for."""
        self._subscriptions.disconnect()
        down = StreamChanged(source=SOURCE, is_up=False, reason=reason, recv_ns=recv_ns)
        return [down, *self._lose_everything("disconnected", recv_ns)]

    def watch(self, tickers: Iterable[str]) -> list[bytes]:
        """Stream these markets from now on, across reconnections; give the commands to send now."""
        wanted = tuple(tickers)
        for ticker in wanted:
            self._unwatched.pop(ticker, None)
        return self._subscriptions.watch(wanted)

    def unwatch(self, tickers: Iterable[str]) -> list[bytes]:
        """Stop streaming these markets; frames of theirs still under way are dropped without a word."""
        gone = tuple(tickers)
        for ticker in gone:
            self._forget(ticker)
        return self._subscriptions.unwatch(gone)

    def resubscribe(self, tickers: Iterable[str]) -> list[bytes]:
        """Give the commands that ask for fresh snapshots of those of these markets that are watched."""
        return self._subscriptions.resubscribe(tickers)

    def check(self, now_ns: int) -> tuple[list[Event], list[bytes]]:
        """Give what follows from the time that passed, as events and commands; asked while connected."""
        patience = self._patience
        if not (watched := self._subscriptions.watched):
            patience.heard_ns = now_ns
        if patience.is_over(now_ns):
            self.is_broken = True
        elif complaint := patience.complaint(now_ns):
            return [lost for run in self._runs.values() for lost in _lose_held(run, complaint, now_ns)], []
        overdue = patience.overdue((ticker for ticker in watched if not self._is_held(ticker)), now_ns)
        commands = self._subscriptions.ask_open() if overdue else []
        return [], commands + self._subscriptions.resubscribe(overdue)

    def _delta(self, frame: DeltaFrame, recv_ns: int) -> list[Event]:
        message = frame.msg
        is_bid = message.side == "yes"
        ticks = price_ticks(message.price_dollars)
        venue_ns = None if message.ts_ms is None else message.ts_ms * MILLISECOND_NS
        event = BookDelta(
            ticker=message.market_ticker,
            is_bid=is_bid,
            price_ticks=ticks if is_bid else TICKS_PER_DOLLAR - ticks,
            delta_cc=size_cc(message.delta_fp),
            recv_ns=recv_ns,
            venue_ns=venue_ns,
        )
        run = self._runs.get(frame.sid) or self._run(frame.sid)
        lost: list[Event] | None = None
        seq = frame.seq
        if seq is not None:
            if seq == run.expected:
                run.expected = seq + 1
            else:
                lost = self._number(run, seq, recv_ns)
                if lost is None:
                    return []
        self._until_sample -= 1
        if not self._until_sample:
            lost = self._sample(venue_ns, recv_ns) + (lost or [])
        market = run.markets.get(message.market_ticker)
        if market is None or market.state is not _HELD:
            return (lost or []) + self._unheld(run, seq, event)
        return [*lost, event] if lost else [event]

    def _unheld(self, run: _Run, seq: int | None, event: BookDelta) -> list[Event]:
        market = self._market(run, event.ticker)
        if market is None or market.state is _State.LOST:
            return []
        if len(market.buffer) < self._params.buffered_max:
            market.buffer.append((seq, event))
            return []
        market.buffer = []
        market.state = _State.LOST
        return [BookLost(ticker=event.ticker, reason="overflow", recv_ns=event.recv_ns)]

    def _snapshot(self, frame: SnapshotFrame, recv_ns: int) -> list[Event]:
        ticker, seq = frame.msg.market_ticker, frame.seq
        bids, asks = frame_events.book_levels(frame.msg)
        run = self._run(frame.sid)
        known = run.markets.get(ticker)
        is_waiting = known is None or known.state is _State.WAITING
        lost: list[Event] = []
        if seq is not None and not (is_waiting and self._is_late(run, seq)):
            jumped = self._number(run, seq, recv_ns)
            if jumped is None:
                return []
            lost = jumped
        market = self._market(run, ticker)
        if market is None:
            return lost
        kept = [] if seq is None else [delta for n, delta in market.buffer if n is not None and n > seq]
        market.buffer = []
        market.state = _HELD
        return [*lost, BookSnapshot(ticker=ticker, bids=bids, asks=asks, recv_ns=recv_ns), *kept]

    @staticmethod
    def _is_late(run: _Run, seq: int) -> bool:
        """Whether a first snapshot comes after deltas that follow it, with no number missing between."""
        return run.expected is not None and run.since - 1 <= seq < run.expected

    def _numbered(self, frame: Frame, recv_ns: int) -> list[Event]:
        """Consume the number of a frame that is not a book's, then give its events.

        Without a sid only acknowledgements are known to be of the books' row of numbers.
        """
        is_ours = frame.sid is not None or isinstance(frame, OkFrame | UnsubscribedFrame)
        lost: list[Event] | None = []
        if frame.seq is not None and is_ours:
            lost = self._number(self._run(frame.sid), frame.seq, recv_ns)
        return [] if lost is None else lost + self._told(frame, recv_ns)

    def _told(self, frame: Frame, recv_ns: int) -> list[Event]:
        match frame:
            case TickerFrame(msg=message):
                seen = frame_events.ticker_seen(message, recv_ns)
                return [*self._sample(seen.venue_ns, recv_ns), seen]
            case TradeFrame(msg=message):
                printed = frame_events.trade_printed(message, recv_ns)
                return [] if printed is None else [printed]
            case IndexFrame(msg=message):
                value = frame_events.index_printed(message, recv_ns)
                return [] if value is None else [value]
            case FillFrame(msg=message):
                return [frame_events.order_filled(message, recv_ns)]
            case UserOrderFrame(msg=message):
                return [frame_events.order_reported(message, recv_ns)]
            case LifecycleFrame():
                return self._lifecycle(frame, recv_ns)
            case SubscribedFrame(msg=opened):
                channel, sid = (None, frame.sid) if opened is None else (opened.channel, opened.sid)
                self._subscriptions.opened(channel, sid, frame.id)
                return []
            case UnsubscribedFrame():
                return self._end_run(frame.sid, "unsubscribed", recv_ns)
            case ErrorFrame():
                return self._error(frame, recv_ns)
            case OkFrame(msg=list(rows)):
                for row in rows:
                    self._subscriptions.opened(row.channel, row.sid, None)
                return []
            case OkFrame() | PositionFrame() | DeltaFrame() | SnapshotFrame():
                return []
            case OrderGroupFrame() | EventLifecycleFrame() | EventFeeFrame() | FastIndexFrame():
                return []
            case _:
                assert_never(frame)

    def _lifecycle(self, frame: LifecycleFrame, recv_ns: int) -> list[Event]:
        message = frame.msg
        ticker = message.market_ticker
        if asset_of(ticker) is None:
            return []
        if message.event_type in ("deactivated", "activated"):
            return [MarketPaused(ticker=ticker, is_paused=message.event_type == "deactivated", recv_ns=recv_ns)]
        if (changed := frame_events.terms_changed(message, recv_ns)) is not None:
            return [changed]
        if message.event_type not in ("determined", "settled"):
            return []
        is_paid = message.event_type == "settled"
        ticks = frame_events.determined_ticks(message)
        if ticks is None:
            ticks = self._results.get(ticker)
        if ticks is None:
            return []
        if is_paid:
            self._results.pop(ticker, None)
        else:
            self._results[ticker] = ticks
            _trim(self._results, self._params.results_max)
        return [frame_events.market_settled(message, ticks, recv_ns, is_paid=is_paid)]

    def _error(self, frame: ErrorFrame, recv_ns: int) -> list[Event]:
        code, text = frame.msg.code, frame.msg.msg or ""
        about = self._subscriptions.asked_under(frame.id)
        events: list[Event] = []
        if code in TERMINAL_CODES and frame.sid is not None:
            channel = self._subscriptions.closed(frame.sid)
            self.is_broken = self.is_broken or channel not in (None, INDEX_CHANNEL)
            about = about or channel or ""
            events = self._end_run(frame.sid, "subscription ended", recv_ns)
        elif (code in TERMINAL_CODES and frame.id is None) or (code == UNKNOWN_SID and about in MARKET_CHANNELS):
            self.is_broken = True
        return [*events, _refused(f"error {code} {about}: {text}", recv_ns)]

    def _run(self, sid: int | None) -> _Run:
        run = self._runs.get(sid)
        if run is None:
            run = self._runs[sid] = _Run()
        return run

    def _market(self, run: _Run, ticker: str) -> _Market | None:
        """Give a market of a run, met now if need be; None for one no longer watched, or of another run already."""
        market = run.markets.get(ticker)
        if market is None and ticker not in self._unwatched:
            if any(ticker in other.markets for other in self._runs.values()):
                return None
            market = run.markets[ticker] = self._markets.setdefault(ticker, _Market())
        return market

    def _is_held(self, ticker: str) -> bool:
        market = self._markets.get(ticker)
        return market is not None and market.state is _HELD

    def _number(self, run: _Run, seq: int, recv_ns: int) -> list[Event] | None:
        """Consume a number: give the losses of a jump, nothing when in order, None when seen before."""
        expected = run.expected
        if expected is not None and seq < expected:
            if run.stuck_at != expected:
                run.stuck_at, run.seen_again = expected, 0
            run.seen_again += 1
            self.is_broken = self.is_broken or run.seen_again > self._params.seen_again_max
            return None
        run.expected = seq + 1
        if seq == expected:
            return []
        run.since = seq
        if expected is None:
            return []
        lost = _lose_held(run, "gap", recv_ns)
        for market in run.markets.values():
            market.buffer = []
        return lost

    def _end_run(self, sid: int | None, reason: str, recv_ns: int) -> list[Event]:
        self._subscriptions.closed(sid)
        run = self._runs.pop(sid, None)
        return [] if run is None else _lose(run, reason, recv_ns)

    def _lose_everything(self, reason: str, recv_ns: int) -> list[Event]:
        events: list[Event] = []
        for run in self._runs.values():
            events += _lose(run, reason, recv_ns)
        self._runs.clear()
        self.is_broken = False
        return events

    def _forget(self, ticker: str) -> None:
        self._markets.pop(ticker, None)
        for run in self._runs.values():
            run.markets.pop(ticker, None)
        self._unwatched[ticker] = None
        _trim(self._unwatched, self._params.unwatched_max)

    def _sample(self, venue_ns: int | None, recv_ns: int) -> list[Event]:
        self._until_sample = self._params.deltas_per_sample
        if venue_ns is None or self._patience.is_late(venue_ns, recv_ns):
            return []
        offset_ns = self._offset.sample(venue_ns, recv_ns)
        return [] if offset_ns is None else [OffsetStepped(source=SOURCE, offset_ns=offset_ns, recv_ns=recv_ns)]

    def _unread(self, data: bytes, error: Exception, recv_ns: int) -> list[Event]:
        """Tolerate a type we do not know, its number counting; refuse anything else."""
        try:
            envelope = decode_envelope(data)
        except _UNREADABLE:
            return [_refused(f"{error}", recv_ns)]
        if envelope.type in KNOWN_TYPES:
            return self._refuse(envelope.sid, f"{envelope.type}: {error}", recv_ns)
        if envelope.seq is None or envelope.sid is None:
            return []
        return self._number(self._run(envelope.sid), envelope.seq, recv_ns) or []

    def _refuse(self, sid: int | None, reason: str, recv_ns: int) -> list[Event]:
        run = self._runs.get(sid)
        lost = [] if run is None else _lose_held(run, "unreadable", recv_ns)
        return [*lost, _refused(reason, recv_ns)]


def _lose(run: _Run, reason: str, recv_ns: int) -> list[Event]:
    lost: list[Event] = []
    for ticker, market in run.markets.items():
        if market.state is _HELD:
            lost.append(BookLost(ticker=ticker, reason=reason, recv_ns=recv_ns))
        market.state = _State.WAITING
        market.buffer = []
    return lost


def _lose_held(run: _Run, reason: str, recv_ns: int) -> list[Event]:
    """Lose the held books of a run in the middle of its connection: only a snapshot brings them back."""
    lost: list[Event] = []
    for ticker, market in run.markets.items():
        if market.state is _HELD:
            market.state = _State.LOST
            market.gaps += reason == "gap"
            lost.append(BookLost(ticker=ticker, reason=reason, recv_ns=recv_ns))
    return lost


def _refused(reason: str, recv_ns: int) -> FrameRefused:
    return FrameRefused(source=SOURCE, reason=reason[:_REASON_LONGEST], recv_ns=recv_ns)


def _trim(kept: dict[str, _T], most: int) -> None:
    if len(kept) > most:
        del kept[next(iter(kept))]
