"""The parameters of the venue's reads, as types. A tuple of names is one parameter, comma-separated or repeated.

Instants named `…_ts` are epoch seconds. None leaves a parameter out. Source: REST specification 3.34.
"""

from typing import Literal

import msgspec

MarketStatus = Literal["unopened", "open", "paused", "closed", "settled"]
OrderStatus = Literal["resting", "canceled", "executed"]
Period = Literal[1, 60, 1440]
"""Minutes of a candle."""


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """No parameters."""


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """A list, page by page."""

    limit: int | None = None
    cursor: str | None = None


class FeeChangesOfSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Fee changes to come, or with the past ones; of one series, or of all."""

    series_ticker: str | None = None
    show_historical: bool | None = None


class FeeChangesOfEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Fee changes of one event, or of all."""

    event_ticker: str | None = None
    limit: int | None = None
    cursor: str | None = None


class SeriesList(msgspec.Struct, frozen=True, kw_only=True):
    """All series, narrowed; `category` is exact, such as "Crypto"."""

    category: str | None = None
    tags: str | None = None
    include_product_metadata: bool | None = None
    include_volume: bool | None = None
    min_updated_ts: int | None = None


class OneSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series by name."""

    series_ticker: str


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """Events, narrowed; at most 200 a page."""

    series_ticker: str | None = None
    status: Literal["unopened", "open", "closed", "settled"] | None = None
    tickers: tuple[str, ...] | None = None
    with_nested_markets: bool | None = None
    min_close_ts: int | None = None
    min_updated_ts: int | None = None
    limit: int | None = None
    cursor: str | None = None


class Combinations(msgspec.Struct, frozen=True, kw_only=True):
    """Events that combine others, of one series or collection."""

    series_ticker: str | None = None
    collection_ticker: str | None = None
    with_nested_markets: bool | None = None
    limit: int | None = None
    cursor: str | None = None


class OneEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event by name."""

    event_ticker: str
    with_nested_markets: bool | None = None


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The details of one event."""

    event_ticker: str


class Markets(msgspec.Struct, frozen=True, kw_only=True):
    """Markets, narrowed, with one pair of instants at most; at most 1000 a page.

    Name a series, an event or tickers, or `mve_filter` "exclude": without, nearly all are combos.
    """

    series_ticker: str | None = None
    event_ticker: str | None = None
    tickers: tuple[str, ...] | None = None
    status: MarketStatus | None = None
    min_created_ts: int | None = None
    max_created_ts: int | None = None
    min_close_ts: int | None = None
    max_close_ts: int | None = None
    min_settled_ts: int | None = None
    max_settled_ts: int | None = None
    min_updated_ts: int | None = None
    mve_filter: Literal["only", "exclude"] | None = None
    limit: int | None = None
    cursor: str | None = None


class OneMarket(msgspec.Struct, frozen=True, kw_only=True):
    """One market by name."""

    ticker: str


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """One order book; `depth` levels a side, 0 all of them."""

    ticker: str
    depth: int = 0


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Up to a hundred order books."""

    tickers: tuple[str, ...]


class Trades(msgspec.Struct, frozen=True, kw_only=True):
    """Matches between anyone, newest first; at most 1000 a page."""

    ticker: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    is_block_trade: bool | None = None
    limit: int | None = None
    cursor: str | None = None


class Candles(msgspec.Struct, frozen=True, kw_only=True):
    """Candles of one market."""

    series_ticker: str
    ticker: str
    start_ts: int
    end_ts: int
    period_interval: Period
    include_latest_before_start: bool | None = None


class EventCandles(msgspec.Struct, frozen=True, kw_only=True):
    """Candles of an event's markets."""

    series_ticker: str
    ticker: str
    start_ts: int
    end_ts: int
    period_interval: Period


class CandlesOfMany(msgspec.Struct, frozen=True, kw_only=True):
    """Candles of up to a hundred markets, ten thousand candles in all."""

    market_tickers: tuple[str, ...]
    start_ts: int
    end_ts: int
    period_interval: Period
    include_latest_before_start: bool | None = None


class HistoricalMarkets(msgspec.Struct, frozen=True, kw_only=True):
    """Markets settled before the cutoff, by tickers, event or series."""

    tickers: tuple[str, ...] | None = None
    event_ticker: str | None = None
    series_ticker: str | None = None
    mve_filter: Literal["exclude"] | None = None
    limit: int | None = None
    cursor: str | None = None


class HistoricalCandles(msgspec.Struct, frozen=True, kw_only=True):
    """Candles of one market settled before the cutoff."""

    ticker: str
    start_ts: int
    end_ts: int
    period_interval: Period


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """Something of ours from before the cutoff, narrowed."""

    ticker: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    subaccount: int | None = None
    limit: int | None = None
    cursor: str | None = None


class HistoricalPositions(msgspec.Struct, frozen=True, kw_only=True):
    """Positions of ours from before the cutoff, narrowed."""

    ticker: str | None = None
    event_ticker: str | None = None
    subaccount: int | None = None
    limit: int | None = None
    cursor: str | None = None


class OfShard(msgspec.Struct, frozen=True, kw_only=True):
    """The balance of one shard, or of all together, of which not all can be spent anywhere."""

    exchange_index: int | None = None
    subaccount: int | None = None


class Positions(msgspec.Struct, frozen=True, kw_only=True):
    """Positions, narrowed; `count_filter` names what must not be zero: position, total_traded."""

    ticker: str | None = None
    event_ticker: str | None = None
    count_filter: tuple[str, ...] | None = None
    settlement_status: Literal["all", "unsettled", "settled"] | None = None
    exchange_index: int | None = None
    subaccount: int | None = None
    limit: int | None = None
    cursor: str | None = None


class Fills(msgspec.Struct, frozen=True, kw_only=True):
    """Matches of ours, narrowed."""

    ticker: str | None = None
    order_id: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    exchange_index: int | None = None
    subaccount: int | None = None
    limit: int | None = None
    cursor: str | None = None


class Settlements(msgspec.Struct, frozen=True, kw_only=True):
    """Markets of ours that were paid, narrowed."""

    ticker: str | None = None
    event_ticker: str | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    subaccount: int | None = None
    limit: int | None = None
    cursor: str | None = None


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of ours, narrowed; up to ten events. There is no way to ask for a client order id."""

    ticker: str | None = None
    event_ticker: tuple[str, ...] | None = None
    status: OrderStatus | None = None
    min_ts: int | None = None
    max_ts: int | None = None
    exchange_index: int | None = None
    subaccount: int | None = None
    limit: int | None = None
    cursor: str | None = None


class OneOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order by the venue's id; without its market it is looked for on shard 0 only."""

    order_id: str
    market_ticker: str | None = None


class QueuePositions(msgspec.Struct, frozen=True, kw_only=True):
    """Queue positions of our orders in some markets or in one event."""

    market_tickers: tuple[str, ...] | None = None
    event_ticker: str | None = None
    subaccount: int | None = None


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Our order groups."""

    subaccount: int | None = None


class OneGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One order group by the venue's id."""

    order_group_id: str
    subaccount: int | None = None


class OneShardTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer between shards by the venue's id."""

    transfer_id: str
