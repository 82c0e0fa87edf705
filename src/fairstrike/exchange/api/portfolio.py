"""What an account may read of itself: balance, positions, fills, settlements, orders."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fairstrike.core.timing import SECOND_NS, format_rfc3339
from fairstrike.core.units import (
    TICKS_PER_DOLLAR,
    UD_PER_CENT,
    format_cc,
    format_ticks,
    format_ud,
)
from fairstrike.exchange.api.call import (
    PAGE_LIMIT_MAX,
    BoxResponse,
    Call,
    Desk,
    answer_json,
    error,
    not_found,
    page,
    read_query,
)
from fairstrike.exchange.api.markets import is_between
from fairstrike.exchange.api.shapes import (
    BalanceShape,
    EventPositionShape,
    FillShape,
    MarketPositionShape,
    OrderShape,
    SettlementShape,
    ShardBalanceShape,
)
from fairstrike.exchange.api.words import balance_dollars, no_price, outcome, result_word
from fairstrike.exchange.floor import Floor, PositionView, Settlement
from fairstrike.exchange.happenings import Filled, OrderSnapshot
from fairstrike.exchange.members import SUBACCOUNTS_MAX

EVENTS_IN_FILTER_MAX = 10

Limit = Annotated[int, Meta(ge=1, le=PAGE_LIMIT_MAX)]
Subaccount = Annotated[int, Meta(ge=0, le=SUBACCOUNTS_MAX)]


class BalanceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The shard whose money is asked for, all of them when None; of the primary account unless another is named."""

    exchange_index: int | None = None
    subaccount: Subaccount = 0


class PositionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the positions; `count_filter` names fields that must not be zero, comma-separated."""

    limit: Limit = 100
    cursor: str = ""
    ticker: str | None = None
    event_ticker: str | None = None
    count_filter: str = ""
    exchange_index: int | None = None
    subaccount: Subaccount = 0


class FillsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the fills; bounds in epoch seconds, both included."""

    limit: Limit = 100
    cursor: str = ""
    ticker: str | None = None
    order_id: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    exchange_index: int | None = None
    subaccount: Subaccount | None = None


class SettlementsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the settlements; bounds in epoch seconds, both included."""

    limit: Limit = 100
    cursor: str = ""
    ticker: str | None = None
    event_ticker: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    subaccount: Subaccount | None = None


class OrdersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the orders; bounds on the creation in epoch seconds, both included."""

    limit: Limit = 100
    cursor: str = ""
    ticker: str | None = None
    event_ticker: str | None = None
    status: Literal["resting", "canceled", "executed"] | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    exchange_index: int | None = None
    subaccount: Subaccount | None = None


class RoutingQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order is looked for: on a shard, or on the shard of a market; shard 0 when neither is named.

    Writes look in the primary account unless `subaccount` names another.
    """

    exchange_index: Annotated[int, Meta(ge=-1)] | None = None
    market_ticker: str | None = None
    subaccount: Subaccount = 0


def balance(desk: Desk, call: Call) -> BoxResponse:
    """Give the money that new orders may lock, in whole cents and in dollars, and the positions' worth.

    404 `user_not_found` for a shard that was never funded. Source: the venue's documentation ("available
    balance"); the truncation is its rule for whole cents.
    """
    query = read_query(call, BalanceQuery)
    account = desk.floor.account(call.owner, query.subaccount)
    wanted = None if query.exchange_index == -1 else query.exchange_index
    if account is None or (wanted is not None and account.on(wanted) is None):
        return error(404, "user_not_found", "user not found")
    shards = [each for each in account.shards if wanted in (None, each.exchange_index)]
    available_ud = sum(each.available_ud for each in shards)
    worth_ud = sum(
        _worth_ud(desk.floor, position)
        for position in desk.floor.positions(call.owner, query.subaccount)
        if wanted in (None, _exchange_index(desk.floor, position.ticker))
    )
    return answer_json(
        BalanceShape(
            balance=available_ud // UD_PER_CENT,
            balance_dollars=balance_dollars(available_ud),
            portfolio_value=worth_ud // UD_PER_CENT,
            updated_ts=call.now_ns // SECOND_NS,
            balance_breakdown=tuple(
                ShardBalanceShape(exchange_index=each.exchange_index, balance=balance_dollars(each.available_ud))
                for each in shards
            ),
        )
    )


def positions(desk: Desk, call: Call) -> BoxResponse:
    """Give unsettled positions in order of first fill, and their sums by event."""
    query = read_query(call, PositionsQuery)
    floor = desk.floor
    wanted = (held for held in floor.positions(call.owner, query.subaccount) if _is_position_wanted(floor, held, query))
    found, cursor = page(wanted, query.cursor, query.limit, lambda held: held.ticker)
    events: dict[str, list[PositionView]] = {}
    for held in found:
        events.setdefault(_event_ticker(floor, held.ticker), []).append(held)
    return answer_json(
        {
            "market_positions": [position_shape(held, _exchange_index(floor, held.ticker)) for held in found],
            "event_positions": [event_position_shape(event, rows) for event, rows in events.items()],
            "cursor": cursor,
        }
    )


def fills(desk: Desk, call: Call) -> BoxResponse:
    """Give fills, newest first."""
    query = read_query(call, FillsQuery)
    wanted = (
        fill
        for fill in reversed(desk.floor.fills(call.owner))
        if query.ticker in (None, fill.ticker)
        and query.order_id in (None, fill.order_id)
        and query.exchange_index in (None, -1, _exchange_index(desk.floor, fill.ticker))
        and query.subaccount in (None, fill.subaccount)
        and is_between(fill.instant_ns, query.min_ts, query.max_ts)
    )
    # One match of the account with itself gives two fills: the order id tells them apart.
    found, cursor = page(wanted, query.cursor, query.limit, lambda fill: f"{fill.trade_id}/{fill.order_id}")
    return answer_json({"fills": [fill_shape(desk.floor, fill) for fill in found], "cursor": cursor})


def settlements(desk: Desk, call: Call) -> BoxResponse:
    """Give settlements, newest first."""
    query = read_query(call, SettlementsQuery)
    wanted = (
        row
        for row in reversed(desk.floor.settlements(call.owner))
        if query.ticker in (None, row.ticker)
        and query.event_ticker in (None, row.event_ticker)
        and query.subaccount in (None, row.subaccount)
        and is_between(row.instant_ns, query.min_ts, query.max_ts)
    )
    found, cursor = page(wanted, query.cursor, query.limit, lambda row: f"{row.ticker}/{row.subaccount}")
    return answer_json({"settlements": [_settlement_shape(row) for row in found], "cursor": cursor})


def orders(desk: Desk, call: Call) -> BoxResponse:
    """Give orders, newest first."""
    query = read_query(call, OrdersQuery)
    events = None if query.event_ticker is None else query.event_ticker.split(",")[:EVENTS_IN_FILTER_MAX]
    newest = reversed(desk.floor.orders(call.owner))
    found, cursor = page(
        newest,
        query.cursor,
        query.limit,
        lambda order: order.order_id,
        lambda order: (
            query.ticker in (None, order.ticker)
            and (events is None or _event_ticker(desk.floor, order.ticker) in events)
            and query.status in (None, order.status.value)
            and query.exchange_index in (None, -1, order.exchange_index)
            and query.subaccount in (None, order.subaccount)
            and is_between(order.created_ns, query.min_ts, query.max_ts)
        ),
    )
    return answer_json({"orders": [order_shape(order) for order in found], "cursor": cursor})


def one_order(desk: Desk, call: Call) -> BoxResponse:
    """Give one order; 404 when it is not on the shard that is asked.

    Source: seen on demo in 2026, where orders off shard 0 need `market_ticker`; a switch of the desk.
    """
    return answer_json({"order": order_shape(named_order(desk, call))})


def named_order(desk: Desk, call: Call) -> OrderSnapshot:
    """Give the order that a read names. Raises `CallRefused` (404) when it is not on the shard that is asked."""
    query = read_query(call, RoutingQuery)
    order = desk.floor.order(call.owner, call.names[0])
    if order is None:
        not_found("order not found")
    if not desk.is_order_found_unrouted and asked_shard(desk.floor, query) != order.exchange_index:
        not_found("order not found")
    return order


def asked_shard(floor: Floor, query: RoutingQuery) -> int | None:
    """Give the shard a request about an order goes to, None for an unknown market."""
    if query.exchange_index is not None and query.exchange_index >= 0:
        return query.exchange_index
    if query.market_ticker is None:
        return 0
    view = floor.market(query.market_ticker)
    return None if view is None else view.contract.exchange_index


def order_shape(order: OrderSnapshot) -> OrderShape:
    """Give the order object."""
    return OrderShape(
        order_id=order.order_id,
        user_id=order.account,
        client_order_id=order.client_order_id or "",
        ticker=order.ticker,
        outcome_side=outcome(order.side),
        book_side=order.side.value,
        side=outcome(order.side),
        action="buy",
        status=order.status.value,
        yes_price_dollars=format_ticks(order.price_ticks),
        no_price_dollars=no_price(order.price_ticks),
        fill_count_fp=format_cc(order.filled_cc),
        remaining_count_fp=format_cc(order.remaining_cc),
        initial_count_fp=format_cc(order.initial_cc),
        taker_fill_cost_dollars=format_ud(order.taker_cost_ud),
        maker_fill_cost_dollars=format_ud(order.maker_cost_ud),
        taker_fees_dollars=format_ud(order.taker_fees_ud),
        maker_fees_dollars=format_ud(order.maker_fees_ud),
        created_time=format_rfc3339(order.created_ns),
        last_update_time=format_rfc3339(order.updated_ns),
        self_trade_prevention_type=order.self_trade.value,
        cancel_order_on_pause=order.cancel_on_pause,
        exchange_index=order.exchange_index,
        subaccount_number=order.subaccount,
        order_group_id=order.group_id or msgspec.UNSET,
        expiration_time=msgspec.UNSET if order.expire_ns is None else format_rfc3339(order.expire_ns),
    )


def _worth_ud(floor: Floor, position: PositionView) -> int:
    # Valued at what the best standing order would pay for it now.
    view = floor.market(position.ticker)
    if view is None or not position.net_cc:
        return 0
    if position.net_cc > 0:
        return position.net_cc * (view.bid[0] if view.bid else 0)
    return -position.net_cc * (TICKS_PER_DOLLAR - view.ask[0] if view.ask else 0)


def _event_ticker(floor: Floor, ticker: str) -> str:
    view = floor.market(ticker)
    assert view is not None, "what an account holds is listed"
    return view.contract.event_ticker


def _exchange_index(floor: Floor, ticker: str) -> int:
    view = floor.market(ticker)
    assert view is not None, "what an account holds is listed"
    return view.contract.exchange_index


def _is_position_wanted(floor: Floor, held: PositionView, query: PositionsQuery) -> bool:
    counts = {"position": held.net_cc, "total_traded": held.traded_ud}
    return (
        query.ticker in (None, held.ticker)
        and query.event_ticker in (None, _event_ticker(floor, held.ticker))
        and query.exchange_index in (None, -1, _exchange_index(floor, held.ticker))
        and all(counts.get(name, 1) for name in query.count_filter.split(",") if name)
    )


def position_shape(held: PositionView, exchange_index: int) -> MarketPositionShape:
    """Give the position object of a market on a shard."""
    return MarketPositionShape(
        ticker=held.ticker,
        exchange_index=exchange_index,
        total_traded_dollars=format_ud(held.traded_ud),
        position_fp=format_cc(held.net_cc),
        market_exposure_dollars=format_ud(held.cost_ud),
        realized_pnl_dollars=format_ud(held.realised_ud),
        fees_paid_dollars=format_ud(held.fees_ud),
        last_updated_ts=format_rfc3339(held.updated_ns),
    )


def event_position_shape(event_ticker: str, rows: list[PositionView]) -> EventPositionShape:
    """Give the position object of an event, the sum of its markets'."""
    return EventPositionShape(
        event_ticker=event_ticker,
        total_cost_dollars=format_ud(sum(row.traded_ud for row in rows)),
        total_cost_shares_fp=format_cc(sum(row.traded_cc for row in rows)),
        event_exposure_dollars=format_ud(sum(row.cost_ud for row in rows)),
        realized_pnl_dollars=format_ud(sum(row.realised_ud for row in rows)),
        fees_paid_dollars=format_ud(sum(row.fees_ud for row in rows)),
    )


def fill_shape(floor: Floor, fill: Filled) -> FillShape:
    """Give the fill object."""
    return FillShape(
        fill_id=fill.trade_id,
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        ticker=fill.ticker,
        market_ticker=fill.ticker,
        exchange_index=_exchange_index(floor, fill.ticker),
        outcome_side=outcome(fill.side),
        book_side=fill.side.value,
        side=outcome(fill.side),
        action="buy",
        count_fp=format_cc(fill.size_cc),
        yes_price_dollars=format_ticks(fill.price_ticks),
        no_price_dollars=no_price(fill.price_ticks),
        is_taker=fill.is_taker,
        fee_cost=format_ud(fill.fee_ud),
        created_time=format_rfc3339(fill.instant_ns),
        ts=fill.instant_ns // SECOND_NS,
        subaccount_number=fill.subaccount,
    )


def _settlement_shape(row: Settlement) -> SettlementShape:
    return SettlementShape(
        ticker=row.ticker,
        event_ticker=row.event_ticker,
        exchange_index=row.exchange_index,
        market_result=result_word(row.value_ticks),
        yes_count_fp=format_cc(row.yes_cc),
        yes_total_cost_dollars=format_ud(row.yes_cost_ud),
        no_count_fp=format_cc(row.no_cc),
        no_total_cost_dollars=format_ud(row.no_cost_ud),
        revenue=row.revenue_ud // UD_PER_CENT,
        value=row.value_ticks // 100,
        fee_cost=format_ud(row.fees_ud),
        settled_time=format_rfc3339(row.instant_ns),
    )
