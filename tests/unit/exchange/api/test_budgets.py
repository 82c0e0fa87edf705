"""Token buckets refill by venue time and are charged per shard."""

from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange.api.budgets import BASIC, SHARDS, Budgets, tier


def test_a_full_bucket_covers_a_second_and_not_more() -> None:
    budgets = Budgets(BASIC)
    assert [budgets.spend_write("a", 10, 2, 0) for _ in range(11)] == [True] * 10 + [False]
    assert [budgets.spend_read("a", 10, 0) for _ in range(21)] == [True] * 20 + [False]


def test_tokens_come_back_without_steps() -> None:
    budgets = Budgets(BASIC)
    assert budgets.spend_write("a", 100, 2, 0)
    assert not budgets.spend_write("a", 10, 2, 100 * MILLISECOND_NS - 1)
    assert budgets.spend_write("a", 10, 2, 100 * MILLISECOND_NS)
    assert not budgets.spend_write("a", 1, 2, 100 * MILLISECOND_NS)


def test_a_bucket_holds_no_more_than_its_capacity() -> None:
    budgets = Budgets(BASIC)
    budgets.spend_write("a", 100, 2, 0)
    assert budgets.spend_write("a", 100, 2, 3_600 * SECOND_NS)
    assert not budgets.spend_write("a", 1, 2, 3_600 * SECOND_NS)


def test_a_routed_write_is_charged_on_every_shard_and_a_direct_one_on_its_own() -> None:
    budgets = Budgets(BASIC)
    assert budgets.spend_write("a", 60, None, 0)
    assert all(not budgets.spend_write("a", 50, shard, 0) for shard in SHARDS)
    assert budgets.spend_write("a", 40, 2, 0)
    assert not budgets.spend_write("a", 40, None, 0)
    assert budgets.spend_write("a", 40, 0, 0)


def test_accounts_do_not_share_and_no_tier_means_no_limit() -> None:
    budgets = Budgets(BASIC)
    assert budgets.spend_read("a", 200, 0)
    assert budgets.spend_read("b", 200, 0)
    assert all(Budgets(None).spend_write("a", 10_000, 2, 0) for _ in range(10))


@given(st.lists(st.tuples(st.integers(0, SECOND_NS), st.integers(1, 40)), max_size=60))
def test_never_more_is_spent_than_capacity_and_refill_allow(acts: list[tuple[int, int]]) -> None:
    limits = tier("test", 30, 30, burst_seconds=2)
    budgets = Budgets(limits)
    now_ns, spent = 0, 0
    for wait_ns, tokens in acts:
        now_ns += wait_ns
        before = spent
        if budgets.spend_write("a", tokens, 2, now_ns):
            spent += tokens
        elif tokens <= limits.write.bucket_capacity:
            assert (before + tokens) * SECOND_NS > limits.write.refill_rate * now_ns
        assert spent * SECOND_NS <= 60 * SECOND_NS + limits.write.refill_rate * now_ns
