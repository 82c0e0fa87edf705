"""What may be asked of the floor, what it answers, and the rules that an order must pass before matching.

Expected refusals are values. Codes and statuses are the venue's where they were seen; `invalid_order` with a
sentence in `details` stands in where only the rule is known.
"""

import msgspec

from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.happenings import OrderSnapshot, SelfTrade
from fairstrike.exchange.listings import Listing, MarketStatus
from fairstrike.exchange.matching import LiveOrder

ORDERS_MAX = 200_000


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


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The order was taken. `order` is its state after matching.

    `filled_value_ud` is YES price × size summed over its fills, `fee_ud` their fees.
    """

    instant_ns: int
    order: OrderSnapshot
    filled_value_ud: int
    fee_ud: int


class Reduced(msgspec.Struct, frozen=True, kw_only=True):
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
MARKET_INACTIVE = Rejection(status=400, code="market_inactive", message="market is not active")
INSUFFICIENT_BALANCE = Rejection(status=400, code="insufficient_balance", message="insufficient balance")
POST_ONLY_CROSS = _invalid("post only cross")
FOK_KILLED = Rejection(
    status=409,
    code="fill_or_kill_insufficient_resting_volume",
    message="fill or kill order found insufficient resting volume",
)
ORDER_EXISTS = Rejection(status=409, code="order_already_exists", message="order already exists")
INVALID_PRICE = Rejection(status=400, code="invalid_price", message="invalid price")
INVALID_SIZE = Rejection(status=400, code="invalid_order_size", message="invalid order size")


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
    if wish.expire_ns is not None and wish.expire_ns <= now_ns:
        return _invalid("expiration_time is in the past")
    if wish.post_only and not is_resting_kind:
        return _invalid("post_only needs good_till_canceled")
    if wish.reduce_only and wish.tif is not TimeInForce.IOC:
        return _invalid("reduce_only needs immediate_or_cancel")
    if max(len(account.orders), len(account.used_client_ids)) >= ORDERS_MAX:
        return _invalid("the account's order history is full; start the exchange anew")
    return None


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
    )
