"""What one source's trades and prints come to: last price, price weighted by size, realised volatility."""

from collections import deque

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.pricing.volatility import Params as VolatilityParams
from fairstrike.pricing.volatility import realised_vol


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stretch of the weighted price, how many of its trades are kept at most, and the volatility's estimate."""

    vwap_ns: Positive = MINUTE_NS
    trades_max: Positive = 50_000
    volatility: VolatilityParams = VolatilityParams()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One source now: last price and weighted price (`_e8`), volatility as a fraction a year; None is unknown."""

    last_e8: int | None
    vwap_e8: int | None
    vol_annual: float | None


class Figures:
    """Keeps what the figures of one source and asset need; instants are ours (ns)."""

    __slots__ = ("_cost", "_params", "_prints", "_size", "_trades", "last_e8")

    def __init__(self, params: Params) -> None:
        """Start without trade or print."""
        self._params = params
        self._trades: deque[tuple[int, int, int]] = deque()
        self._prints: dict[int, int] = {}
        self._cost = self._size = 0
        self.last_e8: int | None = None

    def trade(self, at_ns: int, price_e8: int, size_e8: int) -> None:
        """Take a trade in. One older than the last, as venues tell when a connection begins, is passed over."""
        if self._trades and at_ns < self._trades[-1][0]:
            return
        self.last_e8 = price_e8
        self._trades.append((at_ns, price_e8, size_e8))
        self._cost += price_e8 * size_e8
        self._size += size_e8
        if len(self._trades) > self._params.trades_max:
            self._leave()

    def printed(self, second: int, value_e8: int) -> None:
        """Take the price of a source second in."""
        self._prints[second] = value_e8
        while len(self._prints) > self._params.volatility.window_s + 1:
            del self._prints[next(iter(self._prints))]

    def summary(self, now_ns: int) -> Summary:
        """Give the figures at an instant; the volatility is that up to the last print."""
        while self._trades and self._trades[0][0] <= now_ns - self._params.vwap_ns:
            self._leave()
        second = next(reversed(self._prints), now_ns // SECOND_NS)
        return Summary(
            last_e8=self.last_e8,
            vwap_e8=self._cost // self._size if self._size else None,
            vol_annual=realised_vol(self._prints, second, self._params.volatility),
        )

    def _leave(self) -> None:
        _, price_e8, size_e8 = self._trades.popleft()
        self._cost -= price_e8 * size_e8
        self._size -= size_e8
