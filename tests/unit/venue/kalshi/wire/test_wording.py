"""Strikes in words: what is read, what is left unread, and what a ticker says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import HOUR_NS, SECOND_NS
from fairstrike.venue.kalshi.wire import wording
from fairstrike.venue.kalshi.wire.wording import Level, Words

E8 = 10**8
CENT = 10**6


def ends(words: Words | None) -> tuple[float | None, float | None] | None:
    if words is None:
        return None
    low, high = (None if end is None else end / E8 for end in (words.low_e8, words.high_e8))
    return low, high


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ((70_500, None), "$70,500 or above"),
        ((70_500, None), "$70500 or higher"),
        ((None, 52_199.99), "$52,199.99 or below"),
        ((70_500, 70_999.99), "$70,500 to 70,999.99"),
        ((70_500, 70_999.99), "$70,500 to $70,999.99"),
        ((70_500, 70_999.99), "$70,500 - 70,999.99"),
        ((1_234_567.5, None), "$1,234,567.50 or above"),
        ((70_500, None), "Will Bitcoin be $70,500 or above on Jul 9, 2026 at 9pm EDT?"),
        ((63_441.03, None), "Target Price: $63,441.03"),
        ((None, None), "Target price: TBD"),
    ],
)
def test_words_that_are_understood(expected: tuple[float | None, float | None], text: str) -> None:
    assert ends(wording.read_words(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Bitcoin price range on Jul 9, 2026?",
        "Ethereum price at Jul 9, 2026 at 9pm EDT?",
        "BTC price up in next 15 mins?",
        "70,500 or above",
        "$70,500",
        "above $70,500",
        "$70.5k or above",
        "$7,0500 or above",
        "$70,500.123456789 or above",
        "-$70,500 or above",
        "$-70,500 or above",
        "$70,500 or above, or $60,000 or below",
        "$70,500 or above at noon or below 60,000 at midnight",
        "$70,500 or above on any day except Friday?",
        "$70,999.99 to 70,500",
        "$70,500 to 70,999.99k",
        "not $70,500 or above",
        "more than $70,500 or above",
        "Target Price: $63,441.03 or so",
        "Target Price: TBA",
        "$70,500 or above " + "x" * 400,
    ],
)
def test_words_that_are_not_understood_say_nothing(text: str | None) -> None:
    assert wording.read_words(text) is None


def test_a_number_beyond_every_index_is_refused() -> None:
    with pytest.raises(ArithmeticRefusal):
        wording.read_words("$99999999999 or above")


@given(st.text(max_size=80) | st.from_regex(r"[$0-9,. toraveblw]{0,40}", fullmatch=True))
def test_any_text_is_read_or_left(text: str) -> None:
    for read in (wording.read_words, wording.read_rule):
        try:
            words = read(text)
        except ArithmeticRefusal:
            continue
        assert words is None or (words.low_e8 or 0) >= 0
    assert wording.read_level(text) is None or "-" in text or text[0] in "TB"
    assert len(wording.named_closes_ns(text)) <= 2


@pytest.mark.parametrize(
    ("ticker", "expected"),
    [
        ("KXBTCD-26AUG1717-T72749.99", Level(level_e8=7_274_999 * CENT, is_middle=False, place_e8=CENT)),
        ("KXBTC-26JUL1002-B53250", Level(level_e8=53_250 * E8, is_middle=True, place_e8=E8)),
        ("KXSOLE-26JUL1002-B139.5", Level(level_e8=13_950 * CENT, is_middle=True, place_e8=10 * CENT)),
        ("KXBTC15M-26JUL290015-15", None),
        ("KXBTC-26JUL1002-T-5", None),
        ("KXBTC-26JUL1002-T5x", None),
        ("KXBTC-26JUL1002-\u0664", None),
    ],
)
def test_the_level_of_a_ticker(ticker: str, expected: Level | None) -> None:
    assert wording.read_level(ticker) == expected


@pytest.mark.parametrize(
    ("event_ticker", "closes_s"),
    [
        ("KXBTC-26JUL0921", [1_783_645_200]),
        ("KXBTC15M-26AUG170100", [1_786_942_800]),
        ("KXBTC-26NOV0101", [1_793_509_200, 1_793_512_800]),
        ("KXBTC-26MAR0802", []),
        ("KXBTC-26JUL09", []),
        ("KXBTC-26FEB3012", []),
        ("KXBTC-26JUL0925", []),
        ("KXBTC-26JLY0921", []),
        ("KXBTC-26JUL092160", []),
        ("KXBTC", []),
    ],
)
def test_the_close_that_a_ticker_names(event_ticker: str, closes_s: list[int]) -> None:
    assert wording.named_closes_ns(event_ticker) == tuple(second * SECOND_NS for second in closes_s)


@given(st.integers(1_600_000, 2_400_000), st.booleans())
def test_a_close_is_among_those_its_name_means(quarter: int, with_minutes: bool) -> None:
    close_ns = (quarter if with_minutes else quarter // 4 * 4) * HOUR_NS // 4
    name = wording.named_time(close_ns, with_minutes=with_minutes)
    assert name.endswith("B") or close_ns in wording.named_closes_ns(f"KXBTC-{name}")


def test_no_two_quarters_of_the_longest_and_the_shortest_day_have_one_name() -> None:
    for midnight_s, quarters in ((1_793_505_600, 100), (1_772_946_000, 92)):
        closes = [midnight_s * SECOND_NS + number * HOUR_NS // 4 for number in range(quarters)]
        names = [wording.named_time(close_ns, with_minutes=True) for close_ns in closes]
        assert len(set(names)) == quarters
        assert {name[:7] for name in names} == {names[0][:7]}
    assert wording.named_time(1_793_512_800 * SECOND_NS, with_minutes=False) == "26NOV0101B"
