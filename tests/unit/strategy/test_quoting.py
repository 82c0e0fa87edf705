"""Quotes: prices that cannot take, and when a working one is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import CENT_GRID, TAPERED_GRID, PriceRange
from fairstrike.core.order import Intent, OrderState, Side, Signal, TimeInForce, Withdraw
from fairstrike.market.book import Book
from fairstrike.strategy.quoting import Quote, post_only_price, requote
from tests.unit.strategy.samples import ASK, BID, T, contract, order

BOOK = Book([(4_000, 1)], [(4_200, 1)])
Grid = tuple[PriceRange, ...]


@pytest.mark.parametrize(
    ("expected", "side", "price", "buffer"),
    [
        (3_900, BID, 3_950, 1),
        (4_100, BID, 4_100, 1),
        (4_100, BID, 4_200, 1),
        (4_100, BID, 9_000, 1),
        (4_000, BID, 9_000, 2),
        (None, BID, 99, 1),
        (4_300, ASK, 4_250, 1),
        (4_100, ASK, 4_100, 1),
        (4_100, ASK, 4_000, 1),
        (4_200, ASK, 0, 2),
        (None, ASK, 9_901, 1),
    ],
)
def test_price_on_the_cent_grid(expected: int | None, side: Side, price: int, buffer: int) -> None:
    assert expected == post_only_price(contract(), BOOK, side, price, buffer)


@pytest.mark.parametrize(
    ("expected", "side", "price", "bid", "ask"),
    [
        (9_010, BID, 9_500, 8_900, 9_020),
        (9_000, BID, 9_500, 8_900, 9_010),
        (8_900, BID, 9_500, 8_800, 9_000),
        (980, BID, 985, 500, 1_200),
        (1_000, BID, 1_099, 500, 1_200),
        (1_000, ASK, 500, 990, 2_000),
        (1_100, ASK, 500, 1_000, 2_000),
        (9_990, ASK, 9_985, 5_000, None),
        (None, ASK, 9_991, 5_000, None),
    ],
)
def test_price_on_the_tapered_grid(expected: int | None, side: Side, price: int, bid: int, ask: int | None) -> None:
    book = Book([(bid, 1)], [] if ask is None else [(ask, 1)])
    assert expected == post_only_price(contract(grid=TAPERED_GRID), book, side, price, 1)


@pytest.mark.parametrize(("side", "bid", "ask"), [(BID, 0, 100), (ASK, 9_900, 10_000)])
def test_no_room_beyond_the_last_price(side: Side, bid: int, ask: int) -> None:
    book = Book([(bid, 1)] if bid else [], [(ask, 1)] if ask < 10_000 else [])
    assert post_only_price(contract(), book, side, 5_000, 1) is None


@given(
    st.sampled_from([CENT_GRID, TAPERED_GRID]),
    st.sampled_from(list(Side)),
    st.integers(0, 10_000),
    st.integers(1, 9_998),
    st.integers(1, 500),
    st.integers(1, 3),
)
def test_a_quote_never_takes_and_never_betters_what_was_wanted(
    grid: Grid, side: Side, price: int, bid: int, spread: int, buffer: int
) -> None:
    ask = min(9_999, bid + spread)
    found = post_only_price(contract(grid=grid), Book([(bid, 1)], [(ask, 1)]), side, price, buffer)
    if found is None:
        return
    touch = ask if side is BID else bid
    steps = [p for p in range(1, 10_000) if contract(grid=grid).is_on_grid(p) and side.sign * (touch - p) > 0]
    between = [p for p in steps if side.sign * (p - found) > 0]
    assert contract(grid=grid).is_on_grid(found)
    assert side.sign * (found - price) <= 0
    assert buffer - 1 <= len(between)


# Requotes


def quote(side: Side = BID, price: int = 4_000, size: int = 1_000) -> Quote:
    return Quote(side=side, price_ticks=price, size_cc=size, edge_ppm=7, features={"net_cc": 1})


def test_a_quote_becomes_a_post_only_signal() -> None:
    expected = Signal(
        strategy="mm",
        ticker=T,
        side=BID,
        price_ticks=4_000,
        size_cc=1_000,
        intent=Intent.OPEN,
        tif=TimeInForce.GTC,
        post_only=True,
        edge_ppm=7,
        confidence_ppm=500_000,
        reason="resting at fair value less the half spread and the inventory skew",
        features={"net_cc": 1},
    )
    assert [expected] == requote("mm", contract(), (), {BID: quote()}, may_improve=True)


def test_bid_before_ask() -> None:
    wanted = {ASK: quote(ASK, 4_200), BID: quote()}
    found = requote("mm", contract(), (), wanted, may_improve=True)
    assert [(s.side, s.price_ticks) for s in found if isinstance(s, Signal)] == [(BID, 4_000), (ASK, 4_200)]


def test_nothing_new_is_placed_before_it_is_time() -> None:
    assert requote("mm", contract(), (), {BID: quote()}, may_improve=False) == []


@pytest.mark.parametrize(
    ("is_withdrawn", "side", "price", "wanted", "may_improve"),
    [
        (False, BID, 4_000, 4_000, True),
        (True, BID, 4_000, 3_900, True),
        (True, BID, 4_000, 3_900, False),
        (True, BID, 4_000, 4_100, True),
        (False, BID, 4_000, 4_100, False),
        (True, ASK, 4_000, 4_100, False),
        (True, ASK, 4_000, 3_900, True),
        (False, ASK, 4_000, 3_900, False),
        (True, BID, 4_000, None, False),
        (True, ASK, 4_000, None, False),
    ],
)
def test_when_a_quote_is_withdrawn(
    is_withdrawn: bool, side: Side, price: int, wanted: int | None, may_improve: bool
) -> None:
    quotes = {} if wanted is None else {side: quote(side, wanted)}
    found = requote("mm", contract(), (order("mm", side, price),), quotes, may_improve=may_improve)
    assert is_withdrawn is bool(found)
    assert all(isinstance(wish, Withdraw) and wish.client_order_id == "k" for wish in found)


@pytest.mark.parametrize(("is_withdrawn", "room_cc"), [(False, 1_000), (True, 999), (False, 2_000)])
def test_a_quote_larger_than_the_room_is_withdrawn(is_withdrawn: bool, room_cc: int) -> None:
    found = requote("mm", contract(), (order("mm", size=1_000),), {BID: quote(size=room_cc)}, may_improve=False)
    assert is_withdrawn is bool(found)


@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.UNKNOWN, OrderState.CANCELLING])
def test_a_side_never_carries_two_orders_at_once(state: OrderState) -> None:
    working = (order("mm", state=state),)
    assert requote("mm", contract(), working, {BID: quote(price=3_000)}, may_improve=True) == []


def test_each_side_is_judged_by_itself() -> None:
    working = (order("mm", BID, 4_000, key="bid"), order("mm", ASK, 4_200, key="ask"))
    found = requote("mm", contract(), working, {BID: quote(), ASK: quote(ASK, 4_300)}, may_improve=False)
    assert [wish.client_order_id for wish in found if isinstance(wish, Withdraw)] == ["ask"]
