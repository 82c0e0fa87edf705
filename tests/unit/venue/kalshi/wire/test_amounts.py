"""Decimal text to bounded integers: exact, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.units import format_cc, format_ticks
from fairstrike.venue.kalshi.wire import amounts


@given(st.integers(0, 10_000))
def test_price_survives_the_wire(ticks: int) -> None:
    assert amounts.price_ticks(format_ticks(ticks)) == ticks


@given(st.integers(-(10**12) + 1, 10**12 - 1))
def test_size_survives_the_wire(cc: int) -> None:
    assert amounts.size_cc(format_cc(cc)) == cc


@pytest.mark.parametrize("text", ["1.0001", "-0.0001", "0.00001", "", ".", "nan", "1e-1", "٠.٥٠٠٠", " 0.5", "0.5 "])
def test_text_that_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        amounts.price_ticks(text)


@pytest.mark.parametrize("text", ["10000000000.00", "-10000000000.00", "0.001", "", "--1.00", "x.00"])
def test_text_that_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        amounts.size_cc(text)


@pytest.mark.parametrize("text", ["10000000000", "0.0000001", "one"])
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        amounts.money_ud(text)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    for parse, most in ((amounts.price_ticks, 10_000), (amounts.size_cc, 10**12), (amounts.money_ud, 10**16)):
        try:
            value = parse(text)
        except ArithmeticRefusal:
            continue
        assert abs(value) <= most


@pytest.mark.parametrize(
    ("text", "e8"),
    [("53200", 5_320_000_000_000), ("53299.99", 5_329_999_000_000), ("6.365003E+4", 6_365_003_000_000), ("0", 0)],
)
def test_strike_is_exact(text: str, e8: int) -> None:
    assert amounts.number_e8(Decimal(text)) == e8


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1E+400", "1E-400", "-1", "0.000000001", "1E+11"])
def test_number_outside_its_domain_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        amounts.number_e8(Decimal(text))


@pytest.mark.parametrize(("text", "ppm"), [("1", 1_000_000), ("0.5", 500_000), ("0", 0)])
def test_multiplier_is_exact(text: str, ppm: int) -> None:
    assert amounts.number_ppm(Decimal(text)) == ppm


@pytest.mark.parametrize("text", ["-1", "1001", "0.0000001"])
def test_multiplier_outside_its_domain_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        amounts.number_ppm(Decimal(text))


@pytest.mark.parametrize(
    ("text", "instant_ns"),
    [
        ("2026-08-17T14:00:00Z", 1_786_975_200_000_000_000),
        ("2026-07-09T09:04:19.374593Z", 1_783_587_859_374_593_000),
        ("0001-01-01T00:00:00Z", None),
        ("9999-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_time_of_the_wire(text: str | None, instant_ns: int | None) -> None:
    assert amounts.time_ns(text) == instant_ns


def test_absent_instants_stay_absent() -> None:
    assert amounts.milliseconds_ns(None) is None
    assert amounts.seconds_ns(None) is None
    assert amounts.milliseconds_ns(1) == 1_000_000
    assert amounts.seconds_ns(1) == 1_000_000_000
