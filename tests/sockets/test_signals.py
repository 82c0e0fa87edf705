"""Processes that are told to end, or killed, while they trade over real sockets."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import runfile
from fairstrike.app.clock import SystemClock
from fairstrike.core.records import Booked, Ordered
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.rest import Rest, RestParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.portfolio import OrdersPage
from fairstrike.venue.kalshi.wire.transport import Request
from tests.sockets.books import end_of, in_database, in_journal, records
from tests.sockets.processes import Command, is_alive, wait_for

PATIENCE_S = 120.0
SPEED = 20


class World:
    """An exchange, a trader and its desk, each a process of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.run = folder / "run"
        self._stack = stack
        keys = folder / "keys"
        self.exchange = self.start("exchange", "exchange", "--json", "--seed", "3", "--speed", SPEED, "--folder", keys)
        wait_for("exchange", lambda: b"\n" in self.exchange.log.read_bytes(), PATIENCE_S, self.exchange)
        self.box = runfile.read_box_line(self.exchange.log)
        arguments = ("--mode", "live", "--env", "box", "--box", self.exchange.log, "--folder", self.run)
        self.trader = self.start("trader", "trade", *arguments)
        wait_for("journal", (self.run / "journal").is_dir, PATIENCE_S, self.trader)
        self.desk = self.start("desk", "desk", self.run)

    def start(self, name: str, *arguments: str | int | Path) -> Command:
        return self._stack.enter_context(Command(self.folder / f"{name}.log", *map(str, arguments)))

    def resting_on_exchange(self) -> int:
        """How many orders the exchange says rest on the trader's account."""
        return asyncio.run(self._count_resting())

    async def _count_resting(self) -> int:
        account, clock = self.box.accounts[0], SystemClock(self.box.clock)
        signer = Signer(account.key_id, load_key(account.private_key), Allowed.READS)
        origin = self.box.rest.removesuffix("/trade-api/v2")
        rest = Rest(RestParams(origin=origin), signer, clock, clock.wall_ms)
        try:
            query = (("status", "resting"),)
            answer = await rest.attempt(Request(method="GET", path="/portfolio/orders", query=query))
        finally:
            await rest.close()
        assert answer.is_success, answer
        return len(msgspec.json.decode(answer.body, type=OrdersPage).orders)

    def is_trading(self) -> bool:
        return bool(records(self.run, Booked)) and self.resting_on_exchange() > 0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_a_killed_desk_catches_up_and_a_stopped_trader_leaves_nothing(world: World) -> None:
    wait_for("order in the database", lambda: in_the_desk(world) > 0, PATIENCE_S, world.trader, world.desk)
    world.desk.process.kill()
    world.desk.process.wait()
    written = in_the_desk(world)
    wait_for("trading without a desk", world.is_trading, PATIENCE_S, world.trader)
    assert world.trader.process.poll() is None
    desk = world.start("desk-again", "desk", world.run)
    wait_for("catching up", lambda: in_the_desk(world) > written, PATIENCE_S, world.trader, desk)

    world.trader.process.send_signal(signal.SIGTERM)
    assert world.trader.ended(time.monotonic() + PATIENCE_S) == 0, world.trader.logs()
    assert world.resting_on_exchange() == 0
    assert (end_of(world.run).reason, end_of(world.run).resting) == ("SIGTERM", 0)
    assert desk.ended(time.monotonic() + PATIENCE_S) == 0, desk.logs()
    assert in_database(world.run) == in_journal(world.run)

    with Command(world.folder / "verify.log", "verify", world.run, "--json") as verify:
        assert verify.ended(time.monotonic() + PATIENCE_S) == 0, verify.logs()
    assert msgspec.json.decode(verify.log.read_bytes())["runs"] == 1


def in_the_desk(world: World) -> int:
    """How many orders the database holds so far."""
    try:
        return len(in_database(world.run)["orders"])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demonstration_told_to_end_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    with Command(tmp_path / "demo.log", "demo", "--json", "--folder", tmp_path / "demo") as demo:
        journal = tmp_path / "demo" / "run" / "journal"
        wait_for("start of trading", journal.is_dir, PATIENCE_S, demo)
        children = demo.descendants()
        assert len(children) == 3
        demo.process.send_signal(number)
        assert demo.ended(time.monotonic() + PATIENCE_S) == 130, demo.logs()
        assert [pid for pid in children if is_alive(pid)] == []


def test_a_killed_demonstration_leaves_no_process_and_no_order(tmp_path: Path) -> None:
    with Command(tmp_path / "demo.log", "demo", "--json", "--folder", tmp_path / "demo") as demo:
        run = tmp_path / "demo" / "run"
        wait_for("order", lambda: (run / "journal").is_dir() and bool(records(run, Ordered)), PATIENCE_S, demo)
        children = demo.descendants()
        assert len(children) == 3
        demo.process.kill()
        demo.process.wait()
        try:
            wait_for("end of the children", lambda: not any(is_alive(pid) for pid in children), PATIENCE_S)
        finally:
            for pid in filter(is_alive, children):
                os.kill(pid, signal.SIGKILL)
    assert (end_of(run).reason, end_of(run).resting) == ("SIGTERM", 0)
    assert "0 orders resting, proved by two empty lists" in (tmp_path / "demo" / "trader.log").read_text()
