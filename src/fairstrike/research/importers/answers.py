"""REST answers kept whole, one JSON document a file: fills, settlements, series, price grids, a market with its book.

They are read with the client's own wire types, so that a field that changed its meaning is found out. Only a book
gives events; the rest is counted in the report's notes.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from fairstrike.core.errors import ArithmeticRefusal, ProtocolError, RecordingError
from fairstrike.core.events import BookSnapshot
from fairstrike.research.importers import moments
from fairstrike.research.importers.base import UNREADABLE, Recording, Unit
from fairstrike.venue.kalshi.frame_events import no_levels, yes_levels
from fairstrike.venue.kalshi.wire.amounts import money_ud, time_ns
from fairstrike.venue.kalshi.wire.markets import (
    MarketAnswer,
    OrderbookAnswer,
    SeriesAnswer,
    WireRange,
    fee_schedule_of,
    grid_of,
)
from fairstrike.venue.kalshi.wire.portfolio import FillsPage, SettlementsPage


class Grid(msgspec.Struct, frozen=True):
    """One tick grid that was seen."""

    price_ranges: tuple[WireRange, ...]


class Document(msgspec.Struct, frozen=True):
    """Everything such a file may hold; what it does not is None or empty."""

    captured_at: str | None = None
    endpoint: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"")
    payloads: dict[str, SeriesAnswer] | None = None
    grids: tuple[Grid, ...] | None = None
    single: MarketAnswer | None = None
    orderbook: OrderbookAnswer | None = None


_UNUSABLE = (*UNREADABLE, ArithmeticRefusal, ProtocolError)
_decode = msgspec.json.Decoder(Document).decode


class Answers(Recording):
    """One document of answers."""

    kind = "a document of REST answers"

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the document names the endpoint it came from, or holds grids or a market with its book."""
        return head.lstrip().startswith(b"{") and any(key in head for key in (b'"endpoint"', b'"grids"', b'"single"'))

    @property
    def is_priced(self) -> bool:
        """No reference price is recorded."""
        return False

    def units(self) -> Iterator[Unit]:
        """Give the book when there is one; note what else was read."""
        document = self._read()
        books: list[BookSnapshot] = []
        try:
            what = _counted(document)
            if document.single is not None and document.orderbook is not None:
                books.append(_book(document.single.market.ticker, document.orderbook, self.first_ns))
                self.snapshots[books[0].ticker] += 1
        except _UNUSABLE as error:
            raise self._spoiled(1, error) from None
        self.notes.append(f"{self.path.name}: read {what}")
        if books:
            yield from moments.units([moments.Capture(at_ns=self.first_ns, events=[], books=books)])
        self.is_over = True

    def _read(self) -> Document:
        try:
            return _decode(self.tape.document())
        except UNREADABLE as error:
            raise self._spoiled(1, error) from None

    def _begins_ns(self) -> int:
        document = self._read()
        try:
            stamps = [time_ns(document.captured_at), *_stamps(document)]
        except _UNUSABLE as error:
            raise self._spoiled(1, error) from None
        known = [stamp for stamp in stamps if stamp is not None]
        if not known:
            raise RecordingError(f"{self.path.name} does not say when it was read; add a captured_at")
        return max(known)


def _page(document: Document) -> FillsPage | SettlementsPage | None:
    """Give the document's page of an account, None when it is of another kind.

    Raises `ArithmeticRefusal` for an endpoint whose answers are not read.
    """
    if not bytes(document.payload):
        return None
    if document.endpoint.endswith("/fills"):
        return msgspec.json.decode(document.payload, type=FillsPage)
    if document.endpoint.endswith("/settlements"):
        return msgspec.json.decode(document.payload, type=SettlementsPage)
    raise ArithmeticRefusal(f"answers of {document.endpoint[:80]!r} are not read, only /fills and /settlements")


def _stamps(document: Document) -> list[int | None]:
    match _page(document):
        case FillsPage(fills=fills):
            return [time_ns(fill.created_time) for fill in fills]
        case SettlementsPage(settlements=settlements):
            return [time_ns(settlement.settled_time) for settlement in settlements]
        case None:
            return []


def _counted(document: Document) -> str:
    """Give what a document holds in words, every amount in it read."""
    if document.payloads is not None:
        schedules = {fee_schedule_of(answer.series) for answer in document.payloads.values()}
        return f"{len(document.payloads)} series with {len(schedules)} fee schedules"
    if document.grids is not None:
        return f"price grids, {len([grid_of(grid.price_ranges) for grid in document.grids])}"
    match _page(document):
        case FillsPage(fills=fills):
            fees_ud = sum(money_ud(fill.fee_cost) for fill in fills)
            return f"{len(fills)} fills with {fees_ud / 1e6:.6f} dollars of fees"
        case SettlementsPage(settlements=settlements):
            return f"{len(settlements)} settlements"
        case None if document.single is not None and document.orderbook is not None:
            return "a market and its book"
        case None:
            raise ArithmeticRefusal("no answer that is read is in it")


def _book(ticker: str, answer: OrderbookAnswer, at_ns: int) -> BookSnapshot:
    sides = answer.orderbook_fp
    bids, asks = yes_levels(sides.yes_dollars or ()), no_levels(sides.no_dollars or ())
    return BookSnapshot(ticker=ticker, bids=bids, asks=asks, recv_ns=at_ns)
