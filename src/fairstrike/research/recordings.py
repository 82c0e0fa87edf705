"""The capture format of continuous 15-minute streams, turned into the events a live session would give.

A capture is `<run>.jsonl[.gz|.zst]`, one frame a line in order of receipt, with `recv_ns` of the recorder's clock and
the venue's payload under `msg`. Beside it may lie `<run>.spot.csv[.gz]` (Coinbase trades on the same clock) and
`results.csv` (official results). Frames go through the live client's session. Frames of one venue millisecond of one
market are one group; `BatchEnded` stands right after a group's last frame. At each whole second of Coinbase's clock
the last trade received becomes one `IndexPrinted`. Frames come before prints at one instant.
"""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract
from fairstrike.core.errors import ArithmeticRefusal, RecordingError
from fairstrike.core.events import BatchEnded, ContractListed, Event, IndexPrinted, MarketSettled, OffsetStepped
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import TICKS_PER_DOLLAR, parse_e8
from fairstrike.store.tape import Cut, Tape
from fairstrike.venue.kalshi.offset import ClockOffset
from fairstrike.venue.kalshi.session import Session, SessionParams
from fairstrike.venue.kalshi.wire.stream import DeltaFrame, SnapshotFrame, TickerFrame

Unit = tuple[int, list[Event]]
"""An instant and the events received at it, up to and including at most one `BatchEnded`."""

BOOK_CHANNEL = "orderbook_delta"
SETTLEMENT_TIMER_NS = SECOND_NS
_WINDOW_NS = 15 * MINUTE_NS
_OFFSET_STEP_NS = 20 * MILLISECOND_NS
_BROKEN = "the numbers of the frames make no sense"


class WatchMessage(msgspec.Struct, frozen=True):
    """The recorder's note of the market it follows."""

    market_ticker: str
    close_time: str
    strike: Decimal | None = None


class RecordedDelta(DeltaFrame, frozen=True, tag="orderbook_delta", kw_only=True):
    """A delta frame with the recorder's receive time."""

    recv_ns: int


class RecordedSnapshot(SnapshotFrame, frozen=True, tag="orderbook_snapshot", kw_only=True):
    """A snapshot frame with the recorder's receive time."""

    recv_ns: int


class RecordedTicker(TickerFrame, frozen=True, tag="ticker", kw_only=True):
    """A ticker frame with the recorder's receive time."""

    recv_ns: int


class Watched(msgspec.Struct, frozen=True, tag="watch_market", kw_only=True):
    """The recorder begins to follow a market."""

    recv_ns: int
    msg: WatchMessage


class Connected(msgspec.Struct, frozen=True, tag="ws_connected", kw_only=True):
    """The recorder's connection came up: numbers begin anew."""

    recv_ns: int


class OpenedChannel(msgspec.Struct, frozen=True):
    """The channel a subscription opened, None when unsaid."""

    channel: str | None = None


class Acknowledgement(OpenedChannel, frozen=True):
    """The venue's answer to a subscription, with or without its envelope."""

    msg: OpenedChannel | None = None


class Subscribed(msgspec.Struct, frozen=True, tag="ws_subscribed", kw_only=True):
    """A subscription was acknowledged; with books told before on this connection, their numbers begin anew."""

    recv_ns: int
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

    recv_ns: int


Line = RecordedDelta | RecordedSnapshot | RecordedTicker | Watched | Connected | Subscribed | Rotated
_lines: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_decode = _lines.decode
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


class Recording:
    """One capture: its path, what lies beside it, and what was noticed while reading."""

    def __init__(self, path: Path) -> None:
        """Look at the first line and beside the file.

        Raises `RecordingError` when the file is empty or not a capture of this format.
        """
        self.path = path
        self.session = Session(SessionParams(offset_step_ns=_OFFSET_STEP_NS))
        self.run = path.name.split(".jsonl")[0]
        self.cuts: list[Cut] = []
        self.deltas: defaultdict[str, int] = defaultdict(int)
        self.snapshots: defaultdict[str, int] = defaultdict(int)
        self.is_over = False
        self._books_before = 0
        self.tape = Tape(path, self.cuts.append)
        self.first_ns = self._first_ns()
        self.spot = next(
            (p for p in (path.with_name(f"{self.run}.spot.csv{end}") for end in (".gz", ".zst", "")) if p.exists()),
            None,
        )

    def units(self) -> Iterator[Unit]:
        """Give the frames' events in units: one receive time each, ended by at most one `BatchEnded`.

        Raises `RecordingError` for a line that is no frame, or not in order of receipt.
        """
        instant = 0
        events: list[Event] = []
        for told, is_end in self._grouped():
            for event in told:
                if event.recv_ns != instant:
                    if events:
                        yield instant, events
                    if event.recv_ns < instant:
                        raise self._not_in_order(self.path.name, self.tape.line_count)
                    instant = event.recv_ns
                    events = []
                events.append(event)
            if is_end:
                yield instant, events
                events = []
        if events:
            yield instant, events
        self.is_over = True

    def prints(self) -> Iterator[Unit]:
        """Give index prints made of the trades beside the capture, one a second.

        Raises `RecordingError` for a line that is no trade, or not in order of receipt.
        """
        if self.spot is None:
            return
        offset = ClockOffset(_OFFSET_STEP_NS)
        used_ns, last, next_second = 0, None, None
        tape = Tape(self.spot, self.cuts.append)
        for recv_ns, source_ns, value_e8 in _trades(tape):
            if last is not None and recv_ns < last[0]:
                raise self._not_in_order(self.spot.name, tape.line_count)
            while last is not None and next_second is not None and next_second * SECOND_NS + used_ns < recv_ns:
                at_ns = max(next_second * SECOND_NS + used_ns, last[0])
                yield at_ns, [_print(next_second, last, at_ns)]
                next_second += 1
            stepped_ns = offset.sample(source_ns, recv_ns)
            if stepped_ns is not None:
                used_ns = stepped_ns
                yield recv_ns, [OffsetStepped(source="coinbase", offset_ns=used_ns, recv_ns=recv_ns)]
            if next_second is None:
                next_second = -(-(recv_ns - used_ns) // SECOND_NS)
            last = (recv_ns, source_ns, value_e8)

    def _grouped(self) -> Iterator[tuple[list[Event], bool]]:
        """Give events and whether they close a group: `BatchEnded` comes last of those that do.

        It stands after the last frame of each venue millisecond; tickers neither end nor join a group.
        """
        group: tuple[str, int | None] | None = None
        ended_ns = last_ns = 0
        waiting: list[Event] = []
        for line, events in self._sessioned():
            last_ns = line.recv_ns
            if type(line) is RecordedTicker:
                waiting += events
                continue
            key = (line.msg.market_ticker, line.msg.ts_ms) if type(line) is RecordedDelta else None
            if group is not None and key != group:
                yield [BatchEnded(recv_ns=ended_ns)], True
            if waiting:
                yield waiting, False
                waiting = []
            group, ended_ns = key, last_ns
            if key is None and events:
                yield [*events, BatchEnded(recv_ns=ended_ns)], True
            else:
                yield events, False
        if group is not None:
            yield [BatchEnded(recv_ns=ended_ns)], True
        yield waiting, False
        yield [*self.session.disconnected(last_ns, "the recording ended"), BatchEnded(recv_ns=last_ns)], True

    def _sessioned(self) -> Iterator[tuple[Line, list[Event]]]:
        receive, deltas, tape = self.session.receive_frame, self.deltas, self.tape
        for raw in tape.lines():
            try:
                line = _decode(raw)
            except _UNREADABLE as error:
                raise self._not_a_frame(tape.line_count, error) from None
            if type(line) is RecordedDelta:
                deltas[line.msg.market_ticker] += 1
                events = receive(line, line.recv_ns)
                if not events and self.session.is_broken:
                    events = self._reconnected(line.recv_ns, _BROKEN)
                yield line, events
            else:
                events = self._rare(line)
                if self.session.is_broken:
                    events += self._reconnected(line.recv_ns, _BROKEN)
                yield line, events

    def _rare(self, line: Line) -> list[Event]:
        """Give the events of a line that is no delta."""
        match line:
            case RecordedSnapshot():
                self.snapshots[line.msg.market_ticker] += 1
                return self.session.receive_frame(line, line.recv_ns)
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

    def _reconnected(self, recv_ns: int, reason: str) -> list[Event]:
        """Begin a connection: numbers are new and no book before it can be vouched for."""
        self._books_before = self._book_frames()
        return self.session.disconnected(recv_ns, reason) + self.session.connected(recv_ns)[0]

    def _book_frames(self) -> int:
        return sum(self.deltas.values()) + sum(self.snapshots.values())

    def _first_ns(self) -> int:
        raw = next(Tape(self.path, lambda cut: None).lines(), None)
        if raw is None:
            raise RecordingError(f"{self.path.name} is empty; give a recording with at least one frame")
        try:
            return _decode(raw).recv_ns
        except _UNREADABLE as error:
            raise self._not_a_frame(1, error) from None

    def _not_a_frame(self, number: int, error: Exception) -> RecordingError:
        return RecordingError(
            f"{self.path.name} line {number} is not a frame of a 15-minute capture ({error}); give a capture file, "
            "or a copy of this one that is not damaged"
        )

    @staticmethod
    def _not_in_order(name: str, number: int) -> RecordingError:
        return RecordingError(
            f"{name} goes back in time at line {number}; give a recording whose lines are in order of receipt"
        )

    def _listed(self, line: Watched) -> ContractListed:
        message = line.msg
        try:
            close_ns = parse_rfc3339_ns(message.close_time)
            floor_e8 = None if message.strike is None else parse_e8(f"{message.strike:f}")
        except ArithmeticRefusal as error:
            raise RecordingError(
                f"{self.path.name}: the market {message.market_ticker} has no close or strike: {error}"
            ) from None
        event_ticker = message.market_ticker.rpartition("-")[0]
        contract = Contract(
            ticker=message.market_ticker,
            event_ticker=event_ticker,
            series=event_ticker.partition("-")[0],
            asset="BTC",
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


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a recorded market ended: its value in ticks (None while unknown) and whether we derived it."""

    ticker: str
    close_ns: int
    value_ticks: int | None
    is_derived: bool


def results(path: Path, runs: Collection[str]) -> dict[str, Result]:
    """Give the results of some runs' markets by ticker: the official one, else next strike ≥ own, else none.

    Raises `RecordingError` when the file lacks a column.
    """
    found: dict[str, Result] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if None in row.values():
                    raise ArithmeticRefusal(f"the one of {row['market_ticker']!r} is cut")
                if row["run"] in runs:
                    found[row["market_ticker"]] = _result(row)
    except (KeyError, TypeError, csv.Error, UnicodeDecodeError, ArithmeticRefusal) as error:
        raise RecordingError(f"{path.name} has a row that cannot be used ({error}); restore the file") from None
    return found


def settlements(found: dict[str, Result]) -> list[Unit]:
    """Give each known result as an event at its market's close and settlement timer, in order of time."""
    units: list[Unit] = []
    for result in sorted(found.values(), key=lambda r: (r.close_ns, r.ticker)):
        if result.value_ticks is not None:
            at_ns = result.close_ns + SETTLEMENT_TIMER_NS
            settled = MarketSettled(
                ticker=result.ticker, value_ticks=result.value_ticks, recv_ns=at_ns, is_derived=result.is_derived
            )
            units.append((at_ns, [settled]))
    return units


def _result(row: dict[str, str]) -> Result:
    official, strike, value = row["official_result"], row["strike_usd"], row["settlement_value_usd_from_next_strike"]
    if official not in ("", "yes", "no"):
        raise ArithmeticRefusal(f"official_result {official!r}")
    ticks: int | None = None
    if official:
        ticks = TICKS_PER_DOLLAR if official == "yes" else 0
    elif strike and value:
        ticks = TICKS_PER_DOLLAR if parse_e8(value) >= parse_e8(strike) else 0
    return Result(
        ticker=row["market_ticker"],
        close_ns=parse_rfc3339_ns(row["close_time"]),
        value_ticks=ticks,
        is_derived=not official,
    )


def _print(second: int, last: tuple[int, int, int], at_ns: int) -> IndexPrinted:
    return IndexPrinted(
        asset="BTC", source="coinbase", second=second, value_e8=last[2], recv_ns=at_ns, venue_ns=last[1]
    )


def _trades(tape: Tape) -> Iterator[tuple[int, int, int]]:
    """Give (receive time, source time, price `_e8`) of each trade in order of receipt."""
    path, lines = tape.path, tape.lines()
    header = next(lines, b"").decode("utf-8", "replace").split(",")
    try:
        columns = [header.index(name) for name in ("recv_ns", "exchange_ts", "price_usd")]
    except ValueError:
        raise RecordingError(
            f"{path.name} lacks a column of recv_ns, exchange_ts, price_usd; restore the file"
        ) from None
    for number, line in enumerate(lines, start=2):
        cells = line.decode("utf-8", "replace").split(",")
        try:
            received, stamped, price = (cells[column] for column in columns)
            yield int(received), parse_rfc3339_ns(stamped), parse_e8(price)
        except (ValueError, IndexError):
            raise RecordingError(f"{path.name} line {number} is not a trade; restore the file") from None
