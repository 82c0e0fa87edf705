"""A recorded world: a capture of 15-minute markets supplies outside depth and trades, and clients trade within it.

Venue time is the capture's own. After each recorded venue millisecond the house's orders hold what the recording says
of the levels it spoke of (`outside.py` has the rules); clients' orders queue among them by price and time. What clients
take of the outside depth is gone until the recording next speaks of that level. Nobody outside answers a client.

- **Trades.** Recordings of books have none; the ticker's volume tells about once a second how much was traded. Cuts
  with nothing left in front of them count as trades, in order of time, up to that much; one that comes with an equal
  raise on its side in the same millisecond is an order moved. Every other cut is a cancel.
- **A crossed book** is waited out: what it says is done when it is open again. One that stays crossed is dropped.
- **A book that is lost, frozen or dropped** takes the outside depth with it until the next snapshot; so does the end of
  the recording. What a market's pause cancelled is put up again when it is over.
- **The index** is what lies beside the recording: one print a second, a proxy of the venue's own. A market pays what
  is known of its result, else what the prints say, and without all of them NO, as at the venue.

It is over when the last recorded market has settled. No chance is in it: the same capture and client acts at the same
instants give the same happenings.
"""

from collections import deque
from collections.abc import Iterator, Mapping

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.events import BatchEnded, BookDelta, BookLost, BookSnapshot, ContractListed, Event, TickerSeen
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.captured import Capture, Moment, Stretches
from fairstrike.exchange.floor import Floor, FloorParams
from fairstrike.exchange.liquidity import Plant
from fairstrike.exchange.outside import OUTSIDE, OUTSIDE_TAKER, Outside, Place
from fairstrike.market.book import Book
from fairstrike.market.books import Books
from fairstrike.market.books import Params as BooksParams

_HOUSE_BALANCE_UD = 10**18


class ReplayedParams(msgspec.Struct, frozen=True, kw_only=True):
    """What is replayed. `exchange_index` is the shard its markets are on: captures may be older than shards."""

    capture: Capture
    exchange_index: int = 2
    floor: FloorParams = FloorParams()
    books: BooksParams = BooksParams()


class _Market:
    """A recorded market: its outside depth, and what was said of levels (net, centicontracts) and not done yet."""

    def __init__(self, floor: Floor, ticker: str) -> None:
        self.outside = Outside(floor, ticker)
        self.changes: dict[Place, int] = {}
        self.is_anew = True


class ReplayedWorld:
    """A floor with recorded markets, told the time by `advance`."""

    def __init__(self, params: ReplayedParams) -> None:
        """Begin at the capture's first whole second, with no market."""
        self.params = params
        self.start_ns = self.close_ns = params.capture.start_ns
        self.plants: tuple[Plant, ...] = ()
        self.floor = Floor(params=params.floor, now_ns=self.start_ns)
        for name in (OUTSIDE, OUTSIDE_TAKER):
            self.floor.open_account(name, key_id=name, balance_ud=_HOUSE_BALANCE_UD, is_house=True)
        self._books = Books(params.books)
        self._markets: dict[str, _Market] = {}
        self._stretches = iter(Stretches(params.capture))
        self._moments: deque[Moment] = deque()
        self._traded_cc: dict[str, int] = {}
        self._prints: Iterator[tuple[int, int]] = params.capture.prints()
        self._print = next(self._prints, None)
        self._read_on()

    def advance(self, now_ns: int) -> None:
        """Let the recording play up to `now_ns`. Call it before every act of a client at that instant."""
        while (due_ns := self._due_ns()) is not None and due_ns <= now_ns:
            self.floor.advance(due_ns)
            if self._print is not None and self._print[0] * SECOND_NS <= due_ns:
                self.floor.publish_index(self.params.capture.asset, *self._print, due_ns)
                self._print = next(self._prints, None)
            else:
                moment = self._moments.popleft()
                self._play(moment)
                self._read_on()
        self.floor.advance(now_ns)

    def next_due_ns(self) -> int | None:
        """Give the next instant at which something happens unasked, None when all is over."""
        dues = (self._due_ns(), self.floor.next_due_ns())
        return min((due for due in dues if due is not None), default=None)

    def _due_ns(self) -> int | None:
        moment_ns = self._moments[0].instant_ns if self._moments else None
        if self._print is None:
            return moment_ns
        print_ns = max(self._print[0] * SECOND_NS, self.start_ns)
        return print_ns if moment_ns is None else min(print_ns, moment_ns)

    def _read_on(self) -> None:
        """Have the next moment at hand, and with a new stretch what was traded in it."""
        while not self._moments:
            stretch = next(self._stretches, None)
            if stretch is None:
                return
            self._moments.extend(stretch.moments)
            self._traded_cc = dict(stretch.traded_cc)

    # What the recording says

    def _play(self, moment: Moment) -> None:
        told: dict[str, None] = {}
        for event in moment.events:
            ticker = self._fold(event, moment.instant_ns)
            if ticker is not None:
                told[ticker] = None
            elif type(event) is BatchEnded:
                for each in told:
                    self._books.judge_crossing(each, event.recv_ns)
        for ticker in told:
            if ticker in self._markets:
                self._follow(ticker, self._markets[ticker], moment.instant_ns)

    def _fold(self, event: Event, now_ns: int) -> str | None:
        """Fold an event into the recorded books; give the market whose book it is about, if any."""
        match event:
            case BookDelta(ticker=ticker):
                self._books.delta(event)
                if ticker in self._markets:
                    place = (Side.BID if event.is_bid else Side.ASK, event.price_ticks)
                    changes = self._markets[ticker].changes
                    changes[place] = changes.get(place, 0) + event.delta_cc
            case BookSnapshot(ticker=ticker):
                self._books.snapshot(event)
                if ticker in self._markets:
                    self._markets[ticker].is_anew = True
            case BookLost(ticker=ticker):
                self._books.lost(event)
            case TickerSeen(ticker=ticker):
                self._books.ticker(event)
            case ContractListed():
                self._list(event.contract, now_ns)
                return None
            case _:
                return None
        return ticker

    def _list(self, recorded: Contract, now_ns: int) -> None:
        """List a market once its strike is known; one that is over already is left out."""
        is_over = recorded.close_ns <= now_ns
        if recorded.ticker in self._markets or not recorded.is_struck or is_over:
            return
        contract = msgspec.structs.replace(recorded, exchange_index=self.params.exchange_index)
        self.floor.list_market(contract, FeeSchedule(), 0, now_ns)
        known = self.params.capture.results.get(contract.ticker)
        if known is not None:
            self.floor.fix_result(contract.ticker, known.value_ticks, known.value_e8)
        self._markets[contract.ticker] = _Market(self.floor, contract.ticker)
        self.close_ns = max(self.close_ns, contract.close_ns)

    # What the house does about it

    def _follow(self, ticker: str, market: _Market, now_ns: int) -> None:
        """Have the outside depth hold what the recording says, if it says something that can be held."""
        view = self.floor.market(ticker)
        assert view is not None, "a followed market is listed"
        if not view.is_trading:
            market.is_anew = True
            return
        shelf = self._books.shelves.get(ticker)
        if shelf is None or shelf.book is None:
            market.outside.withdraw(now_ns)
            market.is_anew = True
            return
        book = self._books.served(ticker)
        if book is None:
            return
        stated = dict.fromkeys(market.changes)
        if market.is_anew:
            stated = dict.fromkeys((*market.outside.places(), *_places(book)))
        else:
            self._trade(ticker, market, book, now_ns)
        for place in stated:
            market.outside.cut(place, book.size_cc(*place), now_ns)
        for place in stated:
            market.outside.raise_to(place, book.size_cc(*place), now_ns)
        market.changes.clear()
        market.is_anew = False

    def _trade(self, ticker: str, market: _Market, book: Book, now_ns: int) -> None:
        """Have taken what of the changes was traded."""
        left_cc = self._traded_cc.get(ticker, 0)
        if not left_cc:
            return
        for place, size_cc in traded(market.changes, book):
            taken_cc = min(size_cc, left_cc)
            if taken_cc:
                market.outside.trade(place, taken_cc, now_ns)
            left_cc -= taken_cc
        self._traded_cc[ticker] = left_cc


def traded(changes: Mapping[Place, int], book: Book) -> list[tuple[Place, int]]:
    """Give the cuts among net changes that may be trades, best prices first, with their sizes in centicontracts.

    `book` is the recorded one after the changes.
    """
    found: list[tuple[Place, int]] = []
    for side, best in ((Side.BID, book.bid_ticks), (Side.ASK, book.ask_ticks)):
        raised = {change for (where, _), change in changes.items() if where is side and change > 0}
        cuts = [(price, -change) for (where, price), change in changes.items() if where is side and change < 0]
        for price, size_cc in sorted(cuts, key=lambda cut: -side.sign * cut[0]):
            is_in_front = best is None or price * side.sign >= best * side.sign
            if is_in_front and size_cc not in raised:
                found.append(((side, price), size_cc))
    return found


def _places(book: Book) -> list[Place]:
    bids, asks = book.levels()
    return [*((Side.BID, price) for price, _ in bids), *((Side.ASK, price) for price, _ in asks)]
