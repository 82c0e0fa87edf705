"""Every read of the venue as a typed call: a table of operations, and requests and results made from it.

An `Operation` knows its path, the type of its parameters, the type of its result and what it costs. `call` makes the
request; `Call.result` reads the answer. Both are pure: `reads.py` sends. Everything here is a GET; what changes
something at the venue is a conversation of `changes.py` or `translate.py`.
Out of reach on purpose: whatever moves money out of the account, makes keys or quotes to other members.
Source: REST specification 3.34; costs from the documentation of rate limits of 2026.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from fairstrike.core.errors import ProtocolError
from fairstrike.venue.kalshi import parameters as ask
from fairstrike.venue.kalshi.refusals import refusal
from fairstrike.venue.kalshi.wire import markets, orders, portfolio, reference, transfers
from fairstrike.venue.kalshi.wire.transport import Request, Response

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R")
P_co = TypeVar("P_co", bound=msgspec.Struct, covariant=True)
R_co = TypeVar("R_co", covariant=True)

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Operation(msgspec.Struct, Generic[P_co, R_co], frozen=True, kw_only=True):
    """One GET below the base path. Names in braces are filled from the parameters, the others are its query.

    `tokens` is the documented cost; `is_signed` tells whether it needs a key; `repeated` names a parameter that is
    repeated for each of its values; `also` are error statuses whose body is a result all the same.
    """

    path: str
    parameters: type[P_co]
    result: type[R_co]
    is_signed: bool = False
    tokens: int = 10
    repeated: str = ""
    also: tuple[int, ...] = ()


class Call(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """One call of an operation: the request to send, and how to read its answer."""

    request: Request
    kind: type[R]
    also: tuple[int, ...] = ()

    def result(self, answer: Response) -> R:
        """Give the result in an answer.

        Raises the `VenueRefusal` of an answer that refuses, `ProtocolError` for one that cannot be read.
        """
        if not answer.is_success and answer.status not in self.also:
            raise refusal(answer)
        try:
            return msgspec.json.decode(answer.body, type=self.kind)
        except _UNREADABLE as error:
            if not answer.is_success:
                raise refusal(answer) from None
            raise ProtocolError(
                f"the answer of {self.request.path} cannot be read ({error}); update the program, or report it"
            ) from None

    def after(self, cursor: str) -> "Call[R]":
        """Give the call for the page that `cursor` begins."""
        query = tuple(pair for pair in self.request.query if pair[0] != "cursor")
        request = msgspec.structs.replace(self.request, query=(*query, ("cursor", cursor)))
        return msgspec.structs.replace(self, request=request)


def call(operation: Operation[P, R], parameters: P) -> Call[R]:
    """Give the call of an operation with these parameters."""
    path = operation.path
    query: list[tuple[str, str]] = []
    for field in msgspec.structs.fields(parameters):
        value = getattr(parameters, field.name)
        if value is None:
            continue
        if f"{{{field.name}}}" in path:
            path = path.replace(f"{{{field.name}}}", quote(str(value), safe=""))
        else:
            query.extend((field.name, text) for text in _texts(value, is_repeated=field.name == operation.repeated))
    request = Request(method="GET", path=path, query=tuple(query))
    return Call(request=request, kind=operation.result, also=operation.also)


def _texts(value: object, *, is_repeated: bool) -> Iterator[str]:
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, tuple):
        texts = [str(part) for part in value]
        yield from texts if is_repeated else (",".join(texts),)
    else:
        yield str(value)


# The exchange

STATUS = Operation(path="/exchange/status", parameters=ask.Nothing, result=markets.ExchangeStatus, also=(500, 503, 504))
SCHEDULE = Operation(path="/exchange/schedule", parameters=ask.Nothing, result=reference.ScheduleAnswer)
FRESHNESS = Operation(path="/exchange/user_data_timestamp", parameters=ask.Nothing, result=reference.UserDataTimestamp)
SERIES_FEE_CHANGES = Operation(
    path="/series/fee_changes", parameters=ask.FeeChangesOfSeries, result=reference.SeriesFeeChanges
)
EVENT_FEE_CHANGES = Operation(
    path="/events/fee_changes", parameters=ask.FeeChangesOfEvent, result=reference.EventFeeChangesPage
)

# What is traded

SERIES = Operation(path="/series", parameters=ask.SeriesList, result=markets.SeriesPage)
ONE_SERIES = Operation(path="/series/{series_ticker}", parameters=ask.OneSeries, result=markets.SeriesAnswer)
EVENTS = Operation(path="/events", parameters=ask.Events, result=markets.EventsPage)
ONE_EVENT = Operation(path="/events/{event_ticker}", parameters=ask.OneEvent, result=markets.EventAnswer)
EVENT_METADATA = Operation(
    path="/events/{event_ticker}/metadata", parameters=ask.Metadata, result=reference.EventMetadata
)
COMBINATIONS = Operation(path="/events/multivariate", parameters=ask.Combinations, result=markets.EventsPage)
COLLECTIONS = Operation(path="/multivariate_event_collections", parameters=ask.Paged, result=reference.CollectionsPage)
INCENTIVES = Operation(path="/incentive_programs", parameters=ask.Paged, result=reference.IncentiveProgramsPage)
MARKETS = Operation(path="/markets", parameters=ask.Markets, result=markets.MarketsPage)
ONE_MARKET = Operation(path="/markets/{ticker}", parameters=ask.OneMarket, result=markets.MarketAnswer)
ORDERBOOK = Operation(
    path="/markets/{ticker}/orderbook", parameters=ask.Book, result=markets.OrderbookAnswer, is_signed=True
)
ORDERBOOKS = Operation(
    path="/markets/orderbooks",
    parameters=ask.Books,
    result=markets.OrderbooksAnswer,
    is_signed=True,
    repeated="tickers",
)
TRADES = Operation(path="/markets/trades", parameters=ask.Trades, result=markets.TradesPage)
CANDLESTICKS = Operation(
    path="/series/{series_ticker}/markets/{ticker}/candlesticks",
    parameters=ask.Candles,
    result=markets.CandlesticksAnswer,
)
EVENT_CANDLESTICKS = Operation(
    path="/series/{series_ticker}/events/{ticker}/candlesticks",
    parameters=ask.EventCandles,
    result=reference.EventCandlesticks,
)
CANDLESTICKS_BATCH = Operation(
    path="/markets/candlesticks", parameters=ask.CandlesOfMany, result=reference.CandlesticksBatch
)

# The historical tier

CUTOFF = Operation(path="/historical/cutoff", parameters=ask.Nothing, result=reference.HistoricalCutoff)
OLD_MARKETS = Operation(path="/historical/markets", parameters=ask.HistoricalMarkets, result=markets.MarketsPage)
OLD_MARKET = Operation(path="/historical/markets/{ticker}", parameters=ask.OneMarket, result=markets.MarketAnswer)
OLD_CANDLESTICKS = Operation(
    path="/historical/markets/{ticker}/candlesticks",
    parameters=ask.HistoricalCandles,
    result=reference.HistoricalCandlesticks,
)
OLD_TRADES = Operation(path="/historical/trades", parameters=ask.Trades, result=markets.TradesPage)
OLD_FILLS = Operation(path="/historical/fills", parameters=ask.Since, result=portfolio.FillsPage, is_signed=True)
OLD_ORDERS = Operation(path="/historical/orders", parameters=ask.Since, result=portfolio.OrdersPage, is_signed=True)
OLD_POSITIONS = Operation(
    path="/historical/positions",
    parameters=ask.HistoricalPositions,
    result=portfolio.PositionsPage,
    is_signed=True,
)

# Our account

BALANCE = Operation(path="/portfolio/balance", parameters=ask.OfShard, result=portfolio.Balance, is_signed=True)
POSITIONS = Operation(
    path="/portfolio/positions", parameters=ask.Positions, result=portfolio.PositionsPage, is_signed=True
)
FILLS = Operation(path="/portfolio/fills", parameters=ask.Fills, result=portfolio.FillsPage, is_signed=True)
SETTLEMENTS = Operation(
    path="/portfolio/settlements", parameters=ask.Settlements, result=portfolio.SettlementsPage, is_signed=True
)
ORDERS = Operation(path="/portfolio/orders", parameters=ask.Orders, result=portfolio.OrdersPage, is_signed=True)
ONE_ORDER = Operation(
    path="/portfolio/orders/{order_id}",
    parameters=ask.OneOrder,
    result=portfolio.OrderAnswer,
    is_signed=True,
    tokens=2,
)
QUEUE_POSITION = Operation(
    path="/portfolio/orders/{order_id}/queue_position",
    parameters=ask.OneOrder,
    result=portfolio.OrderQueuePosition,
    is_signed=True,
)
QUEUE_POSITIONS = Operation(
    path="/portfolio/orders/queue_positions",
    parameters=ask.QueuePositions,
    result=portfolio.QueuePositionsAnswer,
    is_signed=True,
)
RESTING_VALUE = Operation(
    path="/portfolio/summary/total_resting_order_value",
    parameters=ask.Nothing,
    result=portfolio.RestingValue,
    is_signed=True,
)
GROUPS = Operation(
    path="/portfolio/order_groups", parameters=ask.Groups, result=orders.OrderGroupsAnswer, is_signed=True
)
ONE_GROUP = Operation(
    path="/portfolio/order_groups/{order_group_id}",
    parameters=ask.OneGroup,
    result=orders.OrderGroupAnswer,
    is_signed=True,
)
SUBACCOUNT_BALANCES = Operation(
    path="/portfolio/subaccounts/balances",
    parameters=ask.Nothing,
    result=portfolio.SubaccountBalances,
    is_signed=True,
)
SUBACCOUNT_TRANSFERS = Operation(
    path="/portfolio/subaccounts/transfers",
    parameters=ask.Paged,
    result=portfolio.SubaccountTransfersPage,
    is_signed=True,
)
NETTING = Operation(
    path="/portfolio/subaccounts/netting", parameters=ask.Nothing, result=transfers.NettingConfigs, is_signed=True
)
SHARD_TRANSFERS = Operation(
    path="/portfolio/intra_exchange_instance_transfers",
    parameters=ask.Paged,
    result=transfers.ShardTransfersPage,
    is_signed=True,
)
ONE_SHARD_TRANSFER = Operation(
    path="/portfolio/intra_exchange_instance_transfers/{transfer_id}",
    parameters=ask.OneShardTransfer,
    result=transfers.ShardTransferAnswer,
    is_signed=True,
)
ALLOCATIONS = Operation(
    path="/portfolio/target_balance_allocation",
    parameters=ask.Nothing,
    result=transfers.Allocations,
    is_signed=True,
)
DEPOSITS = Operation(path="/portfolio/deposits", parameters=ask.Paged, result=transfers.DepositsPage, is_signed=True)
WITHDRAWALS = Operation(
    path="/portfolio/withdrawals", parameters=ask.Paged, result=transfers.WithdrawalsPage, is_signed=True
)
LIMITS = Operation(path="/account/limits", parameters=ask.Nothing, result=portfolio.AccountLimits, is_signed=True)
COSTS = Operation(path="/account/endpoint_costs", parameters=ask.Nothing, result=portfolio.EndpointCosts)
VOLUME_PROGRESS = Operation(
    path="/account/api_usage_level/volume_progress",
    parameters=ask.Nothing,
    result=portfolio.VolumeProgressAnswer,
    is_signed=True,
)
API_KEYS = Operation(path="/api_keys", parameters=ask.Nothing, result=portfolio.ApiKeysAnswer, is_signed=True)

READS: tuple[Operation[msgspec.Struct, object], ...] = (
    STATUS,
    SCHEDULE,
    FRESHNESS,
    SERIES_FEE_CHANGES,
    EVENT_FEE_CHANGES,
    SERIES,
    ONE_SERIES,
    EVENTS,
    ONE_EVENT,
    EVENT_METADATA,
    COMBINATIONS,
    COLLECTIONS,
    INCENTIVES,
    MARKETS,
    ONE_MARKET,
    ORDERBOOK,
    ORDERBOOKS,
    TRADES,
    CANDLESTICKS,
    EVENT_CANDLESTICKS,
    CANDLESTICKS_BATCH,
    CUTOFF,
    OLD_MARKETS,
    OLD_MARKET,
    OLD_CANDLESTICKS,
    OLD_TRADES,
    OLD_FILLS,
    OLD_ORDERS,
    OLD_POSITIONS,
    BALANCE,
    POSITIONS,
    FILLS,
    SETTLEMENTS,
    ORDERS,
    ONE_ORDER,
    QUEUE_POSITION,
    QUEUE_POSITIONS,
    RESTING_VALUE,
    GROUPS,
    ONE_GROUP,
    SUBACCOUNT_BALANCES,
    SUBACCOUNT_TRANSFERS,
    NETTING,
    SHARD_TRANSFERS,
    ONE_SHARD_TRANSFER,
    ALLOCATIONS,
    DEPOSITS,
    WITHDRAWALS,
    LIMITS,
    COSTS,
    VOLUME_PROGRESS,
    API_KEYS,
)
"""Every operation above, in order."""
