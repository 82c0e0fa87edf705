"""From wanted quotes to wishes: what to leave, what to withdraw, what to place.

A quote is replaced in two steps: the old one is withdrawn, and the new one placed when it is known to be gone.
So a side never carries two orders at once.
"""

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.order import Intent, Order, OrderState, Side, Signal, TimeInForce, Withdraw
from fairstrike.core.units import PPM
from fairstrike.market.book import BookView


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A price we would rest at, with the edge it has there and the numbers behind it."""

    side: Side
    price_ticks: int
    size_cc: int
    edge_ppm: int
    features: dict[str, int]


def post_only_price(contract: Contract, book: BookView, side: Side, price_ticks: int, buffer: int) -> int | None:
    """Give `price_ticks` moved onto the grid and at least `buffer` grid steps away from the other side.

    A bid moves down, an ask up. None when no sendable price is left.
    """
    sign = side.sign
    onto = contract.grid_down if side is Side.BID else contract.grid_up
    touch = book.ask_ticks if side is Side.BID else book.bid_ticks
    limit: int | None = price_ticks
    if touch is not None:
        edge: int | None = touch
        for _ in range(buffer):
            edge = None if edge is None else onto(edge - sign)
        if edge is None:
            return None
        limit = min(price_ticks, edge) if side is Side.BID else max(price_ticks, edge)
    return None if limit is None else onto(limit)


def requote(
    strategy: str,
    contract: Contract,
    working: tuple[Order, ...],
    wanted: dict[Side, Quote],
    *,
    may_improve: bool,
) -> list[Signal | Withdraw]:
    """Give the wishes that bring this strategy's working quotes in one market to `wanted`.

    A quote that is too aggressive is withdrawn at once; one that could be better only when `may_improve`.
    """
    wishes: list[Signal | Withdraw] = []
    for side in (Side.BID, Side.ASK):
        mine = [order for order in working if order.side is side]
        quote = wanted.get(side)
        if not mine:
            if quote is not None and may_improve:
                wishes.append(_place(strategy, contract.ticker, quote))
            continue
        for order in mine:
            reason = _why_withdraw(order, quote, may_improve=may_improve)
            if reason and order.state is OrderState.RESTING:
                wishes.append(
                    Withdraw(
                        strategy=strategy,
                        ticker=contract.ticker,
                        client_order_id=order.client_order_id,
                        reason=reason,
                    )
                )
    return wishes


def _why_withdraw(order: Order, quote: Quote | None, *, may_improve: bool) -> str:
    if quote is None:
        return "no quote is wanted here now"
    gap = order.side.sign * (order.price_ticks - quote.price_ticks)
    if gap > 0:
        return "the edge at this price is gone"
    if order.remaining_cc > quote.size_cc:
        return "there is no room for so much here now"
    if gap < 0 and may_improve:
        return "a better price has the edge"
    return ""


def _place(strategy: str, ticker: str, quote: Quote) -> Signal:
    return Signal(
        strategy=strategy,
        ticker=ticker,
        side=quote.side,
        price_ticks=quote.price_ticks,
        size_cc=quote.size_cc,
        intent=Intent.OPEN,
        tif=TimeInForce.GTC,
        post_only=True,
        edge_ppm=quote.edge_ppm,
        confidence_ppm=PPM // 2,
        reason="resting at fair value less the half spread and the inventory skew",
        features=quote.features,
    )
