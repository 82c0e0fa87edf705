"""Order writes (version 2) and the venue's error bodies. Prices are YES prices; texts, never numbers.

A bid buys YES; an ask sells YES or buys NO: there is no flag for opening or closing. An answer has no status
field: an order rests when it is good-till-cancelled and something remains; an immediate order's remainder is
dead; nothing filled and nothing remaining means it was cancelled at once. Source: REST specification 3.34.
"""

import msgspec

TAKER_AT_CROSS = "taker_at_cross"


class CreateOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST /portfolio/events/orders. `expiration_time` is epoch seconds, for good-till-cancelled only."""

    ticker: str
    side: str
    count: str
    price: str
    time_in_force: str
    self_trade_prevention_type: str
    client_order_id: str | None = None
    expiration_time: int | None = None
    post_only: bool | None = None
    reduce_only: bool | None = None
    cancel_order_on_pause: bool | None = None
    subaccount: int | None = None
    order_group_id: str | None = None
    exchange_index: int | None = None


class OrderCreated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a create. Averages are there only when something filled; never book fees from them."""

    order_id: str
    fill_count: str
    remaining_count: str
    ts_ms: int | None = None
    client_order_id: str | None = None
    average_fill_price: str | None = None
    average_fee_paid: str | None = None


class OrderCancelled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to DELETE /portfolio/events/orders/{order_id}."""

    order_id: str
    reduced_by: str
    ts_ms: int | None = None
    client_order_id: str | None = None


class AmendOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST .../{order_id}/amend; `count` is what filled already plus what shall remain."""

    ticker: str
    side: str
    price: str
    count: str
    client_order_id: str | None = None
    updated_client_order_id: str | None = None
    exchange_index: int | None = None
    expiration_time: int | None = None


class OrderAmended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to an amend."""

    order_id: str
    remaining_count: str | None = None
    fill_count: str | None = None
    ts_ms: int | None = None
    client_order_id: str | None = None
    average_fill_price: str | None = None
    average_fee_paid: str | None = None


class DecreaseOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST .../{order_id}/decrease; exactly one of `reduce_by` and `reduce_to`."""

    reduce_by: str | None = None
    reduce_to: str | None = None
    exchange_index: int | None = None
    market_ticker: str | None = None


class OrderDecreased(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a decrease."""

    order_id: str
    remaining_count: str
    ts_ms: int | None = None
    client_order_id: str | None = None


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why something was refused."""

    code: str | None = None
    message: str | None = None
    details: str | None = None


class CreateBatch(msgspec.Struct, frozen=True, kw_only=True):
    """POST /portfolio/events/orders/batched; the whole batch must fit into the write bucket."""

    orders: tuple[CreateOrder, ...]


class BatchCreated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item's answer: either an order or an error."""

    client_order_id: str | None = None
    order_id: str | None = None
    fill_count: str | None = None
    remaining_count: str | None = None
    average_fill_price: str | None = None
    average_fee_paid: str | None = None
    ts_ms: int | None = None
    error: ErrorDetail | None = None


class BatchCreatedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a batch create; items succeed or fail one by one."""

    orders: tuple[BatchCreated, ...]


class CancelItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order of a batch cancel."""

    order_id: str
    exchange_index: int | None = None
    market_ticker: str | None = None
    subaccount: int | None = None


class CancelBatch(msgspec.Struct, frozen=True, kw_only=True):
    """DELETE /portfolio/events/orders/batched, with a body."""

    orders: tuple[CancelItem, ...]


class BatchCancelled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item's answer."""

    order_id: str
    reduced_by: str = "0.00"
    client_order_id: str | None = None
    ts_ms: int | None = None
    error: ErrorDetail | None = None


class BatchCancelledAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a batch cancel."""

    orders: tuple[BatchCancelled, ...]


class CreateGroup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST /portfolio/order_groups/create; the shard defaults to 0, where no crypto order can use it."""

    contracts_limit: int | None = None
    contracts_limit_fp: str | None = None
    exchange_index: int | None = None
    subaccount: int | None = None


class UpdateGroupLimit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """PUT /portfolio/order_groups/{id}/limit: whole contracts, as a number or a text; both must be equal."""

    contracts_limit: int | None = None
    contracts_limit_fp: str | None = None


class GroupCreated(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to it."""

    order_group_id: str
    subaccount: int = 0
    exchange_index: int | None = None


class OrderGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Orders cancelled together when more than a limit fills within fifteen seconds."""

    id: str
    is_auto_cancel_enabled: bool
    contracts_limit_fp: str | None = None
    exchange_index: int | None = None


class OrderGroupsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/order_groups."""

    order_groups: tuple[OrderGroup, ...] | None = ()


class OrderGroupAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /portfolio/order_groups/{id}; `orders` are order ids."""

    is_auto_cancel_enabled: bool
    orders: tuple[str, ...]
    contracts_limit_fp: str | None = None
    exchange_index: int | None = None


class _AnyError(msgspec.Struct, frozen=True, kw_only=True):
    error: ErrorDetail | str | None = None
    code: str | None = None
    message: str | None = None
    details: str | None = None
    msg: str | None = None


_any_error = msgspec.json.Decoder(_AnyError)
_TEXT_LONGEST = 300


def error_of(status: int, body: bytes) -> tuple[str, str]:
    """Give (code, message) of an error body in any of the venue's shapes.

    A body in none of them, or without a code, gives "http_<status>"; 429 gives "rate_limited".
    """
    detail = error_detail(status, body)
    text = ": ".join(part for part in (detail.message, detail.details) if part)
    return detail.code or "", text[:_TEXT_LONGEST]


def error_detail(status: int, body: bytes) -> ErrorDetail:
    """Give code, message and details of an error body in any of the venue's shapes; the code as `error_of` does."""
    fallback = "rate_limited" if status == 429 else f"http_{status}"
    try:
        answer = _any_error.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ErrorDetail(code=fallback, message=body[:_TEXT_LONGEST].decode("utf-8", "replace"))
    if isinstance(answer.error, str):
        return ErrorDetail(code=fallback, message=answer.error[:_TEXT_LONGEST])
    detail = answer.error or ErrorDetail(code=answer.code, message=answer.message or answer.msg, details=answer.details)
    return detail if detail.code else msgspec.structs.replace(detail, code=fallback)
