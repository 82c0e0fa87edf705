"""Numbers and stamps of spot venues: rounding, and what cannot be."""

from decimal import Decimal

import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.venue.spot.values import e8, instant, instant_of_ms, level, price_e8, rate_e8, sides


@pytest.mark.parametrize(
    ("expected", "number"),
    [(8_000_001_000_000, "80000.01"), (13_628_191, "0.1362819142"), (10, Decimal("1E-7")), (0, "0")],
)
def test_numbers_are_rounded_to_eight_decimals(expected: int, number: str | Decimal) -> None:
    assert expected == e8(number)


@pytest.mark.parametrize("number", ["", "x", "nan", "-inf", "-0.1", "1e11", Decimal("NaN"), Decimal("1e999")])
def test_what_is_no_price_or_size(number: str | Decimal) -> None:
    with pytest.raises(ArithmeticRefusal):
        e8(number)


def test_a_level_needs_a_price() -> None:
    assert level("0.5", "0") == (50_000_000, 0)
    with pytest.raises(ArithmeticRefusal):
        level("0.000000001", "1")


@pytest.mark.parametrize("stamp_ms", [-1, (1 << 63) // 1_000_000 + 1, 10**14])
def test_stamps_that_cannot_be(stamp_ms: int) -> None:
    assert instant_of_ms(1_579_264_280_000) == 1_579_264_280_000_000_000
    with pytest.raises(ArithmeticRefusal):
        instant_of_ms(stamp_ms)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2263-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_times_that_no_record_could_hold(text: str) -> None:
    assert instant("2023-10-04T15:30:00Z") == 1_696_433_400_000_000_000
    with pytest.raises(ArithmeticRefusal):
        instant(text)


@pytest.mark.parametrize("number", ["0", "0.000000001"])
def test_a_trade_needs_a_price(number: str) -> None:
    assert price_e8("0.5") == 50_000_000
    with pytest.raises(ArithmeticRefusal):
        price_e8(number)


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "x"])
def test_rates_that_cannot_be(number: str) -> None:
    assert rate_e8("-0.0001") == -10_000
    with pytest.raises(ArithmeticRefusal):
        rate_e8(number)


def test_changes_go_to_their_sides() -> None:
    changes = [("bid", "2", "1"), ("ask", "4", "1"), ("offer", "3", "0")]
    assert sides(changes) == ([(200_000_000, 100_000_000)], [(400_000_000, 100_000_000), (300_000_000, 0)])
    with pytest.raises(ArithmeticRefusal):
        sides([("both", "3", "1")])
