"""Where resting orders stand: the contracts that match before them by price, then time."""

import msgspec

from fairstrike.core.units import format_cc
from fairstrike.exchange.api.call import BoxResponse, Call, Desk, answer_json, not_found, read_query
from fairstrike.exchange.api.portfolio import Subaccount, named_order
from fairstrike.exchange.floor import Floor
from fairstrike.exchange.happenings import OrderSnapshot, OrderStatus
from fairstrike.venue.kalshi.wire.portfolio import QueuePosition, QueuePositionsAnswer


class QueuesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders: those of some markets (comma-separated) or of one event; of the primary account by default."""

    market_tickers: str = ""
    event_ticker: str | None = None
    subaccount: Subaccount = 0


def one(desk: Desk, call: Call) -> BoxResponse:
    """Give the contracts ahead of one order; 404 when it does not rest, or not on the shard that is asked."""
    ahead_cc = desk.floor.queue_cc(named_order(desk, call).order_id)
    if ahead_cc is None:
        not_found("order not found")
    return answer_json({"queue_position_fp": format_cc(ahead_cc)})


def several(desk: Desk, call: Call) -> BoxResponse:
    """Give the contracts ahead of each resting order, oldest order first."""
    query = read_query(call, QueuesQuery)
    orders = [
        order
        for order in desk.floor.orders(call.owner)
        if order.status is OrderStatus.RESTING and _is_wanted(desk.floor, order, query)
    ]
    ahead_cc = {ticker: desk.floor.queues_cc(ticker) for ticker in {order.ticker for order in orders}}
    rows = tuple(
        QueuePosition(
            order_id=order.order_id,
            market_ticker=order.ticker,
            queue_position_fp=format_cc(ahead_cc[order.ticker][order.order_id]),
        )
        for order in orders
    )
    return answer_json(QueuePositionsAnswer(queue_positions=rows))


def _is_wanted(floor: Floor, order: OrderSnapshot, query: QueuesQuery) -> bool:
    view = floor.market(order.ticker)
    assert view is not None, "what rests is listed"
    return (
        order.subaccount == query.subaccount
        and (not query.market_tickers or order.ticker in query.market_tickers.split(","))
        and query.event_ticker in (None, view.contract.event_ticker)
    )
