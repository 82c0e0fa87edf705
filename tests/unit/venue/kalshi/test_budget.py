"""Buckets against a plain model, costs by operation, back-off within its bounds."""

from fractions import Fraction

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.kalshi.budget import Backoff, Bucket, Budget, BudgetParams
from fairstrike.venue.kalshi.wire.portfolio import BucketLimit, EndpointCost

ORDER = "/portfolio/events/orders/abc"


def fresh(now_ns: int = 0) -> Budget:
    return Budget(BudgetParams(), Dice(1, 1), now_ns)


@pytest.mark.parametrize(
    ("method", "path", "tokens", "is_write"),
    [
        ("GET", "/markets", 10, False),
        ("GET", "/portfolio/orders/abc", 2, False),
        ("GET", "/portfolio/orders/queue_positions", 10, False),
        ("GET", "/portfolio/orders", 10, False),
        ("POST", "/portfolio/events/orders", 10, True),
        ("POST", ORDER + "/amend", 10, True),
        ("DELETE", ORDER, 2, True),
        ("POST", "/account/api_usage_level/upgrade", 30, True),
    ],
)
def test_cost_of_an_operation(method: str, path: str, tokens: int, is_write: bool) -> None:
    cost = fresh().cost_of(method, path)
    assert (tokens, is_write) == (cost.tokens, cost.is_write)


@pytest.mark.parametrize(("method", "tokens"), [("POST", 50), ("DELETE", 10)])
def test_batch_costs_each_of_its_orders(method: str, tokens: int) -> None:
    assert fresh().cost_of(method, "/portfolio/events/orders/batched", items=5).tokens == tokens


def test_table_of_the_venue_replaces_ours() -> None:
    budget = fresh()
    path = "/trade-api/v2/portfolio/events/orders/{order_id}"
    budget.set_costs(7, [EndpointCost(method="DELETE", path=path, cost=3)])
    assert budget.cost_of("DELETE", ORDER).tokens == 3
    assert budget.cost_of("GET", "/markets").tokens == 7


def test_a_read_that_is_not_listed_costs_the_default_though_a_template_fits_it() -> None:
    budget = fresh()
    budget.set_costs(7, [EndpointCost(method="GET", path="/portfolio/orders/{order_id}", cost=2)])
    assert budget.cost_of("GET", "/portfolio/orders/abc").tokens == 2
    assert budget.cost_of("GET", "/portfolio/orders/queue_positions").tokens == 7


@pytest.mark.parametrize(
    ("method", "capacity", "wanted", "expected"),
    [("POST", 100, 50, 8), ("POST", 900, 50, 50), ("DELETE", 100, 500, 50), ("POST", 5, 50, 1)],
)
def test_a_batch_fits_into_the_bucket(method: str, capacity: int, wanted: int, expected: int) -> None:
    budget = fresh()
    limit = BucketLimit(refill_rate=1, bucket_capacity=capacity)
    budget.set_limits(limit, limit, 0)
    assert budget.batch_max(method, wanted) == expected


def test_basic_tier_gives_twenty_reads_at_once_and_then_one_each_fifty_milliseconds() -> None:
    budget = fresh()
    cost = budget.cost_of("GET", "/markets")
    for _ in range(20):
        assert budget.wait_ns(cost, 0) == 0
        budget.take(cost, 0)
    assert budget.wait_ns(cost, 0) == 50_000_000
    assert budget.wait_ns(cost, 20_000_000) == 30_000_000
    assert budget.wait_ns(cost, 50_000_000) == 0


def test_orders_leave_a_reserve_for_cancels() -> None:
    budget = fresh()
    send, cancel = budget.cost_of("POST", "/portfolio/events/orders"), budget.cost_of("DELETE", ORDER)
    sent = 0
    while budget.wait_ns(send, 0) == 0:
        budget.take(send, 0)
        sent += 1
    assert sent == 8
    assert budget.wait_ns(cancel, 0) == 0


def test_refusal_empties_the_bucket_and_is_counted() -> None:
    budget = fresh()
    cost = budget.cost_of("GET", "/markets")
    budget.note_refused(cost, 0)
    assert budget.wait_ns(cost, 0) == 50_000_000
    assert budget.wait_ns(budget.cost_of("DELETE", ORDER), 0) == 0
    assert budget.counts.refusals_429 == 1


def test_a_refusal_that_says_how_long_keeps_its_bucket_empty_for_as_long() -> None:
    budget = fresh()
    cost = budget.cost_of("GET", "/markets")
    budget.note_refused(cost, 0, 7 * SECOND_NS)
    budget.note_refused(cost, SECOND_NS, 2 * SECOND_NS)
    assert budget.wait_ns(cost, 3 * SECOND_NS) == 4 * SECOND_NS + 50_000_000
    assert budget.wait_ns(cost, 7 * SECOND_NS + 50_000_000) == 0
    assert budget.wait_ns(budget.cost_of("DELETE", ORDER), 0) == 0
    budget.note_refused(cost, 8 * SECOND_NS, 3_600 * SECOND_NS)
    assert budget.wait_ns(cost, 8 * SECOND_NS) == 60 * SECOND_NS + 50_000_000


def test_one_object_is_read_once_a_second() -> None:
    budget = fresh()
    cost = budget.cost_of("GET", "/markets/A")
    budget.take(cost, 0, "/markets/A")
    assert budget.wait_ns(cost, 300_000_000, "/markets/A") == 700_000_000
    assert budget.wait_ns(cost, 300_000_000, "/markets/B") == 0
    assert budget.wait_ns(cost, SECOND_NS, "/markets/A") == 0


def test_own_limits_start_empty() -> None:
    budget = fresh()
    limit = BucketLimit(refill_rate=300, bucket_capacity=900)
    budget.set_limits(limit, limit, SECOND_NS)
    cost = budget.cost_of("GET", "/markets")
    assert budget.wait_ns(cost, SECOND_NS) == 33_333_334
    assert budget.wait_ns(cost, 4 * SECOND_NS) == 0


def test_request_dearer_than_the_bucket_waits_for_a_full_one() -> None:
    bucket = Bucket(BucketLimit(refill_rate=10, bucket_capacity=20), 0)
    assert bucket.wait_ns(1_000, 0) == 0


@pytest.mark.parametrize("seed", range(20))
def test_bucket_equals_a_plain_model(seed: int) -> None:
    dice = Dice(seed, 2)
    limit = BucketLimit(refill_rate=dice.between(1, 300), bucket_capacity=dice.between(10, 900))
    bucket, level, now_ns = Bucket(limit, 0), Fraction(limit.bucket_capacity), 0
    for _ in range(200):
        step_ns = dice.below(SECOND_NS // 4)
        now_ns += step_ns
        level = min(level + Fraction(limit.refill_rate * step_ns, SECOND_NS), Fraction(limit.bucket_capacity))
        tokens = dice.between(1, 10)
        wait_ns = bucket.wait_ns(tokens, now_ns)
        missing = max(Fraction(0), tokens - level)
        assert wait_ns == -(-missing * SECOND_NS // limit.refill_rate)
        if not wait_ns:
            bucket.take(tokens, now_ns)
            level -= tokens


@pytest.mark.parametrize("seed", range(10))
def test_backoff_doubles_from_one_second_to_thirty(seed: int) -> None:
    backoff = Backoff(SECOND_NS, 30 * SECOND_NS, Dice(seed, 3))
    for full_s in (1, 2, 4, 8, 16, 30, 30, 30):
        wait_ns = backoff.next_ns()
        assert max(SECOND_NS, full_s * SECOND_NS * 3 // 4) <= wait_ns <= full_s * SECOND_NS
    backoff.reset()
    assert backoff.next_ns() == SECOND_NS


def test_retries_are_counted_with_their_waits() -> None:
    budget = fresh()
    budget.note_retry(5)
    budget.note_retry(7)
    budget.note_wait()
    counts = budget.counts
    assert (counts.retries, counts.backoff_ns, counts.waits) == (2, 12, 1)


def test_equal_dice_give_equal_backoff() -> None:
    first, second = fresh().backoff(), fresh().backoff()
    assert [first.next_ns() for _ in range(9)] == [second.next_ns() for _ in range(9)]
