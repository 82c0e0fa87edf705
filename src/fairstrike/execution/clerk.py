"""Our orders and our money in one hand: places, cancels, books, settles, reconciles and stops.

The engine tells the clerk what happened and what was approved. The clerk keeps orders and ledger, and puts down, in
the order they came about, the records for the journal and the effects for the shells.
"""

import msgspec

from fairstrike.core.effects import Ask, Effect, Halt, SetTimer, Warn
from fairstrike.core.events import (
    BalanceRead,
    CancelAnswered,
    ListRead,
    MarketPaused,
    MarketSettled,
    OrderDoubted,
    OrderRejected,
    OrdersRead,
    PositionsRead,
    SpotTold,
    StreamChanged,
    TermsChanged,
    TermsDoubted,
    TradingRead,
)
from fairstrike.core.order import Approved, Intent, Refused, Withdraw
from fairstrike.core.records import CloseAudited, Ordered, Record, RunEnded, Settled
from fairstrike.core.regime import RegimeSeen
from fairstrike.core.timing import DAY_NS, MINUTE_NS, SECOND_NS
from fairstrike.execution import reconcile
from fairstrike.execution.ledger import Ledger
from fairstrike.execution.opening import Opening
from fairstrike.execution.orders import OrderEvent, Orders
from fairstrike.execution.stopping import Params as StoppingParams
from fairstrike.execution.stopping import Stopping
from fairstrike.market.catalog import Catalog

Entry = Record | Refused | Withdraw | SpotTold
"""What is written down besides effects."""

Noted = BalanceRead | PositionsRead | ListRead | MarketPaused | TermsChanged | TermsDoubted | TradingRead
"""What a clerk takes in besides answers about orders."""

_PAUSES = ("exchange_is_paused", "trading_is_paused")
_OVERLAP_NS = 2 * MINUTE_NS
_NEVER_NS = 1 << 62


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision gives: records in the order they came about, and the effects to hand out."""

    records: list[Entry]
    effects: list[Effect]


class Notes:
    """Records and effects as they come about, until they are taken."""

    __slots__ = ("_effects", "_records")

    def __init__(self) -> None:
        """Start empty."""
        self._records: list[Entry] = []
        self._effects: list[Effect] = []

    def write(self, *records: Entry) -> None:
        """Put down records."""
        self._records.extend(records)

    def want(self, *effects: Effect) -> None:
        """Put down effects."""
        self._effects.extend(effects)

    def audit(self, found: CloseAudited | None) -> None:
        """Put down a close's audit, if there is one, and warn when it complains."""
        if found is not None:
            self.write(found)
            if found.complaint:
                self.want(Warn(text=found.complaint))

    def take(self) -> Outcome:
        """Give what was put down, once."""
        outcome = Outcome(records=self._records, effects=self._effects)
        self._records, self._effects = [], []
        return outcome


class Clerk:
    """Keeps the orders and the ledger of one run. `tag` and `run_ns` go into every order id.

    Without an account, as when only observing, nothing is read of one, and a stop has nothing to prove.
    """

    def __init__(
        self,
        catalog: Catalog,
        notes: Notes,
        identity: tuple[int, int],
        params: tuple[reconcile.Params, StoppingParams],
        *,
        has_account: bool = True,
    ) -> None:
        """Take the markets, where to put things down, (tag, run_ns), and the parameters of both duties."""
        self._catalog = catalog
        self._notes = notes
        self._tag, run_ns = identity
        self._reconcile, self._stopping = params
        self._fills_since_ns = run_ns
        self._under_way: set[str] = set()
        self._opening = Opening()
        self._equity_day: tuple[int, int] = (-1, 0)
        self._stop: Stopping | None = None
        self._listed_ns: dict[str, int] = {}
        self._lists_due_ns = _NEVER_NS
        self._shard: int | None = None
        self._regimes: dict[str, RegimeSeen] = {}
        self._is_account_clear = self._is_asking_account = self._was_down = False
        self.has_account = has_account
        self.is_open = not has_account
        self.is_halted = False
        self.ledger = Ledger()
        self.orders = Orders(self._tag, run_ns // 1_000_000, self.ledger, self._reconcile)

    @property
    def is_stopping(self) -> bool:
        """Whether a stop has begun: nothing new may be wanted."""
        return self._stop is not None

    def want_cash(self, shard: int) -> None:
        """Ask for the account's cash on a shard, once, and not before nothing of an earlier run rests there."""
        self._shard = shard
        self._want_account()

    def ask_failed(self, what: str) -> None:
        """Note that a read came to nothing: it is asked again, and nothing it would have told is skipped."""
        self._under_way.discard(what)
        if what in ("balance", "positions"):
            self._is_asking_account = False

    def note(self, event: Noted) -> None:
        """Take in a read of the account, which opens the ledger once, and what is told of markets and shards."""
        match event:
            case MarketPaused():
                self._catalog.pause(event)
            case TermsChanged():
                self._catalog.change(event)
            case TermsDoubted() if text := self._catalog.doubt(event):
                self._notes.want(Warn(text=text))
            case TradingRead():
                self._under_way.discard("trading")
                self._catalog.shut_shards = event.shut_shards
            case ListRead():
                self._read(event)
            case PositionsRead() if not self.is_open:
                self._take_positions(event)
            case BalanceRead() if not self.is_open:
                self._opening.saw_cash(event.balance_ud)
                self._notes.want(SetTimer(name="account", due_ns=event.recv_ns + self._reconcile.lag_ns))
            case _:
                pass

    def on_timer(self, name: str, now_ns: int) -> None:
        """Go on with what a timer was set for; those of others are left to them."""
        if name == "orders":
            self.ask_lists(now_ns)
        elif name == "account":
            self._ask_account()

    def fold(self, event: OrderEvent) -> list[str]:
        """Take an answer about our orders in. Gives the tickers it concerned."""
        touched = self.orders.fold(event)
        self._notes.write(*self.orders.drain())
        if isinstance(event, OrderRejected) and event.code in _PAUSES:
            self._ask_trading()
        elif isinstance(event, OrdersRead):
            self._cancel_strangers(event)
        elif isinstance(event, OrderDoubted | CancelAnswered) and self.orders.has_unknown():
            self._want_lists(event.recv_ns + self._reconcile.doubt_every_ns)
        return touched

    def place(self, approved: Approved, code: int, now_ns: int) -> None:
        """Turn an approved signal into an order on its way."""
        shard = self._catalog.contract(approved.signal.ticker).exchange_index
        effect = self.orders.place(approved, code, shard, now_ns)
        self._notes.write(Ordered(client_order_id=effect.client_order_id, signal=approved.signal))
        self._notes.write(*self.orders.drain())
        self._notes.want(effect)

    def cancel(self, client_order_id: str, ticker: str) -> None:
        """Ask for an order to be cancelled, if it rests."""
        effect = self.orders.cancel(client_order_id, self._catalog.contract(ticker).exchange_index)
        if effect is not None:
            self._notes.write(*self.orders.drain())
            self._notes.want(effect)

    def cancel_all(self) -> None:
        """Ask for every resting order to be cancelled."""
        for order in self.orders.all_working():
            self.cancel(order.client_order_id, order.ticker)

    def heed(self, seen: RegimeSeen | None) -> None:
        """Write down a regime that is new. A spiky one cancels what rests in its asset's markets.

        Exits that begin to rest later stay; an opening order that was under way goes at a print after its answer.
        """
        if seen is None:
            return
        is_new = self._regimes.get(seen.asset) != seen
        if is_new:
            self._regimes[seen.asset] = seen
            self._notes.write(seen)
        if seen.is_spiky:
            for order in self.orders.all_working():
                is_of_asset = self._catalog.contract(order.ticker).asset == seen.asset
                if is_of_asset and (is_new or order.intent is Intent.OPEN):
                    self.cancel(order.client_order_id, order.ticker)

    def settle(self, event: MarketSettled) -> bool:
        """Book a market's settlement, or its correction. Gives whether there was anything new, and paid."""
        known = (self._catalog.listings, self.ledger.settled, self.ledger.positions)
        if not event.is_paid or not any(event.ticker in each for each in known):
            return False
        payout_ud = self.ledger.settle(event.ticker, event.value_ticks)
        if payout_ud is None:
            return False
        self._notes.write(
            Settled(
                ticker=event.ticker,
                value_ticks=event.value_ticks,
                net_cc=self.ledger.paid_cc(event.ticker),
                payout_ud=payout_ud,
                pnl_ud=self.ledger.market_pnl_ud[event.ticker],
                cash_ud=self.ledger.cash_ud,
                is_derived=event.is_derived,
            )
        )
        return True

    def capital(self, now_ns: int) -> tuple[int, int, int]:
        """Give the equity at the day's start (UTC), the cash at the run's start, and the cash now."""
        ledger = self.ledger
        if self._equity_day[0] != now_ns // DAY_NS:
            self._equity_day = (now_ns // DAY_NS, ledger.cash_ud + ledger.open_cost_ud())
        return self._equity_day[1], ledger.cash_start_ud, ledger.cash_ud

    def ask_lists(self, now_ns: int) -> None:
        """Ask for resting orders and new fills, and set the timer that does so again.

        While an order's fate is unknown the ended orders are asked for too: they tell the venue's id of an order
        whose answer never came, and with it whose fills are whose.
        """
        if not self.has_account:
            return
        since = str((self._fills_since_ns - _OVERLAP_NS) // SECOND_NS)
        self._notes.want(Ask(what="orders"))
        for what in ("fills", "order_states") if self.orders.has_unknown() else ("fills",):
            if what not in self._under_way:
                self._under_way.add(what)
                self._notes.want(Ask(what=what, key=since))
        every_ns = self._reconcile.every_ns
        if self._stop is not None:
            every_ns = self._stopping.every_ns
        elif self.orders.has_unknown():
            every_ns = self._reconcile.doubt_every_ns
        self._lists_due_ns = _NEVER_NS
        self._want_lists(now_ns + every_ns)

    def ask_outstanding(self, now_ns: int) -> None:
        """Ask for settlements while a market we hold is past its close, and for the shards while one is shut."""
        held = {ticker for ticker, position in self.ledger.positions.items() if position.net_cc}
        known = (self._catalog.listings.get(ticker) for ticker in held)
        if any(listing is None or listing.contract.close_ns < now_ns for listing in known):
            self._notes.want(Ask(what="settlements"))
        if self._catalog.shut_shards:
            self._ask_trading()

    def stream_changed(self, event: StreamChanged) -> None:
        """Ask for the lists when a broken stream is back: fills and corrections may have been missed in the break."""
        if event.is_up and self._was_down:
            self.ask_lists(event.recv_ns)
            if self.ledger.settled:
                self._notes.want(Ask(what="settlements"))
        self._was_down = not event.is_up

    def stop(self, reason: str, now_ns: int) -> None:
        """Begin to stop: cancel everything and prove that nothing rests."""
        if self._stop is None:
            self._stop = Stopping(self._stopping, now_ns, reason)
            self.ask_lists(now_ns)

    def go_on_stopping(self, now_ns: int) -> None:
        """Cancel what rests; halt when it is proved that nothing does, or when that took too long."""
        assert self._stop is not None
        self.cancel_all()
        resting = len(self.orders.all_working())
        is_proved = not self.has_account or (self._stop.is_proved and not resting)
        if self.is_halted or not (is_proved or self._stop.is_given_up(now_ns)):
            return
        self.is_halted = True
        ledger = self.ledger
        self._notes.write(
            RunEnded(reason=self._stop.reason, cash_ud=ledger.cash_ud, fees_ud=ledger.fees_ud, resting=resting)
        )
        self._notes.want(Halt(reason=self._stop.reason, is_clean=is_proved))

    def _read(self, event: ListRead) -> None:
        self._under_way.discard(event.what)
        self.orders.read(event.what, event.asked_ns)
        if event.what == "fills":
            self._fills_since_ns = max(self._fills_since_ns, event.asked_ns)
            if self._stop is not None:
                self._stop.saw_fills(event.asked_ns)

    def _cancel_strangers(self, event: OrdersRead) -> None:
        """Cancel what must not rest: left by a run before this one, or ended for us and still listed after the lag.

        A list that trails may show an order that was just cancelled; only one that stays listed is acted on.
        """
        mine = reconcile.ours(event.orders, self._tag)
        found = reconcile.strangers(self.orders.by_id, mine)
        keys = {report.client_order_id for report in found}
        self._listed_ns = {key: first_ns for key, first_ns in self._listed_ns.items() if key in keys}
        for report in found:
            first_ns = self._listed_ns.setdefault(report.client_order_id, event.asked_ns)
            self._want_lists(event.recv_ns + self._reconcile.doubt_every_ns)
            if report.client_order_id in self.orders.by_id and event.asked_ns - first_ns < self._reconcile.lag_ns:
                continue
            self._notes.want(
                Warn(text=f"an order that should not rest in {report.ticker} is cancelled"),
                reconcile.cancel_of(report, self._catalog.listings),
            )
        self._is_account_clear = self._is_account_clear or not mine
        self._want_account()
        if self._stop is not None:
            self._stop.saw_list(event.asked_ns, len(mine))

    def _want_lists(self, due_ns: int) -> None:
        """Have the lists asked for at `due_ns`, unless that happens sooner anyway: nothing may put them off."""
        if due_ns < self._lists_due_ns:
            self._lists_due_ns = due_ns
            self._notes.want(SetTimer(name="orders", due_ns=due_ns))

    def _want_account(self) -> None:
        """Resting orders hold cash back, so an earlier run's must be gone before the balance is what we have."""
        if self._shard is not None and self._is_account_clear and not (self.is_open or self._is_asking_account):
            self._is_asking_account = True
            self._ask_account()

    def _ask_trading(self) -> None:
        """Ask which shards are shut: when an order was refused for it, and again and again until none is."""
        if "trading" not in self._under_way:
            self._under_way.add("trading")
            self._notes.want(Ask(what="trading"))

    def _ask_account(self) -> None:
        what = self._opening.wants
        self._notes.want(Ask(what=what, key=str(self._shard) if what == "balance" else ""))

    def _take_positions(self, event: PositionsRead) -> None:
        """Open the ledger when these positions belong to the cash that was read before them; else read on."""
        is_second = self._opening.has_cash
        found = self._opening.saw_positions(event.positions, self.ledger.settled)
        if found is None:
            if is_second:
                self._notes.want(Warn(text="the account changed while it was read for the start; it is read again"))
            self._notes.want(SetTimer(name="account", due_ns=event.recv_ns + self._reconcile.lag_ns))
            return
        self.is_open = True
        self.ledger.open(found.cash_ud, found.positions)
        self._notes.write(found)
        if held := len(found.positions):
            text = f"the account holds positions of an earlier run in {held} markets; they count as ours"
            self._notes.want(Warn(text=text))
