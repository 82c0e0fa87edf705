"""Frames the venue sends on the stream: one tagged union by `type`, with the fields we use.

Unknown fields are ignored. An unknown type does not decode as a `Frame`; `decode_envelope` still tells its
type and number. Absent optional fields are omitted when such a value is encoded, as the venue does; an empty side
of a book is an absent key. Source: AsyncAPI document 2.0.0 and captures of August 2026.
"""

from decimal import Decimal
from typing import Literal, get_args

import msgspec

from fairstrike.venue.kalshi.wire.amounts import Count, Milliseconds, Seconds
from fairstrike.venue.kalshi.wire.markets import CustomStrike, WireRange

OutcomeSide = Literal["yes", "no"]
BookSide = Literal["bid", "ask"]
WireLevel = tuple[str, str]
"""A price in dollars and a count of contracts, both text."""


class SnapshotMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Bids of both outcomes, ascending; NO levels carry NO prices."""

    market_ticker: str
    market_id: str | None = None
    yes_dollars_fp: tuple[WireLevel, ...] = ()
    no_dollars_fp: tuple[WireLevel, ...] = ()


class DeltaMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A signed change of one level; the price is the NO price when `side` is no."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: OutcomeSide
    client_order_id: str | None = None
    ts_ms: Milliseconds | None = None


class TickerMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A market's summary. A side is empty when its size is zero, whatever its price says."""

    market_ticker: str
    market_id: str | None = None
    price_dollars: str | None = None
    yes_bid_dollars: str | None = None
    yes_ask_dollars: str | None = None
    yes_bid_size_fp: str | None = None
    yes_ask_size_fp: str | None = None
    last_trade_size_fp: str | None = None
    volume_fp: str | None = None
    open_interest_fp: str | None = None
    dollar_volume: Count | None = None
    dollar_open_interest: Count | None = None
    ts: Seconds | None = None
    ts_ms: Milliseconds | None = None


class TradeMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A match between anyone."""

    market_ticker: str
    yes_price_dollars: str
    count_fp: str
    trade_id: str | None = None
    no_price_dollars: str | None = None
    taker_outcome_side: OutcomeSide | None = None
    taker_book_side: BookSide | None = None
    taker_side: OutcomeSide | None = None
    is_block_trade: bool | None = None
    ts: Seconds | None = None
    ts_ms: Milliseconds | None = None


class FillMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A match of an order of ours."""

    trade_id: str
    order_id: str
    market_ticker: str
    book_side: BookSide
    yes_price_dollars: str
    count_fp: str
    fee_cost: str
    is_taker: bool
    client_order_id: str | None = None
    outcome_side: OutcomeSide | None = None
    exchange_index: int | None = None
    post_position_fp: str | None = None
    ts: Seconds | None = None
    ts_ms: Milliseconds | None = None


class UserOrderMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one order of ours after a change."""

    order_id: str
    ticker: str
    status: str
    book_side: BookSide
    yes_price_dollars: str
    fill_count_fp: str
    remaining_count_fp: str
    initial_count_fp: str | None = None
    client_order_id: str | None = None
    outcome_side: OutcomeSide | None = None
    exchange_index: int | None = None
    taker_fees_dollars: str | None = None
    maker_fees_dollars: str | None = None
    taker_fill_cost_dollars: str | None = None
    maker_fill_cost_dollars: str | None = None
    order_group_id: str | None = None
    last_update_reason: str | None = None
    created_ts_ms: Milliseconds | None = None
    last_updated_ts_ms: Milliseconds | None = None
    expiration_ts_ms: Milliseconds | None = None


class PositionMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Our net position in one market."""

    market_ticker: str
    position_fp: str
    position_cost_dollars: str | None = None
    realized_pnl_dollars: str | None = None
    fees_paid_dollars: str | None = None
    position_fee_cost_dollars: str | None = None
    volume_fp: str | None = None


class LifecycleMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a newly created market is."""

    name: str | None = None
    title: str | None = None
    yes_sub_title: str | None = None
    no_sub_title: str | None = None
    rules_primary: str | None = None
    rules_secondary: str | None = None
    can_close_early: bool | None = None
    event_ticker: str | None = None
    expected_expiration_ts: Seconds | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    custom_strike: CustomStrike | None = None


class LifecycleMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to a market; `event_type` says what and which fields are there."""

    event_type: str
    market_ticker: str
    exchange_index: int | None = None
    open_ts: Seconds | None = None
    close_ts: Seconds | None = None
    price_level_structure: str | None = None
    price_ranges: tuple[WireRange, ...] | None = None
    additional_metadata: LifecycleMetadata | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    custom_strike: CustomStrike | None = None
    yes_sub_title: str | None = None
    is_deactivated: bool | None = None
    determination_ts: Seconds | None = None
    result: str | None = None
    settlement_value: Decimal | None = None
    settled_ts: Seconds | None = None


class OrderGroupMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an order group: created, triggered, reset, deleted or limit_updated."""

    event_type: str
    order_group_id: str
    contracts_limit_fp: str | None = None
    ts_ms: Milliseconds | None = None


class EventLifecycleMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A new event."""

    event_ticker: str
    series_ticker: str | None = None
    exchange_index: int | None = None
    title: str | None = None
    subtitle: str | None = None
    collateral_return_type: str | None = None
    strike_date: str | None = None
    strike_period: str | None = None


class EventFeeMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event's override of its series' fees; None takes one back."""

    event_ticker: str
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None


class IndexAverage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The venue's own mean of index values over a window."""

    value: Decimal
    window_size: int | None = None
    window_start_ts_ms: Milliseconds | None = None
    window_end_ts_exclusive: Milliseconds | None = None


class IndexMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value of an index; `data` is JSON inside JSON, an `IndexData`."""

    index_id: str
    data: str
    received_at: Milliseconds | None = None
    avg_60s_data: IndexAverage | None = None
    last_60s_windowed_average_15min: IndexAverage | None = None


class FastIndexMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of five values of an index a second, in dollars; `source_ts_ms` is the publisher's stamp."""

    index_id: str
    value_usd: Decimal
    source_ts_ms: Milliseconds
    received_at: Milliseconds | None = None
    data: str | None = None


class IndexData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The index publisher's own frame: `time` in epoch milliseconds, `value` in dollars."""

    time: Milliseconds
    value: Decimal
    type: str = "value"
    id: str = ""


class SubscribedMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One channel is open under `sid`."""

    channel: str
    sid: int


class OkMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The full list of markets of a subscription after a change."""

    market_tickers: tuple[str, ...] | None = None


class ErrorMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a command or a subscription failed. Codes 9 and 11 refuse a channel."""

    code: int | None = None
    msg: str | None = None
    market_ticker: str | None = None
    market_tickers: tuple[str, ...] | None = None


TERMINAL_CODES = frozenset({10, 25})
"""The codes of errors that end a subscription."""

UNKNOWN_SID = 7
"""The code of an error that knows no such subscription."""


class DeltaFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="orderbook_delta"):
    """A change of a book."""

    msg: DeltaMessage
    sid: int | None = None
    seq: int | None = None


class SnapshotFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="orderbook_snapshot"):
    """A whole book; `id` is there when it answers a request for it."""

    msg: SnapshotMessage
    sid: int | None = None
    seq: int | None = None
    id: int | None = None


class TickerFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="ticker"):
    """A market's summary. Not numbered."""

    msg: TickerMessage
    sid: int | None = None
    seq: int | None = None


class TradeFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="trade"):
    """A match between anyone."""

    msg: TradeMessage
    sid: int | None = None
    seq: int | None = None


class FillFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="fill"):
    """A match of ours. Not numbered."""

    msg: FillMessage
    sid: int | None = None
    seq: int | None = None


class UserOrderFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="user_order"):
    """An order of ours. Not numbered."""

    msg: UserOrderMessage
    sid: int | None = None
    seq: int | None = None


class PositionFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="market_position"):
    """A position of ours. Not numbered."""

    msg: PositionMessage
    sid: int | None = None
    seq: int | None = None


class LifecycleFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="market_lifecycle_v2"):
    """Something happened to a market."""

    msg: LifecycleMessage
    sid: int | None = None
    seq: int | None = None


class IndexFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="cfbenchmarks_value"):
    """One value of an index."""

    msg: IndexMessage
    sid: int | None = None
    seq: int | None = None


class FastIndexFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="cfbenchmarks_value_5hz"):
    """One of five values of an index a second. Not numbered."""

    msg: FastIndexMessage
    sid: int | None = None
    seq: int | None = None


class OrderGroupFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="order_group_updates"):
    """Something happened to an order group of ours."""

    msg: OrderGroupMessage
    sid: int | None = None
    seq: int | None = None


class EventLifecycleFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="event_lifecycle"):
    """An event was made. On the lifecycle channel."""

    msg: EventLifecycleMessage
    sid: int | None = None
    seq: int | None = None


class EventFeeFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="event_fee_update"):
    """An event's fees differ from its series' from now on. On the lifecycle channel."""

    msg: EventFeeMessage
    sid: int | None = None
    seq: int | None = None


class SubscribedFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="subscribed"):
    """A channel was opened; seen with the sid inside `msg`, documented once with it at the top."""

    msg: SubscribedMessage | None = None
    id: int | None = None
    sid: int | None = None
    seq: int | None = None


class OkFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="ok"):
    """A command was done. Consumes a number. `msg` is a list when it answers `list_subscriptions`."""

    msg: OkMessage | list[SubscribedMessage] | None = None
    id: int | None = None
    sid: int | None = None
    seq: int | None = None


class UnsubscribedFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="unsubscribed"):
    """A channel was closed. Consumes a number."""

    id: int | None = None
    sid: int | None = None
    seq: int | None = None


class ErrorFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="error"):
    """A command was refused, or a subscription ended."""

    msg: ErrorMessage
    id: int | None = None
    sid: int | None = None
    seq: int | None = None


Frame = (
    DeltaFrame
    | SnapshotFrame
    | TickerFrame
    | TradeFrame
    | FillFrame
    | UserOrderFrame
    | PositionFrame
    | LifecycleFrame
    | IndexFrame
    | FastIndexFrame
    | OrderGroupFrame
    | EventLifecycleFrame
    | EventFeeFrame
    | SubscribedFrame
    | OkFrame
    | UnsubscribedFrame
    | ErrorFrame
)
"""What the venue sends and we read."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every frame carries, known or not."""

    type: str
    sid: int | None = None
    seq: int | None = None


KNOWN_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(Frame))
"""The types that decode as a `Frame`; any other is tolerated unread."""

_frames: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_envelopes = msgspec.json.Decoder(Envelope)
_index_data = msgspec.json.Decoder(IndexData)

decode_frame = _frames.decode
"""Give the `Frame` in bytes.

Raises `msgspec.MsgspecError`, `UnicodeDecodeError` or `RecursionError` for bytes that are no such frame.
"""


def decode_envelope(data: bytes) -> Envelope:
    """Give type, sid and number of a frame of any type. Raises as `decode_frame` does."""
    return _envelopes.decode(data)


def decode_index_data(text: str) -> IndexData:
    """Give the index publisher's frame inside `IndexMessage.data`. Raises as `decode_frame` does."""
    return _index_data.decode(text)
