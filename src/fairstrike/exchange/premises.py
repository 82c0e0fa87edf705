"""What the parts of the floor share: the time, markets, accounts, what rests, what is arranged and what is told.

Nothing is decided here; `pit.py` holds the lives of orders, `groups.py` those of order groups, `marketlife.py`
those of markets, and `floor.py` is the door to all of them.
"""

from collections import deque
from collections.abc import Callable, Collection
from heapq import heappop, heappush

from fairstrike.core.chance import mix64
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.clearing import ClearingHouse
from fairstrike.exchange.groups import OrderGroup
from fairstrike.exchange.happenings import BalanceChanged, Happening, LevelChanged, OrderChanged, ShardState, Traded
from fairstrike.exchange.listings import FloorParams, IndexPrints, Listing
from fairstrike.exchange.matching import LiveOrder
from fairstrike.exchange.netting import Basket, basket_of

TRADES_KEPT = 100_000
HAPPENINGS_MAX = 2_000_000
ORDER_STREAM = 0xA
TRADE_STREAM = 0xB
GROUP_STREAM = 0xC
TRANSFER_STREAM = 0xD


class Premises:
    """The state of the exchange. `now_ns` is venue time, which never goes back."""

    def __init__(self, params: FloorParams, now_ns: int) -> None:
        """Start empty at venue time `now_ns`."""
        self.params = params
        self.now_ns = now_ns
        self.listings: dict[str, Listing] = {}
        self.accounts: dict[tuple[str, int], Account] = {}
        self.resting: dict[str, LiveOrder] = {}
        self.groups: dict[str, OrderGroup] = {}
        self.indexes: dict[str, IndexPrints] = {}
        self.house = ClearingHouse()
        self.trades: deque[Traded] = deque(maxlen=TRADES_KEPT)
        self._baskets: dict[str, Basket | None] = {}
        self._shards: dict[int, ShardState] = {}
        self._happenings: list[Happening] = []
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._arranged = 0
        self._named: dict[int, int] = {}

    # Time

    def arrange(self, instant_ns: int, act: Callable[[], object]) -> None:
        """Have `act` done at `instant_ns`, or at once when that is past."""
        self._arranged += 1
        heappush(self._due, (max(instant_ns, self.now_ns), self._arranged, act))

    def advance(self, now_ns: int) -> None:
        """Let everything arranged up to `now_ns` happen, in order of (instant, arrangement)."""
        assert now_ns >= self.now_ns, "venue time never goes back"
        while self._due and self._due[0][0] <= now_ns:
            self.now_ns, _, act = heappop(self._due)
            act()
        self.now_ns = now_ns

    def next_due_ns(self) -> int | None:
        """Give the instant of the next arranged happening, None when there is none."""
        return self._due[0][0] if self._due else None

    # Looking up

    def name(self, stream: int) -> str:
        """Give the next UUID-shaped name of a stream: unique, and the same in every run."""
        number = self._named.get(stream, 0) + 1
        self._named[stream] = number
        mixed = mix64(number * 16 + stream)
        return f"{mixed >> 32:08x}-{(mixed >> 16) & 0xFFFF:04x}-4{mixed & 0xFFF:03x}-8{stream:03x}-{number:012x}"

    def owner(self, order: LiveOrder) -> Account:
        """Give the subaccount that an order belongs to."""
        return self.accounts[order.account, order.subaccount]

    def shard_state(self, exchange_index: int) -> ShardState:
        """Give how far a shard is open."""
        return self._shards.get(exchange_index, ShardState.OPEN)

    def set_shard_state(self, exchange_index: int, state: ShardState) -> None:
        """Open or pause a shard; what follows from it is for the caller."""
        self._shards[exchange_index] = state

    def reserve_anew(self, *changed: LiveOrder) -> None:
        """Recompute what the owner's orders in a market lock, of which `changed`, at least one, changed or matched."""
        self.reserve_in(self.owner(changed[0]), self.listings[changed[0].ticker], changed=changed)

    def reserve_in(self, account: Account, listing: Listing, *, changed: Collection[LiveOrder] | None = None) -> None:
        """Recompute what an account's orders in a market lock, `changed` alone or all, and what netting returns."""
        contract = listing.contract
        basket = self.basket(account, listing)
        account.reserve_anew(contract.ticker, contract.exchange_index, listing.schedule, basket, changed=changed)

    def basket(self, account: Account, listing: Listing) -> Basket | None:
        """Give the markets that a market nets with for an account, None when for it there are none."""
        if not account.is_netting:
            return None
        event = listing.contract.event_ticker
        if event not in self._baskets:
            views = (each.contract for each in self.listings.values())
            self._baskets[event] = basket_of([each for each in views if each.event_ticker == event])
        return self._baskets[event]

    def add_listing(self, listing: Listing) -> None:
        """Keep a new market."""
        self.listings[listing.contract.ticker] = listing
        self._baskets.pop(listing.contract.event_ticker, None)

    def forget_old(self) -> None:
        """Forget trades of long ago, and markets settled as long ago in which no client ever had an order."""
        before_ns = self.now_ns - self.params.settled_kept_ns
        while self.trades and self.trades[0].instant_ns < before_ns:
            self.trades.popleft()
        settled = ((ticker, each.settled_ns) for ticker, each in self.listings.items())
        old = [ticker for ticker, settled_ns in settled if settled_ns is not None and settled_ns < before_ns]
        clients = [account for account in self.accounts.values() if not account.is_house]
        traded = {order.ticker for account in clients for order in account.orders.values()} if old else set[str]()
        for ticker in old:
            if ticker not in traded:
                self._baskets.pop(self.listings.pop(ticker).contract.event_ticker, None)
                self.house.forget(ticker)
                for account in self.accounts.values():
                    account.forget(ticker)

    # Telling

    def drain(self) -> list[Happening]:
        """Give what happened since the last call, in order."""
        happenings, self._happenings = self._happenings, []
        return happenings

    def tell(self, happening: Happening) -> None:
        """Add what happened."""
        assert len(self._happenings) < HAPPENINGS_MAX, "happenings are drained as time advances"
        self._happenings.append(happening)

    def tell_level(self, order: LiveOrder, delta_cc: int) -> None:
        """Tell of a change of `delta_cc` at the price of `order`, which caused it."""
        is_house = self.owner(order).is_house
        self.tell(
            LevelChanged(
                instant_ns=self.now_ns,
                ticker=order.ticker,
                side=order.side,
                price_ticks=order.price_ticks,
                delta_cc=delta_cc,
                client_order_id=None if is_house else order.client_order_id,
                account=None if is_house else order.account,
                subaccount=order.subaccount,
            )
        )

    def tell_order(self, order: LiveOrder) -> None:
        """Tell of an order as it stands; of a house order nothing."""
        if self.owner(order).is_house:
            return
        snapshot = order.snapshot()
        self.tell(OrderChanged(instant_ns=self.now_ns, account=order.account, order=snapshot, reason=snapshot.reason))

    def tell_balance(self, account: Account) -> None:
        """Tell of a subaccount's cash as it stands."""
        self.tell(
            BalanceChanged(
                instant_ns=self.now_ns,
                account=account.account_id,
                balance_ud=account.balance_ud,
                subaccount=account.subaccount,
            )
        )
