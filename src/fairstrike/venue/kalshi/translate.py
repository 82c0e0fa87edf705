"""Effects into requests and answers into events: one conversation per effect.

A conversation is a generator: it yields unsigned requests, is sent responses, and returns events. A request
that got no answer is thrown into it as `Unreachable` (as `Unanswered` it also tells when it was given up).
Whoever drives it owns sockets, signatures, budget and retries; it owns what an answer means. A write without a
usable answer is doubted, never repeated.
"""

from typing import assert_never
from urllib.parse import quote

import msgspec

from fairstrike.core.effects import Ask, CancelOrder, SendOrder
from fairstrike.core.errors import ArithmeticRefusal, Unreachable
from fairstrike.core.events import CancelAnswered, CancelFailed, OrderAcked, OrderDoubted, OrderRejected
from fairstrike.core.order import TimeInForce
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import format_cc, format_ticks
from fairstrike.venue.kalshi.asking import ask
from fairstrike.venue.kalshi.wire.amounts import milliseconds_ns, size_cc
from fairstrike.venue.kalshi.wire.orders import (
    TAKER_AT_CROSS,
    CreateOrder,
    OrderCancelled,
    OrderCreated,
    error_of,
)
from fairstrike.venue.kalshi.wire.transport import Conversation, Request, Response, given_up_ns

Carried = SendOrder | CancelOrder | Ask
"""The effects that are conversations with the venue."""

_ORDERS_PATH = "/portfolio/events/orders"
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticRefusal)


def conversation(effect: Carried, *, asked_ns: int, shard: int | None = None) -> Conversation:
    """Give the conversation that carries out `effect`, begun at the venue's instant `asked_ns`.

    `shard` is whose cash a balance is; None gives all shards together, which cannot all be spent anywhere.
    """
    match effect:
        case SendOrder():
            return send_order(effect, asked_ns)
        case CancelOrder():
            return cancel_order(effect, asked_ns)
        case Ask():
            return ask(effect, asked_ns, shard)
        case _:
            assert_never(effect)


def create_body(effect: SendOrder) -> CreateOrder:
    """Give the body that places an order; an expiry is rounded down to whole seconds."""
    is_resting = effect.tif is TimeInForce.GTC
    expires = is_resting and effect.expire_ns is not None
    return CreateOrder(
        ticker=effect.ticker,
        client_order_id=effect.client_order_id,
        side=effect.side.value,
        count=format_cc(effect.size_cc),
        price=format_ticks(effect.price_ticks),
        time_in_force=effect.tif.value,
        self_trade_prevention_type=TAKER_AT_CROSS,
        expiration_time=(effect.expire_ns or 0) // SECOND_NS if expires else None,
        post_only=True if effect.post_only else None,
        reduce_only=True if effect.reduce_only else None,
        cancel_order_on_pause=True if is_resting else None,
        exchange_index=effect.exchange_index,
    )


def send_order(effect: SendOrder, asked_ns: int) -> Conversation:
    """Place an order: `OrderAcked`, `OrderRejected` or, without a usable answer, `OrderDoubted`."""
    key = effect.client_order_id
    try:
        answer = yield Request(method="POST", path=_ORDERS_PATH, body=msgspec.json.encode(create_body(effect)))
    except Unreachable as error:
        return [OrderDoubted(client_order_id=key, reason=str(error), recv_ns=given_up_ns(error, asked_ns))]
    if answer.is_success:
        return [_acked(effect, answer)]
    code, text = error_of(answer.status, answer.body)
    # An id of ours is sent once, so "used before" means that this very order got there some other way.
    if not 400 <= answer.status < 500 or answer.status == 408 or code == "order_already_exists":
        reason = f"{answer.status} {code}: {text}"
        return [OrderDoubted(client_order_id=key, reason=reason, recv_ns=answer.recv_ns)]
    return [OrderRejected(client_order_id=key, code=code, message=text, recv_ns=answer.recv_ns)]


def _acked(effect: SendOrder, answer: Response) -> OrderAcked | OrderDoubted:
    try:
        created = msgspec.json.decode(answer.body, type=OrderCreated)
        filled, remaining = size_cc(created.fill_count), size_cc(created.remaining_count)
    except _UNREADABLE as error:
        reason = f"the answer cannot be read: {error}"
        return OrderDoubted(client_order_id=effect.client_order_id, reason=reason, recv_ns=answer.recv_ns)
    return OrderAcked(
        client_order_id=effect.client_order_id,
        order_id=created.order_id,
        filled_cc=filled,
        remaining_cc=remaining if effect.tif is TimeInForce.GTC else 0,
        recv_ns=answer.recv_ns,
        venue_ns=milliseconds_ns(created.ts_ms),
    )


def cancel_order(effect: CancelOrder, asked_ns: int) -> Conversation:
    """Cancel an order: `CancelAnswered`, also when it is gone, or `CancelFailed`. Names its shard."""
    key = effect.client_order_id
    query = (("market_ticker", effect.ticker), ("exchange_index", str(effect.exchange_index)))
    path = f"{_ORDERS_PATH}/{quote(effect.order_id, safe='')}"
    try:
        answer = yield Request(method="DELETE", path=path, query=query)
    except Unreachable as error:
        return [CancelFailed(client_order_id=key, reason=str(error), recv_ns=given_up_ns(error, asked_ns))]
    if not answer.is_success:
        code, text = error_of(answer.status, answer.body)
        if answer.status == 404 and code != "user_not_found":
            return [CancelAnswered(client_order_id=key, reduced_cc=0, recv_ns=answer.recv_ns)]
        reason = f"{answer.status} {code}: {text}"
        return [CancelFailed(client_order_id=key, reason=reason, recv_ns=answer.recv_ns)]
    try:
        done = msgspec.json.decode(answer.body, type=OrderCancelled)
        reduced = size_cc(done.reduced_by)
    except _UNREADABLE as error:
        reason = f"the answer cannot be read: {error}"
        return [CancelFailed(client_order_id=key, reason=reason, recv_ns=answer.recv_ns)]
    return [
        CancelAnswered(
            client_order_id=key,
            reduced_cc=reduced,
            recv_ns=answer.recv_ns,
            venue_ns=milliseconds_ns(done.ts_ms),
        )
    ]
