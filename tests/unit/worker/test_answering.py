"""What the worker answers: each kind as bytes, and refusals."""

from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.pricing.computations import (
    ARBITRAGE,
    DISTRIBUTION,
    DistributionFitted,
    DistributionInputs,
    Riskless,
    encoded,
)
from fairstrike.pricing.distribution import prices
from fairstrike.pricing.settlement import SettlementInputs
from fairstrike.worker.answering import Answers
from tests.unit.worker.samples import CONTRACTS, SCHEDULES, case_of, inputs_of, offers_of

KNOWN = SettlementInputs(spot=80_060.0, vol_annual=0.35, first_s=540.0, left=60)


def test_arbitrage_first_and_again(shared_facts: Path) -> None:
    answers, inputs = Answers(), inputs_of(offers_of(case_of(shared_facts)), counts_gaps=False)
    first, again = (answers(ARBITRAGE, encoded(inputs)) for _ in range(2))
    assert msgspec.msgpack.decode(first, type=Riskless).worst_ud == 1_208_500
    assert msgspec.msgpack.decode(again, type=Riskless).worst_ud == 1_208_500


def test_distribution_keeps_the_quotes() -> None:
    quotes: dict[str, tuple[int | None, int | None]] = {
        "KXBTCD T79999.99": (7_500, 7_700),
        "KXBTC B80000-80099.99": (None, 2_000),
        "KXBTC15M >=80050.00": (6_000, None),
        "other": (1, 2),
    }
    inputs = DistributionInputs(contracts=CONTRACTS, quotes=quotes, schedules=SCHEDULES, known=KNOWN)
    found = msgspec.msgpack.decode(Answers()(DISTRIBUTION, encoded(inputs)), type=DistributionFitted)
    fair = prices(found.ladder, found.fit.weights)
    assert found.fit.slack == 0.0
    assert 0.75 - 0.014 <= fair["KXBTCD T79999.99"] <= 0.77 + 0.014
    assert fair["KXBTC B80000-80099.99"] <= 0.2 + 0.012
    assert fair["KXBTC15M >=80050.00"] >= 0.6 - 0.017


@pytest.mark.parametrize("kind", ["", "training", "ARBITRAGE"])
def test_unknown_kind_is_refused(kind: str) -> None:
    with pytest.raises(ArithmeticRefusal, match="no computation"):
        Answers()(kind, b"")


@pytest.mark.parametrize("kind", [ARBITRAGE, DISTRIBUTION])
@pytest.mark.parametrize("inputs", [b"", b"\x00", msgspec.msgpack.encode({"contracts": 1})])
def test_inputs_that_are_none_are_refused(kind: str, inputs: bytes) -> None:
    with pytest.raises(ArithmeticRefusal, match="cannot be read"):
        Answers()(kind, inputs)
