"""Two demonstrations over real sockets, side by side, each within its limit."""

import time
from pathlib import Path

import msgspec
import pytest

from fairstrike.app.desk.follow import DATABASE, run_desk
from fairstrike.store.database import file_url
from tests.clusters import Cluster, tables_of
from tests.sockets.books import end_of, in_database, in_journal, partial_fills
from tests.sockets.conftest import SEEDS
from tests.sockets.processes import Command, Playing

VERIFY_S = 180.0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What `fairstrike demo --json` printed, as far as it is held here."""

    seed: int
    fills: int
    settlements: int
    strategies: dict[str, dict[str, int | str]]
    ledger: str
    exchange: str
    is_equal: bool


class Played(msgspec.Struct, frozen=True):
    """One demonstration: its exit code, what it printed, and where it played."""

    code: int
    printed: bytes
    logs: str
    run: Path

    @property
    def figures(self) -> Figures:
        assert self.code == 0, self.logs
        return msgspec.json.decode(self.printed, type=Figures)


@pytest.fixture(scope="module")
def both(playing: dict[int, Playing]) -> dict[int, Played]:
    return {seed: played(*one) for seed, one in playing.items()}


def played(command: Command, until_s: float) -> Played:
    code = command.ended(until_s)
    return Played(code, command.log.read_bytes(), command.logs(), command.log.parent / "demo" / "run")


@pytest.fixture(params=SEEDS)
def one(request: pytest.FixtureRequest, both: dict[int, Played]) -> Played:
    return both[request.param]


def test_a_demonstration_ends_well_and_the_ledger_is_right(one: Played) -> None:
    figures = one.figures
    assert figures.is_equal
    assert figures.ledger == figures.exchange
    assert end_of(one.run).resting == 0


def test_both_strategies_traded_and_an_order_filled_in_part(one: Played) -> None:
    filled = {name: int(sums["fills"]) for name, sums in one.figures.strategies.items()}
    assert filled.keys() == {"market_maker", "momentum_scalp"}
    assert min(filled.values()) > 0
    assert partial_fills(one.run) > 0


def test_the_database_equals_the_journal(one: Played) -> None:
    journal = in_journal(one.run)
    assert in_database(one.run) == journal
    assert (len(journal["fills"]), len(journal["settlements"])) == (one.figures.fills, one.figures.settlements)


def test_postgres_holds_what_the_demonstration_wrote(one: Played, cluster: Cluster) -> None:
    url = cluster.new_database()
    for _ in range(2):
        run_desk(one.run, once=True, url=url)
        assert tables_of(url) == tables_of(file_url(one.run / DATABASE))
    assert len(tables_of(url)["fills"]) == one.figures.fills


def test_the_journal_is_reproduced(one: Played, tmp_path: Path) -> None:
    with Command(tmp_path / "verify.log", "verify", one.run, "--json") as verify:
        assert verify.ended(time.monotonic() + VERIFY_S) == 0, verify.logs()
    verified = msgspec.json.decode(verify.log.read_bytes())
    assert (verified["runs"], verified["left_out"]) == (1, 0)
    assert verified["records"] > 1_000
