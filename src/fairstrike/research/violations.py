"""Cross-strike violations on the recorded books: which prices of one event were a sure gain after taker fees.

Looked for where the books of several markets were told at one instant, as polls and fresh subscriptions tell them.
A poll reads its markets one after the other, so what is found need not have stood there at one moment.
"""

from collections.abc import Sequence

import msgspec

from fairstrike.core.events import BatchEnded, BookSnapshot, Event
from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.units import CC_PER_CONTRACT
from fairstrike.engine import Engine
from fairstrike.pricing.coherence import Leg, Quoted, violations

_BOOKS_MIN = 2


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One violation: when, how long before the close, of which events, and what one contract of each leg gains."""

    at_ns: int
    closes_in_ns: int
    kind: str
    events: tuple[str, ...]
    legs: tuple[Leg, ...]
    gain_ud: int


class Violations:
    """Looks at each unit after the engine has folded it; `looked` counts the groups held against themselves."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self.found: list[Found] = []
        self.looked = 0

    def __call__(self, at_ns: int, events: Sequence[Event], engine: Engine) -> None:
        """Look at the settlement groups of which several books were told in this unit."""
        if len(events) < _BOOKS_MIN or type(events[-1]) is not BatchEnded:
            return
        told = [event.ticker for event in events if type(event) is BookSnapshot]
        if len(told) < _BOOKS_MIN:
            return
        listings = engine.catalog.listings
        groups = {listings[ticker].contract.group: ticker for ticker in told if ticker in listings}
        for group in sorted(groups):
            self._look(at_ns, engine, group, listings[groups[group]].schedule)

    def _look(self, at_ns: int, engine: Engine, group: str, schedule: FeeSchedule) -> None:
        quoted: list[Quoted] = []
        for contract in engine.catalog.rungs(group):
            book = engine.books.served(contract.ticker)
            if book is not None and contract.is_struck:
                quoted.append(Quoted(contract=contract, bid_ticks=book.bid_ticks, ask_ticks=book.ask_ticks))
        self.looked += 1
        events = {one.contract.ticker: one.contract.event_ticker for one in quoted}
        for violation in violations(quoted, lambda price: _fee_ud(schedule, price)):
            found = Found(
                at_ns=at_ns,
                closes_in_ns=quoted[0].contract.close_ns - at_ns,
                kind=violation.kind,
                events=tuple(sorted({events[leg.ticker] for leg in violation.legs})),
                legs=violation.legs,
                gain_ud=violation.gain_ud,
            )
            self.found.append(found)


def _fee_ud(schedule: FeeSchedule, price_ticks: int) -> int:
    return trade_fee_ud(schedule, price_ticks, CC_PER_CONTRACT, is_maker=False)
