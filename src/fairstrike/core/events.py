"""Everything that can happen. One closed union, `Event`; the engine folds each of them.

Events from outside carry `venue_ns`, their source's stamp (None when it gave none), and `recv_ns`, ours.
Order is by receipt. Events made by our own shells carry `recv_ns` only. Prices are YES prices in ticks.
"""

import msgspec

from fairstrike.core.contract import Comparison, Contract, PriceRange
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side

Level = tuple[int, int]
"""A price in ticks and the size resting there in centicontracts."""


class BookSnapshot(msgspec.Struct, frozen=True, kw_only=True, tag="book_snapshot"):
    """The whole book of a market; sides in any order, empty tuples for empty sides."""

    ticker: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    recv_ns: int
    venue_ns: int | None = None


class BookDelta(msgspec.Struct, frozen=True, kw_only=True, tag="book_delta", gc=False):
    """A signed change of one level. `is_bid` tells the side."""

    ticker: str
    is_bid: bool
    price_ticks: int
    delta_cc: int
    recv_ns: int
    venue_ns: int | None = None


class BookLost(msgspec.Struct, frozen=True, kw_only=True, tag="book_lost"):
    """A book can no longer be vouched for: it is absent until the next snapshot."""

    ticker: str
    reason: str
    recv_ns: int


class BooksRead(msgspec.Struct, frozen=True, kw_only=True, tag="books_read"):
    """Whole books by REST, asked for at `asked_ns`; a market that the venue does not know is left out."""

    books: tuple[BookSnapshot, ...]
    asked_ns: int
    recv_ns: int


class TickerSeen(msgspec.Struct, frozen=True, kw_only=True, tag="ticker_seen"):
    """The venue's own summary of a market; a side is None when empty."""

    ticker: str
    bid_ticks: int | None
    ask_ticks: int | None
    volume_cc: int
    recv_ns: int
    venue_ns: int | None = None


class TradePrinted(msgspec.Struct, frozen=True, kw_only=True, tag="trade_printed"):
    """A match between anyone; `taker_side` is the aggressor's."""

    ticker: str
    price_ticks: int
    size_cc: int
    taker_side: Side
    recv_ns: int
    venue_ns: int | None = None


class IndexPrinted(msgspec.Struct, frozen=True, kw_only=True, tag="index_printed"):
    """One value of a reference price for source second `second` (epoch seconds).

    `venue_ns` is the stamp of the data the value was made from; staleness is judged by it.
    """

    asset: str
    source: str
    second: int
    value_e8: int
    recv_ns: int
    venue_ns: int | None = None


class SpotCandle(msgspec.Struct, frozen=True, kw_only=True):
    """A spot venue's quarter of an hour of trades, as far as it is over; the last telling of a start is the final one.

    `volume_e8` is in 1/100 000 000 of a coin.
    """

    asset: str
    source: str
    start_ns: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int
    volume_e8: int
    venue_ns: int


class SpotFunding(msgspec.Struct, frozen=True, kw_only=True):
    """A perpetual's funding rate for the period that ends at `next_ns`, `rate_e8` being 1/100 000 000, and its mark."""

    asset: str
    source: str
    rate_e8: int
    mark_e8: int
    next_ns: int
    venue_ns: int


class SpotFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A spot venue's last trade, price of the last minute weighted by size, and realised volatility a year.

    None is unknown.
    """

    asset: str
    source: str
    last_e8: int | None
    vwap_e8: int | None
    vol_ppm: int | None


class SpotTold(msgspec.Struct, frozen=True, kw_only=True, tag="spot_told"):
    """Candles and funding that spot venues told since this was last said."""

    candles: tuple[SpotCandle, ...]
    fundings: tuple[SpotFunding, ...]
    recv_ns: int


class SpotSummed(msgspec.Struct, frozen=True, kw_only=True, tag="spot_summed"):
    """What the trades and prints of each spot venue come to now; a venue that is silent is left out."""

    figures: tuple[SpotFigures, ...]
    recv_ns: int


class BatchEnded(msgspec.Struct, frozen=True, kw_only=True, tag="batch_ended"):
    """All frames of one read (live) or of one venue instant of one market (replay) were handed over."""

    recv_ns: int


class ContractListed(msgspec.Struct, frozen=True, kw_only=True, tag="contract_listed"):
    """A market as the venue now describes it: new, or with a strike, status or volume that changed."""

    contract: Contract
    schedule: FeeSchedule
    status: str
    volume_24h_cc: int
    recv_ns: int


class TermsDoubted(msgspec.Struct, frozen=True, kw_only=True, tag="terms_doubted"):
    """Markets whose description is not clear, and why: left out, or listed as their structured fields say."""

    tickers: tuple[str, ...]
    reason: str
    is_left_out: bool
    recv_ns: int


class TermsChanged(msgspec.Struct, frozen=True, kw_only=True, tag="terms_changed"):
    """The stream told new terms of a market: a strike published, another close, another grid; None is unchanged."""

    ticker: str
    recv_ns: int
    comparison: Comparison | None = None
    floor_e8: int | None = None
    cap_e8: int | None = None
    round_digits: int | None = None
    close_ns: int | None = None
    grid: tuple[PriceRange, ...] | None = None


class MarketPaused(msgspec.Struct, frozen=True, kw_only=True, tag="market_paused"):
    """The venue shut a market, or (`is_paused` false) opened it again; what rested in it is then cancelled."""

    ticker: str
    is_paused: bool
    recv_ns: int
    venue_ns: int | None = None


class TradingRead(msgspec.Struct, frozen=True, kw_only=True, tag="trading_read"):
    """The exchange's state by REST: the shards that take no orders now, for a pause or maintenance."""

    shut_shards: tuple[int, ...]
    recv_ns: int


class MarketSettled(msgspec.Struct, frozen=True, kw_only=True, tag="market_settled"):
    """The venue's result. `value_ticks` is what one YES contract pays; `is_derived` marks our own sum."""

    ticker: str
    value_ticks: int
    recv_ns: int
    is_paid: bool = True
    is_derived: bool = False
    venue_ns: int | None = None


class OrderAcked(msgspec.Struct, frozen=True, kw_only=True, tag="order_acked"):
    """The venue took an order; what filled at once is told by `OrderFilled` too, or later."""

    client_order_id: str
    order_id: str
    filled_cc: int
    remaining_cc: int
    recv_ns: int
    venue_ns: int | None = None


class OrderRejected(msgspec.Struct, frozen=True, kw_only=True, tag="order_rejected"):
    """The venue said no and the order does not exist."""

    client_order_id: str
    code: str
    message: str
    recv_ns: int


class OrderDoubted(msgspec.Struct, frozen=True, kw_only=True, tag="order_doubted"):
    """A write got no usable answer: the order may or may not exist (time-out, reset, 5xx)."""

    client_order_id: str
    reason: str
    recv_ns: int


class OrderFilled(msgspec.Struct, frozen=True, kw_only=True, tag="order_filled"):
    """One match of an order of ours; `trade_id` and `order_id` together are seen once."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    fee_ud: int
    is_taker: bool
    recv_ns: int
    venue_ns: int | None = None


class OrderReported(msgspec.Struct, frozen=True, kw_only=True, tag="order_reported"):
    """The venue's state of one order: `status` is resting, canceled or executed."""

    client_order_id: str
    order_id: str
    ticker: str
    side: Side
    price_ticks: int
    status: str
    filled_cc: int
    remaining_cc: int
    recv_ns: int
    venue_ns: int | None = None


class CancelAnswered(msgspec.Struct, frozen=True, kw_only=True, tag="cancel_answered"):
    """A cancel was done (`reduced_cc` taken off), or found nothing left to cancel (`reduced_cc` 0)."""

    client_order_id: str
    reduced_cc: int
    recv_ns: int
    venue_ns: int | None = None


class CancelFailed(msgspec.Struct, frozen=True, kw_only=True, tag="cancel_failed"):
    """A cancel got no usable answer; it may be asked again."""

    client_order_id: str
    reason: str
    recv_ns: int


class OrdersRead(msgspec.Struct, frozen=True, kw_only=True, tag="orders_read"):
    """The complete list of our resting orders, asked for at `asked_ns`."""

    orders: tuple[OrderReported, ...]
    asked_ns: int
    recv_ns: int


class BalanceRead(msgspec.Struct, frozen=True, kw_only=True, tag="balance_read"):
    """The account's cash by REST."""

    balance_ud: int
    recv_ns: int


class ListRead(msgspec.Struct, frozen=True, kw_only=True, tag="list_read"):
    """A list asked for at `asked_ns` was read to its end; what it held was told before this."""

    what: str
    asked_ns: int
    recv_ns: int


class HeldPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Net contracts an account holds in a market (`_cc`, negative is NO) and what they cost without fees."""

    ticker: str
    net_cc: int
    cost_ud: int


class PositionsRead(msgspec.Struct, frozen=True, kw_only=True, tag="positions_read"):
    """Every position the account holds, by REST."""

    positions: tuple[HeldPosition, ...]
    recv_ns: int


class AskFailed(msgspec.Struct, frozen=True, kw_only=True, tag="ask_failed"):
    """A read asked for by the engine came to nothing; the timer asks again."""

    what: str
    reason: str
    recv_ns: int


class StreamChanged(msgspec.Struct, frozen=True, kw_only=True, tag="stream_changed"):
    """A feed's connection came up or went down; down means its books are absent."""

    source: str
    is_up: bool
    reason: str
    recv_ns: int


class OffsetStepped(msgspec.Struct, frozen=True, kw_only=True, tag="offset_stepped"):
    """The measured offset of a source's clock against ours moved: age = now − (venue + offset)."""

    source: str
    offset_ns: int
    recv_ns: int


class FrameRefused(msgspec.Struct, frozen=True, kw_only=True, tag="frame_refused"):
    """A frame could not be read; a lost book frame also shows as a gap in the sequence."""

    source: str
    reason: str
    recv_ns: int


class TimerFired(msgspec.Struct, frozen=True, kw_only=True, tag="timer_fired"):
    """A timer set by an effect came due."""

    name: str
    recv_ns: int


class Commanded(msgspec.Struct, frozen=True, kw_only=True, tag="commanded"):
    """An operator's act: pause, resume, flatten, stop. Signals become `stop`."""

    command: str
    argument: str
    recv_ns: int


class ComputationDone(msgspec.Struct, frozen=True, kw_only=True, tag="computation_done"):
    """A worker finished a long sum; results older than their deadline never arrive."""

    kind: str
    number: int
    result: bytes
    recv_ns: int


Event = (
    BookDelta
    | BatchEnded
    | IndexPrinted
    | TickerSeen
    | BookSnapshot
    | TradePrinted
    | OrderFilled
    | OrderAcked
    | OrderReported
    | CancelAnswered
    | TimerFired
    | BookLost
    | BooksRead
    | OrderRejected
    | OrderDoubted
    | CancelFailed
    | OrdersRead
    | BalanceRead
    | PositionsRead
    | ListRead
    | AskFailed
    | ContractListed
    | TermsDoubted
    | TermsChanged
    | MarketPaused
    | TradingRead
    | MarketSettled
    | StreamChanged
    | OffsetStepped
    | FrameRefused
    | SpotTold
    | SpotSummed
    | Commanded
    | ComputationDone
)
"""What `Engine.fold` takes."""
