"""Our account as REST tells it: balance, fills, orders, positions, settlements, queue positions, limits."""

import msgspec

from fairstrike.venue.kalshi.wire.amounts import Seconds
from fairstrike.venue.kalshi.wire.pages import Page


class ShardBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Cash on one shard, in dollars: only this can be spent there."""

    exchange_index: int
    balance: str


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/balance. `balance` and `portfolio_value` are truncated cents; totals span shards."""

    balance: int
    balance_dollars: str | None = None
    portfolio_value: int = 0
    updated_ts: int = 0
    balance_breakdown: tuple[ShardBalance, ...] | None = None


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One match of ours; deduplicate on `trade_id` with `order_id`. Carries no client order id."""

    trade_id: str
    order_id: str
    ticker: str
    book_side: str
    count_fp: str
    yes_price_dollars: str
    is_taker: bool
    fee_cost: str
    fill_id: str | None = None
    market_ticker: str | None = None
    outcome_side: str | None = None
    no_price_dollars: str | None = None
    exchange_index: int | None = None
    subaccount_number: int | None = None
    side: str | None = None
    action: str | None = None
    created_time: str | None = None
    ts: Seconds | None = None


class FillsPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/fills."""

    fills: tuple[Fill, ...]


class WireOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order of ours: resting (also when partly filled), canceled or executed."""

    order_id: str
    ticker: str
    status: str
    book_side: str
    yes_price_dollars: str
    fill_count_fp: str
    remaining_count_fp: str
    initial_count_fp: str = "0.00"
    user_id: str = ""
    client_order_id: str = ""
    type: str = "limit"
    outcome_side: str | None = None
    no_price_dollars: str | None = None
    side: str | None = None
    action: str | None = None
    taker_fill_cost_dollars: str = "0.000000"
    maker_fill_cost_dollars: str = "0.000000"
    taker_fees_dollars: str = "0.000000"
    maker_fees_dollars: str = "0.000000"
    expiration_time: str | None = None
    created_time: str | None = None
    last_update_time: str | None = None
    self_trade_prevention_type: str | None = None
    order_group_id: str | None = None
    cancel_order_on_pause: bool | None = None
    subaccount_number: int | None = None
    exchange_index: int | None = None


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/orders/{order_id}."""

    order: WireOrder


class OrdersPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/orders."""

    orders: tuple[WireOrder, ...]


class MarketPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Net contracts in one market: positive YES, negative NO. Only unsettled markets are told."""

    ticker: str
    position_fp: str
    exchange_index: int | None = None
    total_traded_dollars: str = "0.000000"
    market_exposure_dollars: str = "0.000000"
    realized_pnl_dollars: str = "0.000000"
    fees_paid_dollars: str = "0.000000"
    last_updated_ts: str | None = None


class EventPosition(msgspec.Struct, frozen=True, kw_only=True):
    """What is open in one event."""

    event_ticker: str
    total_cost_dollars: str = "0.000000"
    total_cost_shares_fp: str = "0.00"
    event_exposure_dollars: str = "0.000000"
    realized_pnl_dollars: str = "0.000000"
    fees_paid_dollars: str = "0.000000"


class PositionsPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/positions."""

    market_positions: tuple[MarketPosition, ...]
    event_positions: tuple[EventPosition, ...] = ()


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A market of ours that was paid. `value` is cents per YES contract; `fee_cost` repeats trade fees."""

    ticker: str
    market_result: str
    settled_time: str
    event_ticker: str = ""
    yes_count_fp: str = "0.00"
    yes_total_cost_dollars: str = "0.000000"
    no_count_fp: str = "0.00"
    no_total_cost_dollars: str = "0.000000"
    revenue: int = 0
    fee_cost: str = "0.000000"
    value: int | None = None
    exchange_index: int | None = None


class SettlementsPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/settlements."""

    settlements: tuple[Settlement, ...]


class QueuePosition(msgspec.Struct, frozen=True, kw_only=True):
    """Contracts ahead of an order; zero is the front."""

    order_id: str
    queue_position_fp: str
    market_ticker: str = ""


class QueuePositionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/orders/queue_positions."""

    queue_positions: tuple[QueuePosition, ...]


class CreateSubaccount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST /portfolio/subaccounts; the body may be absent."""

    exchange_index: int | None = None


class SubaccountCreated(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to it; numbers count up from 1, the primary account is 0."""

    subaccount_number: int


class SubaccountBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Cash of one subaccount on one shard, in dollars."""

    subaccount_number: int
    exchange_index: int
    balance: str
    updated_ts: int


class SubaccountBalances(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/subaccounts/balances, the primary account included."""

    subaccount_balances: tuple[SubaccountBalance, ...]


class ApplySubaccountTransfer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST /portfolio/subaccounts/transfer: whole cents; the id is a UUID. The shard defaults to 0."""

    client_transfer_id: str
    from_subaccount: int
    to_subaccount: int
    amount_cents: int
    exchange_index: int | None = None


class SubaccountTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer between subaccounts; `created_ts` is epoch seconds."""

    transfer_id: str
    from_subaccount: int
    to_subaccount: int
    amount_cents: int
    exchange_index: int
    created_ts: int


class SubaccountTransfersPage(Page, frozen=True, kw_only=True):
    """GET /portfolio/subaccounts/transfers."""

    transfers: tuple[SubaccountTransfer, ...]


class OrderQueuePosition(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/orders/{order_id}/queue_position."""

    queue_position_fp: str


class RestingValue(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/summary/total_resting_order_value, in cents."""

    total_resting_order_value: int
    resting_order_value_breakdown: tuple[ShardBalance, ...] = ()


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the account and what it may do, such as "read" and "write::trade"."""

    api_key_id: str
    name: str = ""
    scopes: tuple[str, ...] = ()
    subaccount: int | None = None


class ApiKeysAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /api_keys."""

    api_keys: tuple[ApiKey, ...]


class BucketLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens a second, and how many can be saved up."""

    refill_rate: int
    bucket_capacity: int


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A tier the account was given: by traded volume, or by hand."""

    level: str
    source: str = ""
    exchange_instance: str = ""
    expires_ts: int | None = None


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True):
    """GET /account/limits."""

    usage_tier: str
    read: BucketLimit
    write: BucketLimit
    grants: tuple[Grant, ...] | None = ()


class EndpointCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one operation costs, in tokens; `path` is a template such as "/portfolio/orders/{order_id}"."""

    method: str
    path: str
    cost: int


class EndpointCosts(msgspec.Struct, frozen=True, kw_only=True):
    """GET /account/endpoint_costs."""

    default_cost: int
    endpoint_costs: tuple[EndpointCost, ...] = ()


class VolumeGoal(msgspec.Struct, frozen=True, kw_only=True):
    """How many contracts in thirty days earn a tier, and how many keep it."""

    level: str
    earn_volume_goal_fp: str
    keep_volume_goal_fp: str


class VolumeProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What the account traded in thirty days, and what it would take."""

    computed_ts: Seconds
    trailing_30d_volume_fp: str
    goals: tuple[VolumeGoal, ...]


class VolumeProgressAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /account/api_usage_level/volume_progress."""

    volume_progress: tuple[VolumeProgress, ...]
