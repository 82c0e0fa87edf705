"""Watching: which markets are looked at, by whom, and until when.

A market of a chosen timeframe is watched from `watch_within_ns` before its close, if anybody trades it, until it is
settled, or was over for `watch_after_ns` with nothing of ours in it. While any is alive, having a book or orders of
ours, there is a pulse.

As markets are listed, those that closed more than `forget_after_ns` ago are forgotten, unless they are watched or hold
something of ours. A replay lists no series of its own and forgets nothing: its report is about all of them.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from fairstrike.core.contract import Contract
from fairstrike.core.effects import SetTimer, Unwatch, Watch
from fairstrike.execution.clerk import Clerk, Notes
from fairstrike.execution.rounds import Params
from fairstrike.market.books import Books
from fairstrike.market.catalog import Catalog

_Trader = TypeVar("_Trader")


class Watching(Generic[_Trader]):
    """The watched markets; `traded` has who trades each. All instants but the pulse's are the venue's."""

    def __init__(self, params: Params, notes: Notes, catalog: Catalog, books: Books, clerk: Clerk) -> None:
        """Watch nothing yet."""
        self._params = params
        self._notes = notes
        self._catalog = catalog
        self._books = books
        self._clerk = clerk
        self.traded: dict[str, tuple[_Trader, ...]] = {}
        self.is_pulsing = False
        self._forget_due_ns = 0

    def begin(self, contract: Contract, traders: tuple[_Trader, ...], venue_ns: int) -> bool:
        """Watch a listed market when it is near its close, somebody trades it and it is new. Gives whether it is."""
        self._forget(venue_ns)
        is_near = self._params.watches(contract, contract.close_ns - venue_ns)
        if not traders or contract.ticker in self.traded or not is_near:
            return False
        self.traded[contract.ticker] = traders
        self._notes.want(Watch(tickers=(contract.ticker,)))
        return True

    def end(self, tickers: Iterable[str]) -> list[str]:
        """Watch markets no longer; give those that were watched."""
        ended = [ticker for ticker in tickers if self.traded.pop(ticker, ())]
        self._notes.want(*(Unwatch(tickers=(ticker,)) for ticker in ended))
        return ended

    def open(self, venue_ns: int) -> list[str]:
        """Give the watched markets whose orders are accepted."""
        return [ticker for ticker in self.traded if self._catalog.is_open(ticker, venue_ns)]

    def alive(self) -> list[str]:
        """Give the watched markets that have a book, or orders of ours."""
        return [t for t in self.traded if self._books.served(t) or self._clerk.orders.of_market(t)]

    def over(self, venue_ns: int) -> list[str]:
        """Give those that closed long ago and hold nothing of ours: their settlement was never told."""
        return [ticker for ticker in self.traded if self._is_over(ticker, venue_ns)]

    def pulse(self, now_ns: int) -> list[str]:
        """Give the markets that are alive, and have the next pulse come `pulse_ns` from now (our clock) if any is.

        A book that is held back comes again without a snapshot to begin the pulse anew: the pulse goes on.
        """
        alive = self.alive()
        self.is_pulsing = bool(alive) or any(map(self._books.is_kept, self.traded))
        if self.is_pulsing:
            self._notes.want(SetTimer(name="pulse", due_ns=now_ns + self._params.pulse_ns))
        return alive

    def _is_over(self, ticker: str, venue_ns: int) -> bool:
        is_past = venue_ns > self._catalog.contract(ticker).close_ns + self._params.watch_after_ns
        return is_past and not self._is_ours(ticker)

    def _is_ours(self, ticker: str) -> bool:
        return bool(self._clerk.ledger.position(ticker).net_cc or self._clerk.orders.of_market(ticker))

    def _forget(self, venue_ns: int) -> None:
        if not self._params.series or venue_ns < self._forget_due_ns:
            return
        self._forget_due_ns = venue_ns + self._params.catalog_every_ns
        for ticker in self._catalog.over(venue_ns - self._params.forget_after_ns):
            if ticker not in self.traded and not self._is_ours(ticker):
                self._catalog.forget(ticker)
                self._books.forget(ticker)
                self._clerk.ledger.forget(ticker)
