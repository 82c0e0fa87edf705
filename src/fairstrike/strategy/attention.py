"""What changed since the last decision, and which declared wakes that fires.

The engine tells what it folded; at a decision each market's best prices and sizes are held against those of the
decision before. The same declarations wake strategies live, on paper and in replay.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from fairstrike.core.events import Level
from fairstrike.core.order import Side
from fairstrike.core.records import (
    WAKE_BEST_PRICE,
    WAKE_BEST_SIZE,
    WAKE_DEPTH,
    WAKE_EVERY,
    WAKE_INDEX,
    WAKE_OWN_ORDER,
    Row,
)
from fairstrike.core.units import ppm_of_belief
from fairstrike.market.book import BookView
from fairstrike.market.view import MarketView
from fairstrike.strategy.base import Strategy, Wakes

Bests = tuple[int | None, int, int | None, int]
"""Best bid and its size, best ask and its size."""

Depths = tuple[list[Level], list[Level]]
"""The best levels of both sides."""

# An enum member looked up through its class costs more than the dict access it is for.
_BID, _ASK = Side.BID, Side.ASK

ABSENT: Bests = (None, 0, None, 0)


class Attention:
    """Bits of what happened to each market, and the bests of the last decision."""

    def __init__(self, strategies: Sequence[Strategy]) -> None:
        """Note which depth must be watched, if any."""
        self._strategies = tuple(strategy.name for strategy in strategies)
        self.books: set[str] = set()
        self.marks: dict[str, int] = {}
        self.bests: dict[str, Bests] = {}
        self._moved_cc: dict[str, int] = {}
        self._depths: dict[str, Depths] = {}
        self._moved_rank: dict[str, int] = {}
        self._asked_ns: dict[tuple[str, str], int] = {}
        self._depth = max((s.wakes.depth or 0 for s in strategies), default=0)

    @property
    def remembered(self) -> set[str]:
        """The markets of which something is kept from one decision to the next."""
        return {*self.bests, *self._depths, *(ticker for _, ticker in self._asked_ns)}

    def mark(self, ticker: str, bit: int) -> None:
        """Note that something other than its book happened to a market."""
        self.marks[ticker] = self.marks.get(ticker, 0) | bit

    def look(self, ticker: str, book: BookView | None) -> None:
        """Hold a touched market's book against the last decision and mark what moved."""
        before = self.bests.get(ticker, ABSENT)
        if book is None:
            now = ABSENT
        else:
            bid, ask = book.bid_ticks, book.ask_ticks
            now = (
                bid,
                book.size_cc(_BID, bid) if bid is not None else 0,
                ask,
                book.size_cc(_ASK, ask) if ask is not None else 0,
            )
        if now != before:
            self.bests[ticker] = now
            if now[0] != before[0] or now[2] != before[2]:
                self.mark(ticker, WAKE_BEST_PRICE | WAKE_BEST_SIZE)
                self._moved_cc[ticker] = 1 << 62
            else:
                self.mark(ticker, WAKE_BEST_SIZE)
                self._moved_cc[ticker] = max(abs(now[1] - before[1]), abs(now[3] - before[3]))
        if self._depth:
            self._look_deep(ticker, book)

    def _look_deep(self, ticker: str, book: BookView | None) -> None:
        now: Depths = ([], [])
        if book is not None:
            now = (book.depth(Side.BID, self._depth), book.depth(Side.ASK, self._depth))
        before = self._depths.get(ticker, ([], []))
        if now != before:
            self._depths[ticker] = now
            self._moved_rank[ticker] = _first_change(before, now)
            self.mark(ticker, WAKE_DEPTH)

    def woken(self, strategy: str, wakes: Wakes, ticker: str, now_ns: int) -> int:
        """Give the bits of the wakes of one strategy that fired for a market; notes that it was asked."""
        marks = self.marks.get(ticker, 0)
        bits = 0
        if wakes.best_price:
            bits |= marks & WAKE_BEST_PRICE
        if wakes.best_size_cc is not None and self._moved_cc.get(ticker, 0) >= wakes.best_size_cc:
            bits |= marks & WAKE_BEST_SIZE
        if wakes.depth is not None and self._moved_rank.get(ticker, 0) < wakes.depth:
            bits |= marks & WAKE_DEPTH
        if wakes.index:
            bits |= marks & WAKE_INDEX
        if wakes.own_order:
            bits |= marks & WAKE_OWN_ORDER
        if wakes.every_ns is not None:
            key = (strategy, ticker)
            if now_ns - self._asked_ns.get(key, -wakes.every_ns) >= wakes.every_ns:
                bits |= WAKE_EVERY
            if bits:
                self._asked_ns[key] = now_ns
        return bits

    def wake(
        self, traded: Mapping[str, Sequence[Strategy]], now_ns: int
    ) -> tuple[dict[str, list[str]], dict[str, int]]:
        """Give each woken strategy's tickers, and each such ticker's wake bits; `traded` tells who trades what."""
        woken: dict[str, list[str]] = {}
        bits: dict[str, int] = {}
        for ticker in sorted(self.marks):
            for strategy in traded.get(ticker, ()):
                fired = self.woken(strategy.name, strategy.wakes, ticker, now_ns)
                if fired:
                    woken.setdefault(strategy.name, []).append(ticker)
                    bits[ticker] = bits.get(ticker, 0) | fired
        return woken, bits

    def forget(self, ticker: str) -> None:
        """Drop what is known of a market that is traded no more."""
        self.bests.pop(ticker, None)
        self._depths.pop(ticker, None)
        for strategy in self._strategies:
            self._asked_ns.pop((strategy, ticker), None)

    def row(self, view: MarketView, bits: int) -> Row:
        """Give what the journal keeps of one woken market."""
        bests = self.bests.get(view.contract.ticker, ABSENT)
        fair_ppm = None if view.p_fair is None else ppm_of_belief(view.p_fair)
        return Row(view.contract.ticker, bits, *bests, fair_ppm)

    def clear(self, held: Sequence[str] = ()) -> None:
        """Forget what happened, for a decision was made; the books in `held` stay touched."""
        self.books.clear()
        self.marks.clear()
        self._moved_cc.clear()
        self._moved_rank.clear()
        if held:
            self.books.update(held)


def _first_change(before: Depths, now: Depths) -> int:
    """Give the rank, 0 the best, of the first level that differs on either side."""
    sides = zip(before, now, strict=True)
    return min(rank for side in sides for rank, (old, new) in enumerate(zip_longest(*side)) if old != new)
