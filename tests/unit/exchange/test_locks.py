"""What closes locks nothing, the rest locks in full, and what is kept is what the definition gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.exchange.locks import Locks, locked_ud, worst_fee_ud
from fairstrike.exchange.matching import LiveOrder
from tests.unit.exchange.floor_samples import ASK, BID, live

NO_FEE = FeeSchedule(taker_ppm=0, precision_ud=1)


@pytest.mark.parametrize(
    ("expected", "net_cc", "orders"),
    [
        (0, 0, []),
        (400_000, 0, [(BID, 4_000, 100)]),
        (600_000, 0, [(ASK, 4_000, 100)]),
        (1_000_000, 0, [(BID, 4_000, 100), (ASK, 4_000, 100)]),
        (0, 100, [(ASK, 4_000, 100)]),
        (300_000, 50, [(ASK, 4_000, 100)]),
        (0, -100, [(BID, 4_000, 100)]),
        # The best-priced ask closes; the other opens NO at its complement.
        (100_000, 100, [(ASK, 9_000, 100), (ASK, 5_000, 100)]),
        (100_000, -100, [(BID, 1_000, 100), (BID, 5_000, 100)]),
    ],
)
def test_locked(expected: int, net_cc: int, orders: list[tuple[Side, int, int]]) -> None:
    resting = [live(number, "a", *order) for number, order in enumerate(orders)]
    assert locked_ud(resting, net_cc, NO_FEE) == expected


def test_worst_taker_fee_is_locked_too() -> None:
    # 0.07 × 100 × 0.50 × 0.50 = 1.75 dollars, and twice what a fill may be rounded by.
    assert worst_fee_ud(FeeSchedule(), 5_000, 10_000) == 1_750_198
    assert locked_ud([live(1, "a", BID, 5_000, 10_000)], 0, FeeSchedule()) == 50_000_000 + 1_750_198


CHANGES = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([BID, ASK]), st.integers(1, 9_999), st.integers(0, 300)), max_size=30
)


@given(CHANGES, st.integers(-400, 400), st.booleans())
def test_what_is_kept_is_what_the_definition_gives(
    changes: list[tuple[int, Side, int, int]], net_cc: int, is_more: bool
) -> None:
    locks, resting, schedule = Locks(), dict[str, LiveOrder](), FeeSchedule()
    for number, side, price_ticks, size_cc in changes:
        order = live(number, "a", side, price_ticks, max(size_cc, 1))
        before = resting.pop(order.order_id, None)
        if before is not None:
            locks.forget(before)
        if size_cc:
            resting[order.order_id] = order
            locks.note(order, schedule)
        else:
            locks.forget(order)
    assert locks.total_ud(net_cc, schedule) == locked_ud(resting.values(), net_cc, schedule)
    more = live(3, "a", BID if is_more else ASK, 5_000, 200)
    beside = [order for name, order in resting.items() if name != more.order_id] + [more]
    if resting.get(more.order_id, more).side is more.side:
        assert locks.total_ud(net_cc, schedule, beside=more) == locked_ud(beside, net_cc, schedule)
