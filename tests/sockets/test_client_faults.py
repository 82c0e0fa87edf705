"""Every typed call and every change while the exchange fails on request, over sockets, in real bytes."""

import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import ProtocolError
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange import faults as of
from fairstrike.exchange.faults import Fault
from fairstrike.exchange.happenings import OrderSnapshot
from fairstrike.venue.kalshi import calls, changes, parameters, refusals
from fairstrike.venue.kalshi.calls import READS, call
from fairstrike.venue.kalshi.changes import Declined, Done, Doubted, Gone
from fairstrike.venue.kalshi.refusals import RateLimited, SignatureWrong, VenueDown, VenueRefusal
from fairstrike.venue.kalshi.wire.orders import (
    AmendOrder,
    CancelItem,
    CreateGroup,
    CreateOrder,
    DecreaseOrder,
    GroupCreated,
    OrderCreated,
    UpdateGroupLimit,
)
from fairstrike.venue.kalshi.wire.portfolio import ApplySubaccountTransfer, CreateSubaccount, SubaccountCreated
from fairstrike.venue.kalshi.wire.transport import Talk, Unanswered
from tests.sockets.boxes import Client, Operated, play
from tests.sockets.test_client import UNSERVED, every_call

SERIES = "KXBTCD"
ACCOUNT = "client"
GIVEN_UP_S = 0.5
"""For who waits in vain: longer than an answer takes, also on a busy machine."""
SHARD = 2
STATUS = call(calls.STATUS, parameters.Nothing())
BROKEN = tuple(of.ServerError(status=status, count=1) for status in (500, 502, 503, 504))
BALANCE = call(calls.BALANCE, parameters.OfShard())


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
        exchange_index=SHARD,
    )


async def a_ticker(client: Client) -> str:
    page = await client.reads.call(call(calls.MARKETS, parameters.Markets(series_ticker=SERIES, status="open")))
    return page.markets[0].ticker


async def placed(client: Client, ticker: str) -> str:
    (made,) = await client.writes.change(changes.create_batch([order(ticker)], 1))
    assert isinstance(made, OrderCreated)
    return made.order_id


async def grouped(client: Client) -> str:
    made = await client.writes.change(changes.create_group(CreateGroup(contracts_limit=9, exchange_index=SHARD)))
    assert isinstance(made, GroupCreated)
    return made.order_group_id


def theirs(box: Operated) -> list[OrderSnapshot]:
    """The account's orders, as the exchange has them."""
    return list(box.floor.orders(ACCOUNT))


# Reads


def test_every_read_comes_through_three_failures(tmp_path: Path) -> None:
    async def act(box: Operated, client: Client) -> None:
        ticker = await a_ticker(client)
        order_id, group_id = await placed(client, ticker), await grouped(client)
        made = every_call(ticker, order_id, group_id)
        for number, read in enumerate(read for read in READS if read not in UNSERVED):
            one = made[read]
            await box.cause(
                of.RateLimited(path=one.request.path, count=1),
                msgspec.structs.replace(BROKEN[number % len(BROKEN)], path=one.request.path),
                of.CutAnswer(path=one.request.path, count=1),
            )
            before = client.budget.counts.retries
            try:
                found = await client.reads.call(one)
            except refusals.NotFound:
                assert read in (calls.OLD_MARKET, calls.OLD_CANDLESTICKS)
            else:
                assert isinstance(found, read.result)
            assert client.budget.counts.retries - before == 3, read.path
            await box.calm()

    play(tmp_path, act, factor=100)


def test_every_read_that_cannot_be_read_is_a_typed_error(tmp_path: Path) -> None:
    async def act(box: Operated, client: Client) -> None:
        ticker = await a_ticker(client)
        made = every_call(ticker, await placed(client, ticker), await grouped(client))
        await box.cause(of.MalformedAnswer())
        for read in READS:
            with pytest.raises((ProtocolError, VenueRefusal)) as raised:
                await client.reads.call(made[read])
            assert isinstance(raised.value, ProtocolError) or read in UNSERVED, read.path
        await box.calm()
        number = await box.cause(of.SignatureRefused())
        signed = [read for read in READS if read.is_signed and read not in UNSERVED]
        for read in signed:
            with pytest.raises(SignatureWrong, match="give the private key"):
                await client.reads.call(made[read])
        assert await box.struck(number) == len(signed)

    play(tmp_path, act, factor=100)


@pytest.mark.parametrize("wait_s", [None, 20])
def test_a_read_waits_as_long_as_a_429_says(tmp_path: Path, wait_s: int | None) -> None:
    async def act(box: Operated, client: Client) -> None:
        await box.cause(of.RateLimited(retry_after_s=wait_s, count=1))
        began_ns = client.clock.now_ns()
        await client.reads.call(STATUS)
        waited_ns = client.clock.now_ns() - began_ns
        assert waited_ns >= (wait_s or 1) * SECOND_NS
        counts = client.budget.counts
        assert (counts.refusals_429, counts.retries, counts.waits) == (1, 1, int(wait_s is not None))
        assert counts.backoff_ns == SECOND_NS

    play(tmp_path, act)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (of.RateLimited(), RateLimited),
        (of.ServerError(status=500), VenueDown),
        (of.ServerError(status=502), VenueDown),
        (of.ServerError(status=503), VenueDown),
        (of.Timeout(), Unanswered),
        (of.CutAnswer(), Unanswered),
        (of.Latency(ms=1e6, leg="answer"), Unanswered),
        (of.Maintenance(is_down=True), VenueDown),
    ],
)
def test_a_read_is_tried_four_times_and_then_given_up(tmp_path: Path, fault: Fault, kind: type[Exception]) -> None:
    async def act(box: Operated, client: Client) -> None:
        number = await box.cause(fault)
        with pytest.raises(kind):
            await client.reads.call(BALANCE)
        counts = client.budget.counts
        assert counts.retries == 3
        # One, two and four seconds, less up to a quarter, never less than one.
        assert (1 + 1.5 + 3) * SECOND_NS <= counts.backoff_ns <= 7 * SECOND_NS
        assert counts.refusals_429 == (4 if kind is RateLimited else 0)
        # Maintenance also counts that it began.
        assert await box.struck(number) == (5 if isinstance(fault, of.Maintenance) else 4)
        await box.calm()
        assert (await client.reads.call(BALANCE)).balance_dollars == "10000.0000"

    play(tmp_path, act, answer_s=GIVEN_UP_S)


def test_a_clock_that_is_off_is_refused_as_such(tmp_path: Path) -> None:
    async def act(box: Operated, client: Client) -> None:
        await box.cause(of.ClockSkew(ms=60_000))
        with pytest.raises(refusals.StampExpired, match="synchronise this machine's clock"):
            await client.reads.call(BALANCE)

    play(tmp_path, act)


# Writes

Change = Callable[[], Talk[object]]
UNSURE: tuple[Fault, ...] = (
    of.Timeout(),
    of.Timeout(is_done=False),
    of.CutAnswer(),
    of.ServerError(status=500, is_done=True),
    of.ServerError(status=503),
)
"""After these nobody knows whether a change was made."""


async def changed(client: Client, talk: Talk[object]) -> object:
    """What a change comes to; of a batch of one, what its order does."""
    outcome = await client.writes.change(talk)
    if isinstance(outcome, tuple):
        (outcome,) = outcome
    return outcome


async def all_changes(box: Operated, client: Client, ticker: str) -> dict[str, tuple[Change, bool]]:
    """A change of each kind that can be made now, and whether it is harmless twice."""
    orders = [await placed(client, ticker) for _ in range(4)]
    group = await grouped(client)
    first = await client.writes.change(changes.create_subaccount(CreateSubaccount()))
    assert isinstance(first, SubaccountCreated)
    amendment = AmendOrder(ticker=ticker, side="bid", price="0.0200", count="2.00", exchange_index=SHARD)
    transfer = ApplySubaccountTransfer(
        client_transfer_id=str(uuid.uuid4()), from_subaccount=0, to_subaccount=1, amount_cents=5, exchange_index=SHARD
    )
    limit = UpdateGroupLimit(contracts_limit=5)
    smaller = DecreaseOrder(reduce_to="1.00", exchange_index=SHARD)
    return {
        "create": (lambda: changes.create_batch([order(ticker)], 1), False),
        "amend": (lambda: changes.amend(orders[0], amendment), False),
        "decrease": (lambda: changes.decrease(orders[1], smaller), False),
        "create group": (lambda: changes.create_group(CreateGroup(contracts_limit=9, exchange_index=SHARD)), False),
        "create subaccount": (lambda: changes.create_subaccount(CreateSubaccount()), False),
        "transfer": (lambda: changes.transfer(transfer), False),
        "cancel": (lambda: changes.cancel_batch([CancelItem(order_id=orders[2], exchange_index=SHARD)], 1), True),
        "limit": (lambda: changes.limit_group(group, limit, SHARD), True),
        "trigger": (lambda: changes.trigger_group(group, SHARD), True),
        "reset": (lambda: changes.reset_group(group, SHARD), True),
        "delete": (lambda: changes.delete_group(group, SHARD), True),
        "cancel all": (changes.cancel_all, True),
    }


@pytest.mark.parametrize("fault", UNSURE, ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'is_done', '')}")
def test_a_change_without_an_answer_is_doubted_once_or_asked_again(tmp_path: Path, fault: Fault) -> None:
    async def act(box: Operated, client: Client) -> None:
        made = await all_changes(box, client, await a_ticker(client))
        for name, (talk, is_repeatable) in made.items():
            number = await box.cause(msgspec.structs.replace(fault, count=2))
            outcome = await changed(client, talk())
            if is_repeatable:
                assert isinstance(outcome, Done | Gone), name
                assert await box.struck(number) == 2, name
            else:
                assert isinstance(outcome, Doubted), name
                assert await box.struck(number) == 1, name
            await box.calm()

    play(tmp_path, act, answer_s=GIVEN_UP_S)


@pytest.mark.parametrize("fault", [of.RateLimited(), of.RateLimited(retry_after_s=3)])
def test_a_change_that_came_too_soon_was_not_made(tmp_path: Path, fault: of.RateLimited) -> None:
    async def act(box: Operated, client: Client) -> None:
        made = await all_changes(box, client, await a_ticker(client))
        for name, (talk, is_repeatable) in made.items():
            await box.cause(msgspec.structs.replace(fault, count=1))
            before, began_ns = client.budget.counts.refusals_429, client.clock.now_ns()
            outcome = await changed(client, talk())
            assert client.budget.counts.refusals_429 == before + 1
            if not is_repeatable:
                assert isinstance(outcome, Declined), name
                assert isinstance(outcome.error, RateLimited), name
                again = await changed(client, talk())
                assert not isinstance(again, Declined | Doubted), name
            else:
                assert isinstance(outcome, Done | Gone), name
            assert client.clock.now_ns() - began_ns >= (fault.retry_after_s or 0) * SECOND_NS
            await box.calm()

    play(tmp_path, act)


def test_a_change_that_is_not_let_in_is_declined(tmp_path: Path) -> None:
    async def act(box: Operated, client: Client) -> None:
        ticker = await a_ticker(client)
        made = await all_changes(box, client, ticker)
        before = len(theirs(box))
        number = await box.cause(of.SignatureRefused())
        for name, (talk, _) in made.items():
            outcome = await changed(client, talk())
            assert isinstance(outcome, Declined), name
            assert type(outcome.error) is SignatureWrong, name
        assert await box.struck(number) == len(made)
        await box.calm()
        await box.cause(of.MalformedAnswer(method="POST"))
        for name in ("create", "amend", "decrease", "create group", "create subaccount"):
            assert isinstance(await changed(client, made[name][0]()), Doubted), name
        # The order of the malformed answer was taken, those before it were not.
        assert len(theirs(box)) == before + 1

    play(tmp_path, act)


def test_orders_in_doubt_are_each_there_once_or_not_at_all(tmp_path: Path) -> None:
    async def act(box: Operated, client: Client) -> None:
        ticker = await a_ticker(client)
        wanted = [order(ticker) for _ in range(20)]
        await box.cause(
            of.Timeout(method="POST", probability=0.2),
            of.Timeout(method="POST", probability=0.2, is_done=False),
            of.ServerError(method="POST", probability=0.2, is_done=True),
        )
        outcomes = await client.writes.change(changes.create_batch(wanted, 1))
        doubted = [each for each, outcome in zip(wanted, outcomes, strict=True) if isinstance(outcome, Doubted)]
        await box.calm()
        resting = await client.reads.call(call(calls.ORDERS, parameters.Orders(status="resting")))
        listed = [each.client_order_id for each in resting.orders]
        assert len(set(listed)) == len(listed) == len(theirs(box))
        found = [each for each in doubted if each.client_order_id in listed]
        assert 0 < len(found) < len(doubted)
        assert len(listed) == len(wanted) - len(doubted) + len(found)

    play(tmp_path, act, answer_s=GIVEN_UP_S)


# The state of the exchange


@pytest.mark.parametrize(
    ("fault", "is_active", "shards", "kind"),
    [
        (of.ExchangePause(), False, (SHARD,), "exchange_is_paused"),
        (of.ExchangePause(is_trading_only=True), True, (SHARD,), "trading_is_paused"),
        (of.Maintenance(), True, (0, 1, 2, 3), "trading_is_paused"),
    ],
)
def test_a_pause_is_told_and_refuses_orders(
    tmp_path: Path, fault: Fault, is_active: bool, shards: tuple[int, ...], kind: str
) -> None:
    async def act(box: Operated, client: Client) -> None:
        ticker = await a_ticker(client)
        order_id = await placed(client, ticker)
        await box.cause(fault)
        status = await client.reads.call(STATUS)
        told = {one.exchange_index: one for one in status.exchange_index_statuses or ()}
        assert tuple(index for index, one in sorted(told.items()) if not one.trading_active) == shards
        assert told[SHARD].exchange_active is is_active
        refused = await changed(client, changes.create_batch([order(ticker)], 1))
        assert isinstance(refused, Declined)
        assert refused.error.code == kind
        items = [CancelItem(order_id=order_id, exchange_index=SHARD)]
        assert isinstance(await changed(client, changes.cancel_batch(items, 1)), Gone) is is_active
        await box.calm()
        assert isinstance(await changed(client, changes.create_batch([order(ticker)], 1)), OrderCreated)

    play(tmp_path, act)


def test_a_paused_market_says_so(tmp_path: Path) -> None:
    async def act(box: Operated, client: Client) -> None:
        ticker = await a_ticker(client)
        await placed(client, ticker)
        await box.cause(of.MarketPause(market=ticker))
        market = await client.reads.call(call(calls.ONE_MARKET, parameters.OneMarket(ticker=ticker)))
        assert market.market.status == "inactive"
        refused = await changed(client, changes.create_batch([order(ticker)], 1))
        assert isinstance(refused, Declined)
        assert type(refused.error) is refusals.MarketInactive
        await box.calm()
        resting = await client.reads.call(call(calls.ORDERS, parameters.Orders(status="resting")))
        assert resting.orders == ()

    play(tmp_path, act)
