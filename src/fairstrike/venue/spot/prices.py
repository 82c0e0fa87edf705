"""One price a second from each spot venue, and the index replica from their books.

A venue's price is the middle of its book, which heartbeats confirm when nothing changes, and where there is no book
that can be vouched for its last trade. It is printed once for each second of the venue's own clock, when that second
begins: the official index is stamped so too. The replica is printed at each second of ours. Nothing is printed from
what was last confirmed longer ago than `silence_max_ns`, and a print's stamp is when its data was last confirmed.

Candles, funding and the figures of each venue are told every `told_every_ns`, the first two when they are new.
"""

from collections.abc import Iterator, Sequence

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.events import (
    Event,
    FrameRefused,
    IndexPrinted,
    OffsetStepped,
    SpotCandle,
    SpotFigures,
    SpotFunding,
    SpotSummed,
    SpotTold,
)
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR, PPM
from fairstrike.market.replica import Params as ReplicaParams
from fairstrike.market.replica import Replica, VenueBook
from fairstrike.venue.kalshi.offset import ClockOffset
from fairstrike.venue.spot.book import SpotBook
from fairstrike.venue.spot.figures import Figures
from fairstrike.venue.spot.figures import Params as FiguresParams
from fairstrike.venue.spot.values import (
    Alive,
    BookBroken,
    BookChanged,
    BookReplaced,
    IndexTold,
    Traded,
    Unreadable,
    Value,
    Venue,
)

REPLICA = "replica"
_CANDLES_MAX = 1_000


def _replicas() -> dict[str, ReplicaParams]:
    return {
        "BTC": ReplicaParams(),
        "ETH": ReplicaParams(spacing_e8=25 * E8_PER_DOLLAR, deviation_max=0.01),
        "SOL": ReplicaParams(spacing_e8=100 * E8_PER_DOLLAR, deviation_max=0.01),
    }


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest silence of a source, how often more than prices is told, the replicas by asset.

    `offset_step_ns` is the step of a clock's offset that is told.
    """

    silence_max_ns: Positive = 10 * SECOND_NS
    told_every_ns: Positive = 10 * SECOND_NS
    offset_step_ns: Positive = 20 * MILLISECOND_NS
    figures: FiguresParams = FiguresParams()
    replicas: dict[str, ReplicaParams] = msgspec.field(default_factory=_replicas)


class _Market:
    """What one venue says of one asset; instants are ours."""

    __slots__ = ("book", "confirmed_ns", "figures", "printed", "traded", "traded_ns")

    def __init__(self, params: FiguresParams) -> None:
        self.book: SpotBook | None = None
        self.confirmed_ns = 0
        self.traded: Traded | None = None
        self.traded_ns = 0
        self.printed = -1
        self.figures = Figures(params)

    def price(self, since_ns: int) -> tuple[int, int] | None:
        """Give a price confirmed at or after an instant, and when it was."""
        mid_e8 = None if self.book is None else self.book.mid_e8()
        if mid_e8 is not None and self.confirmed_ns >= since_ns:
            return mid_e8, self.confirmed_ns
        if self.traded is not None and self.traded_ns >= since_ns:
            return self.traded.price_e8, self.traded_ns
        return None


class Prices:
    """Folds what all venues tell; `prints` gives what is due, `due_ns` when to ask next."""

    def __init__(self, params: Params) -> None:
        """Start knowing nothing."""
        self._params = params
        self._markets: dict[tuple[str, str], _Market] = {}
        self._offsets: dict[str, ClockOffset] = {}
        self._replicas = {asset: Replica(own) for asset, own in params.replicas.items()}
        self._replica_second = self._told = -1
        self._candles: dict[tuple[str, str, int], SpotCandle] = {}
        self._fundings: dict[tuple[str, str], SpotFunding] = {}

    def take(self, venue: Venue, values: Sequence[Value], recv_ns: int) -> list[Event]:
        """Take in the values of one frame received at `recv_ns` (our clock); give what is to be told at once."""
        events: list[Event] = []
        for value in values:
            events += self._clock(venue.source, getattr(value, "venue_ns", None), recv_ns)
            match value:
                case Unreadable():
                    events.append(FrameRefused(source=venue.source, reason=value.reason, recv_ns=recv_ns))
                case Alive():
                    for asset in venue.assets:
                        market = self._market(venue.source, asset)
                        market.confirmed_ns = max(
                            market.confirmed_ns, self._ours(venue.source, value.venue_ns, recv_ns)
                        )
                case SpotCandle():
                    self._candles[value.source, value.asset, value.start_ns] = value
                    if len(self._candles) > _CANDLES_MAX:
                        del self._candles[next(iter(self._candles))]
                case SpotFunding():
                    self._fundings[value.source, value.asset] = value
                case IndexTold():
                    events += self._index_print(venue.source, value, recv_ns)
                case _:
                    self._fold(venue.source, value, recv_ns)
        return events

    def disconnected(self, venue: Venue) -> None:
        """Drop the books of a connection that ended: changes may have been missed."""
        for asset in venue.assets:
            self._market(venue.source, asset).book = None

    def book(self, source: str, asset: str) -> SpotBook | None:
        """Give a venue's book, None when it cannot be vouched for."""
        return self._market(source, asset).book

    def prints(self, now_ns: int) -> list[Event]:
        """Give the print of each source whose second began, the replica's, and what else is due since it was asked."""
        events: list[Event] = []
        since_ns = now_ns - self._params.silence_max_ns
        for (source, asset), market in self._markets.items():
            offset_ns = self._offset_ns(source)
            second = (now_ns - offset_ns) // SECOND_NS
            found = market.price(since_ns) if second > market.printed else None
            if found is None:
                continue
            value_e8, at_ns = found
            market.printed = second
            market.figures.printed(second, value_e8)
            events.append(_print(asset, source, second, value_e8, now_ns, at_ns - offset_ns))
        if now_ns // SECOND_NS > self._replica_second:
            if self._replica_second < 0:
                events.append(OffsetStepped(source=REPLICA, offset_ns=0, recv_ns=now_ns))
            self._replica_second = now_ns // SECOND_NS
            events += self._replica_prints(now_ns)
        if now_ns // self._params.told_every_ns > self._told:
            self._told = now_ns // self._params.told_every_ns
            events += self._rest(now_ns)
        return events

    def due_ns(self, now_ns: int) -> int:
        """Give the next instant at which some source's second begins."""
        offsets = {0, *(self._offset_ns(source) for source, _ in self._markets)}
        return min(((now_ns - offset_ns) // SECOND_NS + 1) * SECOND_NS + offset_ns for offset_ns in offsets)

    def _rest(self, now_ns: int) -> Iterator[Event]:
        """Give the candles and funding that were not told yet, and the figures of whoever is not silent."""
        if self._candles or self._fundings:
            yield SpotTold(
                candles=tuple(self._candles.values()), fundings=tuple(self._fundings.values()), recv_ns=now_ns
            )
            self._candles, self._fundings = {}, {}
        since_ns = now_ns - self._params.silence_max_ns
        heard = {key: market for key, market in self._markets.items() if market.price(since_ns) is not None}
        if heard:
            yield SpotSummed(
                figures=tuple(_figures(*key, market, now_ns) for key, market in heard.items()), recv_ns=now_ns
            )

    def _replica_prints(self, now_ns: int) -> Iterator[Event]:
        for asset, own in self._replicas.items():
            count = self._params.replicas[asset].levels_max
            markets = {source: market for (source, of), market in self._markets.items() if of == asset}
            books = {
                source: VenueBook(
                    bids=market.book.bids(count), asks=market.book.asks(count), age_ns=now_ns - market.confirmed_ns
                )
                for source, market in markets.items()
                if market.book is not None
            }
            found = own.compute(books)
            if found is not None:
                at_ns = max(markets[source].confirmed_ns for source in found.used)
                yield _print(asset, REPLICA, now_ns // SECOND_NS, found.value_e8, now_ns, at_ns)

    def _fold(self, source: str, value: BookReplaced | BookChanged | BookBroken | Traded, recv_ns: int) -> None:
        market = self._market(source, value.asset)
        if isinstance(value, BookBroken):
            market.book = None
            return
        at_ns = self._ours(source, value.venue_ns, recv_ns)
        if isinstance(value, Traded):
            market.figures.trade(at_ns, value.price_e8, value.size_e8)
            # By our clock too: a stamp of the future would hold up all later trades.
            if market.traded is None or value.venue_ns >= market.traded.venue_ns or at_ns >= market.traded_ns:
                market.traded, market.traded_ns = value, at_ns
            return
        if isinstance(value, BookReplaced):
            market.book = SpotBook(value.bids, value.asks)
        elif market.book is None:
            return
        else:
            market.book.change(value.bids, value.asks)
        market.confirmed_ns = max(market.confirmed_ns, at_ns)

    def _index_print(self, source: str, value: IndexTold, recv_ns: int) -> list[Event]:
        market, second = self._market(source, value.asset), value.venue_ns // SECOND_NS
        if second <= market.printed or value.venue_ns - recv_ns > self._params.silence_max_ns:
            return []
        market.printed = second
        market.figures.printed(second, value.value_e8)
        return [_print(value.asset, source, second, value.value_e8, recv_ns, value.venue_ns)]

    def _clock(self, source: str, venue_ns: int | None, recv_ns: int) -> list[Event]:
        """Measure a source's clock by a stamp that is not too old to tell."""
        if venue_ns is None or abs(recv_ns - venue_ns) > self._params.silence_max_ns:
            return []
        offset = self._offsets.setdefault(source, ClockOffset(self._params.offset_step_ns))
        stepped_ns = offset.sample(venue_ns, recv_ns)
        return [] if stepped_ns is None else [OffsetStepped(source=source, offset_ns=stepped_ns, recv_ns=recv_ns)]

    def _offset_ns(self, source: str) -> int:
        offset = self._offsets.get(source)
        return 0 if offset is None or offset.offset_ns is None else offset.offset_ns

    def _ours(self, source: str, venue_ns: int | None, recv_ns: int) -> int:
        """Give a stamp on our clock, never past its receipt."""
        return recv_ns if venue_ns is None else min(recv_ns, venue_ns + self._offset_ns(source))

    def _market(self, source: str, asset: str) -> _Market:
        market = self._markets.get((source, asset))
        if market is None:
            market = self._markets[source, asset] = _Market(self._params.figures)
        return market


def _figures(source: str, asset: str, market: _Market, now_ns: int) -> SpotFigures:
    found = market.figures.summary(now_ns)
    return SpotFigures(
        asset=asset,
        source=source,
        last_e8=found.last_e8,
        vwap_e8=found.vwap_e8,
        vol_ppm=None if found.vol_annual is None else round(found.vol_annual * PPM),
    )


def _print(asset: str, source: str, second: int, value_e8: int, recv_ns: int, venue_ns: int) -> IndexPrinted:
    return IndexPrinted(
        asset=asset, source=source, second=second, value_e8=value_e8, recv_ns=recv_ns, venue_ns=venue_ns
    )
