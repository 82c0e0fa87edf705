"""The hall. Every event comes in through `fold`; every wish leaves through `decide`.

`fold` changes state and notes which markets were touched. `decide` runs fair value → strategy → risk → order over
what was touched, at a moment of decision only: the end of a batch, an index print, a timer, an answer about an
order of ours, a command, a finished sum. Never at a bare delta: a match is several frames, and a book in the
middle of one is nobody's book. The engine reads no clock and does nothing itself: it gives back records for the
journal and effects for the shells.
"""

from collections.abc import Sequence
from functools import partial
from typing import assert_never

import msgspec

from fairstrike.core import effects as fx
from fairstrike.core import events as ev
from fairstrike.core.computing import Compute
from fairstrike.core.order import Refused, Signal, Withdraw
from fairstrike.core.records import WAKE_INDEX, WAKE_OWN_ORDER, Decided, GroupFitted, RisklessFound
from fairstrike.execution.clerk import Clerk, Noted, Notes, Outcome
from fairstrike.execution.orders import OrderEvent
from fairstrike.execution.rounds import Params, Rounds
from fairstrike.execution.sums import Sums
from fairstrike.execution.watching import Watching
from fairstrike.market.books import EXPECTED_LOSSES, Books
from fairstrike.market.catalog import Catalog
from fairstrike.market.ladder import two_sided
from fairstrike.market.view import MarketView
from fairstrike.pricing.fair import Fairs
from fairstrike.risk.exposure import exposure_of
from fairstrike.risk.limits import Door
from fairstrike.strategy.attention import Attention
from fairstrike.strategy.base import Strategy, Wish
from fairstrike.strategy.scene import Scene

KALSHI = "kalshi"


class Rooms(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms that state and judgement live in, built by the app; `clerk` writes to the same `notes`."""

    notes: Notes
    catalog: Catalog
    books: Books
    fairs: Fairs
    door: Door
    clerk: Clerk


class Engine:
    """One trader's mind. Feed it events in order of receipt; ask it to decide when `fold` says so."""

    def __init__(self, params: Params, rooms: Rooms, strategies: Sequence[Strategy]) -> None:
        """Join rooms and strategies; nothing happens before `start`."""
        self._codes = {strategy.name: strategy.code for strategy in strategies}
        self._offsets: dict[str, int] = {}
        self._notes = rooms.notes
        self._door = rooms.door
        self.strategies = tuple(strategies)
        self.attention = Attention(strategies)
        self.books = rooms.books
        self.catalog = rooms.catalog
        self.fairs = rooms.fairs
        self.clerk = rooms.clerk
        self.sums = Sums(rooms.notes.write)
        self.watching = Watching[Strategy](params, rooms.notes, rooms.catalog, rooms.books, rooms.clerk)
        self.rounds = Rounds(params, rooms.notes, rooms.books, rooms.clerk, self._open)

    def start(self, now_ns: int) -> Outcome:
        """Give the first effects of a run: read the markets and what rests, set the timers."""
        self.rounds.start(now_ns)
        return self._notes.take()

    def fold(self, event: ev.Event) -> bool:
        """Take one event in. Gives whether this is a moment of decision."""
        if type(event) is ev.BatchEnded:  # half of a busy stream: a case that misses costs more than this
            return True
        match event:
            case ev.BookDelta():
                self.attention.books.add(event.ticker)
                if not self.books.delta(event):
                    self._resubscribe(event.ticker, "impossible")
                return False
            case ev.IndexPrinted():
                self._on_print(event)
                return True
            case ev.TickerSeen():
                if not self.books.ticker(event):
                    self.attention.books.add(event.ticker)
                    self._resubscribe(event.ticker, "frozen")
                return False
            case ev.BookSnapshot():
                self.attention.books.add(event.ticker)
                self.books.snapshot(event)
                if not self.watching.is_pulsing:
                    self._pulse(event.recv_ns)
                return False
            case _:
                return self._fold_own(event)

    def decide(self, now_ns: int) -> Outcome:
        """Run fair value → strategy → risk → order over what was touched since the last decision."""
        held = self._look(now_ns)
        if self.clerk.is_stopping:
            self.clerk.go_on_stopping(now_ns)
        elif self.clerk.is_open:
            self._consult(now_ns)
        self.attention.clear(held)
        return self._notes.take()

    def _fold_own(self, event: ev.Event) -> bool:
        """Fold what is about us: orders, timers, commands, settlements. Gives whether to decide now."""
        match event:
            case event if isinstance(event, OrderEvent):
                for ticker in self.clerk.fold(event):
                    self.attention.mark(ticker, WAKE_OWN_ORDER)
            case ev.TimerFired(name="pulse"):
                self._pulse(event.recv_ns)
            case ev.TimerFired():
                self.attention.books.update(self.rounds.on_timer(event.name, event.recv_ns))
            case ev.Commanded():
                self._on_command(event)
            case ev.MarketSettled():
                if self.clerk.settle(event):
                    self._let_go((event.ticker,))
            case ev.BooksRead():
                self.attention.books.update(self.rounds.books_read(event))
                if not self.watching.is_pulsing:
                    self._pulse(event.recv_ns)
            case ev.ComputationDone():
                self.sums.fold(event)
            case _:
                self._fold_rest(event)
                return False
        return True

    def _fold_rest(self, event: ev.Event) -> None:
        """Fold what waits for the next moment of decision."""
        match event:
            case ev.BookLost():
                self.attention.books.add(event.ticker)
                self.books.lost(event)
                if event.reason not in EXPECTED_LOSSES:
                    self._resubscribe(event.ticker, event.reason)
            case ev.ContractListed():
                self._on_listed(event)
            case event if isinstance(event, Noted):
                self.clerk.note(event)
            case ev.OffsetStepped():
                self._offsets[event.source] = event.offset_ns
            case ev.StreamChanged() if event.source == KALSHI:
                self.attention.books.update(self.rounds.stream_changed(event))
            case ev.AskFailed():
                self.rounds.ask_failed(event)
            case ev.FrameRefused():
                self._notes.want(fx.Warn(text=f"{event.source}: a frame was refused: {event.reason}"))
            case ev.SpotTold():
                self.fairs.spot.fold(event)
                self._notes.write(event)
            case ev.TradePrinted() | ev.StreamChanged() | ev.SpotSummed():
                pass
            case _:
                raise AssertionError(f"{type(event).__name__} is folded before this")

    def _look(self, now_ns: int) -> list[str]:
        """Judge touched books; give those that are crossed and held back for now."""
        held: list[str] = []
        for ticker in sorted(self.attention.books):
            verdict = self.books.judge_crossing(ticker, now_ns)
            if verdict == "held":
                held.append(ticker)
                continue
            if verdict == "fault":
                self._resubscribe(ticker, "crossed")
            if ticker in self.watching.traded:
                self.attention.look(ticker, self.books.served(ticker))
        if dues := [due for due in map(self.books.hold_ends_ns, held) if due > now_ns]:
            self._notes.want(fx.SetTimer(name="crossed", due_ns=min(dues)))
        return held

    def _consult(self, now_ns: int) -> None:
        """Ask every strategy that is woken or answered, and write down what woke them."""
        woken, bits = self.attention.wake(self.watching.traded, now_ns)
        answers = self.sums.take(now_ns)
        if not bits and not answers:
            return
        scene = Scene(now_ns, partial(self.view, now_ns), self.catalog.rungs, self.fairs.known)
        rows = tuple(self.attention.row(scene.market(ticker), bits[ticker]) for ticker in sorted(bits))
        if rows:
            self._notes.write(Decided(rows=rows))
        for strategy in self.strategies:
            if strategy.name in woken or strategy.name in answers:
                scene.woken = tuple(woken.get(strategy.name, ()))
                scene.answers = answers.get(strategy.name, ())
                for wish in strategy.consider(scene):
                    self._grant(wish, scene)

    def _grant(self, wish: Wish, scene: Scene) -> None:
        """Take one wish through the door and make its effect; what cannot touch an order needs no door."""
        match wish:
            case Compute():
                if (effect := self.sums.ask(wish, scene.now_ns)) is not None:
                    self._notes.want(effect)
                return
            case GroupFitted() | RisklessFound():
                self._notes.write(wish)
                return
            case Withdraw():
                self._notes.write(wish)
                self.clerk.cancel(wish.client_order_id, wish.ticker)
            case Signal():
                capital = self.clerk.capital(scene.now_ns)
                working, positions = self.clerk.orders.all_working(), self.clerk.ledger.positions
                exposure = exposure_of(wish, positions, working, self.catalog.group_of, capital)
                verdict = self._door.judge(wish, scene.market(wish.ticker), exposure)
                if isinstance(verdict, Refused):
                    self._notes.write(verdict)
                else:
                    self.clerk.place(verdict, self._codes[wish.strategy], scene.now_ns)
            case _:
                assert_never(wish)
        scene.forget(wish.ticker)

    def view(self, now_ns: int, ticker: str) -> MarketView:
        """Give what is known of a market at an instant (our clock)."""
        listing = self.catalog.listings[ticker]
        contract = listing.contract
        reference = self.fairs.reference(contract.asset, now_ns)
        offset_ns = 0 if reference is None else reference.offset_ns
        rungs = partial(two_sided, self.catalog, self.books, contract)
        venue_now_ns = now_ns - self._offset_ns(KALSHI)
        return MarketView(
            contract=contract,
            schedule=listing.schedule,
            is_open=self.catalog.is_open(ticker, venue_now_ns) and ticker not in self.clerk.ledger.settled,
            volume_24h_cc=listing.volume_24h_cc,
            now_ns=now_ns,
            closes_in_ns=contract.close_ns - venue_now_ns,
            book=self.books.shown(ticker, self.clerk.orders.of_market),
            p_fair=self.fairs.p_fair(contract, now_ns, offset_ns, rungs),
            reference=reference,
            position=self.clerk.ledger.position(ticker),
            working=self.clerk.orders.of_market(ticker),
            shares=self.clerk.ledger.shares_cc(ticker),
            is_polled=self.books.is_polled(ticker),
            regime=self.fairs.regimes.get(contract.asset),
        )

    def _on_print(self, event: ev.IndexPrinted) -> None:
        if self.fairs.fold(event, self._offset_ns(event.source)):
            self.clerk.heed(self.fairs.regimes.get(event.asset))
            for ticker in self.watching.alive():
                if self.catalog.contract(ticker).asset == event.asset:
                    self.attention.mark(ticker, WAKE_INDEX)

    def _on_listed(self, event: ev.ContractListed) -> None:
        contract = event.contract
        self.catalog.fold(event)
        self._notes.audit(self.fairs.audit(event))
        self.clerk.want_cash(contract.exchange_index)
        traded = tuple(strategy for strategy in self.strategies if strategy.trades(contract))
        if self.watching.begin(contract, traded, event.recv_ns - self._offset_ns(KALSHI)):
            self.attention.books.add(contract.ticker)

    def _pulse(self, now_ns: int) -> None:
        """Have what every market is woken for by time alone looked at."""
        self._let_go(self.watching.over(now_ns - self._offset_ns(KALSHI)))
        for ticker in (alive := self.watching.pulse(now_ns)):
            self.attention.mark(ticker, 0)
        self._notes.want(*self.fairs.proxies(map(self.catalog.contract, alive), now_ns, self._offset_ns(KALSHI)))

    def _let_go(self, tickers: Sequence[str]) -> None:
        """Watch markets no longer."""
        for ticker in self.watching.end(tickers):
            self.attention.forget(ticker)

    def _open(self, now_ns: int) -> list[str]:
        return self.watching.open(now_ns - self._offset_ns(KALSHI))

    def _on_command(self, event: ev.Commanded) -> None:
        match event.command:
            case "pause" | "resume":
                self._door.is_paused = event.command == "pause"
            case "cancel":
                self.clerk.cancel_all()
            case "stop":
                self.clerk.stop(event.argument or "stop", event.recv_ns)
            case unknown:
                self._notes.want(fx.Warn(text=f"there is no command {unknown!r}"))

    def _offset_ns(self, source: str) -> int:
        """Give the clock offset of a source, our time − its time. The official index runs on Kalshi's clock."""
        return self._offsets.get(source, self._offsets.get(KALSHI, 0))

    def _resubscribe(self, ticker: str, reason: str) -> None:
        self._notes.want(fx.Resubscribe(tickers=(ticker,), reason=reason))
