"""The exchange's floor: markets, books and accounts under one clock that is told the time.

Every call carries `now_ns`, venue time, which never goes back; what was arranged up to then (openings,
strikes, closes, determinations, settlements, expiries) happens first, in order of (instant, arrangement).
What happened is collected for `drain`. Expected refusals are values of type `Rejection`.
"""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from heapq import heappop, heappush

import msgspec

from fairstrike.core.chance import mix64
from fairstrike.core.contract import Contract, settle, window_prints
from fairstrike.core.events import Level
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.accounts import Account, AccountView, PositionView, Settlement
from fairstrike.exchange.admission import (
    FOK_KILLED,
    INSUFFICIENT_BALANCE,
    INVALID_SIZE,
    MARKET_INACTIVE,
    NO_SUCH_MARKET,
    NO_SUCH_ORDER,
    POST_ONLY_CROSS,
    Placed,
    PlaceOrder,
    Reduced,
    Rejection,
    draft,
    refuse,
)
from fairstrike.exchange.clearing import ClearingHouse
from fairstrike.exchange.happenings import (
    BalanceChanged,
    Filled,
    Happening,
    IndexPublished,
    LevelChanged,
    MarketActivated,
    MarketClosed,
    MarketDetermined,
    MarketListed,
    MarketSettled,
    OrderChanged,
    OrderSnapshot,
    OrderStatus,
    StrikePublished,
    Traded,
    UpdateReason,
)
from fairstrike.exchange.listings import (
    QUARTER_HOUR_NS,
    Delays,
    FloorParams,
    IndexPrints,
    Listing,
    MarketStatus,
    MarketView,
)
from fairstrike.exchange.matching import LiveOrder, Match, Outcome, Reach

__all__ = [
    "AccountView",
    "Delays",
    "Floor",
    "FloorParams",
    "MarketStatus",
    "MarketView",
    "PlaceOrder",
    "Placed",
    "PositionView",
    "Reduced",
    "Rejection",
    "Settlement",
]

TRADES_KEPT = 100_000
HAPPENINGS_MAX = 2_000_000
_ORDER_STREAM = 0xA
_TRADE_STREAM = 0xB


class Floor:
    """The whole exchange but its sockets."""

    def __init__(self, *, params: FloorParams | None = None, now_ns: int = 0) -> None:
        """Start with no markets and no accounts at venue time `now_ns`."""
        self.params = params or FloorParams()
        self.now_ns = now_ns
        self._listings: dict[str, Listing] = {}
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, str] = {}
        self._resting: dict[str, LiveOrder] = {}
        self._indexes: dict[str, IndexPrints] = {}
        self._house = ClearingHouse()
        self._trades: deque[Traded] = deque(maxlen=TRADES_KEPT)
        self._happenings: list[Happening] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._arranged = 0
        self._orders_taken = 0
        self._trades_made = 0

    # Set-up

    def open_account(self, account_id: str, *, key_id: str, balance_ud: int, is_house: bool = False) -> AccountView:
        """Open an account. A house account's orders and fills stay untold and reserve nothing."""
        assert account_id not in self._accounts, "an account is opened once"
        assert key_id not in self._keys, "a key belongs to one account"
        account = Account(account_id=account_id, key_id=key_id, balance_ud=balance_ud, is_house=is_house)
        self._accounts[account_id] = account
        self._keys[key_id] = account_id
        return account.view()

    def account_by_key(self, key_id: str) -> str | None:
        """Give the account id an API key belongs to, None for an unknown key."""
        return self._keys.get(key_id)

    def list_market(self, contract: Contract, schedule: FeeSchedule, volume_24h_cc: int, now_ns: int) -> None:
        """Create a market and arrange its opening, strike, close, determination and settlement."""
        self.advance(now_ns)
        assert contract.ticker not in self._listings, "a market is listed once"
        assert contract.close_ns > now_ns, "a market is listed before it closes"
        listing = Listing(contract, schedule, volume_24h_cc, now_ns)
        self._listings[contract.ticker] = listing
        self._tell(MarketListed(instant_ns=now_ns, contract=contract, schedule=schedule))
        is_short = contract.close_ns - contract.open_ns <= QUARTER_HOUR_NS
        delays = self.params.quarter_hour if is_short else self.params.hourly
        determined_ns = contract.close_ns + delays.determination_ns
        self._arrange(contract.open_ns, partial(self._activate, listing))
        if not contract.is_struck:
            self._arrange(contract.open_ns + self.params.strike_delay_ns, partial(self._strike, listing))
        self._arrange(contract.close_ns, partial(self._close, listing))
        self._arrange(contract.close_ns + self.params.close_cancel_delay_ns, partial(self._sweep, listing))
        self._arrange(determined_ns, partial(self._determine, listing))
        self._arrange(determined_ns + delays.settlement_ns, partial(self._settle, listing))
        self.advance(now_ns)

    # Acts

    def advance(self, now_ns: int) -> None:
        """Let everything arranged up to `now_ns` happen, in order."""
        assert now_ns >= self.now_ns, "venue time never goes back"
        while self._due and self._due[0][0] <= now_ns:
            self.now_ns, _, act = heappop(self._due)
            act()
        self.now_ns = now_ns

    def next_due_ns(self) -> int | None:
        """Give the instant of the next arranged happening, None when there is none."""
        return self._due[0][0] if self._due else None

    def publish_index(self, asset: str, second: int, value_e8: int, now_ns: int) -> None:
        """Publish the index's print of source second `second`."""
        self.advance(now_ns)
        prints = self._indexes.setdefault(asset, IndexPrints())
        prints.add(second, value_e8)
        self._tell(
            IndexPublished(
                instant_ns=now_ns,
                asset=asset,
                second=second,
                value_e8=value_e8,
                avg_60s=prints.last_minute(second),
                quarter_hour=prints.quarter_hour(second),
            )
        )

    def place(self, account_id: str, wish: PlaceOrder, now_ns: int) -> Placed | Rejection:
        """Take, match and rest one order, or say why not."""
        self.advance(now_ns)
        account = self._accounts[account_id]
        listing = self._listings.get(wish.ticker)
        if listing is None or wish.exchange_index not in (None, listing.contract.exchange_index):
            return NO_SUCH_MARKET
        refusal = refuse(account, listing, wish, now_ns)
        if refusal:
            return refusal
        self._orders_taken += 1
        order = draft(account, listing, wish, (now_ns, _name(self._orders_taken, _ORDER_STREAM)))
        if not account.can_afford(order, listing.schedule):
            return INSUFFICIENT_BALANCE
        if wish.client_order_id is not None and wish.tif is TimeInForce.FOK:
            account.used_client_ids.add(wish.client_order_id)
        if wish.tif is TimeInForce.FOK and listing.book.reach(order) is Reach.SHORT:
            return FOK_KILLED
        crosses = wish.post_only and listing.book.crosses(wish.side, wish.price_ticks)
        if crosses and not self.params.is_post_only_cross_accepted:
            return POST_ONLY_CROSS
        return self._take(account, listing, order, is_stopped=crosses)

    def cancel(self, account_id: str, order_id: str, now_ns: int) -> Reduced | Rejection:
        """Cancel a resting order; 404 when it does not rest (unknown, executed, cancelled before)."""
        self.advance(now_ns)
        return self._reduce(account_id, order_id, None)

    def decrease(self, account_id: str, order_id: str, reduce_by_cc: int, now_ns: int) -> Reduced | Rejection:
        """Take `reduce_by_cc` off a resting order, which keeps its place in the queue."""
        self.advance(now_ns)
        return self._reduce(account_id, order_id, reduce_by_cc)

    def cancel_all(self, account_id: str, now_ns: int) -> tuple[Reduced, ...]:
        """Cancel every resting order of an account whose market still allows it."""
        self.advance(now_ns)
        account = self._accounts[account_id]
        orders = [order for resting in account.resting.values() for order in resting.values()]
        active = [o for o in orders if self._listings[o.ticker].status is MarketStatus.ACTIVE]
        return tuple(self._end_resting(order, None) for order in active)

    def drain(self) -> list[Happening]:
        """Give what happened since the last call, in order."""
        happenings, self._happenings = self._happenings, []
        return happenings

    # Reads

    def market(self, ticker: str) -> MarketView | None:
        """Give one market, None when unknown."""
        listing = self._listings.get(ticker)
        return listing.view(self._house.open_cc(ticker)) if listing else None

    def markets(self) -> tuple[MarketView, ...]:
        """Give all markets in order of listing."""
        return tuple(each.view(self._house.open_cc(ticker)) for ticker, each in self._listings.items())

    def levels(self, ticker: str, side: Side) -> tuple[Level, ...]:
        """Give one side of a book as (price, size), best first; empty for an unknown market."""
        listing = self._listings.get(ticker)
        return listing.book.levels(side) if listing else ()

    def order(self, account_id: str, order_id: str) -> OrderSnapshot | None:
        """Give one order of an account by the venue's id."""
        order = self._accounts[account_id].orders.get(order_id)
        return order.snapshot() if order else None

    def open_cc(self, order_id: str) -> int:
        """Give what is still open of any account's order, 0 when it does not rest."""
        order = self._resting.get(order_id)
        return order.open_cc if order else 0

    def orders(self, account_id: str) -> tuple[OrderSnapshot, ...]:
        """Give all orders an account ever placed, oldest first."""
        return tuple(order.snapshot() for order in self._accounts[account_id].orders.values())

    def fills(self, account_id: str) -> tuple[Filled, ...]:
        """Give all fills of an account, oldest first."""
        return tuple(self._accounts[account_id].fills)

    def trades(self, ticker: str | None = None) -> tuple[Traded, ...]:
        """Give the last trades (bounded), oldest first."""
        return tuple(trade for trade in self._trades if ticker is None or trade.ticker == ticker)

    def positions(self, account_id: str) -> tuple[PositionView, ...]:
        """Give an account's unsettled positions (a flat one it traded in included) in order of first fill."""
        return tuple(holding.view() for holding in self._accounts[account_id].holdings.values())

    def settlements(self, account_id: str) -> tuple[Settlement, ...]:
        """Give an account's settlements, oldest first."""
        return tuple(self._accounts[account_id].settlements)

    def account(self, account_id: str) -> AccountView | None:
        """Give an account's money, None when unknown."""
        account = self._accounts.get(account_id)
        return account.view() if account else None

    def prints(self, asset: str) -> Mapping[int, int]:
        """Give the known prints of an index: source second -> value in `_e8` (the last hours only)."""
        prints = self._indexes.get(asset)
        return prints.by_second if prints else {}

    def total_ud(self) -> int:
        """Give all money: balances, fee income and 1 dollar per open pair. Changes only by `open_account`."""
        return self._house.total_ud(self._accounts.values())

    # An order's life

    def _take(self, account: Account, listing: Listing, order: LiveOrder, *, is_stopped: bool) -> Placed:
        if order.client_order_id is not None:
            account.used_client_ids.add(order.client_order_id)
        if not account.is_house:
            account.orders[order.order_id] = order
        outcome = Outcome(steps=(), met_own=False) if is_stopped else listing.book.match(order)
        for step in outcome.steps:
            if isinstance(step, Match):
                self._book_match(listing, order, step)
            else:
                self._forget(step.order, -step.size_cc, UpdateReason.SELF_TRADE_CANCEL)
        if order.filled_cc == order.initial_cc:
            order.status, order.reason = OrderStatus.EXECUTED, UpdateReason.TRADE
        elif order.open_cc and order.tif is TimeInForce.GTC and not (is_stopped or outcome.met_own):
            self._rest(account, listing, order)
        else:
            order.status, order.reason = OrderStatus.CANCELED, _why_ended(order, outcome, is_stopped)
            order.open_cc = 0
        self._tell_order(order)
        self._reserve_anew(order)
        return Placed(
            instant_ns=self.now_ns,
            order=order.snapshot(),
            filled_value_ud=order.filled_value_ud,
            fee_ud=order.taker_fees_ud,
        )

    def _rest(self, account: Account, listing: Listing, order: LiveOrder) -> None:
        listing.book.rest(order)
        account.note_resting(order)
        self._resting[order.order_id] = order
        order.reason = UpdateReason.TRADE if order.filled_cc else None
        self._tell_level(order, order.open_cc)
        if order.expire_ns is not None:
            self._arrange(order.expire_ns, partial(self._expire, order.order_id))

    def _book_match(self, listing: Listing, taker: LiveOrder, match: Match) -> None:
        self._trades_made += 1
        trade_id = _name(self._trades_made, _TRADE_STREAM)
        listing.note_trade(match.price_ticks, match.size_cc)
        trade = Traded(
            instant_ns=self.now_ns,
            trade_id=trade_id,
            ticker=taker.ticker,
            price_ticks=match.price_ticks,
            size_cc=match.size_cc,
            taker_side=taker.side,
        )
        self._trades.append(trade)
        self._tell(trade)
        self._tell_level(match.maker, -match.size_cc)
        for order in (match.maker, taker):
            account = self._accounts[order.account]
            filled = self._house.book_fill(account, order, match, listing.schedule, (self.now_ns, trade_id))
            if account.is_house:
                continue
            account.fills.append(filled)
            self._tell(filled)
            self._tell_balance(account)
        maker = match.maker
        maker.reason, maker.updated_ns = UpdateReason.TRADE, self.now_ns
        if not maker.open_cc:
            maker.status = OrderStatus.EXECUTED
            self._accounts[maker.account].forget_resting(maker)
            del self._resting[maker.order_id]
        self._tell_order(maker)
        self._reserve_anew(maker)

    def _reduce(self, account_id: str, order_id: str, reduce_by_cc: int | None) -> Reduced | Rejection:
        order = self._resting.get(order_id)
        if order is None or order.account != account_id:
            return NO_SUCH_ORDER
        if self._listings[order.ticker].status is not MarketStatus.ACTIVE:
            return MARKET_INACTIVE
        if reduce_by_cc is None:
            return self._end_resting(order, None)
        if not 0 < reduce_by_cc <= order.open_cc:
            return INVALID_SIZE
        if reduce_by_cc == order.open_cc:
            return self._end_resting(order, UpdateReason.DECREASE)
        self._listings[order.ticker].book.reduce(order, reduce_by_cc)
        order.reason, order.updated_ns = UpdateReason.DECREASE, self.now_ns
        self._tell_level(order, -reduce_by_cc)
        self._tell_order(order)
        self._reserve_anew(order)
        return Reduced(instant_ns=self.now_ns, order=order.snapshot(), reduced_cc=reduce_by_cc)

    def _end_resting(self, order: LiveOrder, reason: UpdateReason | None) -> Reduced:
        reduced_cc = order.open_cc
        self._listings[order.ticker].book.reduce(order, reduced_cc)
        self._forget(order, -reduced_cc, reason)
        return Reduced(instant_ns=self.now_ns, order=order.snapshot(), reduced_cc=reduced_cc)

    def _forget(self, order: LiveOrder, delta_cc: int, reason: UpdateReason | None) -> None:
        """Tell of an order that the book gave up unfilled."""
        order.status, order.reason, order.updated_ns = OrderStatus.CANCELED, reason, self.now_ns
        self._accounts[order.account].forget_resting(order)
        del self._resting[order.order_id]
        self._tell_level(order, delta_cc)
        self._tell_order(order)
        self._reserve_anew(order)

    def _reserve_anew(self, order: LiveOrder) -> None:
        schedule = self._listings[order.ticker].schedule
        self._accounts[order.account].reserve_anew(order.ticker, schedule)

    def _expire(self, order_id: str) -> None:
        order = self._resting.get(order_id)
        if order is not None:
            self._end_resting(order, UpdateReason.EXPIRY_CANCEL)

    # A market's life

    def _arrange(self, instant_ns: int, act: Callable[[], None]) -> None:
        self._arranged += 1
        heappush(self._due, (max(instant_ns, self.now_ns), self._arranged, act))

    def _activate(self, listing: Listing) -> None:
        self._move(listing, MarketStatus.ACTIVE)
        self._tell(MarketActivated(instant_ns=self.now_ns, ticker=listing.contract.ticker))

    def _strike(self, listing: Listing) -> None:
        """Publish the target, the rounded mean of the minute before the opening, when its prints are known."""
        contract = listing.contract
        prints = self._indexes.get(contract.asset)
        digits = contract.round_digits
        if prints is None or digits is None:
            return
        floor_e8 = prints.mean_e8(contract.open_ns, self.params.window, digits)
        if floor_e8 is None:
            return
        listing.contract = msgspec.structs.replace(contract, floor_e8=floor_e8)
        listing.updated_ns = self.now_ns
        self._tell(StrikePublished(instant_ns=self.now_ns, contract=listing.contract))

    def _close(self, listing: Listing) -> None:
        self._move(listing, MarketStatus.CLOSED)
        self._tell(MarketClosed(instant_ns=self.now_ns, ticker=listing.contract.ticker))

    def _sweep(self, listing: Listing) -> None:
        for side in (Side.BID, Side.ASK):
            for order in listing.book.resting(side):
                self._end_resting(order, UpdateReason.CLOSE_CANCEL)

    def _determine(self, listing: Listing) -> None:
        """Form the result; without its strike or all of its prints a market resolves NO."""
        contract = listing.contract
        prints = self._indexes.get(contract.asset, IndexPrints())
        known = window_prints(prints.by_second, contract.close_ns, self.params.window)
        listing.value_ticks = settle(contract, known) if contract.is_struck else 0
        listing.expiration_value_e8 = prints.cents_e8(contract.close_ns, self.params.window)
        self._move(listing, MarketStatus.DETERMINED)
        self._tell(
            MarketDetermined(
                instant_ns=self.now_ns,
                ticker=contract.ticker,
                value_ticks=listing.value_ticks,
                expiration_value_e8=listing.expiration_value_e8,
            )
        )

    def _settle(self, listing: Listing) -> None:
        contract, value_ticks = listing.contract, listing.value_ticks
        assert value_ticks is not None, "a market is determined before it settles"
        self._move(listing, MarketStatus.FINALIZED)
        listing.settled_ns = self.now_ns
        self._tell(MarketSettled(instant_ns=self.now_ns, ticker=contract.ticker, value_ticks=value_ticks))
        for account in self._accounts.values():
            payout = self._house.pay_out(account, contract, value_ticks, self.now_ns)
            if payout is not None and not account.is_house:
                account.settlements.append(payout)
                self._tell_balance(account)

    def _move(self, listing: Listing, status: MarketStatus) -> None:
        listing.status, listing.updated_ns = status, self.now_ns

    # Telling

    def _tell(self, happening: Happening) -> None:
        assert len(self._happenings) < HAPPENINGS_MAX, "happenings are drained as time advances"
        self._happenings.append(happening)

    def _tell_level(self, order: LiveOrder, delta_cc: int) -> None:
        is_house = self._accounts[order.account].is_house
        self._tell(
            LevelChanged(
                instant_ns=self.now_ns,
                ticker=order.ticker,
                side=order.side,
                price_ticks=order.price_ticks,
                delta_cc=delta_cc,
                client_order_id=None if is_house else order.client_order_id,
                account=None if is_house else order.account,
            )
        )

    def _tell_order(self, order: LiveOrder) -> None:
        if self._accounts[order.account].is_house:
            return
        snapshot = order.snapshot()
        self._tell(OrderChanged(instant_ns=self.now_ns, account=order.account, order=snapshot, reason=snapshot.reason))

    def _tell_balance(self, account: Account) -> None:
        self._tell(BalanceChanged(instant_ns=self.now_ns, account=account.account_id, balance_ud=account.balance_ud))


def _why_ended(order: LiveOrder, outcome: Outcome, is_stopped: bool) -> UpdateReason | None:
    if is_stopped:
        return UpdateReason.POST_ONLY_CROSS_CANCEL
    if outcome.met_own:
        return UpdateReason.SELF_TRADE_CANCEL
    if order.reduce_only and not order.open_cc:
        return UpdateReason.REDUCE_ONLY_CANCEL
    return None


def _name(number: int, stream: int) -> str:
    """Give the UUID-shaped name of the `number`-th order or trade: unique, and the same in every run."""
    mixed = mix64(number * 16 + stream)
    return f"{mixed >> 32:08x}-{(mixed >> 16) & 0xFFFF:04x}-4{mixed & 0xFFF:03x}-8{stream:03x}-{number:012x}"
