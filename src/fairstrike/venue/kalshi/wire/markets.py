"""Reference data: markets, series, events, books, trades, candles, exchange status. `terms.py` reads a market's terms.

Strikes are JSON numbers on the wire and decode as `Decimal`, so they become `_e8` integers without ever
being floats. Optional fields the venue left out are None; they encode as null.
"""

from decimal import Decimal

import msgspec

from fairstrike.core.contract import CENT_GRID, PriceRange
from fairstrike.core.errors import ArithmeticRefusal, ProtocolError
from fairstrike.core.fees import MAKER_PPM, FeeSchedule
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.market.index import INDICES
from fairstrike.venue.kalshi.wire.amounts import number_ppm, price_ticks
from fairstrike.venue.kalshi.wire.pages import Page

_COMBO_MAKER_PPM = 2 * MAKER_PPM


class WireRange(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a tick grid, in dollars."""

    start: str
    end: str
    step: str


class CustomStrike(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Extra terms of a market; 15-minute markets tell the decimals of the compared mean."""

    round_digits: str | int | None = None


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """A market as REST describes it. Sides are empty when their size is zero, whatever the price says."""

    ticker: str
    event_ticker: str
    status: str
    open_time: str
    close_time: str
    market_type: str = "binary"
    title: str | None = None
    subtitle: str | None = None
    yes_sub_title: str = ""
    no_sub_title: str = ""
    created_time: str | None = None
    updated_time: str | None = None
    expected_expiration_time: str | None = None
    latest_expiration_time: str | None = None
    settlement_timer_seconds: int = 0
    yes_bid_dollars: str = "0.0000"
    yes_ask_dollars: str = "1.0000"
    no_bid_dollars: str = "0.0000"
    no_ask_dollars: str = "1.0000"
    yes_bid_size_fp: str = "0.00"
    yes_ask_size_fp: str = "0.00"
    last_price_dollars: str = "0.0000"
    previous_price_dollars: str = "0.0000"
    previous_yes_bid_dollars: str = "0.0000"
    previous_yes_ask_dollars: str = "0.0000"
    volume_fp: str = "0.00"
    volume_24h_fp: str = "0.00"
    open_interest_fp: str = "0.00"
    notional_value_dollars: str = "1.0000"
    result: str = ""
    settlement_value_dollars: str | None = None
    settlement_ts: str | None = None
    settlement_bounds_type: str = "default"
    expiration_value: str = ""
    can_close_early: bool = True
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    custom_strike: CustomStrike | None = None
    rules_primary: str = ""
    rules_secondary: str = ""
    price_level_structure: str = ""
    price_ranges: tuple[WireRange, ...] = ()
    exchange_index: int | None = None


class MarketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /markets/{ticker}."""

    market: Market


class MarketsPage(Page, frozen=True, kw_only=True):
    """GET /markets; the cursor is empty or absent on the last page."""

    markets: tuple[Market, ...]


class RawMarketsPage(Page, frozen=True, kw_only=True):
    """GET /markets, each market left as it came: one that cannot be read must not hide the others."""

    markets: tuple[msgspec.Raw, ...]


class SettlementSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a series takes its results from."""

    name: str | None = None
    url: str | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """A family of events with one fee schedule."""

    ticker: str
    frequency: str = ""
    title: str = ""
    category: str = ""
    categories: tuple[str, ...] | None = ()
    tags: tuple[str, ...] | None = ()
    settlement_sources: tuple[SettlementSource, ...] | None = ()
    contract_url: str = ""
    contract_terms_url: str = ""
    fee_type: str = "quadratic"
    fee_multiplier: Decimal = Decimal(1)
    additional_prohibitions: tuple[str, ...] | None = ()
    exchange_index: int | None = None


class SeriesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /series/{series_ticker}."""

    series: Series


class SeriesPage(msgspec.Struct, frozen=True, kw_only=True):
    """GET /series."""

    series: tuple[Series, ...]


class WireEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event: the markets settled together. Its fee overrides win over its series."""

    event_ticker: str
    series_ticker: str
    title: str = ""
    sub_title: str = ""
    collateral_return_type: str = ""
    mutually_exclusive: bool = False
    strike_date: str | None = None
    strike_period: str | None = None
    category: str | None = None
    settlement_sources: tuple[SettlementSource, ...] | None = ()
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None
    exchange_index: int | None = None
    markets: tuple[Market, ...] | None = None


class EventAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /events/{event_ticker}."""

    event: WireEvent
    markets: tuple[Market, ...] | None = None


class EventsPage(Page, frozen=True, kw_only=True):
    """GET /events."""

    events: tuple[WireEvent, ...]


class BookSides(msgspec.Struct, frozen=True, kw_only=True):
    """Bids of both outcomes, ascending; NO levels carry NO prices."""

    yes_dollars: tuple[tuple[str, str], ...] | None = ()
    no_dollars: tuple[tuple[str, str], ...] | None = ()


class OrderbookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /markets/{ticker}/orderbook; an entry of GET /markets/orderbooks has the ticker too."""

    orderbook_fp: BookSides
    ticker: str | None = None


class OrderbooksAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /markets/orderbooks."""

    orderbooks: tuple[OrderbookAnswer, ...]


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A match between anyone."""

    trade_id: str
    ticker: str
    count_fp: str
    yes_price_dollars: str
    no_price_dollars: str
    taker_outcome_side: str
    taker_book_side: str
    created_time: str
    taker_side: str | None = None
    is_block_trade: bool = False


class TradesPage(Page, frozen=True, kw_only=True):
    """GET /markets/trades, newest first."""

    trades: tuple[Trade, ...]


class Ohlc(msgspec.Struct, frozen=True, kw_only=True):
    """Open, low, high, close in dollars; absent when nothing happened."""

    open_dollars: str | None = None
    low_dollars: str | None = None
    high_dollars: str | None = None
    close_dollars: str | None = None
    mean_dollars: str | None = None
    previous_dollars: str | None = None


class Candlestick(msgspec.Struct, frozen=True, kw_only=True):
    """One period, named by its inclusive end in epoch seconds."""

    end_period_ts: int
    yes_bid: Ohlc
    yes_ask: Ohlc
    price: Ohlc
    volume_fp: str
    open_interest_fp: str


class CandlesticksAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /series/{series}/markets/{ticker}/candlesticks."""

    ticker: str
    candlesticks: tuple[Candlestick, ...]


class ShardStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one exchange shard is open."""

    exchange_index: int
    exchange_active: bool
    trading_active: bool
    description: str = ""
    intra_exchange_transfers_active: bool = True


class ExchangeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """GET /exchange/status; the top level speaks of shard 0 only."""

    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool | None = None
    exchange_estimated_resume_time: str | None = None
    exchange_index_statuses: tuple[ShardStatus, ...] | None = None


def asset_of(series: str) -> str | None:
    """Give BTC, ETH or SOL for a series of that asset, such as "KXBTC15M"; None for any other."""
    for asset in INDICES:
        if series.startswith("KX" + asset):
            return asset
    return None


def grid_of(ranges: tuple[WireRange, ...]) -> tuple[PriceRange, ...]:
    """Give the tick grid of `price_ranges`; whole cents, valid in every structure, when there are none.

    The ranges alone say the grid: names of structures come and go. Raises `ArithmeticRefusal` for ranges that are no
    grid from zero to one dollar.
    """
    if not ranges:
        return CENT_GRID
    grid = tuple(
        PriceRange(
            start_ticks=price_ticks(stretch.start),
            end_ticks=price_ticks(stretch.end),
            step_ticks=price_ticks(stretch.step),
        )
        for stretch in ranges
    )
    reached = 0
    for stretch in grid:
        length = stretch.end_ticks - stretch.start_ticks
        if stretch.step_ticks <= 0 or length <= 0 or length % stretch.step_ticks or stretch.start_ticks != reached:
            raise ArithmeticRefusal("its price ranges are no grid: one is empty, has no step, or leaves a gap")
        reached = stretch.end_ticks
    if reached != TICKS_PER_DOLLAR:
        raise ArithmeticRefusal("its price ranges do not end at one dollar")
    return grid


def fee_schedule_of(series: Series, event: WireEvent | None = None) -> FeeSchedule:
    """Give the fee schedule of a series, with the overrides of `event` where it has any.

    Raises `ProtocolError` for a fee type without a known formula: do not trade that series.
    Source: fee schedule of July 2026.
    """
    fee_type, multiplier = series.fee_type, series.fee_multiplier
    if event is not None:
        fee_type = event.fee_type_override or fee_type
        multiplier = multiplier if event.fee_multiplier_override is None else event.fee_multiplier_override
    makers = {
        "quadratic": 0,
        "quadratic_with_maker_fees": MAKER_PPM,
        "quadratic_with_combo_maker_fees": _COMBO_MAKER_PPM,
    }
    if fee_type not in makers:
        raise ProtocolError(f"{series.ticker} has the fee type {fee_type[:40]!r}: leave this series out")
    return FeeSchedule(maker_ppm=makers[fee_type], multiplier_ppm=number_ppm(multiplier))
