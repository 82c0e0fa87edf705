"""The venue's JSON objects as the box sends them: complete where the client's own types are lenient.

These are written apart from the client's, so that a misreading on one side shows as a difference. Optional
fields are left out, not sent as null. Source: the venue's published interface, version 3.34.
"""

import msgspec

Pair = tuple[str, str]
Number = int | float


class _Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Every field is sent."""


class PriceRangeShape(_Shape, frozen=True, kw_only=True):
    """One stretch of a price grid, in dollars."""

    start: str
    end: str
    step: str


class MarketShape(msgspec.Struct, frozen=True, kw_only=True):
    """The market object. `liquidity_dollars`, always zero, is no longer published, but kalshi-sdk 22.4 needs it."""

    ticker: str
    event_ticker: str
    title: str
    yes_sub_title: str
    no_sub_title: str
    created_time: str
    updated_time: str
    open_time: str
    close_time: str
    expected_expiration_time: str
    latest_expiration_time: str
    settlement_timer_seconds: int
    status: str
    yes_bid_dollars: str
    yes_ask_dollars: str
    no_bid_dollars: str
    no_ask_dollars: str
    yes_bid_size_fp: str
    yes_ask_size_fp: str
    last_price_dollars: str
    previous_price_dollars: str
    previous_yes_bid_dollars: str
    previous_yes_ask_dollars: str
    volume_fp: str
    volume_24h_fp: str
    open_interest_fp: str
    result: str
    expiration_value: str
    rules_primary: str
    rules_secondary: str
    price_level_structure: str
    price_ranges: tuple[PriceRangeShape, ...]
    strike_type: str
    exchange_index: int
    market_type: str = "binary"
    notional_value_dollars: str = "1.0000"
    can_close_early: bool = True
    settlement_bounds_type: str = "default"
    liquidity_dollars: str = "0.0000"
    settlement_value_dollars: str | msgspec.UnsetType = msgspec.UNSET
    settlement_ts: str | msgspec.UnsetType = msgspec.UNSET
    floor_strike: Number | msgspec.UnsetType = msgspec.UNSET
    cap_strike: Number | msgspec.UnsetType = msgspec.UNSET
    custom_strike: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class SourceShape(_Shape, frozen=True, kw_only=True):
    """Where settlement values come from."""

    name: str
    url: str


class SeriesShape(_Shape, frozen=True, kw_only=True):
    """The series object; `fee_multiplier` is a JSON number, volume and metadata only when asked for."""

    ticker: str
    frequency: str
    title: str
    fee_type: str
    fee_multiplier: Number
    exchange_index: int
    settlement_sources: tuple[SourceShape, ...]
    last_updated_ts: str
    category: str = "Crypto"
    categories: tuple[str, ...] = ("Crypto",)
    tags: tuple[str, ...] = ()
    contract_url: str = ""
    contract_terms_url: str = ""
    additional_prohibitions: tuple[str, ...] = ()
    volume_fp: str | msgspec.UnsetType = msgspec.UNSET
    product_metadata: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class EventShape(msgspec.Struct, frozen=True, kw_only=True):
    """The event object; `markets` only when nested markets were asked for."""

    event_ticker: str
    series_ticker: str
    title: str
    sub_title: str
    collateral_return_type: str
    mutually_exclusive: bool
    strike_date: str
    exchange_index: int
    settlement_sources: tuple[SourceShape, ...]
    last_updated_ts: str
    category: str = "Crypto"
    fee_type_override: str | msgspec.UnsetType = msgspec.UNSET
    fee_multiplier_override: Number | msgspec.UnsetType = msgspec.UNSET
    markets: tuple[MarketShape, ...] | msgspec.UnsetType = msgspec.UNSET


class BookShape(_Shape, frozen=True, kw_only=True):
    """Both sides as bids, [price, count] ascending, best last; NO levels carry NO prices."""

    yes_dollars: tuple[Pair, ...]
    no_dollars: tuple[Pair, ...]


class TickerBookShape(_Shape, frozen=True, kw_only=True):
    """One book of several."""

    ticker: str
    orderbook_fp: BookShape


class TradeShape(_Shape, frozen=True, kw_only=True):
    """A public trade as REST tells it."""

    trade_id: str
    ticker: str
    count_fp: str
    yes_price_dollars: str
    no_price_dollars: str
    taker_outcome_side: str
    taker_book_side: str
    taker_side: str
    created_time: str
    is_block_trade: bool = False


class FillShape(_Shape, frozen=True, kw_only=True):
    """One of the account's fills; no client order id since March 2026."""

    fill_id: str
    trade_id: str
    order_id: str
    ticker: str
    market_ticker: str
    exchange_index: int
    outcome_side: str
    book_side: str
    side: str
    action: str
    count_fp: str
    yes_price_dollars: str
    no_price_dollars: str
    is_taker: bool
    fee_cost: str
    created_time: str
    ts: int
    subaccount_number: int = 0


class OrderShape(msgspec.Struct, frozen=True, kw_only=True):
    """The order object of REST."""

    order_id: str
    user_id: str
    client_order_id: str
    ticker: str
    outcome_side: str
    book_side: str
    side: str
    action: str
    status: str
    yes_price_dollars: str
    no_price_dollars: str
    fill_count_fp: str
    remaining_count_fp: str
    initial_count_fp: str
    taker_fill_cost_dollars: str
    maker_fill_cost_dollars: str
    taker_fees_dollars: str
    maker_fees_dollars: str
    created_time: str
    last_update_time: str
    self_trade_prevention_type: str
    cancel_order_on_pause: bool
    exchange_index: int
    type: str = "limit"
    subaccount_number: int = 0
    expiration_time: str | msgspec.UnsetType = msgspec.UNSET
    order_group_id: str | msgspec.UnsetType = msgspec.UNSET


class MarketPositionShape(_Shape, frozen=True, kw_only=True):
    """The account's position in one market; `position_fp` is negative for NO."""

    ticker: str
    exchange_index: int
    total_traded_dollars: str
    position_fp: str
    market_exposure_dollars: str
    realized_pnl_dollars: str
    fees_paid_dollars: str
    last_updated_ts: str


class EventPositionShape(_Shape, frozen=True, kw_only=True):
    """The sum of an event's market positions."""

    event_ticker: str
    total_cost_dollars: str
    total_cost_shares_fp: str
    event_exposure_dollars: str
    realized_pnl_dollars: str
    fees_paid_dollars: str


class SettlementShape(_Shape, frozen=True, kw_only=True):
    """What a market paid; `revenue` and `value` are whole cents."""

    ticker: str
    event_ticker: str
    exchange_index: int
    market_result: str
    yes_count_fp: str
    yes_total_cost_dollars: str
    no_count_fp: str
    no_total_cost_dollars: str
    revenue: int
    value: int
    fee_cost: str
    settled_time: str


class ShardBalanceShape(_Shape, frozen=True, kw_only=True):
    """The money on one shard, in dollars."""

    exchange_index: int
    balance: str


class BalanceShape(_Shape, frozen=True, kw_only=True):
    """The account's money; `balance` and `portfolio_value` are whole cents, truncated."""

    balance: int
    balance_dollars: str
    portfolio_value: int
    updated_ts: int
    balance_breakdown: tuple[ShardBalanceShape, ...]
