"""Hourly range ladders, polled: one line a series and capture with every strike's best prices and the spot price.

A line holds `captured_at`, `current` (the event with its `outcomes`), `spot` (Coinbase at the same moment) and
`previous_settlement` (the last hour's official results). Sizes are unknown. Captures of several recorders may stand
one after the other in a file: they are put in order of time here, so a file is read into memory, up to a bound.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from fairstrike.core.contract import Comparison, Contract, settle
from fairstrike.core.errors import ArithmeticRefusal, RecordingError
from fairstrike.core.events import BookSnapshot, ContractListed, Event, IndexPrinted, MarketSettled
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import SECOND_NS, WINDOW_SECONDS
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.research.importers import moments
from fairstrike.research.importers.base import UNREADABLE, Recording, Unit, instant_ns, price_e8
from fairstrike.store.tape import Tape
from fairstrike.venue.kalshi.wire.amounts import number_e8, number_ticks

BYTES_MAX = 512 * 1024 * 1024
_SCHEMA = b'"schema_version"'
_VALUES = {"yes": TICKS_PER_DOLLAR, "no": 0}


class Outcome(msgspec.Struct, frozen=True):
    """One strike: prices in dollars, 0 and 1 where nobody bids or offers."""

    ticker: str
    strike_type: str
    yes_bid: Decimal
    yes_ask: Decimal
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None


class Current(msgspec.Struct, frozen=True):
    """The event that was open, without tickers when there was none."""

    status: str
    event_ticker: str = ""
    open_time: str = ""
    close_time: str = ""
    outcomes: tuple[Outcome, ...] = ()


class Settlement(msgspec.Struct, frozen=True):
    """How the event before ended; without results while they are undetermined."""

    status: str
    event_ticker: str = ""
    expiration_value: str | None = None
    results: dict[str, str] = {}


class Spot(msgspec.Struct, frozen=True):
    """Coinbase at the capture, USD: the best bid and ask then, and the last trade before with its time."""

    price: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    exchange_time: str | None = None
    source: str = "coinbase"


class Line(msgspec.Struct, frozen=True):
    """One capture of one series."""

    captured_at: str
    series: str
    symbol: str
    current: Current
    schema_version: str
    spot: Spot | None = None
    previous_settlement: Settlement | None = None


_decode = msgspec.json.Decoder(Line).decode


class Ladders(Recording):
    """One file of captured ladders. `rule` counts our settlement rule against the official results."""

    kind = "an hourly-ladder recording"

    def __init__(self, path: Path) -> None:
        """Look at the first line."""
        super().__init__(path)
        self.rule = [0, 0]
        self.empty = 0
        self._terms: dict[str, Contract] = {}
        self._told: set[str] = set()

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """Whether the first line names the schema of such a capture."""
        return _SCHEMA in head and b'"crypto_hourly.v1"' in head

    def units(self) -> Iterator[Unit]:
        """Give each capture, and the end of its moment. Results come with the capture that tells them."""
        yield from moments.units(self._capture(line, at_ns, number) for at_ns, number, line in self._in_order())
        if self.rule[0]:
            self.notes.append(
                f"{self.path.name}: our settlement rule on the official value gives the official result in "
                f"{self.rule[0] - self.rule[1]:,} of {self.rule[0]:,} markets"
            )
        if self.empty:
            self.notes.append(f"{self.path.name}: {self.empty} captures found no open event")
        self.is_over = True

    def _begins_ns(self) -> int:
        self._first_line()
        return min(at_ns for at_ns, _, _ in self._lines(Tape(self.path, lambda cut: None)))

    def _in_order(self) -> Iterator[tuple[int, int, Line]]:
        raws: dict[int, bytes] = {}
        order: list[tuple[int, int]] = []
        for at_ns, number, raw in self._lines(self.tape):
            raws[number] = raw
            order.append((at_ns, number))
        for at_ns, number in sorted(order):
            yield at_ns, number, _decode(raws.pop(number))

    def _lines(self, tape: Tape) -> Iterator[tuple[int, int, bytes]]:
        """Give (instant, line number, bytes) of each line, in order of the file."""
        size = 0
        for number, raw in enumerate(tape.lines(), start=1):
            size += len(raw)
            if size > BYTES_MAX:
                raise RecordingError(f"{self.path.name} is too large to be put in order of time; split it by day")
            try:
                yield _instant_ns(_decode(raw)), number, raw
            except (*UNREADABLE, ArithmeticRefusal) as error:
                raise self._spoiled(number, error) from None

    def _capture(self, line: Line, at_ns: int, number: int) -> moments.Capture:
        events: list[Event] = []
        books: list[BookSnapshot] = []
        try:
            events += self._settled(line, at_ns)
            events += _print(line, at_ns)
            for outcome in line.current.outcomes:
                if outcome.ticker in self._told:
                    continue
                events += self._listed(line, outcome, at_ns)
                bid, ask = number_ticks(outcome.yes_bid), number_ticks(outcome.yes_ask)
                books.append(moments.top_of_book(outcome.ticker, at_ns, bid, ask))
                self.snapshots[outcome.ticker] += 1
        except ArithmeticRefusal as error:
            raise self._spoiled(number, error) from None
        self.empty += not line.current.outcomes
        return moments.Capture(at_ns=at_ns, events=events, books=books)

    def _listed(self, line: Line, outcome: Outcome, at_ns: int) -> list[Event]:
        if outcome.ticker in self._terms:
            return []
        contract = self._terms[outcome.ticker] = _contract(line, outcome)
        return [
            ContractListed(contract=contract, schedule=FeeSchedule(), status="active", volume_24h_cc=0, recv_ns=at_ns)
        ]

    def _settled(self, line: Line, at_ns: int) -> list[Event]:
        told = line.previous_settlement
        if told is None:
            return []
        events: list[Event] = []
        for ticker, result in told.results.items():
            if result not in _VALUES or ticker in self._told:
                continue
            self._told.add(ticker)
            if ticker in self._terms and at_ns < self._terms[ticker].close_ns:
                raise ArithmeticRefusal(f"the result of {ticker[:80]} is told before its close")
            events.append(MarketSettled(ticker=ticker, value_ticks=_VALUES[result], recv_ns=at_ns))
            contract = self._terms.pop(ticker, None)
            if contract is not None and contract.is_struck and told.expiration_value:
                derived = settle(contract, [price_e8(told.expiration_value)] * WINDOW_SECONDS)
                self.rule[0] += 1
                self.rule[1] += derived != _VALUES[result]
        return events


def _instant_ns(line: Line) -> int:
    """Give the instant from which a whole capture is known: the later of the ladder's and the spot's time."""
    at_ns = instant_ns(line.captured_at)
    if line.spot is None or line.spot.exchange_time is None:
        return at_ns
    return max(at_ns, instant_ns(line.spot.exchange_time))


def _print(line: Line, at_ns: int) -> list[Event]:
    """Give the middle of the quote, which stood at the capture, else the last trade, which may be old."""
    spot = line.spot
    if spot is None:
        return []
    if spot.bid is not None and spot.ask is not None:
        source_ns, value_e8 = at_ns, (number_e8(spot.bid) + number_e8(spot.ask)) // 2
    elif spot.price is not None and spot.exchange_time is not None:
        source_ns, value_e8 = instant_ns(spot.exchange_time), number_e8(spot.price)
    else:
        return []
    second = source_ns // SECOND_NS
    return [
        IndexPrinted(
            asset=line.symbol, source=spot.source, second=second, value_e8=value_e8, recv_ns=at_ns, venue_ns=source_ns
        )
    ]


def _contract(line: Line, outcome: Outcome) -> Contract:
    event = line.current
    try:
        comparison = Comparison(outcome.strike_type)
    except ValueError:
        raise ArithmeticRefusal(f"{outcome.strike_type[:40]!r} is no type of strike") from None
    floor, cap = outcome.floor_strike, outcome.cap_strike
    open_ns, close_ns = instant_ns(event.open_time), instant_ns(event.close_time)
    if open_ns >= close_ns or (floor is not None and cap is not None and floor > cap):
        raise ArithmeticRefusal(f"{outcome.ticker[:80]} closes before it opens, or its strikes are upside down")
    return Contract(
        ticker=outcome.ticker,
        event_ticker=event.event_ticker,
        series=line.series,
        asset=line.symbol,
        comparison=comparison,
        open_ns=open_ns,
        close_ns=close_ns,
        floor_e8=None if floor is None else number_e8(floor),
        cap_e8=None if cap is None else number_e8(cap),
    )
