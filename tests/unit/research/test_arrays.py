"""Closed forms over arrays: element by element what the trader's own functions give."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing import digital, settlement, tails
from fairstrike.pricing.settlement import SettlementInputs, SettlementLaw, settlement_law
from fairstrike.research import arrays

STRIKES = st.lists(st.floats(1e-6, 1e12), max_size=20)


def law_of(
    vol: float, first_s: float, left: int, sd_dollars: float, law_tails: tails.Tails | None = None
) -> SettlementLaw:
    return settlement_law(
        SettlementInputs(
            spot=80_000.0,
            vol_annual=vol,
            first_s=first_s,
            left=left,
            seen_sum=(60 - left) * 80_003.0,
            sd_dollars=sd_dollars,
            tails=law_tails,
        )
    )


LAWS = st.builds(
    law_of,
    vol=st.one_of(st.just(0.0), st.floats(1e-3, 50.0)),
    first_s=st.floats(0.0, 1e6),
    left=st.integers(0, 60),
    sd_dollars=st.sampled_from([0.0, 5.3, 1e6]),
    law_tails=st.sampled_from([None, tails.MixtureTails(weight=0.05, ratio=4.0)]),
)


@given(STRIKES, st.floats(0.0, 50.0), st.floats(0.0, 100.0), st.floats(1e-6, 1e12))
def test_digital_is_that_of_the_trader(strikes: list[float], vol: float, years: float, spot: float) -> None:
    expected = digital.digitals_above(spot, strikes, vol, years)
    assert pytest.approx(expected, abs=1e-13) == arrays.digital_above(spot, np.array(strikes), vol, years).tolist()


@given(LAWS, STRIKES, st.lists(st.floats(-6.0, 6.0), max_size=20))
def test_settlement_is_that_of_the_trader(law: SettlementLaw, strikes: list[float], steps: list[float]) -> None:
    sd = law.sd or law.width * law.log_sd
    near = [law.known + law.median + step * sd for step in steps]
    expected = settlement.probabilities_above(law, strikes + near)
    assert pytest.approx(expected, abs=1e-13) == arrays.probability_above(law, np.array(strikes + near)).tolist()


@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_numbers_of_another_type_are_taken_as_doubles(kind: type[np.float32 | np.int64]) -> None:
    law, strikes = law_of(0.5, 100.0, 60, 0.0), np.array([79_990.0, 80_000.0, 80_010.0])
    other = strikes.astype(kind)
    assert np.array_equal(arrays.probability_above(law, other), arrays.probability_above(law, strikes))  # type: ignore[arg-type]
    assert np.array_equal(
        arrays.digital_above(80_000.0, other, 0.5, 1e-6),  # type: ignore[arg-type]
        arrays.digital_above(80_000.0, strikes, 0.5, 1e-6),
    )


@pytest.mark.parametrize("shape", [(2, 3), (6,), (0,), ()])
@pytest.mark.parametrize("vol", [0.0, 0.5])
@pytest.mark.parametrize("sd_dollars", [0.0, 5.3])
def test_shape_is_kept(shape: tuple[int, ...], vol: float, sd_dollars: float) -> None:
    strikes = np.full(shape, 80_001.0)
    point = arrays.digital_above(80_000.0, strikes, vol, 0.001)
    mean = arrays.probability_above(law_of(vol, 60.0, 60, sd_dollars), strikes)
    assert (point.shape, mean.shape) == (shape, shape)
    assert point.dtype == mean.dtype == np.dtype(np.float64)


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0, math.inf])
def test_bad_strike_is_refused(bad: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="strike"):
        arrays.digital_above(80_000.0, np.array([80_000.0, bad]), 0.5, 0.001)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_bad_threshold_is_refused(bad: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="strike"):
        arrays.probability_above(law_of(0.5, 60.0, 60, 0.0), np.array([80_000.0, bad]))


@pytest.mark.parametrize(("spot", "vol", "years"), [(0.0, 0.5, 1.0), (1.0, math.nan, 1.0), (1.0, 0.5, -1.0)])
def test_bad_number_is_refused(spot: float, vol: float, years: float) -> None:
    with pytest.raises(ArithmeticRefusal):
        arrays.digital_above(spot, np.array([1.0]), vol, years)
