"""Frames exactly as they came off the socket, in one JSON document: `frames[]` of `received_ms` and `frame`.

The frames keep their envelopes, so the session reads them as it would live; the subscription's answers are among
them. What is not told in a frame, a market's terms, stays unknown: such a recording shows books and nothing else.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from fairstrike.core.errors import RecordingError
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.research.importers.base import UNREADABLE
from fairstrike.research.importers.sessions import APART, SessionRecording, Told
from fairstrike.venue.kalshi.wire.amounts import Milliseconds
from fairstrike.venue.kalshi.wire.stream import decode_envelope


class Received(msgspec.Struct, frozen=True):
    """One frame and when it came, epoch milliseconds."""

    received_ms: Milliseconds
    frame: msgspec.Raw


class Document(msgspec.Struct, frozen=True):
    """The whole recording."""

    frames: tuple[Received, ...]


class _Message(msgspec.Struct, frozen=True):
    market_ticker: str = ""
    ts_ms: int | None = None


class _Frame(msgspec.Struct, frozen=True):
    type: str
    msg: _Message | None = None


_document = msgspec.json.Decoder(Document).decode
_frame = msgspec.json.Decoder(_Frame).decode


class Frames(SessionRecording):
    """One document of verbatim frames."""

    kind = "a document of frames"

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the document begins as such a recording does."""
        return head.lstrip().startswith(b"{") and b'"captured_ms"' in head and b'"orderbook_snapshot"' in head

    @property
    def is_priced(self) -> bool:
        """No reference price is recorded."""
        return False

    def frames(self) -> Iterator[Told]:
        """Give every frame's receive time, group and events."""
        for number, received in enumerate(self._read(), start=1):
            data, recv_ns = bytes(received.frame), received.received_ms * MILLISECOND_NS
            try:
                frame = _frame(data)
                decode_envelope(data)
            except UNREADABLE as error:
                raise self._spoiled(number, error) from None
            events = self.session.receive(data, recv_ns)
            # An error frame is what the venue refused; any other that is refused is damage.
            if frame.type != "error":
                events = self._readable(number, recv_ns, events)
            message, key = frame.msg or _Message(), None
            if frame.type == "orderbook_delta":
                self.deltas[message.market_ticker] += 1
                key = (message.market_ticker, message.ts_ms)
            elif frame.type == "orderbook_snapshot":
                self.snapshots[message.market_ticker] += 1
            yield recv_ns, APART if frame.type == "ticker" else key, events

    def _begins_ns(self) -> int:
        frames = self._read()
        if not frames:
            raise RecordingError(f"{self.path.name} holds no frame; give a recording with at least one")
        return frames[0].received_ms * MILLISECOND_NS

    def _read(self) -> tuple[Received, ...]:
        try:
            return _document(self.tape.document()).frames
        except UNREADABLE as error:
            raise self._spoiled(1, error) from None
