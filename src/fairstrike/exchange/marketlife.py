"""A market's life: opening, strike, pause, close, determination, settlement; and changes of its grid and fees."""

from collections.abc import Iterable
from functools import partial

import msgspec

from fairstrike.core.contract import Contract, PriceRange, settle, window_prints
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.happenings import (
    FeesChanged,
    GridChanged,
    MarketActivated,
    MarketClosed,
    MarketDeactivated,
    MarketDetermined,
    MarketListed,
    MarketReactivated,
    MarketSettled,
    ShardChanged,
    ShardState,
    StrikePublished,
    UpdateReason,
)
from fairstrike.exchange.listings import QUARTER_HOUR_NS, IndexPrints, Listing, MarketStatus
from fairstrike.exchange.matching import LiveOrder
from fairstrike.exchange.pit import Pit
from fairstrike.exchange.premises import Premises


class MarketLife:
    """Moves the markets of the premises through their lives; the pit ends the orders in them."""

    def __init__(self, premises: Premises, pit: Pit) -> None:
        """Work on `premises`."""
        self._on = premises
        self._pit = pit
        self._listed_ns = -1

    def list_market(self, contract: Contract, schedule: FeeSchedule, volume_24h_cc: int) -> None:
        """Create a market and arrange its opening, strike, close, determination and settlement; what is old goes."""
        now_ns, params = self._on.now_ns, self._on.params
        assert contract.ticker not in self._on.listings, "a market is listed once"
        assert contract.close_ns > now_ns, "a market is listed before it closes"
        if now_ns != self._listed_ns:
            self._listed_ns = now_ns
            self._on.forget_old()
        listing = Listing(contract, schedule, volume_24h_cc, now_ns)
        self._on.add_listing(listing)
        self._on.tell(MarketListed(instant_ns=now_ns, contract=contract, schedule=schedule))
        is_short = contract.close_ns - contract.open_ns <= QUARTER_HOUR_NS
        delays = params.quarter_hour if is_short else params.hourly
        determined_ns = contract.close_ns + delays.determination_ns
        self._on.arrange(contract.open_ns, partial(self._activate, listing))
        if not contract.is_struck:
            self._on.arrange(contract.open_ns + params.strike_delay_ns, partial(self._strike, listing))
        self._on.arrange(contract.close_ns, partial(self._close, listing))
        self._on.arrange(contract.close_ns + params.close_cancel_delay_ns, partial(self._sweep, listing))
        self._on.arrange(determined_ns, partial(self._determine, listing))
        self._on.arrange(determined_ns + delays.settlement_ns, partial(self._settle, listing))

    def fix_result(self, ticker: str, value_ticks: int, expiration_value_e8: int | None) -> None:
        """Let a market resolve to what is known of it beforehand, whatever the prints will say."""
        self._on.listings[ticker].fixed_result = (value_ticks, expiration_value_e8)

    # Pauses

    def deactivate(self, ticker: str) -> bool:
        """Pause an active market; orders that asked for it are cancelled. False when it was not active."""
        listing = self._on.listings.get(ticker)
        if listing is None or listing.status is not MarketStatus.ACTIVE:
            return False
        self._move(listing, MarketStatus.INACTIVE)
        self._on.tell(MarketDeactivated(instant_ns=self._on.now_ns, ticker=ticker))
        self._halt(each for each in self._resting(listing) if each.cancel_on_pause)
        return True

    def reactivate(self, ticker: str) -> bool:
        """Open a paused market again, without whatever rested in it. False when it was not paused.

        Source: the venue's page on the market lifecycle.
        """
        listing = self._on.listings.get(ticker)
        if listing is None or listing.status is not MarketStatus.INACTIVE:
            return False
        self._halt(self._resting(listing))
        self._move(listing, MarketStatus.ACTIVE)
        self._on.tell(MarketReactivated(instant_ns=self._on.now_ns, ticker=ticker))
        return True

    def set_shard(self, exchange_index: int, state: ShardState) -> None:
        """Pause or open a shard; when it stops trading, orders that asked for it are cancelled."""
        before = self._on.shard_state(exchange_index)
        if state is before:
            return
        self._on.set_shard_state(exchange_index, state)
        self._on.tell(ShardChanged(instant_ns=self._on.now_ns, exchange_index=exchange_index, state=state))
        if before is ShardState.OPEN:
            on_shard = (each for each in self._on.listings.values() if each.contract.exchange_index == exchange_index)
            orders = [order for listing in on_shard for order in self._resting(listing)]
            self._halt(order for order in orders if order.cancel_on_pause)

    # Changes of rules

    def change_grid(self, ticker: str, grid: tuple[PriceRange, ...]) -> None:
        """Give a market another price grid; what rests stays, also at a price off the new grid."""
        listing = self._on.listings[ticker]
        listing.contract = msgspec.structs.replace(listing.contract, grid=grid)
        listing.updated_ns = self._on.now_ns
        self._on.tell(GridChanged(instant_ns=self._on.now_ns, contract=listing.contract))

    def change_fees(self, event_ticker: str, schedule: FeeSchedule) -> None:
        """Give an event's markets another fee schedule, for fills from now on.

        Locks are formed anew. Where they outgrow an account's cash, its newest orders of the event are cancelled
        until they do not.
        """
        self._on.tell(FeesChanged(instant_ns=self._on.now_ns, event_ticker=event_ticker, schedule=schedule))
        for listing in self._on.listings.values():
            if listing.contract.event_ticker != event_ticker:
                continue
            listing.schedule = schedule
            for account in tuple(self._on.accounts.values()):
                self._on.reserve_in(account, listing)
                self._call_margin(account, listing.contract)

    def _call_margin(self, account: Account, contract: Contract) -> None:
        for order in reversed(tuple(account.resting.get(contract.ticker, {}).values())):
            if account.is_house or account.purses[contract.exchange_index].available_ud >= 0:
                return
            self._pit.end_resting(order, UpdateReason.MARGIN_CANCEL)

    # Corrections

    def correct(self, ticker: str, value_ticks: int) -> bool:
        """Correct a settled market's result: it is told again, and everybody's payout becomes what it should be.

        Settlements keep their instant. False when the market has not settled or already pays that.
        """
        listing = self._on.listings.get(ticker)
        if listing is None or listing.status is not MarketStatus.FINALIZED or listing.value_ticks == value_ticks:
            return False
        now_ns = self._on.now_ns
        listing.value_ticks, listing.updated_ns = value_ticks, now_ns
        self._on.tell(
            MarketDetermined(
                instant_ns=now_ns,
                ticker=ticker,
                value_ticks=value_ticks,
                expiration_value_e8=listing.expiration_value_e8,
            )
        )
        self._on.tell(MarketSettled(instant_ns=now_ns, ticker=ticker, value_ticks=value_ticks))
        for account in self._on.house.pay_again(ticker, value_ticks):
            if not account.is_house:
                self._on.tell_balance(account)
        return True

    # By the clock

    def _activate(self, listing: Listing) -> None:
        self._move(listing, MarketStatus.ACTIVE)
        self._on.tell(MarketActivated(instant_ns=self._on.now_ns, ticker=listing.contract.ticker))

    def _strike(self, listing: Listing) -> None:
        """Publish the target, the rounded mean of the minute before the opening, when its prints are known."""
        contract = listing.contract
        prints = self._on.indexes.get(contract.asset)
        digits = contract.round_digits
        if prints is None or digits is None:
            return
        floor_e8 = prints.mean_e8(contract.open_ns, self._on.params.window, digits)
        if floor_e8 is None:
            return
        listing.contract = msgspec.structs.replace(contract, floor_e8=floor_e8)
        listing.updated_ns = self._on.now_ns
        self._on.tell(StrikePublished(instant_ns=self._on.now_ns, contract=listing.contract))

    def _close(self, listing: Listing) -> None:
        self._move(listing, MarketStatus.CLOSED)
        self._on.tell(MarketClosed(instant_ns=self._on.now_ns, ticker=listing.contract.ticker))

    def _sweep(self, listing: Listing) -> None:
        self._pit.end_all(self._resting(listing), UpdateReason.CLOSE_CANCEL)

    def _determine(self, listing: Listing) -> None:
        """Form the result, unless it is fixed; without its strike or all of its prints a market resolves NO."""
        contract, window = listing.contract, self._on.params.window
        if listing.fixed_result is not None:
            listing.value_ticks, listing.expiration_value_e8 = listing.fixed_result
        else:
            prints = self._on.indexes.get(contract.asset, IndexPrints())
            known = window_prints(prints.by_second, contract.close_ns, window)
            listing.value_ticks = settle(contract, known) if contract.is_struck else 0
            listing.expiration_value_e8 = prints.cents_e8(contract.close_ns, window)
        self._move(listing, MarketStatus.DETERMINED)
        self._on.tell(
            MarketDetermined(
                instant_ns=self._on.now_ns,
                ticker=contract.ticker,
                value_ticks=listing.value_ticks,
                expiration_value_e8=listing.expiration_value_e8,
            )
        )

    def _settle(self, listing: Listing) -> None:
        now_ns, contract, value_ticks = self._on.now_ns, listing.contract, listing.value_ticks
        assert value_ticks is not None, "a market is determined before it settles"
        self._move(listing, MarketStatus.FINALIZED)
        listing.settled_ns = now_ns
        self._on.tell(MarketSettled(instant_ns=now_ns, ticker=contract.ticker, value_ticks=value_ticks))
        for account in self._on.accounts.values():
            payout = self._on.house.pay_out(account, contract, value_ticks, now_ns)
            if payout is not None and not account.is_house:
                account.settlements.append(payout)
                self._on.reserve_in(account, listing)
                self._on.tell_balance(account)

    def _move(self, listing: Listing, status: MarketStatus) -> None:
        listing.status, listing.updated_ns = status, self._on.now_ns

    def _resting(self, listing: Listing) -> list[LiveOrder]:
        return [order for side in (Side.BID, Side.ASK) for order in listing.book.resting(side)]

    def _halt(self, orders: Iterable[LiveOrder]) -> None:
        self._pit.end_all(orders, UpdateReason.HALT_CANCEL)
