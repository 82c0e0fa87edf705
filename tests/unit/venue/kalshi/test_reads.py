"""Reads over a socket: retried within bounds, signed anew each time."""

import asyncio
from collections.abc import Coroutine

import pytest

from fairstrike.core.effects import Ask
from fairstrike.core.errors import ProtocolError
from fairstrike.core.events import AskFailed, BalanceRead, BatchEnded
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.kalshi import calls, parameters, refusals
from fairstrike.venue.kalshi.calls import Call, call
from fairstrike.venue.kalshi.reads import Reads, all_pages
from fairstrike.venue.kalshi.signing import Allowed
from fairstrike.venue.kalshi.wire.portfolio import Fill, FillsPage
from fairstrike.venue.kalshi.wire.transport import Request, Unanswered
from tests.unit.venue.kalshi.fakes import JumpingClock, ListInbox
from tests.unit.venue.kalshi.scripted import DROP, Reply, ScriptedVenue, budget_for, rest_for

BALANCE: Reply = (200, {"balance": 1, "balance_dollars": "0.0100"})
BUSY: Reply = (429, {"error": "too many requests"})
READ = Request(method="GET", path="/portfolio/balance")


def run(body: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(body, 20))


@pytest.mark.parametrize(
    ("replies", "status", "tries"),
    [
        ([BALANCE], 200, 1),
        ([BUSY, BALANCE], 200, 2),
        ([(503, b""), (502, b""), (504, b""), BALANCE], 200, 4),
        ([BUSY, BUSY, BUSY, BUSY], 429, 4),
        ([(401, {})], 401, 1),
        ([(404, {})], 404, 1),
    ],
)
def test_reads_are_retried_three_times_at_most(replies: list[Reply], status: int, tries: int) -> None:
    async def body() -> None:
        clock = JumpingClock()
        budget = budget_for(clock)
        async with ScriptedVenue(replies) as venue:
            rest = rest_for(venue.origin, clock, Allowed.READS)
            response = await Reads(rest, budget, ListInbox()).exchange(READ)
            await rest.close()
        assert response.status == status
        assert len(venue.asked) == tries
        stamps = [asked.headers["KALSHI-ACCESS-TIMESTAMP"] for asked in venue.asked]
        assert len(set(stamps)) == tries
        counts = budget.counts
        assert counts.retries == tries - 1
        assert counts.refusals_429 == replies.count(BUSY)
        assert counts.backoff_ns >= (tries - 1) * SECOND_NS

    run(body())


def test_dropped_read_is_retried_and_then_given_up() -> None:
    async def body() -> None:
        clock = JumpingClock()
        async with ScriptedVenue([DROP] * 20) as venue:
            rest = rest_for(venue.origin, clock, Allowed.READS)
            with pytest.raises(Unanswered):
                await Reads(rest, budget_for(clock), ListInbox()).exchange(READ)
            await rest.close()

    run(body())


def test_one_object_is_not_read_twice_within_a_second() -> None:
    async def body() -> None:
        clock = JumpingClock()
        async with ScriptedVenue([BALANCE, BALANCE]) as venue:
            rest = rest_for(venue.origin, clock, Allowed.READS)
            reads = Reads(rest, budget_for(clock), ListInbox())
            await reads.exchange(READ)
            await reads.exchange(READ)
            await rest.close()
        assert clock.slept_ns == [SECOND_NS]

    run(body())


def test_question_becomes_events_in_the_inbox() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox()
        split = {
            "balance": 1,
            "balance_dollars": "0.0100",
            "balance_breakdown": [{"exchange_index": 2, "balance": "0.0075"}],
        }
        async with ScriptedVenue([(200, split), (400, {"msg": "no"})]) as venue:
            reads = Reads(rest_for(venue.origin, clock, Allowed.READS), budget_for(clock), inbox, lambda: 2)
            reads.submit(Ask(what="balance"))
            running = asyncio.create_task(reads.run())
            await inbox.wait_for(BalanceRead)
            reads.submit(Ask(what="orders"))
            await inbox.wait_for(AskFailed)
            reads.stop()
            await running
        balance, failed = inbox.events
        assert isinstance(balance, BalanceRead)
        assert balance.balance_ud == 7_500
        assert isinstance(failed, AskFailed)
        assert failed.reason == "400 http_400: no"

    run(body())


def test_what_is_said_of_markets_ends_in_a_moment_of_decision() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox()
        async with ScriptedVenue([(400, {"msg": "no"})]) as venue:
            reads = Reads(rest_for(venue.origin, clock, Allowed.READS), budget_for(clock), inbox)
            reads.submit(Ask(what="markets", key="KXBTCD"))
            running = asyncio.create_task(reads.run())
            await inbox.wait_for(BatchEnded)
            reads.stop()
            await running
        said, ended = inbox.events
        assert isinstance(said, AskFailed)
        assert ended == BatchEnded(recv_ns=said.recv_ns)

    run(body())


def test_too_many_questions_fail_at_once() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox()
        reads = Reads(rest_for("http://127.0.0.1:9", clock, under_way_max=1), budget_for(clock), inbox)
        reads.submit(Ask(what="orders"))
        reads.submit(Ask(what="fills"))
        (event,) = inbox.events
        assert isinstance(event, AskFailed)
        assert event.what == "fills"

    run(body())


def test_refusal_waits_for_room_in_the_inbox() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(), ListInbox(room=0)
        async with ScriptedVenue([BALANCE]) as venue:
            rest = rest_for(venue.origin, clock, under_way_max=1)
            reads = Reads(rest, budget_for(clock), inbox)
            reads.submit(Ask(what="balance"))
            reads.submit(Ask(what="fills"))
            reads.stop()
            inbox.room = 2
            await reads.run()
        assert {type(event) for event in inbox.events} == {AskFailed, BalanceRead}

    run(body())


def test_a_typed_call_gives_its_result_or_a_typed_refusal() -> None:
    async def body() -> None:
        clock = JumpingClock()
        async with ScriptedVenue([BUSY, BALANCE, (404, {"error": {"code": "user_not_found"}})]) as venue:
            rest = rest_for(venue.origin, clock, Allowed.READS)
            reads = Reads(rest, budget_for(clock), ListInbox())
            balance = await reads.call(call(calls.BALANCE, parameters.OfShard()))
            with pytest.raises(refusals.AccountAbsent):
                await reads.call(call(calls.BALANCE, parameters.OfShard(exchange_index=7)))
            await rest.close()
        assert balance.balance_dollars == "0.0100"
        assert venue.asked[-1].path.endswith("?exchange_index=7")

    run(body())


FILL = Fill(
    trade_id="t",
    order_id="o",
    ticker="T",
    book_side="bid",
    count_fp="1.00",
    yes_price_dollars="0.5000",
    is_taker=True,
    fee_cost="0.000000",
)


@pytest.mark.parametrize(("cursors", "count"), [(["a", "b", ""], 3), (["a", "a", ""], 2), (["a", None], 2), ([""], 1)])
def test_all_pages_end_at_an_empty_or_repeated_cursor(cursors: list[str | None], count: int) -> None:
    left = list(cursors)
    asked: list[tuple[tuple[str, str], ...]] = []

    async def page(one: Call[FillsPage]) -> FillsPage:
        asked.append(one.request.query)
        return FillsPage(fills=(FILL,), cursor=left.pop(0))

    pages = asyncio.run(all_pages(call(calls.FILLS, parameters.Fills(limit=1)), page))
    assert len(pages) == count
    assert asked[0] == (("limit", "1"),)
    assert asked[1:] == [(("limit", "1"), ("cursor", str(cursor))) for cursor in cursors[: count - 1]]


def test_a_list_without_end_is_given_up() -> None:
    count = 0

    async def page(one: Call[FillsPage]) -> FillsPage:
        nonlocal count
        count += 1
        return FillsPage(fills=(), cursor=str(count))

    with pytest.raises(ProtocolError, match="more than 200 pages"):
        asyncio.run(all_pages(call(calls.FILLS, parameters.Fills()), page))
