"""What a regime does to a strategy: less size, more edge, wider quotes, or nothing at all.

Each strategy holds a `Caution` among its own parameters. In a spiky market none opens anything, whatever it says; the
door refuses it too. A regime that is not known yet counts as calm: for its first ten minutes a run has too few returns.
"""

from typing import Annotated

import msgspec

from fairstrike.core.bounds import Share
from fairstrike.core.regime import Regime, RegimeSeen
from fairstrike.core.units import CC_PER_CONTRACT

RESTRAINED = "the regime of the market leaves no size"
"""What a strategy's tally says of a market that it would open in, were its regime another."""

_More = Annotated[float, msgspec.Meta(ge=1)]


class Multipliers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is multiplied in one regime; what has no such number leaves it out. A size of 0 opens nothing."""

    size: Share = 1.0
    least_edge: _More = 1.0
    half_spread: _More = 1.0

    def size_of(self, size_cc: int) -> int:
        """Give an order's size (`_cc`): whole contracts, and at least one of them where any size is left."""
        if self.size == 1.0 or self.size == 0.0:
            return size_cc if self.size else 0
        whole_cc = round(size_cc * self.size) // CC_PER_CONTRACT * CC_PER_CONTRACT
        return max(whole_cc, min(size_cc, CC_PER_CONTRACT))

    def edge_of(self, edge_ppm: int) -> int:
        """Give the least edge; a negative one, which asks for none, stays."""
        return edge_ppm if self.least_edge == 1.0 else max(edge_ppm, round(edge_ppm * self.least_edge))


# An enum member looked up through its class costs more than the comparison it is for.
_CALM, _TRENDING = Regime.CALM, Regime.TRENDING
_SPIKY = Multipliers(size=0.0)


class Caution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The multipliers of each regime in which something may be opened."""

    calm: Multipliers = Multipliers()
    trending: Multipliers = Multipliers(size=0.7, least_edge=1.25, half_spread=1.25)

    def at(self, seen: RegimeSeen | None) -> Multipliers:
        """Give the multipliers in a market's regime, None being unknown."""
        if seen is None or seen.regime is _CALM:
            return self.calm
        return self.trending if seen.regime is _TRENDING else _SPIKY
