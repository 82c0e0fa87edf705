"""What `fairstrike record` wrote: the segments of one run, `RUN-000001.jsonl.zst` and on.

Frames go through the session as they did live, those of spot venues through their protocols; notes and answers by REST
come to the same events: what was watched, what the terms are, how markets settled. A frame that could not be read then
cannot be read now, and is passed over as it was then.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from fairstrike.core.effects import Ask
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import Event, FrameRefused, MarketSettled
from fairstrike.research.importers.base import INSTANT_NS_MAX, UNREADABLE
from fairstrike.research.importers.recorded_spot import RecordedSpot
from fairstrike.research.importers.sessions import APART, SessionRecording, Told, known_at
from fairstrike.store.raw import VERSION, Answer, Line, Note, RawTape, decode_header, decode_line, run_and_number
from fairstrike.store.tape import Tape
from fairstrike.venue.kalshi.asking import ask, settled_ticks
from fairstrike.venue.kalshi.session import SOURCE
from fairstrike.venue.kalshi.wire.amounts import time_ns
from fairstrike.venue.kalshi.wire.markets import MarketsPage
from fairstrike.venue.kalshi.wire.stream import DeltaFrame, SnapshotFrame, decode_frame
from fairstrike.venue.kalshi.wire.transport import Conversation, Response, Unanswered

_MARKETS = "markets"


class Recorded(SessionRecording):
    """One run, or as much of it as its segments hold."""

    kind = "a recording by fairstrike record"

    def __init__(self, path: Path) -> None:
        """Look at the first line of the first segment.

        Raises `RecordingError` when it is none, or another version wrote it.
        """
        self._following: tuple[Path, ...] = ()
        super().__init__(path)
        self._read_bytes = 0
        self._talks: dict[int, Conversation] = {}
        self._settled: set[str] = set()
        self._spot = RecordedSpot()
        self._passed: Counter[str] = Counter()

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the first line is the header of a segment."""
        try:
            decode_header(head.partition(b"\n")[0])
        except UNREADABLE:
            return False
        return True

    @property
    def files(self) -> tuple[Path, ...]:
        """The segments, in order."""
        return (self.path, *self._following)

    @property
    def bytes_read(self) -> int:
        """How much of the segments was read, packed."""
        return self.bytes_total if self.is_over else self._read_bytes + self.tape.bytes_read

    def follow(self, segments: Sequence[Path]) -> None:
        """Have further segments of the same run read after the first."""
        self._following = tuple(segments)

    def frames(self) -> Iterator[Told]:
        """Give every line's receive time, group and events."""
        for line in self._lines():
            recv_ns = line.recv_ns
            if line.source != SOURCE:
                yield recv_ns, APART, self._spot_told(line)
            elif line.note is not None:
                yield recv_ns, *self._noted(line.note, recv_ns)
            elif line.answer is not None:
                yield recv_ns, APART, self._answered(line.answer, recv_ns)
            else:
                yield recv_ns, *self._framed(line.data, recv_ns)
        self.notes += [f"{self.path.name}: {what}: {count:,}" for what, count in sorted(self._passed.items())]

    def _spot_told(self, line: Line) -> list[Event]:
        events = self._spot.events(line)
        if events is None:
            self._passed["lines of other sources, passed over"] += 1
            return []
        return self._heard(list(events), line.recv_ns)

    def _framed(self, data: bytes, recv_ns: int) -> tuple[object, list[Event]]:
        """Give the group and the events of a frame, as the session told them live."""
        events = self._heard(self.session.receive(data, recv_ns), recv_ns)
        try:
            frame = decode_frame(data)
        except UNREADABLE:
            return APART, events
        if isinstance(frame, DeltaFrame):
            self.deltas[frame.msg.market_ticker] += 1
            return (frame.msg.market_ticker, frame.msg.ts_ms), events
        if isinstance(frame, SnapshotFrame):
            self.snapshots[frame.msg.market_ticker] += 1
            return None, events
        return APART, events

    def _heard(self, events: list[Event], recv_ns: int) -> list[Event]:
        for event in events:
            if isinstance(event, FrameRefused):
                self._passed["frames that could not be read when they came"] += 1
            elif isinstance(event, MarketSettled) and event.is_paid:
                self._settled.add(event.ticker)
        return known_at(recv_ns, events)

    def _noted(self, note: Note, recv_ns: int) -> tuple[object, list[Event]]:
        match note.kind:
            case "connected":
                return None, self.session.connected(recv_ns)[0]
            case "disconnected":
                return None, self.session.disconnected(recv_ns, note.reason)
            case "silent":
                return None, self.session.check(recv_ns)[0]
            case "ended":
                pass
            case "watch":
                self.session.watch(note.markets)
            case "unwatch":
                self.session.unwatch(note.markets)
            case _:
                self._passed["notes of an unknown kind"] += 1
        return APART, []

    def _answered(self, answer: Answer, recv_ns: int) -> list[Event]:
        """Give what an answer tells: terms when its conversation is over, results at once."""
        events = self._results(answer, recv_ns) if answer.what == _MARKETS else []
        try:
            talk = self._talks.get(answer.ask)
            if talk is None:
                talk = self._talks[answer.ask] = ask(Ask(what=answer.what, key=answer.key), recv_ns)
                next(talk)
            if answer.status:
                talk.send(Response(status=answer.status, body=answer.data, recv_ns=recv_ns))
            else:
                talk.throw(Unanswered("no answer was recorded", recv_ns=recv_ns))
        except StopIteration as end:
            del self._talks[answer.ask]
            events += end.value
        return events

    def _results(self, answer: Answer, recv_ns: int) -> list[Event]:
        """Give the results that a list of markets holds and nothing before it told."""
        try:
            page = msgspec.json.decode(answer.data, type=MarketsPage)
            found = [(market, settled_ticks(market)) for market in page.markets if market.ticker not in self._settled]
            events: list[Event] = [
                MarketSettled(
                    ticker=market.ticker, value_ticks=ticks, recv_ns=recv_ns, venue_ns=time_ns(market.settlement_ts)
                )
                for market, ticks in found
                if ticks is not None
            ]
        except (*UNREADABLE, ArithmeticRefusal):
            return []  # Another document of the conversation, or one that told nothing live either.
        self._settled.update(event.ticker for event in events if isinstance(event, MarketSettled))
        return events

    def _lines(self) -> Iterator[Line]:
        for number, file in enumerate(self.files):
            if number:
                self._read_bytes += self.tape.path.stat().st_size
                self._tell_missing(self.tape.path, file)
            self.tape = self._tape(file)
            lines = self.tape.lines()
            try:
                decode_header(next(lines, b""))
                for raw in lines:
                    line = decode_line(raw)
                    if not 0 <= line.recv_ns <= INSTANT_NS_MAX:
                        raise msgspec.ValidationError(f"{line.recv_ns} is not a time between 1970 and 2255")
                    yield line
            except UNREADABLE as error:
                raise self._spoiled(self.tape.line_count, error) from None

    def _tell_missing(self, before: Path, after: Path) -> None:
        last, next_one = run_and_number(before), run_and_number(after)
        if last is not None and next_one is not None and next_one[1] != last[1] + 1:
            self.notes.append(f"{self.path.name}: {next_one[1] - last[1] - 1} segments before {after.name} are missing")

    def _tape(self, file: Path) -> Tape:
        kind = RawTape if file.suffix == ".zst" else Tape
        return kind(file, self.cuts.append)

    def _begins_ns(self) -> int:
        raw = next(self._tape(self.path).lines(), b"")
        try:
            header = decode_header(raw)
            if not 0 <= header.recv_ns <= INSTANT_NS_MAX:
                raise ArithmeticRefusal(f"{header.recv_ns} is not a time between 1970 and 2255")
            if header.version != VERSION:
                raise ArithmeticRefusal(f"it is of version {header.version} and this program reads version {VERSION}")
        except (*UNREADABLE, ArithmeticRefusal) as error:
            raise self._spoiled(1, error) from None
        return header.recv_ns
