"""The account's own limits, read at the start and kept to."""

import asyncio
from collections.abc import Coroutine

import pytest

from fairstrike.app.readiness import take_limits
from fairstrike.core.errors import Unreachable
from fairstrike.venue.kalshi.reads import Reads
from fairstrike.venue.kalshi.signing import Allowed
from fairstrike.venue.kalshi.wire.portfolio import AccountLimits
from tests.unit.venue.kalshi.fakes import JumpingClock, ListInbox
from tests.unit.venue.kalshi.scripted import DROP, Reply, ScriptedVenue, budget_for, rest_for

LIMITS: Reply = (
    200,
    {
        "usage_tier": "expert",
        "read": {"refill_rate": 600, "bucket_capacity": 1_800},
        "write": {"refill_rate": 600, "bucket_capacity": 1_800},
        "grants": [],
    },
)
COSTS: Reply = (
    200,
    {"default_cost": 5, "endpoint_costs": [{"method": "DELETE", "path": "/portfolio/events/orders", "cost": 3}]},
)


NOTHING = {"refill_rate": 0, "bucket_capacity": 0}


def taken(replies: list[Reply]) -> tuple[AccountLimits | str, int, int, int]:
    """What came of it; then the cost of a list, of a cancel-all, and how many orders a batch may hold."""
    found: list[tuple[AccountLimits | str, int, int, int]] = []

    async def body() -> None:
        clock = JumpingClock()
        budget = budget_for(clock)
        async with ScriptedVenue(replies) as venue:
            rest = rest_for(venue.origin, clock, Allowed.READS)
            try:
                told = await take_limits(Reads(rest, budget, ListInbox()), budget, clock.now_ns)
            finally:
                await rest.close()
        costs = budget.cost_of("GET", "/markets").tokens, budget.cost_of("DELETE", "/portfolio/events/orders").tokens
        found.append((told, *costs, budget.batch_max("POST", 1_000)))

    run(body())
    return found[0]


def run(body: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(body, 20))


def test_limits_and_costs_of_the_account_are_kept_to() -> None:
    limits, listing, cancel_all, batch_max = taken([LIMITS, COSTS])
    assert isinstance(limits, AccountLimits)
    assert limits.usage_tier == "expert"
    assert (listing, cancel_all, batch_max) == (5, 3, 356)


def test_a_busy_venue_is_asked_again() -> None:
    limits, *_ = taken([(429, {"error": "too many requests"}), LIMITS, (503, b""), COSTS])
    assert isinstance(limits, AccountLimits)


@pytest.mark.parametrize(
    "replies",
    [
        [(403, {"error": {"code": "forbidden", "message": "no"}})],
        [LIMITS, (404, {"error": {"code": "not_found", "message": "no"}})],
        [(200, {"usage_tier": "x"})],
        [(200, b"<html>")],
        [LIMITS, (200, {"default_cost": 0})],
        [(200, {"usage_tier": "x", "read": NOTHING, "write": NOTHING}), COSTS],
    ],
)
def test_without_them_the_lowest_tier_stays(replies: list[Reply]) -> None:
    told, *figures = taken(replies)
    assert isinstance(told, str)
    assert told.endswith("requests keep to those of the lowest tier")
    assert figures == [10, 10, 8]


def test_a_venue_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(Unreachable):
        taken([DROP] * 20)
