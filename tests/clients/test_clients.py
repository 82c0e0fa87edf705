"""Clients that are not ours, as they are published, trade on the exchange: real processes over loopback sockets.

Each client has an exchange of its own, whose time the test moves: fast until there is a market, slowly while the
client trades in it, fast again to its settlement. A busy machine makes that longer, not different.
"""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.environments import Client, Unavailable, python_for
from tests.sockets.processes import Command

CLIENTS = (
    Client("kalshi_python_sync", (3, 13)),
    Client("kalshi_python_async", (3, 13)),
    Client("kalshi_sdk", (3, 12)),
    Client("pykalshi", (3, 12)),
)
STREAMING = ("kalshi_sdk", "pykalshi")
READS = {"exchange", "series", "market", "event", "book", "trades", "balance", "orders", "queue"}
WRITES = {"place", "amend", "decrease", "cancel", "cancel again", "batch", "batch cancel", "order group", "post only"}
MONEY = {"take", "fee", "paid", "position", "make", "settle", "candles", "settlement", "final balance", "positions"}
AT_A_TIME, LIMIT_S, BREATH_S = 2, 300.0, 0.02


class Driven(NamedTuple):
    """How an example ended, what it said, and the exchange's own account before and after."""

    code: int
    out: str
    err: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def steps(self) -> dict[str, str]:
        """Answers by step; of steps with one name the last."""
        return dict(line.split(": ", 1) for line in self.out.splitlines())


class Administration:
    """The administration of an exchange that is ready."""

    def __init__(self, box: Command) -> None:
        until = time.monotonic() + LIMIT_S
        while "\n" not in (line := box.log.read_text("utf-8")):
            assert time.monotonic() < until, box.logs()
            time.sleep(BREATH_S)
        admin = json.loads(line)["admin"]
        self.url, self.authority = admin["url"], {"Authorization": f"Bearer {admin['token']}"}

    def ask(self, what: str, **body: object) -> dict[str, Any]:
        data = json.dumps(body).encode() if body else None
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/{what}", data, self.authority)) as answer:
            return json.load(answer)  # type: ignore[no-any-return]


def drive(client: Client, folder: Path) -> Driven:
    """Run a client's example against an exchange to its end. Raises `Unavailable` where the client cannot run."""
    python = python_for(client)
    out, err = folder / "example.out", folder / "example.err"
    with Command(
        folder / "box.log", "exchange", "--json", "--stepped", "--seed", "3", "--folder", folder / "keys"
    ) as box:
        admin = Administration(box)
        before = admin.ask("state")
        with (
            out.open("wb") as said,
            err.open("wb") as complained,
            subprocess.Popen([python, client.example, box.log], stdout=said, stderr=complained) as example,
        ):
            try:
                step(admin, example, out)
            finally:
                example.kill()
        return Driven(example.wait(), out.read_text("utf-8"), err.read_text("utf-8"), before, admin.ask("state"))


def step(admin: Administration, example: "subprocess.Popen[bytes]", out: Path) -> None:
    """Move venue time on as the example asks for it, until it has ended or is late."""
    until = time.monotonic() + LIMIT_S
    while example.poll() is None and time.monotonic() < until:
        if seconds := pace(out.read_text("utf-8")):
            admin.ask("step", seconds=seconds)
        time.sleep(BREATH_S)


def pace(said: str) -> float:
    """Venue seconds to move on before the example is looked at again."""
    if "series: " not in said:
        return 0.0
    if "market: " not in said:
        return 5.0
    return 10.0 if "make: " in said else 0.5


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Client, "Future[Driven]"]]:
    """Every client's run, two at a time."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {client: pool.submit(drive, client, tmp_path_factory.mktemp(client.name)) for client in CLIENTS}


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_client_trades_to_settlement(client: Client, driven: dict[Client, "Future[Driven]"]) -> None:
    try:
        run = driven[client].result()
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert run.code == 0, f"{run.out}\n{run.err}"
    heard = {"snapshot"} if client.name in STREAMING else set()
    assert run.steps.keys() >= READS | WRITES | MONEY | heard
    assert run.after["total_ud"] == run.before["total_ud"]
    (account,) = run.after["accounts"]
    assert account["balance_ud"] == int(Decimal(run.steps["final balance"]) * 1_000_000)
    assert account["balance_ud"] != run.before["accounts"][0]["balance_ud"]
    assert (account["reserved_ud"], run.after["connections"]) == (0, 0)
    assert run.after["markets"][run.steps["market"].split()[0]] == "finalized"
