"""What the desk shows, folded from the decision chain. Reads no clock; the same facts give the same state.

A strategy's result is a sum of cash flows in YES terms: a bid pays price × size, an ask receives it, both pay their
fees, and settlement pays its net contracts × value. While contracts are open the sum holds their cost, so it is also
given marked: open contracts at the middle of the best prices last seen.
"""

from collections import deque
from typing import assert_never

import msgspec

from fairstrike.app.desk.facts import Fact
from fairstrike.core.effects import CancelOrder, Halt, SendOrder, Warn
from fairstrike.core.events import SpotTold
from fairstrike.core.order import TERMINAL_STATES, OrderState, Refused, Side, Withdraw
from fairstrike.core.records import (
    Booked,
    CashSet,
    Decided,
    Ordered,
    OrderMoved,
    Row,
    RunEnded,
    RunStarted,
    Settled,
)
from fairstrike.core.regime import RegimeSeen
from fairstrike.core.units import PPM, TICKS_PER_DOLLAR

FILLS_MAX = 2_000
SETTLEMENTS_MAX = 2_000
EQUITY_MAX = 4_000
QUOTES_MAX = 500
WARNINGS_MAX = 50
_TICKS_PPM = PPM // TICKS_PER_DOLLAR


class SeenFill(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of ours, as shown."""

    instant_ns: int
    strategy: str
    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    fee_ud: int
    is_taker: bool


class SeenSettlement(msgspec.Struct, frozen=True, kw_only=True):
    """One market's settlement, as shown; `pnl_ud` is after fees."""

    instant_ns: int
    ticker: str
    value_ticks: int
    net_cc: int
    payout_ud: int
    pnl_ud: int
    is_derived: bool


class OpenPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Open contracts of one market: positive is YES, negative is NO; their cost without fees."""

    net_cc: int
    cost_ud: int


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A market's best prices and fair value at its last decision; None is absent."""

    instant_ns: int
    bid_ticks: int | None
    ask_ticks: int | None
    fair_ppm: int | None

    @property
    def mark_ticks(self) -> int | None:
        """The middle of the best prices, else the fair value, else the one price there is."""
        if self.bid_ticks is not None and self.ask_ticks is not None:
            return (self.bid_ticks + self.ask_ticks) // 2
        if self.fair_ppm is not None:
            return self.fair_ppm // _TICKS_PPM
        return self.ask_ticks if self.bid_ticks is None else self.bid_ticks


class PaidMarket(msgspec.Struct, frozen=True, kw_only=True):
    """What a settled market paid, and for how many contracts of each strategy: its result may be corrected."""

    value_ticks: int
    pnl_ud: int
    shares: dict[str, int]


class StrategySum(msgspec.Struct, kw_only=True):
    """One strategy's running sums. Mutable: owned by the state."""

    cash_ud: int = 0
    fees_ud: int = 0
    fills: int = 0
    volume_cc: int = 0
    ordered: int = 0
    refused: int = 0


class DeskState:
    """Everything the desk shows of the newest run. Histories are bounded; equity is thinned, not cut."""

    def __init__(self) -> None:
        """Start before the first record."""
        self.runs = 0
        self._begin(None, 0)

    def _begin(self, run: RunStarted | None, instant_ns: int) -> None:
        self.run = run
        self.n = 0
        self.started_ns = self.now_ns = instant_ns
        self.cash_ud = self.cash_start_ud = self.fees_ud = 0
        self.decisions = self.sent = self.cancels_sent = self.withdrawn = 0
        self.fills_count = self.settlements_count = self.wins = 0
        self.strategies: dict[str, StrategySum] = {}
        self.shares: dict[tuple[str, str], int] = {}
        self.paid: dict[str, PaidMarket] = {}
        self.positions: dict[str, OpenPosition] = {}
        self.working: dict[str, OrderState] = {}
        self.ends: dict[OrderState, int] = {}
        self.refusals: dict[str, int] = {}
        self.regimes: dict[str, RegimeSeen] = {}
        self.quotes: dict[str, Quote] = {}
        self.fills: deque[SeenFill] = deque(maxlen=FILLS_MAX)
        self.settlements: deque[SeenSettlement] = deque(maxlen=SETTLEMENTS_MAX)
        self.warnings: deque[tuple[int, str]] = deque(maxlen=WARNINGS_MAX)
        self.equity: list[tuple[int, int]] = []
        self.ended: RunEnded | None = None
        self.halted: str | None = None

    def fold(self, fact: Fact) -> None:
        """Take one more fact, in order."""
        self.n, self.now_ns = fact.n, max(self.now_ns, fact.instant_ns)
        match fact.body:
            case RunStarted() as body:
                self.runs += 1
                self._begin(body, fact.instant_ns)
            case CashSet(cash_ud=cash_ud, positions=held):
                self.cash_ud = cash_ud
                self.positions = {one.ticker: OpenPosition(net_cc=one.net_cc, cost_ud=one.cost_ud) for one in held}
                self.cash_start_ud = self.equity_ud
                self._note_equity(fact.instant_ns)
            case Decided(rows=rows):
                self._decided(rows, fact.instant_ns)
            case Ordered(client_order_id=key, signal=signal):
                self.strategy(signal.strategy).ordered += 1
                self.working[key] = OrderState.SENDING
            case OrderMoved():
                self._moved(fact.body)
            case Refused(signal=signal, rule=rule):
                self.strategy(signal.strategy).refused += 1
                self.refusals[rule] = self.refusals.get(rule, 0) + 1
            case Booked():
                self._booked(fact.body, fact.instant_ns)
            case Settled():
                self._settled(fact.body, fact.instant_ns)
            case RegimeSeen(asset=asset):
                self.regimes[asset] = fact.body
            case SendOrder():
                self.sent += 1
            case CancelOrder():
                self.cancels_sent += 1
            case Withdraw():
                self.withdrawn += 1
            case Warn(text=text):
                self.warnings.append((fact.instant_ns, text))
            case Halt(reason=reason):
                self.halted = reason
            case RunEnded():
                self.ended = fact.body
            case SpotTold():
                pass
            case _:
                assert_never(fact.body)

    def strategy(self, name: str) -> StrategySum:
        """Give a strategy's sums, made when new."""
        return self.strategies.setdefault(name, StrategySum())

    @property
    def open_cost_ud(self) -> int:
        """What the open contracts cost, without fees."""
        return sum(position.cost_ud for position in self.positions.values())

    @property
    def equity_ud(self) -> int:
        """Cash and the cost of what is open."""
        return self.cash_ud + self.open_cost_ud

    @property
    def pnl_ud(self) -> int:
        """Equity gained since the run's start, fees paid."""
        return self.equity_ud - self.cash_start_ud

    def marked_ud(self, name: str) -> int | None:
        """Give a strategy's result with open contracts at their marks; None when one has no price."""
        total = self.strategy(name).cash_ud
        for (owner, ticker), net_cc in self.shares.items():
            if owner != name:
                continue
            mark_ticks = self.quotes[ticker].mark_ticks if ticker in self.quotes else None
            if mark_ticks is None:
                return None
            total += net_cc * mark_ticks
        return total

    def _decided(self, rows: tuple[Row, ...], instant_ns: int) -> None:
        self.decisions += 1
        for row in rows:
            # The newest stands last, so that the oldest leaves first.
            self.quotes.pop(row.ticker, None)
            self.quotes[row.ticker] = Quote(
                instant_ns=instant_ns, bid_ticks=row.bid_ticks, ask_ticks=row.ask_ticks, fair_ppm=row.fair_ppm
            )
        while len(self.quotes) > QUOTES_MAX:
            del self.quotes[next(iter(self.quotes))]

    def _moved(self, body: OrderMoved) -> None:
        if body.state not in TERMINAL_STATES:
            self.working[body.client_order_id] = body.state
        elif self.working.pop(body.client_order_id, None) is not None:
            self.ends[body.state] = self.ends.get(body.state, 0) + 1

    def _booked(self, body: Booked, instant_ns: int) -> None:
        fill = body.fill
        self.cash_ud = body.cash_ud
        self.fees_ud += fill.fee_ud
        self.fills_count += 1
        sums = self.strategy(body.strategy)
        sums.cash_ud -= fill.side.sign * fill.price_ticks * fill.size_cc + fill.fee_ud
        sums.fees_ud += fill.fee_ud
        sums.fills += 1
        sums.volume_cc += fill.size_cc
        share = (body.strategy, fill.ticker)
        self.shares[share] = self.shares.get(share, 0) + fill.side.sign * fill.size_cc
        if not self.shares[share]:
            del self.shares[share]
        self.positions.pop(fill.ticker, None)
        if body.net_cc:
            self.positions[fill.ticker] = OpenPosition(net_cc=body.net_cc, cost_ud=body.cost_ud)
        self.fills.append(
            SeenFill(
                instant_ns=instant_ns,
                strategy=body.strategy,
                ticker=fill.ticker,
                side=fill.side,
                price_ticks=fill.price_ticks,
                size_cc=fill.size_cc,
                fee_ud=fill.fee_ud,
                is_taker=fill.is_taker,
            )
        )
        self._note_equity(instant_ns)

    def _settled(self, body: Settled, instant_ns: int) -> None:
        self.cash_ud = body.cash_ud
        before = self.paid.pop(body.ticker, None)
        if before is None:
            owners = [owner for owner, ticker in self.shares if ticker == body.ticker]
            before = PaidMarket(
                value_ticks=0, pnl_ud=0, shares={owner: self.shares.pop((owner, body.ticker)) for owner in owners}
            )
            self.settlements_count += 1
        for owner, net_cc in before.shares.items():
            self.strategy(owner).cash_ud += net_cc * (body.value_ticks - before.value_ticks)
        self.wins += (body.pnl_ud > 0) - (before.pnl_ud > 0)
        self.paid[body.ticker] = PaidMarket(value_ticks=body.value_ticks, pnl_ud=body.pnl_ud, shares=before.shares)
        if len(self.paid) > SETTLEMENTS_MAX:
            del self.paid[next(iter(self.paid))]
        self.positions.pop(body.ticker, None)
        self.quotes.pop(body.ticker, None)
        self.settlements.append(
            SeenSettlement(
                instant_ns=instant_ns,
                ticker=body.ticker,
                value_ticks=body.value_ticks,
                net_cc=body.net_cc,
                payout_ud=body.payout_ud,
                pnl_ud=body.pnl_ud,
                is_derived=body.is_derived,
            )
        )
        self._note_equity(instant_ns)

    def _note_equity(self, instant_ns: int) -> None:
        self.equity.append((instant_ns, self.equity_ud))
        if len(self.equity) > EQUITY_MAX:
            # Every second point keeps the shape; the first and the newest always stay.
            self.equity[1:-1] = self.equity[2:-1:2]
