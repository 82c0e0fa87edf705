"""Who observes, stepped: its long sums are answered, written down and the same every time, and nothing is sent."""

from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import pytest

from fairstrike.app import config, verifying
from fairstrike.core.events import ComputationDone
from fairstrike.core.records import ComputationAsked, ComputationDropped, GroupFitted, RisklessFound
from fairstrike.core.timing import MINUTE_NS
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS, INPUTS
from tests.simulation.stepped import ACCOUNT, KeyPair, SteppedWorld
from tests.simulation.test_stepped import PARAMS

# Its first gift is planted within the time it is observed for.
SEED, OBSERVED_NS = 2, 6 * MINUTE_NS
_Body = TypeVar("_Body", bound=msgspec.Struct)


class Observed(NamedTuple):
    """A world whose trader observed for some minutes and was stopped, and the folder of its journal."""

    world: SteppedWorld
    folder: Path

    def told(self, kind: type[_Body], chain: str = DECISIONS) -> list[_Body]:
        """The journal's records of one kind, in order."""
        records = (record for record in read(self.folder / "journal", chain) if record.kind == kind.__name__)
        return [msgspec.msgpack.decode(record.body, type=kind) for record in records]


def observed(folder: Path, key: KeyPair) -> Observed:
    world = SteppedWorld(SEED, folder, key, params=PARAMS, settings=config.observe_profile("box"))
    world.run_until(world.schedule.now_ns + OBSERVED_NS)
    world.run_to_halt()
    return Observed(world, folder)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, key: KeyPair) -> Observed:
    return observed(tmp_path_factory.mktemp("observed"), key)


def test_every_sum_is_answered_and_the_group_fitted_as_one(one: Observed) -> None:
    asked = {sum_.number for sum_ in one.told(ComputationAsked)}
    answered = {done.number for done in one.told(ComputationDone, INPUTS)}
    # The last may have been under way when the run ended.
    assert asked - answered <= {max(asked)}
    assert one.told(ComputationDropped) == []
    fits = one.told(GroupFitted)
    assert len(fits) > 60
    # The hour's ladder and the window that closes with it are one group, and its gifts move the model.
    assert len({fit.group for fit in fits}) == 1
    assert {ticker.partition("-")[0] for fit in fits for ticker in fit.moved_ppm} == {"KXBTCD", "KXBTC15M"}
    assert any(fit.slack_ppm for fit in fits)


def test_planted_gifts_are_portfolios_that_cannot_lose_and_end(one: Observed) -> None:
    found = one.told(RisklessFound)
    assert {bool(portfolio.legs) for portfolio in found} == {True, False}
    assert all(portfolio.worst_ud > 0 for portfolio in found if portfolio.legs)


def test_nothing_is_sent_and_a_second_run_is_the_same_to_the_byte(one: Observed, tmp_path: Path, key: KeyPair) -> None:
    assert list(one.world.floor.orders(ACCOUNT)) == []
    assert verifying.verify(one.folder, [], lambda done: None).runs == 1
    again = observed(tmp_path, key).world.journal
    for chain in (DECISIONS, INPUTS):
        assert again.digest(chain) == one.world.journal.digest(chain)
