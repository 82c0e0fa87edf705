"""What the stream says of markets, events and indices: the `msg` of each frame, complete as the venue sends it.

Source: the venue's AsyncAPI document 2.0.0 and frames captured in May and August 2026.
"""

from collections.abc import Sequence

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.timing import MILLISECOND_NS, MINUTE_NS, SECOND_NS, format_rfc3339
from fairstrike.core.units import format_e8, format_ticks
from fairstrike.exchange.api.messages import Message, encode_msg
from fairstrike.exchange.api.shapes import Number, PriceRangeShape
from fairstrike.exchange.api.words import (
    custom_strike,
    fee_multiplier,
    fee_type,
    index_id,
    market_rules,
    market_title,
    price_ranges,
    result_word,
    strike_number,
    strike_text,
    structure_name,
)
from fairstrike.exchange.happenings import (
    FeesChanged,
    GridChanged,
    IndexAverage,
    IndexPublished,
    MarketDeactivated,
    MarketDetermined,
    MarketListed,
    MarketReactivated,
    MarketSettled,
    StrikePublished,
)
from fairstrike.exchange.listings import FIFTHS
from fairstrike.exchange.netting import collateral_return

FIFTH_NS = SECOND_NS // FIFTHS

MarketNews = (
    MarketListed
    | StrikePublished
    | MarketDeactivated
    | MarketReactivated
    | GridChanged
    | MarketDetermined
    | MarketSettled
)
"""What the lifecycle channel tells of a market."""


class MetadataMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
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


class LifecycleMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
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
    is_deactivated: bool | None = None
    determination_ts: int | None = None
    result: str | None = None
    settlement_value: str | None = None
    settled_ts: int | None = None


class EventMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """An event was created."""

    event_ticker: str
    exchange_index: int
    title: str
    subtitle: str
    collateral_return_type: str
    series_ticker: str
    strike_date: str


class FeesMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """An event's fees were overridden, or are those of its series again."""

    event_ticker: str
    fee_type_override: str | None
    fee_multiplier_override: Number | None


class AverageMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A mean of index values; the window in epoch milliseconds."""

    value: str
    window_size: int
    window_start_ts_ms: int
    window_end_ts_exclusive: int


class IndexMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One value of an index; `data` is the publisher's own JSON as text."""

    index_id: str
    received_at: int
    data: str
    avg_60s_data: AverageMsg | None = None
    last_60s_windowed_average_15min: AverageMsg | None = None


class FifthMsg(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One of the five values a second of an index."""

    index_id: str
    value_usd: str
    source_ts_ms: int
    received_at: int
    data: str


def lifecycle(news: MarketNews) -> bytes:
    """Give the `msg` of a `market_lifecycle_v2`. A 15-minute target arrives as `metadata_updated`."""
    if isinstance(news, MarketListed):
        return encode_msg(_created(news.contract))
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
    elif isinstance(news, GridChanged):
        message = LifecycleMsg(
            event_type="price_level_structure_updated",
            market_ticker=news.contract.ticker,
            price_level_structure=structure_name(news.contract.grid),
            price_ranges=price_ranges(news.contract.grid),
        )
    elif isinstance(news, MarketDeactivated | MarketReactivated):
        is_out = isinstance(news, MarketDeactivated)
        word = "deactivated" if is_out else "activated"
        message = LifecycleMsg(event_type=word, market_ticker=news.ticker, is_deactivated=is_out)
    else:
        message = LifecycleMsg(event_type="settled", market_ticker=news.ticker, settled_ts=news.instant_ns // SECOND_NS)
    return encode_msg(message)


def event_created(contracts: Sequence[Contract]) -> bytes:
    """Give the `msg` of an `event_lifecycle` for an event of these markets."""
    first = contracts[0]
    return encode_msg(
        EventMsg(
            event_ticker=first.event_ticker,
            exchange_index=first.exchange_index,
            title=market_title(first),
            subtitle=format_rfc3339(first.close_ns),
            collateral_return_type=collateral_return(contracts),
            series_ticker=first.series,
            strike_date=format_rfc3339(first.close_ns),
        )
    )


def event_fees(news: FeesChanged, *, is_overridden: bool) -> bytes:
    """Give the `msg` of an `event_fee_update`; without an override both fields are null."""
    return encode_msg(
        FeesMsg(
            event_ticker=news.event_ticker,
            fee_type_override=fee_type(news.schedule) if is_overridden else None,
            fee_multiplier_override=fee_multiplier(news.schedule) if is_overridden else None,
        )
    )


def index_value(news: IndexPublished) -> bytes:
    """Give the `msg` of a `cfbenchmarks_value`."""
    name = index_id(news.asset)
    data = {
        "type": "value",
        "id": name,
        "time": news.second * 1_000,
        "value": _short_e8(news.value_e8),
    }
    return encode_msg(
        IndexMsg(
            index_id=name,
            received_at=news.instant_ns // MILLISECOND_NS,
            data=encode_msg(data).decode(),
            avg_60s_data=_average(news.avg_60s),
            last_60s_windowed_average_15min=_average(news.quarter_hour),
        )
    )


def index_fifth(news: IndexPublished, fifth: int) -> bytes:
    """Give the `msg` of a `cfbenchmarks_value_5hz`, `fifth` fifths of a second (0 to 4) after a print."""
    value_e8 = news.fifths_e8[fifth]
    name = index_id(news.asset)
    source_ts_ms = (news.second * SECOND_NS + fifth * FIFTH_NS) // MILLISECOND_NS
    data = {"type": "value", "id": name, "time": source_ts_ms, "value": _short_e8(value_e8)}
    return encode_msg(
        FifthMsg(
            index_id=name,
            value_usd=format_e8(value_e8),
            source_ts_ms=source_ts_ms,
            received_at=(news.instant_ns + fifth * FIFTH_NS) // MILLISECOND_NS,
            data=encode_msg(data).decode(),
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
