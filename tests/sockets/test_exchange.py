"""The exchange as its own process: how it starts, what its first line promises, whom it answers, and how it ends."""

import asyncio
import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.transport import STREAM_PATH
from tests.commands import fairstrike
from tests.sockets.processes import Command, is_alive, unserved_s, wait_for

READY_S, END_S = 60.0, 1.0
# Of nearly a megabyte each: more than the kernel keeps for one connection.
UNREAD_FRAMES = 8
FIELDS = {"rest", "ws", "clock", "accounts", "admin", "seed"}


@contextmanager
def exchange(folder: Path, *options: object) -> Iterator[tuple[Command, dict[str, Any]]]:
    """An exchange that said it is ready, and its first line."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ("exchange", "--json", "--folder", folder / "keys", *options)
    with Command(folder / "exchange.log", *map(str, arguments)) as command:
        wait_for("first line", lambda: b"\n" in command.log.read_bytes(), READY_S, command)
        yield command, json.loads(command.log.read_bytes())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_of(line: dict[str, Any]) -> int:
    return int(line["rest"].split(":")[2].partition("/")[0])


def test_the_first_line_is_one_object_with_what_is_promised_and_nothing_follows(tmp_path: Path) -> None:
    options = ("--seed", 9, "--account", "alice=25.50", "--account", "bob=3,ed25519")
    with exchange(tmp_path, *options) as (command, line):
        assert set(line) == FIELDS
        port = port_of(line)
        assert line["rest"] == f"http://127.0.0.1:{port}/trade-api/v2"
        assert line["ws"] == f"ws://127.0.0.1:{port}/trade-api/ws/v2"
        assert line["admin"]["url"] == f"http://127.0.0.1:{port}/admin"
        assert set(line["admin"]) == {"url", "token"}
        assert set(line["clock"]) == {"anchor_venue_ns", "anchor_system_ns", "factor"}
        assert line["seed"] == 9
        fields = {"name", "key_id", "private_key", "balance", "key_type"}
        assert [set(each) for each in line["accounts"]] == [fields] * 2
        assert [(each["name"], each["balance"], each["key_type"]) for each in line["accounts"]] == [
            ("alice", "25.5000", "rsa"),
            ("bob", "3.0000", "ed25519"),
        ]
        for each in line["accounts"]:
            assert load_key(each["private_key"])
        # Ready means the line is printed: the first connection is taken.
        with socket.create_connection(("127.0.0.1", port), timeout=READY_S):
            pass
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(READY_S) == 0
        assert command.log.read_bytes().count(b"\n") == 1
        assert command.log.with_suffix(".errors").read_bytes() == b""


def test_ports_are_free_by_default_and_fixed_by_option_and_a_taken_one_has_its_sentence(tmp_path: Path) -> None:
    wanted = free_port()
    with ExitStack() as stack:
        _, one = stack.enter_context(exchange(tmp_path / "one"))
        _, fixed = stack.enter_context(exchange(tmp_path / "fixed", "--port", wanted))
        assert port_of(fixed) == wanted != port_of(one)
        said = fairstrike("exchange", "--port", wanted, folder=tmp_path)
        assert (said.code, said.out) == (3, "")
        assert said.sentence.startswith(f"port {wanted} on 127.0.0.1 cannot be had (")
        assert said.sentence.endswith("); choose another")


def test_other_machines_are_let_in_only_with_the_flag_and_a_warning(tmp_path: Path) -> None:
    said = fairstrike("exchange", "--host", "0.0.0.0", folder=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.sentence.startswith("0.0.0.0 lets other machines in; use 127.0.0.1, or add --allow-remote")
    with exchange(tmp_path / "open", "--host", "0.0.0.0", "--allow-remote") as (command, line):
        warned = command.log.with_suffix(".errors").read_text()
        assert warned.count("\n") == 1
        assert warned.startswith("warning: the exchange listens on 0.0.0.0 for other machines too")
        assert asked(port_of(line), "box.example:80") == 200
    with exchange(tmp_path / "closed") as (_, line):
        assert asked(port_of(line), "box.example:80") == 403
        assert asked(port_of(line), f"127.0.0.1:{port_of(line)}") == 200


def test_a_switch_of_the_protocol_is_heard_or_has_its_sentence(tmp_path: Path) -> None:
    said = fairstrike("exchange", "--switch", "window=always", folder=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.sentence.startswith("switch window cannot be 'always'")
    with exchange(tmp_path / "strict", "--switch", "is_netting=true", "--switch", "tier=advanced") as (_, line):
        request = urllib.request.Request(
            f"{line['admin']['url']}/state", headers={"Authorization": f"Bearer {line['admin']['token']}"}
        )
        with urllib.request.urlopen(request, timeout=READY_S) as answer:
            assert json.load(answer)["accounts"][0]["is_netting"] is True


def asked(port: int, host: str) -> int:
    """The status that a request with this Host header gets."""
    with socket.create_connection(("127.0.0.1", port), timeout=READY_S) as wire:
        wire.sendall(
            f"GET /trade-api/v2/exchange/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        return int(wire.makefile("rb").readline().split()[1])


async def crowd(line: dict[str, Any], stop: Callable[[], None]) -> None:
    """Open streams that read, one that does not, and requests without answers; then stop."""
    signer = Signer(line["accounts"][0]["key_id"], load_key(line["accounts"][0]["private_key"]), Allowed.EVERYTHING)

    def headers(method: str, path: str) -> dict[str, str]:
        return signer.sign(method, path, time.time_ns() // 1_000_000)

    everything = {"channels": ["orderbook_delta", "trade", "ticker"], "market_tickers": []}
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{line['rest']}/markets?status=open") as answer:
            everything["market_tickers"] = [row["ticker"] for row in (await answer.json())["markets"]]
        streams = [
            await session.ws_connect(line["ws"], headers=headers("GET", STREAM_PATH), autoping=True) for _ in range(3)
        ]
        deaf = deaf_stream(port_of(line), signer)
        for stream in streams:
            await stream.send_json({"id": 1, "cmd": "subscribe", "params": everything})
        reading = [asyncio.create_task(drained(stream)) for stream in streams]
        path = "/trade-api/v2/portfolio/balance"
        base = line["rest"].removesuffix("/trade-api/v2")
        waiting = [asyncio.create_task(unanswered(session, base + path, headers("GET", path))) for _ in range(5)]
        token = {"Authorization": f"Bearer {line['admin']['token']}"}
        for _ in range(UNREAD_FRAMES):
            await session.post(f"{line['admin']['url']}/inject", headers=token, data=b" " * 900_000)
        await asyncio.sleep(2.0)
        assert not any(task.done() for task in waiting), "these requests are never answered"
        stop()
        assert sum(await asyncio.gather(*reading)) > 0
        await asyncio.gather(*waiting)
        deaf.close()


def deaf_stream(port: int, signer: Signer) -> socket.socket:
    """An open stream whose client never reads: what it is sent stays on the exchange's side."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    wire.connect(("127.0.0.1", port))
    signed = signer.sign_stream(time.time_ns() // 1_000_000)
    upgrade = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    lines = [f"{name}: {value}" for name, value in (upgrade | signed | {"Sec-WebSocket-Key": "A" * 22 + "=="}).items()]
    wire.sendall("\r\n".join((f"GET {STREAM_PATH} HTTP/1.1", *lines, "", "")).encode())
    assert wire.recv(12).endswith(b"101")
    return wire


async def drained(stream: aiohttp.ClientWebSocketResponse) -> int:
    return sum([1 async for _ in stream])


async def unanswered(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.ClientError):
        await session.get(url, headers=headers)


@pytest.mark.parametrize("liquidity", ["demo", "calibrated"])
def test_sigterm_ends_it_within_a_second_whatever_is_open(tmp_path: Path, liquidity: str) -> None:
    options = ("--liquidity", liquidity, "--speed", 20, "--fault", "kind=timeout,method=GET,path=/portfolio/*")
    with exchange(tmp_path, *options) as (command, line):
        asked_at: list[float] = []

        def clock_s() -> float:
            # Stands still while the exchange or its client waits for a processor.
            return time.monotonic() - unserved_s(command.process.pid, os.getpid())

        def stop() -> None:
            asked_at.append(clock_s())
            command.process.send_signal(signal.SIGTERM)

        asyncio.run(asyncio.wait_for(crowd(line, stop), READY_S))
        wait_for("end", lambda: not is_alive(command.process.pid), READY_S)
        assert clock_s() - asked_at[0] < END_S
        assert command.process.wait() == 0
        assert command.log.with_suffix(".errors").read_bytes() == b""
