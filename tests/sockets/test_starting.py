"""A venue that fails for a moment while a command starts, and one that goes on failing: over real sockets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairstrike.exchange import faults as of
from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.faults import Fault
from tests.commands import trade
from tests.sockets.test_bad_input import exchange, trading, until
from tests.sockets.test_looking_faults import ask, failing
from tests.sockets.test_observe import markets, observing
from tests.sockets.test_recording import record

PASSING = (
    "kind=server_error,status=503,path=/portfolio/balance,count=3",
    "kind=rate_limited,path=/account/limits,count=2,retry_after_s=1",
    "kind=timeout,path=/account/endpoint_costs,count=1",
    "kind=server_error,status=500,path=/portfolio/positions,count=3",
    "kind=cut_answer,path=/portfolio/orders,count=2",
    "kind=rate_limited,path=/series/*,count=3",
    "kind=server_error,status=504,path=/markets,count=3",
    "kind=server_error,status=502,path=/trade-api/ws/v2,count=3",
)
STATUS = of.RateLimited(path="/exchange/status", count=3)
LISTS = (of.ServerError(status=502, path="/series/*", count=3), of.ServerError(path="/markets", count=3))
STREAM = of.ServerError(path="/trade-api/ws/v2", count=3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("starting")


@pytest.fixture(scope="module")
def line(place: Path) -> Iterator[Announcement]:
    with exchange(place, "--liquidity", "calibrated") as announced:
        yield announced


def is_spent(line: Announcement) -> bool:
    """Whether every fault in force struck as often as it may."""
    return all(one["struck"] == one["fault"]["count"] for one in ask(line, "GET", "/faults")["faults"])


@contextmanager
def passing(line: Announcement, faults: Sequence[Fault]) -> Iterator[None]:
    with failing(line, *faults):
        yield
        assert is_spent(line)


def test_a_trader_starts_when_the_venue_failed_every_read_for_a_moment(tmp_path: Path) -> None:
    faults = [part for fault in PASSING for part in ("--fault", fault)]
    with exchange(tmp_path, *faults) as line, trading(tmp_path, "run") as trader:
        assert trader.end() == 0, trader.said
        assert is_spent(line)


def test_who_observes_without_a_key_starts_so_too(place: Path, line: Announcement) -> None:
    with passing(line, (STATUS, *LISTS)):
        running = observing(place, "public", "--no-key")
        until("a book is shown", lambda: any(market["bid"] for market in markets(running)))
        assert running.end() == 0


def test_a_recording_starts_so_too(place: Path, line: Announcement) -> None:
    with passing(line, (*LISTS, STREAM)):
        said, report = record(place, "--duration-seconds", "3")
    assert (said.code, said.err) == (0, "")
    assert int(str(report["deltas"])) > 0


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (of.ServerError(), "try again in a while; of a write, look up what became of it"),
        (of.RateLimited(), "wait a second; if it goes on, stop other programs that use this account"),
        (of.CutAnswer(), "check the address and the network."),
    ],
)
def test_a_venue_that_stays_away_is_one_sentence(place: Path, line: Announcement, fault: Fault, sentence: str) -> None:
    with failing(line, fault):
        said = trade(place, Path("exchange.log"))
        (struck,) = (one["struck"] for one in ask(line, "GET", "/faults")["faults"])
    assert (said.code, struck) == (3, 4)
    assert said.sentence.endswith(sentence)
