"""The exchange's floor: markets, books and accounts under one clock that is told the time.

Every call carries `now_ns`, venue time, which never goes back; what was arranged up to then (openings,
strikes, closes, determinations, settlements, expiries) happens first, in order of (instant, arrangement).
What happened is collected for `drain`. Expected refusals are values of type `Rejection`.

An account is named by its id; its subaccounts by a number, 0 being the primary one.
"""

from collections.abc import Mapping
from functools import partial

from fairstrike.core.contract import Contract, PriceRange
from fairstrike.core.events import Level
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.exchange.accounts import AccountView, PositionView, Settlement
from fairstrike.exchange.admission import (
    NO_MONEY_THERE,
    NO_SUCH_MARKET,
    NO_SUCH_ORDER,
    NO_SUCH_SUBACCOUNT,
    Amended,
    AmendOrder,
    Placed,
    PlaceOrder,
    Reduced,
    Rejection,
)
from fairstrike.exchange.balancing import Allocation, Balancing, Reservation
from fairstrike.exchange.grouping import Grouping
from fairstrike.exchange.groups import GroupRef, GroupView
from fairstrike.exchange.happenings import Filled, Happening, IndexPublished, OrderSnapshot, ShardState, Traded
from fairstrike.exchange.listings import FIFTHS, Delays, FloorParams, IndexPrints, Listing, MarketStatus, MarketView
from fairstrike.exchange.marketlife import MarketLife
from fairstrike.exchange.members import Members, Transfer, TransferKind
from fairstrike.exchange.pit import Pit
from fairstrike.exchange.premises import Premises

__all__ = [
    "AccountView",
    "Allocation",
    "AmendOrder",
    "Amended",
    "Delays",
    "Floor",
    "FloorParams",
    "GroupRef",
    "GroupView",
    "MarketStatus",
    "MarketView",
    "PlaceOrder",
    "Placed",
    "PositionView",
    "Reduced",
    "Rejection",
    "Reservation",
    "Settlement",
    "ShardState",
    "Transfer",
    "TransferKind",
]


class Floor:
    """The whole exchange but its sockets."""

    def __init__(self, *, params: FloorParams | None = None, now_ns: int = 0) -> None:
        """Start with no markets and no accounts at venue time `now_ns`."""
        self.params = params or FloorParams()
        self._on = Premises(self.params, now_ns)
        self._pit = Pit(self._on)
        self._markets = MarketLife(self._on, self._pit)
        self._members = Members(self._on)
        self._groups = Grouping(self._on, self._pit)
        self._balancing = Balancing(self._on)

    @property
    def now_ns(self) -> int:
        """The floor's venue time."""
        return self._on.now_ns

    # Set-up

    def open_account(self, account_id: str, *, key_id: str, balance_ud: int, is_house: bool = False) -> AccountView:
        """Open an account. A house account's orders and fills stay untold and reserve nothing."""
        return self._members.open(account_id, key_id, balance_ud, is_house=is_house)

    def list_market(self, contract: Contract, schedule: FeeSchedule, volume_24h_cc: int, now_ns: int) -> None:
        """Create a market and arrange its opening, strike, close, determination and settlement."""
        self.advance(now_ns)
        self._markets.list_market(contract, schedule, volume_24h_cc)
        self.advance(now_ns)

    def fix_result(self, ticker: str, value_ticks: int, expiration_value_e8: int | None) -> None:
        """Let a listed market resolve to what is known of it beforehand, whatever the prints will say."""
        self._markets.fix_result(ticker, value_ticks, expiration_value_e8)

    # Time

    def advance(self, now_ns: int) -> None:
        """Let everything arranged up to `now_ns` happen, in order."""
        self._on.advance(now_ns)

    def next_due_ns(self) -> int | None:
        """Give the instant of the next arranged happening, None when there is none."""
        return self._on.next_due_ns()

    def drain(self) -> list[Happening]:
        """Give what happened since the last call, in order."""
        return self._on.drain()

    def publish_index(
        self, asset: str, second: int, value_e8: int, now_ns: int, *, fifths_e8: tuple[int, ...] | None = None
    ) -> None:
        """Publish the index's print of source second `second`.

        `fifths_e8` are the five values of that second, the print first; without them the print stands through it.
        """
        self.advance(now_ns)
        prints = self._on.indexes.setdefault(asset, IndexPrints())
        prints.add(second, value_e8)
        self._on.tell(
            IndexPublished(
                instant_ns=now_ns,
                asset=asset,
                second=second,
                value_e8=value_e8,
                avg_60s=prints.last_minute(second),
                quarter_hour=prints.quarter_hour(second),
                fifths_e8=fifths_e8 or (value_e8,) * FIFTHS,
            )
        )

    # Orders

    def place(self, account_id: str, wish: PlaceOrder, now_ns: int) -> Placed | Rejection:
        """Take, match and rest one order, or say why not."""
        self.advance(now_ns)
        listing = self._on.listings.get(wish.ticker)
        if listing is None or wish.exchange_index not in (None, listing.contract.exchange_index):
            return NO_SUCH_MARKET
        account = self._on.accounts.get((account_id, wish.subaccount))
        if account is None:
            return NO_SUCH_SUBACCOUNT
        if not account.is_house and listing.contract.exchange_index not in account.purses:
            return NO_MONEY_THERE
        return self._pit.place(account, listing, wish)

    def amend(
        self, account_id: str, order_id: str, wish: AmendOrder, now_ns: int, *, subaccount: int = 0
    ) -> Amended | Rejection:
        """Change a resting order; it keeps its place in the queue when its price stays and its size does not grow."""
        self.advance(now_ns)
        account = self._on.accounts.get((account_id, subaccount))
        return NO_SUCH_ORDER if account is None else self._pit.amend(account, order_id, wish)

    def cancel(self, account_id: str, order_id: str, now_ns: int, *, subaccount: int = 0) -> Reduced | Rejection:
        """Cancel a resting order; 404 when it does not rest (unknown, executed, cancelled before)."""
        self.advance(now_ns)
        account = self._on.accounts.get((account_id, subaccount))
        return NO_SUCH_ORDER if account is None else self._pit.reduce(account, order_id, None)

    def decrease(
        self, account_id: str, order_id: str, reduce_by_cc: int, now_ns: int, *, subaccount: int = 0
    ) -> Reduced | Rejection:
        """Take `reduce_by_cc` off a resting order, which keeps its place in the queue."""
        self.advance(now_ns)
        account = self._on.accounts.get((account_id, subaccount))
        return NO_SUCH_ORDER if account is None else self._pit.reduce(account, order_id, reduce_by_cc)

    def cancel_all(self, account_id: str, now_ns: int, *, subaccount: int | None = None) -> tuple[Reduced, ...]:
        """Cancel every resting order of one or all (None) subaccounts whose market and shard still allow it."""
        self.advance(now_ns)
        reach_ns = self.params.cancel_all_reach_ns
        if reach_ns:
            self._on.arrange(now_ns + reach_ns, partial(self._cancel_all, account_id, subaccount))
        return self._cancel_all(account_id, subaccount)

    def _cancel_all(self, account_id: str, subaccount: int | None) -> tuple[Reduced, ...]:
        accounts = [each for each in self._members.of(account_id) if subaccount in (None, each.subaccount)]
        orders = [order for account in accounts for resting in account.resting.values() for order in resting.values()]
        listings = self._on.listings
        active = [o for o in orders if self._is_cancelling(listings[o.ticker])]
        return self._pit.end_all(active, None)

    # Order groups

    def create_group(
        self, account_id: str, limit_cc: int, exchange_index: int, now_ns: int, *, subaccount: int = 0
    ) -> GroupView | Rejection:
        """Create an order group on a shard, with a limit of whole contracts in any fifteen seconds."""
        self.advance(now_ns)
        account = self._on.accounts.get((account_id, subaccount))
        if account is None:
            return NO_SUCH_SUBACCOUNT
        return self._groups.create(account, limit_cc, exchange_index)

    def reset_group(self, account_id: str, ref: GroupRef, now_ns: int) -> GroupView | Rejection:
        """Set a group's counter to zero and let it take orders again."""
        self.advance(now_ns)
        return self._groups.reset(account_id, ref)

    def trigger_group(self, account_id: str, ref: GroupRef, now_ns: int) -> GroupView | Rejection:
        """Cancel a group's orders and take no new ones until it is reset."""
        self.advance(now_ns)
        return self._groups.trigger(account_id, ref)

    def limit_group(self, account_id: str, ref: GroupRef, limit_cc: int, now_ns: int) -> GroupView | Rejection:
        """Change a group's limit; one that has matched that much in its window is triggered at once."""
        self.advance(now_ns)
        return self._groups.limit(account_id, ref, limit_cc)

    def delete_group(self, account_id: str, ref: GroupRef, now_ns: int) -> GroupView | Rejection:
        """Cancel a group's orders and forget it."""
        self.advance(now_ns)
        return self._groups.delete(account_id, ref)

    def groups(self, account_id: str) -> tuple[GroupView, ...]:
        """Give an account's order groups in order of creation."""
        return self._groups.of(account_id)

    # Subaccounts and shards

    def open_subaccount(self, account_id: str) -> int | Rejection:
        """Open the account's next numbered subaccount, without cash, and give its number."""
        return self._members.open_subaccount(account_id)

    def transfer(self, account_id: str, wish: Transfer) -> Transfer | Rejection:
        """Move money between subaccounts or shards at `wish.instant_ns`; a repeated transfer id moves nothing more."""
        self.advance(wish.instant_ns)
        return self._members.transfer(account_id, wish)

    def transfers(self, account_id: str, kind: TransferKind = TransferKind.SUBACCOUNTS) -> tuple[Transfer, ...]:
        """Give an account's transfers between subaccounts or between shards, oldest first."""
        return self._members.transfers(account_id, kind)

    def set_netting(self, account_id: str, subaccount: int, now_ns: int, *, is_netting: bool) -> Rejection | None:
        """Let a subaccount net across the markets of an event, or no longer; None when it is so."""
        self.advance(now_ns)
        return self._members.set_netting(account_id, subaccount, is_netting=is_netting)

    def allocate(self, account_id: str, allocation: Allocation, now_ns: int) -> None:
        """Spread an account's money over the shards from now on, or no longer with an empty allocation."""
        self.advance(now_ns)
        self._balancing.set(account_id, allocation)

    def allocation(self, account_id: str) -> Allocation:
        """Give how an account's money is spread over the shards."""
        return self._balancing.of(account_id)

    # What the exchange does to its markets

    def deactivate(self, ticker: str, now_ns: int) -> bool:
        """Pause an active market; orders that asked for it are cancelled. False when it was not active."""
        self.advance(now_ns)
        return self._markets.deactivate(ticker)

    def reactivate(self, ticker: str, now_ns: int) -> bool:
        """Open a paused market again, without whatever rested in it. False when it was not paused."""
        self.advance(now_ns)
        return self._markets.reactivate(ticker)

    def set_shard(self, exchange_index: int, state: ShardState, now_ns: int) -> None:
        """Pause or open a shard; when it stops trading, orders that asked for it are cancelled."""
        self.advance(now_ns)
        self._markets.set_shard(exchange_index, state)

    def shard_state(self, exchange_index: int) -> ShardState:
        """Give how far a shard is open."""
        return self._on.shard_state(exchange_index)

    def correct(self, ticker: str, value_ticks: int, now_ns: int) -> bool:
        """Correct what a settled market pays for a YES contract, and move the money. False before it has settled."""
        self.advance(now_ns)
        return self._markets.correct(ticker, value_ticks)

    def change_grid(self, ticker: str, grid: tuple[PriceRange, ...], now_ns: int) -> None:
        """Give a listed market another price grid; what rests stays."""
        self.advance(now_ns)
        self._markets.change_grid(ticker, grid)

    def change_fees(self, event_ticker: str, schedule: FeeSchedule, now_ns: int) -> None:
        """Give an event's markets another fee schedule, for fills from now on."""
        self.advance(now_ns)
        self._markets.change_fees(event_ticker, schedule)

    # Reads

    def market(self, ticker: str) -> MarketView | None:
        """Give one market, None when unknown."""
        listing = self._on.listings.get(ticker)
        return self._view(listing) if listing else None

    def knows(self, ticker: str) -> bool:
        """Whether a market is listed and not forgotten."""
        return ticker in self._on.listings

    def markets(self) -> tuple[MarketView, ...]:
        """Give all markets in order of listing."""
        return tuple(self._view(each) for each in self._on.listings.values())

    def levels(self, ticker: str, side: Side) -> tuple[Level, ...]:
        """Give one side of a book as (price, size), best first; empty for an unknown market."""
        listing = self._on.listings.get(ticker)
        return listing.book.levels(side) if listing else ()

    def order(self, account_id: str, order_id: str) -> OrderSnapshot | None:
        """Give one order of an account, in whichever subaccount, by the venue's id."""
        order = self._on.accounts[account_id, 0].orders.get(order_id)
        return order.snapshot() if order else None

    def open_cc(self, order_id: str) -> int:
        """Give what is still open of any account's order, 0 when it does not rest."""
        order = self._on.resting.get(order_id)
        return order.open_cc if order else 0

    def queue_cc(self, order_id: str) -> int | None:
        """Give the contracts that match before a resting order does, in centicontracts; None when it does not rest."""
        order = self._on.resting.get(order_id)
        return self._on.listings[order.ticker].book.ahead_cc(order) if order else None

    def queues_cc(self, ticker: str) -> dict[str, int]:
        """Give what `queue_cc` gives of every order that rests in a market, by order id; empty for an unknown one."""
        listing = self._on.listings.get(ticker)
        return dict(listing.book.queues_cc()) if listing else {}

    def orders(self, account_id: str) -> tuple[OrderSnapshot, ...]:
        """Give all orders an account ever placed in any subaccount, oldest first."""
        return tuple(order.snapshot() for order in self._on.accounts[account_id, 0].orders.values())

    def fills(self, account_id: str) -> tuple[Filled, ...]:
        """Give all fills of an account in any subaccount, oldest first."""
        return tuple(self._on.accounts[account_id, 0].fills)

    def trades(self, ticker: str | None = None) -> tuple[Traded, ...]:
        """Give the last trades (bounded), oldest first."""
        return tuple(trade for trade in self._on.trades if ticker is None or trade.ticker == ticker)

    def positions(self, account_id: str, subaccount: int = 0) -> tuple[PositionView, ...]:
        """Give a subaccount's unsettled positions (a flat one it traded in included) in order of first fill."""
        account = self._on.accounts.get((account_id, subaccount))
        return tuple(holding.view() for holding in account.holdings.values()) if account else ()

    def settlements(self, account_id: str) -> tuple[Settlement, ...]:
        """Give an account's settlements in any subaccount, oldest first."""
        return tuple(self._on.accounts[account_id, 0].settlements)

    def account(self, account_id: str, subaccount: int = 0) -> AccountView | None:
        """Give a subaccount's money, None when unknown."""
        account = self._on.accounts.get((account_id, subaccount))
        return account.view() if account else None

    def subaccounts(self, account_id: str) -> tuple[AccountView, ...]:
        """Give the money of all subaccounts, the primary one first."""
        return tuple(account.view() for account in self._members.of(account_id))

    def prints(self, asset: str) -> Mapping[int, int]:
        """Give the known prints of an index: source second -> value in `_e8` (the last hours only)."""
        prints = self._on.indexes.get(asset)
        return prints.by_second if prints else {}

    def total_ud(self) -> int:
        """Give all money: balances, fee income and 1 dollar per open pair. Changes only by `open_account`."""
        return self._on.house.total_ud(self._on.accounts.values())

    def _view(self, listing: Listing) -> MarketView:
        is_open = self._on.shard_state(listing.contract.exchange_index) is ShardState.OPEN
        return listing.view(self._on.house.open_cc(listing.contract.ticker), is_shard_open=is_open)

    def _is_cancelling(self, listing: Listing) -> bool:
        is_shut = self._on.shard_state(listing.contract.exchange_index) is ShardState.EXCHANGE_PAUSED
        return listing.status is MarketStatus.ACTIVE and not is_shut
