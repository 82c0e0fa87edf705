"""When an outcome is certain: figures computed elsewhere, every end of the span, nothing decided in doubt."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.contract import Comparison, settle
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.decided import decided, required_mean
from fairstrike.pricing.settlement import SettlementInputs
from tests.unit.pricing.contracts import E8, contract_of

STATES = {"YES": True, "NO": False, "OPEN": None}


class LockCase(msgspec.Struct, frozen=True):
    seen: int = msgspec.field(name="observed_count")
    seen_mean: float = msgspec.field(name="observed_mean")
    spot: float = msgspec.field(name="S")
    strike: float = msgspec.field(name="K")
    move_max: float = msgspec.field(name="max_abs_move_fraction")
    required: float = msgspec.field(name="required_mean_of_remaining")
    state: str


class Vectors(msgspec.Struct, frozen=True):
    lock_bounds: list[LockCase]


def inputs_of(
    spot: float, left: int, seen_mean: float, *, sd_dollars: float = 0.0, bridge_s: float = 0.0
) -> SettlementInputs:
    return SettlementInputs(
        spot=spot,
        vol_annual=0.5,
        first_s=1.0,
        left=left,
        seen_sum=(60 - left) * seen_mean,
        sd_dollars=sd_dollars,
        bridge_s=bridge_s,
    )


def test_reference_figures(shared_facts: Path) -> None:
    cases = msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors).lock_bounds
    assert len(cases) == 6
    for case in cases:
        inputs = inputs_of(case.spot, 60 - case.seen, case.seen_mean)
        contract = contract_of(Comparison.AT_LEAST, case.strike, digits=2)
        assert STATES[case.state] is decided(contract, inputs, case.move_max)
        assert pytest.approx(case.required, abs=1e-6) == required_mean(inputs, case.strike - 0.005)


def test_no_print_left_needs_no_mean() -> None:
    assert required_mean(inputs_of(80_000.0, 0, 80_000.0), 80_000.0) is None


@pytest.mark.parametrize(
    ("outcome", "seen_mean"), [(True, 80_000.0), (False, 79_999.99), (True, 80_099.99), (False, 80_100.0)]
)
def test_all_prints_in_is_the_settlement_rule(outcome: bool, seen_mean: float) -> None:
    contract = contract_of(Comparison.BETWEEN, 80_000.0, 80_099.99)
    assert decided(contract, inputs_of(80_000.0, 0, seen_mean), 0.5) is outcome


@pytest.mark.parametrize(
    ("outcome", "floor", "cap"),
    [(True, 79_000.0, 81_000.0), (False, 70_000.0, 79_000.0), (False, 81_000.0, 82_000.0), (None, 79_990.0, 80_001.0)],
)
def test_range(outcome: bool | None, floor: float, cap: float) -> None:
    # Thirty prints left, each within 0.1 %: the mean stays within 40 dollars.
    assert decided(contract_of(Comparison.BETWEEN, floor, cap), inputs_of(80_000.0, 30, 80_000.0), 0.001) is outcome


@given(
    st.sampled_from(list(Comparison)),
    st.integers(7_990_000, 8_010_000),
    st.integers(0, 5_000),
    st.integers(1, 60),
    st.sampled_from([None, 0, 2]),
    st.lists(st.integers(-8_000_000_000, 8_000_000_000), min_size=60, max_size=60),
)
def test_what_is_decided_comes_true(
    comparison: Comparison, floor_cents: int, width: int, left: int, digits: int | None, moves: list[int]
) -> None:
    contract = contract_of(comparison, floor_cents / 100, (floor_cents + width) / 100, digits)
    spot_e8, move_max = 80_000 * E8, 0.001
    seen = [spot_e8 + move for move in moves[left:]]
    inputs = SettlementInputs(spot=80_000.0, vol_annual=0.5, first_s=1.0, left=left, seen_sum=sum(seen) / E8)
    verdict = decided(contract, inputs, move_max)
    outcomes = {
        settle(contract, seen + rest) > 0
        for rest in (
            [spot_e8 + move for move in moves[:left]],
            [round(spot_e8 * (1 - move_max))] * left,
            [round(spot_e8 * (1 + move_max))] * left,
        )
    }
    assert verdict is None or outcomes == {verdict}


@pytest.mark.parametrize(("sd_dollars", "bridge_s"), [(0.01, 0.0), (0.0, 0.5)])
def test_nothing_is_decided_in_doubt(sd_dollars: float, bridge_s: float) -> None:
    inputs = inputs_of(80_000.0, 1, 80_000.0, sd_dollars=sd_dollars, bridge_s=bridge_s)
    assert decided(contract_of(Comparison.ABOVE, 10.0), inputs, 0.0) is None


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_bad_bound_is_refused(bad: float) -> None:
    with pytest.raises(ArithmeticRefusal, match="move_max"):
        decided(contract_of(Comparison.ABOVE, 10.0), inputs_of(80_000.0, 1, 80_000.0), bad)


def test_what_no_float_holds_to_the_last_digit_is_not_decided() -> None:
    price_e8 = 160_000_000_000_001
    contract = contract_of(Comparison.AT_LEAST, 0.0)
    contract = msgspec.structs.replace(contract, floor_e8=price_e8)
    for inputs in (inputs_of(1_600_000.0, 0, price_e8 / E8), inputs_of(1_600_000.0, 20, price_e8 / E8)):
        assert decided(contract, inputs, 0.0) is None


def test_what_a_double_rounds_decides_nothing_wrongly() -> None:
    price_e8 = 87_726_477_096_294
    inputs = msgspec.structs.replace(inputs_of(price_e8 / E8, 29, 1.0), seen_sum=31 * price_e8 / E8)
    at_least = msgspec.structs.replace(contract_of(Comparison.AT_LEAST, 0.0), floor_e8=price_e8)
    for contract in (at_least, msgspec.structs.replace(at_least, comparison=Comparison.ABOVE)):
        assert decided(contract, inputs, 0.0) in (None, settle(contract, [price_e8] * 60) > 0)
