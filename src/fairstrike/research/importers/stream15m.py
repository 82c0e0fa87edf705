"""Continuous 15-minute captures: `<run>.jsonl[.gz|.zst]`, one frame a line in order of receipt.

A line holds `recv_ns` of the recorder's clock and the venue's payload under `msg`. Beside it may lie
`<run>.spot.csv[.gz]` (Coinbase trades on the same clock) and `results.csv` (official results).
"""

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.errors import ArithmeticRefusal, RecordingError
from fairstrike.core.events import BookDelta, ContractListed, Event
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import MINUTE_NS, format_rfc3339
from fairstrike.research.importers import results, spot
from fairstrike.research.importers.base import UNREADABLE, Instant, Result, Unit, instant_ns
from fairstrike.research.importers.sessions import APART, SessionRecording, Told
from fairstrike.store.tape import digest
from fairstrike.venue.kalshi.wire.amounts import number_e8
from fairstrike.venue.kalshi.wire.markets import asset_of
from fairstrike.venue.kalshi.wire.stream import DeltaFrame, SnapshotFrame, TickerFrame

BOOK_CHANNEL = "orderbook_delta"
_WINDOW_NS = 15 * MINUTE_NS
_BROKEN = "the numbers of the frames make no sense"
_ANEW = "the numbers began anew"


class WatchMessage(msgspec.Struct, frozen=True):
    """The recorder's note of the market it follows."""

    market_ticker: str
    close_time: str
    strike: Decimal | None = None


class RecordedDelta(DeltaFrame, frozen=True, tag="orderbook_delta", kw_only=True):
    """A delta frame with the recorder's receive time."""

    recv_ns: Instant


class RecordedSnapshot(SnapshotFrame, frozen=True, tag="orderbook_snapshot", kw_only=True):
    """A snapshot frame with the recorder's receive time."""

    recv_ns: Instant


class RecordedTicker(TickerFrame, frozen=True, tag="ticker", kw_only=True):
    """A ticker frame with the recorder's receive time."""

    recv_ns: Instant


class Watched(msgspec.Struct, frozen=True, tag="watch_market", kw_only=True):
    """The recorder begins to follow a market."""

    recv_ns: Instant
    msg: WatchMessage


class Connected(msgspec.Struct, frozen=True, tag="ws_connected", kw_only=True):
    """The recorder's connection came up: numbers begin anew."""

    recv_ns: Instant


class OpenedChannel(msgspec.Struct, frozen=True):
    """The channel a subscription opened, None when unsaid."""

    channel: str | None = None


class Acknowledgement(OpenedChannel, frozen=True):
    """The venue's answer to a subscription, with or without its envelope."""

    msg: OpenedChannel | None = None


class Subscribed(msgspec.Struct, frozen=True, tag="ws_subscribed", kw_only=True):
    """A subscription was acknowledged; with books told before on this connection, their numbers begin anew."""

    recv_ns: Instant
    sid: int | None = None
    msg: Acknowledgement | None = None

    @property
    def may_renumber(self) -> bool:
        """Whether it may be the books' own subscription, and no number of its own tells its frames apart."""
        told = self.msg or Acknowledgement()
        channel = told.channel if told.msg is None else told.msg.channel
        return self.sid is None and channel in (None, BOOK_CHANNEL)


class Rotated(msgspec.Struct, frozen=True, tag="market_rotated", kw_only=True):
    """The recorder turns to the next market."""

    recv_ns: Instant


Line = RecordedDelta | RecordedSnapshot | RecordedTicker | Watched | Connected | Subscribed | Rotated
_lines: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_decode = _lines.decode


class Stream15m(SessionRecording):
    """One capture with what lies beside it."""

    kind = "a 15-minute capture"

    def __init__(self, path: Path) -> None:
        """Look at the first line and beside the file.

        Raises `RecordingError` when the file is empty or not a capture of this format.
        """
        super().__init__(path)
        self.run = path.name.split(".jsonl")[0]
        self.spot = spot.beside(path, self.run)
        self._books_before = 0
        self._results: Mapping[str, Result] = {}
        self._deltas_before: dict[str, int] = {}
        self._last: RecordedDelta | RecordedSnapshot | None = None

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the first line is a frame of a known type with the recorder's time."""
        try:
            _decode(head.partition(b"\n")[0])
        except UNREADABLE:
            return False
        return True

    @property
    def is_priced(self) -> bool:
        """Whether trades lie beside it."""
        return self.spot is not None

    def results(self) -> Mapping[str, Result]:
        """Give the results of this run in `results.csv` beside it."""
        path = self.path.with_name("results.csv")
        if path.exists():
            self._results = results.results(path, {self.run})
        return self._results

    def beside_sha256(self) -> str:
        """Give the fingerprint of the trades beside it and of this run's results; those of other runs may change."""
        told = msgspec.json.encode(sorted(self.results().items())) if self.results() else b""
        trades = b"" if self.spot is None else digest(self.spot).encode()
        return hashlib.sha256(trades + told).hexdigest() if trades + told else ""

    def prints(self) -> Iterator[Unit]:
        """Give index prints made of the trades beside the capture, one a second."""
        return iter(()) if self.spot is None else spot.index_prints(self.spot, self.cuts.append)

    def frames(self) -> Iterator[Told]:
        """Give every line's receive time, group and events."""
        receive, deltas, tape, last = self.session.receive_frame, self.deltas, self.tape, self._last
        for raw in tape.lines():
            try:
                line = _decode(raw)
            except UNREADABLE as error:
                raise self._spoiled(tape.line_count, error) from None
            if type(line) is RecordedDelta:
                message, recv_ns = line.msg, line.recv_ns
                ticker = message.market_ticker
                deltas[ticker] += 1
                events = receive(line, recv_ns)
                last = line
                if not events or type(events[0]) is not BookDelta:
                    self._last = last
                    events = self._checked(events, recv_ns)
                    last = self._last
                yield recv_ns, (ticker, message.ts_ms), events
            else:
                self._last = last
                events = self._checked(self._rare(line), line.recv_ns)
                last = self._last
                yield line.recv_ns, APART if type(line) is RecordedTicker else None, events

    def _checked(self, events: list[Event], recv_ns: int) -> list[Event]:
        """Give what a line told, and a new connection when the numbers make no sense any more.

        Raises `RecordingError` when it cannot be read.
        """
        events = self._readable(self.tape.line_count, recv_ns, events)
        return events + self._reconnected(recv_ns, _BROKEN) if self.session.is_broken else events

    def _rare(self, line: Line) -> list[Event]:
        """Give the events of a line that is no delta."""
        match line:
            case RecordedSnapshot():
                return self._book(line)
            case RecordedDelta() | RecordedTicker():
                return self.session.receive_frame(line, line.recv_ns)
            case Watched():
                return [self._listed(line)]
            case Connected():
                return self._reconnected(line.recv_ns, "the recorder reconnected")
            case Subscribed() if line.may_renumber and self._book_frames() > self._books_before:
                return self._reconnected(line.recv_ns, "the recorder subscribed anew")
            case Subscribed() | Rotated():
                return []

    def _book(self, line: RecordedSnapshot) -> list[Event]:
        """Give a snapshot; one whose number was passed begins a connection that no line told of.

        It does not when deltas of its market came before it on this connection: a first snapshot may be late. The
        session knows which such snapshots follow; the others it drops, as it does every number seen before.
        """
        recv_ns, ticker, last = line.recv_ns, line.msg.market_ticker, self._last
        is_passed = (
            last is not None
            and last.seq is not None
            and line.seq is not None
            and (line.sid, self.deltas[ticker]) == (last.sid, self._deltas_before.get(ticker, 0))
            and line.seq <= last.seq
        )
        self.snapshots[ticker] += 1
        self._last = line
        events = [] if is_passed else self.session.receive_frame(line, recv_ns)
        if not events:
            events = self._reconnected(recv_ns, _ANEW) + self.session.receive_frame(line, recv_ns)
            self._last = line
        return events

    def _reconnected(self, recv_ns: int, reason: str) -> list[Event]:
        """Begin a connection: numbers are new and no book before it can be vouched for."""
        self._books_before = self._book_frames()
        self._deltas_before = dict(self.deltas)
        self._last = None
        return self.session.disconnected(recv_ns, reason) + self.session.connected(recv_ns)[0]

    def _book_frames(self) -> int:
        return sum(self.deltas.values()) + sum(self.snapshots.values())

    def _begins_ns(self) -> int:
        raw = self._first_line()
        try:
            return _decode(raw).recv_ns
        except UNREADABLE as error:
            raise self._spoiled(1, error) from None

    def _listed(self, line: Watched) -> ContractListed:
        message = line.msg
        event_ticker = message.market_ticker.rpartition("-")[0]
        series = event_ticker.partition("-")[0]
        asset = asset_of(series)
        try:
            if asset is None:
                raise ArithmeticRefusal(f"{series[:40]!r} is no series of crypto markets")
            close_ns = instant_ns(message.close_time)
            floor_e8 = None if message.strike is None else number_e8(message.strike)
        except ArithmeticRefusal as error:
            raise self._spoiled(self.tape.line_count, f"{message.market_ticker[:80]}: {error}") from None
        told = self._results.get(message.market_ticker)
        if told is not None and told.close_ns != close_ns:
            raise RecordingError(
                f"results.csv closes {told.ticker[:80]} at {format_rfc3339(told.close_ns)} and {self.path.name} at "
                f"{format_rfc3339(close_ns)}; correct the one that is wrong"
            )
        contract = Contract(
            ticker=message.market_ticker,
            event_ticker=event_ticker,
            series=series,
            asset=asset,
            comparison=Comparison.AT_LEAST,
            open_ns=close_ns - _WINDOW_NS,
            close_ns=close_ns,
            floor_e8=floor_e8,
            round_digits=2,
            grid=TAPERED_GRID,
        )
        return ContractListed(
            contract=contract, schedule=FeeSchedule(), status="active", volume_24h_cc=0, recv_ns=line.recv_ns
        )
