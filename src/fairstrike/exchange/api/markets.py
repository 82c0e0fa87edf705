"""Public reads: markets, books and trades. Series and events are in `events.py`."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS, format_rfc3339
from fairstrike.core.units import format_cc, format_ticks
from fairstrike.exchange.api.call import (
    PAGE_LIMIT_MAX,
    BoxResponse,
    Call,
    Desk,
    answer_json,
    bad_query,
    page,
    read_query,
    refuse,
)
from fairstrike.exchange.api.shapes import BookShape, TickerBookShape, TradeShape
from fairstrike.exchange.api.tiers import cutoff_ns, is_historical, live_market, live_markets
from fairstrike.exchange.api.words import market_shape, no_price, outcome, own_price
from fairstrike.exchange.floor import Floor, MarketStatus, MarketView
from fairstrike.exchange.happenings import Traded

BOOKS_MAX = 100
DEPTH_MAX = 100

Limit = Annotated[int, Meta(ge=1, le=PAGE_LIMIT_MAX)]
Status = Literal["unopened", "open", "paused", "closed", "settled"]

STATUSES: dict[Status, frozenset[MarketStatus]] = {
    "unopened": frozenset({MarketStatus.INITIALIZED}),
    "open": frozenset({MarketStatus.ACTIVE}),
    "paused": frozenset({MarketStatus.INACTIVE}),
    "closed": frozenset({MarketStatus.CLOSED, MarketStatus.DETERMINED}),
    "settled": frozenset({MarketStatus.FINALIZED}),
}
_STATUSES_WITH_BOUNDS: dict[str, tuple[Status | None, ...]] = {
    "created": (None, "unopened", "open"),
    "close": (None, "closed"),
    "settled": (None, "settled"),
    "updated": (None,),
}


class MarketsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the list of markets; bounds in epoch seconds, both included.

    Bounds of one kind at a time: on the creation, the close, the settlement or the last change. `mve_filter` chooses
    or leaves out combinations, of which the box has none.
    """

    limit: Limit = 100
    cursor: str = ""
    series_ticker: str | None = None
    event_ticker: str | None = None
    tickers: tuple[str, ...] | None = None
    status: Status | None = None
    mve_filter: Literal["only", "exclude"] | None = None
    min_created_ts: int | None = None
    max_created_ts: int | None = None
    min_close_ts: int | None = None
    max_close_ts: int | None = None
    min_settled_ts: int | None = None
    max_settled_ts: int | None = None
    min_updated_ts: int | None = None
    max_updated_ts: int | None = None


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
    is_block_trade: bool | None = None


def list_markets(desk: Desk, call: Call) -> BoxResponse:
    """Give the markets of the live tier in order of listing."""
    query = read_query(call, MarketsQuery)
    _check_bounds(query)
    views = _candidates(desk, call, query)
    return markets_page(desk, views, query.cursor, query.limit, lambda view: _is_wanted(view, query))


def markets_page(
    desk: Desk,
    views: Iterable[MarketView],
    cursor: str,
    limit: int,
    is_wanted: Callable[[MarketView], bool] | None = None,
) -> BoxResponse:
    """Give one page of markets."""
    found, following = page(views, cursor, limit, lambda view: view.contract.ticker, is_wanted)
    return answer_json({"markets": [market_shape(view, desk.floor.params) for view in found], "cursor": following})


def one_market(desk: Desk, call: Call) -> BoxResponse:
    """Give one market of the live tier."""
    view = live_market(desk, call, call.names[0])
    return answer_json({"market": market_shape(view, desk.floor.params)})


def one_book(desk: Desk, call: Call) -> BoxResponse:
    """Give one book, the best `depth` levels a side."""
    query = read_query(call, DepthQuery)
    live_market(desk, call, call.names[0])
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
    """Give the public trades of the live tier, newest first."""
    query = read_query(call, TradesQuery)
    since_ns = cutoff_ns(desk, call)
    return trades_page(
        (each for each in reversed(desk.floor.trades(query.ticker)) if each.instant_ns >= since_ns), query
    )


def trades_page(trades: Iterable[Traded], query: TradesQuery) -> BoxResponse:
    """Give one page of those trades that the query wants. The box knows no block trades."""
    wanted = (
        trade
        for trade in trades
        if not query.is_block_trade and is_between(trade.instant_ns, query.min_ts, query.max_ts)
    )
    found, cursor = page(wanted, query.cursor, query.limit, lambda trade: trade.trade_id)
    return answer_json({"trades": [_trade_shape(trade) for trade in found], "cursor": cursor})


def is_between(instant_ns: int, min_ts: int | None, max_ts: int | None) -> bool:
    """Whether an instant's epoch second lies in [min_ts, max_ts]; None is no bound."""
    second = instant_ns // SECOND_NS
    return (min_ts is None or second >= min_ts) and (max_ts is None or second <= max_ts)


def book_shape(floor: Floor, ticker: str, depth: int = 0, *, is_yes_priced: bool = False) -> BookShape:
    """Give both sides of a book, the best `depth` levels each, all of them for zero or below.

    The NO side carries NO prices unless `is_yes_priced`; either way the best level is the last.
    """
    sides = {}
    for side in Side:
        best_first = floor.levels(ticker, side)
        shown = best_first[:depth] if depth > 0 else best_first
        price = format_ticks if is_yes_priced else partial(own_price, side)
        sides[side] = tuple((price(ticks), format_cc(cc)) for ticks, cc in reversed(shown))
    return BookShape(yes_dollars=sides[Side.BID], no_dollars=sides[Side.ASK])


def _check_bounds(query: MarketsQuery) -> None:
    """Refuse filters that the venue does not take together. Source: its page on the list of markets."""
    given = {
        "created": query.min_created_ts is not None or query.max_created_ts is not None,
        "close": query.min_close_ts is not None or query.max_close_ts is not None,
        "settled": query.min_settled_ts is not None or query.max_settled_ts is not None,
        "updated": query.min_updated_ts is not None or query.max_updated_ts is not None,
    }
    kinds = [kind for kind, is_given in given.items() if is_given]
    if len(kinds) > 1:
        refuse(bad_query("timestamp filters are of one kind: created, close, settled or updated"))
    for kind in kinds:
        if query.status not in _STATUSES_WITH_BOUNDS[kind]:
            refuse(bad_query(f"{kind} timestamp filters do not go with status {query.status}"))
    if given["updated"]:
        is_narrowed = query.event_ticker is not None or query.tickers is not None or query.mve_filter == "only"
        if is_narrowed or (query.series_ticker is not None and query.mve_filter != "exclude"):
            refuse(bad_query("updated timestamp filters go with mve_filter=exclude, and with a series only then"))


def _candidates(desk: Desk, call: Call, query: MarketsQuery) -> Iterable[MarketView]:
    if query.mve_filter == "only":
        return ()
    if query.tickers is None:
        return live_markets(desk, call)
    known = (desk.floor.market(ticker) for ticker in dict.fromkeys(query.tickers))
    return (view for view in known if view is not None and not is_historical(desk, call, view))


def _is_wanted(view: MarketView, query: MarketsQuery) -> bool:
    contract = view.contract
    return (
        query.series_ticker in (None, contract.series)
        and query.event_ticker in (None, contract.event_ticker)
        and (query.status is None or view.status in STATUSES[query.status])
        and is_between(view.listed_ns, query.min_created_ts, query.max_created_ts)
        and is_between(contract.close_ns, query.min_close_ts, query.max_close_ts)
        and is_between(view.updated_ns, query.min_updated_ts, query.max_updated_ts)
        and _is_settled_between(view, query)
    )


def _is_settled_between(view: MarketView, query: MarketsQuery) -> bool:
    if query.min_settled_ts is None and query.max_settled_ts is None:
        return True
    return view.settled_ns is not None and is_between(view.settled_ns, query.min_settled_ts, query.max_settled_ts)


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
