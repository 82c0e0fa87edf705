"""Finding the truth after doubt. Pure: what the venue's lists say and what we believe in, moves out.

An order is looked for in two lists of resting orders, asked for at least `lag_ns` apart and after its request was
answered or doubted, because REST reads trail the engine. Found: it rests. Absent from both: it rests no more, or
never did. While its request is under way no list says that it is gone: it may still arrive. While a fill that the
venue spoke of is missing, it stays working until the fill is read. One of our orders that the venue lists and we
hold for ended, or never heard of, is reported.
"""

from collections.abc import Mapping

import msgspec

from fairstrike.core.bounds import Count, Positive
from fairstrike.core.effects import CancelOrder
from fairstrike.core.events import OrderReported
from fairstrike.core.ids import unpack_order_id
from fairstrike.core.order import TERMINAL_STATES, Order, OrderState
from fairstrike.core.timing import SECOND_NS
from fairstrike.execution.lifecycle import Move
from fairstrike.market.catalog import Listing


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long REST reads may trail, and how often the lists are read."""

    lag_ns: Count = SECOND_NS
    every_ns: Positive = 60 * SECOND_NS
    doubt_every_ns: Positive = 2 * SECOND_NS


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says of one order: the move to make, with the venue's id when it was told."""

    client_order_id: str
    move: Move
    report: OrderReported | None = None


def findings(
    orders: Mapping[str, Order],
    missed: Mapping[str, int],
    listed: tuple[OrderReported, ...],
    asked_ns: int,
    told_ns: int,
    params: Params,
) -> list[Finding]:
    """Give the moves that one list of resting orders implies.

    `orders` are the working ones; `missed` maps client order ids to the instant of the first list, asked for after
    the order was answered or doubted, that lacked them. `told_ns` is when fills and ended orders were last asked for
    and told whole: an order is gone only when they had their chance to say that it was filled.
    """
    resting = {report.client_order_id: report for report in listed}
    found: list[Finding] = []
    for key, order in orders.items():
        if order.state in TERMINAL_STATES or order.created_ns > asked_ns:
            continue
        report = resting.get(key)
        if report is not None:
            if order.state in (OrderState.UNKNOWN, OrderState.SENDING):
                found.append(Finding(client_order_id=key, move=Move.FOUND_RESTING, report=report))
            continue
        first_ns = None if order.state is OrderState.SENDING or order.final_cc is not None else missed.get(key)
        if first_ns is not None and min(asked_ns, told_ns) - first_ns >= params.lag_ns:
            found.append(Finding(client_order_id=key, move=Move.FOUND_GONE))
    return found


def ours(listed: tuple[OrderReported, ...], tag: int) -> tuple[OrderReported, ...]:
    """Give the listed orders whose id carries this product's and account's tag."""
    parts = ((report, unpack_order_id(report.client_order_id)) for report in listed)
    return tuple(report for report, found in parts if found is not None and found.tag == tag)


def strangers(orders: Mapping[str, Order], listed: tuple[OrderReported, ...]) -> list[OrderReported]:
    """Give listed orders that must not rest: left by a run before this one, or held for ended unfilled."""
    held = ((report, orders.get(report.client_order_id)) for report in listed)
    ended = (OrderState.CANCELLED, OrderState.REJECTED)
    return [report for report, order in held if order is None or order.state in ended]


def cancel_of(report: OrderReported, listings: Mapping[str, Listing]) -> CancelOrder:
    """Give the effect that cancels a listed order; a market we do not know is routed by its ticker."""
    listing = listings.get(report.ticker)
    return CancelOrder(
        client_order_id=report.client_order_id,
        order_id=report.order_id,
        ticker=report.ticker,
        exchange_index=-1 if listing is None else listing.contract.exchange_index,
    )
