"""The exchange itself: status, schedule, freshness, limits and costs."""

import msgspec

from fairstrike.core.timing import DAY_NS, format_rfc3339
from fairstrike.exchange.api.budgets import (
    ADVANCED,
    CANCEL_COST,
    DEFAULT_COST,
    ORDER_READ_COST,
    SHARDS,
    BucketLimit,
)
from fairstrike.exchange.api.call import BoxResponse, Call, Desk, answer_json
from fairstrike.exchange.happenings import ShardState

_SHARD_NAMES = {0: "default", 1: "combos", 2: "crypto and commodities", 3: "sports"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ALL_DAY = ({"open_time": "00:00", "close_time": "00:00"},)
# Trading pauses on Thursday from 03:00 to 05:00 in New York. Source: the venue's page on maintenance.
_THURSDAY = (
    {"open_time": "00:00", "close_time": "03:00"},
    {"open_time": "05:00", "close_time": "00:00"},
)
_COSTS = (
    ("POST", "/portfolio/events/orders", DEFAULT_COST),
    ("POST", "/portfolio/events/orders/batched", DEFAULT_COST),
    ("POST", "/portfolio/events/orders/{order_id}/amend", DEFAULT_COST),
    ("POST", "/portfolio/events/orders/{order_id}/decrease", DEFAULT_COST),
    ("DELETE", "/portfolio/events/orders/{order_id}", CANCEL_COST),
    ("DELETE", "/portfolio/events/orders/batched", CANCEL_COST),
    ("DELETE", "/portfolio/events/orders", CANCEL_COST),
    ("GET", "/portfolio/orders/{order_id}", ORDER_READ_COST),
)


class _ShardStatus(msgspec.Struct, frozen=True, kw_only=True):
    exchange_index: int
    description: str
    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool


class _Status(msgspec.Struct, frozen=True, kw_only=True):
    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool
    exchange_index_statuses: tuple[_ShardStatus, ...]


class _Limits(msgspec.Struct, frozen=True, kw_only=True):
    usage_tier: str
    read: BucketLimit
    write: BucketLimit
    grants: tuple[str, ...] = ()


def status(desk: Desk, call: Call) -> BoxResponse:
    """Give whether each shard is open; the top level speaks of shard 0, as at the venue."""
    shards = tuple(_shard_status(desk, shard) for shard in SHARDS)
    first = shards[0]
    return answer_json(
        _Status(
            exchange_active=first.exchange_active,
            trading_active=first.trading_active,
            intra_exchange_transfers_active=first.intra_exchange_transfers_active,
            exchange_index_statuses=shards,
        )
    )


def schedule(desk: Desk, call: Call) -> BoxResponse:
    """Give the weekly hours in New York time, valid from a day ago for a year."""
    week: dict[str, object] = {day: _THURSDAY if day == "thursday" else _ALL_DAY for day in _DAYS}
    week["start_time"] = format_rfc3339(call.now_ns - DAY_NS)
    week["end_time"] = format_rfc3339(call.now_ns + 365 * DAY_NS)
    return answer_json({"schedule": {"standard_hours": [week], "maintenance_windows": []}})


def user_data_timestamp(desk: Desk, call: Call) -> BoxResponse:
    """Give how fresh portfolio reads are: as fresh as the request, since the box's reads do not lag."""
    return answer_json({"as_of_time": format_rfc3339(call.now_ns)})


def limits(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's tier and buckets; with limits switched off, the Advanced tier's."""
    tier = desk.budgets.tier or ADVANCED
    return answer_json(_Limits(usage_tier=tier.name, read=tier.read, write=tier.write))


def endpoint_costs(desk: Desk, call: Call) -> BoxResponse:
    """Give what operations cost in tokens."""
    costs = [{"method": method, "path": path, "cost": cost} for method, path, cost in _COSTS]
    return answer_json({"default_cost": DEFAULT_COST, "endpoint_costs": costs})


def _shard_status(desk: Desk, shard: int) -> _ShardStatus:
    state = desk.floor.shard_state(shard)
    is_active = state is not ShardState.EXCHANGE_PAUSED
    return _ShardStatus(
        exchange_index=shard,
        description=_SHARD_NAMES[shard],
        exchange_active=is_active,
        trading_active=state is ShardState.OPEN,
        intra_exchange_transfers_active=is_active,
    )
