"""Public reads: series and events, their fee changes and their metadata.

The box has no combinations of events and no incentive programmes: their lists are empty.

Source: the venue's published interface 3.34.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fairstrike.core.timing import SECOND_NS, format_rfc3339
from fairstrike.core.units import format_cc
from fairstrike.exchange.api.call import (
    EVENTS_LIMIT_MAX,
    PAGE_LIMIT_MAX,
    BoxResponse,
    Call,
    Desk,
    answer_json,
    not_found,
    page,
    read_query,
)
from fairstrike.exchange.api.markets import STATUSES
from fairstrike.exchange.api.shapes import EventShape, MarketShape, SeriesShape
from fairstrike.exchange.api.tiers import is_historical
from fairstrike.exchange.api.words import (
    SOURCES,
    fee_multiplier,
    fee_type,
    is_quarter_hour,
    market_shape,
    market_title,
)
from fairstrike.exchange.floor import MarketView
from fairstrike.exchange.netting import MUTUALLY_EXCLUSIVE, collateral_return

INCENTIVES_LIMIT_MAX = 10_000
_CATEGORY = "Crypto"


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the list of events; status and closing time are those of any of its markets, epoch seconds."""

    limit: Annotated[int, Meta(ge=1, le=EVENTS_LIMIT_MAX)] = EVENTS_LIMIT_MAX
    cursor: str = ""
    series_ticker: str | None = None
    tickers: tuple[str, ...] | None = None
    status: Literal["unopened", "open", "closed", "settled"] | None = None
    min_close_ts: int | None = None
    min_updated_ts: int | None = None
    with_nested_markets: bool = False
    with_milestones: bool = False


class NestedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the event carries its markets inside."""

    with_nested_markets: bool = False


class SeriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The category, exact and case-sensitive; tags separated by commas, any of which will do; what is told beside."""

    category: str | None = None
    tags: str | None = None
    include_product_metadata: bool = False
    include_volume: bool = False
    min_updated_ts: int | None = None


class FeeChangesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of fee changes, read so that a wrong value is refused."""

    series_ticker: str | None = None
    show_historical: bool = False
    event_ticker: str | None = None
    limit: Annotated[int, Meta(ge=1, le=EVENTS_LIMIT_MAX)] = EVENTS_LIMIT_MAX
    cursor: str = ""


class CombinationsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The page of combinations, read so that a wrong value is refused."""

    limit: Annotated[int, Meta(ge=1, le=EVENTS_LIMIT_MAX)] = EVENTS_LIMIT_MAX // 2
    cursor: str = ""
    with_nested_markets: bool = False


class IncentivesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The page of incentive programmes, read so that a wrong value is refused."""

    limit: Annotated[int, Meta(ge=1, le=INCENTIVES_LIMIT_MAX)] = PAGE_LIMIT_MAX
    cursor: str = ""


def list_series(desk: Desk, call: Call) -> BoxResponse:
    """Give every series in order of listing; the list has no pages."""
    query = read_query(call, SeriesQuery)
    groups: dict[str, list[MarketView]] = {}
    for view in desk.floor.markets():
        groups.setdefault(view.contract.series, []).append(view)
    series = [_series_shape(views, query) for views in groups.values() if _is_series_wanted(views, query)]
    return answer_json({"series": series})


def one_series(desk: Desk, call: Call) -> BoxResponse:
    """Give one series."""
    query = read_query(call, SeriesQuery)
    views = [view for view in desk.floor.markets() if view.contract.series == call.names[0]]
    if not views:
        not_found("series not found")
    return answer_json({"series": _series_shape(views, query)})


def series_fee_changes(desk: Desk, call: Call) -> BoxResponse:
    """Give scheduled fee changes of series: none, the box's fees stay."""
    read_query(call, FeeChangesQuery)
    return answer_json({"series_fee_change_arr": []})


def event_fee_changes(desk: Desk, call: Call) -> BoxResponse:
    """Give scheduled fee overrides of events: none, the box's fees stay."""
    read_query(call, FeeChangesQuery)
    return answer_json({"event_fee_changes": [], "cursor": ""})


def list_events(desk: Desk, call: Call) -> BoxResponse:
    """Give events in order of listing, with their markets when asked."""
    query = read_query(call, EventsQuery)
    groups: dict[str, list[MarketView]] = {}
    for view in desk.floor.markets():
        groups.setdefault(view.contract.event_ticker, []).append(view)
    wanted = (views for views in groups.values() if _is_event_wanted(views, query))
    found, cursor = page(wanted, query.cursor, query.limit, lambda views: views[0].contract.event_ticker)
    body: dict[str, object] = {
        "events": [_event_shape(desk, call, views, is_nested=query.with_nested_markets) for views in found],
        "cursor": cursor,
    }
    if query.with_milestones:
        body["milestones"] = []
    return answer_json(body)


def one_event(desk: Desk, call: Call) -> BoxResponse:
    """Give one event; its markets stand beside it (deprecated at the venue) unless asked for inside."""
    query = read_query(call, NestedQuery)
    views = _event_views(desk, call)
    event = _event_shape(desk, call, views, is_nested=query.with_nested_markets)
    beside = () if query.with_nested_markets else _live_shapes(desk, call, views)
    return answer_json({"event": event, "markets": beside})


def metadata(desk: Desk, call: Call) -> BoxResponse:
    """Give what a page about the event would show: no pictures, and where results come from."""
    views = _event_views(desk, call)
    details = [{"market_ticker": view.contract.ticker, "image_url": "", "color_code": ""} for view in views]
    return answer_json({"image_url": "", "market_details": details, "settlement_sources": SOURCES})


def combinations(desk: Desk, call: Call) -> BoxResponse:
    """Give events that combine others: none."""
    read_query(call, CombinationsQuery)
    return answer_json({"events": [], "cursor": ""})


def collections(desk: Desk, call: Call) -> BoxResponse:
    """Give collections of which combinations are made: none."""
    read_query(call, CombinationsQuery)
    return answer_json({"multivariate_contracts": [], "cursor": ""})


def incentive_programs(desk: Desk, call: Call) -> BoxResponse:
    """Give rewards for trading or quoting: none."""
    read_query(call, IncentivesQuery)
    return answer_json({"incentive_programs": [], "next_cursor": ""})


def _event_views(desk: Desk, call: Call) -> list[MarketView]:
    views = [view for view in desk.floor.markets() if view.contract.event_ticker == call.names[0]]
    if not views:
        not_found("event not found")
    return views


def _live_shapes(desk: Desk, call: Call, views: list[MarketView]) -> tuple[MarketShape, ...]:
    return tuple(market_shape(view, desk.floor.params) for view in views if not is_historical(desk, call, view))


def _is_series_wanted(views: list[MarketView], query: SeriesQuery) -> bool:
    tags = None if query.tags is None else query.tags.split(",")
    return (
        query.category in (None, _CATEGORY)
        and (tags is None or views[0].contract.asset in tags)
        and (query.min_updated_ts is None or views[0].listed_ns // SECOND_NS >= query.min_updated_ts)
    )


def _is_event_wanted(views: list[MarketView], query: EventsQuery) -> bool:
    first = views[0].contract
    statuses = None if query.status is None else STATUSES[query.status]
    min_close_ts, min_updated_ts = query.min_close_ts, query.min_updated_ts
    return (
        query.series_ticker in (None, first.series)
        and (query.tickers is None or first.event_ticker in query.tickers)
        and (statuses is None or any(view.status in statuses for view in views))
        and (min_close_ts is None or any(view.contract.close_ns // SECOND_NS >= min_close_ts for view in views))
        and (min_updated_ts is None or _updated_ns(views) // SECOND_NS >= min_updated_ts)
    )


def _updated_ns(views: list[MarketView]) -> int:
    return max(view.updated_ns for view in views)


def _series_shape(views: list[MarketView], query: SeriesQuery) -> SeriesShape:
    contract, schedule = views[0].contract, views[0].series_schedule
    return SeriesShape(
        ticker=contract.series,
        frequency="fifteen_min" if is_quarter_hour(contract) else "hourly",
        title=f"{contract.asset} price",
        fee_type=fee_type(schedule),
        fee_multiplier=fee_multiplier(schedule),
        exchange_index=contract.exchange_index,
        settlement_sources=SOURCES,
        tags=(contract.asset,),
        last_updated_ts=format_rfc3339(views[0].listed_ns),
        volume_fp=format_cc(sum(view.volume_cc for view in views)) if query.include_volume else msgspec.UNSET,
        product_metadata={} if query.include_product_metadata else msgspec.UNSET,
    )


def _event_shape(desk: Desk, call: Call, views: list[MarketView], *, is_nested: bool) -> EventShape:
    first = views[0].contract
    collateral = collateral_return([view.contract for view in views])
    schedule = views[0].schedule
    is_overridden = schedule != views[0].series_schedule
    return EventShape(
        event_ticker=first.event_ticker,
        series_ticker=first.series,
        title=market_title(first),
        sub_title=format_rfc3339(first.close_ns),
        collateral_return_type=collateral,
        mutually_exclusive=collateral == MUTUALLY_EXCLUSIVE,
        strike_date=format_rfc3339(first.close_ns),
        exchange_index=first.exchange_index,
        settlement_sources=SOURCES,
        last_updated_ts=format_rfc3339(_updated_ns(views)),
        fee_type_override=fee_type(schedule) if is_overridden else msgspec.UNSET,
        fee_multiplier_override=fee_multiplier(schedule) if is_overridden else msgspec.UNSET,
        markets=_live_shapes(desk, call, views) if is_nested else msgspec.UNSET,
    )
