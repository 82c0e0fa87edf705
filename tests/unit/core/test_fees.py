"""Fees: real fills to the microdollar, the classic table to the cent, what rounding may never do."""

import inspect
import math
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.fees import (
    INTERMEDIATED_PRECISION_UD,
    MAKER_PPM,
    PUBLISHED,
    FeeSchedule,
    FillFee,
    break_even_ppm,
    calculate_fee,
    calculate_net_profit,
    efficient_size_cc,
    fill_fee,
    least_spread_ticks,
    min_profitable_spread,
    order_fees,
    rounded_fee_ud,
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


def test_public_face() -> None:
    assert list(inspect.signature(calculate_fee).parameters) == ["contracts", "price", "is_maker"]
    profit = ["buy", "sell", "contracts", "is_maker_buy", "is_maker_sell"]
    assert list(inspect.signature(calculate_net_profit).parameters) == profit
    spread = inspect.signature(min_profitable_spread).parameters
    assert (list(spread), spread["is_maker"].default) == (["price", "contracts", "is_maker"], True)


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
    ("contracts", "price"), [(-1, 0.5), (math.nan, 0.5), (math.inf, 0.5), (1, math.nan), (1, -0.01), (1, 1.01)]
)
def test_fee_of_what_cannot_be_traded_is_refused(contracts: float, price: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="give contracts"):
        calculate_fee(contracts, price)
    with pytest.raises(ArithmeticRefusal, match="give contracts"):
        calculate_net_profit(price, price, contracts)


def test_last_digit_of_a_float_costs_no_cent() -> None:
    assert 1 - 0.7 > 0.3 < 0.1 + 0.2
    assert [calculate_fee(100, price) for price in (0.3, 1 - 0.7, 0.1 + 0.2)] == [Decimal("1.47")] * 3
    assert str(calculate_net_profit(0.1 + 0.2, 0.4, 100)) == str(calculate_net_profit(0.3, 0.4, 100))
    # At 30 cents the last sale that is tried is the one at a dollar.
    assert min_profitable_spread(1 - 0.7, 0.02, is_maker=False) == Decimal("0.70")


def test_fee_of_nothing_and_at_either_end_is_nothing() -> None:
    assert [calculate_fee(0, 0.5), calculate_fee(100, 0.0), calculate_fee(100, 1.0)] == [0, 0, 0]


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


# The whole schedule


class FeeRow(msgspec.Struct, frozen=True):
    price: Decimal
    raw: Decimal = msgspec.field(name="taker_fee_per_contract_raw")
    one_fine: Decimal = msgspec.field(name="fee_1_lot_round_1e4")
    one_cent: Decimal = msgspec.field(name="fee_1_lot_round_cent")
    hundred_cent: Decimal = msgspec.field(name="fee_100_lots_round_cent")
    break_even: Decimal = msgspec.field(name="breakeven_probability")
    round_trip: Decimal = msgspec.field(name="roundtrip_taker")


class Vectors(msgspec.Struct, frozen=True):
    fees_taker_quadratic: list[FeeRow]


def test_published_fees_of_takers(shared_facts: Path) -> None:
    rows = msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors).fees_taker_quadratic
    assert len(rows) >= 15
    schedule = PUBLISHED["crypto"]
    for row in rows:
        price, hundred = int(row.price * 10_000), 100 * 100
        raw_ud = int(row.raw * WHOLE)
        assert raw_ud == trade_fee_ud(schedule, price, 100, is_maker=False)
        assert int(row.one_fine * WHOLE) == rounded_fee_ud(schedule, price, 100, 100, is_maker=False)
        assert int(row.one_cent * WHOLE) == rounded_fee_ud(schedule, price, 100, 10_000, is_maker=False)
        assert int(row.hundred_cent * WHOLE) == rounded_fee_ud(schedule, price, hundred, 10_000, is_maker=False)
        assert int(row.hundred_cent * WHOLE) == int(calculate_fee(100, float(row.price)) * WHOLE)
        # A hundred contracts align with the balance wherever one does not.
        assert int(row.break_even * WHOLE) <= break_even_ppm(schedule, price, hundred, is_maker=False)
        assert int(row.break_even * WHOLE) + 1 >= break_even_ppm(schedule, price, hundred, is_maker=False)
        assert int(row.round_trip * WHOLE) == 2 * raw_ud


@pytest.mark.parametrize(
    ("kind", "taker_ud", "maker_ud"),
    [
        ("crypto", 17_500, 0),
        ("with maker fees", 17_500, 4_375),
        ("combinations", 17_500, 8_750),
        ("S&P 500, Nasdaq-100", 8_750, 4_375),
    ],
)
def test_schedule_by_kind_at_fifty_cents(kind: str, taker_ud: int, maker_ud: int) -> None:
    assert taker_ud == trade_fee_ud(PUBLISHED[kind], 5_000, 100, is_maker=False)
    assert maker_ud == trade_fee_ud(PUBLISHED[kind], 5_000, 100, is_maker=True)


@given(SCHEDULES, FILLS, st.booleans())
def test_order_of_several_fills(schedule: FeeSchedule, fills: list[tuple[int, int, bool]], is_bid: bool) -> None:
    fees = order_fees(schedule, fills, is_bid=is_bid)
    carry_ud = 0
    for (price, size, is_maker), fee in zip(fills, fees, strict=True):
        assert fee == fill_fee(schedule, price, size, is_maker=is_maker, is_bid=is_bid, carry_ud=carry_ud)
        carry_ud = fee.carry_ud
    assert order_fees(schedule, [], is_bid=is_bid) == ()


@given(SCHEDULES, PRICES, SIZES, st.sampled_from([1, 100, 10_000]), st.booleans())
def test_coarser_steps_charge_no_less(schedule: FeeSchedule, price: int, size: int, step: int, is_maker: bool) -> None:
    exact = trade_fee_ud(schedule, price, size, is_maker=is_maker)
    rounded = rounded_fee_ud(schedule, price, size, step, is_maker=is_maker)
    assert exact <= rounded < exact + step
    assert rounded % step == 0


def test_step_that_rounds_nothing_is_refused() -> None:
    with pytest.raises(ArithmeticRefusal, match="step"):
        rounded_fee_ud(FeeSchedule(), 5_000, 100, 0, is_maker=False)


@pytest.mark.parametrize(
    ("spread", "price", "size_cc", "is_maker"),
    [(400, 5_000, 10_000, False), (100, 5_000, 10_000, True), (100, 9_500, 10_000, False), (None, 9_900, 100, False)],
)
def test_least_spread_of_what_is_booked(spread: int | None, price: int, size_cc: int, is_maker: bool) -> None:
    assert spread == least_spread_ticks(FeeSchedule(), price, size_cc, is_maker=is_maker)


@given(SCHEDULES, st.integers(1, 9_800), st.integers(1, 100_000), st.booleans())
def test_least_spread_gains_and_a_step_less_does_not(
    schedule: FeeSchedule, price: int, size: int, is_maker: bool
) -> None:
    def gain(spread: int) -> int:
        bought = fill_fee(schedule, price, size, is_maker=is_maker, is_bid=True)
        sold = fill_fee(schedule, price + spread, size, is_maker=is_maker, is_bid=False)
        return spread * size - bought.fee_ud - sold.fee_ud

    spread = least_spread_ticks(schedule, price, size, is_maker=is_maker)
    tried = range(100, (spread or 10_000 - price), 100)
    assert all(gain(step) <= 0 for step in tried if price + step < 10_000)
    assert spread is None or gain(spread) > 0


def test_efficient_sizes() -> None:
    broker = FeeSchedule(precision_ud=INTERMEDIATED_PRECISION_UD)
    # One at 50 cents pays 2 cents, four pay 7 cents: nothing is lost to rounding.
    assert fill_fee(broker, 5_000, 100, is_maker=False, is_bid=True).fee_ud == 20_000
    assert fill_fee(broker, 5_000, 400, is_maker=False, is_bid=True).fee_ud == 70_000
    assert efficient_size_cc(broker, 5_000, 700, is_maker=False) == 400
    assert efficient_size_cc(broker, 5_000, 1_100, is_maker=False) == 800
    assert efficient_size_cc(FeeSchedule(), 5_000, 700, is_maker=True) == 700
    assert efficient_size_cc(broker, 5_000, 99, is_maker=False) == 0


@given(SCHEDULES, PRICES, st.integers(100, 3_000), st.booleans())
def test_no_whole_size_pays_less_each(schedule: FeeSchedule, price: int, most: int, is_maker: bool) -> None:
    best = efficient_size_cc(schedule, price, most, is_maker=is_maker)
    assert 0 < best <= most
    fee = fill_fee(schedule, price, best, is_maker=is_maker, is_bid=True).fee_ud
    for size in range(100, most + 1, 100):
        other = fill_fee(schedule, price, size, is_maker=is_maker, is_bid=True).fee_ud
        assert fee * size <= other * best


def test_precision_below_a_microdollar_is_refused() -> None:
    for precision_ud in (0, -100):
        with pytest.raises(ArithmeticRefusal, match="give 1 or more"):
            FeeSchedule(precision_ud=precision_ud)
