"""Candles: of one market, of several, of an event, and of markets in the historical tier.

Source: the venue's published interface 3.34; that lists have gaps, that unknown markets are left out of several and
how many candles a request may span was seen by third parties in 2026.
"""

from typing import TypeVar

import msgspec

from fairstrike.core.units import format_cc, format_ticks
from fairstrike.exchange.api.call import BoxResponse, Call, Desk, answer_json, bad_query, error, read_query, refuse
from fairstrike.exchange.api.tiers import historical_market, live_market, live_markets
from fairstrike.exchange.candles import Candle, Ohlc

PERIODS_MINUTES = (1, 60, 1_440)
CANDLES_MAX = 5_000
CANDLES_OF_SEVERAL_MAX = 10_000
MARKETS_MAX = 100

Q = TypeVar("Q", bound="CandlesQuery")


class CandlesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which periods: those that end in [start_ts, end_ts] (epoch seconds); `period_interval` in minutes.

    `include_latest_before_start` puts the last candle before them in front, carried to the first period.
    """

    start_ts: int
    end_ts: int
    period_interval: int
    include_latest_before_start: bool = False

    @property
    def period_s(self) -> int:
        """The length of a period in seconds."""
        return 60 * self.period_interval

    @property
    def periods(self) -> int:
        """How many periods end in the span."""
        return self.end_ts // self.period_s - -(-self.start_ts // self.period_s) + 1


class SeveralQuery(CandlesQuery, frozen=True, kw_only=True):
    """The same for several markets, their tickers separated by commas."""

    market_tickers: str


class BidAskShape(msgspec.Struct, frozen=True, kw_only=True):
    """A quote over a period, in dollars."""

    open_dollars: str
    low_dollars: str
    high_dollars: str
    close_dollars: str


class PriceShape(msgspec.Struct, frozen=True, kw_only=True):
    """Trades over a period, in dollars; every field but `previous_dollars` is absent without one."""

    open_dollars: str | msgspec.UnsetType = msgspec.UNSET
    low_dollars: str | msgspec.UnsetType = msgspec.UNSET
    high_dollars: str | msgspec.UnsetType = msgspec.UNSET
    close_dollars: str | msgspec.UnsetType = msgspec.UNSET
    mean_dollars: str | msgspec.UnsetType = msgspec.UNSET
    min_dollars: str | msgspec.UnsetType = msgspec.UNSET
    max_dollars: str | msgspec.UnsetType = msgspec.UNSET
    previous_dollars: str | msgspec.UnsetType = msgspec.UNSET


class CandleShape(msgspec.Struct, frozen=True, kw_only=True):
    """One period, named by its inclusive end in epoch seconds."""

    end_period_ts: int
    yes_bid: BidAskShape
    yes_ask: BidAskShape
    price: PriceShape
    volume_fp: str
    open_interest_fp: str


def of_market(desk: Desk, call: Call) -> BoxResponse:
    """Give one market's candles; 404 for a market that is not in the series."""
    query = _query(call, CandlesQuery)
    _limit(query.periods, CANDLES_MAX)
    series, ticker = call.names
    view = live_market(desk, call, ticker, series)
    return answer_json({"ticker": view.contract.ticker, "candlesticks": _candles(desk, ticker, query)})


def of_several(desk: Desk, call: Call) -> BoxResponse:
    """Give the candles of up to 100 markets in the order asked for; unknown markets are left out."""
    query = _query(call, SeveralQuery)
    tickers = tuple(dict.fromkeys(ticker for ticker in query.market_tickers.split(",") if ticker))
    if not 1 <= len(tickers) <= MARKETS_MAX:
        refuse(bad_query(f"market_tickers names 1 to {MARKETS_MAX} markets"))
    _limit(len(tickers) * query.periods, CANDLES_OF_SEVERAL_MAX)
    known = {view.contract.ticker for view in live_markets(desk, call)}
    rows = [
        {"market_ticker": ticker, "candlesticks": _candles(desk, ticker, query)}
        for ticker in tickers
        if ticker in known
    ]
    return answer_json({"markets": rows})


def of_event(desk: Desk, call: Call) -> BoxResponse:
    """Give the candles of all of an event's markets; a span that is too long is cut, and the answer says where."""
    query = _query(call, CandlesQuery)
    series, event = call.names
    views = [view for view in live_markets(desk, call) if view.contract.event_ticker == event]
    if not views or views[0].contract.series != series:
        return error(404, "not_found", "event not found")
    periods = max(CANDLES_MAX // len(views), 1)
    if query.periods > periods:
        first = -(-query.start_ts // query.period_s)
        query = msgspec.structs.replace(query, end_ts=(first + periods - 1) * query.period_s)
    tickers = [view.contract.ticker for view in views]
    return answer_json(
        {
            "market_tickers": tickers,
            "market_candlesticks": [_candles(desk, ticker, query) for ticker in tickers],
            "adjusted_end_ts": query.end_ts,
        }
    )


def of_historical_market(desk: Desk, call: Call) -> BoxResponse:
    """Give a historical market's candles, in the field names of that tier."""
    query = _query(call, CandlesQuery)
    _limit(query.periods, CANDLES_MAX)
    ticker = historical_market(desk, call, call.names[0]).contract.ticker
    found = desk.candles.between(ticker, query.start_ts, query.end_ts, query.period_s)
    return answer_json({"ticker": ticker, "candlesticks": [_historical(candle) for candle in found]})


def _query(call: Call, shape: type[Q]) -> Q:
    query = read_query(call, shape)
    if query.period_interval not in PERIODS_MINUTES:
        refuse(bad_query("period_interval is one of 1, 60, 1440"))
    if query.start_ts < 0 or query.end_ts < query.start_ts:
        refuse(bad_query("end_ts must not lie before start_ts"))
    return query


def _limit(candles: int, candles_max: int) -> None:
    if candles > candles_max:
        text = f"requested candlesticks: {candles}, max candlesticks: {candles_max}"
        refuse(error(400, "bad_request", "bad request", text))


def _candles(desk: Desk, ticker: str, query: CandlesQuery) -> list[CandleShape]:
    found = desk.candles.between(ticker, query.start_ts, query.end_ts, query.period_s)
    rows = [_shape(candle) for candle in found]
    if query.include_latest_before_start:
        first_end = -(-query.start_ts // query.period_s) * query.period_s
        latest = desk.candles.last_before(ticker, first_end, query.period_s)
        if latest is not None and not (rows and rows[0].end_period_ts == first_end):
            rows.insert(0, _carried(latest, first_end))
    return rows


def _shape(candle: Candle) -> CandleShape:
    return CandleShape(
        end_period_ts=candle.end_second,
        yes_bid=_bid_ask(candle.bid),
        yes_ask=_bid_ask(candle.ask),
        price=_price(candle),
        volume_fp=format_cc(candle.volume_cc),
        open_interest_fp=format_cc(candle.open_interest_cc),
    )


def _carried(candle: Candle, end_second: int) -> CandleShape:
    """Give a candle without trades that stands where `candle` left the market."""
    last_ticks = candle.previous_ticks if candle.price is None else candle.price.close
    return CandleShape(
        end_period_ts=end_second,
        yes_bid=_bid_ask(_flat(candle.bid.close)),
        yes_ask=_bid_ask(_flat(candle.ask.close)),
        price=PriceShape(previous_dollars=_dollars(last_ticks)),
        volume_fp=format_cc(0),
        open_interest_fp=format_cc(candle.open_interest_cc),
    )


def _flat(price_ticks: int) -> Ohlc:
    return Ohlc(open=price_ticks, low=price_ticks, high=price_ticks, close=price_ticks)


def _bid_ask(ranged: Ohlc) -> BidAskShape:
    return BidAskShape(
        open_dollars=format_ticks(ranged.open),
        low_dollars=format_ticks(ranged.low),
        high_dollars=format_ticks(ranged.high),
        close_dollars=format_ticks(ranged.close),
    )


def _price(candle: Candle) -> PriceShape:
    previous = _dollars(candle.previous_ticks)
    if candle.price is None:
        return PriceShape(previous_dollars=previous)
    return PriceShape(
        open_dollars=format_ticks(candle.price.open),
        low_dollars=format_ticks(candle.price.low),
        high_dollars=format_ticks(candle.price.high),
        close_dollars=format_ticks(candle.price.close),
        mean_dollars=_dollars(candle.mean_ticks),
        min_dollars=format_ticks(candle.price.low),
        max_dollars=format_ticks(candle.price.high),
        previous_dollars=previous,
    )


def _dollars(price_ticks: int | None) -> str | msgspec.UnsetType:
    return msgspec.UNSET if price_ticks is None else format_ticks(price_ticks)


def _historical(candle: Candle) -> dict[str, object]:
    return {
        "end_period_ts": candle.end_second,
        "yes_bid": _historical_range(candle.bid),
        "yes_ask": _historical_range(candle.ask),
        "price": {
            **_historical_range(candle.price),
            "mean": _or_null(candle.mean_ticks),
            "previous": _or_null(candle.previous_ticks),
        },
        "volume": format_cc(candle.volume_cc),
        "open_interest": format_cc(candle.open_interest_cc),
    }


def _historical_range(ranged: Ohlc | None) -> dict[str, str | None]:
    if ranged is None:
        return {"open": None, "low": None, "high": None, "close": None}
    return {
        "open": format_ticks(ranged.open),
        "low": format_ticks(ranged.low),
        "high": format_ticks(ranged.high),
        "close": format_ticks(ranged.close),
    }


def _or_null(price_ticks: int | None) -> str | None:
    return None if price_ticks is None else format_ticks(price_ticks)
