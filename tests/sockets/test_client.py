"""Every typed call and every change against an exchange in a box, over sockets, with and without faults between."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest

from fairstrike.app.clock import SystemClock
from fairstrike.app.readiness import take_limits
from fairstrike.core.chance import Dice
from fairstrike.exchange.administration import AccountSettings, parse_account
from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.server import ExchangeServer, ServerSettings
from fairstrike.venue.kalshi import calls, changes, parameters, refusals
from fairstrike.venue.kalshi.budget import Budget, BudgetParams
from fairstrike.venue.kalshi.calls import READS, Call, Operation, call
from fairstrike.venue.kalshi.changes import Declined, Done, Doubted, Gone
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.reads import Reads, all_pages
from fairstrike.venue.kalshi.rest import Rest, RestParams
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.orders import (
    AmendOrder,
    CancelItem,
    CreateGroup,
    CreateOrder,
    DecreaseOrder,
    GroupCreated,
    OrderAmended,
    OrderCreated,
    OrderDecreased,
    UpdateGroupLimit,
)
from fairstrike.venue.kalshi.wire.portfolio import AccountLimits, WireOrder
from fairstrike.venue.kalshi.wire.transport import Request, Response, Unanswered
from fairstrike.venue.kalshi.writes import Writes
from tests.exchanges import opened
from tests.sockets.boxes import PATIENCE_S

FACTOR = 20
SERIES = "KXBTCD"
PERIOD = {"start_ts": 1_790_000_000, "end_ts": 1_790_003_600, "period_interval": 60}
ABSENT = refusals.NotFound
"""What the box answers to a market that is not history yet, and to a transfer that was not made."""
UNSERVED = (*(calls.OLD_MARKET, calls.OLD_CANDLESTICKS, calls.ONE_SHARD_TRANSFER),)
"""Those it answers so."""
SERVED = tuple(read for read in READS if read not in UNSERVED)


class Faults:
    """Between client and exchange: requests that never arrive, answers that never come back, 429s and 503s."""

    def __init__(self, seed: int, out_of: int) -> None:
        """Let something happen to about one request out of so many; to none when 0."""
        self._dice = Dice(seed, 1)
        self._out_of = out_of
        self.happened = 0

    async def around(self, attempt: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        if not self._out_of or self._dice.below(self._out_of):
            return await attempt(request)
        self.happened += 1
        match self._dice.below(5):
            case 0:
                raise Unanswered("never arrived", recv_ns=0)
            case 1:
                await attempt(request)
                raise Unanswered("the answer was lost", recv_ns=0)
            case 2:
                return Response(status=429, body=b'{"error":"too many requests"}')
            case 3:
                await attempt(request)
                return Response(status=504, body=b"<html>gateway")
            case _:
                return Response(status=503, body=b'{"code":"unavailable","message":"no"}')


class FaultyRest(Rest):
    """REST with faults between it and the exchange."""

    faults = Faults(0, 0)

    async def attempt(self, request: Request) -> Response:
        return await self.faults.around(super().attempt, request)


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A client's parts on one account."""

    rest: FaultyRest
    reads: Reads
    writes: Writes
    budget: Budget
    clock: SystemClock


def client_of(line: Announcement, signer: Signer, faults: Faults) -> Client:
    clock = SystemClock(line.clock)
    rest = FaultyRest(RestParams(origin=line.rest.removesuffix("/trade-api/v2")), signer, clock, clock.wall_ms)
    rest.faults = faults
    budget = Budget(BudgetParams(), Dice(1, 1), clock.now_ns())

    def inbox(events: object) -> bool:
        return True

    return Client(
        rest=rest,
        reads=Reads(rest, budget, inbox),
        writes=Writes(rest, budget, inbox),
        budget=budget,
        clock=clock,
    )


def exchange(
    folder: Path, accounts: tuple[AccountSettings, ...] = (AccountSettings(),)
) -> AbstractAsyncContextManager[tuple[ExchangeServer, Announcement]]:
    """An exchange in a box in this process."""
    return opened(ServerSettings(folder=folder, factor=FACTOR, accounts=accounts))


def with_client(folder: Path, body: Callable[[Client], Awaitable[None]], *, seed: int = 0, out_of: int = 0) -> Faults:
    faults = Faults(seed, out_of)

    async def run() -> None:
        async with exchange(folder) as (_, line):
            account = line.accounts[0]
            signer = Signer(account.key_id, load_key(account.private_key), Allowed.EVERYTHING)
            client = client_of(line, signer, faults)
            try:
                await body(client)
            finally:
                await client.rest.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_S))
    return faults


def order(ticker: str, price: str = "0.0100") -> CreateOrder:
    return CreateOrder(
        ticker=ticker,
        side="bid",
        count="3.00",
        price=price,
        time_in_force="good_till_canceled",
        self_trade_prevention_type="taker_at_cross",
        client_order_id=str(uuid.uuid4()),
        post_only=True,
        exchange_index=2,
    )


async def a_ticker(client: Client) -> str:
    page = await client.reads.call(call(calls.MARKETS, parameters.Markets(series_ticker=SERIES, status="open")))
    return page.markets[0].ticker


async def resting(client: Client) -> list[WireOrder]:
    first = call(calls.ORDERS, parameters.Orders(status="resting", limit=3))
    pages = await all_pages(first, client.reads.call)
    return [each for page in pages for each in page.orders]


def every_call(ticker: str, order_id: str, group_id: str) -> dict[Operation[msgspec.Struct, object], Call[object]]:
    """One call of every operation, with parameters that the box can answer."""
    values: dict[str, object] = {
        "series_ticker": SERIES,
        "event_ticker": ticker.rpartition("-")[0],
        "ticker": ticker,
        "tickers": (ticker,),
        "market_tickers": (ticker,),
        "market_ticker": ticker,
        "order_id": order_id,
        "order_group_id": group_id,
        "transfer_id": "none",
        **PERIOD,
    }
    made = {}
    for read in READS:
        fields = msgspec.structs.fields(read.parameters)
        wanted = {field.name for field in fields if field.required or field.name in ("market_ticker", "market_tickers")}
        given = {name: values[name] for name in wanted}
        if read is calls.EVENT_CANDLESTICKS:
            given["ticker"] = values["event_ticker"]
        made[read] = call(read, msgspec.convert(given, read.parameters))
    return made


@pytest.mark.parametrize(("seed", "out_of"), [(0, 0), (5, 4)])
def test_every_read_gives_its_type_or_a_typed_refusal(tmp_path: Path, seed: int, out_of: int) -> None:
    async def body(client: Client) -> None:
        found: dict[str, object] = {}
        ticker = await a_ticker(client)
        placed: list[OrderCreated] = []
        while not placed:
            (outcome,) = await client.writes.change(changes.create_batch([order(ticker)], 1))
            placed += [outcome] if isinstance(outcome, OrderCreated) else []
        group: list[GroupCreated] = []
        while not group:
            made = await client.writes.change(changes.create_group(CreateGroup(contracts_limit=9, exchange_index=2)))
            group += [made] if isinstance(made, GroupCreated) else []
        for read, one in every_call(ticker, placed[0].order_id, group[0].order_group_id).items():
            try:
                found[read.path] = await client.reads.call(one)
                assert isinstance(found[read.path], read.result)
            except ABSENT:
                continue
        assert {read.path for read in SERVED} <= set(found)

    faults = with_client(tmp_path, body, seed=seed, out_of=out_of)
    assert faults.happened >= (10 if out_of else 0)


def test_limits_of_the_account_are_applied(tmp_path: Path) -> None:
    async def body(client: Client) -> None:
        limits = await take_limits(client.reads, client.budget, client.clock.now_ns)
        assert isinstance(limits, AccountLimits)
        assert limits.usage_tier == "basic"
        assert client.budget.cost_of("DELETE", "/portfolio/events/orders/x").tokens == 2

    with_client(tmp_path, body)


def test_changes_of_orders(tmp_path: Path) -> None:
    async def body(client: Client) -> None:
        ticker = await a_ticker(client)
        wanted = [order(ticker), order(ticker, "0.0200"), order("KXBTCD-NO-SUCH"), order(ticker, "0.0123")]
        outcomes = await client.writes.change(changes.create_batch(wanted, client.budget.batch_max("POST", 3)))
        first, second, third, fourth = outcomes
        assert isinstance(first, OrderCreated)
        assert isinstance(second, OrderCreated)
        assert isinstance(third, Declined)
        assert isinstance(fourth, Declined)
        assert type(fourth.error) is refusals.PriceInvalid
        assert [one.order_id for one in await resting(client)] == [second.order_id, first.order_id]

        (again,) = await client.writes.change(changes.create_batch(wanted[:1], 1))
        assert isinstance(again, Declined)
        assert type(again.error) is refusals.OrderExists

        smaller = DecreaseOrder(reduce_to="1.00", exchange_index=2)
        decreased = await client.writes.change(changes.decrease(first.order_id, smaller))
        assert isinstance(decreased, OrderDecreased)
        assert decreased.remaining_count == "1.00"

        dearer = AmendOrder(ticker=ticker, side="bid", price="0.0300", count="2.00", exchange_index=2)
        amended = await client.writes.change(changes.amend(second.order_id, dearer))
        assert isinstance(amended, OrderAmended)
        wrong_side = msgspec.structs.replace(dearer, side="ask")
        refused = await client.writes.change(changes.amend(second.order_id, wrong_side))
        assert isinstance(refused, Declined)
        assert type(refused.error) is refusals.OrderMismatched

        items = [CancelItem(order_id=name, exchange_index=2) for name in (first.order_id, "gone")]
        gone = await client.writes.change(changes.cancel_batch(items, 10))
        assert gone == (Gone(order_id=first.order_id, reduced_by="1.00"), Gone(order_id="gone"))
        assert await client.writes.change(changes.cancel_all()) == Done()
        assert await resting(client) == []

    with_client(tmp_path, body)


def test_order_groups(tmp_path: Path) -> None:
    async def body(client: Client) -> None:
        made = await client.writes.change(changes.create_group(CreateGroup(contracts_limit=100, exchange_index=2)))
        assert isinstance(made, GroupCreated)
        name = made.order_group_id
        one = await client.reads.call(call(calls.ONE_GROUP, parameters.OneGroup(order_group_id=name)))
        assert one.orders == ()
        for talk in (
            changes.limit_group(name, UpdateGroupLimit(contracts_limit=50), 2),
            changes.trigger_group(name, 2),
            changes.reset_group(name, 2),
            changes.delete_group(name, 2),
            changes.delete_group(name, 2),
        ):
            assert await client.writes.change(talk) == Done()

    with_client(tmp_path, body)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_intention_is_at_most_one_order_whatever_is_lost(tmp_path: Path, seed: int) -> None:
    async def body(client: Client) -> None:
        ticker = await a_ticker(client)
        wanted = [order(ticker) for _ in range(24)]
        outcomes = await client.writes.change(changes.create_batch(wanted, 2))
        told = await resting(client)
        ids = [one.client_order_id for one in told]
        assert len(set(ids)) == len(ids)
        for one, outcome in zip(wanted, outcomes, strict=True):
            assert isinstance(outcome, Doubted) or (one.client_order_id in ids) is isinstance(outcome, OrderCreated)
        assert any(isinstance(outcome, OrderCreated) for outcome in outcomes)

        left = [CancelItem(order_id=one.order_id, exchange_index=2) for one in told]
        for _ in range(10):
            outs = await client.writes.change(changes.cancel_batch(left, 5))
            left = [item for item, out in zip(left, outs, strict=True) if not isinstance(out, Gone)]
        assert not left
        assert await resting(client) == []

    assert with_client(tmp_path, body, seed=seed, out_of=4).happened > 3


def test_an_account_with_an_ed25519_key(tmp_path: Path) -> None:
    accounts = (AccountSettings(), parse_account("edwards=25,ed25519"))

    async def run() -> None:
        async with exchange(tmp_path, accounts) as (_, line):
            edwards = line.accounts[1]
            assert [each.key_type for each in line.accounts] == ["rsa", "ed25519"]
            secret = load_key(edwards.private_key)
            good = client_of(line, Signer(edwards.key_id, secret, Allowed.READS), Faults(0, 0))
            balance = await good.reads.call(call(calls.BALANCE, parameters.OfShard()))
            assert balance.balance_dollars == "25.0000"
            # This key under the id of another account's.
            mixed = client_of(line, Signer(line.accounts[0].key_id, secret, Allowed.READS), Faults(0, 0))
            with pytest.raises(refusals.SignatureWrong):
                await mixed.reads.call(call(calls.BALANCE, parameters.OfShard()))
            foreign = client_of(line, Signer("another-environment", secret, Allowed.READS), Faults(0, 0))
            with pytest.raises(refusals.KeyUnknown):
                await foreign.reads.call(call(calls.BALANCE, parameters.OfShard()))
            for client in (good, mixed, foreign):
                await client.rest.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_S))
