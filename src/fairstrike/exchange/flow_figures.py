"""What the flow of a 15-minute market draws from: sizes, and distances by where the price is.

Sizes are contracts, prices and distances ticks. Measured where a source is given, fitted where it says so.
"""

from bisect import bisect_left

import msgspec

from fairstrike.core.chance import Dice


class Quantiles(msgspec.Struct, frozen=True):
    """A distribution given by some of its quantiles: `shares` ascend from 0 to 1, `values` are above zero.

    Between two of them the logarithm is taken to be uniform.
    """

    shares: tuple[float, ...]
    values: tuple[float, ...]

    def draw(self, dice: Dice) -> float:
        """Give one draw."""
        share = dice.uniform()
        place = max(bisect_left(self.shares, share), 1)
        low, high = self.shares[place - 1], self.shares[place]
        part = (share - low) / (high - low)
        return float(self.values[place - 1] * (self.values[place] / self.values[place - 1]) ** part)


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """What depends on the distance of the price from 0 or 1 dollar, up to `end_ticks` of it.

    `pace` multiplies the instants a second and `taker_scale` what takers want. Makers keep `half_ticks` from fair value
    in the mean, drawn anew at a share `half_change` of instants, and stay until it is `slack_ticks` less.
    `loyalty` is how often an order that alone makes the best price is left in peace. `distances` are (weight, from, to)
    in ticks behind the own side's best price, negative is before it.
    """

    end_ticks: int
    pace: float
    half_ticks: float
    half_change: float
    slack_ticks: float
    loyalty: float
    taker_scale: float
    distances: tuple[tuple[float, int, int], ...]


def _distances(*weights: float) -> tuple[tuple[float, int, int], ...]:
    """Give a table from weights of: improving, at best, up to 1 cent, 1, 2, 3, 4, 5–10, 10–20, 20 cents and more."""
    far = ((500, 990), (1_000, 1_990), (2_000, 6_000))
    spans = ((-200, -10), (0, 0), (10, 90), (100, 190), (200, 290), (300, 390), (400, 490), *far)
    return tuple((weight, low, high) for weight, (low, high) in zip(weights, spans, strict=True))


REGIONS = (
    Region(
        end_ticks=300,
        pace=0.55,
        half_ticks=10.0,
        half_change=0.009,
        slack_ticks=5.0,
        loyalty=0.45,
        taker_scale=3.6,
        distances=_distances(0.03, 0.08, 0.34, 0.19, 0.09, 0.04, 0.016, 0.034, 0.009, 0.10),
    ),
    Region(
        end_ticks=1_000,
        pace=1.15,
        half_ticks=29.0,
        half_change=0.009,
        slack_ticks=14.0,
        loyalty=0.45,
        taker_scale=1.35,
        distances=_distances(0.02, 0.08, 0.30, 0.17, 0.12, 0.08, 0.044, 0.047, 0.011, 0.055),
    ),
    Region(
        end_ticks=2_000,
        pace=0.9,
        half_ticks=10.0,
        half_change=0.013,
        slack_ticks=116.0,
        loyalty=0.86,
        taker_scale=1.12,
        distances=_distances(0.02, 0.20, 0.03, 0.165, 0.117, 0.099, 0.072, 0.159, 0.044, 0.09),
    ),
    Region(
        end_ticks=5_000,
        pace=1.0,
        half_ticks=10.0,
        half_change=0.013,
        slack_ticks=116.0,
        loyalty=0.86,
        taker_scale=1.12,
        distances=_distances(0.02, 0.22, 0.0, 0.15, 0.107, 0.08, 0.065, 0.159, 0.066, 0.12),
    ),
)
"""Source of pace and distances: the captures of KXBTC15M of May 2026, split by the middle price. Improving weights are
less than measured, because gaps are filled besides; all else is fitted to spreads, lives and volume."""

_SHARES = (0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)
IMPROVING_SIZES = Quantiles(_SHARES, (1, 2, 6, 12, 36, 100, 500, 1_000, 1_500, 3_000))
BEST_SIZES = Quantiles(_SHARES, (1, 1, 3, 12, 60, 160, 700, 900, 1_500, 3_000))
NEAR_SIZES = Quantiles(_SHARES, (1, 1, 4, 12, 70, 300, 900, 1_300, 2_000, 4_000))
BEHIND_SIZES = Quantiles(_SHARES, (1, 1, 2, 10, 80, 400, 1_000, 1_100, 6_249, 10_000))
DEEP_SIZES = Quantiles(_SHARES, (1, 1, 2, 15, 75, 600, 3_749, 8_284, 20_000, 45_000))
"""Contracts of an order by where it is placed. Source: adds of the same captures, those near the best price trimmed
until sizes there fit."""

TAKER_SIZES = Quantiles((0.0, 0.10, 0.50, 0.90, 0.99, 1.0), (0.2, 1.25, 16.0, 130.0, 800.0, 3_000.0))
LADDER_SIZES = Quantiles((0.0, 0.10, 0.50, 0.75, 0.90, 1.0), (5, 40, 100, 150, 400, 3_000))
