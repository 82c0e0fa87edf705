"""Orders are sent once; cancels are asked again; reading code never imports this module."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine

import pytest

from fairstrike.core.effects import CancelOrder, SendOrder
from fairstrike.core.events import (
    CancelAnswered,
    CancelFailed,
    Event,
    OrderAcked,
    OrderDoubted,
    OrderRejected,
)
from fairstrike.core.order import Side, TimeInForce
from fairstrike.venue.kalshi import changes
from fairstrike.venue.kalshi.changes import Done, Doubted
from fairstrike.venue.kalshi.wire.orders import AmendOrder, CancelItem, CreateOrder, OrderAmended
from fairstrike.venue.kalshi.wire.transport import Talk
from fairstrike.venue.kalshi.writes import Writes
from tests.unit.venue.kalshi.fakes import JumpingClock, ListInbox
from tests.unit.venue.kalshi.scripted import DROP, Reply, ScriptedVenue, budget_for, rest_for

SEND = SendOrder(
    client_order_id="c",
    ticker="T",
    side=Side.BID,
    price_ticks=5_000,
    size_cc=100,
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    exchange_index=2,
)
CANCEL = CancelOrder(client_order_id="c", order_id="o", ticker="T", exchange_index=2)
ACK: Reply = (201, {"order_id": "o", "fill_count": "0.00", "remaining_count": "1.00", "ts_ms": 1})
GONE: Reply = (200, {"order_id": "o", "reduced_by": "1.00", "ts_ms": 1})


def run(body: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(body, 20))


@pytest.mark.parametrize(
    ("effect", "replies", "kind", "tries"),
    [
        (SEND, [ACK], OrderAcked, 1),
        (SEND, [(503, b""), ACK], OrderDoubted, 1),
        (SEND, [(429, {"error": "too many requests"}), ACK], OrderRejected, 1),
        (SEND, [DROP, ACK], OrderDoubted, 1),
        (CANCEL, [GONE], CancelAnswered, 1),
        (CANCEL, [(503, b""), (429, b"{}"), GONE], CancelAnswered, 3),
        (CANCEL, [(503, b"")] * 4, CancelFailed, 4),
        (CANCEL, [(404, {})], CancelAnswered, 1),
    ],
)
def test_order_is_sent_once_and_cancel_is_asked_again(
    effect: SendOrder | CancelOrder, replies: list[Reply], kind: type[Event], tries: int
) -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox()
        async with ScriptedVenue(replies) as venue:
            writes = Writes(rest_for(venue.origin, clock), budget_for(clock), inbox)
            writes.submit(effect)
            writes.stop()
            await writes.run()
        assert [type(event) for event in inbox.events] == [kind]
        assert len(venue.asked) == tries
        stamps = {asked.headers["KALSHI-ACCESS-TIMESTAMP"] for asked in venue.asked}
        assert len(stamps) == tries

    run(body())


def test_cancel_passes_when_orders_have_spent_the_budget() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox()
        async with ScriptedVenue([GONE]) as venue:
            budget = budget_for(clock)
            send = budget.cost_of("POST", "/portfolio/events/orders")
            while budget.wait_ns(send, clock.now_ns()) == 0:
                budget.take(send, clock.now_ns())
            writes = Writes(rest_for(venue.origin, clock), budget, inbox)
            writes.submit(CANCEL)
            writes.stop()
            await writes.run()
        assert clock.slept_ns == []
        assert [type(event) for event in inbox.events] == [CancelAnswered]

    run(body())


def test_order_that_would_wait_too_long_is_rejected_unsent() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox()
        async with ScriptedVenue([]) as venue:
            budget = budget_for(clock)
            for _ in range(30):
                budget.take(budget.cost_of("POST", "/portfolio/events/orders"), clock.now_ns())
            writes = Writes(rest_for(venue.origin, clock), budget, inbox)
            writes.submit(SEND)
            writes.stop()
            await writes.run()
        (event,) = inbox.events
        assert isinstance(event, OrderRejected)
        assert event.code == "rate_limited"
        assert venue.asked == []

    run(body())


def test_too_many_writes_are_refused_unsent() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox()
        writes = Writes(rest_for("http://127.0.0.1:9", clock, under_way_max=1), budget_for(clock), inbox)
        for effect in (SEND, SEND, CANCEL):
            writes.submit(effect)
        assert [type(event) for event in inbox.events] == [OrderRejected, CancelFailed]

    run(body())


def test_refusals_wait_for_room_in_the_inbox() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox(room=0)
        async with ScriptedVenue([ACK]) as venue:
            writes = Writes(rest_for(venue.origin, clock, under_way_max=1), budget_for(clock), inbox)
            for effect in (SEND, SEND, CANCEL):
                writes.submit(effect)
            writes.stop()
            inbox.room = 3
            await writes.run()
        assert {type(event) for event in inbox.events} == {OrderAcked, OrderRejected, CancelFailed}

    run(body())


@pytest.mark.parametrize("module", ["reads", "stream", "session", "rest", "translate", "signing", "budget"])
def test_module_that_reads_does_not_import_the_one_that_writes(module: str) -> None:
    code = f"import sys, fairstrike.venue.kalshi.{module}; sys.exit('fairstrike.venue.kalshi.writes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


AMEND = AmendOrder(ticker="T", side="bid", price="0.5000", count="1.00", exchange_index=2)
AMENDED: Reply = (200, {"order_id": "o", "ts_ms": 1})
BUSY: Reply = (503, b"")


@pytest.mark.parametrize(
    ("talk", "replies", "kind", "tries"),
    [
        (lambda: changes.amend("o", AMEND), [AMENDED], OrderAmended, 1),
        (lambda: changes.amend("o", AMEND), [BUSY, AMENDED], Doubted, 1),
        (lambda: changes.amend("o", AMEND), [DROP, AMENDED], Doubted, 1),
        (lambda: changes.cancel_all(), [BUSY, (204, b"")], Done, 2),
        (lambda: changes.cancel_all(), [BUSY] * 4, Doubted, 4),
        (lambda: changes.trigger_group("g", 2), [BUSY, (200, {})], Done, 2),
    ],
)
def test_a_change_is_sent_once_unless_twice_is_harmless(
    talk: Callable[[], Talk[object]], replies: list[Reply], kind: type[object], tries: int
) -> None:
    async def body() -> None:
        clock = JumpingClock()
        async with ScriptedVenue(replies) as venue:
            rest = rest_for(venue.origin, clock)
            outcome = await Writes(rest, budget_for(clock), ListInbox()).change(talk())
            await rest.close()
        assert isinstance(outcome, kind)
        assert len(venue.asked) == tries

    run(body())


def test_a_batch_is_paid_order_by_order() -> None:
    orders = [
        CreateOrder(
            ticker="T",
            side="bid",
            count="1.00",
            price="0.5000",
            time_in_force="good_till_canceled",
            self_trade_prevention_type="taker_at_cross",
            client_order_id=str(number),
            exchange_index=2,
        )
        for number in range(16)
    ]

    async def body() -> None:
        clock = JumpingClock()
        budget = budget_for(clock)
        async with ScriptedVenue([(201, {"orders": []})] * 2) as venue:
            rest = rest_for(venue.origin, clock)
            writes = Writes(rest, budget, ListInbox())
            outcomes = await writes.change(changes.create_batch(orders, budget.batch_max("POST", 50)))
            await rest.close()
        assert len(outcomes) == 16
        assert len(venue.asked) == 2
        # The second batch of eight waits until its 80 tokens are back, beside those kept for cancels.
        assert sum(clock.slept_ns) == 800_000_000

    run(body())


def test_a_batch_of_cancels_is_asked_again() -> None:
    async def body() -> None:
        clock = JumpingClock()
        answer = {"orders": [{"order_id": "1", "reduced_by": "1.00"}]}
        async with ScriptedVenue([DROP, (200, answer)]) as venue:
            rest = rest_for(venue.origin, clock)
            writes = Writes(rest, budget_for(clock), ListInbox())
            talk = changes.cancel_batch([CancelItem(order_id="1", exchange_index=2)], 50)
            assert await writes.change(talk) == (changes.Gone(order_id="1", reduced_by="1.00"),)
            await rest.close()
        assert len(venue.asked) == 2

    run(body())
