"""Where an account stands beside trading: its first money, its keys, its volume, what its resting orders would cost.

An account of the box is opened with money and never pays in or out again. Source: the venue's published interface.
"""

from fairstrike.core.order import collateral_ud
from fairstrike.core.timing import DAY_NS, SECOND_NS
from fairstrike.core.units import UD_PER_CENT, format_cc
from fairstrike.exchange.api.call import BoxResponse, Call, Desk, answer_json, read_query
from fairstrike.exchange.api.shards import MoneyQuery
from fairstrike.exchange.api.words import balance_dollars
from fairstrike.exchange.happenings import OrderStatus
from fairstrike.venue.kalshi.wire.portfolio import (
    ApiKey,
    ApiKeysAnswer,
    RestingValue,
    ShardBalance,
    VolumeProgress,
    VolumeProgressAnswer,
)
from fairstrike.venue.kalshi.wire.transfers import DepositsPage, Payment

_VOLUME_NS = 30 * DAY_NS


def resting_value(desk: Desk, call: Call) -> BoxResponse:
    """Give what the account's resting orders would cost filled at their prices, without fees, in all and by shard.

    All subaccounts count; the total is in whole cents, truncated.
    """
    values: dict[int, int] = {}
    for order in desk.floor.orders(call.owner):
        if order.status is OrderStatus.RESTING:
            cost_ud = collateral_ud(order.side, order.price_ticks, order.remaining_cc)
            values[order.exchange_index] = values.get(order.exchange_index, 0) + cost_ud
    rows = tuple(
        ShardBalance(exchange_index=shard, balance=balance_dollars(ud)) for shard, ud in sorted(values.items())
    )
    total_ud = sum(values.values())
    return answer_json(
        RestingValue(total_resting_order_value=total_ud // UD_PER_CENT, resting_order_value_breakdown=rows)
    )


def deposits(desk: Desk, call: Call) -> BoxResponse:
    """Give the one deposit there is, the money that the account opened with, in whole cents; none without money."""
    query = read_query(call, MoneyQuery)
    account = desk.floor.account(call.owner)
    assert account is not None, "who signs has an account"
    opened_ts = account.opened_ns // SECOND_NS
    first = Payment(
        id=f"{call.owner}-opening",
        status="applied",
        type="wire",
        amount_cents=account.first_ud // UD_PER_CENT,
        fee_cents=0,
        created_ts=opened_ts,
        finalized_ts=opened_ts,
    )
    is_shown = first.amount_cents > 0 and not query.cursor
    return answer_json(DepositsPage(deposits=(first,) if is_shown else ()))


def withdrawals(desk: Desk, call: Call) -> BoxResponse:
    """Give withdrawals: none."""
    read_query(call, MoneyQuery)
    return answer_json({"withdrawals": [], "cursor": ""})


def keys(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's key, which may do everything."""
    account = desk.floor.account(call.owner)
    assert account is not None, "who signs has an account"
    key = ApiKey(api_key_id=account.key_id, name=call.owner, scopes=("read", "write"))
    return answer_json(ApiKeysAnswer(api_keys=(key,)))


def volume_progress(desk: Desk, call: Call) -> BoxResponse:
    """Give the contracts traded in thirty days, and no goals: no volume earns another tier in the box."""
    since_ns = call.now_ns - _VOLUME_NS
    traded_cc = sum(fill.size_cc for fill in desk.floor.fills(call.owner) if fill.instant_ns >= since_ns)
    row = VolumeProgress(computed_ts=call.now_ns // SECOND_NS, trailing_30d_volume_fp=format_cc(traded_cc), goals=())
    return answer_json(VolumeProgressAnswer(volume_progress=(row,)))
