"""What is seen of the markets that a trader watches, folded from both chains of its journal.

The inputs tell of contracts, index prints and books that came or were lost; the decisions tell best prices, sizes and
fair values at each look. The chains share one counter, so that what was told later wins, whichever is read first.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from fairstrike.app import config
from fairstrike.app.desk.facts import read_body
from fairstrike.core.contract import Contract
from fairstrike.core.effects import Resubscribe, Unwatch, Warn, Watch
from fairstrike.core.events import (
    BookLost,
    ContractListed,
    IndexPrinted,
    OffsetStepped,
    SpotFigures,
    SpotFunding,
    SpotSummed,
    SpotTold,
    StreamChanged,
    TermsChanged,
)
from fairstrike.core.records import Decided, GroupFitted, RisklessFound, Row, RunEnded, RunStarted
from fairstrike.core.regime import RegimeSeen
from fairstrike.core.timing import HOUR_NS, MINUTE_NS
from fairstrike.core.units import PPM, TICKS_PER_DOLLAR
from fairstrike.engine import KALSHI
from fairstrike.market.catalog import with_terms
from fairstrike.market.index import Index, Reference
from fairstrike.pricing.volatility import returns_missing
from fairstrike.store.segments import Record

_Found = TypeVar("_Found", GroupFitted, RisklessFound)
WARNINGS_MAX = 20
_CLEAR_EVERY_NS = MINUTE_NS
NO_BOOK_YET = "no book yet"
_TICKS_PPM = PPM // TICKS_PER_DOLLAR
_WHY = {
    "gap": "frames were lost",
    "silent": "the stream is silent",
    "late": "the stream is late",
    "disconnected": "the stream is down",
    "reconnected": "the stream is back, its book is not",
    "unreadable": "a frame could not be read",
    "overflow": "too much came before its book",
    "frozen": "frozen: the ticker shows other prices",
    "crossed": "crossed for too long",
    "impossible": "a change that cannot be",
    "audit": "REST shows another book",
}


class _Named(msgspec.Struct, frozen=True):
    """As much of a `BookSnapshot` as is needed here."""

    ticker: str


class _Read(msgspec.Struct, frozen=True):
    """As much of a `BooksRead` as is needed here."""

    books: tuple[_Named, ...]


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One market as it was last seen. `absent` says why there is no book; empty when there is one.

    Prices are None for an empty side, `fair_ppm` while there is no fair value. `fitted_ppm` is the fair value moved as
    far as the quotes of the fit's instant demanded; None without either.
    """

    contract: Contract
    bid_ticks: int | None
    bid_cc: int
    ask_ticks: int | None
    ask_cc: int
    fair_ppm: int | None
    absent: str
    is_polled: bool
    fitted_ppm: int | None = None

    @property
    def edge_ppm(self) -> int | None:
        """Fair value less the middle of the best prices; None without either."""
        if self.fair_ppm is None or self.bid_ticks is None or self.ask_ticks is None:
            return None
        return self.fair_ppm - (self.bid_ticks + self.ask_ticks) * _TICKS_PPM // 2

    @property
    def unfitted_ppm(self) -> int | None:
        """Fair value less the fitted probability; None without either."""
        return None if self.fair_ppm is None or self.fitted_ppm is None else self.fair_ppm - self.fitted_ppm


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """One event: its watched markets by strike, the time to its close, the reference price and the regime.

    `no_reference` says why there is none; empty when there is one. `no_fair` says for how long there is no fair value
    yet, for want of prints of it; empty when they are enough. `is_late_proxy`: it is a proxy, near the close.
    `fit` and `riskless` are of its settlement group, None while there is none that is good.
    """

    event_ticker: str
    asset: str
    close_ns: int
    closes_in_ns: int
    reference: Reference | None
    no_reference: str
    no_fair: str
    is_late_proxy: bool
    regime: RegimeSeen | None
    sights: tuple[Sight, ...]
    group: str
    fit: GroupFitted | None = None
    riskless: RisklessFound | None = None


class _Book:
    """Whether a market has a book, and where it came from; `n` is the record that told so."""

    __slots__ = ("absent", "is_polled", "n")

    def __init__(self) -> None:
        self.absent = NO_BOOK_YET
        self.is_polled = False
        self.n = 0


class Sights:
    """Everything seen of one run. `stream` says how the stream stands.

    `silence` is for whoever folds the records: why none came for so long that no book can be vouched for, empty while
    they come.
    """

    def __init__(self) -> None:
        """Start before the first record."""
        self.silence = ""
        self._begin(None)

    def _begin(self, run: RunStarted | None) -> None:
        self.run = run
        self.ended: RunEnded | None = None
        self.is_streaming = False
        self.stream = "not yet connected"
        self.warnings: list[str] = []
        self._contracts: dict[str, Contract] = {}
        self._cleared_ns = 0
        self._watched: dict[str, None] = {}
        self._books: dict[str, _Book] = {}
        self._rows: dict[str, Row] = {}
        self._fits: dict[str, GroupFitted] = {}
        self._riskless: dict[str, RisklessFound] = {}
        self._indices: dict[str, Index] = {}
        self._offsets: dict[str, int] = {}
        self._regimes: dict[str, RegimeSeen] = {}
        self._spot_down: dict[str, str] = {}
        self._figures = SpotSummed(figures=(), recv_ns=0)
        self._fundings: dict[tuple[str, str], tuple[int, SpotFunding]] = {}
        settings = config.Settings() if run is None else msgspec.json.decode(run.settings, type=config.Settings)
        self._rooms = settings.rooms
        self._spot_stale_ns = 2 * settings.spot.prices.told_every_ns

    def fold(self, records: Iterable[Record]) -> None:
        """Take records of both chains in, those of each in order.

        Raises `JournalError` when one cannot be read: use the program version that wrote it.
        """
        for record in sorted(records, key=lambda record: record.n):
            decoder = _DECODERS.get(record.kind)
            if decoder is not None:
                self._take(read_body(record, decoder), record.n)

    def ladders(self, now_ns: int) -> list[Ladder]:
        """Give the events whose markets are watched and not yet closed at `now_ns` (our clock), soonest first."""
        events: dict[tuple[int, str], list[Contract]] = {}
        venue_ns = now_ns - self._offsets.get(KALSHI, 0)
        for ticker in self._watched:
            contract = self._contracts.get(ticker)
            if contract is not None and contract.close_ns > venue_ns:
                events.setdefault((contract.close_ns, contract.event_ticker), []).append(contract)
        return [self._ladder(members, close_ns - venue_ns, now_ns) for (close_ns, _), members in sorted(events.items())]

    def spot_figures(self, now_ns: int) -> Sequence[SpotFigures]:
        """Give each spot venue's figures as told last, none when that was long ago."""
        return self._figures.figures if now_ns - self._figures.recv_ns <= self._spot_stale_ns else ()

    def spot_fundings(self, now_ns: int) -> Sequence[SpotFunding]:
        """Give the funding rates told not long ago."""
        return [one for told_ns, one in self._fundings.values() if now_ns - told_ns <= self._spot_stale_ns]

    @property
    def troubles(self) -> list[str]:
        """What a person should know: the spot venues that are down, then what was warned of, the newest last."""
        return [f"{line} is down: {reason}" for line, reason in self._spot_down.items()] + self.warnings

    @property
    def has_listed(self) -> bool:
        """Whether any market was listed."""
        return bool(self._contracts)

    def next_close_ns(self, now_ns: int) -> int | None:
        """Give when the next market closes that is known but not watched yet."""
        closes = (c.close_ns for t, c in self._contracts.items() if t not in self._watched and c.close_ns > now_ns)
        return min(closes, default=None)

    def reference(self, asset: str, now_ns: int) -> Reference | None:
        """Give an asset's reference price when it is fresh."""
        index = self._indices.get(asset)
        return None if index is None else index.fresh(now_ns)

    def _no_reference(self, asset: str, now_ns: int) -> str:
        index = self._indices.get(asset)
        names = [] if index is None else index.unmeasured(now_ns)
        if not names:
            return f"no source prints {asset} now"
        return (
            f'give "{names[0]}/{asset}" an error under rooms.index.proxy_sd_e8: '
            f"none is known of {', '.join(names)} against the official index"
        )

    def _no_fair(self, reference: Reference | None, asset: str, sights: Sequence[Sight]) -> str:
        if reference is None or any(sight.fair_ppm is not None for sight in sights):
            return ""
        prints, params = self._indices[asset].series[reference.source].prints, self._rooms.volatility
        missing = returns_missing(prints, max(prints), params)
        if not missing:
            return ""
        return f"no fair value for another {missing} s: volatility needs {params.returns_min} s of prints"

    def _take(self, body: object, n: int) -> None:
        match body:
            case Decided(rows=rows):
                self._rows.update((row.ticker, row) for row in rows)
            case _Named(ticker=ticker):
                self._tell(ticker, n, "")
            case _Read(books=books) if not self.is_streaming:
                for book in books:
                    self._tell(book.ticker, n, "", is_polled=True)
            case BookLost(ticker=ticker, reason=reason):
                self._tell(ticker, n, _WHY.get(reason, reason))
            case Resubscribe(tickers=tickers, reason=reason):
                for ticker in tickers:
                    self._tell(ticker, n, _WHY.get(reason, reason))
            case IndexPrinted():
                index = self._indices.setdefault(body.asset, Index(self._rooms.index))
                index.fold(body, self._offsets.get(body.source, self._offsets.get(KALSHI, 0)))
            case GroupFitted():
                self._fits = _good(self._fits, body.asked_ns) | {body.group: body}
            case RisklessFound():
                self._riskless = _good(self._riskless, body.asked_ns) | {body.group: body}
            case Warn(text=text):
                self.warnings = [*self.warnings[1 - WARNINGS_MAX :], text]
            case _:
                self._take_seldom(body, n)

    def _take_seldom(self, body: object, n: int) -> None:
        match body:
            case RunStarted():
                self._begin(body)
            case RunEnded():
                self.ended = body
            case ContractListed(contract=contract, recv_ns=now_ns):
                self._contracts[contract.ticker] = contract
                if now_ns >= self._cleared_ns + _CLEAR_EVERY_NS:
                    self._cleared_ns = now_ns
                    self._contracts = {t: c for t, c in self._contracts.items() if c.close_ns > now_ns - HOUR_NS}
            case TermsChanged(ticker=ticker) if ticker in self._contracts:
                self._contracts[ticker] = with_terms(self._contracts[ticker], body)
            case Watch(tickers=tickers):
                self._watched.update(dict.fromkeys(tickers))
            case Unwatch(tickers=tickers):
                for ticker in tickers:
                    for kept in (self._watched, self._books, self._rows, self._contracts):
                        kept.pop(ticker, None)
            case RegimeSeen(asset=asset):
                self._regimes[asset] = body
            case OffsetStepped(source=source, offset_ns=offset_ns):
                self._offsets[source] = offset_ns
            case StreamChanged() if body.source == KALSHI:
                self.is_streaming = body.is_up
                self.stream = "up" if body.is_up else body.reason
                if not body.is_up:
                    for ticker, book in self._books.items():
                        if not (book.absent or book.is_polled):
                            self._tell(ticker, n, _WHY["disconnected"])
            case SpotSummed():
                self._figures = body
            case SpotTold(fundings=fundings, recv_ns=told_ns):
                self._fundings |= {(one.source, one.asset): (told_ns, one) for one in fundings}
            case StreamChanged(source=line, is_up=True):
                self._spot_down.pop(line, None)
            case StreamChanged(source=line, reason=reason):
                self._spot_down[line] = reason
            case _:
                pass

    def _ladder(self, members: list[Contract], closes_in_ns: int, now_ns: int) -> Ladder:
        first = members[0]
        fit, riskless = self._fits.get(first.group), self._riskless.get(first.group)
        if fit is not None and fit.good_until_ns < now_ns:
            fit = None
        if riskless is not None and (riskless.good_until_ns < now_ns or not riskless.legs):
            riskless = None
        reference = self.reference(first.asset, now_ns)
        sights = tuple(self._sight(contract, fit) for contract in sorted(members, key=strike_order))
        is_late = closes_in_ns <= self._rooms.fair.proxy_told_within_ns
        return Ladder(
            event_ticker=first.event_ticker,
            asset=first.asset,
            close_ns=first.close_ns,
            closes_in_ns=closes_in_ns,
            reference=reference,
            no_reference=self._no_reference(first.asset, now_ns) if reference is None else "",
            no_fair=self._no_fair(reference, first.asset, sights),
            is_late_proxy=is_late and reference is not None and reference.is_proxy,
            regime=self._regimes.get(first.asset),
            sights=sights,
            group=first.group,
            fit=fit,
            riskless=riskless,
        )

    def _tell(self, ticker: str, n: int, absent: str, *, is_polled: bool = False) -> None:
        book = self._books.setdefault(ticker, _Book())
        if n > book.n:
            book.n, book.absent, book.is_polled = n, absent, is_polled

    def _sight(self, contract: Contract, fit: GroupFitted | None) -> Sight:
        row = self._rows.get(contract.ticker) or Row(contract.ticker, 0, None, 0, None, 0, None)
        book = self._books.get(contract.ticker) or _Book()
        # One that came by REST goes without a word when REST is silent too.
        is_gone = book.is_polled and row.bid_ticks is None and row.ask_ticks is None
        absent = self.silence or book.absent or ("REST gives no book" if is_gone else "")
        is_there = not absent
        fair_ppm = row.fair_ppm if is_there else None
        return Sight(
            contract=contract,
            bid_ticks=row.bid_ticks if is_there else None,
            bid_cc=row.bid_cc if is_there else 0,
            ask_ticks=row.ask_ticks if is_there else None,
            ask_cc=row.ask_cc if is_there else 0,
            fair_ppm=fair_ppm,
            absent=absent,
            is_polled=book.is_polled and is_there,
            fitted_ppm=None if fit is None or fair_ppm is None else _moved(fair_ppm, fit, contract),
        )


def _good(kept: dict[str, _Found], now_ns: int) -> dict[str, _Found]:
    """Give what is still good: groups that closed are forgotten."""
    return {group: found for group, found in kept.items() if found.good_until_ns >= now_ns}


def _moved(fair_ppm: int, fit: GroupFitted, contract: Contract) -> int | None:
    """Give a fair value moved as a fit moved it; a market without its strike is in no fit."""
    moved = fair_ppm + fit.moved_ppm.get(contract.ticker, 0)
    return min(max(moved, 0), PPM) if contract.is_struck else None


def strike_order(contract: Contract) -> tuple[int, str]:
    """Give the key by which markets of an event are sorted: by strike, those without one last."""
    strike = contract.floor_e8 if contract.floor_e8 is not None else contract.cap_e8
    return (1 << 62 if strike is None else strike - (contract.floor_e8 is None), contract.ticker)


_DECODERS: dict[str, msgspec.msgpack.Decoder[msgspec.Struct]] = {
    **{
        kind.__name__: msgspec.msgpack.Decoder(kind)
        for kind in (
            *(RunStarted, RunEnded, Decided, RegimeSeen, GroupFitted, RisklessFound),
            *(Resubscribe, Watch, Unwatch, Warn),
            *(ContractListed, TermsChanged, BookLost, IndexPrinted, OffsetStepped, SpotSummed, SpotTold, StreamChanged),
        )
    },
    "BookSnapshot": msgspec.msgpack.Decoder(_Named),
    "BooksRead": msgspec.msgpack.Decoder(_Read),
}
