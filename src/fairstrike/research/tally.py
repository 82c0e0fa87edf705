"""Counts by whole number: exact percentiles of a stream without keeping the stream.

A tally holds one weight for each distinct value. It stays small because the values are prices, sizes, milliseconds:
few are distinct. A tally that grows beyond `KEYS_MAX` values all the same is made coarse, and says so.
"""

from collections.abc import Iterator

KEYS_MAX = 200_000
_COARSE_BITS = 11


class Tally:
    """Weights by value. `is_exact` is False once values were rounded to about one part in two thousand."""

    __slots__ = ("is_exact", "weights")

    def __init__(self) -> None:
        """Start empty."""
        self.weights: dict[int, int] = {}
        self.is_exact = True

    def add(self, value: int, weight: int = 1) -> None:
        """Count `value` with a weight: 1, or how long it lasted."""
        self.weights[value] = self.weights.get(value, 0) + weight

    def merge(self, other: "Tally") -> None:
        """Add all that another tally counted."""
        for value, weight in other.weights.items():
            self.add(value, weight)
        self.is_exact = self.is_exact and other.is_exact
        if len(self.weights) > KEYS_MAX:
            self._coarsen()

    @property
    def total(self) -> int:
        """The sum of the weights."""
        return sum(self.weights.values())

    @property
    def sum(self) -> int:
        """The sum of all values, each as often as its weight says."""
        return sum(value * weight for value, weight in self.weights.items())

    @property
    def lowest(self) -> int | None:
        """The lowest value counted, None when empty."""
        return min(self.weights, default=None)

    @property
    def highest(self) -> int | None:
        """The highest value counted, None when empty."""
        return max(self.weights, default=None)

    @property
    def mean(self) -> float | None:
        """The weighted mean, None when empty."""
        total = self.total
        return self.sum / total if total else None

    def percentile(self, percent: int) -> int | None:
        """Give the lowest value that at least `percent` of the weight does not exceed, None when empty.

        `percent` is in [0, 100]; 0 gives the lowest value.
        """
        assert 0 <= percent <= 100, "a percentile is of a hundred"
        wanted = percent * self.total
        return next((value for value, passed in self.climb() if 100 * passed >= wanted), None)

    def share(self, low: int | None, high: int | None) -> float:
        """Give the share of the weight with low ≤ value < high, 0 when empty; None is no bound."""
        inside = sum(
            weight
            for value, weight in self.weights.items()
            if (low is None or value >= low) and (high is None or value < high)
        )
        return inside / self.total if inside else 0.0

    def climb(self) -> Iterator[tuple[int, int]]:
        """Give (value, weight of all values up to it), ascending; values without weight are left out."""
        passed = 0
        for value in sorted(self.weights):
            if self.weights[value]:
                passed += self.weights[value]
                yield value, passed

    def _coarsen(self) -> None:
        fine, self.weights = self.weights, {}
        for value, weight in fine.items():
            self.add(_rounded(value), weight)
        self.is_exact = False


def _rounded(value: int) -> int:
    unit = 1 << max(0, abs(value).bit_length() - _COARSE_BITS)
    return (value + unit // 2) // unit * unit
