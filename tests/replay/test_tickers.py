"""All captures: what the venue's tickers show is the rebuilt book of the very millisecond they are stamped with."""

import gzip
import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fairstrike.core.events import BookDelta, BookLost, BookSnapshot, TickerSeen
from fairstrike.core.order import Side
from fairstrike.market.books import Books, Params
from fairstrike.research.importers.stream15m import Stream15m
from fairstrike.research.observer import RECENT_NS
from fairstrike.venue.kalshi.wire.amounts import size_cc

Top = tuple[int | None, int | None, int, int]
"""Best bid, best ask and what rests there."""


class Market:
    """What a market's book came to: at which stamps and receipts, and how it stood then; and its tickers."""

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.received: list[int] = []
        self.tops: list[Top] = []
        self.tickers: list[tuple[TickerSeen, Top, int]] = []
        self.is_lost = False


def tickers(path: Path) -> Iterator[tuple[int, int]]:
    """The sizes that the tickers of a capture show, in order."""
    with gzip.open(path, "rb") as file:
        for line in file:
            if b'"type":"ticker"' in line:
                message = json.loads(line)["msg"]
                yield size_cc(message["yes_bid_size_fp"]), size_cc(message["yes_ask_size_fp"])


def rebuilt(path: Path) -> dict[str, Market]:
    """Every market of a capture, folded as live."""
    markets: defaultdict[str, Market] = defaultdict(Market)
    books, sizes = Books(Params()), tickers(path)
    for _, events in Stream15m(path).units():
        for event in events:
            match event:
                case BookSnapshot():
                    books.snapshot(event)
                case BookDelta():
                    books.delta(event)
                case BookLost():
                    markets[event.ticker].is_lost |= event.reason != "disconnected"
                    books.lost(event)
                    continue
                case TickerSeen():
                    market = markets[event.ticker]
                    market.is_lost |= not books.ticker(event)
                    top = (event.bid_ticks, event.ask_ticks, *next(sizes))
                    market.tickers.append((event, top, len(market.tops)))
                    continue
                case _:
                    continue
            market, book = markets[event.ticker], books.shelves[event.ticker].book
            if book is not None:
                bid, ask = book.bid_ticks, book.ask_ticks
                bid_cc = 0 if bid is None else book.size_cc(Side.BID, bid)
                ask_cc = 0 if ask is None else book.size_cc(Side.ASK, ask)
                market.tops.append((bid, ask, bid_cc, ask_cc))
                market.received.append(event.recv_ns)
                market.stamps.append(event.venue_ns or (market.stamps[-1] if market.stamps else 0))
    return markets


def counted(path: Path) -> Counter[str]:
    """How the tickers of a capture's markets whose book was never lost compare with it."""
    found: Counter[str] = Counter()
    for market in rebuilt(path).values():
        for ticker, top, heard in () if market.is_lost else market.tickers:
            if not heard:
                continue
            stamp = ticker.venue_ns or 0
            begun, ended = bisect_left(market.stamps, stamp), bisect_right(market.stamps, stamp)
            found["tickers"] += 1
            found["equal at their stamp"] += top in market.tops[max(0, begun - 1) : ended]
            found["equal at the end of it"] += top == market.tops[ended - 1]
            recent = max(0, bisect_right(market.received, ticker.recv_ns - RECENT_NS, hi=heard) - 1)
            is_recent = top[:2] in [seen[:2] for seen in market.tops[recent:heard]]
            found["before their book"] += ended > heard
            found["neither recent nor before their book"] += not is_recent and ended <= heard
    return found


def test_each_ticker_shows_the_book_of_its_own_stamp(shared_data: Path) -> None:
    """By receipt they agree less: tickers trail the book, and some overtake it."""
    captures = sorted((shared_data / "btc15m").glob("*.jsonl.gz"))
    with ProcessPoolExecutor(2) as pool:
        found = sum(pool.map(counted, captures), Counter[str]())
    assert found["tickers"] == 11_692
    assert found["equal at their stamp"] == found["tickers"]
    assert found["equal at the end of it"] == 11_683
    assert found["before their book"] == 287
    assert found["neither recent nor before their book"] == 0
