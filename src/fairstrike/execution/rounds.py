"""Rounds: what is read again and again. The markets, the lists of our orders, and books by REST.

While the stream is down every watched book is read by REST every `poll_every_ns`. A book that came so is marked as
polled: it serves display, valuation and exits, and goes when the stream's own snapshot comes.
"""

from collections.abc import Collection, Iterable

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.effects import Ask, SetTimer
from fairstrike.core.events import BooksRead, StreamChanged
from fairstrike.core.timing import HOUR_NS, MINUTE_NS, SECOND_NS
from fairstrike.execution.clerk import Clerk, Notes
from fairstrike.market.books import Books

CATALOG, WINDOWS, ORDERS, POLL = "catalog", "windows", "orders", "poll"


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Series traded, when their markets are watched, and how often what is read (15-minute ones: `windows`).

    A market is watched from `watch_within_ns` before its close until it is settled, or `watch_after_ns` after it.
    """

    series: tuple[str, ...] = ()
    watch_within_ns: int = 2 * HOUR_NS
    watch_after_ns: int = 15 * MINUTE_NS
    catalog_every_ns: int = 60 * SECOND_NS
    windows_every_ns: int = 15 * SECOND_NS
    pulse_ns: int = SECOND_NS
    poll_every_ns: Positive = 2 * SECOND_NS


class Rounds:
    """Keeps the timers of what is read again and again. `watched` are the markets watched, as the engine has them."""

    def __init__(self, params: Params, notes: Notes, books: Books, clerk: Clerk, watched: Collection[str]) -> None:
        """Take what to read and how often; nothing is asked for before `start`."""
        self._params = params
        self._notes = notes
        self._books = books
        self._clerk = clerk
        self._watched = watched
        self._is_streaming = self._is_polling = self._is_asking = False

    def start(self, now_ns: int) -> None:
        """Read the markets and what rests, and set the timers that do so again."""
        for name in (CATALOG, WINDOWS, ORDERS):
            self.on_timer(name, now_ns)

    def on_timer(self, name: str, now_ns: int) -> Iterable[str]:
        """Go on with what a timer was set for. Gives the markets whose books that changed."""
        match name:
            case "catalog" | "windows":
                self._read_markets(name, now_ns)
            case "poll":
                return self._poll(now_ns)
            case _:
                self._clerk.on_timer(name, now_ns)
        return ()

    def stream_changed(self, event: StreamChanged) -> Iterable[str]:
        """Poll from when it is told that there is no stream. Gives the markets whose books are lost with it."""
        self._clerk.stream_changed(event)
        self._is_streaming = event.is_up
        if event.is_up:
            return ()
        if not self._is_polling:
            self._want_poll(event.recv_ns)
        return self._books.disconnected(event.recv_ns)

    def books_read(self, event: BooksRead) -> Iterable[str]:
        """Take books by REST in, which come too late when the stream is back. Gives whose changed."""
        self._is_asking = False
        if self._is_streaming:
            return ()
        for book in event.books:
            self._books.polled(book)
        return [book.ticker for book in event.books]

    def ask_failed(self, what: str) -> None:
        """Note that a read came to nothing: its timer asks again."""
        self._clerk.ask_failed(what)
        if what == "books":
            self._is_asking = False

    def _read_markets(self, name: str, now_ns: int) -> None:
        is_window = name == WINDOWS
        self._notes.want(*(Ask(what="markets", key=s) for s in self._params.series if s.endswith("15M") is is_window))
        self._clerk.ask_outstanding(now_ns)
        every_ns = self._params.windows_every_ns if is_window else self._params.catalog_every_ns
        if self._params.series:
            self._notes.want(SetTimer(name=name, due_ns=now_ns + every_ns))

    def _want_poll(self, now_ns: int) -> None:
        self._is_polling = True
        self._notes.want(SetTimer(name=POLL, due_ns=now_ns + self._params.poll_every_ns))

    def _poll(self, now_ns: int) -> Iterable[str]:
        gone = self._books.expired(now_ns)
        if not self._is_streaming and self._watched and not self._is_asking:
            self._is_asking = True
            self._notes.want(Ask(what="books", key=",".join(self._watched)))
        self._is_polling = False
        if not self._is_streaming or self._books.has_polled:
            self._want_poll(now_ns)
        return gone
