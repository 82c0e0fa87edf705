"""Books known for a moment only: a poll shows what stood there once and says nothing of the time after it.

Each book is served from its capture on for `MOMENT_NS`, long enough for an order to arrive and be answered, and is
absent from then until the next capture.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from fairstrike.core.events import BatchEnded, BookLost, BookSnapshot, Event, Level
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR
from fairstrike.market.books import MOMENT_OVER
from fairstrike.research.importers.base import Unit

MOMENT_NS = SECOND_NS
UNKNOWN_SIZE_CC = 10 * CC_PER_CONTRACT
"""What is taken to stand at a best price whose size was not recorded."""


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll told: an instant, what to say first, and the books."""

    at_ns: int
    events: list[Event]
    books: list[BookSnapshot]


def units(captures: Iterable[Capture]) -> Iterator[Unit]:
    """Give each capture as one unit, and a unit when its moment is over. Captures come in order of time.

    Of two books of one market in one capture the last stands.
    """
    ends: deque[tuple[int, list[BookSnapshot]]] = deque()
    latest: dict[str, int] = {}
    for capture in captures:
        while ends and ends[0][0] < capture.at_ns:
            yield from _ended(*ends.popleft(), latest)
        batch = BatchEnded(recv_ns=capture.at_ns)
        yield capture.at_ns, [*capture.events, *capture.books, batch]
        end_ns = capture.at_ns + MOMENT_NS
        ends.append((end_ns, capture.books))
        latest.update((book.ticker, end_ns) for book in capture.books)
    while ends:
        yield from _ended(*ends.popleft(), latest)


def top_of_book(ticker: str, at_ns: int, bid_ticks: int | None, ask_ticks: int | None) -> BookSnapshot:
    """Give a book of best prices whose sizes are unknown; a side at 0 or 1 dollar is empty."""
    bids: tuple[Level, ...] = ((bid_ticks, UNKNOWN_SIZE_CC),) if bid_ticks else ()
    has_ask = ask_ticks is not None and ask_ticks < TICKS_PER_DOLLAR
    asks: tuple[Level, ...] = ((ask_ticks, UNKNOWN_SIZE_CC),) if has_ask and ask_ticks is not None else ()
    return BookSnapshot(ticker=ticker, bids=bids, asks=asks, recv_ns=at_ns)


def _ended(end_ns: int, books: list[BookSnapshot], latest: dict[str, int]) -> Iterator[Unit]:
    over = list(dict.fromkeys(book.ticker for book in books if latest.get(book.ticker) == end_ns))
    for ticker in over:
        del latest[ticker]
    if over:
        lost: list[Event] = [BookLost(ticker=ticker, reason=MOMENT_OVER, recv_ns=end_ns) for ticker in over]
        yield end_ns, [*lost, BatchEnded(recv_ns=end_ns)]
