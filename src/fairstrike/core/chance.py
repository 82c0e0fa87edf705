"""The only chance in pure rooms: draws that depend on nothing but (seed, stream, counter).

A draw is splitmix64's output function applied to a position computed from the three numbers, so any
draw can be made again, in any order, by anyone who knows them. `Dice` counts for its owner.
"""

import math

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_TWO_53 = 1.0 / (1 << 53)


def mix64(value: int) -> int:
    """Give splitmix64's output for a 64-bit state. Source: Steele, Lea, Flood, OOPSLA 2014."""
    value &= _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def draw_u64(seed: int, stream: int, n: int) -> int:
    """Give draw number `n` of stream `stream` under `seed`: an integer in [0, 2**64)."""
    start = mix64((seed + _GAMMA) ^ mix64(stream * _GAMMA + 1))
    return mix64(start + (n + 1) * _GAMMA)


class Dice:
    """Successive draws of one stream. Two dice with equal seed and stream give equal draws."""

    __slots__ = ("n", "seed", "stream")

    def __init__(self, seed: int, stream: int) -> None:
        """Start at draw number 0 of `stream` under `seed`."""
        self.seed = seed
        self.stream = stream
        self.n = 0

    def u64(self) -> int:
        """Give the next integer in [0, 2**64)."""
        value = draw_u64(self.seed, self.stream, self.n)
        self.n += 1
        return value

    def uniform(self) -> float:
        """Give the next float in [0, 1), on a grid of 2**-53."""
        return (self.u64() >> 11) * _TWO_53

    def below(self, bound: int) -> int:
        """Give the next integer in [0, bound); the bias of at most bound / 2**64 is accepted."""
        return (self.u64() * bound) >> 64

    def between(self, low: int, high: int) -> int:
        """Give the next integer in [low, high], both ends included."""
        return low + self.below(high - low + 1)

    def exponential(self, mean: float) -> float:
        """Give the next exponential waiting time with the given mean."""
        return -mean * math.log(1.0 - self.uniform())

    def normal(self) -> float:
        """Give the next standard normal draw (Box-Muller, two uniforms a draw)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return radius * math.cos(2.0 * math.pi * self.uniform())
