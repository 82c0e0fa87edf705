"""What one contract more is worth, and what a stale quote costs: figures computed elsewhere, limits, refusals."""

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.reservation import (
    half_spread,
    indifference_ask,
    indifference_bid,
    reservation_price,
    stale_quote_cost,
)
from fairstrike.pricing.settlement import SettlementInputs, settlement_law, slope_above

YEAR_S = 31_536_000


class SkewCase(msgspec.Struct, frozen=True):
    p: float
    held: float = msgspec.field(name="inventory")
    gamma: float
    marginal: float = msgspec.field(name="reservation_marginal")
    bid: float = msgspec.field(name="indifference_bid_1")
    ask: float = msgspec.field(name="indifference_ask_1")


class SpreadCase(msgspec.Struct, frozen=True):
    gamma: float
    decay: float = msgspec.field(name="k_per_dollar")
    half_spread: float


class StaleCase(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    strike: float = msgspec.field(name="K")
    vol: float = msgspec.field(name="sigma")
    seconds: float = msgspec.field(name="tau_s")
    latency_s: float
    slope: float = msgspec.field(name="dP_dS")
    cost: float = msgspec.field(name="expected_adverse_move")


class Vectors(msgspec.Struct, frozen=True):
    cara_logit_skew: list[SkewCase]
    as_half_spread: list[SpreadCase]
    stale_quote_cost: list[StaleCase]


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


def test_inventory_skews_the_logit(vectors: Vectors) -> None:
    assert len(vectors.cara_logit_skew) == 6
    for case in vectors.cara_logit_skew:
        assert pytest.approx(case.marginal, abs=1e-7) == reservation_price(case.p, case.held, case.gamma)
        assert pytest.approx(case.bid, abs=1e-7) == indifference_bid(case.p, case.held, case.gamma)
        assert pytest.approx(case.ask, abs=1e-7) == indifference_ask(case.p, case.held, case.gamma)


def test_half_spread(vectors: Vectors) -> None:
    assert len(vectors.as_half_spread) == 4
    for case in vectors.as_half_spread:
        assert pytest.approx(case.half_spread, abs=1e-6) == half_spread(case.gamma, case.decay)
    assert half_spread(0.0, 50.0) == 0.02


def test_stale_quote(vectors: Vectors) -> None:
    assert len(vectors.stale_quote_cost) == 6
    for case in vectors.stale_quote_cost:
        law = settlement_law(SettlementInputs(spot=case.spot, vol_annual=case.vol, first_s=case.seconds - 60, left=60))
        slope = slope_above(law, case.strike)
        # The figures are of the normal law, ours of the lognormal one: they part in the fourth digit.
        assert pytest.approx(case.slope, rel=2e-3) == slope
        per_second = case.spot * case.vol / math.sqrt(YEAR_S)
        assert pytest.approx(case.cost, rel=2e-3) == stale_quote_cost(slope, per_second, case.latency_s)


@given(st.floats(0.0, 1.0), st.floats(-1e6, 1e6), st.floats(0.0, 1e3))
def test_price_of_one_more_lies_between_the_outcomes(p: float, held: float, gamma: float) -> None:
    price = reservation_price(p, held, gamma)
    assert 0.0 <= price <= 1.0
    tolerance = 1e-9 * (1.0 + abs(held))
    bid, ask = indifference_bid(p, held, gamma), indifference_ask(p, held, gamma)
    assert -tolerance <= bid <= 1.0 + tolerance
    assert bid - tolerance <= price <= ask + tolerance


@given(st.floats(0.01, 0.99), st.floats(-100.0, 100.0))
def test_without_risk_aversion_it_is_the_probability(p: float, held: float) -> None:
    assert pytest.approx(p, abs=1e-9) == reservation_price(p, held, 0.0)
    assert pytest.approx(p, abs=1e-9) == indifference_bid(p, held, 0.0)
    assert pytest.approx(p, abs=1e-6) == indifference_bid(p, held, 1e-10)


@pytest.mark.parametrize(
    ("p", "held", "gamma"), [(-0.1, 0, 0.1), (math.nan, 0, 0.1), (0.5, math.inf, 0.1), (0.5, 0, -1)]
)
def test_bad_number_is_refused(p: float, held: float, gamma: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="gamma"):
        reservation_price(p, held, gamma)
    with pytest.raises(ArithmeticRefusal, match="gamma"):
        indifference_ask(p, held, gamma)


def test_bad_sizes_and_rates_are_refused() -> None:
    with pytest.raises(ArithmeticRefusal, match="size"):
        indifference_bid(0.5, 0.0, 0.1, 0.0)
    with pytest.raises(ArithmeticRefusal, match="decay"):
        half_spread(0.1, 0.0)
    with pytest.raises(ArithmeticRefusal, match="latency_s"):
        stale_quote_cost(0.01, 5.0, math.nan)
