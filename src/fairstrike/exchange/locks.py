"""What resting orders lock of an account's cash: the definition, and the same kept as orders come, change and go."""

from collections.abc import Iterable, Iterator

from fairstrike.core.fees import FeeSchedule, trade_fee_ud
from fairstrike.core.order import Side, collateral_ud
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.exchange.matching import LiveOrder


class Locks:
    """The orders of one account that rest in one market.

    A side that has no position to close locks the sum of its orders, which is kept. The orders of the other side are
    gone through: its best-priced ones close and lock nothing.
    """

    __slots__ = ("_orders", "_sums_ud", "_whole_ud")

    def __init__(self) -> None:
        """Start without orders."""
        self._orders: dict[Side, dict[str, LiveOrder]] = {Side.BID: {}, Side.ASK: {}}
        self._whole_ud: dict[str, int] = {}
        self._sums_ud = {Side.BID: 0, Side.ASK: 0}

    def note(self, order: LiveOrder, schedule: FeeSchedule) -> None:
        """Remember an order that is not here yet, at its price and open size of now."""
        ud = whole_ud(order, order.open_cc, schedule)
        self._orders[order.side][order.order_id] = order
        self._whole_ud[order.order_id] = ud
        self._sums_ud[order.side] += ud

    def forget(self, order: LiveOrder) -> None:
        """Forget an order, if it is here."""
        if self._orders[order.side].pop(order.order_id, None) is not None:
            self._sums_ud[order.side] -= self._whole_ud.pop(order.order_id)

    def total_ud(self, net_cc: int, schedule: FeeSchedule, beside: LiveOrder | None = None) -> int:
        """Give the microdollars locked beside a net position; with `beside` also resting, instead of one of its id."""
        total_ud = 0
        for side, orders in self._orders.items():
            more = (beside,) if beside is not None and beside.side is side else ()
            if side.sign * net_cc < 0:
                names = {order.order_id for order in more}
                resting = (order for name, order in orders.items() if name not in names)
                total_ud += locked_ud((*resting, *more), net_cc, schedule)
                continue
            total_ud += self._sums_ud[side]
            for order in more:
                total_ud += whole_ud(order, order.open_cc, schedule) - self._whole_ud.get(order.order_id, 0)
        return total_ud


def whole_ud(order: LiveOrder, size_cc: int, schedule: FeeSchedule) -> int:
    """Give what `size_cc` of an order cost at most when they open a position: collateral and the worst fee."""
    if not size_cc:
        return 0
    fee_ud = worst_fee_ud(schedule, order.price_ticks, size_cc)
    return collateral_ud(order.side, order.price_ticks, size_cc) + fee_ud


def locked_ud(orders: Iterable[LiveOrder], net_cc: int, schedule: FeeSchedule) -> int:
    """Give the microdollars that `orders`, all of one market and account, lock beside a net position.

    The best-priced orders, which match first, close the position; the rest opens and locks in full.
    """
    total_ud = 0
    for order, closing_cc in _shares(orders, net_cc):
        total_ud += whole_ud(order, order.open_cc - closing_cc, schedule)
    return total_ud


def held_ud(orders: Iterable[LiveOrder], net_cc: int, schedule: FeeSchedule) -> tuple[int, int]:
    """Give what a position brings at least if its market resolves NO and if YES, whatever of `orders` fills first."""
    worth_ud = abs(net_cc) * TICKS_PER_DOLLAR
    for order, closing_cc in _shares(orders, net_cc):
        worth_ud -= whole_ud(order, closing_cc, schedule)
    return (0, worth_ud) if net_cc > 0 else (worth_ud, 0)


def _shares(orders: Iterable[LiveOrder], net_cc: int) -> Iterator[tuple[LiveOrder, int]]:
    """Give each order, best price first, with how much of it closes the position."""
    closable_cc = {Side.BID: max(-net_cc, 0), Side.ASK: max(net_cc, 0)}
    for order in sorted(orders, key=lambda order: -order.side.sign * order.price_ticks):
        closing_cc = min(order.open_cc, closable_cc[order.side])
        closable_cc[order.side] -= closing_cc
        yield order, closing_cc


def worst_fee_ud(schedule: FeeSchedule, price_ticks: int, size_cc: int) -> int:
    """Give the taker fee of an order filled whole at its limit, with room for the rounding of its fills.

    The room covers the rounding accumulator on whole-cent prices. What it does not cover is dust: a
    microdollar a fill, or up to one step a fill of hundredths of a contract at sub-cent prices.
    """
    room_ud = 2 * (schedule.precision_ud - 1)
    return trade_fee_ud(schedule, price_ticks, size_cc, is_maker=False) + room_ud
