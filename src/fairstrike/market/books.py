"""Every market's book, present or absent, and what was wrong when it is absent.

A book is served only when it can be vouched for. It becomes absent when its session lost frames (`BookLost`),
when a delta cannot belong to it, when it stays crossed, or when it is frozen: a ticker received more than
`frozen_after_ns` after the book's last frame shows other best prices. It comes back with the next snapshot.

A book is late when such a ticker is stamped as much later than the book's last change: the venue sends both, but the
book's frames are held up somewhere. It is not served until a change comes that is no older than the ticker, a ticker
agrees, or an audit finds it equal while nothing changed: a market may be still from then on.
Source: a capture of 13 May 2026, in which book frames came six seconds after tickers of the same instant.

A crossed or locked book is normal inside one venue instant (a match is several frames); it is not served, and
becomes a fault when it outlives `crossed_hold_ns` and a frame with a later venue stamp.

While the stream is down a book may come by REST. It is marked as polled, goes when it is not read again within
`polled_for_ns`, and goes for good when the stream's snapshot comes. Deltas never meet it: a stream tells none before
its snapshot.

An audit holds the stream's books against REST's, level by level. Neither is as of one known instant, so levels that
changed around the request are left out; any other that differs says that a frame was missed, and the book is dropped.
"""

from collections.abc import Callable, Iterable

import msgspec

from fairstrike.core.bounds import Count, Positive
from fairstrike.core.events import BookDelta, BookLost, BookSnapshot, TickerSeen
from fairstrike.core.order import Order
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.market.book import Book, BookView
from fairstrike.market.others import others

MOMENT_OVER = "the moment is over"
"""Why a polled book is lost: nothing was wrong with it, and no time after it counts as time without a book."""

AUDIT = "audit"
"""Why a book is lost that REST shows otherwise."""

EXPECTED_LOSSES = frozenset({"disconnected", "reconnected", MOMENT_OVER})
"""Why a book is lost that comes back without being asked for."""


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of trust in a book, in nanoseconds of venue time."""

    frozen_after_ns: Positive = 2 * SECOND_NS
    crossed_hold_ns: Count = 5 * MILLISECOND_NS
    polled_for_ns: Positive = 6 * SECOND_NS


class Shelf:
    """One market's book with what is known about its health.

    `losses` counts why it was lost, `absent_ns` for how long; `final_bests` are those after its last frame; `stamp_ns`
    is the venue's stamp of the latest frame not yet judged, `changed_ns` that of the latest change, which must reach
    `late_until_ns` to be served. `is_polled` tells that the book came by REST; `touched` are the levels (is it a bid,
    price) that changed since an audit began.
    """

    __slots__ = (
        "absent_ns",
        "absent_since_ns",
        "book",
        "changed_ns",
        "crossed_since_ns",
        "crossed_venue_ns",
        "final_bests",
        "is_polled",
        "last_frame_ns",
        "late_until_ns",
        "losses",
        "stamp_ns",
        "touched",
    )

    def __init__(self) -> None:
        """Start absent: nothing was received yet."""
        self.book: Book | None = None
        self.is_polled = False
        self.last_frame_ns = 0
        self.stamp_ns: int | None = None
        self.changed_ns: int | None = None
        self.late_until_ns = 0
        self.touched: set[tuple[bool, int]] | None = None
        self.crossed_since_ns: int | None = None
        self.crossed_venue_ns: int | None = None
        self.absent_since_ns: int | None = None
        self.absent_ns = 0
        self.losses: dict[str, int] = {}
        self.final_bests: tuple[int | None, int | None] = (None, None)

    @property
    def is_late(self) -> bool:
        """Whether a ticker showed that the venue's book has moved on."""
        return self.changed_ns is not None and self.changed_ns < self.late_until_ns


class Books:
    """All books. `snapshot`, `delta`, `lost`, `ticker` fold events; `served` hands out what can be trusted."""

    def __init__(self, params: Params, *, holds_own: bool = False) -> None:
        """Start with no book at all. `holds_own` says that our own orders rest in these books, as at the venue."""
        self._params = params
        self._holds_own = holds_own
        self.shelves: dict[str, Shelf] = {}

    def snapshot(self, event: BookSnapshot) -> None:
        """Replace a market's book."""
        shelf = self._shelf(event.ticker)
        shelf.book = Book(event.bids, event.asks)
        shelf.is_polled, shelf.touched = False, None
        shelf.last_frame_ns, shelf.stamp_ns = event.recv_ns, event.venue_ns
        shelf.crossed_since_ns = shelf.changed_ns = None
        if shelf.absent_since_ns is not None:
            shelf.absent_ns += event.recv_ns - shelf.absent_since_ns
            shelf.absent_since_ns = None

    def polled(self, event: BookSnapshot) -> None:
        """Take in a book by REST, where the stream gives none; a crossed or locked one cannot be vouched for."""
        shelf = self._shelf(event.ticker)
        if shelf.book is not None and not shelf.is_polled:
            return
        book = Book(event.bids, event.asks)
        shelf.is_polled = not book.is_crossed
        shelf.book = book if shelf.is_polled else None
        shelf.last_frame_ns = event.recv_ns

    def expired(self, now_ns: int) -> list[str]:
        """Drop the polled books that were not read again in time; give their markets."""
        since_ns = now_ns - self._params.polled_for_ns
        gone = [ticker for ticker, shelf in self.shelves.items() if shelf.is_polled and shelf.last_frame_ns < since_ns]
        for ticker in gone:
            self.shelves[ticker].book, self.shelves[ticker].is_polled = None, False
        return gone

    @property
    def has_polled(self) -> bool:
        """Whether any book came by REST."""
        return any(shelf.is_polled for shelf in self.shelves.values())

    def is_polled(self, ticker: str) -> bool:
        """Whether a market's book came by REST."""
        shelf = self.shelves.get(ticker)
        return shelf is not None and shelf.is_polled

    def delta(self, event: BookDelta) -> bool:
        """Change one level. Gives False when the book had to be dropped: ask for a fresh snapshot."""
        shelf = self.shelves.get(event.ticker)
        if shelf is None or shelf.book is None:
            if shelf is not None:
                shelf.final_bests = (None, None)
            return True
        shelf.last_frame_ns, shelf.stamp_ns = event.recv_ns, event.venue_ns
        shelf.changed_ns = event.venue_ns
        if not shelf.book.apply(event.is_bid, event.price_ticks, event.delta_cc):
            self._drop(shelf, "impossible", event.recv_ns)
            return False
        if shelf.touched is not None:
            shelf.touched.add((event.is_bid, event.price_ticks))
        return True

    def begin_audit(self, tickers: Iterable[str]) -> list[str]:
        """Note from now on which levels change; give which of the markets have a book of the stream."""
        for shelf in self.shelves.values():
            shelf.touched = None
        found = [ticker for ticker in tickers if self._is_auditable(ticker)]
        for ticker in found:
            self.shelves[ticker].touched = set()
        return found

    def audit(self, rest: BookSnapshot, now_ns: int) -> int:
        """Hold a book by REST against the stream's, which is dropped when they differ.

        Gives on how many levels they differ that did not change since `begin_audit`; 0 for a book that came later.
        """
        shelf = self._shelf(rest.ticker)
        touched, shelf.touched = shelf.touched, None
        if touched is None or shelf.book is None or shelf.is_polled:
            return 0
        sides = zip((True, False), shelf.book.levels(), Book(rest.bids, rest.asks).levels(), strict=True)
        unlike = {(is_bid, price) for is_bid, ours, theirs in sides for price, _ in set(ours) ^ set(theirs)} - touched
        if unlike:
            self._drop(shelf, AUDIT, now_ns)
        elif not touched:
            shelf.late_until_ns = 0
        return len(unlike)

    def lost(self, event: BookLost) -> None:
        """Make a book absent; one that is absent already stays so for its first reason."""
        shelf = self._shelf(event.ticker)
        if shelf.book is None or shelf.is_polled:
            return
        if event.reason == MOMENT_OVER:
            shelf.final_bests = (shelf.book.bid_ticks, shelf.book.ask_ticks)
            shelf.book = None
        else:
            self._drop(shelf, event.reason, event.recv_ns)

    def disconnected(self, now_ns: int) -> list[str]:
        """Note that a connection ended: the stream's books are absent, and no absence is counted past this instant.

        Gives the markets whose books there were.
        """
        for shelf in self.shelves.values():
            if shelf.absent_since_ns is not None:
                shelf.absent_ns += now_ns - shelf.absent_since_ns
                shelf.absent_since_ns = None
            if shelf.book is not None and not shelf.is_polled:
                shelf.final_bests = (shelf.book.bid_ticks, shelf.book.ask_ticks)
                shelf.book = None
        return list(self.shelves)

    def ticker(self, event: TickerSeen) -> bool:
        """Hold the venue's summary against the book. Gives False when the book is frozen and was dropped."""
        shelf, bound_ns = self.shelves.get(event.ticker), self._params.frozen_after_ns
        if shelf is None or shelf.book is None or shelf.is_polled:
            return True
        if (event.bid_ticks, event.ask_ticks) == (shelf.book.bid_ticks, shelf.book.ask_ticks):
            shelf.late_until_ns = 0
            return True
        if event.recv_ns - shelf.last_frame_ns <= bound_ns:
            stamped, changed_ns = event.venue_ns, shelf.changed_ns
            if stamped is not None and changed_ns is not None and stamped - changed_ns > bound_ns:
                shelf.late_until_ns = stamped
            return True
        self._drop(shelf, "frozen", event.recv_ns)
        return False

    def is_kept(self, ticker: str) -> bool:
        """Whether there is a book, be it held back for a moment."""
        shelf = self.shelves.get(ticker)
        return shelf is not None and shelf.book is not None

    def served(self, ticker: str) -> Book | None:
        """Give a market's book when it can be vouched for and is neither crossed nor locked, nor late."""
        shelf = self.shelves.get(ticker)
        if shelf is None or shelf.book is None or shelf.book.is_crossed or shelf.is_late:
            return None
        return shelf.book

    def shown(self, ticker: str, working: Callable[[str], Iterable[Order]]) -> BookView | None:
        """Give the served book without our own orders in it; `working` gives those of a market."""
        book = self.served(ticker)
        return others(book, working(ticker)) if self._holds_own and book is not None else book

    def judge_crossing(self, ticker: str, now_ns: int) -> str:
        """Tell whether a book is "open", "held" (crossed, wait) or "fault" (crossed too long, dropped).

        Asked again without a frame in between, by a timer, it need not wait for a later stamp.
        """
        shelf = self.shelves.get(ticker)
        if shelf is None:
            return "open"
        venue_ns, shelf.stamp_ns = shelf.stamp_ns, None
        if shelf.book is None or not shelf.book.is_crossed:
            shelf.crossed_since_ns = None
            return "open"
        if shelf.crossed_since_ns is None:
            shelf.crossed_since_ns, shelf.crossed_venue_ns = now_ns, venue_ns
            return "held"
        outlived = now_ns - shelf.crossed_since_ns > self._params.crossed_hold_ns
        later = venue_ns is None or shelf.crossed_venue_ns is None or venue_ns > shelf.crossed_venue_ns
        if not (outlived and later):
            return "held"
        self._drop(shelf, "crossed", now_ns)
        return "fault"

    def hold_ends_ns(self, ticker: str) -> int:
        """Give the instant from which a book that is held back for being crossed may be judged a fault."""
        since_ns = self.shelves[ticker].crossed_since_ns
        assert since_ns is not None, "only a crossed book is held"
        return since_ns + self._params.crossed_hold_ns + 1

    def forget(self, ticker: str) -> None:
        """Keep no book of a market, nor how often it was lost."""
        self.shelves.pop(ticker, None)

    def _is_auditable(self, ticker: str) -> bool:
        shelf = self.shelves.get(ticker)
        return shelf is not None and shelf.book is not None and not (shelf.is_polled or shelf.book.is_crossed)

    def _shelf(self, ticker: str) -> Shelf:
        return self.shelves.setdefault(ticker, Shelf())

    @staticmethod
    def _drop(shelf: Shelf, reason: str, now_ns: int) -> None:
        shelf.losses[reason] = shelf.losses.get(reason, 0) + 1
        if shelf.book is not None and reason == "frozen":
            shelf.final_bests = (shelf.book.bid_ticks, shelf.book.ask_ticks)
        else:
            shelf.final_bests = (None, None)
        shelf.book = None
        shelf.crossed_since_ns = None
        if shelf.absent_since_ns is None:
            shelf.absent_since_ns = now_ns
