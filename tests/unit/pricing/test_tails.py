"""Fat tails: figures computed elsewhere, unit variance, symmetry, refusals."""

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr

from fairstrike.core.contract import Comparison, settle
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.digital import normal_cdf
from fairstrike.pricing.settlement import SettlementInputs, SettlementLaw, probability, settlement_law, slope_above
from fairstrike.pricing.tails import MixtureTails, StudentTails, Tails, density, fattened, tail
from tests.unit.market.samples import contract

MIXTURE = MixtureTails(weight=0.05, ratio=4.0)


class TailCase(msgspec.Struct, frozen=True):
    z: float
    p_normal: float
    nu3: float = msgspec.field(name="p_student_t_nu3_unit_variance")
    nu4: float = msgspec.field(name="p_student_t_nu4_unit_variance")
    nu6: float = msgspec.field(name="p_student_t_nu6_unit_variance")
    mixture: float = msgspec.field(name="p_normal_mixture_w05_ratio4_unit_variance")


class Crossover(msgspec.Struct, frozen=True):
    nu3: float = msgspec.field(name="t_nu3")
    nu4: float = msgspec.field(name="t_nu4")
    nu6: float = msgspec.field(name="t_nu6")
    nu10: float = msgspec.field(name="t_nu10")
    mixture: float = msgspec.field(name="mixture_w05_ratio4")


class Vectors(msgspec.Struct, frozen=True):
    fat_tails: list[TailCase]
    fat_tail_crossover_z: Crossover


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> Vectors:
    return msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors)


def test_reference_figures(vectors: Vectors) -> None:
    assert len(vectors.fat_tails) == 4
    for case in vectors.fat_tails:
        laws = {3: case.nu3, 4: case.nu4, 6: case.nu6}
        for freedom, expected in laws.items():
            # z is printed with six digits.
            assert pytest.approx(expected, abs=3e-7) == tail(case.z, StudentTails(freedom=freedom))
            assert pytest.approx(expected, abs=3e-7) == fattened(normal_cdf(-case.z), StudentTails(freedom=freedom))
        assert pytest.approx(case.mixture, abs=3e-7) == tail(case.z, MIXTURE)
        assert pytest.approx(1.0 - case.mixture, abs=3e-7) == fattened(normal_cdf(case.z), MIXTURE)


def test_crossover(vectors: Vectors) -> None:
    told = vectors.fat_tail_crossover_z
    laws: list[tuple[float, Tails]] = [(told.mixture, MIXTURE)]
    laws += [
        (z, StudentTails(freedom=freedom))
        for freedom, z in ((3, told.nu3), (4, told.nu4), (6, told.nu6), (10, told.nu10))
    ]
    for z, law in laws:
        assert tail(z - 1e-3, law) < normal_cdf(-(z - 1e-3))
        assert tail(z + 1e-3, law) > normal_cdf(-(z + 1e-3))


@given(st.floats(2.01, 200.0), st.floats(-40.0, 40.0))
def test_student_is_that_of_scipy(freedom: float, z: float) -> None:
    t = z * math.sqrt(freedom / (freedom - 2.0))
    assert pytest.approx(float(stdtr(freedom, -t)), rel=1e-9, abs=1e-300) == tail(z, StudentTails(freedom=freedom))


@pytest.mark.parametrize("law", [StudentTails(freedom=4.0), StudentTails(freedom=2.5), MIXTURE])
def test_tails_fall_and_are_symmetric(law: Tails) -> None:
    values = [tail(step / 10, law) for step in range(-80, 81)]
    assert values == sorted(values, reverse=True)
    for low, high in zip(values, reversed(values), strict=True):
        assert pytest.approx(1.0, abs=1e-12) == low + high
    assert tail(-math.inf, law) == 1.0
    assert tail(math.inf, law) == 0.0


@pytest.mark.parametrize("law", [StudentTails(freedom=6.0), MIXTURE])
def test_variance_is_one(law: Tails) -> None:
    # E[X²] = 4 ∫ x·P(X > x) dx over x > 0.
    step = 0.01
    total = 4.0 * step * math.fsum(step * i * tail(step * i, law) for i in range(1, 20_000))
    assert pytest.approx(1.0, abs=1e-3) == total


@pytest.mark.parametrize("law", [StudentTails(freedom=2.5), StudentTails(freedom=6.0), MIXTURE])
def test_the_density_is_the_slope_of_the_tail(law: Tails) -> None:
    for z in (-5.0, -1.0, 0.0, 0.3, 2.0, 8.0):
        slope = (tail(z - 1e-4, law) - tail(z + 1e-4, law)) / 2e-4
        assert pytest.approx(slope, rel=1e-5, abs=1e-11) == density(z, law)
    assert density(math.inf, law) == density(-math.inf, law) == 0.0


@given(st.floats(1e-9, 1.0 - 1e-9), st.floats(2.01, 100.0))
def test_certainty_and_evenness_stay(p: float, freedom: float) -> None:
    law = StudentTails(freedom=freedom)
    assert (fattened(0.0, law), fattened(1.0, law)) == (0.0, 1.0)
    assert pytest.approx(0.5, abs=1e-12) == fattened(0.5, law)
    assert 0.0 <= fattened(p, law) <= 1.0
    assert pytest.approx(1.0, abs=1e-9) == fattened(p, law) + fattened(1.0 - p, law)


@pytest.mark.parametrize("freedom", [2.0, 0.0, math.nan, math.inf])
def test_law_without_variance_is_refused(freedom: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="freedom"):
        StudentTails(freedom=freedom)


@pytest.mark.parametrize(("weight", "ratio"), [(-0.1, 2.0), (1.1, 2.0), (0.5, 0.9), (math.nan, 2.0)])
def test_bad_mixture_is_refused(weight: float, ratio: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="weight"):
        MixtureTails(weight=weight, ratio=ratio)


def test_no_number_is_refused() -> None:
    with pytest.raises(ArithmeticRefusal, match="z is no number"):
        tail(math.nan, MIXTURE)
    with pytest.raises(ArithmeticRefusal, match="z is no number"):
        density(math.nan, MIXTURE)
    for bad in (math.nan, -0.1, 1.1):
        with pytest.raises(ArithmeticRefusal, match="probability"):
            fattened(bad, MIXTURE)


# Contracts


def error(tails: Tails | None, spot: float = 80_000.0) -> SettlementLaw:
    """A law without skew: nothing but a reference price that is a hundred dollars off."""
    return settlement_law(
        SettlementInputs(spot=spot, vol_annual=0.0, first_s=0.0, left=60, sd_dollars=100.0, tails=tails)
    )


def test_reference_figures_of_a_threshold(vectors: Vectors) -> None:
    for case in vectors.fat_tails:
        one = msgspec.structs.replace(contract(), floor_e8=round((80_000.0 + 100.0 * case.z) * 1e8))
        assert pytest.approx(case.p_normal, abs=2e-7) == probability(one, error(None))
        assert pytest.approx(case.nu4, abs=2e-7) == probability(one, error(StudentTails(freedom=4.0)))
        assert pytest.approx(case.mixture, abs=2e-7) == probability(one, error(MIXTURE))


@pytest.mark.parametrize("law", [StudentTails(freedom=3.0), MIXTURE])
def test_a_ladder_still_adds_up(law: Tails) -> None:
    below = msgspec.structs.replace(contract(floor=None, comparison=Comparison.BELOW), cap_e8=79_900 * 10**8)
    middle = msgspec.structs.replace(
        contract(floor=79_900, comparison=Comparison.BETWEEN), cap_e8=80_250 * 10**8, round_digits=None
    )
    above = contract(floor=80_250)
    parts = [probability(one, error(law)) for one in (below, middle, above)]
    assert pytest.approx(1.0, abs=1e-12) == math.fsum(parts)
    assert parts[1] != pytest.approx(probability(middle, error(None)), abs=1e-3)


@pytest.mark.parametrize("law", [StudentTails(freedom=3.0), MIXTURE])
def test_the_slope_is_that_of_the_fatter_law(law: Tails) -> None:
    for away in (0.0, 40.0, 200.0, -500.0):
        one = msgspec.structs.replace(contract(), floor_e8=round((80_000.0 + away) * 1e8), round_digits=None)
        up, down = (probability(one, error(law, 80_000.0 + step)) for step in (0.5, -0.5))
        assert pytest.approx(up - down, rel=1e-3) == slope_above(error(law), 80_000.0 + away)


def test_a_mean_that_is_known_has_no_tails() -> None:
    known = settlement_law(
        SettlementInputs(
            spot=80_000.0, vol_annual=0.5, first_s=0.0, left=0, seen_sum=60 * 80_000.0, tails=StudentTails(freedom=3.0)
        )
    )
    for one in (contract(floor=79_999), contract(floor=80_001)):
        expected = float(settle(one, (80_000 * 10**8,) * 60) > 0)
        assert expected == probability(one, known)
