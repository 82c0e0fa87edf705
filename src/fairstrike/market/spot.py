"""What spot venues tell besides prices: the last candles and the last funding of each asset."""

from collections.abc import Sequence

from fairstrike.core.events import SpotCandle, SpotFunding, SpotTold

CANDLES_KEPT = 96
"""A day of quarter hours."""


class SpotNews:
    """Keeps the newest of each source and asset."""

    __slots__ = ("_candles", "_fundings")

    def __init__(self) -> None:
        """Start knowing nothing."""
        self._candles: dict[tuple[str, str], dict[int, SpotCandle]] = {}
        self._fundings: dict[tuple[str, str], SpotFunding] = {}

    def fold(self, event: SpotTold) -> None:
        """Take in what was told; a candle told again is the later one."""
        for candle in event.candles:
            found = self._candles.setdefault((candle.source, candle.asset), {})
            found[candle.start_ns] = candle
            if len(found) > CANDLES_KEPT:
                del found[min(found)]
        for funding in event.fundings:
            self._fundings[funding.source, funding.asset] = funding

    def candles(self, source: str, asset: str) -> Sequence[SpotCandle]:
        """Give the candles of a source and asset, the oldest first; the last may still be under way."""
        return [candle for _, candle in sorted(self._candles.get((source, asset), {}).items())]

    def funding(self, source: str, asset: str) -> SpotFunding | None:
        """Give the funding last told, None before the first."""
        return self._fundings.get((source, asset))
