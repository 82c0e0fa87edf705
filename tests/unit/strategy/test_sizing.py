"""Sizes: figures computed elsewhere, the optimum against every other stake, refusals."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.strategy.sizing import (
    Claim,
    Ramp,
    cost_of,
    growth,
    joint_kelly,
    kelly_fraction,
    kelly_size_cc,
)


class Single(msgspec.Struct, frozen=True):
    p: float = msgspec.field(name="q")
    price: float
    is_taker: bool = msgspec.field(name="taker")
    cost: float
    fraction: float = msgspec.field(name="full_kelly_fraction_of_bankroll")
    contracts: float = msgspec.field(name="contracts_per_1000_usd_full")
    growth: float = msgspec.field(name="log_growth")
    half_ratio: float = msgspec.field(name="half_kelly_growth_ratio")


class VectorClaim(msgspec.Struct, frozen=True):
    cost: float
    payoff: tuple[float, ...]
    p: float = msgspec.field(name="q")


class Joint(msgspec.Struct, frozen=True):
    state_probabilities: list[float]
    claims: list[VectorClaim]
    joint_fraction: list[float]
    joint_growth: float
    joint_worst_wealth: float
    independent_fraction: list[float]
    independent_growth: float
    independent_worst_wealth: float


class Vectors(msgspec.Struct, frozen=True):
    kelly_single: list[Single]
    kelly_joint: Joint


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


def test_one_binary(vectors: Vectors) -> None:
    assert len(vectors.kelly_single) == 6
    for case in vectors.kelly_single:
        cost = cost_of(FeeSchedule(), Side.BID, round(case.price * 10_000), is_maker=not case.is_taker)
        fraction = kelly_fraction(case.p, cost)
        assert pytest.approx(case.cost, abs=1e-9) == cost
        assert pytest.approx(case.fraction, abs=1e-6) == fraction
        assert pytest.approx(case.growth, abs=1e-8) == growth(case.p, cost, fraction)
        assert int(case.contracts) * 100 == kelly_size_cc(case.p, cost, 1_000_000_000)
        if fraction:
            half = growth(case.p, cost, fraction / 2) / growth(case.p, cost, fraction)
            assert pytest.approx(case.half_ratio, abs=1e-4) == half


def test_no_is_the_mirror_of_yes() -> None:
    schedule = FeeSchedule()
    assert cost_of(schedule, Side.ASK, 3_000, is_maker=False) == cost_of(schedule, Side.BID, 7_000, is_maker=False)


@given(st.floats(0.0, 1.0), st.floats(0.01, 0.99), st.floats(0.0, 0.99))
def test_no_other_stake_grows_faster(p: float, cost: float, other: float) -> None:
    best = kelly_fraction(p, cost)
    assert growth(p, cost, best) >= growth(p, cost, other) - 1e-12


def test_fractions_buy_less() -> None:
    sizes = [kelly_size_cc(0.625, 0.5, 100_000_000, multiple) for multiple in (0.0, 0.25, 0.5, 1.0)]
    assert sizes == [0, 1_200, 2_500, 5_000]
    assert kelly_size_cc(0.6, 0.5, -1) == 0
    assert kelly_size_cc(0.5, 0.6, 100_000_000) == 0


@pytest.mark.parametrize(
    ("multiple", "edge"), [(0.0, 0.0399), (0.25, 0.04), (0.625, 0.08), (1.0, 0.12), (1.0, 0.5), (0.0, -1.0)]
)
def test_ramp(multiple: float, edge: float) -> None:
    assert pytest.approx(multiple) == Ramp().multiple(edge)


# A ladder together


def test_ladder(vectors: Vectors) -> None:
    case = vectors.kelly_joint
    total = sum(case.state_probabilities)
    pi = [p / total for p in case.state_probabilities]
    stakes = joint_kelly(pi, [Claim(cost=claim.cost, payoff=claim.payoff) for claim in case.claims])
    assert pytest.approx(case.joint_fraction, abs=2e-5) == list(stakes.fractions)
    assert pytest.approx(case.joint_growth, abs=1e-7) == stakes.growth
    assert stakes.gap < 1e-9
    assert pytest.approx(case.joint_worst_wealth, abs=2e-5) == min(wealth_of(case.claims, stakes.fractions))
    # Each claim by itself stakes more, and all of them together grow more slowly.
    alone = [kelly_fraction(claim.p, claim.cost) for claim in case.claims]
    wealth = wealth_of(case.claims, alone)
    assert pytest.approx(case.independent_fraction, abs=2e-5) == alone
    assert pytest.approx(case.independent_worst_wealth, abs=2e-5) == min(wealth)
    growth_alone = math.fsum(p * math.log(w) for p, w in zip(pi, wealth, strict=True))
    assert pytest.approx(case.independent_growth, abs=1e-6) == growth_alone < stakes.growth


def wealth_of(claims: Sequence[VectorClaim], fractions: Sequence[float]) -> list[float]:
    """What one dollar comes to in each state."""
    return [
        1.0 + math.fsum(f * (claim.payoff[s] / claim.cost - 1.0) for f, claim in zip(fractions, claims, strict=True))
        for s in range(len(claims[0].payoff))
    ]


@given(st.floats(0.01, 0.99), st.floats(0.02, 0.98))
def test_ladder_of_one_is_the_single_bet(p: float, cost: float) -> None:
    stakes = joint_kelly([1.0 - p, p], [Claim(cost=cost, payoff=(0.0, 1.0))])
    assert pytest.approx(kelly_fraction(p, cost), abs=1e-5) == stakes.fractions[0]


def claims_of(states: int) -> st.SearchStrategy[list[Claim]]:
    payoff = st.tuples(*[st.sampled_from([0.0, 1.0])] * states)
    return st.lists(st.builds(Claim, cost=st.floats(0.05, 0.95), payoff=payoff), min_size=1, max_size=6)


@given(
    st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4),
    claims_of(4),
    st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7),
)
def test_no_other_stakes_grow_faster(weights: list[float], claims: list[Claim], other: list[float]) -> None:
    pi = [weight / math.fsum(weights) for weight in weights]
    stakes = joint_kelly(pi, claims)
    assert all(fraction >= 0.0 for fraction in stakes.fractions)
    assert sum(stakes.fractions) <= 1.0 + 1e-9
    shares = [share / (sum(other) + 1e-9) for share in other[1 : len(claims) + 1]]
    wealth = [
        1.0 + sum(share * (claim.payoff[s] / claim.cost - 1.0) for share, claim in zip(shares, claims, strict=True))
        for s in range(4)
    ]
    if min(wealth) > 0.0:
        found = math.fsum(p * math.log(w) for p, w in zip(pi, wealth, strict=True))
        assert found <= stakes.growth + stakes.gap + 1e-9


def test_without_an_edge_all_stays_cash() -> None:
    stakes = joint_kelly([0.5, 0.5], [Claim(cost=0.51, payoff=(0.0, 1.0)), Claim(cost=0.51, payoff=(1.0, 0.0))])
    assert stakes.fractions == (0.0, 0.0)
    assert stakes.growth == 0.0
    assert joint_kelly([1.0], []).fractions == ()


def test_sure_gain_takes_all() -> None:
    stakes = joint_kelly([0.4, 0.6], [Claim(cost=0.4, payoff=(0.0, 1.0)), Claim(cost=0.4, payoff=(1.0, 0.0))])
    assert pytest.approx(1.0, abs=1e-6) == sum(stakes.fractions)
    assert pytest.approx([0.6, 0.4], abs=1e-4) == list(stakes.fractions)


def test_states_that_cannot_happen_do_not_count() -> None:
    stakes = joint_kelly([0.4, 0.6, 0.0], [Claim(cost=0.5, payoff=(0.0, 1.0, 0.0))])
    assert pytest.approx(0.2, abs=1e-5) == stakes.fractions[0]


def test_bad_numbers_are_refused() -> None:
    for p, cost in ((-0.1, 0.5), (math.nan, 0.5), (0.5, 0.0), (0.5, 1.1), (0.5, math.nan)):
        with pytest.raises(ArithmeticRefusal, match="cost"):
            kelly_fraction(p, cost)
    with pytest.raises(ArithmeticRefusal, match="fraction"):
        growth(0.5, 0.5, 1.1)
    with pytest.raises(ArithmeticRefusal, match="multiple"):
        kelly_size_cc(0.5, 0.4, 10, 1.5)
    with pytest.raises(ArithmeticRefusal, match="states"):
        joint_kelly([0.5, 0.4], [])
    with pytest.raises(ArithmeticRefusal, match="costs"):
        joint_kelly([0.5, 0.5], [Claim(cost=0.0, payoff=(0.0, 1.0))])
    with pytest.raises(ArithmeticRefusal, match="payoffs"):
        joint_kelly([0.5, 0.5], [Claim(cost=0.5, payoff=(1.0,))])
    with pytest.raises(ArithmeticRefusal, match="amount"):
        joint_kelly([0.5, 0.5], [Claim(cost=0.5, payoff=(-1.0, 1.0))])


def test_certainty() -> None:
    assert kelly_fraction(1.0, 0.9) == 1.0
    assert pytest.approx(math.log(1 / 0.9)) == growth(1.0, 0.9, 1.0)
    assert growth(0.5, 0.4, 1.0) == -math.inf
    assert kelly_fraction(1.0, 1.0) == 0.0


@pytest.mark.parametrize("rare", [1e-12, 1e-30, 1e-289, 5e-324])
def test_a_state_that_hardly_happens_stops_nothing(rare: float) -> None:
    claims = [Claim(cost=0.5, payoff=(1.0, 0.0, 0.0)), Claim(cost=0.4, payoff=(0.0, 1.0, 0.0))]
    found = joint_kelly([0.5, 0.5, rare], claims)
    assert math.fsum(found.fractions) <= 1.0 + 1e-12
    assert 0.0 < found.growth < 0.12
    assert found.gap < 1e-6
