"""Orders: sides, what may still fill, what an order locks."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.order import (
    TERMINAL_STATES,
    Intent,
    Order,
    OrderState,
    Position,
    Side,
    Signal,
    TimeInForce,
    collateral_ud,
)

ORDER = Order(
    client_order_id="id",
    strategy="taker",
    ticker="T",
    side=Side.BID,
    price_ticks=5_200,
    size_cc=1_000,
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    intent=Intent.OPEN,
    state=OrderState.RESTING,
    created_ns=1,
    filled_cc=300,
)


def test_sides_are_opposite() -> None:
    assert (Side.BID.sign, Side.ASK.sign) == (1, -1)
    assert (Side.BID.opposite, Side.ASK.opposite) == (Side.ASK, Side.BID)


def test_words_are_the_venue_s() -> None:
    assert [side.value for side in Side] == ["bid", "ask"]
    assert [tif.value for tif in TimeInForce] == ["good_till_canceled", "immediate_or_cancel", "fill_or_kill"]


@pytest.mark.parametrize(
    ("remaining_cc", "is_working", "state"),
    [
        (700, True, OrderState.SENDING),
        (700, True, OrderState.UNKNOWN),
        (700, True, OrderState.RESTING),
        (700, True, OrderState.CANCELLING),
        (0, False, OrderState.CANCELLED),
        (0, False, OrderState.EXECUTED),
        (0, False, OrderState.REJECTED),
    ],
)
def test_what_may_still_fill(remaining_cc: int, is_working: bool, state: OrderState) -> None:
    order = msgspec.structs.replace(ORDER, state=state)
    assert (remaining_cc, is_working) == (order.remaining_cc, order.is_working)
    assert is_working == (state not in TERMINAL_STATES)


@pytest.mark.parametrize(
    ("locked_ud", "side", "price_ticks", "size_cc"),
    [
        (5_200_000, Side.BID, 5_200, 1_000),
        (4_800_000, Side.ASK, 5_200, 1_000),
        (1, Side.BID, 1, 1),
        (9_999, Side.ASK, 1, 1),
    ],
)
def test_collateral(locked_ud: int, side: Side, price_ticks: int, size_cc: int) -> None:
    assert locked_ud == collateral_ud(side, price_ticks, size_cc)


@given(st.integers(0, 10_000), st.integers(0, 10**9))
def test_both_sides_together_lock_a_dollar_a_contract(price_ticks: int, size_cc: int) -> None:
    both = collateral_ud(Side.BID, price_ticks, size_cc) + collateral_ud(Side.ASK, price_ticks, size_cc)
    assert both == size_cc * 10_000


def test_new_position_is_flat() -> None:
    flat = Position(ticker="T", net_cc=0, cost_ud=0, realised_ud=0, fees_ud=0)
    assert flat == Position(ticker="T")


def test_order_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        ORDER.filled_cc = 1_000  # type: ignore[misc]


def test_signals_do_not_share_their_features() -> None:
    one, other = (
        Signal(
            strategy="taker",
            ticker="T",
            side=Side.BID,
            price_ticks=5_200,
            size_cc=100,
            intent=Intent.OPEN,
            tif=TimeInForce.IOC,
            post_only=False,
            edge_ppm=10_000,
            confidence_ppm=500_000,
            reason="fair is above the ask",
        )
        for _ in range(2)
    )
    one.features["spread_ticks"] = 100
    assert other.features == {}
