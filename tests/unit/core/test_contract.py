"""Contracts: what sixty prints settle to, which strikes are needed, which prices can be sent."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import (
    CENT_GRID,
    TAPERED_GRID,
    Comparison,
    Contract,
    PriceRange,
    Timeframe,
    Window,
    rounded_sum,
    settle,
    window_prints,
    window_seconds,
)
from fairstrike.core.units import parse_e8

CLOSE_S = 1_778_760_000
CLOSE_NS = CLOSE_S * 10**9
CENT_E8 = 1_000_000
YES, NO = 10_000, 0


def contract_of(
    comparison: Comparison,
    floor: str | None,
    cap: str | None = None,
    digits: int | None = None,
    grid: tuple[PriceRange, ...] = CENT_GRID,
) -> Contract:
    return Contract(
        ticker="T",
        event_ticker="E",
        series="S",
        asset="BTC",
        comparison=comparison,
        open_ns=CLOSE_NS - 900 * 10**9,
        close_ns=CLOSE_NS,
        floor_e8=None if floor is None else parse_e8(floor),
        cap_e8=None if cap is None else parse_e8(cap),
        round_digits=digits,
        grid=grid,
    )


def prints_with_sum(total_e8: int) -> list[int]:
    """Sixty different prints with a given sum."""
    prints = [total_e8 // 60 + (i - 30) * CENT_E8 for i in range(59)]
    return [*prints, total_e8 - sum(prints)]


# Figures computed elsewhere


class RuleCase(msgspec.Struct, frozen=True):
    sum_cents: int = msgspec.field(name="sum_of_60_prints_in_cents")
    strike_cents: int
    is_up: bool = msgspec.field(name="yes_15m_rounded_half_up")
    is_above_a_cent_less: bool = msgspec.field(name="yes_hourly_strict_unrounded_strike_minus_1c")


class PublishedPair(msgspec.Struct, frozen=True):
    quarter_field: float
    trailing_field: float
    quarter_sum_cents: int
    trailing_sum_cents: int
    official: str


class Vectors(msgspec.Struct, frozen=True):
    settlement_integer_rule: list[RuleCase]
    published_pair_check: PublishedPair


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


def test_integer_rule(vectors: Vectors) -> None:
    assert len(vectors.settlement_integer_rule) == 6
    for case in vectors.settlement_integer_rule:
        prints = prints_with_sum(case.sum_cents * CENT_E8)
        strike, cent_less = (f"{cents / 100:.2f}" for cents in (case.strike_cents, case.strike_cents - 1))
        window = contract_of(Comparison.AT_LEAST, strike, digits=2)
        threshold = contract_of(Comparison.ABOVE, cent_less)
        assert case.is_up == (settle(window, prints) == YES)
        assert case.is_above_a_cent_less == (settle(threshold, prints) == YES)


def test_published_value_is_the_trailing_mean(vectors: Vectors) -> None:
    pair = vectors.published_pair_check
    assert pytest.approx(pair.trailing_field, abs=1e-8) == pair.trailing_sum_cents / 6_000
    assert pytest.approx(pair.quarter_field, abs=1e-8) == pair.quarter_sum_cents / 6_000
    official = 60 * parse_e8(pair.official)
    assert official == rounded_sum(pair.trailing_sum_cents * CENT_E8, 2)
    assert official != rounded_sum(pair.quarter_sum_cents * CENT_E8, 2)


# Settlement


@pytest.mark.parametrize(
    ("below", "on", "above", "contract"),
    [
        (NO, NO, YES, contract_of(Comparison.ABOVE, "80000")),
        (NO, YES, YES, contract_of(Comparison.AT_LEAST, "80000")),
        (YES, NO, NO, contract_of(Comparison.BELOW, None, "80000")),
        (NO, YES, YES, contract_of(Comparison.BETWEEN, "80000", "80099.99")),
        (YES, YES, NO, contract_of(Comparison.BETWEEN, "79900", "80000")),
        (YES, YES, YES, contract_of(Comparison.AT_LEAST, "80000", digits=2)),
        (NO, NO, NO, contract_of(Comparison.ABOVE, "80000", digits=2)),
        (NO, NO, NO, contract_of(Comparison.BELOW, None, "80000", digits=2)),
    ],
)
def test_smallest_step_around_the_strike(below: int, on: int, above: int, contract: Contract) -> None:
    total = 60 * parse_e8("80000")
    settled = [settle(contract, prints_with_sum(total + away)) for away in (-1, 0, 1)]
    assert [below, on, above] == settled


def test_mean_between_two_ranges_pays_neither() -> None:
    prints = prints_with_sum(60 * parse_e8("80099.99") + 1)
    assert settle(contract_of(Comparison.BETWEEN, "80000", "80099.99"), prints) == NO
    assert settle(contract_of(Comparison.BETWEEN, "80100", "80199.99"), prints) == NO


@pytest.mark.parametrize("known", [0, 1, 59])
@pytest.mark.parametrize("comparison", list(Comparison))
def test_missing_prints_resolve_no(comparison: Comparison, known: int) -> None:
    contract = contract_of(comparison, "1", "90000")
    assert settle(contract, [parse_e8("80000")] * known) == NO


def test_more_than_sixty_prints_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        settle(contract_of(Comparison.ABOVE, "1"), [parse_e8("2")] * 61)


def test_market_without_its_strike_cannot_settle() -> None:
    with pytest.raises(AssertionError):
        settle(contract_of(Comparison.ABOVE, None), [parse_e8("2")] * 60)


@given(st.integers(0, 10**16), st.integers(0, 8))
def test_rounding_is_half_up_and_moves_at_most_half_a_unit(total_e8: int, digits: int) -> None:
    unit = 60 * 10 ** (8 - digits)
    rounded = rounded_sum(total_e8, digits)
    assert rounded % unit == 0
    assert -unit < 2 * (total_e8 - rounded) - unit <= 0 or -unit <= 2 * (total_e8 - rounded) < unit
    assert rounded == rounded_sum(rounded, digits)
    assert total_e8 == rounded_sum(total_e8, None)


@pytest.mark.parametrize(
    ("is_struck", "comparison", "floor", "cap"),
    [
        (True, Comparison.ABOVE, "1", None),
        (False, Comparison.ABOVE, None, "1"),
        (True, Comparison.AT_LEAST, "1", None),
        (False, Comparison.AT_LEAST, None, None),
        (True, Comparison.BELOW, None, "1"),
        (False, Comparison.BELOW, "1", None),
        (True, Comparison.BETWEEN, "1", "2"),
        (False, Comparison.BETWEEN, "1", None),
        (False, Comparison.BETWEEN, None, "2"),
    ],
)
def test_strikes_a_comparison_needs(
    is_struck: bool, comparison: Comparison, floor: str | None, cap: str | None
) -> None:
    assert is_struck == contract_of(comparison, floor, cap).is_struck


# The window


def test_window_is_the_sixty_seconds_before_the_close() -> None:
    assert range(CLOSE_S - 60, CLOSE_S) == window_seconds(CLOSE_NS)
    assert range(CLOSE_S - 59, CLOSE_S + 1) == window_seconds(CLOSE_NS, Window.UP_TO_CLOSE)


def test_prints_of_the_window_are_picked_in_order() -> None:
    prints = {CLOSE_S + offset: 1_000 + offset for offset in reversed(range(-100, 100))}
    assert list(range(940, 1_000)) == window_prints(prints, CLOSE_NS)
    assert list(range(941, 1_001)) == window_prints(prints, CLOSE_NS, Window.UP_TO_CLOSE)
    del prints[CLOSE_S - 60]
    assert list(range(941, 1_000)) == window_prints(prints, CLOSE_NS)


def test_markets_of_one_close_are_one_group() -> None:
    assert (
        contract_of(Comparison.ABOVE, "1").group
        == contract_of(Comparison.BETWEEN, "1", "2").group
        == (f"BTC@{CLOSE_S}")
    )


# The grid

CENTS = list(range(100, 10_000, 100))
TAPERED = [*range(10, 1_000, 10), *range(1_000, 9_000, 100), *range(9_000, 10_000, 10)]


@pytest.mark.parametrize(("prices", "grid"), [(CENTS, CENT_GRID), (TAPERED, TAPERED_GRID)])
def test_sendable_prices_and_their_neighbours(prices: list[int], grid: tuple[PriceRange, ...]) -> None:
    contract = contract_of(Comparison.ABOVE, "1", grid=grid)
    below: int | None = None
    above = iter([*prices, None])
    upcoming = next(above)
    for price in range(-200, 10_201):
        if price - 1 == upcoming:
            upcoming = next(above)
        if price == upcoming:
            below = price
        assert (price == upcoming) == contract.is_on_grid(price)
        assert below == contract.grid_down(price)
        assert upcoming == contract.grid_up(price)


@pytest.mark.parametrize(
    ("series", "hours", "timeframe"),
    [
        ("KXBTC15M", 0.25, Timeframe.QUARTER_HOUR),
        ("KXBTC15M", 5, Timeframe.QUARTER_HOUR),
        ("KXBTCD", 1, Timeframe.HOURLY),
        ("KXBTC", 1, Timeframe.HOURLY),
        ("KXSOLE", 25, Timeframe.DAILY),
        ("KXETHD", 26, Timeframe.DAILY),
        ("KXETHD", 7 * 24, Timeframe.WEEKLY),
    ],
)
def test_timeframe_is_that_of_series_and_length(series: str, hours: float, timeframe: Timeframe) -> None:
    open_ns = CLOSE_NS - int(hours * 3_600 * 10**9)
    made = msgspec.structs.replace(contract_of(Comparison.ABOVE, "1"), series=series, open_ns=open_ns)
    assert made.timeframe is timeframe
    assert made.group == contract_of(Comparison.ABOVE, "1").group, "all that close together settle on one value"
