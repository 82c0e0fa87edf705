"""The volatility of a ladder's own prices, each strike's without its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import Contract
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.market.ladder import Rung
from fairstrike.pricing.implied import GRID, LadderFit, Params
from fairstrike.pricing.settlement import SettlementInputs, probability, settlement_law
from tests.unit.pricing.contracts import BETWEEN, contract

SPOT = 64_000.0
INPUTS = SettlementInputs(spot=SPOT, vol_annual=0.0, first_s=1_500.0, left=60, sd_dollars=5.3)
PARAMS = Params(strikes_min=2, vol_prior_log_sd=1_000.0)
"""With a prior that says nothing."""


def bracket(number: int) -> Contract:
    floor = 63_700.0 + 100 * number
    return contract(f"B{number}", BETWEEN, floor, floor + 99.99)


def ladder(vol: float, count: int = 6, half_ticks: int = 50) -> list[Rung]:
    """A ladder whose mids are the worth at a volatility, to the tick."""
    law = settlement_law(SettlementInputs(spot=SPOT, vol_annual=vol, first_s=1_500.0, left=60, sd_dollars=5.3))
    mids = [round(probability(bracket(n), law) * TICKS_PER_DOLLAR) for n in range(count)]
    return [
        Rung(contract=bracket(n), bid_ticks=mid - half_ticks, ask_ticks=mid + half_ticks) for n, mid in enumerate(mids)
    ]


@given(st.floats(min_value=0.15, max_value=2.5))
def test_the_volatility_a_ladder_was_made_with_is_found(vol: float) -> None:
    fitted = LadderFit(PARAMS, INPUTS, ladder(vol)).vol_annual("")
    assert fitted == pytest.approx(vol, rel=0.02)


def test_a_market_is_priced_by_the_others_alone() -> None:
    rungs = ladder(0.5)
    wrong = Rung(contract=rungs[2].contract, bid_ticks=8_900, ask_ticks=9_000)
    fit = LadderFit(PARAMS, INPUTS, [*rungs[:2], wrong, *rungs[3:]])
    assert fit.vol_annual("B2") == pytest.approx(0.5, rel=0.02)
    assert fit.vol_annual("B3") != pytest.approx(0.5, rel=0.02)
    law = fit.law("B2")
    assert law is not None
    assert probability(wrong.contract, law) * TICKS_PER_DOLLAR == pytest.approx(rungs[2].bid_ticks + 50, abs=20)


def test_a_market_without_two_sides_is_priced_by_all_that_have_them() -> None:
    fit = LadderFit(PARAMS, INPUTS, ladder(0.5))
    assert fit.law("elsewhere") is fit.law("")
    assert fit.law("elsewhere") is not None


@pytest.mark.parametrize(("count", "is_known"), [(1, False), (2, False), (3, True)])
def test_too_few_others_are_no_volatility(count: int, is_known: bool) -> None:
    fit = LadderFit(PARAMS, INPUTS, ladder(0.5, count))
    assert (fit.law("B0") is not None) is is_known


def test_switched_off_there_is_never_one() -> None:
    assert LadderFit(Params(), INPUTS, ladder(0.5)).law("B0") is None


def test_the_prior_chooses_between_a_small_volatility_and_an_absurd_one() -> None:
    """Minutes before the close the two strikes beside the money are bid at nine cents each."""
    inputs = SettlementInputs(spot=63_955.0, vol_annual=0.0, first_s=229.0, left=60, sd_dollars=5.3)
    wings = [Rung(contract=bracket(n), bid_ticks=bid, ask_ticks=bid + 100) for n, bid in ((1, 820), (3, 840))]
    absurd = LadderFit(PARAMS, inputs, wings).vol_annual("")
    sensible = LadderFit(Params(strikes_min=2), inputs, wings).vol_annual("")
    assert absurd is not None
    assert sensible is not None
    assert absurd > 1.0 > 0.3 > sensible > 0.1


@given(st.floats(min_value=0.1, max_value=1.6))
def test_the_prior_pulls_towards_itself_and_not_far(vol: float) -> None:
    fitted = LadderFit(Params(strikes_min=2), INPUTS, ladder(vol)).vol_annual("")
    assert fitted is not None
    assert min(vol, 0.4) * 0.97 <= fitted <= max(vol, 0.4) * 1.03
    assert fitted == pytest.approx(vol, rel=0.35)


@pytest.mark.parametrize("vol", [GRID[0] / 3, GRID[-1] * 3])
def test_prices_beyond_the_grid_are_no_volatility(vol: float) -> None:
    assert LadderFit(PARAMS, INPUTS, ladder(vol)).vol_annual("") is None
