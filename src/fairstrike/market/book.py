"""One market's order book in YES prices. Strategies and risk read books only through `BookView`."""

from collections.abc import Iterable
from typing import Protocol

from fairstrike.core.events import Level
from fairstrike.core.order import Side
from fairstrike.core.units import TICKS_PER_DOLLAR

# Looking a member up in its enumeration takes as long as a whole change of a level.
_BID, _ASK = Side.BID, Side.ASK


class BookView(Protocol):
    """What may be asked of a book. Prices in ticks (YES), sizes in centicontracts, None for an empty side."""

    @property
    def bid_ticks(self) -> int | None:
        """The best bid."""

    @property
    def ask_ticks(self) -> int | None:
        """The best ask."""

    def size_cc(self, side: Side, price_ticks: int) -> int:
        """Give the size resting at a price, 0 when none."""

    def depth(self, side: Side, levels: int) -> list[Level]:
        """Give at most `levels` levels of a side, best first."""

    def walk(self, side: Side, size_cc: int, limit_ticks: int) -> list[Level]:
        """Give the levels an order of `size_cc` would take from `side` within `limit_ticks`, best first."""


class Book:
    """The book as dicts of price to size with the best prices kept.

    `apply` answers False when a delta cannot belong to this book (a negative size or an impossible price):
    the book is then unusable and its owner must drop it.
    """

    __slots__ = ("_asks", "_bids", "ask_ticks", "bid_ticks")

    def __init__(self, bids: Iterable[Level] = (), asks: Iterable[Level] = ()) -> None:
        """Start from a snapshot; levels without size are left out."""
        self._bids = {price: size for price, size in bids if size > 0}
        self._asks = {price: size for price, size in asks if size > 0}
        self.bid_ticks: int | None = max(self._bids, default=None)
        self.ask_ticks: int | None = min(self._asks, default=None)

    def apply(self, is_bid: bool, price_ticks: int, delta_cc: int) -> bool:
        """Change one level by `delta_cc`. Gives False, changing nothing, when that is impossible."""
        side = self._bids if is_bid else self._asks
        size = side.get(price_ticks, 0) + delta_cc
        if size > 0:
            if not 0 < price_ticks < TICKS_PER_DOLLAR:
                return False
            side[price_ticks] = size
            if is_bid:
                if self.bid_ticks is None or price_ticks > self.bid_ticks:
                    self.bid_ticks = price_ticks
            elif self.ask_ticks is None or price_ticks < self.ask_ticks:
                self.ask_ticks = price_ticks
            return True
        if size < 0 or price_ticks not in side:
            return size == 0
        del side[price_ticks]
        if is_bid:
            if price_ticks == self.bid_ticks:
                self.bid_ticks = max(side) if side else None
        elif price_ticks == self.ask_ticks:
            self.ask_ticks = min(side) if side else None
        return True

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask: normal inside one venue millisecond only."""
        return self.bid_ticks is not None and self.ask_ticks is not None and self.bid_ticks >= self.ask_ticks

    def size_cc(self, side: Side, price_ticks: int) -> int:
        """Give the size resting at a price, 0 when none."""
        return (self._bids if side is _BID else self._asks).get(price_ticks, 0)

    def depth(self, side: Side, levels: int) -> list[Level]:
        """Give at most `levels` levels of a side, best first."""
        if side is _BID:
            return sorted(self._bids.items(), reverse=True)[:levels]
        return sorted(self._asks.items())[:levels]

    def walk(self, side: Side, size_cc: int, limit_ticks: int) -> list[Level]:
        """Give the levels an order of `size_cc` would take from `side` within `limit_ticks`, best first."""
        levels = self._asks if side is _ASK else self._bids
        sign = 1 if side is _ASK else -1
        taken: list[Level] = []
        for price in sorted((p for p in levels if sign * p <= sign * limit_ticks), reverse=sign < 0):
            if size_cc <= 0:
                break
            taken.append((price, min(size_cc, levels[price])))
            size_cc -= levels[price]
        return taken

    def levels(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give all bids and all asks, best first."""
        return (
            tuple(sorted(self._bids.items(), reverse=True)),
            tuple(sorted(self._asks.items())),
        )
