"""Writes: create, amend, decrease, cancel, batches, cancel-all. Only the second generation of order endpoints.

An order's request is read strictly: a JSON number where decimal text is wanted is refused. Cancels go to the shard
they name, to that of `market_ticker`, else to shard 0, where no crypto order is found; amends go by their ticker.
Source: the venue's published interface and refusals recorded in 2026.
"""

from collections.abc import Iterable

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, format_cc, format_decimal, format_ticks, parse_cc, parse_ticks
from fairstrike.exchange.admission import NO_SUCH_ORDER
from fairstrike.exchange.api.budgets import CANCEL_COST, DEFAULT_COST
from fairstrike.exchange.api.call import (
    TOO_MANY_REQUESTS,
    BoxResponse,
    Call,
    Desk,
    answer_json,
    bad_body,
    error,
    read_body,
    read_query,
    refuse,
    rejected,
)
from fairstrike.exchange.api.portfolio import RoutingQuery, Subaccount, asked_shard
from fairstrike.exchange.floor import Amended, Placed, PlaceOrder, Reduced, Rejection
from fairstrike.exchange.floor import AmendOrder as AmendWish
from fairstrike.exchange.happenings import SelfTrade
from fairstrike.venue.kalshi.wire.orders import (
    AmendOrder,
    BatchCreated,
    BatchCreatedAnswer,
    CancelBatch,
    CancelItem,
    CreateBatch,
    CreateOrder,
    DecreaseOrder,
    ErrorDetail,
    OrderCancelled,
    OrderCreated,
    OrderDecreased,
)


class _BatchCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a batch cancel's answer. The client's type would leave out a zero `reduced_by`."""

    order_id: str
    reduced_by: str
    client_order_id: str | msgspec.UnsetType = msgspec.UNSET
    ts_ms: int | msgspec.UnsetType = msgspec.UNSET
    error: ErrorDetail | msgspec.UnsetType = msgspec.UNSET


class _Amended(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an amend: null, not absent, where nothing filled and what remains stayed the same."""

    order_id: str
    remaining_count: str | None
    fill_count: str | None
    average_fill_price: str | None
    average_fee_paid: str | None
    ts_ms: int
    client_order_id: str | msgspec.UnsetType = msgspec.UNSET


class _SubaccountQuery(msgspec.Struct, frozen=True, kw_only=True):
    subaccount: Subaccount = 0


class _CancelAllQuery(msgspec.Struct, frozen=True, kw_only=True):
    subaccount: Subaccount | None = None


def create(desk: Desk, call: Call) -> BoxResponse:
    """Place one order: 201 and what became of it at once."""
    wire = read_body(call, CreateOrder)
    charge(desk, call, DEFAULT_COST, wire.exchange_index)
    placed = _place(desk, call, wire)
    return rejected(placed) if isinstance(placed, Rejection) else answer_json(_created(placed), 201)


def create_batch(desk: Desk, call: Call) -> BoxResponse:
    """Place several orders one after the other, each with its own outcome; the whole batch must be paid."""
    wires = read_body(call, CreateBatch).orders
    if not wires:
        refuse(bad_body("orders is empty"))
    charge(desk, call, DEFAULT_COST * len(wires), _common_shard(wire.exchange_index for wire in wires))
    rows = tuple(_created_row(wire, _place(desk, call, wire)) for wire in wires)
    return answer_json(BatchCreatedAnswer(orders=rows), 201)


def cancel(desk: Desk, call: Call) -> BoxResponse:
    """Cancel one order; 404 when it is not resting on the shard that is asked."""
    query = read_query(call, RoutingQuery)
    charge(desk, call, CANCEL_COST, query.exchange_index)
    done = _cancel(desk, call, call.names[0], query)
    if isinstance(done, Rejection):
        return rejected(done)
    answer = OrderCancelled(
        order_id=done.order.order_id,
        client_order_id=done.order.client_order_id,
        reduced_by=format_cc(done.reduced_cc),
        ts_ms=done.instant_ns // MILLISECOND_NS,
    )
    return answer_json(answer)


def cancel_batch(desk: Desk, call: Call) -> BoxResponse:
    """Cancel several orders one after the other, each with its own outcome; the whole batch must be paid."""
    items = read_body(call, CancelBatch).orders
    if not items:
        refuse(bad_body("orders is empty"))
    charge(desk, call, CANCEL_COST * len(items), _common_shard(item.exchange_index for item in items))
    return answer_json({"orders": [_cancelled_row(desk, call, item) for item in items]})


def cancel_all(desk: Desk, call: Call) -> BoxResponse:
    """Cancel every resting order on every shard, of all subaccounts or the one that is named: 204, no body."""
    query = read_query(call, _CancelAllQuery)
    charge(desk, call, CANCEL_COST, None)
    desk.floor.cancel_all(call.owner, call.now_ns, subaccount=query.subaccount)
    return BoxResponse(status=204)


def amend(desk: Desk, call: Call) -> BoxResponse:
    """Change an order's price, total count, expiry or client order id; `count` includes what filled already.

    Source: the venue's reference. What filled and what remains are told only when the amend changed them.
    """
    wire = read_body(call, AmendOrder)
    query = read_query(call, _SubaccountQuery)
    charge(desk, call, DEFAULT_COST, wire.exchange_index)
    wish = _amend_wish(wire)
    if isinstance(wish, Rejection):
        return rejected(wish)
    order = desk.floor.order(call.owner, call.names[0])
    routing = RoutingQuery(exchange_index=wire.exchange_index, market_ticker=wire.ticker)
    if order is None or asked_shard(desk.floor, routing) != order.exchange_index:
        return rejected(NO_SUCH_ORDER)
    done = desk.floor.amend(call.owner, order.order_id, wish, call.now_ns, subaccount=query.subaccount)
    return rejected(done) if isinstance(done, Rejection) else answer_json(_amended(done))


def decrease(desk: Desk, call: Call) -> BoxResponse:
    """Make an order smaller, by or to a count; it keeps its place in the queue."""
    wire = read_body(call, DecreaseOrder)
    query = read_query(call, _SubaccountQuery)
    charge(desk, call, DEFAULT_COST, wire.exchange_index)
    if (wire.reduce_by is None) == (wire.reduce_to is None):
        refuse(bad_body("exactly one of reduce_by and reduce_to is needed"))
    order_id = call.names[0]
    order = desk.floor.order(call.owner, order_id)
    routing = RoutingQuery(exchange_index=wire.exchange_index, market_ticker=wire.market_ticker)
    if order is None or asked_shard(desk.floor, routing) != order.exchange_index:
        return rejected(NO_SUCH_ORDER)
    try:
        wanted_cc = parse_cc(wire.reduce_by or wire.reduce_to or "")
    except ArithmeticRefusal as why:
        return error(400, "invalid_order_size", "invalid order size", str(why))
    reduce_cc = wanted_cc if wire.reduce_to is None else order.remaining_cc - wanted_cc
    done = desk.floor.decrease(call.owner, order_id, reduce_cc, call.now_ns, subaccount=query.subaccount)
    if isinstance(done, Rejection):
        return rejected(done)
    answer = OrderDecreased(
        order_id=order_id,
        client_order_id=done.order.client_order_id,
        remaining_count=format_cc(done.order.remaining_cc),
        ts_ms=done.instant_ns // MILLISECOND_NS,
    )
    return answer_json(answer)


def deprecated(desk: Desk, call: Call) -> BoxResponse:
    """Refuse the first generation of order endpoints, retired in June 2026: 410."""
    return error(410, "deprecated_v1_order_endpoint", "this endpoint is gone: use /portfolio/events/orders")


def charge(desk: Desk, call: Call, tokens: int, exchange_index: int | None) -> None:
    """Take a write's tokens on the shard it names, on every shard when it names none.

    Raises `CallRefused` (429) when too few are left.
    """
    shard = None if exchange_index is None or exchange_index < 0 else exchange_index
    if not desk.budgets.spend_write(call.owner, tokens, shard, call.now_ns):
        refuse(TOO_MANY_REQUESTS)


def _common_shard(shards: Iterable[int | None]) -> int | None:
    # A batch that names one shard throughout is charged there, any other everywhere.
    named = set(shards)
    return named.pop() if len(named) == 1 else None


def _place(desk: Desk, call: Call, wire: CreateOrder) -> Placed | Rejection:
    wish = _wish(wire)
    if isinstance(wish, Rejection):
        return wish
    return desk.floor.place(call.owner, wish, call.now_ns)


def _wish(wire: CreateOrder) -> PlaceOrder | Rejection:
    fault = _fault(wire)
    if fault is not None:
        return fault
    try:
        price_ticks = parse_ticks(wire.price)
    except ArithmeticRefusal as why:
        return _invalid("invalid_price", str(why))
    try:
        size_cc = parse_cc(wire.count)
    except ArithmeticRefusal as why:
        return _invalid("invalid_order_size", str(why))
    routed = wire.exchange_index is None or wire.exchange_index < 0
    return PlaceOrder(
        ticker=wire.ticker,
        side=Side(wire.side),
        price_ticks=price_ticks,
        size_cc=size_cc,
        tif=TimeInForce(wire.time_in_force),
        self_trade=SelfTrade(wire.self_trade_prevention_type),
        client_order_id=wire.client_order_id,
        expire_ns=None if wire.expiration_time is None else wire.expiration_time * SECOND_NS,
        post_only=bool(wire.post_only),
        reduce_only=bool(wire.reduce_only),
        cancel_on_pause=bool(wire.cancel_order_on_pause),
        exchange_index=None if routed else wire.exchange_index,
        subaccount=wire.subaccount or 0,
        group_id=wire.order_group_id,
    )


def _amend_wish(wire: AmendOrder) -> AmendWish | Rejection:
    if wire.side not in set(Side):
        return _invalid("invalid_parameters", "side must be bid or ask")
    try:
        price_ticks = parse_ticks(wire.price)
    except ArithmeticRefusal as why:
        return _invalid("invalid_price", str(why))
    try:
        total_cc = parse_cc(wire.count)
    except ArithmeticRefusal as why:
        return _invalid("invalid_order_size", str(why))
    return AmendWish(
        ticker=wire.ticker,
        side=Side(wire.side),
        price_ticks=price_ticks,
        total_cc=total_cc,
        client_order_id=wire.client_order_id,
        new_client_order_id=wire.updated_client_order_id,
        expire_ns=None if wire.expiration_time is None else wire.expiration_time * SECOND_NS,
    )


def _fault(wire: CreateOrder) -> Rejection | None:
    # Words that are not the venue's; how values go together is the floor's to say.
    if wire.side not in set(Side):
        return _invalid("invalid_parameters", "side must be bid or ask")
    if wire.time_in_force not in set(TimeInForce):
        return _invalid("invalid_parameters", "time_in_force is not known")
    if wire.self_trade_prevention_type not in set(SelfTrade):
        return _invalid("invalid_parameters", "self_trade_prevention_type is not known")
    return None


def _invalid(code: str, details: str) -> Rejection:
    return Rejection(status=400, code=code, message=code.replace("_", " "), details=details)


def _created(placed: Placed) -> OrderCreated:
    order = placed.order
    filled_cc = order.filled_cc
    return OrderCreated(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        fill_count=format_cc(filled_cc),
        remaining_count=format_cc(order.remaining_cc),
        average_fill_price=_average_price(placed.filled_value_ud, filled_cc),
        average_fee_paid=_average_fee(placed.fee_ud, filled_cc),
        ts_ms=placed.instant_ns // MILLISECOND_NS,
    )


def _amended(done: Amended) -> _Amended:
    is_told = bool(done.filled_cc) or done.is_resized
    return _Amended(
        order_id=done.order.order_id,
        remaining_count=format_cc(done.order.remaining_cc) if is_told else None,
        fill_count=format_cc(done.filled_cc) if is_told else None,
        average_fill_price=_average_price(done.filled_value_ud, done.filled_cc),
        average_fee_paid=_average_fee(done.fee_ud, done.filled_cc),
        ts_ms=done.instant_ns // MILLISECOND_NS,
        client_order_id=done.order.client_order_id or msgspec.UNSET,
    )


def _average_price(value_ud: int, filled_cc: int) -> str | None:
    return format_ticks(value_ud // filled_cc) if filled_cc else None


def _average_fee(fee_ud: int, filled_cc: int) -> str | None:
    return format_decimal(fee_ud * CC_PER_CONTRACT // filled_cc, 6) if filled_cc else None


def _created_row(wire: CreateOrder, placed: Placed | Rejection) -> BatchCreated:
    if isinstance(placed, Rejection):
        return BatchCreated(client_order_id=wire.client_order_id, error=_detail(placed))
    row = _created(placed)
    return BatchCreated(
        client_order_id=row.client_order_id,
        order_id=row.order_id,
        fill_count=row.fill_count,
        remaining_count=row.remaining_count,
        average_fill_price=row.average_fill_price,
        average_fee_paid=row.average_fee_paid,
        ts_ms=row.ts_ms,
    )


def _cancel(desk: Desk, call: Call, order_id: str, routing: RoutingQuery) -> Reduced | Rejection:
    order = desk.floor.order(call.owner, order_id)
    if order is None or asked_shard(desk.floor, routing) != order.exchange_index:
        return NO_SUCH_ORDER
    return desk.floor.cancel(call.owner, order_id, call.now_ns, subaccount=routing.subaccount)


def _cancelled_row(desk: Desk, call: Call, item: CancelItem) -> _BatchCancelled:
    routing = RoutingQuery(
        exchange_index=item.exchange_index, market_ticker=item.market_ticker, subaccount=item.subaccount or 0
    )
    done = _cancel(desk, call, item.order_id, routing)
    if isinstance(done, Rejection):
        return _BatchCancelled(order_id=item.order_id, reduced_by=format_cc(0), error=_detail(done))
    return _BatchCancelled(
        order_id=item.order_id,
        reduced_by=format_cc(done.reduced_cc),
        client_order_id=done.order.client_order_id or msgspec.UNSET,
        ts_ms=done.instant_ns // MILLISECOND_NS,
    )


def _detail(why: Rejection) -> ErrorDetail:
    return ErrorDetail(code=why.code, message=why.message, details=why.details)
