"""Decimal text and integers: round trips, fast paths that agree with the slow one, refusals."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.units import (
    format_cc,
    format_decimal,
    format_e8,
    format_ticks,
    format_ud,
    parse_cc,
    parse_decimal,
    parse_e8,
    parse_ticks,
    parse_ud,
    ppm_of_belief,
    ticks_of_belief_down,
    ticks_of_belief_up,
)

Parse = Callable[[str], int]
Format = Callable[[int], str]

UNITS: list[tuple[Parse, Format, int]] = [
    (parse_ticks, format_ticks, 4),
    (parse_cc, format_cc, 2),
    (parse_ud, format_ud, 6),
    (parse_e8, format_e8, 8),
]
NUMBERISH = st.text(alphabet="0123456789.-+e_ ٣½", max_size=12)


def outcome(parse: Callable[[], int]) -> int | None:
    try:
        return parse()
    except ArithmeticRefusal:
        return None


@pytest.mark.parametrize(("parse", "write", "places"), UNITS)
@given(value=st.integers(-(10**20), 10**20))
def test_written_value_is_read_back(parse: Parse, write: Format, places: int, value: int) -> None:
    assert value == parse(write(value))


@pytest.mark.parametrize(("parse", "write", "places"), UNITS)
@given(text=st.one_of(NUMBERISH, st.from_regex(r"-?[0-9]{0,45}\.[0-9]{2,4}", fullmatch=True)))
def test_fast_path_gives_what_the_slow_one_gives(parse: Parse, write: Format, places: int, text: str) -> None:
    assert outcome(lambda: parse_decimal(text, places)) == outcome(lambda: parse(text))


@pytest.mark.parametrize(
    ("value", "text", "places"),
    [
        (-1250, "-12.50", 2),
        (1250, "+12.5", 2),
        (1250, "12.5000000", 2),
        (12, "12", 0),
        (12, "12.000", 0),
        (50, ".5", 2),
        (500, "5.", 2),
        (0, "-0", 4),
        (7_948_786_000_000, "79487.86", 8),
    ],
)
def test_plain_decimal(value: int, text: str, places: int) -> None:
    assert value == parse_decimal(text, places)


@pytest.mark.parametrize(
    "text",
    ["", ".", "-", "+.", "1e3", "1_000", "1,000", " 1", "1 ", "--1", "1.2.3", "nan", "inf", "٣", "½", "0x1", "1" * 41],
)
def test_other_text_is_refused(text: str) -> None:
    for parse, _, _ in UNITS:
        with pytest.raises(ArithmeticRefusal, match="not a plain decimal"):
            parse(text)


@pytest.mark.parametrize("text", ["1" * 5_000 + ".00", "-" + "0" * 50 + ".00"])
def test_endless_text_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal, match="not a plain decimal"):
        parse_cc(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [(parse_ticks, "0.52001"), (parse_cc, "1.001"), (parse_ud, "0.0000001"), (parse_e8, "1.000000001")],
)
def test_finer_than_the_unit_is_refused(parse: Parse, text: str) -> None:
    with pytest.raises(ArithmeticRefusal, match="finer"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value", "places"),
    [("0.5200", 5200, 4), ("-0.0001", -1, 4), ("10.50", 1050, 2), ("7", 7, 0), ("-7", -7, 0), ("0.000000", 0, 6)],
)
def test_all_places_are_written(text: str, value: int, places: int) -> None:
    assert text == format_decimal(value, places)


@pytest.mark.parametrize(
    ("down", "up", "p"),
    [(0, 0, 0.0), (10_000, 10_000, 1.0), (5_200, 5_200, 0.52), (5_200, 5_201, 0.52005), (0, 1, 0.000001)],
)
def test_belief_becomes_a_price_in_the_named_direction(down: int, up: int, p: float) -> None:
    assert (down, up) == (ticks_of_belief_down(p), ticks_of_belief_up(p))


@given(st.floats(0.0, 1.0))
def test_belief_lies_between_its_prices_to_half_a_millionth(p: float) -> None:
    down, up = ticks_of_belief_down(p), ticks_of_belief_up(p)
    assert 0 <= down <= up <= min(down + 1, 10_000)
    assert down - 0.005001 <= p * 10_000 <= up + 0.005001


@given(st.integers(0, 10_000))
def test_whole_tick_keeps_its_price(ticks: int) -> None:
    assert (ticks, ticks) == (ticks_of_belief_down(ticks / 10_000), ticks_of_belief_up(ticks / 10_000))


@pytest.mark.parametrize(("ppm", "p"), [(0, 0.0), (1_000_000, 1.0), (520_000, 0.52), (1, 0.0000005), (0, 0.00000049)])
def test_belief_is_journaled_half_up(ppm: int, p: float) -> None:
    assert ppm == ppm_of_belief(p)


@pytest.mark.parametrize("bad", [-1e-12, 1.0000001, math.nan, math.inf, -math.inf])
def test_no_probability_is_refused(bad: float) -> None:
    for convert in (ppm_of_belief, ticks_of_belief_down, ticks_of_belief_up):
        with pytest.raises(ArithmeticRefusal, match="not a probability"):
            convert(bad)
