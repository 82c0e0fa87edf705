"""What a market's book does, measured on its recorded stream: how often, how large, how wide, how long.

Time is the venue's own (the stamp of a delta; its receipt where it has none). A state lasts from the last delta of one
venue instant to the first of the next, for what stands inside an instant is nobody's book: a match is several frames.
Spread and sizes are weighted by how long they stood, and only while both sides are there and the book is not crossed.

Everything is counted in whole numbers in a `Pool`, one a market, so that a market whose stream turns out to be broken
can be left out of the sums. Prices in ticks, sizes in centicontracts.
"""

from bisect import bisect_left

import msgspec

from fairstrike.core.events import BookDelta, TickerSeen
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS
from fairstrike.market.book import Book
from fairstrike.market.books import Books
from fairstrike.research.tally import Tally

DELAY_UNIT_NS = MILLISECOND_NS // 10
STRETCHES = (
    "last minute",
    "2–1 min",
    "5–2 min",
    "10–5 min",
    "15–10 min",
    "30–15 min",
    "60–30 min",
    "more than 60 min",
)
"""The stretches of a market's life by time to its close, the last first."""

_ENDS_NS = tuple(minutes * MINUTE_NS for minutes in (0, 1, 2, 5, 10, 15, 30, 60))
_BID, _ASK = Side.BID, Side.ASK
_RECENT_NS = 10 * SECOND_NS
_INSTANTS_MAX = 4_096
_LEVELS_MAX = 1_000_000
_CROSSED, _LOCKED = "crossed", "locked"


def stretch_at(left_ns: int) -> int | None:
    """Give the number of the stretch in which `left_ns` are left to the close, None after the close.

    A stretch holds its beginning: with exactly one minute left it is the last minute.
    """
    return None if left_ns < 0 else max(0, bisect_left(_ENDS_NS, left_ns) - 1)


class StretchPool(msgspec.Struct):
    """One stretch of time to close. `sizes` are of both best prices together, weighted by time (ns).

    `changes` counts every change of a best price, `moves` those from one venue instant to the next; both between
    books with two sides. `trading_ns` is the time between tickers that showed a trade.
    """

    spreads: Tally = msgspec.field(default_factory=Tally)
    sizes: Tally = msgspec.field(default_factory=Tally)
    sizes_seen: Tally = msgspec.field(default_factory=Tally)
    levels: Tally = msgspec.field(default_factory=Tally)
    two_sided_ns: int = 0
    changes: int = 0
    moves: int = 0
    volume_cc: int = 0
    volume_ns: int = 0
    trading_ns: int = 0


class Pool(msgspec.Struct):
    """All that is counted. `per_second` and `per_instant` are deltas; `lives` ms; `delays` tenths of a millisecond.

    `crossed` and `locked` are the lengths of such spells in deltas, `outlived` those that saw a later venue stamp.
    """

    per_second: Tally = msgspec.field(default_factory=Tally)
    per_instant: Tally = msgspec.field(default_factory=Tally)
    adds: Tally = msgspec.field(default_factory=Tally)
    cuts: Tally = msgspec.field(default_factory=Tally)
    distances: Tally = msgspec.field(default_factory=Tally)
    lives: Tally = msgspec.field(default_factory=Tally)
    trades: Tally = msgspec.field(default_factory=Tally)
    delays: Tally = msgspec.field(default_factory=Tally)
    crossed: Tally = msgspec.field(default_factory=Tally)
    locked: Tally = msgspec.field(default_factory=Tally)
    outlived: Tally = msgspec.field(default_factory=Tally)
    deltas: int = 0
    stretches: list[StretchPool] = msgspec.field(default_factory=lambda: [StretchPool() for _ in STRETCHES])

    @property
    def is_exact(self) -> bool:
        """Whether no tally had to be made coarse."""
        pools: list[Pool | StretchPool] = [self, *self.stretches]
        return all(part.is_exact for pool in pools for part in _tallies(pool))

    def merge(self, other: "Pool") -> None:
        """Add all that another pool counted."""
        _merge(self, other)
        for mine, theirs in zip(self.stretches, other.stretches, strict=True):
            _merge(mine, theirs)


def _tallies(pool: Pool | StretchPool) -> list[Tally]:
    values = (getattr(pool, name) for name in pool.__struct_fields__)
    return [value for value in values if isinstance(value, Tally)]


def _merge(mine: Pool | StretchPool, theirs: Pool | StretchPool) -> None:
    for name in mine.__struct_fields__:
        value, other = getattr(mine, name), getattr(theirs, name)
        if isinstance(value, Tally):
            value.merge(other)
        elif isinstance(value, int):
            setattr(mine, name, value + other)


class MarketStream:
    """One market's stream, folded event by event. `pool` is whole after `finish`."""

    def __init__(self, close_ns: int | None) -> None:
        """Start before the first book; without a close nothing is counted by time to close."""
        self.close_ns = close_ns
        self.pool = Pool()
        self.has_printed_trades = False
        self._at_ns: int | None = None
        self._held_bests: tuple[int, int] | None = None
        self._born: dict[tuple[bool, int], int] = {}
        self._seconds: dict[int, int] = {}
        self._instants: dict[int, int] = {}
        self._spell: str | None = None
        self._spell_ns = self._spell_deltas = 0
        self._last_ticker: tuple[int, int] | None = None

    def delta(self, event: BookDelta, books: Books, book: Book) -> bool:
        """Change the book by an event and count it; False when it cannot belong to this book."""
        at_ns = event.recv_ns if event.venue_ns is None else event.venue_ns
        if self._at_ns is None or at_ns > self._at_ns:
            if self._at_ns is not None:
                self._stood(book, self._at_ns, at_ns)
            self._at_ns = at_ns
        bid, ask = book.bid_ticks, book.ask_ticks
        is_bid, price = event.is_bid, event.price_ticks
        before_cc = book.size_cc(_BID if is_bid else _ASK, price)
        if not books.delta(event):
            self.forget()
            return False
        self._counted(event, at_ns)
        own = bid if is_bid else ask
        if event.delta_cc > 0 and own is not None:
            self.pool.distances.add(own - price if is_bid else price - own)
        if before_cc == 0 and event.delta_cc > 0:
            self._born[is_bid, price] = at_ns
        elif before_cc + event.delta_cc == 0:
            born_ns = self._born.pop((is_bid, price), None)
            if born_ns is not None:
                self.pool.lives.add(max(0, at_ns - born_ns) // MILLISECOND_NS)
        new_bid, new_ask = book.bid_ticks, book.ask_ticks
        is_changed = new_bid != bid or new_ask != ask
        if is_changed and bid is not None and ask is not None and new_bid is not None and new_ask is not None:
            stretch = self._stretch(at_ns)
            if stretch is not None:
                stretch.changes += 1
        if is_changed or self._spell is not None:
            self._crossing(new_bid, new_ask, at_ns)
        return True

    def ticker(self, event: TickerSeen, book: Book | None) -> None:
        """Count what was traded since the last ticker, and the book's levels at this moment."""
        at_ns = event.recv_ns if event.venue_ns is None else event.venue_ns
        stretch = self._stretch(at_ns)
        if stretch is not None:
            if self._last_ticker is not None:
                before_ns, before_cc = self._last_ticker
                traded_cc, gone_ns = max(0, event.volume_cc - before_cc), max(0, at_ns - before_ns)
                stretch.volume_cc += traded_cc
                stretch.volume_ns += gone_ns
                stretch.trading_ns += gone_ns if traded_cc else 0
            if book is not None:
                for side in (_BID, _ASK):
                    stretch.levels.add(len(book.depth(side, _LEVELS_MAX)))
        self._last_ticker = (at_ns, event.volume_cc)

    def forget(self) -> None:
        """Note that the book was replaced or lost: what stood before it lasts no longer."""
        self._end_spell()
        self._at_ns = self._held_bests = None
        self._born.clear()

    def finish(self) -> Pool:
        """Give the pool when the stream has ended: seconds and instants are counted now."""
        self.forget()
        if self._seconds:
            for second in range(min(self._seconds), max(self._seconds) + 1):
                self.pool.per_second.add(self._seconds.get(second, 0))
        for count in self._instants.values():
            self.pool.per_instant.add(count)
        self._seconds, self._instants = {}, {}
        return self.pool

    def _counted(self, event: BookDelta, at_ns: int) -> None:
        pool = self.pool
        pool.deltas += 1
        if event.delta_cc > 0:
            pool.adds.add(event.delta_cc)
        elif event.delta_cc < 0:
            pool.cuts.add(-event.delta_cc)
        second = at_ns // SECOND_NS
        self._seconds[second] = self._seconds.get(second, 0) + 1
        if event.venue_ns is None:
            return
        pool.delays.add((event.recv_ns - event.venue_ns) // DELAY_UNIT_NS)
        self._instants[at_ns] = self._instants.get(at_ns, 0) + 1
        if len(self._instants) > _INSTANTS_MAX:
            for old_ns in [old_ns for old_ns in self._instants if old_ns < at_ns - _RECENT_NS]:
                pool.per_instant.add(self._instants.pop(old_ns))

    def _stretch(self, at_ns: int) -> StretchPool | None:
        number = None if self.close_ns is None else stretch_at(self.close_ns - at_ns)
        return None if number is None else self.pool.stretches[number]

    def _stood(self, book: Book, from_ns: int, to_ns: int) -> None:
        """Count the book as it stood from one venue instant to the next."""
        bid, ask = book.bid_ticks, book.ask_ticks
        if bid is None or ask is None or bid >= ask:
            self._held_bests = None
            return
        is_moved = self._held_bests is not None and self._held_bests != (bid, ask)
        self._held_bests = (bid, ask)
        both_cc = book.size_cc(_BID, bid) + book.size_cc(_ASK, ask)
        if self.close_ns is None:
            return
        end_ns, is_first = min(to_ns, self.close_ns), True
        while from_ns < end_ns:
            number = stretch_at(self.close_ns - from_ns)
            assert number is not None, "what stands before the close is in a stretch"
            until_ns = min(end_ns, self.close_ns - _ENDS_NS[number])
            stretch, held_ns = self.pool.stretches[number], until_ns - from_ns
            stretch.spreads.add(ask - bid, held_ns)
            stretch.sizes.add(both_cc, held_ns)
            stretch.two_sided_ns += held_ns
            if is_first:
                stretch.sizes_seen.add(both_cc)
                stretch.moves += is_moved
            is_first, from_ns = False, until_ns

    def _crossing(self, bid: int | None, ask: int | None, at_ns: int) -> None:
        kind = None
        if bid is not None and ask is not None and bid >= ask:
            kind = _LOCKED if bid == ask else _CROSSED
        if kind != self._spell:
            self._end_spell(at_ns)
            self._spell, self._spell_ns = kind, at_ns
        self._spell_deltas += kind is not None

    def _end_spell(self, at_ns: int | None = None) -> None:
        """End a crossed or locked state: at a delta, or None where the book ends."""
        if self._spell is not None:
            (self.pool.crossed if self._spell is _CROSSED else self.pool.locked).add(self._spell_deltas)
            last_ns = self._at_ns if at_ns is None else at_ns
            if last_ns is not None and last_ns > self._spell_ns:
                self.pool.outlived.add(self._spell_deltas)
        self._spell, self._spell_deltas = None, 0
