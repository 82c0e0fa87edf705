"""Events as rows of tables: which stream and series each belongs to, and its cells in order of the stream's columns."""

from collections.abc import Iterator
from typing import assert_never

import msgspec

from fairstrike.core import events as ev
from fairstrike.core.order import Side
from fairstrike.market.books import EXPECTED_LOSSES
from fairstrike.store.parquet import DELTA, ENDED, LEVEL, LOST, SNAPSHOT, Row

Placed = tuple[str, str, Row]
"""A stream, a series (an asset for index values, a source for feeds), and a row."""


def rows(event: ev.Event) -> Iterator[Placed]:
    """Give the rows of what came from outside; nothing for what only shells and accounts say."""
    match event:
        case ev.BookDelta():
            size = event.delta_cc
            yield "book", _series(event.ticker), (*_head(event), DELTA, event.is_bid, event.price_ticks, size)
        case ev.BookSnapshot():
            series, head = _series(event.ticker), _head(event)
            yield "book", series, (*head, SNAPSHOT, None, None, None)
            for is_bid, levels in ((True, event.bids), (False, event.asks)):
                for price, size in levels:
                    yield "book", series, (*head, LEVEL, is_bid, price, size)
        case ev.BookLost():
            kind = ENDED if event.reason in EXPECTED_LOSSES else LOST
            yield "book", _series(event.ticker), (event.recv_ns, None, event.ticker, kind, None, None, None)
        case ev.TradePrinted():
            is_bid = event.taker_side is Side.BID
            yield "trade", _series(event.ticker), (*_head(event), event.price_ticks, event.size_cc, is_bid)
        case ev.TickerSeen():
            best = (event.bid_ticks, event.ask_ticks)
            yield "ticker", _series(event.ticker), (*_head(event), *best, event.volume_cc)
        case ev.MarketSettled():
            row = (*_head(event), event.value_ticks, event.is_paid, event.is_derived)
            yield "result", _series(event.ticker), row
        case ev.IndexPrinted():
            row = (event.recv_ns, event.venue_ns, event.asset, event.source, event.second, event.value_e8)
            yield "index", event.asset, row
        case ev.SpotTold(recv_ns=recv_ns):
            for candle in event.candles:
                yield "candle", candle.asset, (recv_ns, *_cells(candle))
            for funding in event.fundings:
                yield "funding", funding.asset, (recv_ns, *_cells(funding))
        case ev.ContractListed():
            yield "market", event.contract.series, _terms(event)
        case ev.StreamChanged() | ev.OffsetStepped() | ev.FrameRefused():
            yield "feed", event.source, _feed(event)
        case _:
            return


def _series(ticker: str) -> str:
    return ticker.partition("-")[0]


def _head(event: ev.BookDelta | ev.BookSnapshot | ev.TradePrinted | ev.TickerSeen | ev.MarketSettled) -> Row:
    return event.recv_ns, event.venue_ns, event.ticker


def _cells(told: ev.SpotCandle | ev.SpotFunding) -> Row:
    """Give its fields, the venue's stamp first."""
    fields = msgspec.structs.asdict(told)
    return fields.pop("venue_ns"), *fields.values()


def _terms(event: ev.ContractListed) -> Row:
    terms = event.contract
    times, strikes = (terms.open_ns, terms.close_ns), (terms.floor_e8, terms.cap_e8)
    return (event.recv_ns, terms.ticker, terms.event_ticker, event.status, terms.comparison.value, *times, *strikes)


def _feed(event: ev.StreamChanged | ev.OffsetStepped | ev.FrameRefused) -> Row:
    match event:
        case ev.StreamChanged():
            return event.recv_ns, event.source, "up" if event.is_up else "down", event.reason, None
        case ev.OffsetStepped():
            return event.recv_ns, event.source, "offset", "", event.offset_ns
        case ev.FrameRefused():
            return event.recv_ns, event.source, "refused", event.reason, None
        case _:
            assert_never(event)
