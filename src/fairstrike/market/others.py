"""A book without our own orders: what strategies and risk are shown where the venue's book holds them.

An order counts as resting there once the venue said so, with what is still to fill. Its level's frame may come a little
before or after that: for as long, the level is shown too large or too small by the order, never below zero.
"""

from collections.abc import Iterable

from fairstrike.core.events import Level
from fairstrike.core.order import Order, OrderState, Side
from fairstrike.market.book import BookView

_THERE = frozenset({OrderState.RESTING, OrderState.CANCELLING})


def others(book: BookView, working: Iterable[Order]) -> BookView:
    """Give the view of a book without the orders of ours that rest in it: the book itself when none does."""
    own: dict[tuple[Side, int], int] = {}
    for order in working:
        if order.state in _THERE and order.remaining_cc:
            level = (order.side, order.price_ticks)
            own[level] = own.get(level, 0) + order.remaining_cc
    return OthersBook(book, own) if own else book


class OthersBook:
    """A `BookView` of the orders of everybody else."""

    __slots__ = ("_book", "_own", "ask_ticks", "bid_ticks")

    def __init__(self, book: BookView, own: dict[tuple[Side, int], int]) -> None:
        """Take a book and how much of each level (side and price) is ours."""
        self._book = book
        self._own = own
        self.bid_ticks = self._best(Side.BID, book.bid_ticks)
        self.ask_ticks = self._best(Side.ASK, book.ask_ticks)

    def size_cc(self, side: Side, price_ticks: int) -> int:
        """Give the size of others resting at a price, 0 when none."""
        return max(0, self._book.size_cc(side, price_ticks) - self._own.get((side, price_ticks), 0))

    def depth(self, side: Side, levels: int) -> list[Level]:
        """Give at most `levels` levels of a side on which others rest, best first."""
        wider = self._book.depth(side, levels + len(self._own))
        theirs = [(price, self.size_cc(side, price)) for price, _ in wider]
        return [level for level in theirs if level[1]][:levels]

    def walk(self, side: Side, size_cc: int, limit_ticks: int) -> list[Level]:
        """Give the levels of others that an order of `size_cc` would take from `side` within `limit_ticks`."""
        taken: list[Level] = []
        wider = size_cc + sum(cc for (own_side, _), cc in self._own.items() if own_side is side)
        for price, _ in self._book.walk(side, wider, limit_ticks):
            take_cc = min(size_cc, self.size_cc(side, price))
            if take_cc > 0:
                taken.append((price, take_cc))
                size_cc -= take_cc
        return taken

    def _best(self, side: Side, best: int | None) -> int | None:
        if best is None or self.size_cc(side, best):
            return best
        levels = self.depth(side, 1)
        return levels[0][0] if levels else None
