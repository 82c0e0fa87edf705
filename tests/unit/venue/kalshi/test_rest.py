"""One attempt over a socket, and conversations carried side by side."""

import asyncio
import logging
from collections.abc import Coroutine

import pytest

from fairstrike.core.effects import Ask, Effect
from fairstrike.core.errors import Unreachable
from fairstrike.core.events import AskFailed, Event
from fairstrike.venue.kalshi.rest import Errands, afford, converse, deliver
from fairstrike.venue.kalshi.signing import Allowed, SigningRefused
from fairstrike.venue.kalshi.wire.transport import Conversation, Request, Response, Unanswered
from tests.unit.venue.kalshi.fakes import JumpingClock, ListInbox
from tests.unit.venue.kalshi.scripted import DROP, ScriptedVenue, budget_for, rest_for

READ = Request(method="GET", path="/markets", query=(("series_ticker", "K X"), ("limit", "5")))
FAILED = AskFailed(what="x", reason="y", recv_ns=1)


def run(body: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(body, 20))


def test_request_is_signed_and_answer_is_stamped() -> None:
    async def body() -> None:
        clock = JumpingClock(77)
        async with ScriptedVenue([(200, {"a": 1})]) as venue:
            rest = rest_for(venue.origin, clock)
            response = await rest.attempt(READ)
            await rest.close()
        assert (response.status, response.body, response.recv_ns) == (200, b'{"a": 1}', 77)
        (asked,) = venue.asked
        assert (asked.method, asked.path) == ("GET", "/trade-api/v2/markets?series_ticker=K+X&limit=5")
        assert set(asked.headers) == {
            "KALSHI-ACCESS-KEY",
            "KALSHI-ACCESS-SIGNATURE",
            "KALSHI-ACCESS-TIMESTAMP",
        }

    run(body())


def test_without_a_key_nothing_is_signed() -> None:
    async def body() -> None:
        async with ScriptedVenue([(200, {})]) as venue:
            rest = rest_for(venue.origin, JumpingClock(), None)
            await rest.attempt(READ)
            await rest.close()
        assert venue.asked[0].headers == {}

    run(body())


def test_reader_sends_no_write() -> None:
    async def body() -> None:
        async with ScriptedVenue([]) as venue:
            rest = rest_for(venue.origin, JumpingClock(), Allowed.READS)
            with pytest.raises(SigningRefused):
                await rest.attempt(Request(method="POST", path="/portfolio/events/orders", body=b"{}"))
            await rest.close()
        assert venue.asked == []

    run(body())


def test_redirect_is_an_answer_and_is_not_followed() -> None:
    async def body() -> None:
        async with ScriptedVenue([(302, b"")]) as venue:
            rest = rest_for(venue.origin, JumpingClock())
            assert (await rest.attempt(READ)).status == 302
            await rest.close()

    run(body())


def test_unreachable_host_is_one_sentence() -> None:
    async def body() -> None:
        rest = rest_for("http://127.0.0.1:9", JumpingClock(5))
        with pytest.raises(Unanswered, match=r"http://127\.0\.0\.1:9 gave no answer") as caught:
            await rest.attempt(READ)
        assert caught.value.recv_ns == 5
        await rest.close()

    run(body())


def test_an_answer_that_is_no_http_is_one_sentence() -> None:
    async def body() -> None:
        async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"no HTTP at all\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
            rest = rest_for(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", JumpingClock())
            with pytest.raises(Unanswered, match=r"gave no answer \(what came is not HTTP\)"):
                await rest.attempt(READ)
            await rest.close()

    run(body())


def test_dropped_order_is_not_sent_again() -> None:
    async def body() -> None:
        async with ScriptedVenue([(200, {}), DROP, (200, {})]) as venue:
            rest = rest_for(venue.origin, JumpingClock())
            await rest.attempt(READ)
            with pytest.raises(Unanswered):
                await rest.attempt(Request(method="POST", path="/portfolio/events/orders", body=b"{}"))
            await rest.close()
        assert [asked.method for asked in venue.asked] == ["GET", "POST"]

    run(body())


def test_answer_that_is_too_long_is_none() -> None:
    async def body() -> None:
        async with ScriptedVenue([(200, b"x" * 200)]) as venue:
            rest = rest_for(venue.origin, JumpingClock(), body_bytes_max=100)
            with pytest.raises(Unanswered):
                await rest.attempt(READ)
            await rest.close()

    run(body())


def test_late_answer_is_none() -> None:
    async def body() -> None:
        async with ScriptedVenue([(200, b"")]) as venue:
            rest = rest_for(venue.origin, JumpingClock(), timeout_ns=1)
            with pytest.raises(Unanswered):
                await rest.attempt(READ)
            await rest.close()

    run(body())


def test_log_holds_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with ScriptedVenue([(200, {"a": 1})]) as venue:
            rest = rest_for(venue.origin, JumpingClock())
            await rest.attempt(READ)
            await rest.close()
        for value in venue.asked[0].headers.values():
            assert value not in caplog.text

    with caplog.at_level(logging.DEBUG):
        run(body())
    assert caplog.text


def test_budget_is_waited_for_and_spent() -> None:
    async def body() -> None:
        clock = JumpingClock(0)
        budget = budget_for(clock)
        cost = budget.cost_of("GET", "/markets")
        for _ in range(22):
            await afford(budget, cost, clock)
        assert clock.slept_ns == [50_000_000, 50_000_000]
        assert budget.counts.waits == 2

    run(body())


def two_questions() -> Conversation:
    first = yield READ
    try:
        yield READ
    except Unreachable as error:
        return [AskFailed(what=str(error), reason=first.body.decode(), recv_ns=first.recv_ns)]
    return []


def test_conversation_is_driven_to_its_end() -> None:
    async def body() -> None:
        answers: list[Response | Unreachable] = [
            Response(status=200, body=b"one", recv_ns=4),
            Unreachable("gone"),
        ]

        async def exchange(request: Request) -> Response:
            answer = answers.pop(0)
            if isinstance(answer, Unreachable):
                raise answer
            return answer

        assert await converse(two_questions(), exchange) == [AskFailed(what="gone", reason="one", recv_ns=4)]

    run(body())


def test_full_inbox_is_waited_for() -> None:
    async def body() -> None:
        clock, inbox = JumpingClock(0), ListInbox(room=0)

        async def make_room() -> None:
            while len(clock.slept_ns) < 3:
                await asyncio.sleep(0)
            inbox.room = 1

        maker = asyncio.create_task(make_room())
        await deliver([FAILED], inbox, clock, 10)
        await maker
        assert inbox.events == [FAILED]
        await deliver([], inbox, clock, 10)
        assert len(inbox.batches) == 1

    run(body())


def test_errands_run_side_by_side_up_to_a_maximum() -> None:
    async def body() -> None:
        gate, inbox = asyncio.Event(), ListInbox()

        async def carry(effect: Effect) -> list[Event]:
            await gate.wait()
            return [FAILED]

        errands = Errands(carry, rest_for("http://127.0.0.1:9", JumpingClock(), under_way_max=2), inbox)
        taken = [errands.take(Ask(what="x")) for _ in range(3)]
        running = asyncio.create_task(errands.run())
        gate.set()
        await inbox.wait_for(AskFailed, 2)
        again = errands.take(Ask(what="x"))
        errands.stop()
        after = errands.take(Ask(what="x"))
        await running
        assert (taken, again, after) == ([True, True, False], True, False)
        assert len(inbox.events) == 3

    run(body())


def test_what_is_said_to_a_full_inbox_is_delivered_when_there_is_room() -> None:
    async def body() -> None:
        async def carry(effect: Effect) -> list[Event]:
            raise AssertionError("nothing is taken")

        clock, inbox = JumpingClock(), ListInbox(room=1)
        errands = Errands(carry, rest_for("http://127.0.0.1:9", clock), inbox)
        errands.say([FAILED])
        assert len(inbox.batches) == 1
        errands.say([FAILED, FAILED])
        errands.stop()
        running = asyncio.create_task(errands.run())
        while not clock.slept_ns:
            await asyncio.sleep(0)
        inbox.room = 2
        await running
        assert inbox.batches == [[FAILED], [FAILED, FAILED]]

    run(body())


def test_shared_connections_stay_open_for_the_last_to_run() -> None:
    async def body() -> None:
        inbox, gate = ListInbox(), asyncio.Event()
        async with ScriptedVenue([(200, {}), (200, {})]) as venue:
            rest = rest_for(venue.origin, JumpingClock())

            async def carry(effect: Effect) -> list[Event]:
                await rest.attempt(READ)
                await gate.wait()
                await rest.attempt(READ)
                return [FAILED]

            slow, idle = Errands(carry, rest, inbox), Errands(carry, rest, inbox)
            slow.take(Ask(what="x"))
            running = asyncio.create_task(slow.run())
            while not venue.asked:
                await asyncio.sleep(0)
            idle.stop()
            await idle.run()
            gate.set()
            slow.stop()
            await running
        assert inbox.events == [FAILED]
        first, second = venue.asked
        assert first.peer == second.peer

    run(body())


def test_error_of_ours_ends_the_run() -> None:
    async def body() -> None:
        async def carry(effect: Effect) -> list[Event]:
            raise AssertionError("ours")

        errands = Errands(carry, rest_for("http://127.0.0.1:9", JumpingClock()), ListInbox())
        errands.take(Ask(what="x"))
        with pytest.raises(ExceptionGroup):
            await errands.run()

    run(body())
