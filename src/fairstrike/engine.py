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
from fairstrike.core import records as rec
from fairstrike.core.order import Approved, Refused, Signal, Withdraw
from fairstrike.core.timing import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from fairstrike.core.units import ppm_of_belief
from fairstrike.execution import reconcile
from fairstrike.execution.ledger import Ledger
from fairstrike.execution.orders import OrderEvent, Orders
from fairstrike.execution.reconcile import Params as ReconcileParams
from fairstrike.execution.stopping import Params as StoppingParams
from fairstrike.execution.stopping import Stopping
from fairstrike.market.books import Books
from fairstrike.market.books import Params as BooksParams
from fairstrike.market.catalog import Catalog
from fairstrike.market.index import Params as IndexParams
from fairstrike.market.view import MarketView, Scene
from fairstrike.pricing.fair import Fairs
from fairstrike.pricing.volatility import Params as VolatilityParams
from fairstrike.risk.exposure import exposure_of
from fairstrike.risk.limits import Door, Exposure
from fairstrike.risk.limits import Params as LimitsParams
from fairstrike.strategy.attention import ABSENT, Attention
from fairstrike.strategy.base import Strategy, Wish

KALSHI = "kalshi"

Entry = rec.Record | Refused | Withdraw
"""What the engine writes down besides effects."""


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which series are traded, how far ahead of their close markets are watched, and how often things are read."""

    series: tuple[str, ...] = ()
    watch_within_ns: int = 2 * HOUR_NS
    catalog_every_ns: int = 15 * SECOND_NS
    pulse_ns: int = SECOND_NS


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every room's parameters, handed to the rooms and kept nowhere else."""

    engine: Params = Params()
    books: BooksParams = BooksParams()
    index: IndexParams = IndexParams()
    volatility: VolatilityParams = VolatilityParams()
    limits: LimitsParams = LimitsParams()
    reconcile: ReconcileParams = ReconcileParams()
    stopping: StoppingParams = StoppingParams()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision gives: records in the order they came about, and the effects to hand out."""

    records: list[Entry]
    effects: list[fx.Effect]


class Engine:
    """One trader's mind. Feed it events in order of receipt; ask it to decide when `fold` says so."""

    def __init__(self, settings: Settings, strategies: Sequence[Strategy], tag: int, run_ns: int) -> None:
        """Start a run; `tag` (24 bits) and `run_ns` make its order ids."""
        self._settings = settings
        self._strategies = tuple(strategies)
        self._codes = {strategy.name: strategy.code for strategy in strategies}
        self._tag = tag
        self._attention = Attention(strategies)
        self._traded: dict[str, tuple[Strategy, ...]] = {}
        self._offsets: dict[str, int] = {}
        self._records: list[Entry] = []
        self._effects: list[fx.Effect] = []
        self._venue_ns: dict[str, int | None] = {}
        self._equity_day: tuple[int, int] = (-1, 0)
        self._stop: Stopping | None = None
        self._is_asking_cash = False
        self._is_pulsing = False
        self.is_halted = False
        self.books = Books(settings.books)
        self.catalog = Catalog()
        self.fairs = Fairs(settings.index, settings.volatility)
        self.ledger = Ledger()
        self.orders = Orders(tag, run_ns // 1_000_000, self.ledger, settings.reconcile)
        self.door = Door(settings.limits)
        self.is_open = False

    def start(self, now_ns: int) -> Outcome:
        """Give the first effects of a run: read the markets and what rests, set the timers."""
        for name in ("catalog", "orders"):
            self._on_timer(name, now_ns)
        return self._outcome()

    def fold(self, event: ev.Event) -> bool:
        """Take one event in. Gives whether this is a moment of decision."""
        match event:
            case ev.BookDelta():
                self._attention.books.add(event.ticker)
                self._venue_ns[event.ticker] = event.venue_ns
                if not self.books.delta(event):
                    self._resubscribe(event.ticker, "impossible")
                return False
            case ev.BatchEnded():
                return True
            case ev.IndexPrinted():
                self._on_print(event)
                return True
            case ev.TickerSeen():
                if not self.books.ticker(event):
                    self._attention.books.add(event.ticker)
                    self._resubscribe(event.ticker, "frozen")
                return False
            case ev.BookSnapshot():
                self._attention.books.add(event.ticker)
                self._venue_ns[event.ticker] = event.venue_ns
                self.books.snapshot(event)
                return False
            case ev.BookLost():
                self._attention.books.add(event.ticker)
                self.books.lost(event)
                if event.reason != "disconnected":
                    self._resubscribe(event.ticker, event.reason)
                return False
            case _:
                return self._fold_rest(event)

    def _fold_rest(self, event: ev.Event) -> bool:
        match event:
            case ev.OrderFilled() | ev.OrderAcked() | ev.OrderRejected() | ev.OrderDoubted() | ev.OrderReported():
                self._on_order(event)
            case ev.CancelAnswered() | ev.CancelFailed() | ev.OrdersRead():
                self._on_order(event)
            case ev.TimerFired():
                self._on_timer(event.name, event.recv_ns)
            case ev.Commanded():
                self._on_command(event)
            case ev.MarketSettled():
                self._on_settled(event)
            case ev.ContractListed():
                self._on_listed(event)
                return False
            case ev.BalanceRead():
                if not self.is_open:
                    self.ledger.open(event.balance_ud)
                    self.is_open = True
                    self._records.append(rec.CashSet(cash_ud=event.balance_ud))
                return False
            case ev.OffsetStepped():
                self._offsets[event.source] = event.offset_ns
                return False
            case ev.AskFailed():
                self._is_asking_cash = self._is_asking_cash and event.what != "balance"
                self._effects.append(fx.Warn(text=f"reading {event.what} failed: {event.reason}"))
                return False
            case ev.FrameRefused():
                self._effects.append(fx.Warn(text=f"{event.source}: a frame was refused: {event.reason}"))
                return False
            case ev.StreamChanged():
                if event.source == KALSHI and not event.is_up:
                    self._attention.books.update(self.books.shelves)
                    self.books.disconnected(event.recv_ns)
                return False
            case ev.TradePrinted():
                return False
            case ev.ComputationDone():
                pass
            case _:
                raise AssertionError(f"{type(event).__name__} is folded above")
        return True

    def decide(self, now_ns: int) -> Outcome:
        """Run fair value → strategy → risk → order over what was touched since the last decision."""
        held = self._look(now_ns)
        if self._stop is not None:
            self._go_on_stopping(now_ns)
        else:
            self._consult(now_ns)
        self._attention.clear()
        self._attention.books.update(held)
        return self._outcome()

    def offset_ns(self, source: str) -> int:
        """Give the clock offset of a source: our time − its time. The official index runs on Kalshi's clock."""
        return self._offsets.get(source, self._offsets.get(KALSHI, 0))

    def _outcome(self) -> Outcome:
        outcome = Outcome(records=self._records, effects=self._effects)
        self._records, self._effects = [], []
        return outcome

    def _look(self, now_ns: int) -> list[str]:
        """Judge touched books; give those that are crossed and held back for now."""
        held: list[str] = []
        for ticker in sorted(self._attention.books):
            verdict = self.books.judge_crossing(ticker, now_ns, self._venue_ns.get(ticker))
            if verdict == "held":
                held.append(ticker)
                continue
            if verdict == "fault":
                self._resubscribe(ticker, "crossed")
            self._attention.look(ticker, self.books.served(ticker))
        if held:
            due_ns = now_ns + self._settings.books.crossed_hold_ns + 1
            self._effects.append(fx.SetTimer(name="crossed", due_ns=due_ns))
        return held

    def _consult(self, now_ns: int) -> None:
        if not self.is_open:
            return
        scene = Scene(now_ns, partial(self._view, now_ns), self.catalog.group)
        woken: dict[str, list[str]] = {}
        bits: dict[str, int] = {}
        for ticker in sorted(self._attention.marks):
            for strategy in self._traded.get(ticker, ()):
                fired = self._attention.woken(strategy.name, strategy.wakes, ticker, now_ns)
                if fired:
                    woken.setdefault(strategy.name, []).append(ticker)
                    bits[ticker] = bits.get(ticker, 0) | fired
        if not bits:
            return
        rows = tuple(self._row(scene.market(ticker), bits[ticker]) for ticker in sorted(bits))
        self._records.append(rec.Decided(rows=rows))
        for strategy in self._strategies:
            if strategy.name in woken:
                scene.woken = tuple(woken[strategy.name])
                for wish in strategy.consider(scene):
                    self._grant(wish, scene)

    def _grant(self, wish: Wish, scene: Scene) -> None:
        """Take one wish through the door and make its effect."""
        match wish:
            case Withdraw():
                self._records.append(wish)
                self._cancel(wish.client_order_id, wish.ticker)
            case Signal():
                view = scene.market(wish.ticker)
                verdict = self.door.judge(wish, view, self._exposure(wish, scene.now_ns))
                if isinstance(verdict, Refused):
                    self._records.append(verdict)
                else:
                    self._place(verdict, scene.now_ns)
            case _:
                assert_never(wish)
        scene.forget(wish.ticker)

    def _place(self, approved: Approved, now_ns: int) -> None:
        signal = approved.signal
        shard = self.catalog.contract(signal.ticker).exchange_index
        effect = self.orders.place(approved, self._codes[signal.strategy], shard, now_ns)
        self._records.append(rec.Ordered(client_order_id=effect.client_order_id, signal=signal))
        self._records.extend(self.orders.drain())
        self._effects.append(effect)

    def _cancel(self, client_order_id: str, ticker: str) -> None:
        effect = self.orders.cancel(client_order_id, self.catalog.contract(ticker).exchange_index)
        if effect is not None:
            self._records.extend(self.orders.drain())
            self._effects.append(effect)

    def _view(self, now_ns: int, ticker: str) -> MarketView:
        listing = self.catalog.listings[ticker]
        contract = listing.contract
        reference = self.fairs.reference(contract.asset, now_ns)
        p_fair = None
        if reference is not None:
            p_fair = self.fairs.p_fair(contract, now_ns, self.offset_ns(reference.source))
        venue_now_ns = now_ns - self.offset_ns(KALSHI)
        return MarketView(
            contract=contract,
            schedule=listing.schedule,
            is_open=listing.is_open(venue_now_ns) and ticker not in self.ledger.settled,
            volume_24h_cc=listing.volume_24h_cc,
            now_ns=now_ns,
            closes_in_ns=contract.close_ns - venue_now_ns,
            book=self.books.served(ticker),
            p_fair=p_fair,
            reference=reference,
            position=self.ledger.position(ticker),
            working=self.orders.of_market(ticker),
        )

    def _row(self, view: MarketView, bits: int) -> rec.Row:
        bests = self._attention.bests.get(view.contract.ticker, ABSENT)
        fair_ppm = None if view.p_fair is None else ppm_of_belief(view.p_fair)
        return rec.Row(view.contract.ticker, bits, *bests, fair_ppm)

    def _exposure(self, signal: Signal, now_ns: int) -> Exposure:
        if self._equity_day[0] != now_ns // DAY_NS:
            self._equity_day = (now_ns // DAY_NS, self.ledger.cash_ud + self.ledger.open_cost_ud())
        capital = (self._equity_day[1], self.ledger.cash_start_ud, self.ledger.cash_ud)
        working = self.orders.all_working()
        return exposure_of(signal, self.ledger.positions, working, self.catalog.contract, capital)

    def _on_print(self, event: ev.IndexPrinted) -> None:
        if self.fairs.fold(event, self.offset_ns(event.source)):
            for ticker in self._traded:
                if self.catalog.contract(ticker).asset == event.asset:
                    self._attention.mark(ticker, rec.WAKE_INDEX)

    def _on_order(self, event: OrderEvent) -> None:
        for ticker in self.orders.fold(event):
            self._attention.mark(ticker, rec.WAKE_OWN_ORDER)
        self._records.extend(self.orders.drain())
        if isinstance(event, ev.OrdersRead):
            self._cancel_strangers(event)
        elif isinstance(event, ev.OrderDoubted):
            due_ns = event.recv_ns + self._settings.reconcile.doubt_every_ns
            self._effects.append(fx.SetTimer(name="orders", due_ns=due_ns))

    def _cancel_strangers(self, event: ev.OrdersRead) -> None:
        """Cancel orders that carry our tag and that we do not hold: a run before this one left them."""
        mine = reconcile.ours(event.orders, self._tag)
        for report in reconcile.strangers(self.orders.by_id, mine):
            self._effects.append(reconcile.cancel_of(report, self.catalog.listings))
        if self._stop is not None:
            self._stop.saw_list(event.asked_ns, len(mine))

    def _on_listed(self, event: ev.ContractListed) -> None:
        contract = event.contract
        is_new = contract.ticker not in self.catalog.listings
        self.catalog.fold(event)
        traded = tuple(strategy for strategy in self._strategies if strategy.trades(contract))
        closes_in_ns = contract.close_ns - (event.recv_ns - self.offset_ns(KALSHI))
        is_ahead = 0 < closes_in_ns <= self._settings.engine.watch_within_ns
        if traded and is_ahead and (is_new or contract.ticker not in self._traded):
            self._traded[contract.ticker] = traded
            self._effects.append(fx.Watch(tickers=(contract.ticker,)))
            if not self.is_open and not self._is_asking_cash:
                self._is_asking_cash = True
                self._effects.append(fx.Ask(what="balance", key=str(contract.exchange_index)))
            if not self._is_pulsing:
                self._on_timer("pulse", event.recv_ns)

    def _on_settled(self, event: ev.MarketSettled) -> None:
        if not event.is_paid or event.ticker not in self.catalog.listings:
            return
        net_cc = self.ledger.position(event.ticker).net_cc
        payout_ud = self.ledger.settle(event.ticker, event.value_ticks)
        if payout_ud is None:
            return
        self._records.append(
            rec.Settled(
                ticker=event.ticker,
                value_ticks=event.value_ticks,
                net_cc=net_cc,
                payout_ud=payout_ud,
                pnl_ud=self.ledger.market_pnl_ud[event.ticker],
                cash_ud=self.ledger.cash_ud,
                is_derived=event.is_derived,
            )
        )
        if self._traded.pop(event.ticker, None) is not None:
            self._effects.append(fx.Unwatch(tickers=(event.ticker,)))

    def _on_timer(self, name: str, now_ns: int) -> None:
        params = self._settings.engine
        if name == "pulse":
            for ticker in self._traded:
                self._attention.mark(ticker, 0)
            self._is_pulsing = any(self.catalog.contract(t).close_ns + MINUTE_NS > now_ns for t in self._traded)
            if self._is_pulsing:
                self._effects.append(fx.SetTimer(name=name, due_ns=now_ns + params.pulse_ns))
        elif name == "catalog":
            self._effects += [fx.Ask(what="markets", key=series) for series in params.series]
            if any(self.ledger.position(t).net_cc and self.catalog.contract(t).close_ns < now_ns for t in self._traded):
                self._effects.append(fx.Ask(what="settlements"))
            self._effects.append(fx.SetTimer(name=name, due_ns=now_ns + params.catalog_every_ns))
        elif name == "orders":
            self._effects += [fx.Ask(what="orders"), fx.Ask(what="fills")]
            every_ns = self._settings.reconcile.every_ns
            if self._stop is not None:
                every_ns = self._settings.stopping.every_ns
            elif self.orders.has_unknown():
                every_ns = self._settings.reconcile.doubt_every_ns
            self._effects.append(fx.SetTimer(name=name, due_ns=now_ns + every_ns))

    def _on_command(self, event: ev.Commanded) -> None:
        if event.command in ("pause", "resume"):
            self.door.is_paused = event.command == "pause"
        elif event.command == "cancel":
            for order in self.orders.all_working():
                self._cancel(order.client_order_id, order.ticker)
        elif event.command == "stop" and self._stop is None:
            self._stop = Stopping(self._settings.stopping, event.recv_ns, event.argument or "stop")
            self._on_timer("orders", event.recv_ns)

    def _go_on_stopping(self, now_ns: int) -> None:
        """Cancel what rests; halt when it is proved that nothing does, or when that took too long."""
        assert self._stop is not None
        for order in self.orders.all_working():
            self._cancel(order.client_order_id, order.ticker)
        working = len(self.orders.all_working())
        if self.is_halted or not (self._stop.is_given_up(now_ns) or (self._stop.is_proved and not working)):
            return
        self.is_halted = True
        ended = rec.RunEnded(
            reason=self._stop.reason, cash_ud=self.ledger.cash_ud, fees_ud=self.ledger.fees_ud, resting=working
        )
        self._records.append(ended)
        self._effects.append(fx.Halt(reason=self._stop.reason, is_clean=self._stop.is_proved and not working))

    def _resubscribe(self, ticker: str, reason: str) -> None:
        self._effects.append(fx.Resubscribe(tickers=(ticker,), reason=reason))
