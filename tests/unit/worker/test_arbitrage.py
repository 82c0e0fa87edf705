"""The riskless portfolio: figures computed elsewhere, the proof by state prices, whole contracts, solving again."""

import itertools
import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairstrike.core.contract import Contract, settle
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.order import Side
from fairstrike.pricing.computations import ArbitrageInputs, Offer, Riskless, gains_ud, leg_gains_ud
from fairstrike.pricing.distribution import gap_states, ladder_of
from fairstrike.worker.arbitrage import RisklessPortfolio, levels_of
from tests.unit.pricing.contracts import ABOVE, BELOW, BETWEEN, E8, contract
from tests.unit.worker.samples import CASH_UD, CONTRACTS, SCHEDULES, case_of, inputs_of, offers_of

LADDER = ladder_of(CONTRACTS)


def riskless(inputs: ArbitrageInputs) -> Riskless:
    """The best portfolio of offers, from nothing."""
    programme = RisklessPortfolio(ladder_of(inputs.contracts), levels_of(inputs.offers), counts_gaps=inputs.counts_gaps)
    return programme.solve(inputs.offers, inputs.schedules, inputs.cash_ud)


def test_worked_example(shared_facts: Path) -> None:
    case = case_of(shared_facts)
    found = riskless(inputs_of(offers_of(case), counts_gaps=False))
    # The programme sets a ten-thousandth of a dollar a fill aside for the balance's rounding.
    assert pytest.approx(case.guaranteed_profit_t, abs=4e-4) == found.bound
    assert {(leg.ticker, leg.side, leg.size_cc) for leg in found.legs} == {
        ("KXBTCD T79999.99", Side.ASK, 6_000),
        ("KXBTCD T80099.99", Side.BID, 6_000),
        ("KXBTC B80000-80099.99", Side.BID, 6_000),
    }
    assert pytest.approx(case.guaranteed_profit_t * 1e6, abs=100) == found.worst_ud
    assert found.worst_gap_ud is not None
    assert pytest.approx(min(case.pnl_in_unrounded_gap_states.values()) * 1e6, abs=100) == found.worst_gap_ud


def test_worked_example_is_no_riskless_one_where_the_gap_counts(shared_facts: Path) -> None:
    found = riskless(inputs_of(offers_of(case_of(shared_facts))))
    assert (found.legs, found.worst_ud) == ((), 0)
    assert pytest.approx(0.0, abs=1e-9) == found.bound


def test_nothing_is_left_without_the_level_at_nine_cents(shared_facts: Path) -> None:
    offers = tuple(offer for offer in offers_of(case_of(shared_facts)) if offer.price_ticks != 900)
    found = riskless(inputs_of(offers, counts_gaps=False))
    assert found.legs == ()
    assert dearest(found, offers, counts_gaps=False) <= 1e-9


def test_worked_example_without_fees(shared_facts: Path) -> None:
    case = case_of(shared_facts)
    free = dict.fromkeys(SCHEDULES, FeeSchedule(taker_ppm=0))
    found = RisklessPortfolio(LADDER, levels=3, counts_gaps=False).solve(offers_of(case), free, CASH_UD)
    assert pytest.approx(case.guaranteed_profit_ignoring_fees, abs=1e-3) == found.bound
    assert pytest.approx(case.guaranteed_profit_ignoring_fees * 1e6, abs=100) == found.worst_ud


def test_cash_bounds_the_legs(shared_facts: Path) -> None:
    offers = offers_of(case_of(shared_facts))
    found = riskless(inputs_of(offers, counts_gaps=False, cash_ud=10_000_000))
    bound_ud = sum(
        (leg.price_ticks if leg.side is Side.BID else 10_000 - leg.price_ticks) * leg.size_cc for leg in found.legs
    )
    assert found.worst_ud > 0
    assert bound_ud <= 10_000_000


# The proof


def gain(offer: Offer, state: int) -> float:
    """Dollars a contract of an offer gains in a state, as the programme reckons."""
    first, after = LADDER.spans[offer.ticker]
    fee = trade_fee_ud(FeeSchedule(), offer.price_ticks, 100, is_maker=False) / 1e6
    payoff = float(first <= state < after)
    return offer.side.sign * (payoff - offer.price_ticks / 1e4) - fee - 1e-4 / max(offer.size_cc / 100, 1.0)


def dearest(found: Riskless, offers: tuple[Offer, ...], *, counts_gaps: bool) -> float:
    """What the offers are worth at the state prices beyond their cost, all depth taken: the bound, by duality."""
    prices = found.state_prices
    assert pytest.approx(1.0, abs=1e-7) == math.fsum(prices)
    assert min(prices) >= -1e-9
    if not counts_gaps:
        assert all(prices[state] <= 1e-9 for state in gap_states(LADDER))
    worth = [math.fsum(q * gain(offer, state) for state, q in enumerate(prices)) for offer in offers]
    return math.fsum(max(each, 0.0) * offer.size_cc / 100 for each, offer in zip(worth, offers, strict=True))


OFFERS = st.lists(
    st.builds(
        Offer,
        ticker=st.sampled_from([one.ticker for one in CONTRACTS]),
        side=st.sampled_from(list(Side)),
        price_ticks=st.integers(1, 99).map(lambda cents: cents * 100),
        size_cc=st.integers(1, 50).map(lambda contracts: contracts * 100),
    ),
    max_size=18,
    unique_by=lambda offer: (offer.ticker, offer.side, offer.price_ticks),
).map(tuple)


@settings(max_examples=60)
@given(OFFERS, st.booleans())
def test_state_prices_prove_the_bound(offers: tuple[Offer, ...], counts_gaps: bool) -> None:
    found = riskless(inputs_of(offers, counts_gaps=counts_gaps))
    if offers:
        assert pytest.approx(dearest(found, offers, counts_gaps=counts_gaps), abs=1e-6) == found.bound


@settings(max_examples=60)
@given(OFFERS, st.booleans())
def test_what_is_told_is_exact_and_within_the_offers(offers: tuple[Offer, ...], counts_gaps: bool) -> None:
    found = riskless(inputs_of(offers, counts_gaps=counts_gaps))
    gains = gains_ud(LADDER, found.legs, SCHEDULES)
    gaps = set(gap_states(LADDER))
    assert list(found.gains_ud) == gains
    assert found.worst_ud == min(each for state, each in enumerate(gains) if counts_gaps or state not in gaps)
    assert found.worst_ud > 0 or found.legs == ()
    # A ten-thousandth a fill is set aside in the programme and not always taken.
    assert found.worst_ud <= found.bound * 1e6 + 200 * len(found.legs) + 1
    depths = {(offer.ticker, offer.side, offer.price_ticks): offer.size_cc for offer in offers}
    for leg in found.legs:
        assert leg.size_cc % 100 == 0
        assert leg.size_cc <= depths[leg.ticker, leg.side, leg.price_ticks]


# Again


@settings(max_examples=30)
@given(st.lists(OFFERS, min_size=2, max_size=4))
def test_solved_again_it_is_what_it_is_from_nothing(books: list[tuple[Offer, ...]]) -> None:
    programme = RisklessPortfolio(LADDER, levels=18)
    for offers in books:
        again = programme.solve(offers, SCHEDULES, CASH_UD)
        assert pytest.approx(riskless(inputs_of(offers)).bound, abs=1e-7) == again.bound


def test_other_fees_are_taken_in() -> None:
    programme = RisklessPortfolio(LADDER)
    low, high = (
        Offer(ticker=f"KXBTCD T{strike}", side=side, price_ticks=price, size_cc=1_000)
        for strike, side, price in (("79999.99", Side.BID, 5_000), ("80099.99", Side.ASK, 5_200))
    )
    free = dict.fromkeys(SCHEDULES, FeeSchedule(taker_ppm=0))
    assert programme.solve((low, high), SCHEDULES, CASH_UD).legs == ()
    assert programme.solve((low, high), free, CASH_UD).worst_ud == 200_000
    assert programme.solve((low, high), SCHEDULES, CASH_UD).legs == ()


# Whole contracts


def test_halves_of_contracts_are_left() -> None:
    # Depths of parts of a contract more than whole ones: each leg is cut to the shortest.
    free = dict.fromkeys(SCHEDULES, FeeSchedule(taker_ppm=0))
    offers = (
        Offer(ticker="KXBTCD T79999.99", side=Side.BID, price_ticks=4_000, size_cc=350),
        Offer(ticker="KXBTCD T80099.99", side=Side.ASK, price_ticks=6_000, size_cc=270),
    )
    found = RisklessPortfolio(LADDER).solve(offers, free, CASH_UD)
    assert [leg.size_cc for leg in found.legs] == [200, 200]
    assert found.worst_ud == 400_000


def test_parts_of_contracts_at_two_levels_make_a_whole_one() -> None:
    low, high, between = (CONTRACTS[at].ticker for at in (0, 1, 3))
    offers = (
        Offer(ticker=low, side=Side.BID, price_ticks=9_100, size_cc=3_040),
        Offer(ticker=high, side=Side.ASK, price_ticks=9_000, size_cc=2_060),
        Offer(ticker=high, side=Side.ASK, price_ticks=8_900, size_cc=3_060),
        Offer(ticker=between, side=Side.ASK, price_ticks=400, size_cc=3_040),
    )
    found = riskless(inputs_of(offers))
    assert sorted(leg.size_cc for leg in found.legs if leg.ticker == high) == [1_000, 2_000]
    assert [leg.size_cc for leg in found.legs if leg.ticker != high] == [3_000, 3_000]
    assert found.worst_ud / 1e6 > 0.9 * found.bound > 0.0


PARTS = st.builds(
    Offer,
    ticker=st.sampled_from([one.ticker for one in CONTRACTS]),
    side=st.sampled_from(list(Side)),
    price_ticks=st.integers(1, 99).map(lambda cents: cents * 100),
    size_cc=st.integers(1, 3_000),
)


@settings(max_examples=100)
@given(st.lists(PARTS, max_size=18).map(tuple), st.booleans())
def test_with_cash_to_spare_whole_contracts_gain_the_bound(offers: tuple[Offer, ...], counts_gaps: bool) -> None:
    found = riskless(inputs_of(offers, counts_gaps=counts_gaps))
    # A fill's fee is rounded up to a microdollar, then what it changes the balance by to a hundred of them.
    assert found.worst_ud >= found.bound * 1e6 - 101 * len(found.legs) - 1


def best_ud(offers: tuple[Offer, ...], cash_ud: int) -> int:
    """The most that any portfolio gains for certain: all are tried."""
    most = 0
    for counts in itertools.product(*(range(offer.size_cc // 100 + 1) for offer in offers)):
        legs = [
            msgspec.structs.replace(offer, size_cc=100 * count)
            for offer, count in zip(offers, counts, strict=True)
            if count
        ]
        if sum(-min(leg_gains_ud(leg, SCHEDULES[leg.ticker])) for leg in legs) <= cash_ud:
            most = max(most, min(gains_ud(LADDER, legs, SCHEDULES)))
    return most


LOOSE = st.builds(
    lambda sides: tuple(
        Offer(ticker=CONTRACTS[at].ticker, side=side, price_ticks=100 * cents, size_cc=100 * size)
        for (at, side), (cents, size) in sides.items()
    ),
    # What is asked is cheap and what is bid is dear, so that much gains and the cash decides.
    st.dictionaries(
        st.sampled_from([(at, side) for at in (0, 1, 3) for side in Side]),
        st.tuples(st.integers(20, 70), st.integers(1, 3)),
        min_size=2,
        max_size=4,
    ),
)


@settings(max_examples=60, deadline=None)
@given(LOOSE, st.integers(100, 900))
def test_of_few_contracts_the_best_are_found(offers: tuple[Offer, ...], cents: int) -> None:
    programme = RisklessPortfolio(LADDER)
    found = programme.solve(offers, SCHEDULES, cents * 10_000)
    best = best_ud(offers, cents * 10_000)
    assert found.worst_ud <= best
    assert found.worst_ud >= min(best - 101 * len(offers), 0.9e6 * found.bound)
    # What was searched for is not in the way of what is solved next.
    assert (
        pytest.approx(riskless(inputs_of(offers)).bound, abs=1e-7) == programme.solve(offers, SCHEDULES, CASH_UD).bound
    )


def test_where_cash_buys_few_contracts_the_best_are_searched_for() -> None:
    """Two portfolios of other prices: what is left beside the better one would buy most of another of it, not all."""
    low, high, last, between, up = (CONTRACTS[at].ticker for at in (0, 1, 2, 3, 5))
    three = ((low, Side.BID, 8_000), (high, Side.ASK, 6_000), (between, Side.ASK, 5_000))
    two = ((up, Side.BID, 6_000), (last, Side.ASK, 7_000))
    offers = tuple(
        Offer(ticker=ticker, side=side, price_ticks=price, size_cc=300) for ticker, side, price in (*three, *two)
    )
    cash_ud = 2_700_000
    found = riskless(inputs_of(offers, cash_ud=cash_ud))
    assert best_ud(offers, cash_ud) == found.worst_ud


@pytest.mark.parametrize("cents", [333, 358, 1_000, 10_000])
def test_whole_contracts_keep_within_the_cash(cents: int) -> None:
    low, high, between = (CONTRACTS[at].ticker for at in (0, 1, 3))
    offers = (
        Offer(ticker=low, side=Side.BID, price_ticks=7_000, size_cc=10_000),
        Offer(ticker=high, side=Side.ASK, price_ticks=9_000, size_cc=150),
        Offer(ticker=high, side=Side.ASK, price_ticks=7_000, size_cc=10_000),
        Offer(ticker=between, side=Side.ASK, price_ticks=1_000, size_cc=10_000),
    )
    found = riskless(inputs_of(offers, cash_ud=cents * 10_000))
    bound_ud = sum(-min(leg_gains_ud(leg, SCHEDULES[leg.ticker])) for leg in found.legs)
    assert bound_ud <= cents * 10_000
    assert found.worst_ud > 0


def test_bad_offers_are_refused() -> None:
    offer = Offer(ticker="other", side=Side.BID, price_ticks=5_000, size_cc=100)
    for bad in (offer, msgspec.structs.replace(offer, ticker="KXBTCD T79999.99", price_ticks=0)):
        with pytest.raises(ArithmeticRefusal, match="leave it out"):
            riskless(inputs_of((bad,)))


def test_what_cannot_be_reckoned_is_refused() -> None:
    offer = Offer(ticker="KXBTCD T79999.99", side=Side.BID, price_ticks=5_000, size_cc=100)
    with pytest.raises(ArithmeticRefusal, match="no fee schedule"):
        RisklessPortfolio(LADDER).solve((offer,), {}, CASH_UD)
    with pytest.raises(ArithmeticRefusal, match="cash"):
        RisklessPortfolio(LADDER).solve((offer,), SCHEDULES, -1)


def all_bought(contracts: tuple[Contract, ...], schedule: FeeSchedule) -> Riskless:
    """What comes of it when all of these are asked for 45 cents."""
    offers = tuple(Offer(ticker=one.ticker, side=Side.BID, price_ticks=4_500, size_cc=1_000) for one in contracts)
    return RisklessPortfolio(ladder_of(contracts)).solve(offers, {one.ticker: schedule for one in contracts}, CASH_UD)


def test_nothing_is_sure_where_both_lose_on_their_strike() -> None:
    over = contract("over", ABOVE, 80_000.0)
    both = (over, contract("under", BELOW, None, 80_000.0))
    assert [settle(one, (80_000 * E8,) * 60) for one in both] == [0, 0]
    assert all_bought(both, FeeSchedule()).legs == ()
    up_to_it = msgspec.structs.replace(both[1], cap_e8=80_000 * E8 + 1)
    assert len(all_bought((over, up_to_it), FeeSchedule()).legs) == 2


def test_a_market_that_never_pays_is_no_trouble() -> None:
    never = contract("never", BETWEEN, 80_000.001, 80_000.004, digits=2)
    found = all_bought((contract("over", ABOVE, 79_000.0), never), FeeSchedule())
    assert (found.legs, found.bound) == ((), 0.0)


def test_no_offers_no_portfolio() -> None:
    found = riskless(inputs_of(()))
    assert (found.legs, found.worst_ud, found.bound) == ((), 0, 0.0)
