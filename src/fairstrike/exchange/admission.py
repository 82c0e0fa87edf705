"""What may be asked of the floor, what it answers, and the rules that an order must pass before matching.

Expected refusals are values. Codes and statuses are the venue's where they were seen; `invalid_order` with a
sentence in `details` stands in where only the rule is known.
"""

import msgspec

from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.groups import OrderGroup
from fairstrike.exchange.happenings import OrderSnapshot, SelfTrade, ShardState
from fairstrike.exchange.listings import Listing, MarketStatus
from fairstrike.exchange.matching import LiveOrder

ORDERS_MAX = 200_000
CLIENT_ID_MAX = 256
EXPIRY_NS_MAX = 253_402_300_799 * SECOND_NS
"""The last second that RFC 3339 can write down."""


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request for one order. `exchange_index` None lets the ticker decide the shard."""

    ticker: str
    side: Side
    price_ticks: int
    size_cc: int
    tif: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS
    client_order_id: str | None = None
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    exchange_index: int | None = None
    subaccount: int = 0
    group_id: str | None = None


class AmendOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request to change a resting order. `total_cc` is what filled already plus what shall remain.

    `client_order_id` must be the order's own when given; `new_client_order_id` becomes it. `expire_ns` None
    leaves the expiry as it is.
    """

    ticker: str
    side: Side
    price_ticks: int
    total_cc: int
    client_order_id: str | None = None
    new_client_order_id: str | None = None
    expire_ns: int | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The order was taken. `order` is its state after matching.

    `filled_value_ud` is YES price × size summed over its fills, `fee_ud` their fees.
    """

    instant_ns: int
    order: OrderSnapshot
    filled_value_ud: int
    fee_ud: int


class Amended(msgspec.Struct, frozen=True, kw_only=True):
    """An amend was done; `order` is the state after it.

    `filled_cc`, `filled_value_ud` (YES price × size) and `fee_ud` are of the fills it caused by crossing the book;
    `is_resized` says whether what remains is not what remained before.
    """

    instant_ns: int
    order: OrderSnapshot
    filled_cc: int
    filled_value_ud: int
    fee_ud: int
    is_resized: bool


class Reduced(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A cancel or decrease was done and took `reduced_cc` off; `order` is the state after it."""

    instant_ns: int
    order: OrderSnapshot
    reduced_cc: int


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's no: HTTP status, error code, message and details (None when it gives none)."""

    status: int
    code: str
    message: str
    details: str | None = None


def _invalid(details: str) -> Rejection:
    return Rejection(status=400, code="invalid_order", message="invalid order", details=details)


NO_SUCH_MARKET = Rejection(status=404, code="not_found", message="market not found on this exchange index")
NO_SUCH_ORDER = Rejection(status=404, code="not_found", message="order not found")
NO_SUCH_GROUP = Rejection(status=404, code="not_found", message="order group not found")
NO_SUCH_SUBACCOUNT = Rejection(
    status=400, code="invalid_parameters", message="invalid parameters", details="subaccount does not exist"
)
# An account that never had money on a market's shard is unknown there. Source: seen at the venue in 2026.
NO_MONEY_THERE = Rejection(status=404, code="user_not_found", message="user not found")
GROUP_TRIGGERED = Rejection(status=409, code="order_group_triggered", message="order group is triggered")
TRADING_PAUSED = Rejection(status=409, code="trading_is_paused", message="trading is paused")
EXCHANGE_PAUSED = Rejection(status=409, code="exchange_is_paused", message="exchange is paused")
MARKET_INACTIVE = Rejection(status=400, code="market_inactive", message="market is not active")
INSUFFICIENT_BALANCE = Rejection(status=400, code="insufficient_balance", message="insufficient balance")
POST_ONLY_CROSS = _invalid("post only cross")
FOK_KILLED = Rejection(
    status=409,
    code="fill_or_kill_insufficient_resting_volume",
    message="fill or kill order found insufficient resting volume",
)
IOC_MISSED = Rejection(
    status=409,
    code="immediate_or_cancel_insufficient_resting_volume",
    message="immediate or cancel order found insufficient resting volume",
)
ORDER_EXISTS = Rejection(status=409, code="order_already_exists", message="order already exists")
INVALID_PRICE = Rejection(status=400, code="invalid_price", message="invalid price")
INVALID_SIZE = Rejection(status=400, code="invalid_order_size", message="invalid order size")
WRONG_TICKER = Rejection(status=400, code="order_ticker_mismatch", message="order ticker mismatch")
WRONG_SIDE = Rejection(status=400, code="order_side_mismatch", message="order side mismatch")
WRONG_CLIENT_ID = Rejection(
    status=400,
    code="order_id_and_client_order_id_mismatch",
    message="order id and client order id mismatch",
)
IN_THE_PAST = _invalid("expiration_time is in the past")
NEVER = _invalid("expiration_time is after the year 9999")
LONG_CLIENT_ID = _invalid(f"client_order_id is longer than {CLIENT_ID_MAX} characters")
HISTORY_FULL = _invalid("the account's order history is full; start the exchange anew")


def refuse_state(listing: Listing, state: ShardState, *, is_cancel: bool = False) -> Rejection | None:
    """Give why nothing may be done in a market whose shard is in `state`, None when it may.

    A pause of trading lets cancels through; a pause of the exchange and an inactive market do not.
    Source: the venue's page on maintenance; codes recorded on the venue in 2026.
    """
    if state is ShardState.EXCHANGE_PAUSED:
        return EXCHANGE_PAUSED
    if state is ShardState.TRADING_PAUSED and not is_cancel:
        return TRADING_PAUSED
    return None if listing.status is MarketStatus.ACTIVE else MARKET_INACTIVE


def refuse(account: Account, listing: Listing, wish: PlaceOrder, now_ns: int) -> Rejection | None:
    """Give why an order is not admitted at `now_ns`, None when it may go on to collateral and matching.

    Source: order semantics as seen on the venue; a client order id is never usable twice on an account.
    """
    is_resting_kind = wish.tif is TimeInForce.GTC
    if wish.client_order_id is not None and wish.client_order_id in account.used_client_ids:
        return ORDER_EXISTS
    if listing.status is not MarketStatus.ACTIVE:
        return MARKET_INACTIVE
    if not listing.contract.is_on_grid(wish.price_ticks):
        return INVALID_PRICE
    if wish.size_cc <= 0:
        return INVALID_SIZE
    if wish.expire_ns is not None and not is_resting_kind:
        return _invalid("expiration_time needs good_till_canceled")
    if (why := _refuse_terms(wish.expire_ns, wish.client_order_id, now_ns)) is not None:
        return why
    if wish.post_only and not is_resting_kind:
        return _invalid("post_only needs good_till_canceled")
    if wish.reduce_only and wish.tif is not TimeInForce.IOC:
        return _invalid("reduce_only needs immediate_or_cancel")
    if max(len(account.orders), len(account.used_client_ids)) >= ORDERS_MAX:
        return HISTORY_FULL
    return None


def _refuse_terms(expire_ns: int | None, client_order_id: str | None, now_ns: int) -> Rejection | None:
    if expire_ns is not None and expire_ns <= now_ns:
        return IN_THE_PAST
    if expire_ns is not None and expire_ns > EXPIRY_NS_MAX:
        return NEVER
    return LONG_CLIENT_ID if client_order_id is not None and len(client_order_id) > CLIENT_ID_MAX else None


def refuse_group(group: OrderGroup | None, account: Account, exchange_index: int) -> Rejection | None:
    """Give why an order may not join `group`, None when it may: a group serves one subaccount on one shard."""
    if group is None or (group.account, group.subaccount) != (account.account_id, account.subaccount):
        return NO_SUCH_GROUP
    if group.exchange_index != exchange_index:
        return NO_SUCH_GROUP
    return GROUP_TRIGGERED if group.is_triggered else None


def refuse_amend(
    account: Account, listing: Listing, order: LiveOrder, wish: AmendOrder, now_ns: int
) -> Rejection | None:
    """Give why a resting order may not be amended at `now_ns`, None when collateral and matching may decide.

    Source: the venue's change log of January 2026 for the mismatches.
    """
    if wish.ticker != order.ticker:
        return WRONG_TICKER
    if wish.side is not order.side:
        return WRONG_SIDE
    if wish.client_order_id is not None and wish.client_order_id != order.client_order_id:
        return WRONG_CLIENT_ID
    new_id = wish.new_client_order_id
    if new_id is not None and new_id != order.client_order_id and new_id in account.used_client_ids:
        return ORDER_EXISTS
    if not listing.contract.is_on_grid(wish.price_ticks):
        return INVALID_PRICE
    if wish.total_cc <= 0:
        return INVALID_SIZE
    if (why := _refuse_terms(wish.expire_ns, new_id, now_ns)) is not None:
        return why
    return HISTORY_FULL if len(account.used_client_ids) >= ORDERS_MAX else None


def draft(account: Account, listing: Listing, wish: PlaceOrder, stamp: tuple[int, str]) -> LiveOrder:
    """Give the order that an admitted wish becomes; `stamp` is (instant, order id).

    A reduce-only order may match no more than the position it closes.
    """
    now_ns, order_id = stamp
    held_cc = max(-wish.side.sign * account.net_cc(wish.ticker), 0)
    return LiveOrder(
        order_id=order_id,
        client_order_id=wish.client_order_id,
        account=account.account_id,
        ticker=wish.ticker,
        side=wish.side,
        price_ticks=wish.price_ticks,
        initial_cc=wish.size_cc,
        open_cc=min(wish.size_cc, held_cc) if wish.reduce_only else wish.size_cc,
        tif=wish.tif,
        self_trade=wish.self_trade,
        exchange_index=listing.contract.exchange_index,
        created_ns=now_ns,
        updated_ns=now_ns,
        post_only=wish.post_only,
        reduce_only=wish.reduce_only,
        cancel_on_pause=wish.cancel_on_pause,
        expire_ns=wish.expire_ns,
        subaccount=account.subaccount,
        group_id=wish.group_id,
    )
