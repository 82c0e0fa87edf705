"""A capture as the exchange is told it: a recorder's events in the venue's own time, with what was traded.

A capture holds frames in order of receipt. Here they become moments of venue time: what one venue millisecond told.
What the venue did not stamp (a snapshot, a lost book, a new market) happens when it was received, but not after the
next stamped moment: a first snapshot is received after changes that it precedes.

A capture of books has no trades. The ticker states a volume about once a second; what it rose by was traded since the
ticker before, so a moment is known whole only when the next ticker is: moments come in stretches, ticker to ticker.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.errors import RecordingError
from fairstrike.core.events import (
    BatchEnded,
    BookDelta,
    BookLost,
    BookSnapshot,
    ContractListed,
    Event,
    Level,
    TickerSeen,
)
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.listings import TICKER_SIDES

Unit = tuple[int, Sequence[Event]]
"""An instant of receipt and the events of it; a group of frames ends with `BatchEnded`."""

_STRETCH_NS_MAX = 2 * SECOND_NS


class KnownResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a YES contract of a recorded market paid, and the settlement value (`_e8`) where it is known."""

    value_ticks: int
    value_e8: int | None = None


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that can be played any number of times.

    `units` gives its events from the beginning, `prints` the reference price's source seconds and values (`_e8`) in
    order of seconds; `results` are by ticker. `start_ns` is a whole second not after anything in it.
    """

    name: str
    start_ns: int
    units: Callable[[], Iterator[Unit]]
    prints: Callable[[], Iterator[tuple[int, int]]]
    results: Mapping[str, KnownResult]
    asset: str = "BTC"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What happened at one instant of venue time; `events` keep their times of receipt."""

    instant_ns: int
    events: tuple[Event, ...]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Moments in order of time, and what was traded in them by market, in centicontracts."""

    moments: tuple[Moment, ...]
    traded_cc: Mapping[str, int]


class _Heard(msgspec.Struct, frozen=True, kw_only=True):
    stamp_ns: int | None
    recv_ns: int
    events: tuple[Event, ...]


class Stretches:
    """A capture's stretches, one after the other: an iterator."""

    def __init__(self, capture: Capture) -> None:
        """Read the capture as far as it is asked for, and a stretch ahead."""
        self._units = capture.units()
        self._heard: list[_Heard] = []
        self._volumes: dict[str, int] = {}
        self._last_ns = capture.start_ns

    def __iter__(self) -> Iterator[Stretch]:
        """Give the stretches; what reading `units` raises is raised here."""
        events: list[Event] = []
        for recv_ns, told in self._units:
            for event in told:
                if type(event) is BatchEnded:
                    self._heard.append(_Heard(stamp_ns=_stamp(events), recv_ns=recv_ns, events=(*events, event)))
                    events = []
                    continue
                events.append(event)
                if type(event) is TickerSeen:
                    yield from self._ended(self._traded(event))
            if self._heard and recv_ns - self._heard[0].recv_ns > _STRETCH_NS_MAX:
                yield from self._ended({})
        if events:
            self._heard.append(_Heard(stamp_ns=_stamp(events), recv_ns=events[-1].recv_ns, events=tuple(events)))
        yield from self._ended({}, is_last=True)

    def _traded(self, event: TickerSeen) -> dict[str, int]:
        before_cc = self._volumes.get(event.ticker, event.volume_cc)
        self._volumes[event.ticker] = event.volume_cc
        return {event.ticker: max(event.volume_cc - before_cc, 0) // TICKER_SIDES}

    def _ended(self, traded_cc: Mapping[str, int], *, is_last: bool = False) -> Iterator[Stretch]:
        """Give what was heard; unstamped moments at its end wait for the stamp after them, or for too long."""
        heard, kept = self._heard, len(self._heard)
        while kept and not is_last and heard[kept - 1].stamp_ns is None:
            if heard[-1].recv_ns - heard[kept - 1].recv_ns > _STRETCH_NS_MAX:
                break
            kept -= 1
        self._heard = heard[kept:]
        next_ns: int | None = None
        instants: list[int] = []
        for each in reversed(heard[:kept]):
            if each.stamp_ns is not None:
                next_ns = each.stamp_ns
                instants.append(each.stamp_ns)
            else:
                instants.append(each.recv_ns if next_ns is None else min(each.recv_ns, next_ns))
        moments: list[Moment] = []
        for each, instant_ns in zip(heard, reversed(instants), strict=False):
            self._last_ns = max(self._last_ns, instant_ns)
            moments.append(Moment(instant_ns=self._last_ns, events=each.events))
        if moments:
            yield Stretch(moments=tuple(moments), traded_cc=traded_cc)


def check(capture: Capture) -> int:
    """Read a whole capture and give its number of moments, so that nothing of it is refused while it is played.

    Raises `RecordingError` when it has no market with a strike, or a price that its market's grid lacks, and for all
    that its reading raises.
    """
    contracts: dict[str, Contract] = {}
    moments = 0
    for stretch in Stretches(capture):
        moments += len(stretch.moments)
        for moment in stretch.moments:
            for event in moment.events:
                match event:
                    case ContractListed(contract=contract) if contract.is_struck or contract.ticker not in contracts:
                        contracts[contract.ticker] = contract
                    case BookDelta() if event.delta_cc > 0:
                        _on_grid(capture, contracts, event.ticker, ((event.price_ticks, 1),))
                    case BookSnapshot():
                        _on_grid(capture, contracts, event.ticker, (*event.bids, *event.asks))
    for _ in capture.prints():
        pass
    if not contracts:
        raise RecordingError(f"{capture.name} names no market; give a capture that states markets with their strikes")
    for contract in contracts.values():
        if not contract.is_struck:
            raise RecordingError(
                f"{capture.name} states no strike of {contract.ticker[:80]}; give a capture whose watch_market lines do"
            )
    return moments


def _on_grid(capture: Capture, contracts: Mapping[str, Contract], ticker: str, levels: Sequence[Level]) -> None:
    contract = contracts.get(ticker)
    if contract is None:
        raise RecordingError(
            f"{capture.name} tells the book of {ticker[:80]} before it names that market; give a capture with its "
            "watch_market line"
        )
    for price_ticks, _ in levels:
        if not contract.is_on_grid(price_ticks):
            raise RecordingError(
                f"{capture.name} has a price of {price_ticks / 10_000:.4f} dollars in {ticker[:80]}, which is on no "
                "grid of the venue; give a copy that is not damaged"
            )


def _stamp(events: Sequence[Event]) -> int | None:
    """Give the venue's stamp of a group of frames; tickers have one of their own, which is not the group's."""
    for event in events:
        if isinstance(event, BookDelta | BookSnapshot | BookLost):
            return None if isinstance(event, BookLost) else event.venue_ns
    return None
