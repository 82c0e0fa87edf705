"""Signals, orders and the venue's words, with everything but what a test is about filled in."""

from fairstrike.core.events import OrderAcked, OrderFilled, OrderReported, OrdersRead
from fairstrike.core.order import Approved, Intent, Order, OrderState, Side, Signal, TimeInForce

TICKER = "KXBTC15M-26MAY140030-30"
BID, ASK = Side.BID, Side.ASK
GTC, IOC = TimeInForce.GTC, TimeInForce.IOC
SECOND = 1_000_000_000


def signal(
    side: Side = BID, price: int = 5_000, size: int = 1_000, tif: TimeInForce = GTC, ticker: str = TICKER
) -> Signal:
    return Signal(
        strategy="taker",
        ticker=ticker,
        side=side,
        price_ticks=price,
        size_cc=size,
        intent=Intent.OPEN,
        tif=tif,
        post_only=False,
        edge_ppm=10_000,
        confidence_ppm=500_000,
        reason="a test",
    )


def approved(
    side: Side = BID, price: int = 5_000, size: int = 1_000, tif: TimeInForce = GTC, ticker: str = TICKER
) -> Approved:
    return Approved(signal=signal(side, price, size, tif, ticker), reduce_only=False)


def order(state: OrderState, key: str = "a", created_ns: int = 0, final: int | None = None) -> Order:
    return Order(
        client_order_id=key,
        strategy="taker",
        ticker=TICKER,
        side=BID,
        price_ticks=5_000,
        size_cc=1_000,
        tif=GTC,
        post_only=False,
        reduce_only=False,
        intent=Intent.OPEN,
        state=state,
        created_ns=created_ns,
        final_cc=final,
    )


def fill(
    trade: str,
    size: int,
    key: str | None = None,
    order_id: str = "v1",
    side: Side = BID,
    price: int = 5_000,
    fee: int = 100,
    ticker: str = TICKER,
) -> OrderFilled:
    return OrderFilled(
        trade_id=trade,
        order_id=order_id,
        client_order_id=key,
        ticker=ticker,
        side=side,
        price_ticks=price,
        size_cc=size,
        fee_ud=fee,
        is_taker=False,
        recv_ns=0,
    )


def acked(key: str, filled: int, remaining: int, order_id: str = "v1", recv_ns: int = 0) -> OrderAcked:
    return OrderAcked(client_order_id=key, order_id=order_id, filled_cc=filled, remaining_cc=remaining, recv_ns=recv_ns)


def reported(key: str, status: str, filled: int = 0, order_id: str = "v1", recv_ns: int = 0) -> OrderReported:
    return OrderReported(
        client_order_id=key,
        order_id=order_id,
        ticker=TICKER,
        side=BID,
        price_ticks=5_000,
        status=status,
        filled_cc=filled,
        remaining_cc=1_000 - filled if status == "resting" else 0,
        recv_ns=recv_ns,
    )


def listed(asked_ns: int, *orders: OrderReported, recv_ns: int | None = None) -> OrdersRead:
    return OrdersRead(orders=orders, asked_ns=asked_ns, recv_ns=asked_ns if recv_ns is None else recv_ns)
