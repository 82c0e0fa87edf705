"""What the stream says: the `msg` of every channel's frames, complete as the venue sends them.

Source: the venue's AsyncAPI document 2.0.0 and frames captured in May and August 2026.
"""

import hashlib
from functools import lru_cache

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS, format_rfc3339
from fairstrike.core.units import TICKS_PER_DOLLAR, UD_PER_DOLLAR, format_cc, format_e8, format_ticks, format_ud
from fairstrike.exchange.api.shapes import BookShape, Number, Pair, PriceRangeShape
from fairstrike.exchange.api.words import (
    custom_strike,
    index_id,
    market_rules,
    market_title,
    no_price,
    outcome,
    own_price,
    price_ranges,
    result_word,
    strike_number,
    strike_text,
    structure_name,
)
from fairstrike.exchange.floor import MarketView, PositionView
from fairstrike.exchange.happenings import (
    Filled,
    IndexAverage,
    IndexPublished,
    LevelChanged,
    MarketDetermined,
    MarketListed,
    MarketSettled,
    OrderSnapshot,
    StrikePublished,
    Traded,
)

_NAMES_KEPT = 10_000
_INSTANTS_KEPT = 64
_encode = msgspec.json.Encoder().encode


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A `msg`; optional fields are left out when None."""


class SnapshotMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """A whole book; an empty side's key is absent."""

    market_ticker: str
    market_id: str
    yes_dollars_fp: tuple[Pair, ...] = ()
    no_dollars_fp: tuple[Pair, ...] = ()


class DeltaMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """A signed change of one level."""

    market_ticker: str
    market_id: str
    price_dollars: str
    delta_fp: str
    side: str
    ts: str
    ts_ms: int
    client_order_id: str | None = None


class TickerMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """A market's summary."""

    market_ticker: str
    market_id: str
    price_dollars: str
    yes_bid_dollars: str
    yes_ask_dollars: str
    yes_bid_size_fp: str
    yes_ask_size_fp: str
    last_trade_size_fp: str
    volume_fp: str
    open_interest_fp: str
    dollar_volume: int
    dollar_open_interest: int
    ts: int
    ts_ms: int
    time: str


class TradeMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """A match between anyone."""

    trade_id: str
    market_ticker: str
    yes_price_dollars: str
    no_price_dollars: str
    count_fp: str
    taker_outcome_side: str
    taker_book_side: str
    taker_side: str
    is_block_trade: bool
    ts: int
    ts_ms: int


class FillMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """A match of the subscriber's order."""

    trade_id: str
    order_id: str
    market_ticker: str
    exchange_index: int
    is_taker: bool
    side: str
    action: str
    purchased_side: str
    outcome_side: str
    book_side: str
    yes_price_dollars: str
    count_fp: str
    fee_cost: str
    post_position_fp: str
    ts: int
    ts_ms: int
    client_order_id: str | None = None


class OrderMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """An order of the subscriber after a change."""

    order_id: str
    user_id: str
    ticker: str
    exchange_index: int
    status: str
    side: str
    is_yes: bool
    outcome_side: str
    book_side: str
    yes_price_dollars: str
    fill_count_fp: str
    remaining_count_fp: str
    initial_count_fp: str
    taker_fill_cost_dollars: str
    maker_fill_cost_dollars: str
    taker_fees_dollars: str
    maker_fees_dollars: str
    client_order_id: str
    self_trade_prevention_type: str
    created_time: str
    created_ts_ms: int
    last_update_time: str
    last_updated_ts_ms: int
    subaccount_number: int
    expiration_time: str | None = None
    expiration_ts_ms: int | None = None
    last_update_reason: str | None = None


class PositionMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """A position of the subscriber."""

    user_id: str
    market_ticker: str
    position_fp: str
    position_cost_dollars: str
    realized_pnl_dollars: str
    fees_paid_dollars: str
    position_fee_cost_dollars: str
    volume_fp: str


class MetadataMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """What a newly created market is."""

    name: str
    title: str
    yes_sub_title: str
    no_sub_title: str
    rules_primary: str
    rules_secondary: str
    can_close_early: bool
    event_ticker: str
    expected_expiration_ts: int
    strike_type: str
    floor_strike: Number | msgspec.UnsetType
    cap_strike: Number | msgspec.UnsetType
    custom_strike: dict[str, str] | msgspec.UnsetType


class LifecycleMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to a market."""

    event_type: str
    market_ticker: str
    exchange_index: int | None = None
    open_ts: int | None = None
    close_ts: int | None = None
    price_level_structure: str | None = None
    price_ranges: tuple[PriceRangeShape, ...] | None = None
    additional_metadata: MetadataMsg | None = None
    strike_type: str | None = None
    floor_strike: Number | msgspec.UnsetType = msgspec.UNSET
    cap_strike: Number | msgspec.UnsetType = msgspec.UNSET
    custom_strike: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    yes_sub_title: str | None = None
    determination_ts: int | None = None
    result: str | None = None
    settlement_value: str | None = None
    settled_ts: int | None = None


class AverageMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """A mean of index values; the window in epoch milliseconds."""

    value: str
    window_size: int
    window_start_ts_ms: int
    window_end_ts_exclusive: int


class IndexMsg(_Message, frozen=True, kw_only=True, omit_defaults=True):
    """One value of an index; `data` is the publisher's own JSON as text."""

    index_id: str
    received_at: int
    data: str
    avg_60s_data: AverageMsg | None = None
    last_60s_windowed_average_15min: AverageMsg | None = None


@lru_cache(maxsize=_NAMES_KEPT)
def market_id(ticker: str) -> str:
    """Give a market's UUID-shaped id: the same in every world."""
    text = hashlib.sha256(ticker.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


@lru_cache(maxsize=_INSTANTS_KEPT)
def _time_text(instant_ns: int) -> str:
    return format_rfc3339(instant_ns)


def snapshot(ticker: str, book: BookShape) -> bytes:
    """Give the `msg` of an `orderbook_snapshot`."""
    return _encode(
        SnapshotMsg(
            market_ticker=ticker,
            market_id=market_id(ticker),
            yes_dollars_fp=book.yes_dollars,
            no_dollars_fp=book.no_dollars,
        )
    )


def delta(change: LevelChanged, *, is_own: bool) -> bytes:
    """Give the `msg` of an `orderbook_delta`; only the owner sees the client order id."""
    return _encode(
        DeltaMsg(
            market_ticker=change.ticker,
            market_id=market_id(change.ticker),
            price_dollars=own_price(change.side, change.price_ticks),
            delta_fp=format_cc(change.delta_cc),
            side=outcome(change.side),
            ts=_time_text(change.instant_ns),
            ts_ms=change.instant_ns // MILLISECOND_NS,
            client_order_id=change.client_order_id if is_own else None,
        )
    )


def ticker(view: MarketView, now_ns: int) -> bytes:
    """Give the `msg` of a `ticker`; an empty side has size 0 and price 0 or 1."""
    bid_ticks, bid_cc = view.bid or (0, 0)
    ask_ticks, ask_cc = view.ask or (TICKS_PER_DOLLAR, 0)
    return _encode(
        TickerMsg(
            market_ticker=view.contract.ticker,
            market_id=market_id(view.contract.ticker),
            price_dollars=format_ticks(view.last_price_ticks or 0),
            yes_bid_dollars=format_ticks(bid_ticks),
            yes_ask_dollars=format_ticks(ask_ticks),
            yes_bid_size_fp=format_cc(bid_cc),
            yes_ask_size_fp=format_cc(ask_cc),
            last_trade_size_fp=format_cc(view.last_size_cc),
            volume_fp=format_cc(view.volume_cc),
            open_interest_fp=format_cc(view.open_interest_cc),
            dollar_volume=view.turnover_ud // UD_PER_DOLLAR,
            dollar_open_interest=view.open_interest_cc // 100,
            ts=now_ns // SECOND_NS,
            ts_ms=now_ns // MILLISECOND_NS,
            time=_time_text(now_ns),
        )
    )


def trade(match: Traded) -> bytes:
    """Give the `msg` of a `trade`."""
    return _encode(
        TradeMsg(
            trade_id=match.trade_id,
            market_ticker=match.ticker,
            yes_price_dollars=format_ticks(match.price_ticks),
            no_price_dollars=no_price(match.price_ticks),
            count_fp=format_cc(match.size_cc),
            taker_outcome_side=outcome(match.taker_side),
            taker_book_side=match.taker_side.value,
            taker_side=outcome(match.taker_side),
            is_block_trade=False,
            ts=match.instant_ns // SECOND_NS,
            ts_ms=match.instant_ns // MILLISECOND_NS,
        )
    )


def fill(half: Filled, exchange_index: int) -> bytes:
    """Give the `msg` of a `fill`."""
    side = outcome(half.side)
    return _encode(
        FillMsg(
            trade_id=half.trade_id,
            order_id=half.order_id,
            market_ticker=half.ticker,
            exchange_index=exchange_index,
            is_taker=half.is_taker,
            side=side,
            action="buy",
            purchased_side=side,
            outcome_side=side,
            book_side=half.side.value,
            yes_price_dollars=format_ticks(half.price_ticks),
            count_fp=format_cc(half.size_cc),
            fee_cost=format_ud(half.fee_ud),
            post_position_fp=format_cc(half.post_position_cc),
            ts=half.instant_ns // SECOND_NS,
            ts_ms=half.instant_ns // MILLISECOND_NS,
            client_order_id=half.client_order_id,
        )
    )


def user_order(order: OrderSnapshot) -> bytes:
    """Give the `msg` of a `user_order`."""
    has_end = order.expire_ns is not None
    return _encode(
        OrderMsg(
            order_id=order.order_id,
            user_id=order.account,
            ticker=order.ticker,
            exchange_index=order.exchange_index,
            status=order.status.value,
            side=outcome(order.side),
            is_yes=order.side is Side.BID,
            outcome_side=outcome(order.side),
            book_side=order.side.value,
            yes_price_dollars=format_ticks(order.price_ticks),
            fill_count_fp=format_cc(order.filled_cc),
            remaining_count_fp=format_cc(order.remaining_cc),
            initial_count_fp=format_cc(order.initial_cc),
            taker_fill_cost_dollars=format_ud(order.taker_cost_ud),
            maker_fill_cost_dollars=format_ud(order.maker_cost_ud),
            taker_fees_dollars=format_ud(order.taker_fees_ud),
            maker_fees_dollars=format_ud(order.maker_fees_ud),
            client_order_id=order.client_order_id or "",
            self_trade_prevention_type=order.self_trade.value,
            created_time=_time_text(order.created_ns),
            created_ts_ms=order.created_ns // MILLISECOND_NS,
            last_update_time=_time_text(order.updated_ns),
            last_updated_ts_ms=order.updated_ns // MILLISECOND_NS,
            subaccount_number=0,
            expiration_time=_time_text(order.expire_ns or 0) if has_end else None,
            expiration_ts_ms=(order.expire_ns or 0) // MILLISECOND_NS if has_end else None,
            last_update_reason=None if order.reason is None else order.reason.value,
        )
    )


def market_position(account: str, held: PositionView) -> bytes:
    """Give the `msg` of a `market_position`."""
    return _encode(
        PositionMsg(
            user_id=account,
            market_ticker=held.ticker,
            position_fp=format_cc(held.net_cc),
            position_cost_dollars=format_ud(held.cost_ud),
            realized_pnl_dollars=format_ud(held.realised_ud),
            fees_paid_dollars=format_ud(held.fees_ud),
            position_fee_cost_dollars=format_ud(held.fees_ud),
            volume_fp=format_cc(held.traded_cc),
        )
    )


def lifecycle(news: MarketListed | StrikePublished | MarketDetermined | MarketSettled) -> bytes:
    """Give the `msg` of a `market_lifecycle_v2`. A 15-minute target arrives as `metadata_updated`."""
    if isinstance(news, MarketListed):
        return _encode(_created(news.contract))
    if isinstance(news, StrikePublished):
        contract = news.contract
        message = LifecycleMsg(
            event_type="metadata_updated",
            market_ticker=contract.ticker,
            strike_type=contract.comparison.value,
            floor_strike=strike_number(contract.floor_e8),
            cap_strike=strike_number(contract.cap_e8),
            custom_strike=custom_strike(contract),
            yes_sub_title=strike_text(contract),
        )
    elif isinstance(news, MarketDetermined):
        message = LifecycleMsg(
            event_type="determined",
            market_ticker=news.ticker,
            determination_ts=news.instant_ns // SECOND_NS,
            result=result_word(news.value_ticks),
            settlement_value=format_ticks(news.value_ticks),
        )
    else:
        message = LifecycleMsg(event_type="settled", market_ticker=news.ticker, settled_ts=news.instant_ns // SECOND_NS)
    return _encode(message)


def index_value(news: IndexPublished) -> bytes:
    """Give the `msg` of a `cfbenchmarks_value`."""
    name = index_id(news.asset)
    data = {
        "type": "value",
        "id": name,
        "time": news.second * 1_000,
        "value": _short_e8(news.value_e8),
    }
    return _encode(
        IndexMsg(
            index_id=name,
            received_at=news.instant_ns // MILLISECOND_NS,
            data=_encode(data).decode(),
            avg_60s_data=_average(news.avg_60s),
            last_60s_windowed_average_15min=_average(news.quarter_hour),
        )
    )


def _created(contract: Contract) -> LifecycleMsg:
    return LifecycleMsg(
        event_type="created",
        market_ticker=contract.ticker,
        exchange_index=contract.exchange_index,
        open_ts=contract.open_ns // SECOND_NS,
        close_ts=contract.close_ns // SECOND_NS,
        price_level_structure=structure_name(contract.grid),
        price_ranges=price_ranges(contract.grid),
        additional_metadata=MetadataMsg(
            name=contract.ticker,
            title=market_title(contract),
            yes_sub_title=strike_text(contract),
            no_sub_title=strike_text(contract),
            rules_primary=market_rules(contract),
            rules_secondary="",
            can_close_early=True,
            event_ticker=contract.event_ticker,
            expected_expiration_ts=(contract.close_ns + 5 * MINUTE_NS) // SECOND_NS,
            strike_type=contract.comparison.value,
            floor_strike=strike_number(contract.floor_e8),
            cap_strike=strike_number(contract.cap_e8),
            custom_strike=custom_strike(contract),
        ),
    )


def _average(mean: IndexAverage | None) -> AverageMsg | None:
    if mean is None:
        return None
    return AverageMsg(
        value=format_e8(mean.value_e8),
        window_size=mean.count,
        window_start_ts_ms=mean.start_second * 1_000,
        window_end_ts_exclusive=mean.end_second * 1_000,
    )


def _short_e8(value_e8: int) -> str:
    # The publisher sends no zeros beyond the cents.
    text = format_e8(value_e8)
    return text[:-6] + text[-6:].rstrip("0")
