"""Recordings read for their statistics: each event to the market it belongs to, whole markets into the sums.

The rule of what counts: a market whose stream lost frames (a gap in the numbers), whose book froze, could not take a
delta or lost deltas before its snapshot is left out of every figure; it is listed with its faults. Its neighbours in
the same recording count. A recording without any delta is polled books, and goes to the figures of ladders.

Memory is bounded by what happens in a market's life, not by the length of a recording: a market is summed up a minute
after its close.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from fairstrike.core.events import BookDelta, BookLost, BookSnapshot, ContractListed, Event, TickerSeen, TradePrinted
from fairstrike.core.timing import MINUTE_NS
from fairstrike.market.books import Books, Params
from fairstrike.research.ladder_statistics import LadderPool, Ladders, merge
from fairstrike.research.market_statistics import MarketStream, Pool
from fairstrike.research.tally import Tally


class Source(Protocol):
    """A recording as far as its statistics need it."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def gaps(self) -> Mapping[str, int]:
        """Runs of missing frames by market, as far as it was read."""

    @property
    def deltas(self) -> Mapping[str, int]:
        """Deltas recorded by market, as far as it was read."""

    def units(self) -> Iterator[tuple[int, list[Event]]]:
        """Give instants and their events, in order of receipt."""


class SurveyedMarket(msgspec.Struct, frozen=True, kw_only=True):
    """One market of one recording: `deltas` recorded, and the faults that leave it out."""

    file: str
    ticker: str
    deltas: int
    gaps: int
    frozen: int
    impossible: int
    overflow: int

    @property
    def series(self) -> str:
        """The series its ticker begins with."""
        return series_of(self.ticker)

    @property
    def is_counted(self) -> bool:
        """Whether it has no fault."""
        return not (self.gaps or self.frozen or self.impossible or self.overflow)


def series_of(ticker: str) -> str:
    """Give the series a ticker begins with, such as KXBTC15M."""
    return ticker.partition("-")[0]


class Survey:
    """The sums of all recordings read so far, and a row for each streamed market; the series of polled books."""

    def __init__(self) -> None:
        """Start without a recording."""
        self.pool = Pool()
        self.ladders = LadderPool()
        self.markets: list[SurveyedMarket] = []
        self.polled_series: set[str] = set()
        self.has_printed_trades = False

    def read(self, source: Source, trades: Mapping[str, Tally], on_progress: Callable[[], None]) -> None:
        """Read a recording to its end; `trades` are sizes its tickers name, used where it prints no trades.

        `on_progress` is called now and then. Raises as the recording does.
        """
        reading = _Reading(source, trades, self)
        for count, (_, events) in enumerate(source.units()):
            for event in events:
                reading.fold(event)
            if not count & 0x3FF:
                on_progress()
        reading.finish()


class _Reading:
    """One recording being read."""

    def __init__(self, source: Source, trades: Mapping[str, Tally], survey: Survey) -> None:
        self._source = source
        self._trades = trades
        self._survey = survey
        self._books = Books(Params())
        self._ladders = Ladders()
        self._streams: dict[str, MarketStream] = {}
        self._closes: dict[str, int] = {}
        self._over: set[str] = set()
        self._series: set[str] = set()
        self._overflows: defaultdict[str, int] = defaultdict(int)

    def fold(self, event: Event) -> None:
        """Take one event; those that say nothing of a book are passed over."""
        match event:
            case BookDelta():
                shelf = self._books.shelves.get(event.ticker)
                if shelf is not None and shelf.book is not None and event.ticker not in self._over:
                    self._stream(event.ticker).delta(event, self._books, shelf.book)
            case TickerSeen():
                self._ticker(event)
            case TradePrinted() if event.ticker not in self._over:
                stream = self._stream(event.ticker)
                stream.pool.trades.add(event.size_cc)
                stream.has_printed_trades = True
            case BookSnapshot():
                self._books.snapshot(event)
                self._ladders.snapshot(event)
                self._series.add(series_of(event.ticker))
                self._forget(event.ticker)
            case BookLost():
                self._overflows[event.ticker] += event.reason == "overflow"
                self._books.lost(event)
                self._forget(event.ticker)
            case ContractListed(contract=contract):
                self._ladders.listed(contract)
                self._closes[contract.ticker] = contract.close_ns
                if contract.ticker in self._streams:
                    self._streams[contract.ticker].close_ns = contract.close_ns
                self._retire(event.recv_ns)

    def finish(self) -> None:
        """Sum up the markets that are left, and the captures when nothing was streamed."""
        for ticker in list(self._streams):
            self._sum_up(ticker)
        for ticker, gaps in self._source.gaps.items():
            if gaps and ticker not in self._over:
                self._survey.markets.append(self._row(ticker))
        if not any(self._source.deltas.values()):
            merge(self._survey.ladders, self._ladders.finish())
            self._survey.polled_series |= self._series

    def _ticker(self, event: TickerSeen) -> None:
        if event.ticker in self._over:
            return
        shelf = self._books.shelves.get(event.ticker)
        is_whole = self._books.ticker(event)
        stream = self._stream(event.ticker)
        stream.ticker(event, None if shelf is None else shelf.book)
        if not is_whole:
            stream.forget()

    def _stream(self, ticker: str) -> MarketStream:
        stream = self._streams.get(ticker)
        if stream is None:
            stream = self._streams[ticker] = MarketStream(self._closes.get(ticker))
        return stream

    def _forget(self, ticker: str) -> None:
        stream = self._streams.get(ticker)
        if stream is not None:
            stream.forget()

    def _retire(self, now_ns: int) -> None:
        for ticker, stream in list(self._streams.items()):
            if stream.close_ns is not None and stream.close_ns + MINUTE_NS < now_ns:
                self._sum_up(ticker)

    def _sum_up(self, ticker: str) -> None:
        stream = self._streams.pop(ticker)
        self._over.add(ticker)
        row = self._row(ticker)
        self._survey.markets.append(row)
        if not row.is_counted:
            return
        pool = stream.finish()
        if stream.has_printed_trades:
            self._survey.has_printed_trades = True
        elif ticker in self._trades:
            pool.trades.merge(self._trades[ticker])
        self._survey.pool.merge(pool)

    def _row(self, ticker: str) -> SurveyedMarket:
        shelf = self._books.shelves.get(ticker)
        losses = {} if shelf is None else shelf.losses
        return SurveyedMarket(
            file=self._source.path.name,
            ticker=ticker,
            deltas=self._source.deltas.get(ticker, 0),
            gaps=self._source.gaps.get(ticker, 0),
            frozen=losses.get("frozen", 0),
            impossible=losses.get("impossible", 0),
            overflow=self._overflows[ticker],
        )
