"""Positions net, collateral is full, closing locks nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.exchange.accounts import Account, Holding
from tests.unit.exchange.floor_samples import ASK, BID, live

NO_FEE = FeeSchedule(taker_ppm=0, precision_ud=1)


@pytest.mark.parametrize(
    ("cash_ud", "net_cc", "cost_ud", "realised_ud", "fills"),
    [
        (-400_000, 100, 400_000, 0, [(BID, 4_000, 100)]),
        (-600_000, -100, 600_000, 0, [(ASK, 4_000, 100)]),
        # Long at 40, sold at 55: fifteen cents gained.
        (550_000, 0, 0, 150_000, [(BID, 4_000, 100), (ASK, 5_500, 100)]),
        # Short (NO bought at 60), YES bought at 30: NO sold at 70.
        (700_000, 0, 0, 100_000, [(ASK, 4_000, 100), (BID, 3_000, 100)]),
        # Through zero: 100 closed at 50, 50 NO opened at 50.
        (250_000, -50, 250_000, 100_000, [(BID, 4_000, 100), (ASK, 5_000, 150)]),
        # Half of the cost goes with half of the contracts.
        (300_000, 50, 200_000, 100_000, [(BID, 4_000, 100), (ASK, 6_000, 50)]),
    ],
)
def test_last_fill_of(
    cash_ud: int, net_cc: int, cost_ud: int, realised_ud: int, fills: list[tuple[Side, int, int]]
) -> None:
    holding = Holding(ticker="T")
    cash = [holding.apply(*fill) for fill in fills]
    assert (cash[-1], holding.net_cc, holding.cost_ud, holding.realised_ud) == (
        cash_ud,
        net_cc,
        cost_ud,
        realised_ud,
    )


FILLS = st.lists(st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 9_999), st.integers(1, 10_000)))


@given(FILLS, st.sampled_from([0, 10_000]))
def test_cash_and_payout_are_the_profit(fills: list[tuple[Side, int, int]], value_ticks: int) -> None:
    holding = Holding(ticker="T")
    cash_ud = sum(holding.apply(*fill) for fill in fills)
    payout_ud = max(holding.net_cc, 0) * value_ticks + max(-holding.net_cc, 0) * (10_000 - value_ticks)
    profit_ud = sum(side.sign * (value_ticks - price) * size for side, price, size in fills)
    assert cash_ud + payout_ud == profit_ud
    assert cash_ud == holding.realised_ud - holding.cost_ud
    assert holding.cost_ud >= 0


def test_affordable_to_the_last_microdollar() -> None:
    order = live(1, "a", BID, 5_000, 100)
    enough = Account(account_id="a", key_id="k", balance_ud=500_000)
    short = Account(account_id="a", key_id="k", balance_ud=499_999)
    assert enough.can_afford(order, NO_FEE)
    assert not short.can_afford(order, NO_FEE)


def test_house_account_reserves_nothing() -> None:
    house = Account(account_id="h", key_id="k", balance_ud=0, is_house=True)
    order = live(1, "h", BID, 5_000, 100)
    assert house.can_afford(order, NO_FEE)
    house.note_resting(order)
    house.reserve_anew(order.ticker, order.exchange_index, NO_FEE)
    assert house.view().available_ud == 0
