"""The trader's process: signals at any moment, commands that find no room, and its last line."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import build, config, run, runfile
from fairstrike.core.effects import Halt
from fairstrike.core.events import BalanceRead, Commanded, Event, PositionsRead
from fairstrike.core.timing import VenueClock
from fairstrike.execution import reconcile
from fairstrike.execution.clerk import Clerk, Notes
from fairstrike.execution.stopping import Params
from fairstrike.market.catalog import Catalog
from tests.commands import run as process
from tests.commands import write_key

PATIENCE_S = 120.0
HALT = Halt(reason="SIGTERM", is_clean=True)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[runfile.RunFile]:
    """A run against an exchange that does not exist, on an account of its own."""
    run_file = runfile.RunFile(
        settings=msgspec.structs.replace(config.box_profile(), execution="live"),
        origin="http://127.0.0.1:9",
        ws="ws://127.0.0.1:9/trade-api/ws/v2",
        clock=VenueClock(),
        key_id=f"key-{uuid.uuid4()}",
        key_path=str(write_key(tmp_path / "key.pem")),
    )
    yield run_file
    build.account_lock(run_file).unlink(missing_ok=True)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A venue that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        yield server


class Babbler(BaseHTTPRequestHandler):
    """A venue that answers everything with a list of nothing."""

    def answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    do_GET = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def babbling() -> Iterator[str]:
    """The origin of a venue whose answers prove nothing."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Babbler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_end_that_proves_nothing_has_an_exit_code_of_its_own(
    tmp_path: Path, file: runfile.RunFile, babbling: str
) -> None:
    runfile.write(tmp_path, msgspec.structs.replace(file, origin=babbling))
    said = process(sys.executable, "-m", "fairstrike.app.run", str(tmp_path), folder=tmp_path)
    assert said.code == run.EXIT_NOT_PROVED, said.err
    assert "it is NOT proved that no order rests: log in to the venue" in said.err
    assert said.err.splitlines()[-1].startswith("fairstrike: ws://127.0.0.1:9/trade-api/ws/v2 took no connection (")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_before_the_first_order_ends_in_good_order(
    tmp_path: Path, file: runfile.RunFile, silent: socket.socket, number: signal.Signals
) -> None:
    origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
    runfile.write(tmp_path, msgspec.structs.replace(file, origin=origin))
    with subprocess.Popen(
        [sys.executable, "-m", "fairstrike.app.run", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as trader:
        try:
            connection, _ = silent.accept()
            with connection:
                trader.send_signal(number)
                out, errors = trader.communicate(timeout=PATIENCE_S)
        finally:
            trader.kill()
    assert (0, f"stopped ({number.name}) before anything was sent\n", "") == (trader.returncode, out, errors)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("origin", "http://0.0.0.0:{port}", "{value} is not on this machine; --env box trades on 127.0.0.1 only"),
        ("ws", "ws://0.0.0.0:{port}/x", "{value} is not on this machine; --env box trades on 127.0.0.1 only"),
        (
            "origin",
            "http://127.0.0.1:{port}/x",
            "{value} is not of the form http://127.0.0.1:PORT; use the line that the exchange printed",
        ),
    ],
)
def test_an_edited_run_file_goes_nowhere(
    tmp_path: Path, file: runfile.RunFile, silent: socket.socket, name: str, value: str, sentence: str
) -> None:
    port = silent.getsockname()[1]
    value = value.format(port=port)
    edited = {"origin": f"http://127.0.0.1:{port}", name: value}
    runfile.write(tmp_path, msgspec.structs.replace(file, **edited))
    said = process(sys.executable, "-m", "fairstrike.app.run", tmp_path, folder=tmp_path)
    assert (said.code, said.out, said.sentence) == (2, "", sentence.format(value=value))
    silent.setblocking(False)
    with pytest.raises(BlockingIOError):
        silent.accept()


def test_a_command_that_found_no_room_is_told_later(
    tmp_path: Path, file: runfile.RunFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> list[Event]:
        trader = run.Trader(file, tmp_path)
        monkeypatch.setattr(run, "INBOX_MAX", 0)
        trader.command("stop", "SIGTERM")
        await asyncio.sleep(0)
        monkeypatch.undo()
        async with asyncio.timeout(PATIENCE_S):
            return await trader.inbox.take()

    (event,) = asyncio.run(body())
    assert isinstance(event, Commanded)
    assert (event.command, event.argument) == ("stop", "SIGTERM")


@pytest.fixture
def clerk() -> Clerk:
    return Clerk(Catalog(), Notes(), (1, 0), (reconcile.Params(), Params()))


def test_cash_that_was_never_read_is_no_figure(clerk: Clerk) -> None:
    expected = "stopped (SIGTERM): cash was never read, 0 fills, 0 orders resting, proved by two empty lists"
    assert expected == run.summary(HALT, clerk)


def test_the_last_line_tells_cash_and_result(clerk: Clerk) -> None:
    held = PositionsRead(positions=(), recv_ns=0)
    for event in (held, BalanceRead(balance_ud=9_500_000, recv_ns=0), held):
        clerk.note(event)
    expected = "stopped (SIGTERM): cash $9.500000, result $0.000000 after $0.000000 fees, 0 fills, 0 orders resting, "
    assert expected + "NOT proved: look at the venue" == run.summary(Halt(reason="SIGTERM", is_clean=False), clerk)


def test_who_only_looked_says_so() -> None:
    clerk = Clerk(Catalog(), Notes(), (1, 0), (reconcile.Params(), Params()), has_account=False)
    assert run.summary(HALT, clerk) == "stopped (SIGTERM): it only looked, and nothing was sent"


def test_the_inbox_gives_all_it_took_at_once_and_refuses_what_has_no_room() -> None:
    async def body() -> None:
        inbox = run.Inbox()
        one = Commanded(command="pause", argument="", recv_ns=1)
        assert inbox([one])
        assert inbox([one, one])
        assert await inbox.take() == [one, one, one]
        assert inbox([one] * run.INBOX_MAX)
        assert not inbox([one])
        assert len(await inbox.take()) == run.INBOX_MAX
        waiting = asyncio.create_task(inbox.take())
        inbox.wake()
        assert await waiting == []

    asyncio.run(asyncio.wait_for(body(), PATIENCE_S))
