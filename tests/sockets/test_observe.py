"""`fairstrike observe` against an exchange in a box: what it shows, that it ends at once, that it sends nothing.

Its worker is killed while it computes, and another goes on.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.announcement import Announcement
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS
from tests.commands import PROGRAM, fairstrike
from tests.sockets.processes import descendants_of, is_alive
from tests.sockets.spot import SpotVenues, coinbase
from tests.sockets.test_bad_input import PATIENCE_S, Running, exchange, until

SENT = {"SendOrder", "CancelOrder", "Ordered", "Booked", "CashSet"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("observing")


@pytest.fixture(scope="module")
def line(place: Path) -> Iterator[Announcement]:
    # Fast enough to have fair values soon; its markets follow one another without end.
    with exchange(place, "--speed", "20", "--liquidity", "calibrated") as announced:
        yield announced


def objects(running: Running) -> list[dict[str, Any]]:
    """What was printed so far, whole lines only."""
    said = running.said
    return [json.loads(line) for line in said[: said.rfind("\n") + 1].splitlines()]


def markets(running: Running) -> list[dict[str, Any]]:
    """The markets of the latest object."""
    found = objects(running)[-1:]
    return [market for seen in found for event in seen["events"] for market in event["markets"]]


def fitted_ns(running: Running) -> int:
    """The instant of the latest fit that the latest object shows, 0 without one."""
    seen = objects(running)[-1]
    ages_s = [event["fit"]["age_s"] for event in seen["events"] if event["fit"]]
    return seen["venue_ns"] - round(min(ages_s) * SECOND_NS) if ages_s else 0


def worker_of(running: Running) -> int:
    """The process that computes for the trader."""
    (pid,) = [
        pid
        for pid in descendants_of(running.process.pid)
        if b"fairstrike.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    return pid


def observing(place: Path, name: str, *more: str) -> Running:
    arguments = ("--json", "--env", "box", "--box", "exchange.log", "--folder", name, *more)
    return Running(place, f"{name}-said", *PROGRAM, "observe", *arguments)


@pytest.mark.parametrize(
    ("name", "more", "book", "number"),
    [
        ("keyed", (), "stream", signal.SIGTERM),
        ("fallback", ("--config", "fallback.toml"), "stream", signal.SIGTERM),
        ("public", ("--no-key",), "rest", signal.SIGINT),
    ],
)
def test_books_are_shown_until_it_is_told_to_end(
    place: Path, line: Announcement, name: str, more: tuple[str, ...], book: str, number: signal.Signals
) -> None:
    (place / "fallback.toml").write_text('websocket = "aiohttp"\n[rooms.engine]\nseries = ["KXBTC15M"]\n')
    with observing(place, name, *more) as running:
        until("a book is shown", lambda: any(market["book"] == book and market["bid"] for market in markets(running)))
        if book == "stream":
            until("a fair value is shown", lambda: any(market["fair"] for market in markets(running)))
            (reference,) = {event["reference"]["source"] for event in objects(running)[-1]["events"]}
            assert reference == "official"
            until("a fit is shown", lambda: any(market["fitted"] for market in markets(running)))
            os.kill(worker_of(running), signal.SIGKILL)
            killed_ns = objects(running)[-1]["venue_ns"]
            until("another worker's fit is shown", lambda: fitted_ns(running) > killed_ns)
        started = descendants_of(running.process.pid)
        running.process.send_signal(number)
        assert running.process.wait(PATIENCE_S) == 0
    assert objects(running)[-1]["stream"] == ("up" if book == "stream" else "no key")
    assert [pid for pid in started if is_alive(pid)] == []
    assert {record.kind for record in read(place / name / "run" / "journal", DECISIONS)} & SENT == set()
    said = fairstrike("verify", "--json", f"{name}/run", folder=place)
    assert (said.code, json.loads(said.out)["runs"], json.loads(said.out)["cut"]) == (0, 1, 0)


def references(running: Running) -> list[dict[str, Any] | str]:
    """What the latest object says of each event's reference: itself, or why there is none."""
    found = objects(running)[-1:]
    return [event["reference"] or event["reference_absent"] for seen in found for event in seen["events"]]


def test_without_a_key_the_price_is_a_proxys_and_a_fair_value_is_shown(place: Path, line: Announcement) -> None:
    with ExitStack() as stack:
        with SpotVenues(line.clock, {"coinbase": coinbase}) as venues:
            host = f'[spot.hosts]\ncoinbase = "{venues.hosts["coinbase"]}"\n'
            (place / "proxy.toml").write_text(f'[rooms.engine]\nseries = ["KXBTC15M"]\n{host}')
            running = stack.enter_context(observing(place, "proxied", "--no-key", "--config", "proxy.toml"))
            until("a fair value is shown", lambda: any(market["fair"] for market in markets(running)))
            for reference in references(running):
                assert isinstance(reference, dict)
                assert (reference["source"], reference["is_proxy"]) == ("coinbase", True)
                assert 79_990 < float(reference["value"]) < 80_010
        until("there is no price", lambda: set(map(str, references(running))) == {"no source prints BTC now"})
        assert not any(market["fair"] for market in markets(running))
        assert [said.split(":")[0] for said in objects(running)[-1]["warnings"]][:1] == ["coinbase is down"]
        assert running.end() == 0
    said = fairstrike("verify", "--json", "proxied/run", folder=place)
    assert (said.code, json.loads(said.out)["runs"], json.loads(said.out)["cut"]) == (0, 1, 0)
