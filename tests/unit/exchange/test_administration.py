"""Faults, steps, accounts and resets, asked for over HTTP and seen by clients on real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time
from typing import Any

import aiohttp
import msgspec
import pytest

from fairstrike.core.errors import ConfigError
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange import faults as of
from fairstrike.exchange.administration import AccountSettings, KeyType, parse_account
from fairstrike.exchange.announcement import AccountKey, Announcement
from fairstrike.exchange.calibrated import CalibratedParams
from fairstrike.exchange.server import ExchangeServer
from fairstrike.exchange.worlds import START_NS
from tests.exchanges import opened
from tests.unit.exchange.test_server import Trader, settings

SECONDS_MAX = 120.0
ORDERS = "/portfolio/events/orders"


class Operator(Trader):
    """A client that also administers."""

    def __init__(self, session: aiohttp.ClientSession, announcement: Announcement) -> None:
        super().__init__(session, announcement)
        self.announcement = announcement

    async def admin(self, method: str, path: str, body: object = None, *, raw: bytes | None = None) -> tuple[int, Any]:
        bearer = {"Authorization": f"Bearer {self.announcement.admin.token}"}
        data = raw if raw is not None else None if body is None else msgspec.json.encode(body)
        url = self.announcement.admin.url + path
        async with self.session.request(method, url, headers=bearer, data=data) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def cause(self, fault: of.Fault) -> None:
        assert (await self.admin("POST", "/faults", fault))[0] == 201

    async def struck(self, kind: str, count: int = 1) -> None:
        """Return when faults of a kind have struck so often."""
        while (await self.admin("GET", "/state"))[1]["struck"].get(kind, 0) < count:
            await asyncio.sleep(0.01)

    async def order(self, ticker: str, number: int = 0) -> tuple[int, Any]:
        body = {
            "ticker": ticker,
            "client_order_id": f"order {number}",
            "side": "bid",
            "count": "5.00",
            "price": "0.0100",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        }
        return await self.call("POST", ORDERS, body)

    async def orders(self) -> list[str]:
        status, listed = await self.call("GET", "/portfolio/orders")
        assert status == 200
        return sorted(row["client_order_id"] for row in listed["orders"])

    async def tickers(self) -> list[str]:
        _, listed = await self.call("GET", "/markets")
        return [row["ticker"] for row in listed["markets"]]

    @asynccontextmanager
    async def stream(self, tickers: list[str]) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        headers = self.headers("GET", "/trade-api/ws/v2")
        async with self.session.ws_connect(self.announcement.ws, headers=headers) as stream:
            params = {"channels": ["orderbook_delta"], "market_tickers": tickers}
            await stream.send_json({"id": 1, "cmd": "subscribe", "params": params})
            for _ in range(1 + len(tickers)):
                await asyncio.wait_for(stream.receive_str(), SECONDS_MAX)
            yield stream


def play(folder: Path, act: Callable[[Operator], Awaitable[None]], **changes: object) -> None:
    """Run `act` against an exchange of its own."""

    async def run() -> None:
        async with opened(settings(folder, **changes)) as (_, announcement), aiohttp.ClientSession() as session:
            await act(Operator(session, announcement))

    asyncio.run(asyncio.wait_for(run(), SECONDS_MAX))


def test_answers_fail_as_asked(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        ticker = (await operator.tickers())[0]
        await operator.cause(of.ServerError(status=502, is_done=True, method="POST", count=1))
        assert (await operator.order(ticker, 1))[0] == 502
        await operator.cause(of.SignatureRefused(count=1))
        assert (await operator.order(ticker, 2))[0] == 401
        await operator.cause(of.MalformedAnswer(path=ORDERS, count=1))
        with pytest.raises(json.JSONDecodeError):
            await operator.order(ticker, 3)
        await operator.cause(of.CutAnswer(path=ORDERS, count=1))
        with pytest.raises(aiohttp.ClientError):
            await operator.order(ticker, 4)
        await operator.cause(of.CutAnswer(method="DELETE", path=ORDERS, count=2))
        with pytest.raises(aiohttp.ClientError):
            await operator.call("DELETE", ORDERS)
        for number, is_done in ((5, True), (6, False)):
            await operator.cause(of.Timeout(path=ORDERS, count=1, is_done=is_done))
            asking = asyncio.create_task(operator.order(ticker, number))
            await operator.struck("timeout", number - 4)
            assert (await asyncio.wait((asking,), timeout=0.3))[0] == set()
            asking.cancel()
        assert await operator.orders() == ["order 1", "order 3", "order 4", "order 5"]
        struck = (await operator.admin("GET", "/state"))[1]["struck"]
        # The client's library asks once more where a used connection breaks.
        assert struck.pop("cut_answer") in (2, 3)
        assert struck == {
            "server_error": 1,
            "signature_refused": 1,
            "malformed_answer": 1,
            "timeout": 2,
        }

    play(tmp_path, act)


def test_an_order_that_arrives_after_its_client_gave_up_is_taken(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        ticker = (await operator.tickers())[0]
        await operator.cause(of.Latency(ms=30_000, method="POST"))
        asking = asyncio.create_task(operator.order(ticker, 1))
        await operator.struck("latency")
        asking.cancel()
        await operator.admin("POST", "/step", {"seconds": 29})
        assert await operator.orders() == []
        await operator.admin("POST", "/step", {"seconds": 1})
        assert await operator.orders() == ["order 1"]

    play(tmp_path, act, is_stepped=True)


def test_headers_of_429_and_of_a_skewed_clock(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        url = f"{operator.rest}/exchange/status"
        await operator.cause(of.RateLimited(retry_after_s=7, count=1))
        await operator.cause(of.RateLimited(count=1))
        async with operator.session.get(url) as answer:
            assert (answer.status, answer.headers.get("Retry-After")) == (429, "7")
        async with operator.session.get(url) as answer:
            assert (answer.status, answer.headers.get("Retry-After")) == (429, None)
        await operator.cause(of.ClockSkew(ms=600_000))
        async with operator.session.get(url) as answer:
            shown = parsedate_to_datetime(answer.headers["Date"]).timestamp()
            assert abs(shown - time() - 600) < 5
        assert (await operator.call("GET", "/portfolio/balance"))[0] == 401

    play(tmp_path, act)


async def read_on(stream: aiohttp.ClientWebSocketResponse, patience_s: float = SECONDS_MAX) -> None:
    """Read frames until one is broken or none comes for so long."""
    while True:
        json.loads(await asyncio.wait_for(stream.receive_str(), patience_s))


def test_streams_fall_silent_jump_and_are_cut(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        tickers = await operator.tickers()
        async with operator.stream(tickers) as stream:
            await operator.cause(of.SequenceGap(size=1_000_000, count=1))
            while json.loads(await stream.receive_str())["seq"] < 1_000_000:
                pass
            await operator.cause(of.MalformedFrame(count=1))
            with pytest.raises(json.JSONDecodeError):
                await read_on(stream)
            await operator.cause(of.SilentStream())
            with pytest.raises(TimeoutError):
                await read_on(stream, 0.5)
        assert (await operator.admin("DELETE", "/faults"))[0] == 204
        async with operator.stream(tickers) as stream:
            await operator.cause(of.Disconnect())
            while (await stream.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        async with operator.stream(tickers) as stream:
            await stream.receive_str()

    play(tmp_path, act)


def test_pauses_are_begun_and_ended(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        ticker = (await operator.tickers())[0]
        for fault in (of.ExchangePause(), of.MarketPause(market=ticker), of.Maintenance(is_down=True)):
            _, added = await operator.admin("POST", "/faults", fault)
            number = added["faults"][0]["id"]
            assert (await operator.order(ticker, number))[0] >= 400
            assert (await operator.admin("DELETE", f"/faults/{number}"))[0] == 204
            assert (await operator.order(ticker, 100 + number))[0] == 201

    play(tmp_path, act)


def test_faults_are_listed_and_refused_with_a_sentence(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        status, added = await operator.admin("POST", "/faults", [of.DropFrame(at_s=900), of.ServerError(at_s=900)])
        assert (status, [row["id"] for row in added["faults"]]) == (201, [1, 2])
        for body, sentence in (
            (b'{"kind": "earthquake"}', "a fault has the unknown kind 'earthquake'; choose one of latency,"),
            (b'[{"kind": "drop"}, {"kind": "drop", "count": 0}]', "fault drop: Expected `int` >= 1 - at `$.count`"),
            (b'[{"kind": "drop"}, {"kind": "market_pause", "market": "X"}]', "no market is called X;"),
            (b"{", "the body is not JSON ("),
        ):
            status, refused = await operator.admin("POST", "/faults", raw=body)
            assert (status, refused["error"]["code"]) == (400, "bad_request")
            assert refused["error"]["message"].startswith(sentence)
        _, listed = await operator.admin("GET", "/faults")
        assert [row["fault"]["kind"] for row in listed["faults"]] == ["drop", "server_error"]
        assert (await operator.admin("DELETE", "/faults/1"))[0] == 204
        assert (await operator.admin("DELETE", "/faults/1"))[0] == 404
        assert (await operator.admin("PUT", "/faults"))[0] == 404
        async with operator.session.get(f"{operator.announcement.admin.url}/faults") as answer:
            assert answer.status == 401

    play(tmp_path, act)


def test_stepped_time_moves_only_by_steps(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        assert operator.announcement.clock.factor == 0
        assert (await operator.admin("GET", "/state"))[1]["now_ns"] == START_NS
        assert await operator.admin("POST", "/step", {"seconds": 1.5}) == (200, {"now_ns": START_NS + 1_500_000_000})
        await operator.cause(of.Latency(ms=2_500, leg="answer", count=1))
        asking = asyncio.create_task(operator.call("GET", "/exchange/status"))
        await operator.struck("latency")
        await operator.admin("POST", "/step", {"seconds": 2.4})
        await asyncio.sleep(0.1)
        assert not asking.done()
        await operator.admin("POST", "/step", {"seconds": 0.1})
        assert (await asking)[0] == 200
        for body in (b'{"seconds": 0}', b'{"seconds": 3601}', b'{"minutes": 1}', b""):
            assert (await operator.admin("POST", "/step", raw=body))[0] == 400

    play(tmp_path, act, is_stepped=True)


def test_time_that_runs_cannot_be_stepped(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        status, refused = await operator.admin("POST", "/step", {"seconds": 1})
        assert status == 400
        assert refused["error"]["message"].startswith("time runs by itself here; start the exchange with --stepped")

    play(tmp_path, act)


async def told(operator: Operator) -> list[object]:
    """Give all that a client is told in two stepped minutes of orders and a book, some of it lost."""
    tickers = await operator.tickers()
    said: list[object] = []
    async with operator.stream(tickers) as stream:
        for number in range(8):
            said.append(await operator.order(tickers[0], number))
            await operator.admin("POST", "/step", {"seconds": 15})
            said.append(await operator.call("GET", f"/markets/{tickers[1]}"))
        for _ in range(200):
            said.append(await stream.receive_str())
    return said


def test_a_reset_and_the_same_requests_give_the_same_answers(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        first = await told(operator)
        assert any(isinstance(each, tuple) and each[0] == 503 for each in first)
        assert (await operator.admin("POST", "/reset"))[1]["seed"] == 1
        assert await told(operator) == first
        assert (await operator.admin("POST", "/reset", {"seed": 2}))[1]["seed"] == 2
        assert await told(operator) != first
        assert (await operator.admin("POST", "/reset", {"seed": -1}))[0] == 400

    plan = (of.ServerError(probability=0.5, path=ORDERS), of.DropFrame(probability=0.1, at_s=1))
    play(tmp_path, act, is_stepped=True, faults=plan)


@pytest.mark.parametrize("is_stepped", [True, False])
def test_an_order_under_way_at_a_reset_is_not_of_the_new_world(tmp_path: Path, *, is_stepped: bool) -> None:
    async def act(operator: Operator) -> None:
        ticker = (await operator.tickers())[0]
        await operator.cause(of.Latency(ms=180_000, path=ORDERS, method="POST", count=1))
        asking = asyncio.create_task(operator.order(ticker))
        await operator.struck("latency")
        assert (await operator.admin("POST", "/reset"))[0] == 200
        assert (await asking)[0] == 503
        assert (await operator.call("GET", "/portfolio/orders"))[1]["orders"] == []

    play(tmp_path, act, is_stepped=is_stepped)


def test_stopping_in_the_middle_of_a_step_keeps_the_recording_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(operator: Operator) -> None:
        # The first 15-minute market is struck after three minutes.
        assert (await operator.admin("POST", "/step", {"seconds": 240}))[0] == 200
        stepping = asyncio.create_task(operator.admin("POST", "/step", {"seconds": 3_600}))
        await asyncio.sleep(0.2)
        assert not stepping.done()
        assert (await operator.admin("POST", "/stop"))[0] == 204
        status, answer = await stepping
        assert status == 200
        assert answer["now_ns"] < START_NS + 3_600 * SECOND_NS

    path = tmp_path / "recording.jsonl"
    play(tmp_path, act, is_stepped=True, record=path, world=CalibratedParams())
    assert caplog.records == []
    assert path.read_bytes().endswith(b"}\n")


def test_a_reset_cuts_streams_and_gives_balances_back(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        tickers = await operator.tickers()
        await operator.order(tickers[0])
        async with operator.stream(tickers) as stream:
            await operator.admin("POST", "/reset")
            while (await stream.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert await operator.orders() == []
        _, balance = await operator.call("GET", "/portfolio/balance")
        assert balance["balance_dollars"] == "10000.0000"

    play(tmp_path, act)


def test_accounts_have_keys_and_balances_of_their_own(tmp_path: Path) -> None:
    async def act(operator: Operator) -> None:
        status, made = await operator.admin("POST", "/accounts", {"name": "second", "balance": "25.50"})
        assert (status, made["balance"]) == (201, "25.5000")
        key = msgspec.convert(made, AccountKey)
        second = Operator(operator.session, msgspec.structs.replace(operator.announcement, accounts=(key,)))
        _, balance = await second.call("GET", "/portfolio/balance")
        assert balance["balance_dollars"] == "25.5000"
        await operator.order((await operator.tickers())[0])
        assert await second.orders() == []
        _, listed = await operator.admin("GET", "/accounts")
        assert listed["accounts"] == [msgspec.to_builtins(operator.account), made]
        await operator.admin("POST", "/reset")
        assert (await second.call("GET", "/portfolio/balance"))[0] == 200
        for body, sentence in (
            ({"name": "second"}, "there is an account second already"),
            ({"name": "house-maker-1"}, "there is an account house-maker-1 already"),
            ({"name": "../x"}, "'../x' is no name of an account"),
            ({"name": "x", "balance": "much"}, "balance 'much' is not an amount in dollars"),
            ({"name": "x", "balance": "-1"}, "balance -1 is below zero"),
            ({"names": "x"}, "the body cannot be read: "),
        ):
            status, refused = await operator.admin("POST", "/accounts", body)
            assert status == 400
            assert refused["error"]["message"].startswith(sentence)

    play(tmp_path, act)


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("alice", AccountSettings(name="alice")),
        ("bob=0.25", AccountSettings(name="bob", balance_ud=250_000)),
        ("carol,ed25519", AccountSettings(name="carol", key_type=KeyType.ED25519)),
        ("dora=1,rsa", AccountSettings(name="dora", balance_ud=1_000_000)),
        ("erik=0.5,ed25519", AccountSettings(name="erik", balance_ud=500_000, key_type=KeyType.ED25519)),
    ],
)
def test_an_account_on_the_command_line(text: str, account: AccountSettings) -> None:
    assert parse_account(text) == account


def test_two_accounts_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is an account a already; choose another name"):
        ExchangeServer(settings(tmp_path, accounts=(AccountSettings(name="a"), AccountSettings(name="a"))))
