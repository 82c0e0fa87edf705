"""Cash moves only here, and none is made or lost."""

import pytest

from fairstrike.core.fees import FeeSchedule
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.clearing import ClearingHouse
from fairstrike.exchange.matching import Match
from tests.unit.exchange.floor_samples import ASK, BID, DOLLARS, TICKER, contract, live

STAMP = (7, "trade")


def accounts() -> tuple[Account, Account]:
    return (
        Account(account_id="a", key_id="a", balance_ud=100 * DOLLARS),
        Account(account_id="b", key_id="b", balance_ud=100 * DOLLARS),
    )


def test_taker_pays_the_fee_and_the_maker_none() -> None:
    house = ClearingHouse()
    maker, taker = accounts()
    resting, incoming = live(1, "a", ASK, 5_200, 300), live(2, "b", BID, 6_000, 300)
    match = Match(maker=resting, price_ticks=5_200, size_cc=300)
    told_maker = house.book_fill(maker, resting, match, FeeSchedule(), STAMP)
    told_taker = house.book_fill(taker, incoming, match, FeeSchedule(), STAMP)
    # Source of the fee: a captured fill, 3.00 at 0.52 for 0.052500.
    assert (told_maker.fee_ud, told_taker.fee_ud) == (0, 52_500)
    assert (told_maker.is_taker, told_taker.is_taker) == (False, True)
    assert maker.balance_ud == 100 * DOLLARS - 1_440_000
    assert taker.balance_ud == 100 * DOLLARS - 1_560_000 - 52_500
    assert (house.open_cc(TICKER), house.income_ud) == (300, 52_500)
    assert (resting.maker_cost_ud, incoming.taker_cost_ud) == (1_440_000, 1_560_000)
    assert house.total_ud([maker, taker]) == 200 * DOLLARS


@pytest.mark.parametrize(
    ("expected_long", "expected_short", "value_ticks"),
    [(2 * DOLLARS, 0, 10_000), (0, 2 * DOLLARS, 0), (500_000, 1_500_000, 2_500)],
)
def test_payout(expected_long: int, expected_short: int, value_ticks: int) -> None:
    house = ClearingHouse()
    long, short = accounts()
    resting, incoming = live(1, "a", BID, 5_000, 200), live(2, "b", ASK, 5_000, 200)
    match = Match(maker=resting, price_ticks=5_000, size_cc=200)
    house.book_fill(long, resting, match, FeeSchedule(), STAMP)
    house.book_fill(short, incoming, match, FeeSchedule(), STAMP)
    first = house.pay_out(long, contract(), value_ticks, 9)
    second = house.pay_out(short, contract(), value_ticks, 9)
    assert first is not None
    assert second is not None
    assert (first.revenue_ud, second.revenue_ud) == (expected_long, expected_short)
    assert (first.yes_cc, first.yes_cost_ud, first.no_cc) == (200, DOLLARS, 0)
    assert (second.no_cc, second.no_cost_ud, second.yes_cc) == (200, DOLLARS, 0)
    assert house.open_cc(TICKER) == 0
    assert house.total_ud([long, short]) == 200 * DOLLARS


def test_bystander_is_not_paid() -> None:
    bystander, _ = accounts()
    assert ClearingHouse().pay_out(bystander, contract(), 10_000, 9) is None


def test_half_a_match_is_found_out() -> None:
    house = ClearingHouse()
    maker, taker = accounts()
    resting = live(1, "a", ASK, 5_000, 100)
    house.book_fill(maker, resting, Match(maker=resting, price_ticks=5_000, size_cc=100), FeeSchedule(), STAMP)
    with pytest.raises(AssertionError):
        house.total_ud([maker, taker])


def test_rounding_of_an_order_is_given_back_in_whole_steps() -> None:
    house = ClearingHouse()
    maker, taker = accounts()
    incoming = live(9, "b", BID, 5_000, 400)
    fees = []
    for number in range(4):
        resting = live(number, "a", ASK, 5_000, 1)
        match = Match(maker=resting, price_ticks=5_000, size_cc=1)
        fees.append(house.book_fill(taker, incoming, match, FeeSchedule(), STAMP).fee_ud)
    # Each costs 0.000175 and is rounded to 0.0002; the fourth 0.000025 makes a step of 0.0001.
    assert fees == [200, 200, 200, 100]
    assert maker.balance_ud == 100 * DOLLARS
