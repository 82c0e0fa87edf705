"""Tallies: percentiles as a sorted list of everything would give them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.research import tally
from fairstrike.research.tally import Tally


def tally_of(*pairs: tuple[int, int]) -> Tally:
    made = Tally()
    for value, weight in pairs:
        made.add(value, weight)
    return made


@pytest.mark.parametrize(
    ("percent", "value"), [(0, -5), (10, -5), (20, -5), (21, 1), (50, 1), (60, 1), (61, 7), (90, 7), (100, 7)]
)
def test_percentiles_by_weight(percent: int, value: int) -> None:
    assert tally_of((7, 2), (-5, 1), (1, 2)).percentile(percent) == value


def test_an_empty_tally_has_no_figures() -> None:
    empty = Tally()
    assert (empty.percentile(50), empty.mean, empty.lowest, empty.highest) == (None, None, None, None)
    assert (empty.total, empty.sum, empty.share(None, None)) == (0, 0, 0.0)


def test_sums_of_a_tally() -> None:
    found = tally_of((7, 2), (-5, 1), (7, 1))
    assert (found.total, found.sum, found.mean, found.lowest, found.highest) == (4, 16, 4.0, -5, 7)


def test_a_value_without_weight_is_no_step() -> None:
    assert list(tally_of((1, 0), (2, 3), (4, 1)).climb()) == [(2, 3), (4, 4)]
    assert tally_of((1, 0), (2, 3)).percentile(0) == 2


def test_a_share_holds_its_lower_end() -> None:
    found = tally_of((0, 1), (100, 2), (200, 1))
    assert [found.share(None, 0), found.share(0, 100), found.share(100, 200), found.share(200, None)] == [
        0.0,
        0.25,
        0.5,
        0.25,
    ]


@given(st.lists(st.integers(-50, 50), min_size=1), st.lists(st.integers(-50, 50)), st.integers(0, 100))
def test_merged_percentiles_are_those_of_the_sorted_list(first: list[int], second: list[int], percent: int) -> None:
    made, other = Tally(), Tally()
    for value in first:
        made.add(value)
    for value in second:
        other.add(value)
    made.merge(other)
    together = sorted(first + second)
    assert made.percentile(percent) == together[max(0, math.ceil(percent * len(together) / 100) - 1)]
    assert made.mean == pytest.approx(sum(together) / len(together))


def test_too_many_values_are_rounded_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "KEYS_MAX", 5_000)
    made, other = Tally(), Tally()
    for value in range(0, 1_000_000, 100):
        other.add(value)
    made.merge(other)
    assert not made.is_exact
    assert len(made.weights) < 5_000
    assert made.total == 10_000
    middle = made.percentile(50)
    assert middle is not None
    assert abs(middle - 499_900) <= 499_900 / 2_000
