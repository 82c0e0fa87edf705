"""One frame of a book, from its bytes to a book with best prices: each stage, and plain loops beside it."""

import json

from bench.measuring import Case, Figure, Progress, Scale, each_ns, figures, processor_ns, take
from bench.streams import Capture, frames
from fairstrike.core.events import BookDelta, BookSnapshot, Event
from fairstrike.core.units import TICKS_PER_DOLLAR, parse_cc, parse_ticks
from fairstrike.market.books import Books, Params
from fairstrike.venue.kalshi.session import Session
from fairstrike.venue.kalshi.wire.stream import decode_frame

SECTION = "bytes to book, a frame (processor time)"

_JSON = "json.loads"
_DECODE = "decode: msgspec, typed"
_SESSION = "session: frame to event"
_DICT = "plain dict, no best prices"
_FOLD = "fold: event to book"
_PLAIN = "json.loads and dicts, whole way"
_WHOLE = "bytes to book, whole way"

Plain = dict[str, dict[tuple[bool, int], int]]
"""Sizes by (is bid, price) of each market: the reference's book."""


def measure(capture: Capture, scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of one frame."""
    data = frames(capture.path, scale.deltas)
    taken = take(_stages(data) | _wholes(data), scale.rounds, progress, "bytes to book")
    return figures(SECTION, taken, "ns", {_DECODE: _JSON, _FOLD: _DICT, _WHOLE: _PLAIN})


def _stages(data: list[tuple[bytes, int]]) -> dict[str, Case]:
    typed = [(decode_frame(frame), recv_ns) for frame, recv_ns in data]
    session = Session()
    events = [event for frame, recv_ns in data for event in session.receive(frame, recv_ns)]

    def loads() -> float:
        began = processor_ns()
        for frame, _ in data:
            json.loads(frame)
        return each_ns(began, len(data))

    def decode() -> float:
        began = processor_ns()
        for frame, _ in data:
            decode_frame(frame)
        return each_ns(began, len(data))

    def receive() -> float:
        receive_frame, count = Session().receive_frame, 0
        began = processor_ns()
        for frame, recv_ns in typed:
            count += len(receive_frame(frame, recv_ns))
        took = each_ns(began, len(data))
        assert count == len(events), "a session gives the same events each time"
        return took

    def plain() -> float:
        books: Plain = {}
        began = processor_ns()
        for event in events:
            _apply_plainly(books, event)
        return each_ns(began, len(data))

    def fold() -> float:
        books = Books(Params())
        began = processor_ns()
        for event in events:
            _apply(books, event)
        return each_ns(began, len(data))

    return {_JSON: loads, _DECODE: decode, _SESSION: receive, _DICT: plain, _FOLD: fold}


def _wholes(data: list[tuple[bytes, int]]) -> dict[str, Case]:
    expected = _sizes(_plain_whole(data))

    def plain_whole() -> float:
        began = processor_ns()
        _plain_whole(data)
        return each_ns(began, len(data))

    def whole() -> float:
        receive, books = Session().receive, Books(Params())
        began = processor_ns()
        for frame, recv_ns in data:
            for event in receive(frame, recv_ns):
                _apply(books, event)
        took = each_ns(began, len(data))
        assert _levels(books) == expected, "both ways end in the same books"
        return took

    return {_PLAIN: plain_whole, _WHOLE: whole}


def _apply(books: Books, event: Event) -> None:
    if type(event) is BookDelta:
        books.delta(event)
    elif type(event) is BookSnapshot:
        books.snapshot(event)


def _apply_plainly(books: Plain, event: Event) -> None:
    if type(event) is BookDelta:
        book, key = books[event.ticker], (event.is_bid, event.price_ticks)
        book[key] = book.get(key, 0) + event.delta_cc
    elif type(event) is BookSnapshot:
        books[event.ticker] = {(True, price): size for price, size in event.bids}
        books[event.ticker] |= {(False, price): size for price, size in event.asks}


def _plain_whole(data: list[tuple[bytes, int]]) -> Plain:
    books: Plain = {}
    for raw, _ in data:
        frame = json.loads(raw)
        message = frame["msg"]
        if frame["type"] == "orderbook_delta":
            is_bid, ticks = message["side"] == "yes", parse_ticks(message["price_dollars"])
            book, key = books[message["market_ticker"]], (is_bid, ticks if is_bid else TICKS_PER_DOLLAR - ticks)
            book[key] = book.get(key, 0) + parse_cc(message["delta_fp"])
        else:
            book = books[message["market_ticker"]] = {}
            for price, size in message.get("yes_dollars_fp", ()):
                book[True, parse_ticks(price)] = parse_cc(size)
            for price, size in message.get("no_dollars_fp", ()):
                book[False, TICKS_PER_DOLLAR - parse_ticks(price)] = parse_cc(size)
    return books


def _sizes(books: Plain) -> Plain:
    """Give the books without their empty levels."""
    return {ticker: {key: size for key, size in book.items() if size} for ticker, book in books.items()}


def _levels(books: Books) -> Plain:
    found: Plain = {}
    for ticker, shelf in books.shelves.items():
        assert shelf.book is not None, "every book of the stream can be vouched for"
        bids, asks = shelf.book.levels()
        found[ticker] = {(True, price): size for price, size in bids} | {(False, price): size for price, size in asks}
    return found
