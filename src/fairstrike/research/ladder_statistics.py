"""What polled books show: markets an event, how many have two sides, how wide they are, what they add up to.

A capture is all books of one event received at one instant. Of an event whose markets part all outcomes among them
(ranges, with or without tails) exactly one pays a dollar, so the bids together are worth at most that dollar, and the
asks at least.
"""

import msgspec

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.events import BookSnapshot
from fairstrike.research.market_statistics import STRETCHES, stretch_at
from fairstrike.research.tally import Tally


class LadderPool(msgspec.Struct):
    """All that is counted of captures, in ticks and counts; `incomplete` captures lack an ask of some market."""

    captures: int = 0
    markets: Tally = msgspec.field(default_factory=Tally)
    books: int = 0
    two_sided: int = 0
    partitions: int = 0
    incomplete: int = 0
    bid_sums: Tally = msgspec.field(default_factory=Tally)
    ask_sums: Tally = msgspec.field(default_factory=Tally)
    spreads: list[Tally] = msgspec.field(default_factory=lambda: [Tally() for _ in STRETCHES])


class _Capture(msgspec.Struct):
    """One event at one instant: the best bid and ask of each market seen so far."""

    at_ns: int
    bests: dict[str, tuple[int | None, int | None]] = msgspec.field(default_factory=dict)


class Ladders:
    """Captures of one recording, put together from snapshots in order of receipt."""

    def __init__(self) -> None:
        """Start without a capture."""
        self.pool = LadderPool()
        self._contracts: dict[str, Contract] = {}
        self._open: dict[str, _Capture] = {}

    def listed(self, contract: Contract) -> None:
        """Learn a market's terms: its event, its close, and whether it is one range of a partition."""
        self._contracts[contract.ticker] = contract

    def snapshot(self, event: BookSnapshot) -> None:
        """Take one book of a capture."""
        contract = self._contracts.get(event.ticker)
        name = event.ticker.rpartition("-")[0] or event.ticker if contract is None else contract.event_ticker
        capture = self._open.get(name)
        if capture is None or capture.at_ns != event.recv_ns:
            for older in [key for key, value in self._open.items() if value.at_ns < event.recv_ns]:
                self._count(self._open.pop(older))
            capture = self._open[name] = _Capture(at_ns=event.recv_ns)
        bid, ask = max((p for p, _ in event.bids), default=None), min((p for p, _ in event.asks), default=None)
        capture.bests[event.ticker] = (bid, ask)

    def finish(self) -> LadderPool:
        """Give the pool when the recording has ended."""
        for capture in self._open.values():
            self._count(capture)
        self._open = {}
        return self.pool

    def _count(self, capture: _Capture) -> None:
        pool = self.pool
        pool.captures += 1
        pool.markets.add(len(capture.bests))
        for ticker, (bid, ask) in capture.bests.items():
            pool.books += 1
            if bid is None or ask is None:
                continue
            pool.two_sided += 1
            contract = self._contracts.get(ticker)
            number = None if contract is None else stretch_at(contract.close_ns - capture.at_ns)
            if number is not None:
                pool.spreads[number].add(ask - bid)
        if self._is_partition(capture):
            pool.partitions += 1
            asks = [ask for _, ask in capture.bests.values() if ask is not None]
            pool.bid_sums.add(sum(bid or 0 for bid, _ in capture.bests.values()))
            if len(asks) == len(capture.bests):
                pool.ask_sums.add(sum(asks))
            else:
                pool.incomplete += 1

    def _is_partition(self, capture: _Capture) -> bool:
        """Whether the markets part the outcomes: ranges are among them, and at most one tail at each end."""
        known = [self._contracts[ticker].comparison for ticker in capture.bests if ticker in self._contracts]
        tails = [kind for kind in known if kind is not Comparison.BETWEEN]
        return len(known) == len(capture.bests) and len(tails) < len(known) and len(set(tails)) == len(tails)


def merge(mine: LadderPool, theirs: LadderPool) -> None:
    """Add all that another pool counted."""
    for name in ("captures", "books", "two_sided", "partitions", "incomplete"):
        setattr(mine, name, getattr(mine, name) + getattr(theirs, name))
    for name in ("markets", "bid_sums", "ask_sums"):
        getattr(mine, name).merge(getattr(theirs, name))
    for spread, other in zip(mine.spreads, theirs.spreads, strict=True):
        spread.merge(other)
