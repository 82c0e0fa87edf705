"""Everything the exchange in a box tells: one closed union, `Happening`, in the order it happened.

`instant_ns` is venue time. Prices are YES prices in ticks whatever side they concern; the streaming and
answering layers turn them into the venue's words. Orders, fills and balances of house accounts (the
background liquidity) are private and stay untold; their level changes and trades are public like all others.
"""

from enum import StrEnum

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, TimeInForce


class SelfTrade(StrEnum):
    """What happens when an order meets one of its own account; the venue's own values."""

    TAKER_AT_CROSS = "taker_at_cross"
    MAKER = "maker"


class ShardState(StrEnum):
    """How far a shard of the exchange is open.

    While trading is paused cancels and decreases are taken, orders and amends are not; while the exchange is
    paused nothing is. Source: the venue's page on maintenance.
    """

    OPEN = "open"
    TRADING_PAUSED = "trading_paused"
    EXCHANGE_PAUSED = "exchange_paused"


class GroupMove(StrEnum):
    """What happened to an order group; the venue's own values of `event_type`."""

    CREATED = "created"
    TRIGGERED = "triggered"
    RESET = "reset"
    DELETED = "deleted"
    LIMIT_UPDATED = "limit_updated"


class OrderStatus(StrEnum):
    """The venue's order statuses; a partly filled order still rests."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


class UpdateReason(StrEnum):
    """The venue's `last_update_reason` values. Source: streaming documentation of October 2026."""

    DECREASE = "Decrease"
    AMEND = "Amend"
    MARGIN_CANCEL = "MarginCancel"
    SELF_TRADE_CANCEL = "SelfTradeCancel"
    EXPIRY_CANCEL = "ExpiryCancel"
    CLOSE_CANCEL = "CloseCancel"
    HALT_CANCEL = "HaltCancel"
    TRADE = "Trade"
    POST_ONLY_CROSS_CANCEL = "PostOnlyCrossCancel"
    REDUCE_ONLY_CANCEL = "ReduceOnlyCancel"


class OrderSnapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One order as it stood at `updated_ns`.

    `taker_cost_ud` and `maker_cost_ud` are what the filled contracts cost on the order's own outcome side
    (YES price × size for a bid, NO price × size for an ask), without fees. `remaining_cc` is 0 unless the
    order rests.
    """

    order_id: str
    client_order_id: str | None
    account: str
    ticker: str
    side: Side
    price_ticks: int
    status: OrderStatus
    initial_cc: int
    filled_cc: int
    remaining_cc: int
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    cancel_on_pause: bool
    self_trade: SelfTrade
    exchange_index: int
    taker_cost_ud: int
    maker_cost_ud: int
    taker_fees_ud: int
    maker_fees_ud: int
    created_ns: int
    updated_ns: int
    expire_ns: int | None = None
    reason: UpdateReason | None = None
    subaccount: int = 0
    group_id: str | None = None


class IndexAverage(msgspec.Struct, frozen=True, kw_only=True):
    """The mean (rounded half up) of the `count` prints known of source seconds [start, end)."""

    value_e8: int
    count: int
    start_second: int
    end_second: int


class LevelChanged(msgspec.Struct, frozen=True, kw_only=True, tag="level_changed", gc=False):
    """A signed change of the size resting at one price.

    `account`, `subaccount` and `client_order_id` name the order that caused it, for its owner's eyes only; `account`
    is None for house accounts.
    """

    instant_ns: int
    ticker: str
    side: Side
    price_ticks: int
    delta_cc: int
    client_order_id: str | None = None
    account: str | None = None
    subaccount: int = 0


class Traded(msgspec.Struct, frozen=True, kw_only=True, tag="traded", gc=False):
    """One match; `taker_side` is the aggressor's side of the book."""

    instant_ns: int
    trade_id: str
    ticker: str
    price_ticks: int
    size_cc: int
    taker_side: Side


class Filled(msgspec.Struct, frozen=True, kw_only=True, tag="filled", gc=False):
    """One account's half of a match. `post_position_cc` is its net position after it (negative is NO)."""

    instant_ns: int
    account: str
    trade_id: str
    order_id: str
    client_order_id: str | None
    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    fee_ud: int
    is_taker: bool
    post_position_cc: int
    subaccount: int = 0


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True, tag="order_changed", gc=False):
    """An order was taken, filled, changed or ended; `reason` None: placed, or cancelled by its owner or its group."""

    instant_ns: int
    account: str
    order: OrderSnapshot
    reason: UpdateReason | None


class BalanceChanged(msgspec.Struct, frozen=True, kw_only=True, tag="balance_changed", gc=False):
    """A subaccount's cash after a fill, a settlement or a transfer, what resting orders reserve included."""

    instant_ns: int
    account: str
    balance_ud: int
    subaccount: int = 0


class MarketListed(msgspec.Struct, frozen=True, kw_only=True, tag="market_listed"):
    """A market was created."""

    instant_ns: int
    contract: Contract
    schedule: FeeSchedule


class MarketActivated(msgspec.Struct, frozen=True, kw_only=True, tag="market_activated"):
    """A market's open time passed. The venue sends no message for it."""

    instant_ns: int
    ticker: str


class StrikePublished(msgspec.Struct, frozen=True, kw_only=True, tag="strike_published"):
    """A 15-minute market got its target; `contract` has it as `floor_e8`."""

    instant_ns: int
    contract: Contract


class MarketClosed(msgspec.Struct, frozen=True, kw_only=True, tag="market_closed"):
    """A market's close time passed. The venue sends no message for it, and an empty book snapshot later."""

    instant_ns: int
    ticker: str


class MarketDetermined(msgspec.Struct, frozen=True, kw_only=True, tag="market_determined"):
    """The result is known: what one YES contract pays, and the mean it came from (two decimals) if any."""

    instant_ns: int
    ticker: str
    value_ticks: int
    expiration_value_e8: int | None


class MarketSettled(msgspec.Struct, frozen=True, kw_only=True, tag="market_settled"):
    """Positions were paid out and are gone; balances changed."""

    instant_ns: int
    ticker: str
    value_ticks: int


class MarketDeactivated(msgspec.Struct, frozen=True, kw_only=True, tag="market_deactivated"):
    """A market was paused: nothing is taken there, not even cancels."""

    instant_ns: int
    ticker: str


class MarketReactivated(msgspec.Struct, frozen=True, kw_only=True, tag="market_reactivated"):
    """A paused market is open again; what still rested in it was cancelled before."""

    instant_ns: int
    ticker: str


class GridChanged(msgspec.Struct, frozen=True, kw_only=True, tag="grid_changed"):
    """A market got another price grid, that of `contract`; what rests stays."""

    instant_ns: int
    contract: Contract


class FeesChanged(msgspec.Struct, frozen=True, kw_only=True, tag="fees_changed"):
    """The markets of an event got another fee schedule."""

    instant_ns: int
    event_ticker: str
    schedule: FeeSchedule


class ShardChanged(msgspec.Struct, frozen=True, kw_only=True, tag="shard_changed"):
    """A shard of the exchange was paused or opened again."""

    instant_ns: int
    exchange_index: int
    state: ShardState


class GroupChanged(msgspec.Struct, frozen=True, kw_only=True, tag="group_changed"):
    """An account's order group was created, triggered, reset, deleted or given another limit."""

    instant_ns: int
    account: str
    group_id: str
    move: GroupMove
    limit_cc: int
    exchange_index: int
    subaccount: int = 0


class IndexPublished(msgspec.Struct, frozen=True, kw_only=True, tag="index_published"):
    """The index's value for source second `second` (epoch seconds), with its running means.

    `avg_60s` covers the prints of [second − 60, second); `quarter_hour`, present only in the minute before
    :00, :15, :30 and :45, the prints of (close − 60, second]. Either is None without a print. `fifths_e8` are the
    five values of the second, 200 ms apart, of which the print is the first; each is told when its time comes.
    """

    instant_ns: int
    asset: str
    second: int
    value_e8: int
    avg_60s: IndexAverage | None
    quarter_hour: IndexAverage | None
    fifths_e8: tuple[int, ...]


Happening = (
    LevelChanged
    | Traded
    | Filled
    | OrderChanged
    | BalanceChanged
    | IndexPublished
    | MarketListed
    | MarketActivated
    | StrikePublished
    | MarketClosed
    | MarketDetermined
    | MarketSettled
    | MarketDeactivated
    | MarketReactivated
    | GridChanged
    | FeesChanged
    | ShardChanged
    | GroupChanged
)
"""What `Floor.drain` gives."""
