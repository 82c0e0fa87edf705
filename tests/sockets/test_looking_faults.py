"""doctor and smoke against an exchange that fails on request: each failure says what to do, with its exit code.

They are called where the commands call them; that commands end with these codes and sentences is held elsewhere.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairstrike.app import smoke
from fairstrike.app.doctor import Report, State, Wanted, examine
from fairstrike.core.errors import VenueError
from fairstrike.exchange import faults as of
from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.faults import Fault
from tests.commands import fairstrike
from tests.sockets.test_bad_input import exchange

SCENARIO = """
[[fault]]
kind = "latency"
ms = 1
probability = 0.5

[[fault]]
kind = "disconnect"
at_s = 3600
"""


def ask(line: Announcement, method: str, path: str, body: object = None) -> Any:
    authority = {"Authorization": f"Bearer {line.admin.token}"}
    data = None if body is None else msgspec.json.encode(body)
    request = urllib.request.Request(f"{line.admin.url}{path}", data=data, headers=authority, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("failing")


@pytest.fixture(scope="module")
def line(place: Path) -> Iterator[Announcement]:
    (place / "storm.toml").write_text(SCENARIO)
    said = ("--scenario", str(place / "storm.toml"), "--fault", "kind=gap,at_s=3600,size=3")
    with exchange(place, "--speed", "1", *said) as announced:
        yield announced


@contextmanager
def failing(line: Announcement, *faults: Fault) -> Iterator[None]:
    added = ask(line, "POST", "/faults", list(faults))["faults"]
    try:
        yield
    finally:
        for one in added:
            ask(line, "DELETE", f"/faults/{one['id']}")


def examined(place: Path) -> Report:
    return examine(Wanted(env="box", box=place / "exchange.log", folder=place / "runs"), lambda finding: None)


def heard(place: Path, seconds: float) -> smoke.Report:
    asked = smoke.Wanted(environment="box", box=place / "exchange.log", seconds=seconds)
    return smoke.run(asked, lambda second: None)


def test_the_scenario_and_the_command_line_are_in_force(line: Announcement) -> None:
    kinds = [one["fault"]["kind"] for one in ask(line, "GET", "/faults")["faults"]]
    assert kinds == ["latency", "disconnect", "gap"]


@pytest.mark.parametrize(
    ("fault", "check", "code", "sentence"),
    [
        (of.ServerError(status=502), "exchange", 3, "try again in a while; of a write, look up what became of it"),
        (of.RateLimited(retry_after_s=1), "exchange", 3, "wait a second; if it goes on, stop other programs"),
        (of.MalformedAnswer(path="/exchange/status"), "exchange", 3, "update the program, or report it"),
        (of.CutAnswer(path="/portfolio/balance"), "account", 3, "check the address and the network."),
        (of.ClockSkew(ms=5_000), "clock", 4, "s behind the venue's; synchronise it (for example with chrony"),
        (of.ClockSkew(ms=-5_000), "clock", 4, "s ahead of the venue's; synchronise it (for example with chrony"),
        (of.SignatureRefused(), "account", 3, "give the private key that was shown with this id"),
        (of.ServerError(path="/account/limits", status=500), "limits", 3, "try again in a while"),
        (of.SignatureRefused(path="/trade-api/ws/v2"), "stream", 3, "give the private key that was shown"),
        (of.SilentStream(), "stream", 3, "the stream answered nothing for 5 s; look at it with fairstrike smoke"),
    ],
)
def test_doctor_says_what_to_do(
    place: Path, line: Announcement, fault: Fault, check: str, code: int, sentence: str
) -> None:
    with failing(line, fault):
        report = examined(place)
    failed = next(found for found in report.findings if found.state is State.FAILED)
    assert (failed.check, failed.exit_code, report.exit_code) == (check, code, code)
    assert sentence in failed.says


@pytest.mark.parametrize("fault", [of.ExchangePause(), of.Maintenance()])
def test_doctor_tells_of_a_pause(place: Path, line: Announcement, fault: Fault) -> None:
    with failing(line, fault):
        report = examined(place)
    assert report.exit_code == 0
    found = {finding.check: finding for finding in report.findings}
    assert (found["exchange"].state, found["stream"].state) == (State.WARNING, State.OK)
    assert found["exchange"].says.endswith(": wait, or see the venue's schedule")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (of.DropFrame(channel="orderbook_delta", probability=0.3), "frames; check the network and this machine's load"),
        (of.SequenceGap(channel="orderbook_delta", probability=0.2, size=5), "frames; check the network and"),
        (of.MalformedFrame(probability=0.2), "frames could not be read; update the program, or report them"),
        (of.Disconnect(count=None, every_s=0.8), "the stream was lost "),
        (of.StreamLatency(ms=2_500), "s behind; check this machine's clock (fairstrike doctor) and network"),
        (of.SilentStream(), "orderbook_delta is needed to trade and is not open (no answer)"),
    ],
)
def test_smoke_says_what_to_do(place: Path, line: Announcement, fault: Fault, sentence: str) -> None:
    with failing(line, fault):
        report = heard(place, 3)
    assert report.exit_code == 3
    assert any(sentence in problem for problem in report.problems), report.problems


def test_smoke_tells_of_a_stream_that_falls_silent(place: Path, line: Announcement) -> None:
    now_s = (ask(line, "GET", "/state")["now_ns"] - ask(line, "GET", "/state")["start_ns"]) / 1e9
    with failing(line, of.SilentStream(at_s=now_s + 1.5)):
        report = heard(place, 4)
    assert report.exit_code == 3
    (problem,) = report.problems
    assert problem == "20 books did not come when asked for again; check the network, then run this again"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (of.SignatureRefused(), "give the private key that was shown with this id"),
        (of.ServerError(status=503), "try again in a while; of a write, look up what became of it"),
        (of.MalformedAnswer(), "update the program, or report it"),
        (of.ClockSkew(ms=60_000), "synchronise this machine's clock (for example with chrony or systemd-timesyncd)"),
    ],
)
def test_smoke_that_cannot_begin_says_why(place: Path, line: Announcement, fault: Fault, sentence: str) -> None:
    with failing(line, fault), pytest.raises(VenueError, match=re.escape(sentence)):
        heard(place, 1)
    assert VenueError.exit_code == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind = 'storm'", "bad.toml: fault 2 of the scenario: a fault has the unknown kind 'storm'"),
        ("kind = 'market_pause'\nmarket = 'X*'", "fault 2 of the start (market_pause): no market is called X*;"),
    ],
)
def test_a_scenario_that_cannot_be_names_the_entry(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "bad.toml").write_text(f"[[fault]]\nkind = 'drop'\n[[fault]]\n{text}\n")
    said = fairstrike("exchange", "--scenario", "bad.toml", folder=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.sentence.startswith(sentence)
