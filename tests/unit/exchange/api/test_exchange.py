"""Status, schedule, limits and costs."""

import pytest

from fairstrike.exchange.api.budgets import BASIC
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.happenings import ShardState
from tests.unit.exchange.api.client import Client


def test_the_crypto_shard_is_open() -> None:
    body = Client().get("/exchange/status")
    shards = {row["exchange_index"]: row["trading_active"] for row in body["exchange_index_statuses"]}
    assert (body["trading_active"], shards[2]) == (True, True)


@pytest.mark.parametrize(
    ("state", "is_exchange_active", "is_trading_active"),
    [
        (ShardState.OPEN, True, True),
        (ShardState.TRADING_PAUSED, True, False),
        (ShardState.EXCHANGE_PAUSED, False, False),
    ],
)
def test_a_paused_shard_shows_on_its_own_line(
    state: ShardState, is_exchange_active: bool, is_trading_active: bool
) -> None:
    client = Client()
    client.floor.set_shard(2, state, client.now_ns)
    body = client.get("/exchange/status")
    (row,) = [each for each in body["exchange_index_statuses"] if each["exchange_index"] == 2]
    assert (row["exchange_active"], row["trading_active"]) == (is_exchange_active, is_trading_active)
    assert (body["exchange_active"], body["trading_active"]) == (True, True), "the top level is shard 0"


def test_thursday_has_its_pause() -> None:
    (week,) = Client().get("/exchange/schedule")["schedule"]["standard_hours"]
    assert [(row["open_time"], row["close_time"]) for row in week["thursday"]] == [
        ("00:00", "03:00"),
        ("05:00", "00:00"),
    ]


def test_limits_are_those_that_are_held() -> None:
    body = Client(BoxParams(tier=BASIC)).get("/account/limits")
    assert body["read"] == {"refill_rate": 200, "bucket_capacity": 200}
    assert body["write"] == {"refill_rate": 100, "bucket_capacity": 100}


def test_cancels_cost_two_tokens() -> None:
    body = Client().get("/account/endpoint_costs")
    costs = {(row["method"], row["path"]): row["cost"] for row in body["endpoint_costs"]}
    assert body["default_cost"] == 10
    assert costs["DELETE", "/portfolio/events/orders/{order_id}"] == 2


def test_reads_are_as_fresh_as_the_request() -> None:
    assert Client().get("/exchange/user_data_timestamp") == {"as_of_time": "2026-11-21T21:30:00Z"}
