"""Public reads: series, events, markets, books and trades."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fairstrike.core.contract import Comparison
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS, format_rfc3339
from fairstrike.core.units import PPM, format_cc, format_ticks
from fairstrike.exchange.api.call import (
    EVENTS_LIMIT_MAX,
    PAGE_LIMIT_MAX,
    BoxResponse,
    Call,
    Desk,
    answer_json,
    bad_query,
    not_found,
    page,
    read_query,
    refuse,
)
from fairstrike.exchange.api.shapes import (
    BookShape,
    EventShape,
    SeriesShape,
    TickerBookShape,
    TradeShape,
)
from fairstrike.exchange.api.words import (
    SOURCES,
    is_quarter_hour,
    market_shape,
    market_title,
    no_price,
    outcome,
    own_price,
)
from fairstrike.exchange.floor import Floor, MarketStatus, MarketView
from fairstrike.exchange.happenings import Traded

BOOKS_MAX = 100
DEPTH_MAX = 100

Limit = Annotated[int, Meta(ge=1, le=PAGE_LIMIT_MAX)]
Status = Literal["unopened", "open", "paused", "closed", "settled"]

_STATUSES: dict[Status, frozenset[MarketStatus]] = {
    "unopened": frozenset({MarketStatus.INITIALIZED}),
    "open": frozenset({MarketStatus.ACTIVE}),
    "paused": frozenset({MarketStatus.INACTIVE}),
    "closed": frozenset({MarketStatus.CLOSED, MarketStatus.DETERMINED}),
    "settled": frozenset({MarketStatus.FINALIZED}),
}


class MarketsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the list of markets; closing times in epoch seconds."""

    limit: Limit = 100
    cursor: str = ""
    series_ticker: str | None = None
    event_ticker: str | None = None
    tickers: tuple[str, ...] | None = None
    status: Status | None = None
    min_close_ts: int | None = None
    max_close_ts: int | None = None


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the list of events; the status is that of any of its markets."""

    limit: Annotated[int, Meta(ge=1, le=EVENTS_LIMIT_MAX)] = EVENTS_LIMIT_MAX
    cursor: str = ""
    series_ticker: str | None = None
    status: Literal["unopened", "open", "closed", "settled"] | None = None
    with_nested_markets: bool = False


class NestedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the event carries its markets inside."""

    with_nested_markets: bool = False


class SeriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The category, exact and case-sensitive."""

    category: str | None = None


class DepthQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How many levels a side; none, zero or below: all."""

    depth: Annotated[int, Meta(le=DEPTH_MAX)] = 0


class BooksQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The markets whose books are wanted, as a repeated parameter."""

    tickers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=BOOKS_MAX)]


class TradesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the public trades; bounds in epoch seconds, both included."""

    limit: Limit = 100
    cursor: str = ""
    ticker: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None


def list_series(desk: Desk, call: Call) -> BoxResponse:
    """Give every series, or none when another category than Crypto is asked for."""
    query = read_query(call, SeriesQuery)
    firsts: dict[str, MarketView] = {}
    for view in desk.floor.markets():
        firsts.setdefault(view.contract.series, view)
    wanted = query.category in (None, "Crypto")
    return answer_json({"series": [_series_shape(view) for view in firsts.values()] if wanted else []})


def one_series(desk: Desk, call: Call) -> BoxResponse:
    """Give one series."""
    found = next((view for view in desk.floor.markets() if view.contract.series == call.names[0]), None)
    if found is None:
        not_found("series not found")
    return answer_json({"series": _series_shape(found)})


def fee_changes(desk: Desk, call: Call) -> BoxResponse:
    """Give scheduled fee changes: none, the box's fees stay."""
    return answer_json({"series_fee_change_arr": []})


def list_events(desk: Desk, call: Call) -> BoxResponse:
    """Give events in order of listing, with their markets when asked."""
    query = read_query(call, EventsQuery)
    statuses = None if query.status is None else _STATUSES[query.status]
    wanted: dict[str, list[MarketView]] = {}
    for view in desk.floor.markets():
        if query.series_ticker in (None, view.contract.series):
            wanted.setdefault(view.contract.event_ticker, []).append(view)
    groups = (views for views in wanted.values() if statuses is None or any(view.status in statuses for view in views))
    found, cursor = page(groups, query.cursor, query.limit, lambda views: views[0].contract.event_ticker)
    events = [_event_shape(desk.floor, views, is_nested=query.with_nested_markets) for views in found]
    return answer_json({"events": events, "cursor": cursor})


def one_event(desk: Desk, call: Call) -> BoxResponse:
    """Give one event; its markets stand beside it (deprecated at the venue) unless asked for inside."""
    query = read_query(call, NestedQuery)
    views = [view for view in desk.floor.markets() if view.contract.event_ticker == call.names[0]]
    if not views:
        not_found()
    event = _event_shape(desk.floor, views, is_nested=query.with_nested_markets)
    beside = [] if query.with_nested_markets else [market_shape(view, desk.floor.params) for view in views]
    return answer_json({"event": event, "markets": beside})


def list_markets(desk: Desk, call: Call) -> BoxResponse:
    """Give markets in order of listing."""
    query = read_query(call, MarketsQuery)
    has_close_bound = query.min_close_ts is not None or query.max_close_ts is not None
    if has_close_bound and query.status not in (None, "closed"):
        refuse(bad_query("close timestamp filters go with status closed or none"))
    wanted = (view for view in _candidates(desk.floor, query) if _is_wanted(view, query))
    found, cursor = page(wanted, query.cursor, query.limit, lambda view: view.contract.ticker)
    markets = [market_shape(view, desk.floor.params) for view in found]
    return answer_json({"markets": markets, "cursor": cursor})


def one_market(desk: Desk, call: Call) -> BoxResponse:
    """Give one market."""
    view = desk.floor.market(call.names[0])
    if view is None:
        not_found("market not found")
    return answer_json({"market": market_shape(view, desk.floor.params)})


def one_book(desk: Desk, call: Call) -> BoxResponse:
    """Give one book, the best `depth` levels a side."""
    query = read_query(call, DepthQuery)
    if desk.floor.market(call.names[0]) is None:
        not_found("market not found")
    return answer_json({"orderbook_fp": book_shape(desk.floor, call.names[0], query.depth)})


def several_books(desk: Desk, call: Call) -> BoxResponse:
    """Give whole books in the order asked for; unknown markets are left out."""
    query = read_query(call, BooksQuery)
    books = [
        TickerBookShape(ticker=ticker, orderbook_fp=book_shape(desk.floor, ticker))
        for ticker in query.tickers
        if desk.floor.market(ticker) is not None
    ]
    return answer_json({"orderbooks": books})


def list_trades(desk: Desk, call: Call) -> BoxResponse:
    """Give public trades, newest first."""
    query = read_query(call, TradesQuery)
    wanted = (
        trade
        for trade in reversed(desk.floor.trades(query.ticker))
        if is_between(trade.instant_ns, query.min_ts, query.max_ts)
    )
    found, cursor = page(wanted, query.cursor, query.limit, lambda trade: trade.trade_id)
    return answer_json({"trades": [_trade_shape(trade) for trade in found], "cursor": cursor})


def is_between(instant_ns: int, min_ts: int | None, max_ts: int | None) -> bool:
    """Whether an instant's epoch second lies in [min_ts, max_ts]; None is no bound."""
    second = instant_ns // SECOND_NS
    return (min_ts is None or second >= min_ts) and (max_ts is None or second <= max_ts)


def book_shape(floor: Floor, ticker: str, depth: int = 0) -> BookShape:
    """Give both sides of a book, the best `depth` levels each, all of them for zero or below."""
    sides = {}
    for side in Side:
        best_first = floor.levels(ticker, side)
        shown = best_first[:depth] if depth > 0 else best_first
        sides[side] = tuple((own_price(side, ticks), format_cc(cc)) for ticks, cc in reversed(shown))
    return BookShape(yes_dollars=sides[Side.BID], no_dollars=sides[Side.ASK])


def _candidates(floor: Floor, query: MarketsQuery) -> Iterable[MarketView]:
    if query.tickers is None:
        return floor.markets()
    return _known(floor, query.tickers)


def _known(floor: Floor, tickers: tuple[str, ...]) -> Iterator[MarketView]:
    for ticker in dict.fromkeys(tickers):
        view = floor.market(ticker)
        if view is not None:
            yield view


def _is_wanted(view: MarketView, query: MarketsQuery) -> bool:
    contract = view.contract
    return (
        query.series_ticker in (None, contract.series)
        and query.event_ticker in (None, contract.event_ticker)
        and (query.status is None or view.status in _STATUSES[query.status])
        and is_between(contract.close_ns, query.min_close_ts, query.max_close_ts)
    )


def _series_shape(view: MarketView) -> SeriesShape:
    contract, schedule = view.contract, view.schedule
    whole, rest = divmod(schedule.multiplier_ppm, PPM)
    return SeriesShape(
        ticker=contract.series,
        frequency="fifteen_min" if is_quarter_hour(contract) else "hourly",
        title=f"{contract.asset} price",
        fee_type="quadratic_with_maker_fees" if schedule.maker_ppm else "quadratic",
        fee_multiplier=schedule.multiplier_ppm / PPM if rest else whole,
        exchange_index=contract.exchange_index,
        settlement_sources=SOURCES,
        tags=(contract.asset,),
    )


def _event_shape(floor: Floor, views: list[MarketView], *, is_nested: bool) -> EventShape:
    first = views[0].contract
    is_range = any(view.contract.comparison in (Comparison.BETWEEN, Comparison.BELOW) for view in views)
    collateral = "MECNET" if is_range else ("" if is_quarter_hour(first) else "DIRECNET")
    markets = tuple(market_shape(view, floor.params) for view in views) if is_nested else msgspec.UNSET
    return EventShape(
        event_ticker=first.event_ticker,
        series_ticker=first.series,
        title=market_title(first),
        sub_title=format_rfc3339(first.close_ns),
        collateral_return_type=collateral,
        mutually_exclusive=is_range,
        strike_date=format_rfc3339(first.close_ns),
        exchange_index=first.exchange_index,
        settlement_sources=SOURCES,
        markets=markets,
    )


def _trade_shape(trade: Traded) -> TradeShape:
    return TradeShape(
        trade_id=trade.trade_id,
        ticker=trade.ticker,
        count_fp=format_cc(trade.size_cc),
        yes_price_dollars=format_ticks(trade.price_ticks),
        no_price_dollars=no_price(trade.price_ticks),
        taker_outcome_side=outcome(trade.taker_side),
        taker_book_side=trade.taker_side.value,
        taker_side=outcome(trade.taker_side),
        created_time=format_rfc3339(trade.instant_ns),
    )
