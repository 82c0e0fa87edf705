"""What an account has: cash, one net position per market, orders, fills, settlements, used client ids.

Collateral is full. A bid that opens YES locks price × size, an ask that opens NO locks the complement, each
with the worst taker fee; what closes a position locks nothing. Orders are held against the position in the
order in which they would match, so a lock never has to grow when a resting order fills.

Money lies on shards: an order is paid for by the money on its market's shard, and a market pays there. A
subaccount that nets gets overlapping collateral of an event's markets returned; `netting.py` says how much.
Source: the venue's description of collateral and netting (one net position, 1 dollar released per pair) and of
exchange shards (collateral is per shard).
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, collateral_ud
from fairstrike.exchange.happenings import Filled
from fairstrike.exchange.locks import Locks, held_ud
from fairstrike.exchange.matching import LiveOrder
from fairstrike.exchange.netting import Basket


class ShardMoney(msgspec.Struct, frozen=True, kw_only=True):
    """One subaccount's money on one shard; the fields are `AccountView`'s."""

    exchange_index: int
    balance_ud: int
    reserved_ud: int
    returned_ud: int

    @property
    def available_ud(self) -> int:
        """What a new order on this shard may still lock."""
        return self.balance_ud - self.reserved_ud + self.returned_ud


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One subaccount's money, in all and shard by shard.

    `balance_ud` is cash, below zero by no more than `returned_ud`, the collateral that netting gives back;
    `reserved_ud` is held by resting orders. `shards` are those that ever had money, lowest first. It opened at
    `opened_ns` with `first_ud`.
    """

    account: str
    key_id: str
    balance_ud: int
    reserved_ud: int
    subaccount: int = 0
    returned_ud: int = 0
    is_netting: bool = False
    shards: tuple[ShardMoney, ...] = ()
    opened_ns: int = 0
    first_ud: int = 0

    @property
    def available_ud(self) -> int:
        """What new orders may still lock on all shards together."""
        return self.balance_ud - self.reserved_ud + self.returned_ud

    def on(self, exchange_index: int) -> ShardMoney | None:
        """Give the money on one shard, None when there never was any."""
        return next((each for each in self.shards if each.exchange_index == exchange_index), None)


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
    """One account's payout in one market; the costs are of the contracts held at the end, without fees.

    `realised_ud` is the profit before fees of all that was traded there, the payout included.
    """

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
    realised_ud: int
    traded_cc: int
    traded_ud: int
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


class Purse(msgspec.Struct, kw_only=True):
    """The money of one subaccount on one shard, as it changes.

    `reserved` is what the orders resting in a market lock, by ticker; `returned` what netting gives back, by event.
    """

    cash_ud: int = 0
    reserved: dict[str, int] = {}
    reserved_ud: int = 0
    returned: dict[str, int] = {}
    returned_ud: int = 0

    @property
    def available_ud(self) -> int:
        """What a new order may still lock."""
        return self.cash_ud - self.reserved_ud + self.returned_ud

    def reserve(self, ticker: str, ud: int) -> None:
        """Let the orders resting in a market lock `ud`."""
        self.reserved_ud += ud - self.reserved.get(ticker, 0)
        self.reserved[ticker] = ud

    def give_back(self, event_ticker: str, ud: int) -> None:
        """Let an event's markets give back `ud` of collateral."""
        self.returned_ud += ud - self.returned.get(event_ticker, 0)
        self.returned[event_ticker] = ud


class Account:
    """One account, or one of its subaccounts: each has cash, positions and locks of its own.

    Orders, fills, settlements and used client order ids are kept once for all subaccounts of an account. A house
    account (`is_house`) is background liquidity: nothing of it is told or reserved.
    """

    def __init__(
        self,
        *,
        account_id: str,
        key_id: str,
        balance_ud: int,
        exchange_index: int = 2,
        opened_ns: int = 0,
        is_house: bool = False,
    ) -> None:
        """Open the primary account with `balance_ud` in cash on one shard and nothing else."""
        self.account_id = account_id
        self.subaccount = 0
        self.key_id = key_id
        self.first_ud = balance_ud
        self.opened_ns = opened_ns
        self.is_house = is_house
        self.is_netting = False
        self.purses = {exchange_index: Purse(cash_ud=balance_ud)}
        self.holdings: dict[str, Holding] = {}
        self.orders: dict[str, LiveOrder] = {}
        self.used_client_ids: set[str] = set()
        self.resting: dict[str, dict[str, LiveOrder]] = {}
        self._locks: dict[str, Locks] = {}
        self.fills: list[Filled] = []
        self.settlements: list[Settlement] = []

    def branch(self, subaccount: int) -> "Account":
        """Open a subaccount without cash that shares this account's records."""
        twin = Account(account_id=self.account_id, key_id=self.key_id, balance_ud=0, opened_ns=self.opened_ns)
        twin.subaccount = subaccount
        twin.purses = {exchange_index: Purse() for exchange_index in self.purses}
        twin.orders, twin.used_client_ids = self.orders, self.used_client_ids
        twin.fills, twin.settlements = self.fills, self.settlements
        return twin

    @property
    def balance_ud(self) -> int:
        """The cash on all shards."""
        return sum(purse.cash_ud for purse in self.purses.values())

    @property
    def reserved_ud(self) -> int:
        """What resting orders lock on all shards."""
        return sum(purse.reserved_ud for purse in self.purses.values())

    def purse(self, exchange_index: int) -> Purse:
        """Give the money on a shard, an empty purse when there never was any."""
        return self.purses.setdefault(exchange_index, Purse())

    def holding(self, ticker: str) -> Holding:
        """Give the position in a market, a flat one when there is none yet."""
        return self.holdings.setdefault(ticker, Holding(ticker=ticker))

    def net_cc(self, ticker: str) -> int:
        """Give the net position in a market; positive is YES."""
        holding = self.holdings.get(ticker)
        return holding.net_cc if holding else 0

    def can_afford(self, order: LiveOrder, schedule: FeeSchedule, basket: Basket | None = None) -> bool:
        """Whether the money of its shard covers all locks if `order` rested whole beside what rests already.

        An order of the same id that rests is replaced by `order`. `basket` is its event's, None without netting.
        """
        if self.is_house:
            return True
        purse = self.purses[order.exchange_index]
        locks = self._locks.get(order.ticker) or Locks()
        wanted_ud = locks.total_ud(self.net_cc(order.ticker), schedule, beside=order)
        change_ud = wanted_ud - purse.reserved.get(order.ticker, 0)
        if basket is not None:
            others = self.resting.get(order.ticker, {})
            resting = [*(each for name, each in others.items() if name != order.order_id), order]
            returned_ud = self._returned_ud(basket, schedule, {order.ticker: resting})
            change_ud -= returned_ud - purse.returned.get(basket.event_ticker, 0)
        # What locks nothing needs nothing, even when dust of fees has eaten into the locks.
        return change_ud <= 0 or change_ud <= purse.available_ud

    def note_resting(self, order: LiveOrder) -> None:
        """Remember that `order` rests."""
        self.resting.setdefault(order.ticker, {})[order.order_id] = order

    def forget_resting(self, order: LiveOrder) -> None:
        """Forget an order that no longer rests."""
        self.resting.get(order.ticker, {}).pop(order.order_id, None)

    def forget(self, ticker: str) -> None:
        """Forget a settled market in which nothing was ever told of an order."""
        self.resting.pop(ticker, None)
        self._locks.pop(ticker, None)

    def reserve_anew(
        self,
        ticker: str,
        exchange_index: int,
        schedule: FeeSchedule,
        basket: Basket | None = None,
        *,
        changed: Collection[LiveOrder] | None = None,
    ) -> None:
        """Recompute what the orders resting in a market lock and its event gives back, after anything changed.

        With `changed` it was those orders alone, and the position; with None every order is looked at again.
        """
        purse = self.purses.get(exchange_index)
        if self.is_house or purse is None:
            return
        resting = self.resting.get(ticker, {})
        if ticker not in self._locks:
            changed = None
        locks = self._locks[ticker] = Locks() if changed is None else self._locks[ticker]
        for order in resting.values() if changed is None else changed:
            locks.forget(order)
            if order.order_id in resting:
                locks.note(order, schedule)
        purse.reserve(ticker, locks.total_ud(self.net_cc(ticker), schedule))
        if basket is not None:
            purse.give_back(basket.event_ticker, self._returned_ud(basket, schedule, {}))

    def view(self) -> AccountView:
        """Give the account's money as it stands, as a value."""
        shards = tuple(
            ShardMoney(
                exchange_index=exchange_index,
                balance_ud=purse.cash_ud,
                reserved_ud=purse.reserved_ud,
                returned_ud=purse.returned_ud,
            )
            for exchange_index, purse in sorted(self.purses.items())
        )
        return AccountView(
            account=self.account_id,
            key_id=self.key_id,
            balance_ud=self.balance_ud,
            reserved_ud=self.reserved_ud,
            subaccount=self.subaccount,
            returned_ud=sum(each.returned_ud for each in shards),
            is_netting=self.is_netting,
            shards=shards,
            opened_ns=self.opened_ns,
            first_ud=self.first_ud,
        )

    def _returned_ud(self, basket: Basket, schedule: FeeSchedule, instead: Mapping[str, Sequence[LiveOrder]]) -> int:
        """Give what netting returns, with the orders `instead` of those that rest in some markets."""
        if not self.is_netting:
            return 0
        return basket.least_ud(
            {
                ticker: held_ud(
                    instead.get(ticker, tuple(self.resting.get(ticker, {}).values())), self.net_cc(ticker), schedule
                )
                for ticker in basket.tickers
                if self.net_cc(ticker)
            }
        )
