"""What changes seldom or is long past: hours, freshness, fee changes, event details, candles, the historical tier.

Source: REST specification 3.34.
"""

from decimal import Decimal

import msgspec

from fairstrike.venue.kalshi.wire.markets import Candlestick, SettlementSource
from fairstrike.venue.kalshi.wire.pages import Page


class DayHours(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a day in New York time, "HH:MM"; "00:00" as an end is midnight."""

    open_time: str
    close_time: str


class WeekHours(msgspec.Struct, frozen=True, kw_only=True):
    """Trading hours of a week, valid from `start_time` to `end_time`."""

    start_time: str
    end_time: str
    monday: tuple[DayHours, ...] = ()
    tuesday: tuple[DayHours, ...] = ()
    wednesday: tuple[DayHours, ...] = ()
    thursday: tuple[DayHours, ...] = ()
    friday: tuple[DayHours, ...] = ()
    saturday: tuple[DayHours, ...] = ()
    sunday: tuple[DayHours, ...] = ()


class MaintenanceWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which the exchange is closed for maintenance."""

    start_datetime: str
    end_datetime: str


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Weekly hours and the exceptions from them."""

    standard_hours: tuple[WeekHours, ...]
    maintenance_windows: tuple[MaintenanceWindow, ...] = ()


class ScheduleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /exchange/schedule."""

    schedule: Schedule


class UserDataTimestamp(msgspec.Struct, frozen=True, kw_only=True):
    """GET /exchange/user_data_timestamp: how fresh portfolio reads are."""

    as_of_time: str


class SeriesFeeChange(msgspec.Struct, frozen=True, kw_only=True):
    """A series' fees from an instant on."""

    id: str
    series_ticker: str
    fee_type: str
    fee_multiplier: Decimal
    scheduled_ts: str


class SeriesFeeChanges(msgspec.Struct, frozen=True, kw_only=True):
    """GET /series/fee_changes."""

    series_fee_change_arr: tuple[SeriesFeeChange, ...]


class EventFeeChange(msgspec.Struct, frozen=True, kw_only=True):
    """An event's override of its series' fees; None takes an override back."""

    id: str
    event_ticker: str
    series_ticker: str
    scheduled_ts: str
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None


class EventFeeChangesPage(Page, frozen=True, kw_only=True):
    """GET /events/fee_changes."""

    event_fee_changes: tuple[EventFeeChange, ...]


class MarketDetail(msgspec.Struct, frozen=True, kw_only=True):
    """How one market is shown on the venue's site."""

    market_ticker: str
    image_url: str = ""
    color_code: str = ""


class EventMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """GET /events/{event_ticker}/metadata."""

    image_url: str = ""
    market_details: tuple[MarketDetail, ...] = ()
    settlement_sources: tuple[SettlementSource, ...] | None = ()


class MarketCandlesticks(msgspec.Struct, frozen=True, kw_only=True):
    """One market of a batch of candles."""

    market_ticker: str
    candlesticks: tuple[Candlestick, ...]


class CandlesticksBatch(msgspec.Struct, frozen=True, kw_only=True):
    """GET /markets/candlesticks."""

    markets: tuple[MarketCandlesticks, ...]


class EventCandlesticks(msgspec.Struct, frozen=True, kw_only=True):
    """GET /series/{series}/events/{event}/candlesticks: one row of candles for each ticker, in order."""

    market_tickers: tuple[str, ...]
    market_candlesticks: tuple[tuple[Candlestick, ...], ...]
    adjusted_end_ts: int = 0


class HistoricalCutoff(msgspec.Struct, frozen=True, kw_only=True):
    """GET /historical/cutoff: what is older is told under /historical only."""

    market_settled_ts: str
    trades_created_ts: str
    orders_updated_ts: str
    market_positions_last_updated_ts: str | None = None


class IncentiveProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A reward for trading or quoting in a market; `period_reward` is in hundredths of a cent."""

    id: str
    market_ticker: str
    incentive_type: str
    incentive_description: str
    start_date: str
    end_date: str
    period_reward: int
    paid_out: bool
    target_size_fp: str | None = None


class IncentiveProgramsPage(msgspec.Struct, frozen=True, kw_only=True):
    """GET /incentive_programs."""

    incentive_programs: tuple[IncentiveProgram, ...]
    next_cursor: str | None = None


class CombinationCollection(msgspec.Struct, frozen=True, kw_only=True):
    """Events of which combinations may be made, and how many at a time."""

    collection_ticker: str
    series_ticker: str
    title: str
    associated_event_tickers: tuple[str, ...]
    size_min: int
    size_max: int


class CollectionsPage(Page, frozen=True, kw_only=True):
    """GET /multivariate_event_collections."""

    multivariate_contracts: tuple[CombinationCollection, ...]


class HistoricalOhlc(msgspec.Struct, frozen=True, kw_only=True):
    """As `Ohlc`, under the names of the historical tier."""

    open: str | None = None
    low: str | None = None
    high: str | None = None
    close: str | None = None
    mean: str | None = None
    previous: str | None = None


class HistoricalCandlestick(msgspec.Struct, frozen=True, kw_only=True):
    """One period, named by its inclusive end in epoch seconds."""

    end_period_ts: int
    yes_bid: HistoricalOhlc
    yes_ask: HistoricalOhlc
    price: HistoricalOhlc
    volume: str
    open_interest: str


class HistoricalCandlesticks(msgspec.Struct, frozen=True, kw_only=True):
    """GET /historical/markets/{ticker}/candlesticks."""

    ticker: str
    candlesticks: tuple[HistoricalCandlestick, ...]
