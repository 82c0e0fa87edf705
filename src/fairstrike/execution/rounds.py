"""Rounds: what is read again and again. The markets, the lists of our orders, and books by REST.

While the stream is down every watched book is read by REST every `poll_every_ns`. A book that came so is marked as
polled: it serves display, valuation and exits, and goes when the stream's own snapshot comes.

While the stream is up its books are audited every `audit_every_ns`. From `audit_lag_ns` before the books are asked for
by REST until as long after they came, each level that changes is noted; then what did not change must be equal.
"""

from collections.abc import Callable, Iterable

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.contract import Contract, Timeframe
from fairstrike.core.effects import Ask, Resubscribe, SetTimer, Warn
from fairstrike.core.events import AskFailed, BookSnapshot, BooksRead, StreamChanged
from fairstrike.core.timing import HOUR_NS, MINUTE_NS, SECOND_NS
from fairstrike.execution.clerk import Clerk, Notes
from fairstrike.market.books import AUDIT, Books

CATALOG, WINDOWS, ORDERS, POLL = "catalog", "windows", "orders", "poll"
AUDIT_BEGIN, AUDIT_ASK, AUDIT_END = "audit", "audit ask", "audit end"


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Series traded, when their markets are watched, and how often what is read (15-minute ones: `windows`).

    A market of one of the `timeframes` is watched from `watch_within_ns` before its close until it is settled, or
    `watch_after_ns` after it. What nobody needs is forgotten `forget_after_ns` after its close: later than the venue's
    lists, asked for by close, tell of it.
    """

    series: tuple[str, ...] = ()
    timeframes: tuple[Timeframe, ...] = tuple(Timeframe)
    watch_within_ns: int = 2 * HOUR_NS
    watch_after_ns: int = 15 * MINUTE_NS
    forget_after_ns: Positive = 3 * HOUR_NS
    catalog_every_ns: int = 60 * SECOND_NS
    windows_every_ns: int = 15 * SECOND_NS
    pulse_ns: int = SECOND_NS
    poll_every_ns: Positive = 2 * SECOND_NS
    audit_every_ns: Positive = 60 * SECOND_NS
    audit_lag_ns: Positive = SECOND_NS

    def watches(self, contract: Contract, closes_in_ns: int) -> bool:
        """Whether a market is to be watched that closes in so many nanoseconds."""
        return contract.timeframe in self.timeframes and 0 < closes_in_ns <= self.watch_within_ns


class Rounds:
    """Keeps the timers of what is read again and again."""

    def __init__(
        self, params: Params, notes: Notes, books: Books, clerk: Clerk, watched: Callable[[int], list[str]]
    ) -> None:
        """Take what to read and how often; nothing is asked for before `start`.

        `watched` gives the markets that are watched and open at an instant.
        """
        self._params = params
        self._notes = notes
        self._books = books
        self._clerk = clerk
        self._watched = watched
        self._is_streaming = self._is_polling = self._is_asking = False
        self._audited: list[str] = []
        self._audit_since_ns = 0
        self._answers: list[BookSnapshot] = []

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
            case "audit":
                self._begin_audit(now_ns)
            case "audit ask":
                self._ask_audit()
            case "audit end":
                return self._end_audit(now_ns)
            case _:
                self._clerk.on_timer(name, now_ns)
        return ()

    def stream_changed(self, event: StreamChanged) -> Iterable[str]:
        """Audit while there is a stream and poll while there is none; a replay, which reads no markets, does neither.

        Gives the markets whose books are lost with the stream.
        """
        self._clerk.stream_changed(event)
        self._is_streaming = event.is_up
        if self._params.series:
            if event.is_up:
                self._want(AUDIT_BEGIN, event.recv_ns + self._params.audit_every_ns)
            elif not self._is_polling:
                self._want_poll(event.recv_ns)
        return () if event.is_up else self._books.disconnected(event.recv_ns)

    def books_read(self, event: BooksRead) -> Iterable[str]:
        """Take books by REST in: an audit's, or polled ones, which come too late when the stream is back.

        Gives the markets whose books changed.
        """
        self._is_asking = False
        if self._is_streaming:
            if self._audited and event.asked_ns >= self._audit_since_ns:
                self._answers += event.books
                self._want(AUDIT_END, event.recv_ns + self._params.audit_lag_ns)
            return ()
        for book in event.books:
            self._books.polled(book)
        return [book.ticker for book in event.books]

    def ask_failed(self, event: AskFailed) -> None:
        """Note that a read came to nothing, and warn: its timer asks again."""
        self._notes.want(Warn(text=f"reading {event.what} failed: {event.reason}"))
        self._clerk.ask_failed(event.what)
        if event.what == "books":
            self._is_asking = False

    def _read_markets(self, name: str, now_ns: int) -> None:
        is_window = name == WINDOWS
        self._notes.want(*(Ask(what="markets", key=s) for s in self._params.series if s.endswith("15M") is is_window))
        self._clerk.ask_outstanding(now_ns)
        every_ns = self._params.windows_every_ns if is_window else self._params.catalog_every_ns
        if self._params.series:
            self._want(name, now_ns + every_ns)

    def _want(self, name: str, due_ns: int) -> None:
        self._notes.want(SetTimer(name=name, due_ns=due_ns))

    def _want_poll(self, now_ns: int) -> None:
        self._is_polling = True
        self._want(POLL, now_ns + self._params.poll_every_ns)

    def _poll(self, now_ns: int) -> Iterable[str]:
        gone = self._books.expired(now_ns)
        if not self._is_streaming:
            self._ask_books(self._watched(now_ns))
        self._is_polling = False
        if not self._is_streaming or self._books.has_polled:
            self._want_poll(now_ns)
        return gone

    def _ask_books(self, tickers: list[str]) -> None:
        if tickers and not self._is_asking:
            self._is_asking = True
            self._notes.want(Ask(what="books", key=",".join(tickers)))

    def _begin_audit(self, now_ns: int) -> None:
        if not self._is_streaming:
            return
        self._audit_since_ns, self._answers = now_ns, []
        self._audited = self._books.begin_audit(self._watched(now_ns))
        self._want(AUDIT_ASK, now_ns + self._params.audit_lag_ns)
        self._want(AUDIT_BEGIN, now_ns + self._params.audit_every_ns)

    def _ask_audit(self) -> None:
        if self._is_streaming:
            self._ask_books(self._audited)

    def _end_audit(self, now_ns: int) -> Iterable[str]:
        """Compare what was read with the stream's books; give the markets whose books had to be dropped."""
        dropped: list[str] = []
        still_open = set(self._watched(now_ns))
        for rest in self._answers:
            if rest.ticker in still_open and (levels := self._books.audit(rest, now_ns)):
                dropped.append(rest.ticker)
                text = f"{rest.ticker}: REST shows another book than the stream on {levels} levels; it is read anew"
                self._notes.want(Warn(text=text), Resubscribe(tickers=(rest.ticker,), reason=AUDIT))
        self._audited, self._answers = [], []
        return dropped
