"""The index's means: which seconds, how many, how rounded."""

import pytest

from fairstrike.core.contract import Window
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.happenings import IndexAverage
from fairstrike.exchange.listings import IndexPrints

QUARTER = 900 * 1_000
CENT_E8 = 1_000_000


def counted(first: int, last: int) -> IndexPrints:
    """Prints whose value in `_e8` is their second less the quarter hour, from `first` to `last`."""
    prints = IndexPrints()
    for offset in range(first, last + 1):
        prints.add(QUARTER + offset, 1_000 + offset)
    return prints


def test_last_minute_leaves_its_own_second_out() -> None:
    prints = counted(-60, 0)
    expected = IndexAverage(value_e8=970, count=60, start_second=QUARTER - 60, end_second=QUARTER)
    # The mean of 940 … 999 is 969.5, rounded half up.
    assert prints.last_minute(QUARTER) == expected


def test_last_minute_of_the_first_print_is_unknown() -> None:
    prints = counted(0, 0)
    assert prints.last_minute(QUARTER) is None
    assert prints.last_minute(QUARTER + 1) is not None


@pytest.mark.parametrize(("expected", "offset"), [(None, -60), (1, -59), (2, -58), (60, 0), (None, 1)])
def test_quarter_hour_counts_from_one_to_sixty(expected: int | None, offset: int) -> None:
    average = counted(-120, offset).quarter_hour(QUARTER + offset)
    assert (average and average.count) == expected


@pytest.mark.parametrize(
    ("expected_e8", "window"), [(2 * CENT_E8, Window.BEFORE_CLOSE), (3 * CENT_E8, Window.UP_TO_CLOSE)]
)
def test_settlement_mean_follows_the_window(expected_e8: int, window: Window) -> None:
    prints = IndexPrints()
    for second in range(QUARTER - 60, QUARTER):
        prints.add(second, 2 * CENT_E8)
    prints.add(QUARTER, 62 * CENT_E8)
    assert prints.cents_e8(QUARTER * SECOND_NS, window) == expected_e8


def test_incomplete_window_has_no_mean() -> None:
    assert counted(-59, -1).cents_e8(QUARTER * SECOND_NS, Window.BEFORE_CLOSE) is None


def test_second_print_of_a_second_is_refused() -> None:
    with pytest.raises(AssertionError):
        counted(0, 0).add(QUARTER, 1)


def test_prints_are_bounded() -> None:
    prints = counted(0, 6 * 3_600)
    assert len(prints.by_second) == 6 * 3_600
    assert QUARTER not in prints.by_second
