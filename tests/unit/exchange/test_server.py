"""The exchange over real sockets: signed, traded on, filled by its own noise, stopped."""

import asyncio
import json
import signal
import stat
import sys
from base64 import b64encode
from pathlib import Path
from time import time_ns
from typing import Any

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fairstrike.core.errors import ConfigError, Unreachable
from fairstrike.core.timing import MINUTE_NS, SECOND_NS, parse_rfc3339_ns
from fairstrike.exchange import server as server_module
from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.calibrated import CalibratedParams
from fairstrike.exchange.server import ExchangeServer, ServerSettings
from fairstrike.exchange.worlds import START_NS, WorldParams
from fairstrike.store.tape import Cut, Tape
from tests.exchanges import opened

SECONDS_MAX = 40.0
"""Longer than anything takes on a busy machine, shorter than to wait for those who are connected."""


class Trader:
    """A client that signs with the key file the exchange wrote."""

    def __init__(self, session: aiohttp.ClientSession, announcement: Announcement) -> None:
        self.session = session
        self.rest = announcement.rest
        self.account = announcement.accounts[0]
        key = load_pem_private_key(Path(self.account.private_key).read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)
        self.key = key

    def headers(self, method: str, path: str) -> dict[str, str]:
        stamp = str(time_ns() // 1_000_000)
        pad = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        signature = self.key.sign(f"{stamp}{method}{path}".encode(), pad, hashes.SHA256())
        return {
            "KALSHI-ACCESS-KEY": self.account.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": b64encode(signature).decode(),
        }

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        signed = self.headers(method, "/trade-api/v2" + path.partition("?")[0])
        async with self.session.request(method, self.rest + path, headers=signed, json=body) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None


def settings(folder: Path, **changes: object) -> ServerSettings:
    factor = 1 if changes.get("is_stepped") else 60
    plain = ServerSettings(folder=folder / "keys", factor=factor, box=BoxParams(tier=None))
    return msgspec.structs.replace(plain, **changes)


async def trade(folder: Path) -> None:
    server = ExchangeServer(settings(folder))
    announcement = await server.start()
    running = asyncio.create_task(server.run())
    try:
        async with aiohttp.ClientSession() as session:
            trader = Trader(session, announcement)
            await place_and_be_filled(trader, announcement)
            await administer(session, announcement)
        await asyncio.wait_for(running, SECONDS_MAX)
    finally:
        server.stop()
        await server.close()


async def place_and_be_filled(trader: Trader, announcement: Announcement) -> None:
    status, balance = await trader.call("GET", "/portfolio/balance")
    assert (status, balance["balance_dollars"]) == (200, "10000.0000")
    status, listed = await trader.call("GET", "/markets?status=open&series_ticker=KXBTCD")
    assert status == 200
    headers = trader.headers("GET", "/trade-api/ws/v2")
    async with trader.session.ws_connect(announcement.ws, headers=headers) as stream:
        await stream.send_json({"id": 1, "cmd": "subscribe", "params": {"channels": ["fill", "user_orders"]}})
        middle = min(listed["markets"], key=lambda row: abs(float(row["yes_bid_dollars"]) - 0.5))
        path = "/portfolio/events/orders"
        rest = await order(trader, middle["ticker"], "0.0100")
        assert await trader.call("DELETE", f"{path}/{rest}") == (
            404,
            {"error": {"code": "not_found", "message": "order not found"}},
        )
        status, cancelled = await trader.call("DELETE", f"{path}/{rest}?exchange_index=2")
        assert (status, cancelled["reduced_by"]) == (200, "5.00")
        await order(trader, middle["ticker"], best_bid(middle))
        fill = await wait_for_fill(stream)
    status, fills = await trader.call("GET", "/portfolio/fills")
    assert fill["trade_id"] in [row["trade_id"] for row in fills["fills"]]
    assert (await trader.call("DELETE", path))[0] == 204
    status, balance = await trader.call("GET", "/portfolio/balance")
    assert float(balance["balance_dollars"]) < 10_000


async def order(trader: Trader, ticker: str, price: str) -> str:
    body = {
        "ticker": ticker,
        "side": "bid",
        "count": "5.00",
        "price": price,
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    status, placed = await trader.call("POST", "/portfolio/events/orders", body)
    assert status == 201, placed
    order_id: str = placed["order_id"]
    return order_id


def best_bid(market: dict[str, str]) -> str:
    """Give a price one cent above the best bid, which the noise sells to."""
    return f"{float(market['yes_bid_dollars']) + 0.01:.4f}"


async def wait_for_fill(stream: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    while True:
        frame = json.loads(await asyncio.wait_for(stream.receive_str(), SECONDS_MAX))
        if frame["type"] == "fill":
            message: dict[str, Any] = frame["msg"]
            return message


async def administer(session: aiohttp.ClientSession, announcement: Announcement) -> None:
    url, token = announcement.admin.url, announcement.admin.token
    async with session.get(f"{url}/clock") as answer:
        assert await answer.json() == msgspec.to_builtins(announcement.clock)
    async with session.get(f"{url}/state") as answer:
        assert answer.status == 401
    bearer = {"Authorization": f"Bearer {token}"}
    async with session.get(f"{url}/state", headers=bearer) as answer:
        state = await answer.json()
        assert (state["seed"], state["start_ns"]) == (1, START_NS)
        assert START_NS < state["now_ns"] < START_NS + 18 * MINUTE_NS
        assert {"ticker", "start_ns", "ask_ticks"} <= set(state["plants"][0])
    async with session.post(f"{url}/stop", headers=bearer) as answer:
        assert answer.status == 204


def test_a_client_trades_and_stops_the_exchange(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(trade(tmp_path), 2 * SECONDS_MAX))


def test_bad_handshakes_and_foreign_hosts_are_refused(tmp_path: Path) -> None:
    async def knock() -> None:
        server = ExchangeServer(settings(tmp_path))
        announcement = await server.start()
        try:
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(announcement.ws)
                assert refused.value.status == 401
                url = f"{announcement.rest}/exchange/status"
                async with session.get(url, headers={"Host": "rebound.example"}) as answer:
                    assert answer.status == 403
                async with session.get(url) as answer:
                    assert answer.status == 200
        finally:
            await server.close()

    asyncio.run(asyncio.wait_for(knock(), SECONDS_MAX))


def test_frames_of_one_instant_arrive_whole_whatever_their_length(tmp_path: Path) -> None:
    async def read() -> None:
        async with opened(settings(tmp_path)) as (_, announcement), aiohttp.ClientSession() as session:
            trader = Trader(session, announcement)
            _, listed = await trader.call("GET", "/markets")
            names = [row["ticker"] for row in listed["markets"]]
            headers = trader.headers("GET", "/trade-api/ws/v2")
            async with session.ws_connect(announcement.ws, headers=headers) as stream:
                strangers = [f"KXNONE-{number}" for number in range(10_000)]
                params = {"channels": ["ticker"], "market_tickers": strangers}
                await stream.send_json({"id": 1, "cmd": "subscribe", "params": params})
                refusal = json.loads(await stream.receive_str())
                assert refusal["msg"]["market_tickers"] == strangers
                params = {"channels": ["orderbook_delta"], "market_tickers": names}
                await stream.send_json({"id": 2, "cmd": "subscribe", "params": params})
                assert await numbers(stream, 500) == list(range(1, 501))

    asyncio.run(asyncio.wait_for(read(), SECONDS_MAX))


async def numbers(stream: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
    """Give the first `count` sequence numbers of the stream."""
    seen: list[int] = []
    while len(seen) < count:
        frame = json.loads(await asyncio.wait_for(stream.receive_str(), SECONDS_MAX))
        seen += [frame["seq"]] if "seq" in frame else []
    return seen


def test_the_heartbeat_is_a_ping_and_stopping_is_quick_with_a_stream_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "PING_SECONDS", 0.02)

    async def listen() -> None:
        async with opened(settings(tmp_path)) as (server, announcement), aiohttp.ClientSession() as session:
            headers = Trader(session, announcement).headers("GET", "/trade-api/ws/v2")
            async with session.ws_connect(announcement.ws, headers=headers, autoping=False) as stream:
                ping = await stream.receive()
                assert (ping.type, bytes(ping.data)) == (aiohttp.WSMsgType.PING, b"heartbeat")
                await stream.ping(b"client")
                while (answer := await stream.receive()).type is aiohttp.WSMsgType.PING:
                    pass
                assert (answer.type, bytes(answer.data)) == (aiohttp.WSMsgType.PONG, b"client")
                server.stop()
                await server.close()

    asyncio.run(asyncio.wait_for(listen(), SECONDS_MAX))


def test_key_files_are_for_their_owner_only(tmp_path: Path) -> None:
    server = ExchangeServer(settings(tmp_path))
    announcement = asyncio.run(start_and_close(server))
    path = Path(announcement.accounts[0].private_key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["client.pem"]
    assert announcement.accounts[0].name == "client"


async def start_and_close(server: ExchangeServer) -> Announcement:
    try:
        return await server.start()
    finally:
        await server.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com", ""])
def test_without_a_flag_only_the_loopback_address_is_served(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1"):
        ExchangeServer(settings(tmp_path, host=host))


@pytest.mark.parametrize("changes", [{"factor": 0}, {"factor": 1_001}, {"tick_ms": 0}])
def test_settings_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="whole number"):
        ExchangeServer(settings(tmp_path, **changes))


@pytest.mark.parametrize("changes", [{}, {"factor": 2}, {"is_stepped": True}])
def test_now_is_real_time_in_an_endless_world(tmp_path: Path, changes: dict[str, int]) -> None:
    world = CalibratedParams() if changes else WorldParams()
    with pytest.raises(ConfigError, match=r"^--now is real time in an endless world"):
        ExchangeServer(settings(tmp_path, is_now=True, **{"factor": 1, "world": world, **changes}))


def test_venue_time_may_be_the_machine_s(tmp_path: Path) -> None:
    async def caught_up(session: aiohttp.ClientSession) -> None:
        behind_ns = SECOND_NS
        while behind_ns >= SECOND_NS:
            async with session.get("/admin/state") as answer:
                behind_ns = time_ns() - int((await answer.json())["now_ns"])

    async def look() -> None:
        async with opened(settings(tmp_path, is_now=True, factor=1, world=CalibratedParams())) as (_, announcement):
            assert announcement.clock.anchor_venue_ns == announcement.clock.anchor_system_ns
            headers = {"Authorization": f"Bearer {announcement.admin.token}"}
            origin = announcement.admin.url.removesuffix("/admin")
            async with aiohttp.ClientSession(origin, headers=headers) as session:
                await caught_up(session)
                async with session.post("/admin/reset") as answer:
                    assert answer.status == 200
                await caught_up(session)

    asyncio.run(asyncio.wait_for(look(), SECONDS_MAX))


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_a_recording_is_packed_as_its_name_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    server = ExchangeServer(settings(tmp_path, world=CalibratedParams(), is_stepped=True, record=path))

    async def live() -> None:
        announcement = await server.start()
        try:
            async with aiohttp.ClientSession() as session:
                headers = {"Authorization": f"Bearer {announcement.admin.token}"}
                url = f"{announcement.admin.url}/step"
                async with session.post(url, json={"seconds": 200}, headers=headers) as answer:
                    assert answer.status == 200
        finally:
            await server.close()

    asyncio.run(live())
    cuts: list[Cut] = []
    lines = list(Tape(path, cuts.append).lines())
    assert lines[0].startswith(b'{"recv_ns":')
    assert not cuts


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    async def collide() -> None:
        first = ExchangeServer(settings(tmp_path))
        announcement = await first.start()
        port = int(announcement.rest.split(":")[2].partition("/")[0])
        second = ExchangeServer(settings(tmp_path, port=port))
        try:
            with pytest.raises(Unreachable, match=f"port {port}"):
                await second.start()
        finally:
            await second.close()
            await first.close()

    asyncio.run(collide())


def test_venue_time_falls_behind_a_machine_that_does_not_keep_up(tmp_path: Path) -> None:
    async def stall() -> int:
        server = ExchangeServer(settings(tmp_path))
        announcement = await server.start()
        try:
            # Half a minute of venue time passes on the clock, and nobody lets the world live through it.
            await asyncio.sleep(0.5)
            url = f"{announcement.rest}/exchange/user_data_timestamp"
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return parse_rfc3339_ns((await answer.json())["as_of_time"])
        finally:
            await server.close()

    assert START_NS < asyncio.run(stall()) < START_NS + 5 * SECOND_NS


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"])
def test_the_process_announces_itself_and_ends_on_a_signal(tmp_path: Path, signal_name: str) -> None:
    async def live() -> tuple[dict[str, Any], int]:
        program = (
            "import sys; from pathlib import Path;"
            "from fairstrike.exchange.server import ServerSettings, run_exchange;"
            "sys.exit(run_exchange(ServerSettings(folder=Path(sys.argv[1]), is_json=True, seed=7)))"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX)
            process.send_signal(getattr(signal, signal_name))
            return json.loads(line), await asyncio.wait_for(process.wait(), SECONDS_MAX)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    announced, code = asyncio.run(live())
    assert set(announced) == {"rest", "ws", "clock", "accounts", "admin", "seed"}
    assert (announced["seed"], announced["clock"]["factor"]) == (7, 1)
    assert announced["clock"]["anchor_venue_ns"] == START_NS
    assert abs(announced["clock"]["anchor_system_ns"] - time_ns()) < 60 * SECOND_NS
    assert announced["accounts"][0]["balance"] == "10000.0000"
    assert code == 0
