"""Our books: cash, positions, fees, results. Exact to the microdollar; equal to the venue's or wrong.

Opening YES pays the price, opening NO its complement. A fill against the position first closes it: closing YES
receives the price, closing NO the complement. Fees are those the venue charged on each fill. Settlement pays the
value per YES contract and its complement per NO contract.

A fill is booked once. The venue repeats fills: its stream after a break, its lists by the minute and, while they fail,
from the last time they were told. The ids of a market's fills are therefore kept beyond its settlement, until
`SETTLED_KEPT` markets have settled after it; from then on every fill of it counts as booked.

The venue may correct a settlement. What each strategy held is kept as long as those ids, and the difference is booked.
A value less than a cent from the booked one is no correction: the venue's list of settlements tells whole cents.
"""

from collections.abc import Sequence

import msgspec

from fairstrike.core.events import HeldPosition, OrderFilled
from fairstrike.core.order import Position
from fairstrike.core.units import TICKS_PER_CENT, TICKS_PER_DOLLAR

EARLIER = "earlier run"
"""Whose positions are that the account held when the run began."""

SETTLED_KEPT = 10_000
"""Of how many settled markets the ids of fills are kept: some fifty hourly ladders of 188 strikes."""


class StrategyResult(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy in one market: its net contracts, cash in and out in YES terms with fees, fees, fills."""

    net_cc: int = 0
    cash_ud: int = 0
    fees_ud: int = 0
    fills: int = 0


class Ledger:
    """Cash and positions, and each strategy's part in them."""

    def __init__(self) -> None:
        """Start without cash; `open` sets it."""
        self.cash_ud = 0
        self.cash_start_ud = 0
        self.equity_start_ud = 0
        self.fees_ud = 0
        self.positions: dict[str, Position] = {}
        self.settled: dict[str, int] = {}
        self.market_pnl_ud: dict[str, int] = {}
        self.results: dict[tuple[str, str], StrategyResult] = {}
        self._names: dict[str, None] = {}
        self._seen: dict[str, set[tuple[str, str]]] = {}
        self._paid_cc: dict[str, dict[str, int]] = {}
        self._settled_kept: dict[str, None] = {}

    def open(self, cash_ud: int, held: Sequence[HeldPosition] = ()) -> None:
        """Set the cash at the start of the run, and what an earlier run left the account holding."""
        self.cash_ud = self.cash_start_ud = cash_ud
        for one in held:
            self.positions[one.ticker] = Position(ticker=one.ticker, net_cc=one.net_cc, cost_ud=one.cost_ud)
            # In YES terms a NO contract is a sale: its complement was received.
            paid_ud = one.cost_ud if one.net_cc > 0 else one.cost_ud + one.net_cc * TICKS_PER_DOLLAR
            self.results[EARLIER, one.ticker] = StrategyResult(net_cc=one.net_cc, cash_ud=-paid_ud)
            self._names[EARLIER] = None
        self.equity_start_ud = cash_ud + self.open_cost_ud()

    def position(self, ticker: str) -> Position:
        """Give the position in a market; an empty one when there is none."""
        return self.positions.get(ticker) or Position(ticker=ticker)

    def shares_cc(self, ticker: str) -> dict[str, int]:
        """Give each strategy's net contracts in a market (`_cc`), zero ones left out."""
        found = ((name, self.results.get((name, ticker))) for name in self._names)
        return {name: result.net_cc for name, result in found if result is not None and result.net_cc}

    def has_seen(self, fill: OrderFilled) -> bool:
        """Whether this fill is already booked, or of a market whose ids are kept no more."""
        seen = self._seen.get(fill.ticker)
        return fill.ticker in self.settled if seen is None else (fill.trade_id, fill.order_id) in seen

    @property
    def fills_kept(self) -> int:
        """The number of ids of fills that are kept."""
        return sum(len(seen) for seen in self._seen.values())

    def fill(self, fill: OrderFilled, strategy: str) -> None:
        """Book one fill of an order of ours, once. One told after its market's settlement is settled at once."""
        assert not self.has_seen(fill), f"fill {fill.trade_id} is booked already"
        self._seen.setdefault(fill.ticker, set()).add((fill.trade_id, fill.order_id))
        before = self.position(fill.ticker)
        after, cash_ud = applied(before, fill)
        self.positions[fill.ticker] = after
        self.cash_ud += cash_ud
        self.fees_ud += fill.fee_ud
        key = (strategy, fill.ticker)
        self._names[strategy] = None
        result = self.results.get(key, StrategyResult())
        flow_ud = -fill.side.sign * fill.price_ticks * fill.size_cc
        self.results[key] = StrategyResult(
            net_cc=result.net_cc + fill.side.sign * fill.size_cc,
            cash_ud=result.cash_ud + flow_ud - fill.fee_ud,
            fees_ud=result.fees_ud + fill.fee_ud,
            fills=result.fills + 1,
        )
        if fill.ticker in self.settled:
            self._pay_out(fill.ticker, self.settled[fill.ticker])

    def settle(self, ticker: str, value_ticks: int) -> int | None:
        """Book a market's settlement, or its correction. Gives the payout in microdollars, None when booked before."""
        booked_ticks = self.settled.get(ticker)
        if booked_ticks is None:
            self.settled[ticker] = value_ticks
            self._keep_seen(ticker)
            return self._pay_out(ticker, value_ticks)
        if abs(value_ticks - booked_ticks) < TICKS_PER_CENT or ticker not in self._seen:
            return None
        self.settled[ticker] = value_ticks
        self._correct(ticker, value_ticks - booked_ticks)
        return settlement_payout_ud(self.paid_cc(ticker), value_ticks)

    def paid_cc(self, ticker: str) -> int:
        """Give the net contracts that a market was settled for, 0 before its settlement and when forgotten."""
        return sum(self._paid_cc.get(ticker, {}).values())

    def forget(self, ticker: str) -> None:
        """Forget the settlement of a market that nothing of ours was ever in; what was traded is the run's result."""
        if ticker not in self.positions:
            for kept in (self.settled, self.market_pnl_ud, self._seen, self._settled_kept):
                kept.pop(ticker, None)

    def _keep_seen(self, ticker: str) -> None:
        """Keep the ids of a settled market's fills, none being some too, and forget those of the one settled first."""
        self._seen.setdefault(ticker, set())
        self._settled_kept[ticker] = None
        if len(self._settled_kept) > SETTLED_KEPT:
            forgotten = next(iter(self._settled_kept))
            del self._settled_kept[forgotten], self._seen[forgotten]
            self._paid_cc.pop(forgotten, None)

    def _pay_out(self, ticker: str, value_ticks: int) -> int:
        position = self.position(ticker)
        payout_ud = settlement_payout_ud(position.net_cc, value_ticks)
        self.cash_ud += payout_ud
        realised_ud = position.realised_ud + payout_ud - position.cost_ud
        self.market_pnl_ud[ticker] = realised_ud - position.fees_ud
        if ticker in self.positions:
            self.positions[ticker] = msgspec.structs.replace(position, net_cc=0, cost_ud=0, realised_ud=realised_ud)
        for name in self._names:
            if (result := self.results.get((name, ticker))) is not None:
                paid_ud = result.cash_ud + result.net_cc * value_ticks
                self.results[name, ticker] = msgspec.structs.replace(result, net_cc=0, cash_ud=paid_ud)
                paid_cc = self._paid_cc.setdefault(ticker, {})
                paid_cc[name] = paid_cc.get(name, 0) + result.net_cc
        return payout_ud

    def _correct(self, ticker: str, by_ticks: int) -> None:
        # A NO contract pays the complement, so a net of them moves by the same product.
        change_ud = self.paid_cc(ticker) * by_ticks
        self.cash_ud += change_ud
        self.market_pnl_ud[ticker] += change_ud
        if (position := self.positions.get(ticker)) is not None:
            self.positions[ticker] = msgspec.structs.replace(position, realised_ud=position.realised_ud + change_ud)
        for strategy, net_cc in self._paid_cc.get(ticker, {}).items():
            result = self.results[strategy, ticker]
            corrected_ud = result.cash_ud + net_cc * by_ticks
            self.results[strategy, ticker] = msgspec.structs.replace(result, cash_ud=corrected_ud)

    def open_cost_ud(self) -> int:
        """Give what the open contracts cost."""
        return sum(position.cost_ud for position in self.positions.values())


def applied(position: Position, fill: OrderFilled) -> tuple[Position, int]:
    """Give the position after a fill and the change of cash in microdollars, fee included."""
    sign, net = fill.side.sign, position.net_cc
    closing_cc = min(fill.size_cc, max(0, -sign * net))
    opening_cc = fill.size_cc - closing_cc
    paid_ticks = fill.price_ticks if sign > 0 else TICKS_PER_DOLLAR - fill.price_ticks
    closed_cost_ud = position.cost_ud * closing_cc // abs(net) if closing_cc else 0
    proceeds_ud = closing_cc * (TICKS_PER_DOLLAR - paid_ticks)
    spent_ud = opening_cc * paid_ticks
    after = msgspec.structs.replace(
        position,
        net_cc=net + sign * fill.size_cc,
        cost_ud=position.cost_ud - closed_cost_ud + spent_ud,
        realised_ud=position.realised_ud + proceeds_ud - closed_cost_ud,
        fees_ud=position.fees_ud + fill.fee_ud,
    )
    return after, proceeds_ud - spent_ud - fill.fee_ud


def settlement_payout_ud(net_cc: int, value_ticks: int) -> int:
    """Give what a net position receives when one YES contract is worth `value_ticks`."""
    return net_cc * value_ticks if net_cc >= 0 else -net_cc * (TICKS_PER_DOLLAR - value_ticks)
