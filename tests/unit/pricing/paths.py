"""Simulated prints whose volatility is known."""

import math

from fairstrike.core.chance import Dice

YEAR_S = 31_536_000
E8 = 100_000_000


def returns_of(seed: int, count: int, vol: float = 0.5) -> list[float]:
    """Normal log returns of a second each, of a volatility a year."""
    dice, sd = Dice(seed, 1), vol / math.sqrt(YEAR_S)
    return [sd * dice.normal() for _ in range(count)]


def smoothed(returns: list[float], theta: float) -> list[float]:
    """Increments that keep a share of the one before."""
    found, before = [], 0.0
    for one in returns:
        before = theta * before + (1.0 - theta) * one
        found.append(before)
    return found


def noisy(returns: list[float], sd: float, seed: int) -> list[float]:
    """Returns of prices that each carry an error of their own."""
    dice = Dice(seed, 2)
    errors = [sd * dice.normal() for _ in range(len(returns) + 1)]
    return [one + errors[i + 1] - errors[i] for i, one in enumerate(returns)]


def prints_of(returns: list[float], start: int, spot: float = 80_000.0) -> dict[int, int]:
    """Prints (`_e8`) of consecutive seconds that make these returns."""
    value, prints = spot, {start: round(spot * E8)}
    for second, one in enumerate(returns, start=start + 1):
        value *= math.exp(one)
        prints[second] = round(value * E8)
    return prints
