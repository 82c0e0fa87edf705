"""Where the settlement window stands, in all its phases around the last minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import Window
from fairstrike.market.window import WindowState, window_state

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
