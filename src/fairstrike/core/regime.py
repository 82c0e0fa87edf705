"""What kind of market an asset's prints show: measured by pricing, heeded by strategies, the door and the clerk."""

from enum import StrEnum

import msgspec


class Regime(StrEnum):
    """The kind of market."""

    CALM = "calm"
    TRENDING = "trending"
    SPIKY = "spiky"


class VolLevel(StrEnum):
    """Volatility against the asset's usual one."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class RegimeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's regime by the prints of one source.

    `level` is None while nothing moves, and for an asset whose usual volatility nobody stated.
    """

    asset: str
    source: str
    regime: Regime
    level: VolLevel | None

    @property
    def is_spiky(self) -> bool:
        """Whether nothing may be opened."""
        return self.regime is Regime.SPIKY
