"""What the stream says of books, trades and accounts: the `msg` of each frame, complete as the venue sends it.

News of markets, events and indices are in `news.py`.

Source: the venue's AsyncAPI document 2.0.0 and frames captured in May and August 2026.
"""

import hashlib
from functools import lru_cache

import msgspec

from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS, format_rfc3339
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR, format_cc, format_ticks, format_ud
from fairstrike.exchange.api.shapes import BookShape, Pair
from fairstrike.exchange.api.words import (
    no_price,
    outcome,
    own_price,
)
from fairstrike.exchange.floor import MarketView, PositionView
from fairstrike.exchange.happenings import (
    Filled,
    GroupChanged,
    LevelChanged,
    OrderSnapshot,
    Traded,
)
from fairstrike.exchange.listings import TICKER_SIDES

_NAMES_KEPT = 10_000
_INSTANTS_KEPT = 64
encode_msg = msgspec.json.Encoder().encode
"""Give the bytes of a `msg`."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A `msg`; optional fields are left out when None."""


class SnapshotMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A whole book; an empty side's key is absent."""

    market_ticker: str
    market_id: str
    yes_dollars_fp: tuple[Pair, ...] = ()
    no_dollars_fp: tuple[Pair, ...] = ()


class DeltaMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A signed change of one level."""

    market_ticker: str
    market_id: str
    price_dollars: str
    delta_fp: str
    side: str
    ts: str
    ts_ms: int
    client_order_id: str | None = None
    subaccount: int | None = None


class TickerMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
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


class TradeMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
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


class FillMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
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
    subaccount: int | None = None


class OrderMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
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
    order_group_id: str | None = None


class PositionMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A position of the subscriber."""

    user_id: str
    market_ticker: str
    position_fp: str
    position_cost_dollars: str
    realized_pnl_dollars: str
    fees_paid_dollars: str
    position_fee_cost_dollars: str
    volume_fp: str
    subaccount: int | None = None


class GroupMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to an order group of the subscriber."""

    event_type: str
    order_group_id: str
    contracts_limit_fp: str
    ts_ms: int


@lru_cache(maxsize=_NAMES_KEPT)
def market_id(ticker: str) -> str:
    """Give a market's UUID-shaped id: the same in every world."""
    text = hashlib.sha256(ticker.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


@lru_cache(maxsize=_INSTANTS_KEPT)
def time_text(instant_ns: int) -> str:
    return format_rfc3339(instant_ns)


def snapshot(ticker: str, book: BookShape) -> bytes:
    """Give the `msg` of an `orderbook_snapshot`."""
    return encode_msg(
        SnapshotMsg(
            market_ticker=ticker,
            market_id=market_id(ticker),
            yes_dollars_fp=book.yes_dollars,
            no_dollars_fp=book.no_dollars,
        )
    )


def delta(change: LevelChanged, *, is_own: bool, is_yes_priced: bool) -> bytes:
    """Give the `msg` of an `orderbook_delta`; only the owner sees whose order it was, and its client order id.

    A change of the NO side carries the NO price unless `is_yes_priced`.
    """
    price = format_ticks(change.price_ticks) if is_yes_priced else own_price(change.side, change.price_ticks)
    return encode_msg(
        DeltaMsg(
            market_ticker=change.ticker,
            market_id=market_id(change.ticker),
            price_dollars=price,
            delta_fp=format_cc(change.delta_cc),
            side=outcome(change.side),
            ts=time_text(change.instant_ns),
            ts_ms=change.instant_ns // MILLISECOND_NS,
            client_order_id=change.client_order_id if is_own else None,
            subaccount=change.subaccount if is_own else None,
        )
    )


def ticker(view: MarketView, now_ns: int) -> bytes:
    """Give the `msg` of a `ticker`; an empty side has size 0 and price 0 or 1."""
    bid_ticks, bid_cc = view.bid or (0, 0)
    ask_ticks, ask_cc = view.ask or (TICKS_PER_DOLLAR, 0)
    return encode_msg(
        TickerMsg(
            market_ticker=view.contract.ticker,
            market_id=market_id(view.contract.ticker),
            price_dollars=format_ticks(view.last_price_ticks or 0),
            yes_bid_dollars=format_ticks(bid_ticks),
            yes_ask_dollars=format_ticks(ask_ticks),
            yes_bid_size_fp=format_cc(bid_cc),
            yes_ask_size_fp=format_cc(ask_cc),
            last_trade_size_fp=format_cc(view.last_size_cc),
            volume_fp=format_cc(view.volume_cc * TICKER_SIDES),
            open_interest_fp=format_cc(view.open_interest_cc * TICKER_SIDES),
            dollar_volume=view.volume_cc // CC_PER_CONTRACT,
            dollar_open_interest=view.open_interest_cc // CC_PER_CONTRACT,
            ts=now_ns // SECOND_NS,
            ts_ms=now_ns // MILLISECOND_NS,
            time=time_text(now_ns),
        )
    )


def trade(match: Traded) -> bytes:
    """Give the `msg` of a `trade`."""
    return encode_msg(
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
    return encode_msg(
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
            subaccount=half.subaccount or None,
        )
    )


def user_order(order: OrderSnapshot) -> bytes:
    """Give the `msg` of a `user_order`."""
    has_end = order.expire_ns is not None
    return encode_msg(
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
            created_time=time_text(order.created_ns),
            created_ts_ms=order.created_ns // MILLISECOND_NS,
            last_update_time=time_text(order.updated_ns),
            last_updated_ts_ms=order.updated_ns // MILLISECOND_NS,
            subaccount_number=order.subaccount,
            expiration_time=time_text(order.expire_ns or 0) if has_end else None,
            expiration_ts_ms=(order.expire_ns or 0) // MILLISECOND_NS if has_end else None,
            last_update_reason=None if order.reason is None else order.reason.value,
            order_group_id=order.group_id,
        )
    )


def market_position(account: str, held: PositionView, subaccount: int) -> bytes:
    """Give the `msg` of a `market_position`."""
    return encode_msg(
        PositionMsg(
            user_id=account,
            market_ticker=held.ticker,
            position_fp=format_cc(held.net_cc),
            position_cost_dollars=format_ud(held.cost_ud),
            realized_pnl_dollars=format_ud(held.realised_ud),
            fees_paid_dollars=format_ud(held.fees_ud),
            position_fee_cost_dollars=format_ud(held.fees_ud),
            volume_fp=format_cc(held.traded_cc),
            subaccount=subaccount or None,
        )
    )


def order_group(change: GroupChanged) -> bytes:
    """Give the `msg` of an `order_group_updates`."""
    return encode_msg(
        GroupMsg(
            event_type=change.move.value,
            order_group_id=change.group_id,
            contracts_limit_fp=format_cc(change.limit_cc),
            ts_ms=change.instant_ns // MILLISECOND_NS,
        )
    )
