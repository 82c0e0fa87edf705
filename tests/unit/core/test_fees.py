"""Fees: real fills to the microdollar, the classic table to the cent, what rounding may never do."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import (
    MAKER_PPM,
    FeeSchedule,
    FillFee,
    calculate_fee,
    calculate_net_profit,
    fill_fee,
    min_profitable_spread,
    trade_fee_ud,
)
from fairstrike.core.units import parse_cc, parse_ticks, parse_ud

HALF = 500_000
WHOLE = 1_000_000

# Purchases by takers, August 2026: fee, contracts, YES price, series multiplier, whether YES was bought.
REAL_FILLS = [
    ("0.015930", "227.27", "0.0010", WHOLE, True),
    ("0.063340", "28.32", "0.0330", WHOLE, True),
    ("0.051200", "4.15", "0.2280", WHOLE, True),
    ("0.063610", "909.09", "0.0010", WHOLE, True),
    ("0.202100", "15.00", "0.7400", WHOLE, True),
    ("0.309600", "20.00", "0.3300", WHOLE, True),
    ("0.094100", "10.00", "0.8400", WHOLE, False),
    ("0.052500", "3.00", "0.5200", WHOLE, True),
    ("0.008800", "1.00", "0.4800", HALF, True),
    ("0.001900", "0.27", "0.2700", HALF, True),
]


@pytest.mark.parametrize(("fee", "count", "price", "multiplier_ppm", "is_bid"), REAL_FILLS)
def test_real_fill(fee: str, count: str, price: str, multiplier_ppm: int, is_bid: bool) -> None:
    schedule = FeeSchedule(multiplier_ppm=multiplier_ppm)
    charged = fill_fee(schedule, parse_ticks(price), parse_cc(count), is_maker=False, is_bid=is_bid)
    assert parse_ud(fee) == charged.fee_ud


# The classic schedule, for people

CLASSIC = [
    ("0.02", 1, 0.50, False),
    ("1.75", 100, 0.50, False),
    ("0.34", 100, 0.95, False),
    ("0.09", 100, 0.95, True),
    ("0.63", 100, 0.10, False),
    ("0.01", 1, 0.01, False),
]


@pytest.mark.parametrize(("fee", "contracts", "price", "is_maker"), CLASSIC)
def test_classic_table(fee: str, contracts: int, price: float, is_maker: bool) -> None:
    assert Decimal(fee) == calculate_fee(contracts, price, is_maker)


def test_floating_point_misses_two_of_the_table() -> None:
    missed = [
        (contracts, price)
        for fee, contracts, price, is_maker in CLASSIC
        if f"{math.ceil((0.0175 if is_maker else 0.07) * contracts * price * (1 - price) * 100) / 100:.2f}" != fee
    ]
    assert missed == [(100, 0.50), (100, 0.10)]


@pytest.mark.parametrize(
    ("profit", "buy", "sell", "contracts", "is_maker"),
    [("6.57", 0.50, 0.60, 100, False), ("9.14", 0.50, 0.60, 100, True), ("-0.04", 0.50, 0.50, 1, False)],
)
def test_net_profit(profit: str, buy: float, sell: float, contracts: int, is_maker: bool) -> None:
    assert Decimal(profit) == calculate_net_profit(buy, sell, contracts, is_maker, is_maker)


@pytest.mark.parametrize(
    ("spread", "price", "contracts", "is_maker"),
    [("0.01", 0.50, 100, True), ("0.04", 0.50, 100, False), ("0.03", 0.50, 1, True), ("0.01", 0.01, 100, True)],
)
def test_least_profitable_spread(spread: str, price: float, contracts: int, is_maker: bool) -> None:
    least = min_profitable_spread(price, contracts, is_maker)
    assert Decimal(spread) == least
    sell = float(Decimal(str(price)) + least)
    assert calculate_net_profit(price, sell, contracts, is_maker, is_maker) > 0
    assert calculate_net_profit(price, sell - 0.01, contracts, is_maker, is_maker) <= 0


@pytest.mark.parametrize(
    ("price", "contracts"),
    [(0.50, 0), (0.50, -1), (0.99, 1), (1.0, 100), (0.50, math.nan), (math.nan, 1), (0.50, math.inf)],
)
def test_spread_that_never_pays_is_refused(price: float, contracts: float) -> None:
    with pytest.raises(ArithmeticRefusal):
        min_profitable_spread(price, contracts)


# What is booked

SCHEDULES = st.builds(
    FeeSchedule,
    maker_ppm=st.sampled_from([0, MAKER_PPM]),
    multiplier_ppm=st.sampled_from([0, HALF, WHOLE, 2 * WHOLE]),
    precision_ud=st.sampled_from([100, 10_000]),
)
PRICES = st.integers(1, 9_999)
SIZES = st.integers(1, 5_000_000)
FILLS = st.lists(st.tuples(PRICES, SIZES, st.booleans()), min_size=1, max_size=30)


@given(SCHEDULES, PRICES, SIZES, st.booleans())
def test_trade_fee_is_the_formula_rounded_up(schedule: FeeSchedule, price: int, size: int, is_maker: bool) -> None:
    rate = schedule.maker_ppm if is_maker else schedule.taker_ppm
    exact = Decimal(rate * schedule.multiplier_ppm) / WHOLE * size / 100 * price * (10_000 - price) / 10**8
    fee = trade_fee_ud(schedule, price, size, is_maker=is_maker)
    assert 0 <= fee - exact < 1
    assert fee == trade_fee_ud(schedule, 10_000 - price, size, is_maker=is_maker)


@given(SCHEDULES, FILLS, st.booleans())
def test_fees_of_one_order(schedule: FeeSchedule, fills: list[tuple[int, int, bool]], is_bid: bool) -> None:
    step, carry_ud, charged, plain, rounding = schedule.precision_ud, 0, 0, 0, 0
    for price, size, is_maker in fills:
        cash_ud = -price * size if is_bid else price * size
        trade_ud = trade_fee_ud(schedule, price, size, is_maker=is_maker)
        fee = fill_fee(schedule, price, size, is_maker=is_maker, is_bid=is_bid, carry_ud=carry_ud)
        assert fee.fee_ud >= 0
        assert (cash_ud - fee.fee_ud) % step == 0
        assert 0 <= fee.carry_ud < step or 0 <= fee.fee_ud < step
        carry_ud = fee.carry_ud
        charged += fee.fee_ud
        plain += trade_ud
        rounding += (cash_ud - trade_ud) % step
    assert plain + carry_ud == charged
    assert (rounding - carry_ud) % step == 0


@given(SCHEDULES, PRICES, SIZES)
def test_no_bought_or_yes_sold_rounds_the_same(schedule: FeeSchedule, price: int, size: int) -> None:
    trade_ud = trade_fee_ud(schedule, price, size, is_maker=False)
    paid_for_no = -(10_000 - price) * size
    rounding_ud = (paid_for_no - trade_ud) % schedule.precision_ud
    fee = fill_fee(schedule, price, size, is_maker=False, is_bid=False)
    assert trade_ud + rounding_ud == fee.fee_ud + (rounding_ud - fee.carry_ud)


def test_rebate_when_the_accumulator_reaches_a_step() -> None:
    # One contract at 0.4801 costs 17472.3 microdollars, 17473 rounded up; 27 more align the balance.
    schedule, carry_ud, charged = FeeSchedule(), 0, []
    for _ in range(4):
        fee = fill_fee(schedule, 4_801, 100, is_maker=False, is_bid=True, carry_ud=carry_ud)
        carry_ud = fee.carry_ud
        charged.append(fee)
    assert charged == [
        FillFee(fee_ud=17_500, carry_ud=27),
        FillFee(fee_ud=17_500, carry_ud=54),
        FillFee(fee_ud=17_500, carry_ud=81),
        FillFee(fee_ud=17_400, carry_ud=8),
    ]


def test_maker_of_a_series_without_maker_fees_pays_rounding_only() -> None:
    schedule = FeeSchedule()
    assert fill_fee(schedule, 5_000, 100, is_maker=True, is_bid=True) == FillFee(fee_ud=0, carry_ud=0)
    odd = fill_fee(schedule, 5_001, 1, is_maker=True, is_bid=True)
    assert odd == FillFee(fee_ud=99, carry_ud=99)
