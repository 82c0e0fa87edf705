"""The pit: where orders live, from the wish to the end.

An order is taken, matches in one piece, rests, is changed by its owner or ended by the exchange. Every change is
told in the order it happens: the trade, the level, both halves of the fill, then the order itself.

Amending keeps an order's place in the queue only while its price stays and its size does not grow; everything
else takes it off the book and lets it come in anew, so that it may match as a taker. It keeps its id, its fills
and its fee accumulator. Source: the venue's reference of the amend operation.
"""

from collections.abc import Iterable
from functools import partial

from fairstrike.core.order import TimeInForce
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.admission import (
    FOK_KILLED,
    INSUFFICIENT_BALANCE,
    INVALID_SIZE,
    IOC_MISSED,
    NO_SUCH_ORDER,
    POST_ONLY_CROSS,
    Amended,
    AmendOrder,
    Placed,
    PlaceOrder,
    Reduced,
    Rejection,
    draft,
    refuse,
    refuse_amend,
    refuse_group,
    refuse_state,
)
from fairstrike.exchange.groups import OrderGroup
from fairstrike.exchange.happenings import GroupChanged, GroupMove, OrderStatus, ShardState, Traded, UpdateReason
from fairstrike.exchange.listings import Listing
from fairstrike.exchange.matching import LiveOrder, Match, Outcome, Reach
from fairstrike.exchange.premises import ORDER_STREAM, TRADE_STREAM, Premises


class Pit:
    """Takes, matches, changes and ends orders on the premises."""

    def __init__(self, premises: Premises) -> None:
        """Work on `premises`."""
        self._on = premises
        # Groups whose orders matched since the last look at their limits, in order of match.
        self._stirred: dict[str, OrderGroup] = {}

    # What owners ask for

    def place(self, account: Account, listing: Listing, wish: PlaceOrder) -> Placed | Rejection:
        """Take, match and rest one order, or say why not."""
        now_ns, shard = self._on.now_ns, listing.contract.exchange_index
        state = self._on.shard_state(shard)
        refusal = refuse_state(listing, state) if state is not ShardState.OPEN else None
        refusal = refusal or refuse(account, listing, wish, now_ns)
        if refusal is None and wish.group_id is not None:
            refusal = refuse_group(self._on.groups.get(wish.group_id), account, shard)
        if refusal is not None:
            return refusal
        order = draft(account, listing, wish, (now_ns, self._on.name(ORDER_STREAM)))
        if not account.can_afford(order, listing.schedule, self._on.basket(account, listing)):
            return INSUFFICIENT_BALANCE
        killed = self._killed(listing, order)
        if killed is not None:
            if wish.client_order_id is not None:
                account.used_client_ids.add(wish.client_order_id)
            return killed
        crosses = wish.post_only and listing.book.crosses(wish.side, wish.price_ticks)
        if crosses and not self._on.params.is_post_only_cross_accepted:
            return POST_ONLY_CROSS
        if order.client_order_id is not None:
            account.used_client_ids.add(order.client_order_id)
        if not account.is_house:
            account.orders[order.order_id] = order
        self._enter(account, listing, order, is_stopped=crosses)
        self._check_groups()
        return Placed(
            instant_ns=now_ns,
            order=order.snapshot(),
            filled_value_ud=order.filled_value_ud,
            fee_ud=order.taker_fees_ud,
        )

    def amend(self, account: Account, order_id: str, wish: AmendOrder) -> Amended | Rejection:
        """Change a resting order's price, size, expiry or client order id, or say why not."""
        order = self._on.resting.get(order_id)
        if order is None or self._on.owner(order) is not account:
            return NO_SUCH_ORDER
        listing = self._on.listings[order.ticker]
        refusal = refuse_state(listing, self._on.shard_state(order.exchange_index))
        refusal = refusal or refuse_amend(account, listing, order, wish, self._on.now_ns)
        if refusal is not None:
            return refusal
        before_cc, left_cc = order.open_cc, wish.total_cc - order.filled_cc
        keeps_place = left_cc <= 0 or (wish.price_ticks == order.price_ticks and left_cc <= before_cc)
        stops = order.post_only and not keeps_place and listing.book.crosses(order.side, wish.price_ticks)
        if stops and not self._on.params.is_post_only_cross_accepted:
            return POST_ONLY_CROSS
        if not keeps_place and not self._can_become(account, listing, order, wish.price_ticks, left_cc):
            return INSUFFICIENT_BALANCE
        filled_cc, value_ud, fees_ud = order.filled_cc, order.filled_value_ud, order.taker_fees_ud
        self._rename(account, order, wish.new_client_order_id)
        if left_cc <= 0:
            self.end_resting(order, UpdateReason.AMEND)
        elif keeps_place:
            self._shrink(listing, order, wish, left_cc)
        else:
            self._move(account, listing, order, wish, is_stopped=stops)
        self._check_groups()
        return Amended(
            instant_ns=self._on.now_ns,
            order=order.snapshot(),
            filled_cc=order.filled_cc - filled_cc,
            filled_value_ud=order.filled_value_ud - value_ud,
            fee_ud=order.taker_fees_ud - fees_ud,
            is_resized=order.open_cc != before_cc,
        )

    def reduce(self, account: Account, order_id: str, reduce_by_cc: int | None) -> Reduced | Rejection:
        """Take `reduce_by_cc`, or all with None, off a resting order, which keeps its place in the queue."""
        order = self._on.resting.get(order_id)
        if order is None or self._on.owner(order) is not account:
            return NO_SUCH_ORDER
        listing = self._on.listings[order.ticker]
        refusal = refuse_state(listing, self._on.shard_state(order.exchange_index), is_cancel=True)
        if refusal is not None:
            return refusal
        if reduce_by_cc is None:
            return self.end_resting(order, None)
        if not 0 < reduce_by_cc <= order.open_cc:
            return INVALID_SIZE
        if reduce_by_cc == order.open_cc:
            return self.end_resting(order, UpdateReason.DECREASE)
        self._take_off(listing, order, reduce_by_cc, UpdateReason.DECREASE)
        return Reduced(instant_ns=self._on.now_ns, order=order.snapshot(), reduced_cc=reduce_by_cc)

    # What the exchange does by itself

    def end_resting(self, order: LiveOrder, reason: UpdateReason | None) -> Reduced:
        """End a resting order; `reason` None means by its owner or its group."""
        return self.end_all((order,), reason)[0]

    def end_all(self, orders: Iterable[LiveOrder], reason: UpdateReason | None) -> tuple[Reduced, ...]:
        """End resting orders in their order; what is locked is formed anew once a market, when all are ended."""
        ended: list[Reduced] = []
        left: dict[tuple[str, str, int], list[LiveOrder]] = {}
        for order in orders:
            reduced_cc = order.open_cc
            self._on.listings[order.ticker].book.reduce(order, reduced_cc)
            self._tell_ended(order, -reduced_cc, reason)
            left.setdefault((order.ticker, order.account, order.subaccount), []).append(order)
            ended.append(Reduced(instant_ns=self._on.now_ns, order=order.snapshot(), reduced_cc=reduced_cc))
        for gone in left.values():
            self._on.reserve_anew(*gone)
        return tuple(ended)

    def end_group(self, group: OrderGroup) -> None:
        """End every resting order of a group, oldest first."""
        self.end_all([self._on.resting[order_id] for order_id in group.resting], None)

    def trigger(self, group: OrderGroup) -> None:
        """Trigger a group: tell of it, end its orders, take no more until it is reset."""
        group.is_triggered = True
        self._on.tell(
            GroupChanged(
                instant_ns=self._on.now_ns,
                account=group.account,
                group_id=group.group_id,
                move=GroupMove.TRIGGERED,
                limit_cc=group.limit_cc,
                exchange_index=group.exchange_index,
                subaccount=group.subaccount,
            )
        )
        self.end_group(group)

    # An order's life

    def _killed(self, listing: Listing, order: LiveOrder) -> Rejection | None:
        # A kill uses up the client order id; what meets an own order is never killed, it acts like IOC.
        if order.tif is TimeInForce.FOK and listing.book.reach(order) is Reach.SHORT:
            return FOK_KILLED
        misses = order.tif is TimeInForce.IOC and not listing.book.crosses(order.side, order.price_ticks)
        return IOC_MISSED if misses and self._on.params.is_ioc_miss_refused else None

    def _enter(self, account: Account, listing: Listing, order: LiveOrder, *, is_stopped: bool) -> None:
        """Match an order that is on no book and rest what remains, unless it stops (`is_stopped`) or met its own."""
        before_cc = order.filled_cc
        outcome = Outcome(steps=(), met_own=False) if is_stopped else listing.book.match(order)
        for step in outcome.steps:
            if isinstance(step, Match):
                self._book_match(listing, order, step)
            else:
                self._forget(step.order, -step.size_cc, UpdateReason.SELF_TRADE_CANCEL)
        if order.filled_cc > before_cc:
            order.reason = UpdateReason.TRADE
        if order.filled_cc == order.initial_cc:
            order.status = OrderStatus.EXECUTED
        elif order.open_cc and order.tif is TimeInForce.GTC and not (is_stopped or outcome.met_own):
            self._rest(account, listing, order)
        else:
            order.status, order.reason = OrderStatus.CANCELED, _why_ended(order, outcome, is_stopped)
            order.open_cc = 0
        self._on.tell_order(order)
        self._on.reserve_anew(order)

    def _rest(self, account: Account, listing: Listing, order: LiveOrder) -> None:
        listing.book.rest(order)
        account.note_resting(order)
        self._on.resting[order.order_id] = order
        if order.group_id is not None:
            self._on.groups[order.group_id].resting[order.order_id] = None
        self._on.tell_level(order, order.open_cc)
        self._arrange_expiry(order)

    def _leave(self, order: LiveOrder) -> None:
        """Forget that an order rests; the book gave it up already."""
        self._on.owner(order).forget_resting(order)
        del self._on.resting[order.order_id]
        if order.group_id is not None:
            self._on.groups[order.group_id].resting.pop(order.order_id, None)

    def _book_match(self, listing: Listing, taker: LiveOrder, match: Match) -> None:
        now_ns, trade_id = self._on.now_ns, self._on.name(TRADE_STREAM)
        listing.note_trade(match.price_ticks, match.size_cc)
        trade = Traded(
            instant_ns=now_ns,
            trade_id=trade_id,
            ticker=taker.ticker,
            price_ticks=match.price_ticks,
            size_cc=match.size_cc,
            taker_side=taker.side,
        )
        self._on.trades.append(trade)
        self._on.tell(trade)
        self._on.tell_level(match.maker, -match.size_cc)
        for order in (match.maker, taker):
            self._note_in_group(order, match.size_cc)
            account = self._on.owner(order)
            filled = self._on.house.book_fill(account, order, match, listing.schedule, (now_ns, trade_id))
            if account.is_house:
                continue
            account.fills.append(filled)
            self._on.tell(filled)
            self._on.tell_balance(account)
        maker = match.maker
        maker.reason, maker.updated_ns = UpdateReason.TRADE, now_ns
        if not maker.open_cc:
            maker.status = OrderStatus.EXECUTED
            self._leave(maker)
        self._on.tell_order(maker)
        self._on.reserve_anew(maker)

    def _forget(self, order: LiveOrder, delta_cc: int, reason: UpdateReason | None) -> None:
        """Tell of an order that the book gave up unfilled, and free what it locked."""
        self._tell_ended(order, delta_cc, reason)
        self._on.reserve_anew(order)

    def _tell_ended(self, order: LiveOrder, delta_cc: int, reason: UpdateReason | None) -> None:
        order.status, order.reason, order.updated_ns = OrderStatus.CANCELED, reason, self._on.now_ns
        self._leave(order)
        self._on.tell_level(order, delta_cc)
        self._on.tell_order(order)

    def _take_off(self, listing: Listing, order: LiveOrder, size_cc: int, reason: UpdateReason) -> None:
        """Make a resting order smaller, by 0 too, in its place."""
        if size_cc:
            listing.book.reduce(order, size_cc)
            self._on.tell_level(order, -size_cc)
        order.reason, order.updated_ns = reason, self._on.now_ns
        self._on.tell_order(order)
        self._on.reserve_anew(order)

    # Amending

    def _can_become(self, account: Account, listing: Listing, order: LiveOrder, price_ticks: int, left_cc: int) -> bool:
        before = order.price_ticks, order.open_cc
        order.price_ticks, order.open_cc = price_ticks, left_cc
        is_covered = account.can_afford(order, listing.schedule, self._on.basket(account, listing))
        order.price_ticks, order.open_cc = before
        return is_covered

    def _rename(self, account: Account, order: LiveOrder, client_order_id: str | None) -> None:
        if client_order_id is not None:
            account.used_client_ids.add(client_order_id)
            order.client_order_id = client_order_id

    def _shrink(self, listing: Listing, order: LiveOrder, wish: AmendOrder, left_cc: int) -> None:
        order.initial_cc = wish.total_cc
        self._renew_expiry(order, wish.expire_ns)
        self._take_off(listing, order, order.open_cc - left_cc, UpdateReason.AMEND)

    def _move(
        self, account: Account, listing: Listing, order: LiveOrder, wish: AmendOrder, *, is_stopped: bool
    ) -> None:
        """Take an order off the book and let it come in anew at its new price and size."""
        before_cc = order.open_cc
        listing.book.reduce(order, before_cc)
        self._leave(order)
        self._on.tell_level(order, -before_cc)
        order.price_ticks, order.initial_cc = wish.price_ticks, wish.total_cc
        order.open_cc = wish.total_cc - order.filled_cc
        order.reason, order.updated_ns = UpdateReason.AMEND, self._on.now_ns
        if wish.expire_ns is not None:
            order.expire_ns = wish.expire_ns
        self._enter(account, listing, order, is_stopped=is_stopped)

    def _renew_expiry(self, order: LiveOrder, expire_ns: int | None) -> None:
        if expire_ns is not None and expire_ns != order.expire_ns:
            order.expire_ns = expire_ns
            self._arrange_expiry(order)

    def _arrange_expiry(self, order: LiveOrder) -> None:
        if order.expire_ns is not None:
            self._on.arrange(order.expire_ns, partial(self._expire, order.order_id, order.expire_ns))

    def _expire(self, order_id: str, expire_ns: int) -> None:
        order = self._on.resting.get(order_id)
        # An amend may have moved the expiry since this one was arranged.
        if order is not None and order.expire_ns == expire_ns:
            self.end_resting(order, UpdateReason.EXPIRY_CANCEL)

    # Groups

    def _note_in_group(self, order: LiveOrder, size_cc: int) -> None:
        group = None if order.group_id is None else self._on.groups.get(order.group_id)
        if group is not None:
            group.note_match(size_cc, self._on.now_ns)
            self._stirred[group.group_id] = group

    def _check_groups(self) -> None:
        stirred, self._stirred = self._stirred, {}
        for group in stirred.values():
            if group.is_hit(self._on.now_ns):
                self.trigger(group)


def _why_ended(order: LiveOrder, outcome: Outcome, is_stopped: bool) -> UpdateReason | None:
    if is_stopped:
        return UpdateReason.POST_ONLY_CROSS_CANCEL
    if outcome.met_own:
        return UpdateReason.SELF_TRADE_CANCEL
    if order.reduce_only and not order.open_cc:
        return UpdateReason.REDUCE_ONLY_CANCEL
    return None
