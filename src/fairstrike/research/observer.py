"""A passive witness of a replay: what the figures, scores and pictures of its report are made of.

The driver hands it every unit after the engine has folded it. It looks and counts; it changes nothing, so the
journal of a replay is the same with and without it. Most units are a few deltas of one market, so the way of a
delta through here is short: one look at the best prices, and nothing more unless they moved or a sample is due.

Sizes are bounded: of forecasts, points and marks the first so many are kept and the rest is counted.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.events import (
    BatchEnded,
    BookDelta,
    BookLost,
    BookSnapshot,
    CancelAnswered,
    ContractListed,
    Event,
    IndexPrinted,
    ListRead,
    MarketSettled,
    OffsetStepped,
    OrderAcked,
    OrderFilled,
    OrderRejected,
    OrdersRead,
    SpotSummed,
    SpotTold,
    StreamChanged,
    TickerSeen,
    TimerFired,
)
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.engine import KALSHI, Engine
from fairstrike.market.book import Book
from fairstrike.market.books import Shelf

RECENT_NS = 1_100 * MILLISECOND_NS
"""How far back a book's state may lie that a ticker is held against: the venue throttles tickers to one a second."""

_Kept = TypeVar("_Kept")
_NEVER_NS = 1 << 62
# Longer than any clock is off.
_CLOSED_FOR_NS = MINUTE_NS
_STATES_MAX = 4_096
_KEPT_MAX = 1_000_000
_SPANS_MAX = 1_000

# A run's own timers and answers come often and say nothing that is looked for.
_PASSED_OVER = frozenset({TimerFired, OrderAcked, CancelAnswered, OrdersRead, ListRead, SpotTold, SpotSummed})


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """How often each market's forecasts are taken, and how far apart points of equity lie at least."""

    score_every_ns: int = MINUTE_NS
    equity_every_ns: int = MINUTE_NS


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What model and market said of one market at one moment before its close.

    `group` is the settlement group: markets of one group have one outcome between them. Prices in ticks.
    """

    ticker: str
    group: str
    at_ns: int
    closes_in_ns: int
    p_model: float
    bid_ticks: int
    ask_ticks: int

    @property
    def p_market(self) -> float:
        """The market's forecast: the middle of its best prices, as a probability."""
        return (self.bid_ticks + self.ask_ticks) / (2 * TICKS_PER_DOLLAR)


class EquityPoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Cash and open contracts at one moment, these at the middle of the last book that was served, else at cost."""

    at_ns: int
    equity_ud: int


class Mark(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fill ("maker" or "taker") or a "settlement", and the equity right after it.

    `amount_ud` is a settlement's result after fees and a fill's fee.
    """

    at_ns: int
    kind: str
    ticker: str
    equity_ud: int
    amount_ud: int


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of one market's tape: `state` is "present", else why there was no book."""

    begin_ns: int
    end_ns: int
    state: str


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's own summaries of a market held against the rebuilt book.

    Of `tickers` those in `absent` came while there was no book; of the rest `equal_now` showed the rebuilt best
    prices, `equal_recent` those or others the book had within `RECENT_NS` before.
    """

    tickers: int = 0
    absent: int = 0
    equal_now: int = 0
    equal_recent: int = 0

    def plus(self, other: "Agreement") -> "Agreement":
        """Give both together."""
        return Agreement(
            tickers=self.tickers + other.tickers,
            absent=self.absent + other.absent,
            equal_now=self.equal_now + other.equal_now,
            equal_recent=self.equal_recent + other.equal_recent,
        )


def thinned(found: Sequence[_Kept], most: int) -> list[_Kept]:
    """Give at most `most` of these, evenly, the last one among them."""
    step = -(-len(found) // most)
    return list(found[::-step])[::-1] if step > 1 else list(found)


class _Watch:
    """What is remembered of one market."""

    __slots__ = (
        "absent",
        "ask_ticks",
        "bid_ticks",
        "book",
        "contract",
        "due_ns",
        "equal_now",
        "equal_recent",
        "is_waiting",
        "losses",
        "middle_twice",
        "shelf",
        "since_ns",
        "slice",
        "spans",
        "state",
        "states",
        "ticker",
        "tickers",
        "volume_cc",
        "volume_first_cc",
    )

    def __init__(self, ticker: str, shelf: Shelf) -> None:
        self.ticker = ticker
        self.shelf = shelf
        self.book: Book | None = None
        self.contract: Contract | None = None
        self.bid_ticks: int | None = None
        self.ask_ticks: int | None = None
        self.middle_twice: int | None = None
        self.states: deque[tuple[int, int | None, int | None]] = deque(maxlen=_STATES_MAX)
        self.slice = -1
        self.due_ns = _NEVER_NS
        self.is_waiting = False
        self.tickers = self.absent = self.equal_now = self.equal_recent = 0
        self.volume_first_cc: int | None = None
        self.volume_cc = 0
        self.state: str | None = None
        self.since_ns = 0
        self.spans: list[Span] = []
        self.losses: dict[str, int] = {}

    def take(self, book: Book | None, instant_ns: int) -> None:
        """Take the place of the book before: another one, or none."""
        if self.book is not None:
            self.middle_twice = self.middle()
        self.book = book
        shelf = self.shelf
        if book is not None:
            if self.state != "present":
                self.let_go(instant_ns)
                self.state, self.since_ns = "present", instant_ns
            self.bid_ticks, self.ask_ticks = book.bid_ticks, book.ask_ticks
            self.states.clear()
            self.states.append((instant_ns, book.bid_ticks, book.ask_ticks))
            return
        grown = [reason for reason, count in shelf.losses.items() if count > self.losses.get(reason, 0)]
        self.losses = dict(shelf.losses)
        since_ns = instant_ns if shelf.absent_since_ns is None else shelf.absent_since_ns
        self.let_go(since_ns)
        self.bid_ticks = self.ask_ticks = None
        if grown:
            self.state, self.since_ns = grown[0], since_ns

    def let_go(self, instant_ns: int) -> None:
        """End the stretch that was."""
        self.spans += self.span(instant_ns)
        self.state = None

    def span(self, end_ns: int) -> list[Span]:
        """Give the stretch that would end now, if there is one and room for it."""
        if self.state is None or end_ns <= self.since_ns or len(self.spans) >= _SPANS_MAX:
            return []
        return [Span(begin_ns=self.since_ns, end_ns=end_ns, state=self.state)]

    def middle(self) -> int | None:
        """Give twice the middle of the best prices when they last were two that are not crossed, in ticks."""
        for _, bid, ask in reversed(self.states):
            if bid is not None and ask is not None and bid < ask:
                return bid + ask
        return self.middle_twice


class Observer:
    """Sees every unit of a replay after the engine did. Read its figures when the replay is over."""

    def __init__(self, engine: Engine, params: Params | None = None) -> None:
        """Look at `engine` from now on; it is never changed from here."""
        self._engine = engine
        self._params = params or Params()
        self._watches: dict[str, _Watch] = {}
        self._open: dict[str, _Watch] = {}
        self._equity_due_ns = 0
        self._ends = 0
        self._rare: defaultdict[type[Event], int] = defaultdict(int)
        self.last_ns = 0
        self.samples: list[Sample] = []
        self.equity: list[EquityPoint] = []
        self.marks: list[Mark] = []
        self.rejected: dict[str, int] = {}
        self.left_out = 0

    def see(self, instant_ns: int, events: Sequence[Event]) -> None:
        """Look at one unit that the engine has just folded and decided on."""
        ticker = None
        for event in events:
            if type(event) is BookDelta:
                if ticker is None:
                    ticker = event.ticker
                elif event.ticker != ticker:
                    self._look(ticker, instant_ns)
                    ticker = event.ticker
            elif type(event) is BatchEnded:
                self._ends += 1
            else:
                self._see_rare(event, instant_ns)
        if ticker is None:
            return
        watch = self._watches.get(ticker) or self._watch(ticker)
        book = watch.shelf.book
        if book is not watch.book:
            self._replaced(watch, instant_ns)
        elif book is not None and (book.bid_ticks != watch.bid_ticks or book.ask_ticks != watch.ask_ticks):
            bid, ask = watch.bid_ticks, watch.ask_ticks = book.bid_ticks, book.ask_ticks
            watch.states.append((instant_ns, bid, ask))
        if instant_ns >= watch.due_ns and type(events[-1]) is BatchEnded:
            self._sample(watch, instant_ns)

    def kinds(self, events: int) -> dict[str, int]:
        """Give how many of all `events` were of each kind, most of them first; what was not counted is deltas."""
        deltas = events - self._ends - sum(self._rare.values())
        counts = {BookDelta.__name__: deltas, BatchEnded.__name__: self._ends}
        counts |= {kind.__name__: count for kind, count in self._rare.items()}
        return dict(sorted(((k, n) for k, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0])))

    def agreement(self, ticker: str) -> Agreement:
        """Give how often a market's tickers agreed with its book."""
        watch = self._watches.get(ticker)
        if watch is None:
            return Agreement()
        return Agreement(
            tickers=watch.tickers, absent=watch.absent, equal_now=watch.equal_now, equal_recent=watch.equal_recent
        )

    def volume_cc(self, ticker: str) -> int | None:
        """Give the contracts traded between a market's first and last ticker, None without tickers."""
        watch = self._watches.get(ticker)
        return None if watch is None or watch.volume_first_cc is None else watch.volume_cc - watch.volume_first_cc

    def spans(self, ticker: str) -> list[Span]:
        """Give when a market's book was there and when it was not, in order of time."""
        watch = self._watches.get(ticker)
        if watch is None:
            return []
        return [*watch.spans, *watch.span(self.last_ns)]

    def _watch(self, ticker: str) -> _Watch:
        """Give a market's watch, made at its first event and joined to its book and contract once there are any."""
        watch = self._watches.get(ticker)
        if watch is None:
            watch = self._watches[ticker] = _Watch(ticker, Shelf())
        watch.shelf = self._engine.books.shelves.get(ticker) or watch.shelf
        listing = self._engine.catalog.listings.get(ticker)
        if listing is not None and listing.contract is not watch.contract:
            watch.contract = listing.contract
            self._open[ticker] = watch
            watch.due_ns, watch.is_waiting = 0, False
        return watch

    def _see_rare(self, event: Event, instant_ns: int) -> None:
        """See an event that is no delta and no end of a batch; tickers and prints come often, and time the equity."""
        kind = type(event)
        self._rare[kind] += 1
        if kind in _PASSED_OVER:
            return
        self.last_ns = instant_ns
        if instant_ns >= self._equity_due_ns:
            self._point(instant_ns)
        match event:
            case TickerSeen():
                self._hold_against(self._watches.get(event.ticker) or self._watch(event.ticker), event)
            case IndexPrinted():
                self._printed(event.asset, instant_ns)
            case BookSnapshot() | BookLost():
                self._look(event.ticker, instant_ns)
            case ContractListed():
                self._watch(event.contract.ticker)
            case OffsetStepped():
                for watch in self._open.values():
                    watch.due_ns = 0
            case StreamChanged() if event.source == KALSHI:
                for watch in self._watches.values():
                    self._replaced(watch, instant_ns)
                    watch.let_go(instant_ns)
            case OrderFilled():
                self._mark(event)
            case MarketSettled():
                self._settled(event)
            case OrderRejected():
                self.rejected[event.code] = self.rejected.get(event.code, 0) + 1
            case _:
                pass

    def _look(self, ticker: str, instant_ns: int) -> None:
        watch = self._watch(ticker)
        self._replaced(watch, instant_ns)
        if watch.is_waiting:
            watch.due_ns, watch.is_waiting = 0, False
        if instant_ns >= watch.due_ns:
            self._sample(watch, instant_ns)

    @staticmethod
    def _replaced(watch: _Watch, instant_ns: int) -> None:
        """Note that a book came, went, or made place for another, and the best prices after that."""
        book = watch.shelf.book
        if book is not watch.book:
            watch.take(book, instant_ns)
        elif book is not None and (book.bid_ticks, book.ask_ticks) != (watch.bid_ticks, watch.ask_ticks):
            watch.bid_ticks, watch.ask_ticks = book.bid_ticks, book.ask_ticks
            watch.states.append((instant_ns, book.bid_ticks, book.ask_ticks))

    def _hold_against(self, watch: _Watch, seen: TickerSeen) -> None:
        """Hold the venue's summary against the book as it is after this unit, and as it was shortly before."""
        watch.tickers += 1
        watch.volume_cc = seen.volume_cc
        if watch.volume_first_cc is None:
            watch.volume_first_cc = seen.volume_cc
        self._replaced(watch, seen.recv_ns)
        if watch.book is None:
            watch.absent += 1
            return
        bid, ask = seen.bid_ticks, seen.ask_ticks
        if bid == watch.bid_ticks and ask == watch.ask_ticks:
            watch.equal_now += 1
            watch.equal_recent += 1
            return
        states, from_ns = watch.states, seen.recv_ns - RECENT_NS
        # A state holds until the next one, so the last one before that moment still counts.
        while len(states) > 1 and states[1][0] <= from_ns:
            states.popleft()
        watch.equal_recent += any(was_bid == bid and was_ask == ask for _, was_bid, was_ask in states)

    def _printed(self, asset: str, instant_ns: int) -> None:
        """Look at the markets of an asset whose forecast is due, now that there may be a fair value."""
        for watch in list(self._open.values()):
            if watch.contract is None or watch.contract.asset != asset:
                continue
            if watch.is_waiting:
                watch.due_ns, watch.is_waiting = 0, False
            if instant_ns >= watch.due_ns:
                self._sample(watch, instant_ns)

    def _sample(self, watch: _Watch, instant_ns: int) -> None:
        """Take a market's forecasts, once in each slice of its time to the close."""
        if watch.contract is not None and instant_ns > watch.contract.close_ns + _CLOSED_FOR_NS:
            self._leave(watch)
            return
        book = self._engine.books.served(watch.ticker)
        if book is None or book.bid_ticks is None or book.ask_ticks is None or watch.contract is None:
            return
        view = self._engine.view(instant_ns, watch.ticker)
        if view.closes_in_ns <= 0:
            self._leave(watch)
            return
        number = (view.closes_in_ns - 1) // self._params.score_every_ns
        if number != watch.slice:
            if view.p_fair is None:
                # A print of the index may bring one back, or a snapshot: it shows what a ladder implies.
                watch.due_ns, watch.is_waiting = _NEVER_NS, True
                return
            watch.slice = number
            self._keep(watch.contract, book.bid_ticks, book.ask_ticks, (instant_ns, view.closes_in_ns, view.p_fair))
        watch.due_ns = instant_ns + view.closes_in_ns - number * self._params.score_every_ns

    def _leave(self, watch: _Watch) -> None:
        """Ask no more of a market that is closed."""
        watch.due_ns, watch.is_waiting = _NEVER_NS, False
        self._open.pop(watch.ticker, None)

    def _keep(self, contract: Contract, bid: int, ask: int, when: tuple[int, int, float]) -> None:
        if len(self.samples) >= _KEPT_MAX:
            self.left_out += 1
            return
        at_ns, closes_in_ns, p_model = when
        sample = Sample(
            ticker=contract.ticker,
            group=contract.group,
            at_ns=at_ns,
            closes_in_ns=closes_in_ns,
            p_model=p_model,
            bid_ticks=bid,
            ask_ticks=ask,
        )
        self.samples.append(sample)

    def _mark(self, fill: OrderFilled) -> None:
        self._point(fill.recv_ns)
        kind = "taker" if fill.is_taker else "maker"
        self._add_mark(fill.recv_ns, kind, fill.ticker, fill.fee_ud)

    def _settled(self, event: MarketSettled) -> None:
        ledger = self._engine.clerk.ledger
        self._point(event.recv_ns)
        if any(ticker == event.ticker for _, ticker in ledger.results):
            self._add_mark(event.recv_ns, "settlement", event.ticker, ledger.market_pnl_ud.get(event.ticker, 0))

    def _add_mark(self, at_ns: int, kind: str, ticker: str, amount_ud: int) -> None:
        if len(self.marks) >= _KEPT_MAX or not self.equity:
            self.left_out += 1
            return
        equity_ud = self.equity[-1].equity_ud
        self.marks.append(Mark(at_ns=at_ns, kind=kind, ticker=ticker, equity_ud=equity_ud, amount_ud=amount_ud))

    def _point(self, at_ns: int) -> None:
        """Add a point of equity; a later one of the same instant takes its place."""
        if not self._engine.clerk.is_open:
            return
        self._equity_due_ns = at_ns + self._params.equity_every_ns
        if self.equity and self.equity[-1].at_ns == at_ns:
            self.equity.pop()
        if len(self.equity) >= _KEPT_MAX:
            self.left_out += 1
            return
        self.equity.append(EquityPoint(at_ns=at_ns, equity_ud=self._equity_ud()))

    def _equity_ud(self) -> int:
        ledger = self._engine.clerk.ledger
        equity_ud = ledger.cash_ud
        for ticker, position in ledger.positions.items():
            if not position.net_cc:
                continue
            watch = self._watches.get(ticker)
            middle = None if watch is None else watch.middle()
            if middle is None:
                equity_ud += position.cost_ud
            elif position.net_cc > 0:
                equity_ud += position.net_cc * middle // 2
            else:
                equity_ud += -position.net_cc * (2 * TICKS_PER_DOLLAR - middle) // 2
        return equity_ud
