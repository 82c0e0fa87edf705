"""What regimes multiply, and in which none opens anything."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.regime import Regime
from fairstrike.strategy.caution import Caution, Multipliers
from tests.unit.strategy.samples import regime


def test_the_row_as_shipped() -> None:
    caution = Caution()
    assert caution.at(regime(Regime.CALM)) == Multipliers(size=1.0, least_edge=1.0, half_spread=1.0)
    assert caution.at(regime(Regime.TRENDING)) == Multipliers(size=0.7, least_edge=1.25, half_spread=1.25)
    assert caution.at(regime(Regime.SPIKY)).size == 0.0


def test_an_unknown_regime_is_calm() -> None:
    caution = Caution(calm=Multipliers(size=0.5))
    assert caution.at(None) == caution.at(regime(Regime.CALM)) == Multipliers(size=0.5)


@pytest.mark.parametrize(
    ("expected", "size_cc", "multiple"),
    [
        (700, 1_000, 0.7),
        (1_400, 2_000, 0.7),
        (1_000, 1_500, 0.7),
        (100, 100, 0.7),
        (50, 50, 0.7),
        (1_550, 1_550, 1.0),
        (0, 1_000, 0.0),
    ],
)
def test_size(expected: int, size_cc: int, multiple: float) -> None:
    assert expected == Multipliers(size=multiple).size_of(size_cc)


def test_least_edge() -> None:
    assert Multipliers(least_edge=1.25).edge_of(30_000) == 37_500
    assert Multipliers(least_edge=1.25).edge_of(-30_000) == -30_000


@given(st.integers(1, 10**9), st.floats(0, 1), st.floats(1, 100), st.integers(-(10**6), 10**6))
def test_a_regime_only_makes_more_careful(size_cc: int, size: float, edge: float, least_ppm: int) -> None:
    multipliers = Multipliers(size=size, least_edge=edge)
    assert 0 <= multipliers.size_of(size_cc) <= size_cc
    assert multipliers.edge_of(least_ppm) >= least_ppm


@pytest.mark.parametrize("bad", [{"size": 1.5}, {"size": -0.1}, {"least_edge": 0.9}, {"half_spread": 0.0}])
def test_what_would_make_bolder_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"trending": bad}, Caution)
