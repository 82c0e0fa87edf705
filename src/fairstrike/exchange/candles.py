"""Candles of every market: the best quotes and the trades of each period, written down as they happen.

A period is named by its inclusive end, so the minute that ends at 12:01:00 holds the instants of (12:00:00,
12:01:00]. A candle exists only for a period in which a best price moved or a trade was made. Quotes count as they
stand when an instant is over: a maker that takes away and puts back at one instant has not moved.
Source: the venue's description of its candles, and that its lists of them have gaps.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.happenings import Happening, LevelChanged, MarketListed, Traded

MINUTES_KEPT = 10_080
_MINUTE_SECONDS = 60


class Ohlc(msgspec.Struct, frozen=True, kw_only=True):
    """First, lowest, highest and last price of a period, YES ticks."""

    open: int
    low: int
    high: int
    close: int


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One period of one market.

    `end_second` is its inclusive end (epoch seconds). An empty side counts as 0 (bid) or one dollar (ask).
    `price` is None without a trade, `previous_ticks` is the last trade's price before the period, if any;
    `turnover_ud` is YES price × size summed over its trades.
    """

    end_second: int
    bid: Ohlc
    ask: Ohlc
    price: Ohlc | None
    previous_ticks: int | None
    volume_cc: int
    turnover_ud: int
    open_interest_cc: int

    @property
    def mean_ticks(self) -> int | None:
        """The mean price of the contracts traded, rounded down; None without a trade."""
        return self.turnover_ud // self.volume_cc if self.volume_cc else None


class _Range:
    """A price that moves."""

    __slots__ = ("close", "high", "low", "open")

    def __init__(self, price_ticks: int) -> None:
        self.open = self.low = self.high = self.close = price_ticks

    def move(self, price_ticks: int) -> None:
        self.low = min(self.low, price_ticks)
        self.high = max(self.high, price_ticks)
        self.close = price_ticks

    def value(self) -> Ohlc:
        return Ohlc(open=self.open, low=self.low, high=self.high, close=self.close)


class _Minute:
    """One minute while it fills."""

    __slots__ = ("ask", "bid", "end_second", "open_interest_cc", "previous_ticks", "price", "turnover_ud", "volume_cc")

    def __init__(self, end_second: int, market: "_Market") -> None:
        self.end_second = end_second
        self.bid = _Range(market.bid_ticks)
        self.ask = _Range(market.ask_ticks)
        self.price: _Range | None = None
        self.previous_ticks = market.last_ticks
        self.volume_cc = 0
        self.turnover_ud = 0
        self.open_interest_cc = market.open_interest_cc

    def candle(self) -> Candle:
        return Candle(
            end_second=self.end_second,
            bid=self.bid.value(),
            ask=self.ask.value(),
            price=None if self.price is None else self.price.value(),
            previous_ticks=self.previous_ticks,
            volume_cc=self.volume_cc,
            turnover_ud=self.turnover_ud,
            open_interest_cc=self.open_interest_cc,
        )


class _Market:
    """A market's levels, its best prices as last written down, and its minutes, oldest first."""

    __slots__ = ("ask_ticks", "bid_ticks", "last_ticks", "levels", "minutes", "open_interest_cc")

    def __init__(self) -> None:
        self.levels: dict[Side, dict[int, int]] = {Side.BID: {}, Side.ASK: {}}
        self.minutes: dict[int, _Minute] = {}
        self.bid_ticks = 0
        self.ask_ticks = TICKS_PER_DOLLAR
        self.last_ticks: int | None = None
        self.open_interest_cc = 0

    def minute(self, instant_ns: int) -> _Minute:
        end_second = -(-instant_ns // MINUTE_NS) * _MINUTE_SECONDS
        found = self.minutes.get(end_second)
        if found is None:
            found = self.minutes[end_second] = _Minute(end_second, self)
            if len(self.minutes) > MINUTES_KEPT:
                del self.minutes[next(iter(self.minutes))]
        return found

    def take_level(self, change: LevelChanged) -> None:
        levels = self.levels[change.side]
        size_cc = levels.get(change.price_ticks, 0) + change.delta_cc
        if size_cc:
            levels[change.price_ticks] = size_cc
        else:
            levels.pop(change.price_ticks, None)

    def take_trade(self, trade: Traded) -> None:
        minute = self.minute(trade.instant_ns)
        if minute.price is None:
            minute.price = _Range(trade.price_ticks)
        minute.price.move(trade.price_ticks)
        minute.volume_cc += trade.size_cc
        minute.turnover_ud += trade.price_ticks * trade.size_cc
        self.last_ticks = trade.price_ticks

    def note_quotes(self, instant_ns: int) -> None:
        bid_ticks = max(self.levels[Side.BID], default=0)
        ask_ticks = min(self.levels[Side.ASK], default=TICKS_PER_DOLLAR)
        if (bid_ticks, ask_ticks) == (self.bid_ticks, self.ask_ticks):
            return
        minute = self.minute(instant_ns)
        minute.bid.move(bid_ticks)
        minute.ask.move(ask_ticks)
        self.bid_ticks, self.ask_ticks = bid_ticks, ask_ticks


class Candles:
    """The candles of every market of a floor; told everything that happens on it from its first moment on."""

    def __init__(self, floor: Floor) -> None:
        """Start with nothing written down."""
        self._floor = floor
        self._markets: dict[str, _Market] = {}

    def take(self, happenings: Sequence[Happening]) -> None:
        """Write down what happened; the open interest is that of the floor after the last of it.

        With new markets come the ends of old ones: what the floor has forgotten goes.
        """
        if any(isinstance(each, MarketListed) for each in happenings):
            self._markets = {ticker: market for ticker, market in self._markets.items() if self._floor.knows(ticker)}
        traded: dict[str, int] = {}
        told = (each for each in happenings if isinstance(each, LevelChanged | Traded))
        for instant_ns, together in groupby(told, key=lambda each: each.instant_ns):
            stirred: dict[str, _Market] = {}
            for happening in together:
                market = stirred[happening.ticker] = self._markets.setdefault(happening.ticker, _Market())
                if isinstance(happening, Traded):
                    market.take_trade(happening)
                    traded[happening.ticker] = instant_ns
                else:
                    market.take_level(happening)
            for market in stirred.values():
                market.note_quotes(instant_ns)
        for ticker, instant_ns in traded.items():
            view = self._floor.market(ticker)
            assert view is not None, "what is traded is listed"
            market = self._markets[ticker]
            market.open_interest_cc = market.minute(instant_ns).open_interest_cc = view.open_interest_cc

    def between(self, ticker: str, start_second: int, end_second: int, period_s: int) -> tuple[Candle, ...]:
        """Give the candles of `period_s` seconds that end in [start_second, end_second], oldest first."""
        return tuple(each for each in self._periods(ticker, period_s) if start_second <= each.end_second <= end_second)

    def last_before(self, ticker: str, start_second: int, period_s: int) -> Candle | None:
        """Give the last candle that ends before `start_second`, None when there is none."""
        earlier = [each for each in self._periods(ticker, period_s) if each.end_second < start_second]
        return earlier[-1] if earlier else None

    def _periods(self, ticker: str, period_s: int) -> Iterator[Candle]:
        market = self._markets.get(ticker)
        minutes = () if market is None else tuple(market.minutes.values())
        for end_second, together in groupby(minutes, key=lambda each: -(-each.end_second // period_s) * period_s):
            yield _joined(end_second, [minute.candle() for minute in together])


def _joined(end_second: int, candles: list[Candle]) -> Candle:
    first, last = candles[0], candles[-1]
    prices = [each.price for each in candles if each.price is not None]
    return Candle(
        end_second=end_second,
        bid=_spanned([each.bid for each in candles]),
        ask=_spanned([each.ask for each in candles]),
        price=_spanned(prices) if prices else None,
        previous_ticks=first.previous_ticks,
        volume_cc=sum(each.volume_cc for each in candles),
        turnover_ud=sum(each.turnover_ud for each in candles),
        open_interest_cc=last.open_interest_cc,
    )


def _spanned(ranges: list[Ohlc]) -> Ohlc:
    return Ohlc(
        open=ranges[0].open,
        low=min(each.low for each in ranges),
        high=max(each.high for each in ranges),
        close=ranges[-1].close,
    )
