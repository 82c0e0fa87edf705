"""What every strategy shares: whose orders are whose, and the edge after the fee."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.order import Side
from fairstrike.strategy.base import Wakes, edge_ppm, own
from tests.unit.strategy.samples import ASK, BID, FREE, order

MAKER_PAYS = FeeSchedule(maker_ppm=17_500)


def test_own_orders_in_their_order() -> None:
    mine, theirs, also_mine = order("a", key="1"), order("b", key="2"), order("a", key="3")
    assert (mine, also_mine) == own((mine, theirs, also_mine), "a")


def test_no_wake_is_declared_unasked() -> None:
    expected = Wakes(best_price=False, best_size_cc=None, depth=None, index=False, own_order=False, every_ns=None)
    assert expected == Wakes()


@pytest.mark.parametrize(
    ("edge", "p_fair", "side", "price", "schedule", "is_maker"),
    [
        (100_000, 0.6, BID, 5_000, FREE, False),
        (-100_000, 0.6, ASK, 5_000, FREE, False),
        (100_000, 0.4, ASK, 5_000, FREE, False),
        (82_500, 0.6, BID, 5_000, FeeSchedule(), False),
        (82_500, 0.4, ASK, 5_000, FeeSchedule(), False),
        (100_000, 0.6, BID, 5_000, FeeSchedule(), True),
        (95_625, 0.6, BID, 5_000, MAKER_PAYS, True),
    ],
)
def test_edge(edge: int, p_fair: float, side: Side, price: int, schedule: FeeSchedule, is_maker: bool) -> None:
    assert edge == edge_ppm(p_fair, side, price, schedule, is_maker=is_maker)


@given(st.integers(0, 1_000_000), st.integers(1, 9_999), st.booleans())
def test_both_sides_together_lose_two_fees(fair_ppm: int, price: int, is_maker: bool) -> None:
    both = sum(edge_ppm(fair_ppm / 1e6, side, price, MAKER_PAYS, is_maker=is_maker) for side in Side)
    assert -2 * trade_fee_ud(MAKER_PAYS, price, 100, is_maker=is_maker) == both
