"""The venue's own market objects of one event, in one JSON document keyed by ticker.

The document does not say when it was read; its file name does: `…-20260710T002212Z-….json`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fairstrike.core.errors import ArithmeticRefusal, RecordingError
from fairstrike.core.events import BookSnapshot, ContractListed, Event
from fairstrike.core.fees import FeeSchedule
from fairstrike.research.importers import moments
from fairstrike.research.importers.base import UNREADABLE, Recording, Unit, instant_ns
from fairstrike.venue.kalshi.wire.amounts import price_ticks, size_cc
from fairstrike.venue.kalshi.wire.markets import Market
from fairstrike.venue.kalshi.wire.terms import terms_of

_READ_AT = re.compile(r"\d{8}T\d{6}Z")
_decode = msgspec.json.Decoder(dict[str, Market]).decode


class Markets(Recording):
    """One event's markets, as read once."""

    kind = "a document of markets"

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the document is keyed by tickers of markets, whose first fields are in its beginning."""
        return re.match(rb'\s*\{\s*"KX[^"]+"\s*:\s*\{', head) is not None and b'"event_ticker"' in head

    @property
    def is_priced(self) -> bool:
        """No reference price is recorded."""
        return False

    def units(self) -> Iterator[Unit]:
        """Give the markets and their best prices, and the end of the moment."""
        try:
            markets = _decode(self.tape.document())
            events, books = self._told(markets)
        except (*UNREADABLE, ArithmeticRefusal) as error:
            raise self._spoiled(1, error) from None
        self.notes.append(f"{self.path.name}: {len(events)} of {len(markets)} markets have terms we know")
        yield from moments.units([moments.Capture(at_ns=self.first_ns, events=events, books=books)])
        self.is_over = True

    def _told(self, markets: dict[str, Market]) -> tuple[list[Event], list[BookSnapshot]]:
        at_ns, events, books = self.first_ns, list[Event](), list[BookSnapshot]()
        for ticker, market in markets.items():
            contract = terms_of(market).contract
            if contract is not None:
                volume_cc = size_cc(market.volume_24h_fp)
                listed = ContractListed(
                    contract=contract,
                    schedule=FeeSchedule(),
                    status=market.status,
                    volume_24h_cc=volume_cc,
                    recv_ns=at_ns,
                )
                events.append(listed)
            books.append(_best(market, at_ns))
            self.snapshots[ticker] += 1
        return events, books

    def _begins_ns(self) -> int:
        found = _READ_AT.search(self.path.name)
        if found is None:
            raise RecordingError(
                f"{self.path.name} does not say when it was read; name it with the time, e.g. markets-"
                "20260710T002212Z.json"
            )
        day, time = found.group().rstrip("Z").split("T")
        try:
            return instant_ns(f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}Z")
        except ArithmeticRefusal as error:
            raise RecordingError(
                f"the time in the name {self.path.name} is none ({error}); name it with the time it was read"
            ) from None


def _best(market: Market, at_ns: int) -> BookSnapshot:
    """Give the best prices; sizes as told, else those of an unknown size."""
    bid, ask = price_ticks(market.yes_bid_dollars), price_ticks(market.yes_ask_dollars)
    book = moments.top_of_book(market.ticker, at_ns, bid, ask)
    bid_cc, ask_cc = size_cc(market.yes_bid_size_fp), size_cc(market.yes_ask_size_fp)
    if bid_cc < 0 or ask_cc < 0:
        raise ArithmeticRefusal(f"a size of {market.ticker[:80]} is below zero")
    if bid_cc or ask_cc:
        bids = tuple((price, bid_cc) for price, _ in book.bids if bid_cc)
        asks = tuple((price, ask_cc) for price, _ in book.asks if ask_cc)
        return msgspec.structs.replace(book, bids=bids, asks=asks)
    return book
