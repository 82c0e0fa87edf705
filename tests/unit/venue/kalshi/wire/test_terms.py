"""What a market's description means: structured fields first, then words and ticker, else nothing and a reason."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import CENT_GRID, TAPERED_GRID, Comparison, Contract
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.venue.kalshi.wire import terms
from fairstrike.venue.kalshi.wire.markets import Market

RANGE = {
    "ticker": "KXBTC-26JUL1002-B53250",
    "event_ticker": "KXBTC-26JUL1002",
    "market_type": "binary",
    "status": "active",
    "strike_type": "between",
    "floor_strike": 53200,
    "cap_strike": 53299.99,
    "open_time": "2026-07-10T05:00:00Z",
    "close_time": "2026-07-10T06:00:00Z",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
}
UP_DOWN = {
    "ticker": "KXBTC15M-26JUL290015-15",
    "event_ticker": "KXBTC15M-26JUL290015",
    "status": "active",
    "strike_type": "greater_or_equal",
    "floor_strike": 63650.03,
    "custom_strike": {"round_digits": "2"},
    "open_time": "2026-07-29T04:00:00Z",
    "close_time": "2026-07-29T04:15:00Z",
    "exchange_index": 2,
    "price_ranges": [
        {"start": "0.0000", "end": "0.1000", "step": "0.0010"},
        {"start": "0.1000", "end": "0.9000", "step": "0.0100"},
        {"start": "0.9000", "end": "1.0000", "step": "0.0010"},
    ],
}


def contract(fields: dict[str, object], **changes: object) -> Contract | None:
    return read(fields, **changes).contract


def read(fields: dict[str, object], **changes: object) -> terms.Terms:
    """What a description means; a field that changes to `...` is left out of it."""
    described = {name: value for name, value in {**fields, **changes}.items() if value is not ...}
    return terms.terms_of(msgspec.json.decode(json.dumps(described).encode(), type=Market))


def test_range_market() -> None:
    assert contract(RANGE) == Contract(
        ticker="KXBTC-26JUL1002-B53250",
        event_ticker="KXBTC-26JUL1002",
        series="KXBTC",
        asset="BTC",
        comparison=Comparison.BETWEEN,
        open_ns=1_783_659_600_000_000_000,
        close_ns=1_783_663_200_000_000_000,
        floor_e8=5_320_000_000_000,
        cap_e8=5_329_999_000_000,
        grid=CENT_GRID,
    )


def test_up_down_market() -> None:
    made = contract(UP_DOWN)
    assert made is not None
    assert (made.comparison, made.round_digits, made.exchange_index) == (Comparison.AT_LEAST, 2, 2)
    assert (made.floor_e8, made.cap_e8, made.grid) == (6_365_003_000_000, None, TAPERED_GRID)


@pytest.mark.parametrize(
    ("series", "kind", "comparison"),
    [
        ("KXBTCD", "greater", Comparison.ABOVE),
        ("KXETHD", "greater", Comparison.ABOVE),
        ("KXSOLE", "less", Comparison.BELOW),
        ("KXETH", "between", Comparison.BETWEEN),
        ("KXSOL15M", "greater_or_equal", Comparison.AT_LEAST),
    ],
)
def test_strike_type_decides(series: str, kind: str, comparison: Comparison) -> None:
    made = contract(RANGE, event_ticker=f"{series}-26JUL1002", strike_type=kind)
    assert made is not None
    assert made.comparison is comparison
    assert (made.floor_e8 is None) == (comparison is Comparison.BELOW)
    assert (made.cap_e8 is None) == (comparison in (Comparison.ABOVE, Comparison.AT_LEAST))


def test_strike_not_yet_published_is_none() -> None:
    made = contract(UP_DOWN, floor_strike=None)
    assert made is not None
    assert not made.is_struck


@pytest.mark.parametrize(
    "changes",
    [
        {"strike_type": None},
        {"floor_strike": None},
        {"cap_strike": None},
        {"strike_type": "less_or_equal"},
        {"strike_type": "custom"},
        {"strike_type": "structured"},
        {"event_ticker": "KXMLBGAME-26AUG07"},
        {"event_ticker": "KXXRP-26AUG07"},
        {"event_ticker": "KXBTCMAXY-26DEC31"},
        {"event_ticker": "KXBTCY-26DEC31"},
        {"event_ticker": "KXBTCMAX150-26DEC31"},
        {"market_type": "scalar"},
        {"floor_strike": -1},
        {"floor_strike": 0.000000001},
        {"floor_strike": 60_000},
        {"close_time": "2026-07-10T05:00:00Z"},
        {"close_time": "soon"},
        {"open_time": "2026-07-10T05:00:00"},
        {"custom_strike": {"round_digits": "two"}},
        {"custom_strike": {"round_digits": 9}},
        {"custom_strike": {"round_digits": -1}},
        {"price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0000"}]},
        {"price_ranges": [{"start": "1.0000", "end": "0.0000", "step": "0.0100"}]},
        {"price_ranges": [{"start": "0", "end": "2", "step": "0.01"}]},
        {"price_ranges": [], "price_level_structure": "banded_centi_cent"},
    ],
    ids=str,
)
def test_unclear_market_is_none_and_says_why(changes: dict[str, object]) -> None:
    made = read(RANGE, **changes)
    assert made.contract is None
    assert made.doubt


@pytest.mark.parametrize("structure", ["", "linear_cent"])
def test_a_description_without_ranges_is_of_whole_cents_where_its_structure_says_so(structure: str) -> None:
    made = contract(RANGE, price_ranges=[], price_level_structure=structure)
    assert made is not None
    assert made.grid == CENT_GRID


def test_a_structure_is_taken_by_the_ranges_it_comes_with() -> None:
    made = contract(RANGE, price_level_structure="banded_centi_cent", price_ranges=UP_DOWN["price_ranges"])
    assert made is not None
    assert made.grid == TAPERED_GRID


@pytest.mark.parametrize("digits", ["2", 2, 0, "8"])
def test_round_digits_as_text_or_number(digits: object) -> None:
    made = contract(UP_DOWN, custom_strike={"round_digits": digits})
    assert made is not None
    assert made.round_digits == int(str(digits))


def test_other_custom_strikes_are_ignored() -> None:
    made = contract(RANGE, custom_strike={"football_team": "x"})
    assert made is not None
    assert made.round_digits is None


# Words and tickers, where structured fields are absent

BARE = {**RANGE, "strike_type": ..., "floor_strike": ..., "cap_strike": ...}
TOP = {**BARE, "ticker": "KXBTC-26JUL1002-T70499.99", "yes_sub_title": "$70,500 or above"}
BOTTOM = {**BARE, "ticker": "KXBTC-26JUL1002-T52200", "yes_sub_title": "$52,199.99 or below"}
MIDDLE = {**BARE, "ticker": "KXBTC-26JUL1002-B70750", "yes_sub_title": "$70,500 to 70,999.99"}
UNSTRUCK = {**UP_DOWN, "floor_strike": ...}
RULE = "If the simple average of the sixty seconds of CF Benchmarks' Bitcoin Real-Time Index (BRTI) before 2 AM EDT is"
RULED = "at 2 AM EDT on Jul 10, 2026, then the market resolves to Yes."


def strikes(fields: dict[str, object], **changes: object) -> tuple[str, float | None, float | None] | None:
    made = contract(fields, **changes)
    if made is None:
        return None
    floor, cap = (None if strike is None else strike / 10**8 for strike in (made.floor_e8, made.cap_e8))
    return made.comparison.value, floor, cap


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (("greater", 70_499.99, None), TOP),
        (("greater", 70_499.99, None), {**TOP, "ticker": "KXBTC-26JUL1002-T70500"}),
        (("greater", 70_499.99, None), {**TOP, "ticker": "KXBTC-26JUL1002"}),
        (("greater", 179.9999, None), {**TOP, "ticker": "X-T179.9999", "yes_sub_title": "$180 or above"}),
        (("less", None, 52_200), BOTTOM),
        (("between", 70_500, 70_999.99), MIDDLE),
        (("between", 1_055, 1_059.99), {**MIDDLE, "ticker": "X-B1057", "yes_sub_title": "$1,055 to 1,059.99"}),
        (("between", 70_500, 70_999.99), {**MIDDLE, "yes_sub_title": "", "subtitle": "$70,500 to $70,999.99"}),
        (
            ("between", 70_500, 70_999.99),
            {**MIDDLE, "yes_sub_title": "", "title": "Bitcoin price $70,500 to 70,999.99 on Jul 10, 2026?"},
        ),
        (("greater", 70_499.99, None), {**TOP, "yes_sub_title": "", "rules_primary": f"{RULE} above 70499.99 {RULED}"}),
        (("less", None, 52_200), {**BOTTOM, "yes_sub_title": "", "rules_primary": f"{RULE} below 52200 {RULED}"}),
        (
            ("between", 70_500, 70_999.99),
            {**MIDDLE, "yes_sub_title": "", "rules_primary": f"{RULE} between 70500-70999.99 {RULED}"},
        ),
        (("between", 70_500, 70_999.99), {**MIDDLE, "strike_type": "between", "floor_strike": 70_500}),
        (("greater", 70_499.99, None), {**TOP, "strike_type": "greater", "yes_sub_title": ""}),
        (("less", None, 52_200), {**BOTTOM, "strike_type": "less", "yes_sub_title": ""}),
        (("greater_or_equal", 63_441.03, None), {**UNSTRUCK, "yes_sub_title": "Target Price: $63,441.03"}),
        (("greater_or_equal", None, None), {**UNSTRUCK, "yes_sub_title": "Target price: TBD"}),
        (("greater_or_equal", None, None), {**UNSTRUCK, "yes_sub_title": "Target price: TBD", "strike_type": ...}),
    ],
)
def test_words_stand_in_for_absent_fields(
    expected: tuple[str, float | None, float | None], fields: dict[str, object]
) -> None:
    assert expected == strikes(fields)


@pytest.mark.parametrize(
    "changes",
    [
        {"yes_sub_title": "$70.5k or above"},
        {"yes_sub_title": "$70,500 or above or $60,000 or below"},
        {"yes_sub_title": "not $70,500 or above"},
        {"yes_sub_title": "$7,0500 or above"},
        {"yes_sub_title": "about $70,500"},
        {"yes_sub_title": "70,500"},
        {"yes_sub_title": "Target Price: $70,500.00"},
        {"yes_sub_title": "$71,000 or above"},
        {"yes_sub_title": "$70,500 or below"},
        {"subtitle": "$71,500 or above"},
        {"rules_primary": f"{RULE} above 71499.99 {RULED}"},
        {"ticker": "KXBTC-26JUL1002-B70500"},
        {"strike_type": "less"},
        {"floor_strike": 70_000},
        {"yes_sub_title": ""},
        {"event_ticker": "KXBTC15M-26JUL100200"},
        {"event_ticker": "KXSOLE-26JUL1002", "ticker": "KXSOLE-26JUL1002-T70500"},
    ],
    ids=str,
)
def test_words_that_leave_a_doubt_are_no_contract(changes: dict[str, object]) -> None:
    made = read(TOP, **changes)
    assert made.contract is None
    assert made.doubt


SOL = {"event_ticker": "KXSOLE-26JUL1002", "ticker": "KXSOLE-26JUL1002-B139.5", "yes_sub_title": "$139 to 139.99"}


def test_an_asset_of_other_decimals_is_shown_in_cents_and_not_read_from_them() -> None:
    assert contract(BARE, **SOL) is None
    fields = {"strike_type": "between", "floor_strike": 139, "cap_strike": 139.9999}
    made = read(BARE, **SOL, **fields)
    assert made.contract is not None
    assert (made.contract.cap_e8, made.doubt) == (13_999_990_000, "")


@pytest.mark.parametrize("shown", ["$63,441", "$63,441.0", "$139.12"])
def test_a_target_shown_with_too_few_decimals_is_waited_for(shown: str) -> None:
    digits = {"round_digits": 4 if shown == "$139.12" else 2}
    made = contract(UP_DOWN, floor_strike=..., yes_sub_title=f"Target Price: {shown}", custom_strike=digits)
    assert made is not None
    assert not made.is_struck


# Contradictions


@pytest.mark.parametrize(
    ("word", "fields"),
    [
        ("'$53,300 to 53,399.99'", {**RANGE, "yes_sub_title": "$53,300 to 53,399.99"}),
        ("'$53,200 or above'", {**RANGE, "subtitle": "$53,200 or above"}),
        ("'between 53200-53399.99'", {**RANGE, "rules_primary": f"{RULE} between 53200-53399.99 {RULED}"}),
        ("ticker", {**RANGE, "ticker": "KXBTC-26JUL1002-B53350"}),
        ("ticker", {**RANGE, "ticker": "KXBTC-26JUL1002-T53250"}),
        ("closes", {**RANGE, "event_ticker": "KXBTC-26JUL1003"}),
        ("closes", {**UP_DOWN, "event_ticker": "KXBTC15M-26JUL290030"}),
        ("'Target Price: $63,650.13'", {**UP_DOWN, "yes_sub_title": "Target Price: $63,650.13"}),
        ("'$53,200 or above'", {**RANGE, "ticker": "X", "strike_type": "greater", "title": "$53,200 or above"}),
    ],
)
def test_structured_fields_win_and_the_doubt_is_said(word: str, fields: dict[str, object]) -> None:
    made = read(fields)
    assert made.contract == contract({**fields, "yes_sub_title": "", "subtitle": "", "title": "", "rules_primary": ""})
    assert made.contract is not None
    assert word in made.doubt


@pytest.mark.parametrize(
    "fields",
    [
        RANGE,
        UP_DOWN,
        {**RANGE, "yes_sub_title": "$53,200 to 53,299.99", "title": "Bitcoin price range on Jul 10, 2026?"},
        {**UP_DOWN, "yes_sub_title": "Target Price: $63,650.03", "no_sub_title": "Target price: TBD"},
        {**UP_DOWN, "yes_sub_title": "Target price: TBD"},
        {**UP_DOWN, "floor_strike": 139.1234, "yes_sub_title": "Target Price: $139.12"},
        {**RANGE, "event_ticker": "KXBTC-26JUL10"},
    ],
)
def test_nothing_is_doubted_where_all_agree(fields: dict[str, object]) -> None:
    made = read(fields)
    assert made.contract is not None
    assert made.doubt == ""


@pytest.mark.parametrize(
    ("event", "close", "is_doubted"),
    [
        ("26NOV0100", "2026-11-01T04:00:00Z", False),
        ("26NOV0101", "2026-11-01T05:00:00Z", False),
        ("26NOV0101", "2026-11-01T06:00:00Z", False),
        ("26NOV0101", "2026-11-01T07:00:00Z", True),
        ("26NOV0102", "2026-11-01T07:00:00Z", False),
        ("26NOV0102", "2026-11-01T06:00:00Z", True),
        ("26MAR0801", "2026-03-08T06:00:00Z", False),
        ("26MAR0802", "2026-03-08T07:00:00Z", False),
        ("26MAR0803", "2026-03-08T07:00:00Z", False),
        ("26MAR0803", "2026-03-08T08:00:00Z", True),
        ("26JUL0921", "2026-07-10T01:00:00Z", False),
        ("26JUL0921", "2026-07-09T21:00:00Z", True),
    ],
)
def test_the_hour_of_a_ticker_is_new_york_time(event: str, close: str, is_doubted: bool) -> None:
    made = read(RANGE, event_ticker=f"KXBTC-{event}", open_time=close.replace("2026", "2025"), close_time=close)
    assert made.contract is not None
    assert is_doubted is bool(made.doubt)


# Anything at all

TEXTS = st.text(alphabet="$0123456789,. -toabveorlwTargt Price:TBDk?onJul", max_size=40) | st.text(max_size=40)
NUMBERS = st.none() | st.decimals(allow_nan=True, allow_infinity=True)


@given(
    ticker=TEXTS | TEXTS.map(lambda text: f"KXBTC-26JUL1002-T{text}"),
    event=st.sampled_from(["KXBTC-26JUL1002", "KXBTC15M-26JUL290015", "KXSOLE-26FEB3099"]) | TEXTS,
    kind=st.sampled_from([None, "", "less", "greater", "between", "greater_or_equal"]) | TEXTS,
    texts=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS),
    numbers=st.tuples(NUMBERS, NUMBERS),
    times=st.tuples(TEXTS, TEXTS) | st.just(("2026-07-10T05:00:00Z", "2026-07-10T06:00:00Z")),
)
def test_anything_is_a_contract_that_makes_sense_or_a_reason(
    ticker: str,
    event: str,
    kind: str | None,
    texts: tuple[str, str, str, str],
    numbers: tuple[object, object],
    times: tuple[str, str],
) -> None:
    fields = {"floor_strike": numbers[0], "cap_strike": numbers[1], "strike_type": kind}
    words = dict(zip(("yes_sub_title", "subtitle", "title", "rules_primary"), texts, strict=True))
    described = {**RANGE, **fields, **words, "ticker": ticker, "event_ticker": event}
    described |= {"open_time": times[0], "close_time": times[1]}
    made = terms.terms_of(msgspec.convert(described, Market))
    if made.contract is None:
        assert made.doubt
        return
    floor, cap = made.contract.floor_e8, made.contract.cap_e8
    assert made.contract.is_struck or made.contract.comparison is Comparison.AT_LEAST
    assert all(strike is None or 0 <= strike < 10**18 for strike in (floor, cap))
    assert floor is None or cap is None or floor <= cap


@given(cents=st.integers(2, 10**9), width=st.integers(1, 10**6), kind=st.sampled_from(["above", "below", "range"]))
def test_what_is_shown_reads_back_as_what_it_was(cents: int, width: int, kind: str) -> None:
    def dollars(value: int) -> str:
        whole, rest = divmod(value, 100)
        return f"{whole:,}.{rest:02d}" if rest else f"{whole:,}"

    expected: tuple[str, float | None, float | None]
    if kind == "above":
        changes = {"ticker": f"X-T{(cents - 1) / 100:.2f}", "yes_sub_title": f"${dollars(cents)} or above"}
        expected = ("greater", (cents - 1) / 100, None)
    elif kind == "below":
        changes = {"ticker": f"X-T{(cents + 1) / 100:.2f}", "yes_sub_title": f"${dollars(cents)} or below"}
        expected = ("less", None, (cents + 1) / 100)
    else:
        middle = (2 * cents + width) / 200
        changes = {"ticker": f"X-B{middle:.2f}", "yes_sub_title": f"${dollars(cents)} to {dollars(cents + width)}"}
        expected = ("between", cents / 100, (cents + width) / 100)
    assert expected == strikes(BARE, **changes)


@pytest.mark.parametrize(("word", "meant"), [("less", Comparison.BELOW), ("", None), (None, None)])
def test_comparison_of_a_strike_type(word: str | None, meant: Comparison | None) -> None:
    assert terms.comparison_of(word) is meant


def test_strike_type_that_is_not_known_is_refused() -> None:
    with pytest.raises(ArithmeticRefusal):
        terms.comparison_of("less_or_equal")
