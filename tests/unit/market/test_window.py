"""Where the settlement window stands, in all its phases around the last minute."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import Comparison, Window
from fairstrike.core.records import CloseAudited, SourceMean
from fairstrike.market.index import Series
from fairstrike.market.window import WindowState, audit_close, close_of_strike, window_state
from tests.unit.market.samples import contract

SECOND = 1_000_000_000
CLOSE = 1_000


def state(now_s: float, *prints: int, window: Window = Window.BEFORE_CLOSE) -> WindowState:
    return window_state(dict.fromkeys(prints, 1), CLOSE * SECOND, round(now_s * SECOND), window)


@pytest.mark.parametrize(
    ("over", "left", "first_s", "now_s", "prints"),
    [
        # Before the window: nothing is over, the first print is made at close − 60.
        (0, 60, 59.94, 880.06, ()),
        (0, 60, 1.0, 939.0, ()),
        (0, 60, 0.5, 939.5, (939,)),
        # The first second runs: its print counts when it is there.
        (0, 60, 0.0, 940.0, ()),
        (1, 59, 1.0, 940.0, (940,)),
        (0, 60, 0.0, 940.9, ()),
        (1, 59, 0.5, 940.5, (940,)),
        # Seconds that are over count, seen or not.
        (1, 59, 0.0, 941.0, ()),
        (30, 30, 0.0, 970.25, (960,)),
        (31, 29, 0.75, 970.25, (970,)),
        # The last second, the close, and after it.
        (59, 1, 0.0, 999.5, ()),
        (60, 0, 0.5, 999.5, (999,)),
        (60, 0, 0.0, 1_000.0, ()),
        (60, 0, 0.0, 1_000.0, (1_000,)),
        (60, 0, 0.0, 5_000.0, ()),
    ],
)
def test_phase(over: int, left: int, first_s: float, now_s: float, prints: tuple[int, ...]) -> None:
    expected = WindowState(over=range(940, 940 + over), left=left, first_s=first_s)
    assert expected == state(now_s, *prints)


@pytest.mark.parametrize(
    ("over", "left", "now_s", "prints"),
    [(0, 60, 940.5, (940,)), (0, 60, 941.0, ()), (59, 1, 1_000.5, ()), (60, 0, 1_000.5, (1_000,)), (60, 0, 1_001, ())],
)
def test_window_that_includes_the_close(over: int, left: int, now_s: float, prints: tuple[int, ...]) -> None:
    found = state(now_s, *prints, window=Window.UP_TO_CLOSE)
    assert (range(941, 941 + over), left) == (found.over, found.left)


@given(st.integers(850 * SECOND, 1_100 * SECOND), st.booleans(), st.sampled_from(list(Window)))
def test_over_and_left_are_always_sixty(now_ns: int, has_print: bool, window: Window) -> None:
    running = now_ns // SECOND
    prints = {running: 1} if has_print else {}
    found = window_state(prints, CLOSE * SECOND, now_ns, window)
    assert len(found.over) + found.left == 60
    assert found.first_s >= 0.0
    assert all(second < running + has_print for second in found.over)


@given(st.integers(850 * SECOND, 1_100 * SECOND), st.integers(0, 5 * SECOND))
def test_time_only_ever_takes_prints_off(now_ns: int, later_ns: int) -> None:
    before, after = (window_state({}, CLOSE * SECOND, at) for at in (now_ns, now_ns + later_ns))
    assert after.left <= before.left


# What a window came to

E8 = 10**8
UP_DOWN = msgspec.structs.replace(
    contract("KXBTC15M-B", floor=80_000, close_s=1_900, comparison=Comparison.AT_LEAST, series="KXBTC15M"),
    open_ns=CLOSE * SECOND,
    round_digits=2,
)


def series(source: str, values: dict[int, int]) -> Series:
    made = Series(source, 0, 2_000, SECOND)
    for second, value in values.items():
        made.fold(second, value, second * SECOND, 0)
    return made


def steps(value: int = 80_000 * E8, last: int | None = None) -> dict[int, int]:
    """Prints of [close − 60, close] that stand still, the one at the close excepted."""
    return {**dict.fromkeys(range(CLOSE - 60, CLOSE), value), CLOSE: value if last is None else last}


def audited(**sources: dict[int, int]) -> CloseAudited | None:
    return audit_close(UP_DOWN, {name: series(name, values) for name, values in sources.items()}, Window.BEFORE_CLOSE)


def test_only_a_chained_strike_tells_the_close_before_it() -> None:
    assert close_of_strike(UP_DOWN) == CLOSE * SECOND
    assert close_of_strike(msgspec.structs.replace(UP_DOWN, floor_e8=None)) is None
    assert close_of_strike(contract()) is None
    assert close_of_strike(msgspec.structs.replace(UP_DOWN, series="KXBTCD")) is None, (
        "no strike of a threshold is a mean"
    )
    assert audit_close(contract(), {"official": series("official", steps())}, Window.BEFORE_CLOSE) is None


def test_prints_that_come_to_the_official_value_are_written_down() -> None:
    found = audited(official=steps(last=80_060 * E8))
    mean = SourceMean(source="official", before_close_e8=80_000 * E8, up_to_close_e8=80_001 * E8)
    assert found == CloseAudited(
        asset="BTC", close_ns=CLOSE * SECOND, official_e8=80_000 * E8, means=(mean,), complaint=""
    )


@pytest.mark.parametrize(("is_wrong", "cents"), [(False, 0.49), (True, 0.51), (False, -0.5), (True, -0.51)])
def test_the_official_value_is_the_rounded_mean(is_wrong: bool, cents: float) -> None:
    found = audited(official=steps(80_000 * E8 + round(cents * E8 / 100)))
    assert found is not None
    assert is_wrong is bool(found.complaint)


def test_a_contradiction_names_both_readings() -> None:
    found = audited(official=steps(79_999 * E8, last=80_059 * E8))
    assert found is not None
    for told in (
        "[close-60,close) 79999.0",
        "(close-60,close] 80000.0",
        "official value is 80000.0",
        "rooms.fair.window",
    ):
        assert told in found.complaint


def test_a_proxy_is_written_down_and_complains_never() -> None:
    found = audited(coinbase=steps(79_990 * E8), official=steps())
    assert found is not None
    assert [(mean.source, mean.before_close_e8) for mean in found.means] == [
        ("coinbase", 79_990 * E8),
        ("official", 80_000 * E8),
    ]
    assert found.complaint == ""


def test_a_missing_print_leaves_a_reading_unknown() -> None:
    first_missing, last_missing = steps(), steps()
    del first_missing[CLOSE - 60]
    del last_missing[CLOSE]
    found = audited(official=last_missing, kraken=first_missing, gemini={CLOSE: 1})
    assert found is not None
    assert [(mean.source, mean.before_close_e8, mean.up_to_close_e8) for mean in found.means] == [
        ("kraken", None, 80_000 * E8),
        ("official", 80_000 * E8, None),
    ]
    assert audited(gemini={CLOSE: 1}) is None
