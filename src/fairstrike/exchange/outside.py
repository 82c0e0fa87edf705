"""Outside depth in a replayed market: house orders that stand for what a recorded book holds.

What the recording says of a level is what the house has there afterwards; a level it does not speak of stays as clients
left it.

- A level that grew gets a new order at the end of its queue.
- A level that shrank loses its newest house orders first, as if who came last left first.
- What was traded (`trade`) comes from the front of the queue, better prices first: a house order takes it, and clients
  in front of the outside depth are filled as they would have been.
- A level that would cross a client's order trades with it, and what is left of it rests: no book is ever crossed.
"""

from collections.abc import Iterable

from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.floor import Floor, Placed, PlaceOrder

OUTSIDE = "house-outside"
OUTSIDE_TAKER = "house-outside-taker"

Place = tuple[Side, int]
"""A level of a book: its side and its price in ticks."""


class Outside:
    """The house's orders in one market."""

    def __init__(self, floor: Floor, ticker: str) -> None:
        """Hold nothing yet in market `ticker` of `floor`."""
        self._floor = floor
        self._ticker = ticker
        self._orders: dict[Place, list[str]] = {}

    def places(self) -> Iterable[Place]:
        """Give the levels at which the house has had orders since it last had none."""
        return tuple(self._orders)

    def size_cc(self, place: Place) -> int:
        """Give what the house has at a level, in centicontracts."""
        return sum(self._floor.open_cc(order_id) for order_id in self._orders.get(place, ()))

    def trade(self, place: Place, size_cc: int, now_ns: int) -> None:
        """Have somebody take `size_cc` from a side, down to the price of `place`."""
        side, price_ticks = place
        wish = self._wish(side.opposite, price_ticks, size_cc, TimeInForce.IOC)
        self._floor.place(OUTSIDE_TAKER, wish, now_ns)

    def cut(self, place: Place, size_cc: int, now_ns: int) -> None:
        """Take a level down to `size_cc`, newest orders first; what is smaller stays as it is."""
        orders = self._orders.get(place, [])
        spare_cc = self.size_cc(place) - size_cc
        while orders and spare_cc >= 0:
            open_cc = self._floor.open_cc(orders[-1])
            if open_cc > spare_cc:
                break
            if open_cc:
                self._floor.cancel(OUTSIDE, orders[-1], now_ns)
            spare_cc -= open_cc
            orders.pop()
        if spare_cc > 0:
            self._floor.decrease(OUTSIDE, orders[-1], spare_cc, now_ns)
        if not orders:
            self._orders.pop(place, None)

    def raise_to(self, place: Place, size_cc: int, now_ns: int) -> None:
        """Bring a level up to `size_cc` with an order at the end of its queue."""
        missing_cc = size_cc - self.size_cc(place)
        if missing_cc <= 0:
            return
        placed = self._floor.place(OUTSIDE, self._wish(*place, missing_cc, TimeInForce.GTC), now_ns)
        assert isinstance(placed, Placed), "a level of a checked capture is never refused in an open market"
        if placed.order.remaining_cc:
            orders = self._orders.setdefault(place, [])
            orders[:] = [order_id for order_id in orders if self._floor.open_cc(order_id)]
            orders.append(placed.order.order_id)

    def withdraw(self, now_ns: int) -> None:
        """Cancel everything."""
        for place in self.places():
            self.cut(place, 0, now_ns)

    def _wish(self, side: Side, price_ticks: int, size_cc: int, tif: TimeInForce) -> PlaceOrder:
        return PlaceOrder(ticker=self._ticker, side=side, price_ticks=price_ticks, size_cc=size_cc, tif=tif)
