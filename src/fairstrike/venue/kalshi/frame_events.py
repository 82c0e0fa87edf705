"""What one message of the stream means: the event it becomes, in YES prices and integers.

Each function raises `ArithmeticRefusal` when a number of the message is outside its domain.
"""

from fairstrike.core.contract import Comparison
from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import (
    IndexPrinted,
    Level,
    MarketSettled,
    OrderFilled,
    OrderReported,
    TermsChanged,
    TickerSeen,
    TradePrinted,
)
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.market.index import INDICES, OFFICIAL
from fairstrike.venue.kalshi.wire.amounts import (
    milliseconds_ns,
    money_ud,
    number_e8,
    number_ticks,
    price_ticks,
    seconds_ns,
    size_cc,
)
from fairstrike.venue.kalshi.wire.markets import grid_of
from fairstrike.venue.kalshi.wire.stream import (
    FillMessage,
    IndexMessage,
    LifecycleMessage,
    SnapshotMessage,
    TickerMessage,
    TradeMessage,
    UserOrderMessage,
    WireLevel,
    decode_index_data,
)
from fairstrike.venue.kalshi.wire.terms import comparison_of, round_digits_of, strikes_of

_ASSETS = {index: asset for asset, index in INDICES.items()}
_RESULTS = {"yes": TICKS_PER_DOLLAR, "no": 0}


def book_levels(message: SnapshotMessage) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Give bids and asks of a snapshot; NO bids become asks at one dollar less their price."""
    return yes_levels(message.yes_dollars_fp), no_levels(message.no_dollars_fp)


def yes_levels(levels: tuple[WireLevel, ...]) -> tuple[Level, ...]:
    """Give YES bids, in ticks and centicontracts."""
    return tuple(_level(price, size) for price, size in levels)


def no_levels(levels: tuple[WireLevel, ...]) -> tuple[Level, ...]:
    """Give the YES asks that NO bids are."""
    return tuple((TICKS_PER_DOLLAR - ticks, cc) for ticks, cc in (_level(price, size) for price, size in levels))


def ticker_seen(message: TickerMessage, recv_ns: int) -> TickerSeen:
    """Give a market's summary; a side is None when its size is zero."""
    return TickerSeen(
        ticker=message.market_ticker,
        bid_ticks=_side(message.yes_bid_dollars, message.yes_bid_size_fp),
        ask_ticks=_side(message.yes_ask_dollars, message.yes_ask_size_fp),
        volume_cc=0 if message.volume_fp is None else size_cc(message.volume_fp),
        recv_ns=recv_ns,
        venue_ns=_instant(message.ts_ms, message.ts),
    )


def trade_printed(message: TradeMessage, recv_ns: int) -> TradePrinted | None:
    """Give a match, or None for a block trade: it never met the book."""
    if message.is_block_trade:
        return None
    is_bid = (message.taker_book_side or message.taker_outcome_side or message.taker_side) in ("bid", "yes")
    return TradePrinted(
        ticker=message.market_ticker,
        price_ticks=price_ticks(message.yes_price_dollars),
        size_cc=size_cc(message.count_fp),
        taker_side=Side.BID if is_bid else Side.ASK,
        recv_ns=recv_ns,
        venue_ns=_instant(message.ts_ms, message.ts),
    )


def order_filled(message: FillMessage, recv_ns: int) -> OrderFilled:
    """Give a match of ours."""
    return OrderFilled(
        trade_id=message.trade_id,
        order_id=message.order_id,
        client_order_id=message.client_order_id or None,
        ticker=message.market_ticker,
        side=Side(message.book_side),
        price_ticks=price_ticks(message.yes_price_dollars),
        size_cc=size_cc(message.count_fp),
        fee_ud=money_ud(message.fee_cost),
        is_taker=message.is_taker,
        recv_ns=recv_ns,
        venue_ns=_instant(message.ts_ms, message.ts),
    )


def order_reported(message: UserOrderMessage, recv_ns: int) -> OrderReported:
    """Give the state of an order of ours; an order placed without a client id has the empty text."""
    changed_ms = message.created_ts_ms if message.last_updated_ts_ms is None else message.last_updated_ts_ms
    return OrderReported(
        client_order_id=message.client_order_id or "",
        order_id=message.order_id,
        ticker=message.ticker,
        side=Side(message.book_side),
        price_ticks=price_ticks(message.yes_price_dollars),
        status=message.status,
        filled_cc=size_cc(message.fill_count_fp),
        remaining_cc=size_cc(message.remaining_count_fp),
        recv_ns=recv_ns,
        venue_ns=milliseconds_ns(changed_ms),
    )


def index_printed(message: IndexMessage, recv_ns: int) -> IndexPrinted | None:
    """Give an index value, or None for an index we do not use.

    Raises also as `decode_frame` does when the JSON inside is malformed.
    """
    asset = _ASSETS.get(message.index_id)
    if asset is None:
        return None
    data = decode_index_data(message.data)
    return IndexPrinted(
        asset=asset,
        source=OFFICIAL,
        second=data.time // 1_000,
        value_e8=number_e8(data.value),
        recv_ns=recv_ns,
        venue_ns=data.time * MILLISECOND_NS,
    )


def determined_ticks(message: LifecycleMessage) -> int | None:
    """Give what one YES contract will pay, None when a message does not say it."""
    if message.settlement_value is not None:
        return number_ticks(message.settlement_value)
    return _RESULTS.get(message.result or "")


def market_settled(message: LifecycleMessage, value_ticks: int, recv_ns: int, *, is_paid: bool) -> MarketSettled:
    """Give the result of a market: determined, or paid."""
    return MarketSettled(
        ticker=message.market_ticker,
        value_ticks=value_ticks,
        recv_ns=recv_ns,
        is_paid=is_paid,
        venue_ns=seconds_ns(message.settled_ts if is_paid else message.determination_ts),
    )


def terms_changed(message: LifecycleMessage, recv_ns: int) -> TermsChanged | None:
    """Give what a message tells of a market's terms, None for one about something else.

    A 15-minute target comes this way, under a second after the market opens. A grid without ranges is whole cents,
    which every structure takes.
    """
    match message.event_type:
        case "metadata_updated":
            comparison = comparison_of(message.strike_type)
            floor, cap = strikes_of(comparison or Comparison.BETWEEN, message)
            return TermsChanged(
                ticker=message.market_ticker,
                comparison=comparison,
                floor_e8=floor,
                cap_e8=cap,
                round_digits=round_digits_of(message.custom_strike),
                recv_ns=recv_ns,
            )
        case "close_date_updated":
            close_ns = seconds_ns(message.close_ts)
            return TermsChanged(ticker=message.market_ticker, close_ns=close_ns, recv_ns=recv_ns)
        case "price_level_structure_updated":
            grid = grid_of(message.price_ranges or ())
            return TermsChanged(ticker=message.market_ticker, grid=grid, recv_ns=recv_ns)
        case _:
            return None


def _level(price: str, size: str) -> Level:
    ticks, cc = price_ticks(price), size_cc(size)
    if not 0 < ticks < TICKS_PER_DOLLAR or cc < 0:
        raise ArithmeticRefusal(f"{size[:40]!r} contracts at {price[:40]!r} dollars are no level of a book")
    return ticks, cc


def _side(price: str | None, size: str | None) -> int | None:
    if price is None:
        return None
    ticks = price_ticks(price)
    if size is None:
        return ticks if 0 < ticks < TICKS_PER_DOLLAR else None
    return ticks if size_cc(size) > 0 else None


def _instant(milliseconds: int | None, seconds: int | None) -> int | None:
    return seconds_ns(seconds) if milliseconds is None else milliseconds_ns(milliseconds)
