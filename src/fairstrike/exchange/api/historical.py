"""The historical tier: what is older than the cutoff, and only that. Candles of it are in `candlesticks.py`.

Source: the venue's published interface 3.34 and its page on historical data.
"""

import msgspec

from fairstrike.core.timing import format_rfc3339
from fairstrike.exchange.api.call import BoxResponse, Call, Desk, answer_json, bad_query, page, read_query, refuse
from fairstrike.exchange.api.markets import Limit, TradesQuery, is_between, markets_page, trades_page
from fairstrike.exchange.api.portfolio import (
    Subaccount,
    event_position_shape,
    fill_shape,
    order_shape,
    position_shape,
)
from fairstrike.exchange.api.tiers import cutoff_ns, historical_market, historical_markets
from fairstrike.exchange.api.words import market_shape
from fairstrike.exchange.floor import PositionView, Settlement
from fairstrike.exchange.happenings import OrderStatus


class HistoricalMarketsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which markets: by ticker, by event or by series, one of them at a time."""

    limit: Limit = 100
    cursor: str = ""
    tickers: tuple[str, ...] | None = None
    event_ticker: str | None = None
    series_ticker: str | None = None
    mve_filter: str | None = None


class OwnQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the account's own history; bounds in epoch seconds, both included."""

    limit: Limit = 100
    cursor: str = ""
    ticker: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    subaccount: Subaccount | None = None


class OldPositionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of positions in settled markets."""

    limit: Limit = 100
    cursor: str = ""
    ticker: str | None = None
    event_ticker: str | None = None
    subaccount: Subaccount | None = None


def cutoff(desk: Desk, call: Call) -> BoxResponse:
    """Give the instants before which only this tier has markets, trades, orders and positions."""
    instant = format_rfc3339(cutoff_ns(desk, call))
    names = ("market_settled_ts", "trades_created_ts", "orders_updated_ts", "market_positions_last_updated_ts")
    return answer_json(dict.fromkeys(names, instant))


def list_markets(desk: Desk, call: Call) -> BoxResponse:
    """Give historical markets in order of listing."""
    query = read_query(call, HistoricalMarketsQuery)
    if sum(each is not None for each in (query.tickers, query.event_ticker, query.series_ticker)) > 1:
        refuse(bad_query("tickers, event_ticker and series_ticker exclude each other"))
    wanted = (
        view
        for view in historical_markets(desk, call)
        if query.mve_filter != "only"
        and (query.tickers is None or view.contract.ticker in query.tickers)
        and query.event_ticker in (None, view.contract.event_ticker)
        and query.series_ticker in (None, view.contract.series)
    )
    return markets_page(desk, wanted, query.cursor, query.limit)


def one_market(desk: Desk, call: Call) -> BoxResponse:
    """Give one historical market."""
    view = historical_market(desk, call, call.names[0])
    return answer_json({"market": market_shape(view, desk.floor.params)})


def list_trades(desk: Desk, call: Call) -> BoxResponse:
    """Give historical public trades, newest first."""
    query = read_query(call, TradesQuery)
    before_ns = cutoff_ns(desk, call)
    return trades_page(
        (each for each in reversed(desk.floor.trades(query.ticker)) if each.instant_ns < before_ns), query
    )


def fills(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's historical fills, newest first."""
    query = read_query(call, OwnQuery)
    before_ns = cutoff_ns(desk, call)
    wanted = (
        fill
        for fill in reversed(desk.floor.fills(call.owner))
        if fill.instant_ns < before_ns
        and query.ticker in (None, fill.ticker)
        and query.subaccount in (None, fill.subaccount)
        and is_between(fill.instant_ns, query.min_ts, query.max_ts)
    )
    # One match of the account with itself gives two fills: the order id tells them apart.
    found, cursor = page(wanted, query.cursor, query.limit, lambda fill: f"{fill.trade_id}/{fill.order_id}")
    return answer_json({"fills": [fill_shape(desk.floor, fill) for fill in found], "cursor": cursor})


def positions(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's positions in markets settled before the cutoff, newest first: flat, with what they brought."""
    query = read_query(call, OldPositionsQuery)
    before_ns = cutoff_ns(desk, call)
    wanted = (
        row
        for row in reversed(desk.floor.settlements(call.owner))
        if row.instant_ns < before_ns
        and query.ticker in (None, row.ticker)
        and query.event_ticker in (None, row.event_ticker)
        and query.subaccount in (None, row.subaccount)
    )
    found, cursor = page(wanted, query.cursor, query.limit, lambda row: f"{row.ticker}/{row.subaccount}")
    events: dict[str, list[PositionView]] = {}
    for row in found:
        events.setdefault(row.event_ticker, []).append(_position(row))
    return answer_json(
        {
            "market_positions": [position_shape(_position(row), row.exchange_index) for row in found],
            "event_positions": [event_position_shape(event, rows) for event, rows in events.items()],
            "cursor": cursor,
        }
    )


def _position(row: Settlement) -> PositionView:
    return PositionView(
        ticker=row.ticker,
        net_cc=0,
        cost_ud=0,
        realised_ud=row.realised_ud,
        fees_ud=row.fees_ud,
        traded_cc=row.traded_cc,
        traded_ud=row.traded_ud,
        updated_ns=row.instant_ns,
    )


def orders(desk: Desk, call: Call) -> BoxResponse:
    """Give the account's historical orders, newest first; an order that rests is never historical."""
    query = read_query(call, OwnQuery)
    before_ns = cutoff_ns(desk, call)
    wanted = (
        order
        for order in reversed(desk.floor.orders(call.owner))
        if order.status is not OrderStatus.RESTING
        and order.updated_ns < before_ns
        and query.ticker in (None, order.ticker)
        and query.subaccount in (None, order.subaccount)
        and is_between(order.updated_ns, query.min_ts, query.max_ts)
    )
    found, cursor = page(wanted, query.cursor, query.limit, lambda order: order.order_id)
    return answer_json({"orders": [order_shape(order) for order in found], "cursor": cursor})
