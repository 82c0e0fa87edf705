"""All captures, books only: what the streams hold is what we count, and where they are broken we say so."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.replay.commands import Market, Replayed, replay
from tests.replay.rebuild import Plain

BROKEN = ("20260515T024708Z", "20260515T045448Z")
CAPTURES = 16


@pytest.fixture(scope="module")
def captures(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "btc15m").glob("*.jsonl.gz"))


@pytest.fixture(scope="module")
def plain(captures: list[Path]) -> dict[str, Plain]:
    """The rebuilt captures by the moment in their names."""
    with ProcessPoolExecutor(2) as pool:
        return {moment(path): found for path, found in zip(captures, pool.map(Plain, captures), strict=True)}


@pytest.fixture(scope="module")
def replayed(captures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    figures, _ = replay(tmp_path_factory.mktemp("books"), *captures, "--strategy", "none")
    return figures


def moment(path: Path) -> str:
    return path.name.split(".")[0].rpartition("_")[2]


def of_market(plain: dict[str, Plain], name: str) -> dict[str, int]:
    """A count of every market over all captures."""
    found: dict[str, int] = {}
    for capture in plain.values():
        for ticker, count in getattr(capture, name).items():
            found[ticker] = found.get(ticker, 0) + count
    return found


def counted(replayed: Replayed, name: str) -> dict[str, int]:
    return {ticker: getattr(market, name) for ticker, market in replayed.markets.items() if getattr(market, name)}


def test_all_captures_are_there(captures: list[Path]) -> None:
    assert len(captures) == CAPTURES


@pytest.mark.parametrize("name", ["deltas", "snapshots", "gaps"])
def test_each_market_counts_what_a_plain_count_finds(replayed: Replayed, plain: dict[str, Plain], name: str) -> None:
    assert counted(replayed, name) == of_market(plain, name)


def test_numbers_are_lost_once_in_two_captures_and_nowhere_else(replayed: Replayed, plain: dict[str, Plain]) -> None:
    lost = [name for name, capture in plain.items() for _ in capture.gaps]
    assert lost == list(BROKEN)
    assert sorted(counted(replayed, "gaps").values()) == [1, 1]


def test_two_windows_are_frozen_and_no_other(replayed: Replayed, plain: dict[str, Plain]) -> None:
    frozen = counted(replayed, "frozen")
    assert sorted(frozen.values()) == [1, 1]
    assert sorted(name for name, capture in plain.items() if frozen.keys() & capture.bests.keys()) == list(BROKEN)


def test_last_bests_equal_a_plain_rebuild(replayed: Replayed, plain: dict[str, Plain]) -> None:
    expected = {ticker: bests for capture in plain.values() for ticker, bests in capture.bests.items()}
    assert {ticker: last(market) for ticker, market in replayed.markets.items() if ticker in expected} == expected
    assert sum(bests != (None, None) for bests in expected.values()) >= CAPTURES - 2


def last(market: Market) -> tuple[str | None, str | None]:
    return market.best_yes_bid, market.best_yes_ask


def test_without_strategies_nothing_is_bought(replayed: Replayed) -> None:
    traded = {(market.fills, market.fees, market.pnl) for market in replayed.markets.values()}
    assert traded == {(0, "0.000000", "0.000000")}
    assert (replayed.fills, replayed.fees, replayed.cash) == (0, "0.000000", "10000.000000")
