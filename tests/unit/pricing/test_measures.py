"""One source's measures: the same as the parts they are made of, print by print."""

import pytest

from fairstrike.pricing.diurnal import VarianceClock
from fairstrike.pricing.last_minute import Params as LastMinuteParams
from fairstrike.pricing.last_minute import last_minute_vol
from fairstrike.pricing.measures import Measures
from fairstrike.pricing.regimes import Params as RegimeParams
from fairstrike.pricing.volatility import Ewma, realised_vol
from fairstrike.pricing.volatility import Params as VolatilityParams
from tests.unit.pricing.paths import prints_of, returns_of

START = 1_800_000_000
PATH = prints_of(returns_of(seed=3, count=900), START)
FEW = VolatilityParams(returns_min=20)
SOON = LastMinuteParams(stretches_min=2)
LOUD = VarianceClock([3.0] + [1.0] * 59)


def measures(prints: dict[int, int], *, is_realised: bool = False, clock: VarianceClock | None = None) -> Measures:
    return Measures(prints, FEW, (RegimeParams(), 0.5), clock, is_realised=is_realised)


@pytest.mark.parametrize("clock", [None, LOUD])
def test_volatilities_follow_the_prints(clock: VarianceClock | None) -> None:
    prints: dict[int, int] = {}
    weighted, realised = (measures(prints, is_realised=is_realised, clock=clock) for is_realised in (False, True))
    ewma = Ewma(FEW, clock)
    for second, value_e8 in PATH.items():
        prints[second] = value_e8
        weighted.update(second)
        realised.update(second)
        ewma.update(second, value_e8)
        if second % 100 == 7:
            assert weighted.vol_annual() == ewma.vol_annual()
            assert realised.vol_annual() == realised.vol_annual() == realised_vol(prints, second, FEW, clock)


def test_the_last_minute_follows_prints_and_prints_left() -> None:
    prints = dict(list(PATH.items())[:600])
    found = measures(prints)
    found.update(max(prints))
    for left in (20, 5, 20):
        assert found.ending_vol(left, SOON) == last_minute_vol(prints, max(prints), left, SOON) is not None
    before = found.ending_vol(5, SOON)
    prints.update(PATH)
    found.update(max(PATH))
    assert before != found.ending_vol(5, SOON) == last_minute_vol(PATH, max(PATH), 5, SOON)


def test_before_any_print_nothing_is_known() -> None:
    for is_realised in (False, True):
        found = measures({}, is_realised=is_realised)
        assert (found.vol_annual(), found.ending_vol(5, SOON), found.regime.regime) == (None, None, None)


def test_a_volatility_that_cannot_be_is_none() -> None:
    """A print a hundred times too high, and the same back."""
    prints = dict(PATH)
    last = max(prints)
    prints[last + 1], prints[last + 2] = 100 * prints[last], prints[last]
    for is_realised in (False, True):
        found = measures(prints, is_realised=is_realised)
        for second in prints:
            found.update(second)
        assert (found.vol_annual(), found.ending_vol(1, SOON)) == (None, None)
