"""Draws: splitmix64's published outputs, repeatability, moments, counters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.chance import Dice, draw_u64, mix64

GAMMA = 0x9E3779B97F4A7C15
U64 = st.integers(0, 2**64 - 1)
MANY = 20_000


def test_published_outputs_of_seed_1234567() -> None:
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert published == [mix64(1234567 + n * GAMMA) for n in range(1, 6)]


def test_draws_never_change() -> None:
    assert [draw_u64(7, 3, n) for n in (2, 0, 1, 0)] == [draw_u64(7, 3, n) for n in (2, 0, 1, 0)]
    dice = Dice(7, 3)
    assert [draw_u64(7, 3, n) for n in range(5)] == [dice.u64() for _ in range(5)]


@given(U64, U64, st.integers(0, 2**40))
def test_draw_has_64_bits(seed: int, stream: int, n: int) -> None:
    assert 0 <= draw_u64(seed, stream, n) < 2**64


def test_seeds_streams_and_counters_differ() -> None:
    draws = {draw_u64(seed, stream, n) for seed in range(20) for stream in range(20) for n in range(20)}
    assert len(draws) == 8_000


def test_neighbouring_streams_are_uncorrelated() -> None:
    one, other = Dice(1, 0), Dice(1, 1)
    product = math.fsum((one.uniform() - 0.5) * (other.uniform() - 0.5) for _ in range(MANY)) / MANY
    assert pytest.approx(0.0, abs=4 / 12 / math.sqrt(MANY)) == product


def moments(values: list[float]) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((value - mean) ** 2 for value in values) / len(values)


def test_uniform_moments() -> None:
    dice = Dice(1, 2)
    values = [dice.uniform() for _ in range(MANY)]
    mean, variance = moments(values)
    assert min(values) >= 0.0
    assert max(values) < 1.0
    assert pytest.approx(1 / 2, abs=0.01) == mean
    assert pytest.approx(1 / 12, abs=0.003) == variance


def test_normal_moments() -> None:
    dice = Dice(1, 3)
    mean, variance = moments([dice.normal() for _ in range(MANY)])
    assert pytest.approx(0.0, abs=0.03) == mean
    assert pytest.approx(1.0, abs=0.04) == variance


def test_exponential_moments() -> None:
    dice = Dice(1, 4)
    values = [dice.exponential(25.0) for _ in range(MANY)]
    mean, variance = moments(values)
    assert min(values) >= 0.0
    assert pytest.approx(25.0, rel=0.03) == mean
    assert pytest.approx(625.0, rel=0.08) == variance


@given(U64, st.integers(1, 1_000_000))
def test_below_stays_below(seed: int, bound: int) -> None:
    assert 0 <= Dice(seed, 0).below(bound) < bound


def test_between_reaches_both_ends() -> None:
    dice = Dice(5, 0)
    faces = [dice.between(1, 6) for _ in range(6_000)]
    assert {1, 2, 3, 4, 5, 6} == set(faces)
    assert all(850 < faces.count(face) < 1_150 for face in range(1, 7))


def test_dice_counts_its_draws() -> None:
    dice = Dice(1, 1)
    counts = []
    for draw in (dice.u64, dice.uniform, lambda: dice.below(6), lambda: dice.exponential(1.0), dice.normal):
        draw()
        counts.append(dice.n)
    assert counts == [1, 2, 3, 4, 6]
