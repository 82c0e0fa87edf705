"""Random streams of everything that can be asked of a floor, and a plain model that watches what it does."""

from typing import assert_never

import msgspec
from hypothesis import strategies as st

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.floor import Amended, AmendOrder, Floor, GroupRef, Placed, Rejection, ShardState, Transfer
from fairstrike.exchange.happenings import Filled, Happening, LevelChanged, OrderChanged, OrderSnapshot, OrderStatus
from fairstrike.exchange.happenings import SelfTrade as Prevention
from tests.unit.exchange.floor_samples import ASK, BID, GTC, IOC, TICKER, wish

ACCOUNTS = ("a", "b", "c")
SUBACCOUNTS = (0, 1)
LIMIT_CC = 2_000
# A lock may be short by the dust its docstring tells of, never by more.
DUST_UD = 100


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An order of an account; `life_ns` 0 has no expiry."""

    account: str
    subaccount: int
    side: Side
    price_ticks: int
    size_cc: int
    tif: TimeInForce
    self_trade: Prevention
    post_only: bool
    cancel_on_pause: bool
    is_grouped: bool
    life_ns: int


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel (None) or decrease of the account's `index`-th resting order."""

    account: str
    index: int
    by_cc: int | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An amend of the account's `index`-th resting order; `grow_cc` on its total, `price_ticks` 0 keeps it."""

    account: str
    index: int
    price_ticks: int
    grow_cc: int
    life_ns: int


class GroupAct(msgspec.Struct, frozen=True, kw_only=True):
    """A reset, trigger or new limit (contracts) of the account's group."""

    account: str
    contracts: int


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A pause for a few moves: of the market when `state` is None, else a state of its shard."""

    state: ShardState | None


class Pay(msgspec.Struct, frozen=True, kw_only=True):
    """Money from one subaccount to the other."""

    account: str
    source: int
    amount_ud: int


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing for a while."""

    seconds: int


class Reprice(msgspec.Struct, frozen=True, kw_only=True):
    """A new fee multiplier."""

    multiplier_ppm: int


Move = Place | Cut | Change | GroupAct | Pause | Pay | Wait | Reprice

_ACCOUNT = st.sampled_from(ACCOUNTS)
_PRICE = st.integers(40, 60).map(lambda cents: cents * 100)
_LIFE = st.sampled_from([0, 0, 3 * SECOND_NS, 20 * SECOND_NS])
PLACES = st.builds(
    Place,
    account=_ACCOUNT,
    subaccount=st.sampled_from(SUBACCOUNTS),
    side=st.sampled_from([BID, ASK]),
    price_ticks=_PRICE,
    size_cc=st.integers(1, 3_000),
    tif=st.sampled_from([GTC, GTC, GTC, *TimeInForce]),
    self_trade=st.sampled_from(list(Prevention)),
    post_only=st.booleans(),
    cancel_on_pause=st.booleans(),
    is_grouped=st.booleans(),
    life_ns=_LIFE,
)
CUTS = st.builds(Cut, account=_ACCOUNT, index=st.integers(0, 20), by_cc=st.none() | st.integers(1, 3_000))
CHANGES = st.builds(
    Change,
    account=_ACCOUNT,
    index=st.integers(0, 20),
    price_ticks=st.just(0) | _PRICE,
    grow_cc=st.integers(-2_000, 2_000),
    life_ns=_LIFE,
)
GROUP_ACTS = st.builds(GroupAct, account=_ACCOUNT, contracts=st.integers(-1, 20))
PAUSES = st.builds(Pause, state=st.sampled_from([None, *ShardState]))
PAYS = st.builds(Pay, account=_ACCOUNT, source=st.sampled_from(SUBACCOUNTS), amount_ud=st.integers(1, 40_000_000))
WAITS = st.builds(Wait, seconds=st.integers(1, 16))
REPRICES = st.builds(Reprice, multiplier_ppm=st.sampled_from([0, 500_000, 1_000_000, 2_000_000]))
# Two thirds place or amend; a pause is rare and short, because little happens in it.
_KINDS: list[st.SearchStrategy[Move]] = (
    [PLACES] * 22 + [CHANGES] * 8 + [CUTS] * 2 + [GROUP_ACTS, GROUP_ACTS, PAUSES, PAYS, WAITS, REPRICES]
)
MOVES: st.SearchStrategy[Move] = st.sampled_from(range(len(_KINDS))).flatmap(lambda kind: _KINDS[kind])
STREAMS = st.lists(MOVES, max_size=60)
PAUSE_MOVES = 3


def resting(floor: Floor, account: str) -> list[OrderSnapshot]:
    return [order for order in floor.orders(account) if order.status is OrderStatus.RESTING]


class Watch:
    """Does moves on a floor of one market and holds everything it tells against a plain model."""

    def __init__(self, floor: Floor) -> None:
        """Give every account a group and a funded second subaccount."""
        self.floor = floor
        self.schedule = FeeSchedule()
        self.levels: dict[tuple[Side, int], int] = {}
        self.seen: dict[str, OrderSnapshot] = {}
        self.stamps: dict[str, int] = {}
        self.arrivals = 0
        self.pause_ends = 0
        self.groups: dict[str, str] = {}
        self.paid: dict[tuple[str, int], int] = {}
        for account in ACCOUNTS:
            view = floor.account(account)
            assert view is not None
            self.paid[account, 0], self.paid[account, 1] = view.balance_ud, 0
            assert floor.open_subaccount(account) == 1
            made = floor.create_group(account, LIMIT_CC, 2, floor.now_ns)
            assert not isinstance(made, Rejection)
            self.groups[account] = made.group_id
            self.pay(Pay(account=account, source=0, amount_ud=view.balance_ud // 2), "start")
        self.total_ud = floor.total_ud()
        floor.drain()

    def act(self, number: int, move: Move) -> None:
        """Do one move, then check everything."""
        if number > self.pause_ends:
            self.reopen()
        self.floor.advance(self.floor.now_ns + 1)
        self.listen(self.floor.drain())
        before = {side: self.queue(side) for side in (BID, ASK)}
        taker = self.do(number, move)
        told = self.floor.drain()
        self.check_priority(before, told, taker)
        self.listen(told)
        self.check()

    def reopen(self) -> None:
        """End every pause."""
        self.floor.set_shard(2, ShardState.OPEN, self.floor.now_ns)
        self.floor.reactivate(TICKER, self.floor.now_ns)

    def do(self, number: int, move: Move) -> OrderSnapshot | None:
        """Do one move; gives the order that came in, if one did."""
        floor, now_ns = self.floor, self.floor.now_ns
        match move:
            case Place():
                return self.place(move)
            case Cut():
                orders = resting(floor, move.account)
                if orders:
                    order = orders[move.index % len(orders)]
                    names = move.account, order.order_id
                    if move.by_cc is None:
                        floor.cancel(*names, now_ns, subaccount=order.subaccount)
                    else:
                        floor.decrease(*names, move.by_cc, now_ns, subaccount=order.subaccount)
            case Change():
                return self.change(move)
            case GroupAct():
                ref = GroupRef(group_id=self.groups[move.account], exchange_index=2)
                if move.contracts > 0:
                    floor.limit_group(move.account, ref, move.contracts * 100, now_ns)
                elif move.contracts:
                    floor.trigger_group(move.account, ref, now_ns)
                else:
                    floor.reset_group(move.account, ref, now_ns)
            case Pause():
                if move.state is not None:
                    floor.set_shard(2, move.state, now_ns)
                else:
                    floor.deactivate(TICKER, now_ns)
                self.pause_ends = number + PAUSE_MOVES
            case Pay():
                self.pay(move, str(number))
            case Wait():
                floor.advance(now_ns + move.seconds * SECOND_NS)
            case Reprice():
                self.schedule = FeeSchedule(multiplier_ppm=move.multiplier_ppm)
                floor.change_fees("KXBTCD", self.schedule, now_ns)
            case _:
                assert_never(move)
        return None

    def place(self, move: Place) -> OrderSnapshot | None:
        is_gtc = move.tif is TimeInForce.GTC
        market = self.floor.market(TICKER)
        is_grouped = move.is_grouped and move.subaccount == 0
        answer = self.floor.place(
            move.account,
            wish(
                move.side,
                move.price_ticks,
                move.size_cc,
                tif=move.tif,
                self_trade=move.self_trade,
                post_only=move.post_only and is_gtc,
                reduce_only=move.post_only and move.tif is IOC,
                cancel_on_pause=move.cancel_on_pause,
                expire_ns=self.floor.now_ns + move.life_ns if move.life_ns and is_gtc else None,
                subaccount=move.subaccount,
                group_id=self.groups[move.account] if is_grouped else None,
            ),
            self.floor.now_ns,
        )
        if not isinstance(answer, Placed):
            return None
        assert market is not None
        assert market.is_trading, "a paused market takes no order"
        return answer.order

    def change(self, move: Change) -> OrderSnapshot | None:
        orders = resting(self.floor, move.account)
        if not orders:
            return None
        order = orders[move.index % len(orders)]
        wanted = AmendOrder(
            ticker=TICKER,
            side=order.side,
            price_ticks=move.price_ticks or order.price_ticks,
            total_cc=order.filled_cc + order.remaining_cc + move.grow_cc,
            expire_ns=self.floor.now_ns + move.life_ns if move.life_ns else None,
        )
        names = move.account, order.order_id
        answer = self.floor.amend(*names, wanted, self.floor.now_ns, subaccount=order.subaccount)
        if not isinstance(answer, Amended):
            assert self.floor.order(*names) == order, "a refused amend changes nothing"
            return None
        # What is left is what was asked for, or nothing when the order ended.
        assert answer.order.remaining_cc in (0, wanted.total_cc - answer.order.filled_cc)
        return answer.order

    def pay(self, move: Pay, name: str) -> None:
        target = 1 - move.source
        wanted = Transfer(
            instant_ns=self.floor.now_ns,
            transfer_id=name,
            source=move.source,
            target=target,
            amount_ud=move.amount_ud,
        )
        if not isinstance(self.floor.transfer(move.account, wanted), Rejection):
            self.paid[move.account, move.source] -= move.amount_ud
            self.paid[move.account, target] += move.amount_ud

    # The model

    def queue(self, side: Side) -> list[OrderSnapshot]:
        """Give the resting orders of a side in the order in which they must match."""
        orders = [order for order in self.seen.values() if order.side is side and order.remaining_cc]
        return sorted(orders, key=lambda each: (-each.side.sign * each.price_ticks, self.stamps[each.order_id]))

    def listen(self, told: list[Happening]) -> None:
        for each in told:
            if isinstance(each, LevelChanged):
                key = each.side, each.price_ticks
                self.levels[key] = self.levels.get(key, 0) + each.delta_cc
                if not self.levels[key]:
                    del self.levels[key]
            elif isinstance(each, OrderChanged):
                self.note(each.order)

    def note(self, order: OrderSnapshot) -> None:
        """Remember an order; a new one, a new price or more size goes to the back of its queue."""
        known = self.seen.get(order.order_id)
        if (
            known is None
            or order.price_ticks != known.price_ticks
            or order.filled_cc + order.remaining_cc > known.filled_cc + known.remaining_cc
        ):
            self.arrivals += 1
            self.stamps[order.order_id] = self.arrivals
        self.seen[order.order_id] = order

    def check_priority(
        self, before: dict[Side, list[OrderSnapshot]], told: list[Happening], taker: OrderSnapshot | None
    ) -> None:
        """Makers fill in order of price, then time, each whole before the next, within the taker's limit."""
        fills = [each for each in told if isinstance(each, Filled) and not each.is_taker]
        if taker is None:
            assert not fills, "only an incoming order trades"
            return
        due = [
            order
            for order in before[taker.side.opposite]
            if order.account != taker.account or taker.self_trade is Prevention.TAKER_AT_CROSS
        ]
        assert [fill.order_id for fill in fills] == [order.order_id for order in due[: len(fills)]]
        for fill, maker in zip(fills, due, strict=False):
            assert fill.account != taker.account, "nobody trades with himself"
            assert fill.price_ticks == maker.price_ticks
            assert fill.price_ticks * taker.side.sign <= taker.price_ticks * taker.side.sign
            assert fill.size_cc == maker.remaining_cc or fill is fills[-1]

    def check(self) -> None:
        floor = self.floor
        assert floor.total_ud() == self.total_ud
        bids, asks = floor.levels(TICKER, BID), floor.levels(TICKER, ASK)
        assert not (bids and asks and bids[0][0] >= asks[0][0])
        assert self.levels == {(BID, p): s for p, s in bids} | {(ASK, p): s for p, s in asks}
        for side in (BID, ASK):
            ahead_cc = 0
            for order in self.queue(side):
                assert floor.queue_cc(order.order_id) == floor.queues_cc(order.ticker)[order.order_id] == ahead_cc
                ahead_cc += order.remaining_cc
        for account in ACCOUNTS:
            self.check_account(account)

    def check_account(self, account: str) -> None:
        floor = self.floor
        for view in floor.subaccounts(account):
            assert view.balance_ud - view.reserved_ud >= -DUST_UD
        fills: dict[str, int] = {}
        for fill in floor.fills(account):
            fills[fill.order_id] = fills.get(fill.order_id, 0) + fill.size_cc
        for order in floor.orders(account):
            assert fills.get(order.order_id, 0) == order.filled_cc <= order.initial_cc
            assert order.remaining_cc == floor.open_cc(order.order_id)
            assert order.filled_cc + order.remaining_cc <= order.initial_cc
            assert self.seen[order.order_id] == order, "every change of an order is told"
        orders = resting(floor, account)
        (group,) = floor.groups(account)
        assert sorted(group.order_ids) == sorted(order.order_id for order in orders if order.group_id)
        assert not (group.is_triggered and group.order_ids)
        market = floor.market(TICKER)
        assert market is not None
        assert market.is_trading or not any(order.cancel_on_pause for order in orders)

    def check_end(self, value_ticks: int) -> None:
        """Hold every balance after settlement against the fills: profit of each, less its fee."""
        assert self.floor.total_ud() == self.total_ud
        for account in ACCOUNTS:
            for view in self.floor.subaccounts(account):
                fills = [fill for fill in self.floor.fills(account) if fill.subaccount == view.subaccount]
                gain_ud = sum(each.side.sign * (value_ticks - each.price_ticks) * each.size_cc for each in fills)
                fees_ud = sum(each.fee_ud for each in fills)
                assert view.balance_ud == self.paid[account, view.subaccount] + gain_ud - fees_ud
                assert view.reserved_ud == 0
