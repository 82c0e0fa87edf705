"""One distribution for a settlement group: figures computed elsewhere, no contradiction, every band kept."""

import math
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import FeeSchedule
from fairstrike.pricing.distribution import (
    Band,
    Ladder,
    band_of,
    fitted,
    gap_states,
    ladder_of,
    model_weights,
    payoffs,
    prices,
    reservation_prices,
    tilted,
)
from fairstrike.pricing.reservation import reservation_price
from fairstrike.pricing.settlement import SettlementInputs, SettlementLaw, probability, settlement_law
from tests.unit.pricing.contracts import ABOVE, AT_LEAST, BELOW, BETWEEN, contract

HOUR = (
    contract("KXBTC-low", BELOW, None, 79_900.0),
    *(contract(f"KXBTC-{floor}", BETWEEN, floor, floor + 99.99) for floor in (79_900, 80_000, 80_100)),
    contract("KXBTC-high", ABOVE, 80_199.99),
    *(contract(f"KXBTCD-{strike}", ABOVE, strike - 0.01) for strike in (79_900, 80_000, 80_100, 80_200)),
    contract("KXBTC15M-T", AT_LEAST, 80_023.37, digits=2),
)
LADDER = ladder_of(HOUR)


def law_of(spot: float = 80_060.0, vol: float = 0.35, first_s: float = 540.0, left: int = 60) -> SettlementLaw:
    seen_sum = (60 - left) * spot
    return settlement_law(SettlementInputs(spot=spot, vol_annual=vol, first_s=first_s, left=left, seen_sum=seen_sum))


LAWS = st.builds(
    law_of,
    spot=st.floats(79_000.0, 81_000.0),
    vol=st.floats(0.0, 3.0),
    first_s=st.floats(0.0, 3_600.0),
    left=st.integers(0, 60),
)


class Tilt(msgspec.Struct, frozen=True):
    model_pi: list[float]
    payoff_ladder: list[float]
    gamma: float
    tilted_pi: list[float]
    reservation: dict[str, float]
    fair: dict[str, float]


class JointModel(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    sigma: float
    seconds: float = msgspec.field(name="tau_to_close_s")


class Joint(msgspec.Struct, frozen=True):
    model: JointModel
    state_probabilities: list[float]


class Vectors(msgspec.Struct, frozen=True):
    ladder_exponential_tilt: Tilt
    kelly_joint: Joint


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


SMALL = ladder_of(
    [
        contract("T79999.99", ABOVE, 79_999.99, digits=2),
        contract("15M>=80050", AT_LEAST, 80_050.0, digits=2),
        contract("T80099.99", ABOVE, 80_099.99, digits=2),
        contract("T80199.99", ABOVE, 80_199.99, digits=2),
        contract("B80000-80099.99", BETWEEN, 80_000.0, 80_099.99, digits=2),
    ]
)
"""Five states, as the figures have them: of whole cents there is none between .99 and the next .00."""


def test_model_of_five_states(vectors: Vectors) -> None:
    case = vectors.kelly_joint
    law = law_of(case.model.spot, case.model.sigma, case.model.seconds - 60)
    assert pytest.approx(case.state_probabilities, abs=3e-5) == model_weights(SMALL, law)


def test_inventory_tilts_the_whole_ladder(vectors: Vectors) -> None:
    case = vectors.ladder_exponential_tilt
    held = {"T79999.99": 30.0, "15M>=80050": -20.0, "B80000-80099.99": 10.0}
    assert case.payoff_ladder == payoffs(SMALL, held)
    weights = tilted(case.model_pi, case.payoff_ladder, case.gamma)
    assert pytest.approx(case.tilted_pi, abs=1e-6) == weights
    fair, reserved = prices(SMALL, case.model_pi), reservation_prices(SMALL, case.model_pi, held, case.gamma)
    for ticker, price in case.reservation.items():
        assert pytest.approx(case.fair[ticker], abs=1e-9) == fair[ticker]
        assert pytest.approx(price, abs=1e-6) == reserved[ticker]


def test_one_strike_is_the_logit_skew() -> None:
    one = ladder_of([contract("T", ABOVE, 80_000.0)])
    for held in (-50.0, 0.0, 20.0):
        price = reservation_prices(one, [0.3, 0.7], {"T": held}, 0.02)["T"]
        assert pytest.approx(reservation_price(0.7, held, 0.02), abs=1e-12) == price


# The states


def test_states_of_three_series() -> None:
    assert LADDER.edges == (
        79_899.99,
        79_900.0,
        79_999.99,
        80_000.0,
        80_023.365,
        80_099.99,
        80_100.0,
        80_199.99,
    )
    assert gap_states(LADDER) == (1, 3, 6)
    assert LADDER.spans["KXBTC-80000"] == (4, 6)
    assert LADDER.spans["KXBTCD-80000"] == (3, 9)
    assert LADDER.spans["KXBTC-low"] == (0, 2)
    assert LADDER.spans["KXBTC15M-T"] == (5, 9)


def test_unknown_strikes_are_left_out() -> None:
    ladder = ladder_of([contract("a", ABOVE, 80_000.0), contract("b", AT_LEAST, None)])
    assert list(ladder.spans) == ["a"]
    empty = ladder_of([])
    assert (model_weights(empty, law_of()), prices(empty, [1.0])) == ([1.0], {})


def test_a_strike_that_one_market_takes_in_and_another_does_not_is_a_state() -> None:
    ladder = ladder_of([contract("over", ABOVE, 80_000.0), contract("under", BELOW, None, 80_000.0)])
    assert ladder.edges == (80_000.0, 80_000.0)
    assert ladder.spans == {"over": (2, 3), "under": (0, 1)}
    assert gap_states(ladder) == ()
    assert pytest.approx(1.0) == sum(prices(ladder, model_weights(ladder, law_of())).values())
    point = ladder_of([contract("point", BETWEEN, 80_000.0, 80_000.0)])
    assert point.spans == {"point": (1, 2)}
    # Rounded half up, half a cent is above its edge for both.
    rounded = [contract("over", ABOVE, 80_000.0, digits=2), contract("from", AT_LEAST, 80_000.01, digits=2)]
    assert ladder_of(rounded).edges == (80_000.005,)


def test_a_range_upside_down_never_pays() -> None:
    ladder = ladder_of([contract("a", ABOVE, 80_050.0), contract("upside down", BETWEEN, 80_100.0, 80_000.0)])
    weights = model_weights(ladder, law_of())
    assert prices(ladder, weights)["upside down"] == 0.0
    assert fitted(ladder, {"upside down": Band(low=0.2, high=0.3)}, weights).ignored == ("upside down",)


@given(LAWS)
def test_ladder_prices_are_those_of_each_contract(law: SettlementLaw) -> None:
    weights = model_weights(LADDER, law)
    assert pytest.approx(1.0, abs=1e-12) == math.fsum(weights)
    assert all(weight >= 0.0 for weight in weights)
    together = prices(LADDER, weights)
    assert all(-1e-12 <= price <= 1.0 + 1e-12 for price in together.values())
    if law.total_e8 is None:
        for one in HOUR:
            assert pytest.approx(probability(one, law), abs=1e-9) == together[one.ticker]


@given(LAWS, st.dictionaries(st.sampled_from(sorted(LADDER.spans)), st.floats(-500.0, 500.0)), st.floats(0.0, 1.0))
def test_reservation_prices_contradict_nothing(law: SettlementLaw, held: dict[str, float], gamma: float) -> None:
    weights = model_weights(LADDER, law)
    reserved = reservation_prices(LADDER, weights, held, gamma)
    ladder = [reserved[f"KXBTCD-{strike}"] for strike in (79_900, 80_000, 80_100, 80_200)]
    assert all(low >= high - 1e-12 for low, high in pairwise(ladder))
    skewed = tilted(weights, payoffs(LADDER, held), gamma)
    assert pytest.approx(1.0, abs=1e-9) == math.fsum(skewed)


def test_longer_is_worth_less_to_its_holder() -> None:
    weights = model_weights(LADDER, law_of())
    fair = prices(LADDER, weights)
    reserved = reservation_prices(LADDER, weights, {"KXBTCD-80000": 50.0}, 0.02)
    assert reserved["KXBTCD-80000"] < fair["KXBTCD-80000"]
    # It hedges: below the strike is now worth more.
    assert reserved["KXBTC-79900"] > fair["KXBTC-79900"]


def test_state_that_cannot_happen_does_not_drown_the_rest() -> None:
    assert tilted([0.0, 0.5, 0.5], [0.0, 1e6, 1e6], 1.0) == [0.0, 0.5, 0.5]


# Fitted to quotes


def bands_of(weights: list[float], half: float, tickers: list[str] | None = None) -> dict[str, Band]:
    together = prices(LADDER, weights)
    return {
        ticker: Band(low=max(p - half, 0.0), high=min(p + half, 1.0))
        for ticker, p in together.items()
        if tickers is None or ticker in tickers
    }


def outside(bands: dict[str, Band], found: dict[str, float]) -> float:
    return max(max(band.low - found[ticker], found[ticker] - band.high) for ticker, band in bands.items())


def test_without_quotes_it_is_the_prior() -> None:
    prior = model_weights(LADDER, law_of())
    assert pytest.approx(prior, abs=1e-12) == list(fitted(LADDER, {}, prior).weights)


@given(LAWS, LAWS, st.floats(0.0, 0.05), st.sets(st.sampled_from(sorted(LADDER.spans))))
def test_every_band_is_kept(told: SettlementLaw, prior: SettlementLaw, half: float, quoted: set[str]) -> None:
    bands = bands_of(model_weights(LADDER, told), half, sorted(quoted))
    fit = fitted(LADDER, bands, model_weights(LADDER, prior))
    assert fit.slack <= 1e-3
    assert fit.ignored == ()
    assert pytest.approx(1.0, abs=1e-9) == math.fsum(fit.weights)
    assert min(fit.weights) >= -1e-9
    if bands:
        assert outside(bands, prices(LADDER, fit.weights)) <= fit.slack + 1e-9


def test_narrow_quotes_are_found_again() -> None:
    truth = model_weights(LADDER, law_of(80_100.0, 0.6))
    fit = fitted(LADDER, bands_of(truth, 0.0), model_weights(LADDER, law_of()))
    assert pytest.approx(prices(LADDER, truth), abs=1e-6) == prices(LADDER, fit.weights)


def test_contradiction_is_named_by_its_size() -> None:
    # A higher strike bid ten cents above what a lower one is offered at.
    bands = {"KXBTCD-80000": Band(high=0.40), "KXBTCD-80100": Band(low=0.50)}
    fit = fitted(LADDER, bands, model_weights(LADDER, law_of()))
    assert 0.05 <= fit.slack <= 0.11
    assert math.isclose(math.fsum(fit.weights), 1.0, abs_tol=1e-9)


@given(
    LAWS, st.dictionaries(st.sampled_from(sorted(LADDER.spans)), st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)))
)
def test_whatever_is_quoted_is_kept_within_the_slack(
    prior: SettlementLaw, quoted: dict[str, tuple[float, float]]
) -> None:
    bands = {ticker: Band(low=low, high=high) for ticker, (low, high) in quoted.items()}
    fit = fitted(LADDER, bands, model_weights(LADDER, prior))
    assert min(fit.weights) >= 0.0
    if bands:
        assert outside(bands, prices(LADDER, fit.weights)) <= fit.slack + 1e-9


def test_contradictions_inside_a_quoted_range_are_named() -> None:
    bands = {"KXBTC15M-T": Band(low=0.6, high=0.5), "KXBTC-80000": Band(low=0.1, high=0.9)}
    assert 0.05 <= fitted(LADDER, bands, model_weights(LADDER, law_of())).slack <= 0.11


def test_range_across_another_is_ignored() -> None:
    wide = ladder_of([*HOUR, contract("wide", BETWEEN, 79_900.0, 80_099.99)])
    prior = model_weights(wide, law_of())
    bands = {ticker: Band(low=0.1, high=0.9) for ticker in ("wide", "KXBTC-79900", "KXBTC-80000")}
    assert fitted(wide, bands, prior).ignored == ("wide",)


@pytest.mark.parametrize(
    ("low", "high", "bid", "ask"),
    [(0.0, 1.0, None, None), (0.4825, 1.0, 5_000, None), (0.0, 0.5275, None, 5_100), (0.0, 1.0, 1, 9_999)],
)
def test_band_counts_the_fee(low: float, high: float, bid: int | None, ask: int | None) -> None:
    band = band_of(bid, ask, FeeSchedule())
    assert pytest.approx(low, abs=1e-4) == band.low
    assert pytest.approx(high, abs=1e-4) == band.high


def test_bad_input_is_refused() -> None:
    with pytest.raises(ArithmeticRefusal, match="leave them out"):
        payoffs(LADDER, {"other": 1.0})
    with pytest.raises(ArithmeticRefusal, match="leave them out"):
        payoffs(LADDER, {"KXBTC-low": math.nan})
    for gamma in (-1.0, math.nan):
        with pytest.raises(ArithmeticRefusal, match="gamma"):
            tilted([1.0], [0.0], gamma)
    with pytest.raises(ArithmeticRefusal, match="do not fit"):
        tilted([0.5, 0.5], [0.0], 0.1)
    with pytest.raises(ArithmeticRefusal, match="edges"):
        fitted(LADDER, {}, [1.0])
    with pytest.raises(ArithmeticRefusal, match="edges"):
        fitted(Ladder(edges=(), spans={}), {}, [1.0])
