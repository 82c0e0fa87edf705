"""What an account has: cash, one net position per market, orders, fills, settlements, used client ids.

Collateral is full. A bid that opens YES locks price × size, an ask that opens NO locks the complement, each
with the worst taker fee; what closes a position locks nothing. Orders are held against the position in the
order in which they would match, so a lock never has to grow when a resting order fills.
Source: the venue's description of collateral and netting (one net position, 1 dollar released per pair).
"""

from collections.abc import Iterable

import msgspec

from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.order import Side, collateral_ud
from fairstrike.exchange.happenings import Filled
from fairstrike.exchange.matching import LiveOrder


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One subaccount's money. `balance_ud` is cash; `reserved_ud` of it is held by resting orders."""

    account: str
    key_id: str
    balance_ud: int
    reserved_ud: int
    subaccount: int = 0

    @property
    def available_ud(self) -> int:
        """What a new order may still lock."""
        return self.balance_ud - self.reserved_ud


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """One account's net position in one market: positive is YES, negative is NO.

    `cost_ud` is what the open contracts cost without fees, `traded_ud` the cost of all contracts ever filled.
    """

    ticker: str
    net_cc: int
    cost_ud: int
    realised_ud: int
    fees_ud: int
    traded_cc: int
    traded_ud: int
    updated_ns: int


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """One account's payout in one market; the costs are of the contracts held at the end, without fees."""

    instant_ns: int
    ticker: str
    event_ticker: str
    exchange_index: int
    value_ticks: int
    yes_cc: int
    yes_cost_ud: int
    no_cc: int
    no_cost_ud: int
    fees_ud: int
    revenue_ud: int
    subaccount: int = 0


class Holding(msgspec.Struct, kw_only=True):
    """A net position as it changes; the fields are `PositionView`'s."""

    ticker: str
    net_cc: int = 0
    cost_ud: int = 0
    realised_ud: int = 0
    fees_ud: int = 0
    traded_cc: int = 0
    traded_ud: int = 0
    updated_ns: int = 0

    def apply(self, side: Side, price_ticks: int, size_cc: int) -> int:
        """Book a fill and give its change of cash before fees: closing first, then opening.

        Closing YES at price p receives p; closing NO by a bid at p receives 1 − p (a dollar per pair less p).
        """
        held_cc = abs(self.net_cc)
        closing_cc = min(size_cc, held_cc) if self.net_cc * side.sign < 0 else 0
        released_ud = self.cost_ud * closing_cc // held_cc if closing_cc else 0
        proceeds_ud = collateral_ud(side.opposite, price_ticks, closing_cc)
        paid_ud = collateral_ud(side, price_ticks, size_cc - closing_cc)
        self.net_cc += side.sign * size_cc
        self.cost_ud += paid_ud - released_ud
        self.realised_ud += proceeds_ud - released_ud
        self.traded_cc += size_cc
        self.traded_ud += collateral_ud(side, price_ticks, size_cc)
        return proceeds_ud - paid_ud

    def view(self) -> PositionView:
        """Give the position as it stands, as a value."""
        return PositionView(
            ticker=self.ticker,
            net_cc=self.net_cc,
            cost_ud=self.cost_ud,
            realised_ud=self.realised_ud,
            fees_ud=self.fees_ud,
            traded_cc=self.traded_cc,
            traded_ud=self.traded_ud,
            updated_ns=self.updated_ns,
        )


class Account:
    """One account, or one of its subaccounts: each has cash, positions and locks of its own.

    Orders, fills, settlements and used client order ids are kept once for all subaccounts of an account. A house
    account (`is_house`) is background liquidity: nothing of it is told or reserved.
    """

    def __init__(self, *, account_id: str, key_id: str, balance_ud: int, is_house: bool = False) -> None:
        """Open the primary account with `balance_ud` in cash and nothing else."""
        self.account_id = account_id
        self.subaccount = 0
        self.key_id = key_id
        self.balance_ud = balance_ud
        self.is_house = is_house
        self.holdings: dict[str, Holding] = {}
        self.orders: dict[str, LiveOrder] = {}
        self.used_client_ids: set[str] = set()
        self.resting: dict[str, dict[str, LiveOrder]] = {}
        self.reserved: dict[str, int] = {}
        self.reserved_ud = 0
        self.fills: list[Filled] = []
        self.settlements: list[Settlement] = []

    def branch(self, subaccount: int) -> "Account":
        """Open a subaccount without cash that shares this account's records."""
        twin = Account(account_id=self.account_id, key_id=self.key_id, balance_ud=0)
        twin.subaccount = subaccount
        twin.orders, twin.used_client_ids = self.orders, self.used_client_ids
        twin.fills, twin.settlements = self.fills, self.settlements
        return twin

    def holding(self, ticker: str) -> Holding:
        """Give the position in a market, a flat one when there is none yet."""
        return self.holdings.setdefault(ticker, Holding(ticker=ticker))

    def net_cc(self, ticker: str) -> int:
        """Give the net position in a market; positive is YES."""
        holding = self.holdings.get(ticker)
        return holding.net_cc if holding else 0

    def can_afford(self, order: LiveOrder, schedule: FeeSchedule) -> bool:
        """Whether cash covers all locks if `order` rested whole beside what rests already.

        An order of the same id that rests is replaced by `order`.
        """
        if self.is_house:
            return True
        others = self.resting.get(order.ticker, {})
        resting = [*(each for name, each in others.items() if name != order.order_id), order]
        wanted_ud = locked_ud(resting, self.net_cc(order.ticker), schedule)
        others_ud = self.reserved_ud - self.reserved.get(order.ticker, 0)
        # What locks nothing needs nothing, even when dust of fees has eaten into the locks.
        return wanted_ud <= self.reserved.get(order.ticker, 0) or others_ud + wanted_ud <= self.balance_ud

    def note_resting(self, order: LiveOrder) -> None:
        """Remember that `order` rests."""
        self.resting.setdefault(order.ticker, {})[order.order_id] = order

    def forget_resting(self, order: LiveOrder) -> None:
        """Forget an order that no longer rests."""
        self.resting.get(order.ticker, {}).pop(order.order_id, None)

    def reserve_anew(self, ticker: str, schedule: FeeSchedule) -> None:
        """Recompute what the orders resting in a market lock, after anything in it changed."""
        if self.is_house:
            return
        ud = locked_ud(self.resting.get(ticker, {}).values(), self.net_cc(ticker), schedule)
        self.reserved_ud += ud - self.reserved.get(ticker, 0)
        self.reserved[ticker] = ud

    def view(self) -> AccountView:
        """Give the account's money as it stands, as a value."""
        return AccountView(
            account=self.account_id,
            key_id=self.key_id,
            balance_ud=self.balance_ud,
            reserved_ud=self.reserved_ud,
            subaccount=self.subaccount,
        )


def locked_ud(orders: Iterable[LiveOrder], net_cc: int, schedule: FeeSchedule) -> int:
    """Give the microdollars that `orders`, all of one market and account, lock beside a net position.

    The best-priced orders, which match first, close the position; the rest opens and locks in full.
    """
    closable_cc = {Side.BID: max(-net_cc, 0), Side.ASK: max(net_cc, 0)}
    total_ud = 0
    for order in sorted(orders, key=lambda order: -order.side.sign * order.price_ticks):
        closing_cc = min(order.open_cc, closable_cc[order.side])
        closable_cc[order.side] -= closing_cc
        opening_cc = order.open_cc - closing_cc
        if opening_cc:
            total_ud += collateral_ud(order.side, order.price_ticks, opening_cc)
            total_ud += worst_fee_ud(schedule, order.price_ticks, opening_cc)
    return total_ud


def worst_fee_ud(schedule: FeeSchedule, price_ticks: int, size_cc: int) -> int:
    """Give the taker fee of an order filled whole at its limit, with room for the rounding of its fills.

    The room covers the rounding accumulator on whole-cent prices. What it does not cover is dust: a
    microdollar a fill, or up to one step a fill of hundredths of a contract at sub-cent prices.
    """
    room_ud = 2 * (schedule.precision_ud - 1)
    return trade_fee_ud(schedule, price_ticks, size_cc, is_maker=False) + room_ud
