"""A spot venue's book: prices with sizes, the best of each side at hand."""

from bisect import bisect_left
from collections.abc import Iterable

from fairstrike.market.replica import SpotLevel


class _Side:
    """Sizes by price; `keys` are the prices, negated for asks, in rising order: the best is the last."""

    __slots__ = ("_sign", "keys", "sizes")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self.keys: list[int] = []
        self.sizes: dict[int, int] = {}

    def replace(self, levels: Iterable[SpotLevel]) -> None:
        self.sizes = {price: size for price, size in levels if size > 0}
        self.keys = sorted(self._sign * price for price in self.sizes)

    def put(self, price: int, size: int) -> None:
        if size > 0:
            if price not in self.sizes:
                key = self._sign * price
                self.keys.insert(bisect_left(self.keys, key), key)
            self.sizes[price] = size
        elif self.sizes.pop(price, None) is not None:
            del self.keys[bisect_left(self.keys, self._sign * price)]

    def top(self, count: int) -> list[SpotLevel]:
        sign, sizes = self._sign, self.sizes
        return [(sign * key, sizes[sign * key]) for key in self.keys[: -count - 1 : -1]]

    def beyond(self, count: int) -> list[int]:
        return [self._sign * key for key in self.keys[: max(0, len(self.keys) - count)]]


class SpotBook:
    """Both sides of one book; prices in `_e8`, sizes in 1/100 000 000 of a coin."""

    __slots__ = ("_asks", "_bids")

    def __init__(self, bids: Iterable[SpotLevel] = (), asks: Iterable[SpotLevel] = ()) -> None:
        """Start with these levels, in any order; those of size zero are left out."""
        self._bids = _Side(1)
        self._asks = _Side(-1)
        self._bids.replace(bids)
        self._asks.replace(asks)

    def change(self, bids: Iterable[SpotLevel], asks: Iterable[SpotLevel]) -> None:
        """Set sizes at prices, in order; size zero takes a level away."""
        for price, size in bids:
            self._bids.put(price, size)
        for price, size in asks:
            self._asks.put(price, size)

    def bids(self, count: int) -> list[SpotLevel]:
        """Give the best bids, at most so many, the highest first."""
        return self._bids.top(count)

    def asks(self, count: int) -> list[SpotLevel]:
        """Give the best asks, at most so many, the lowest first."""
        return self._asks.top(count)

    def beyond(self, count: int) -> tuple[list[int], list[int]]:
        """Give the prices of bids and of asks that come after the best so many."""
        return self._bids.beyond(count), self._asks.beyond(count)

    def mid_e8(self) -> int | None:
        """Give the middle of the best prices, rounded down; None when a side is empty or the book is crossed."""
        if not (self._bids.keys and self._asks.keys):
            return None
        bid, ask = self._bids.keys[-1], -self._asks.keys[-1]
        return (bid + ask) // 2 if bid < ask else None
