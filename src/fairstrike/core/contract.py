"""What is traded, and the one rule that turns index prints into a settlement value.

A market settles on the simple mean of the sixty one-second prints of its index whose source seconds lie in
[close − 60 s, close). Threshold and range markets compare the unrounded mean; 15-minute markets round it
half up to the contract's digits first, and a tie is YES. A mean that cannot be formed because prints are
missing resolves NO. Source: contract terms and the seventeen audited closes of September 2026; the window
is a setting because the venue has never published it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from fairstrike.core.ids import group_id
from fairstrike.core.timing import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_SECONDS
from fairstrike.core.units import TICKS_PER_DOLLAR

_E8_DIGITS = 8


class Comparison(StrEnum):
    """How the settlement mean is held against the strikes; the venue's `strike_type` values."""

    ABOVE = "greater"
    AT_LEAST = "greater_or_equal"
    BELOW = "less"
    BETWEEN = "between"


class Window(StrEnum):
    """Which sixty source seconds make the mean: the close excluded (default) or included."""

    BEFORE_CLOSE = "[close-60,close)"
    UP_TO_CLOSE = "(close-60,close]"


# An enum member looked up through its class costs more than the comparison it is for.
_WITHOUT_CAP = (Comparison.ABOVE, Comparison.AT_LEAST)


class Timeframe(StrEnum):
    """How long a market is open for trading. Markets of several timeframes may close, and settle, together."""

    QUARTER_HOUR = "15min"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


_LENGTHS_MAX = {Timeframe.HOURLY: 2 * HOUR_NS, Timeframe.DAILY: 2 * DAY_NS}
"""Hourly markets open an hour before their close, daily ones 25, weekly ones a week. Source: captures of 2026."""


class PriceRange(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a market's tick grid: from `start_ticks` to `end_ticks` in steps of `step_ticks`."""

    start_ticks: int
    end_ticks: int
    step_ticks: int


CENT_GRID = (PriceRange(start_ticks=0, end_ticks=TICKS_PER_DOLLAR, step_ticks=100),)
TAPERED_GRID = (
    PriceRange(start_ticks=0, end_ticks=1_000, step_ticks=10),
    PriceRange(start_ticks=1_000, end_ticks=9_000, step_ticks=100),
    PriceRange(start_ticks=9_000, end_ticks=TICKS_PER_DOLLAR, step_ticks=10),
)


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One market: its strikes (`_e8`, None while unpublished), times, tick grid and exchange shard.

    `round_digits` is the number of decimals the mean is rounded to before comparing, None for none.
    """

    ticker: str
    event_ticker: str
    series: str
    asset: str
    comparison: Comparison
    open_ns: int
    close_ns: int
    floor_e8: int | None = None
    cap_e8: int | None = None
    round_digits: int | None = None
    grid: tuple[PriceRange, ...] = CENT_GRID
    exchange_index: int = 0

    @property
    def group(self) -> str:
        """The settlement group: markets settled by the same value."""
        return group_id(self.asset, self.close_ns)

    @property
    def timeframe(self) -> Timeframe:
        """Which of the venue's timeframes this market is of, by its series and by how long it is open."""
        if self.series.endswith("15M"):
            return Timeframe.QUARTER_HOUR
        length_ns = self.close_ns - self.open_ns
        return next((frame for frame, most_ns in _LENGTHS_MAX.items() if length_ns <= most_ns), Timeframe.WEEKLY)

    @property
    def is_struck(self) -> bool:
        """Whether every strike this comparison needs is published."""
        has_floor = self.floor_e8 is not None or self.comparison is Comparison.BELOW
        return has_floor and (self.cap_e8 is not None or self.comparison in _WITHOUT_CAP)

    def is_on_grid(self, price_ticks: int) -> bool:
        """Whether a price can be sent: strictly between 0 and 1 dollar and on the grid."""
        return (
            0 < price_ticks < TICKS_PER_DOLLAR
            and (price_ticks - self._range(price_ticks).start_ticks) % (self._range(price_ticks).step_ticks) == 0
        )

    def grid_down(self, price_ticks: int) -> int | None:
        """Give the highest sendable price not above `price_ticks`, None when there is none."""
        price_ticks = min(price_ticks, TICKS_PER_DOLLAR - 1)
        if price_ticks <= 0:
            return None
        stretch = self._range(price_ticks)
        price_ticks -= (price_ticks - stretch.start_ticks) % stretch.step_ticks
        return price_ticks if price_ticks > 0 else None

    def grid_up(self, price_ticks: int) -> int | None:
        """Give the lowest sendable price not below `price_ticks`, None when there is none."""
        price_ticks = max(price_ticks, 1)
        if price_ticks >= TICKS_PER_DOLLAR:
            return None
        stretch = self._range(price_ticks)
        price_ticks += (stretch.start_ticks - price_ticks) % stretch.step_ticks
        return price_ticks if price_ticks < TICKS_PER_DOLLAR else None

    def _range(self, price_ticks: int) -> PriceRange:
        for stretch in self.grid:
            if stretch.start_ticks <= price_ticks < stretch.end_ticks:
                return stretch
        return self.grid[-1]


def window_seconds(close_ns: int, window: Window = Window.BEFORE_CLOSE) -> range:
    """Give the sixty source seconds (epoch seconds) whose prints settle a market closing at `close_ns`."""
    close = close_ns // SECOND_NS
    shift = 1 if window is Window.UP_TO_CLOSE else 0
    return range(close - WINDOW_SECONDS + shift, close + shift)


def window_prints(prints: Mapping[int, int], close_ns: int, window: Window = Window.BEFORE_CLOSE) -> Sequence[int]:
    """Give the prints (`_e8`) of the settlement window that are known, in order of their seconds.

    `prints` maps source second (epoch seconds) to index value (`_e8`).
    """
    return [prints[second] for second in window_seconds(close_ns, window) if second in prints]


def settle(contract: Contract, prints: Sequence[int]) -> int:
    """Give the settlement value in ticks (10 000 is YES, 0 is NO) of `contract` on its window's `prints`.

    `prints` are index values in `_e8`; fewer than sixty resolve NO, as the contract terms say.
    All arithmetic is exact: 60 × strike is compared with the sum of the prints.
    """
    assert len(prints) <= WINDOW_SECONDS, "a settlement window has sixty prints"
    assert contract.is_struck, "a market without its strikes cannot settle"
    if len(prints) < WINDOW_SECONDS:
        return 0
    total = rounded_sum(sum(prints), contract.round_digits)
    return TICKS_PER_DOLLAR if _holds(contract, total) else 0


def rounded_sum(total_e8: int, round_digits: int | None) -> int:
    """Give sixty times the mean that is compared: `total_e8`, or sixty times its half-up rounded mean."""
    if round_digits is None:
        return total_e8
    assert 0 <= round_digits <= _E8_DIGITS, "index values have eight decimals"
    unit = WINDOW_SECONDS * int(10 ** (_E8_DIGITS - round_digits))
    return (2 * total_e8 + unit) // (2 * unit) * unit


def _holds(contract: Contract, total: int) -> bool:
    floor = None if contract.floor_e8 is None else WINDOW_SECONDS * contract.floor_e8
    cap = None if contract.cap_e8 is None else WINDOW_SECONDS * contract.cap_e8
    if contract.comparison is Comparison.ABOVE:
        return floor is not None and total > floor
    if contract.comparison is Comparison.AT_LEAST:
        return floor is not None and total >= floor
    if contract.comparison is Comparison.BELOW:
        return cap is not None and total < cap
    return floor is not None and cap is not None and floor <= total <= cap
