"""Drive an exchange with `kalshi-sdk` 22.4: REST and stream (Python >= 3.12).

    fairstrike exchange --json --speed 40 > box.json &
    python drive_kalshi_sdk.py box.json

The client is told two addresses and a key, and is used as it is published; it accepts plain http and ws on the
loopback address only. Two habits of its stream to know: it cannot read the snapshot of a book with one side only, which
the venue sends without the other side's key, and may subscribe anew without end, so subscribe to markets that have both
sides; and while it waits for a new subscription it drops frames of older ones, so subscribe to books last, or, as
here, on a connection of their own.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from kalshi import (
    AmendOrderV2Request,
    AsyncKalshiClient,
    BatchCancelOrdersV2Request,
    BatchCancelOrdersV2RequestOrder,
    BatchCreateOrdersV2Request,
    CreateOrderV2Request,
    DecreaseOrderV2Request,
    KalshiAuth,
    KalshiConfig,
    KalshiNotFoundError,
    KalshiValidationError,
)
from kalshi.ws import KalshiWebSocket
from steps import PATIENCE_S, Filled, check, is_two_sided, patience, read_box, spent, taker_fees_hold

SERIES = "KXBTC15M"
CENT = Decimal("0.01")


async def main() -> None:
    box = read_box()
    config = KalshiConfig(base_url=box.rest, ws_base_url=box.ws)
    auth = KalshiAuth.from_key_path(box.key_id, box.private_key)
    async with (
        AsyncKalshiClient(key_id=box.key_id, private_key_path=box.private_key, config=config) as client,
        KalshiWebSocket(auth=auth, config=config).connect() as stream,
    ):
        ticker = await look_around(client)
        balance = await client.portfolio.balance()
        check("balance", balance.balance_dollars == box.balance, balance.balance_dollars)
        async with KalshiWebSocket(auth=auth, config=config).connect() as books:
            await watch_the_book(books, ticker)
        fills, orders = await stream.subscribe_fill(), await stream.subscribe_user_orders()
        life = await stream.subscribe_market_lifecycle(tickers=[ticker])
        await change_an_order(client, orders, ticker)
        await change_many(client, ticker)
        bought = [*await take(client, fills, ticker, box.balance), *await make(client, fills, ticker)]
        await hold_to_settlement(client, life, ticker, box.balance, bought)


async def look_around(client: AsyncKalshiClient) -> str:
    """Read what is listed and wait until the 15-minute market has both sides."""
    status = await client.exchange.status()
    check("exchange", status.exchange_active and status.trading_active, "open")
    listed = [series.ticker for series in await client.series.list()]
    check("series", SERIES in listed, listed)
    for _ in patience("market"):
        markets = (await client.markets.list(series_ticker=SERIES, status="open")).items
        if markets and is_two_sided(markets[0].yes_bid, markets[0].yes_ask):
            break
        await asyncio.sleep(0.2)
    market = markets[0]
    check("market", market.status == "active", f"{market.ticker} {market.yes_bid}/{market.yes_ask}")
    event = await client.events.get(market.event_ticker, with_nested_markets=True)
    check("event", market.ticker in [nested.ticker for nested in event.markets or []], event.title)
    book = await client.markets.orderbook(market.ticker)
    check("book", book.yes[-1].price + book.no[-1].price < 1, f"best YES {book.yes[-1].price}")
    trades = (await client.markets.list_trades(ticker=market.ticker, limit=5)).items
    check("trades", all(trade.ticker == market.ticker for trade in trades), f"{len(trades)} read")
    return market.ticker


async def watch_the_book(stream: KalshiWebSocket, ticker: str) -> None:
    """Subscribe to the market's book: a snapshot of both sides, then changes of it."""
    frames = await stream.subscribe_orderbook_delta(tickers=[ticker])
    snapshot = await heard("snapshot", frames)
    both = bool(snapshot.msg.yes) and bool(snapshot.msg.no)
    check("snapshot", snapshot.type == "orderbook_snapshot" and both, f"{len(snapshot.msg.yes)} levels of YES")
    deltas = [await heard("deltas", frames) for _ in range(3)]
    numbers = [delta.seq for delta in deltas]
    check("deltas", numbers == [snapshot.seq + 1, snapshot.seq + 2, snapshot.seq + 3], f"numbered {numbers}")


async def change_an_order(client: AsyncKalshiClient, orders: AsyncIterator[Any], ticker: str) -> None:
    """Place far from the market, amend, decrease, cancel; a second cancel finds nothing."""
    order = await client.orders.create_v2(request=wish(ticker, "first", "5", CENT, post_only=True))
    check("place", (order.fill_count, order.remaining_count) == (0, 5), order.order_id)
    told = await heard("user order", orders)
    check("user order", (told.msg.order_id, told.msg.status) == (order.order_id, "resting"), told.msg.status)
    resting = (await client.orders.list(ticker=ticker, status="resting")).items
    check("orders", [found.order_id for found in resting] == [order.order_id], f"{len(resting)} resting")
    change = AmendOrderV2Request(ticker=ticker, side="bid", price=2 * CENT, count=Decimal(6))
    amended = await client.orders.amend_v2(order.order_id, request=change)
    check("amend", amended.remaining_count == 6, f"{amended.remaining_count} left")
    less = DecreaseOrderV2Request(reduce_by=Decimal(2), market_ticker=ticker)
    decreased = await client.orders.decrease_v2(order.order_id, request=less)
    check("decrease", decreased.remaining_count == 4, f"{decreased.remaining_count} left")
    (queue,) = await client.orders.queue_positions(market_tickers=[ticker])
    check("queue", queue.order_id == order.order_id, queue.queue_position)
    canceled = await client.orders.cancel_v2(order.order_id, market_ticker=ticker)
    check("cancel", canceled.reduced_by == 4, f"by {canceled.reduced_by}")
    try:
        await client.orders.cancel_v2(order.order_id, market_ticker=ticker)
        check("cancel again", False, "accepted")
    except KalshiNotFoundError as refusal:
        check("cancel again", True, refusal.status_code)


async def change_many(client: AsyncKalshiClient, ticker: str) -> None:
    """A batch of which one order is refused; a batch of cancels; an order group that cancels what is in it."""
    prices = (CENT, 2 * CENT, Decimal("0.5050"))
    wishes = [wish(ticker, f"batch {price}", "1", price) for price in prices]
    answers = (await client.orders.batch_create_v2(request=BatchCreateOrdersV2Request(orders=wishes))).orders
    placed = [answer.order_id for answer in answers if answer.order_id and not answer.error]
    check("batch", [bool(answer.error) for answer in answers] == [False, False, True], answers[2].error)
    gone = [BatchCancelOrdersV2RequestOrder(order_id=order_id, market_ticker=ticker) for order_id in placed]
    canceled = await client.orders.batch_cancel_v2(request=BatchCancelOrdersV2Request(orders=gone))
    check("batch cancel", [answer.reduced_by for answer in canceled.orders] == [1, 1], "both")
    shard = (await client.markets.get(ticker)).exchange_index
    group = await client.order_groups.create(contracts_limit=10, exchange_index=shard)
    await client.orders.create_v2(request=wish(ticker, "grouped", "1", CENT, order_group_id=group.order_group_id))
    await client.order_groups.delete(group.order_group_id, exchange_index=shard)
    left = (await client.orders.list(ticker=ticker, status="resting")).items
    check("order group", not left, "deleted, and its order with it")


async def take(client: AsyncKalshiClient, fills: AsyncIterator[Any], ticker: str, balance: Decimal) -> list[Filled]:
    """Buy two contracts from those who rest, hear it on the stream, see it paid for; post-only may not do that."""
    try:
        await client.orders.create_v2(request=wish(ticker, "crossing", "2", 99 * CENT, post_only=True))
        check("post only", False, "crossed")
    except KalshiValidationError as refusal:
        check("post only", True, refusal.status_code)
    request = wish(ticker, "taking", "2", 99 * CENT, time_in_force="immediate_or_cancel")
    order = await client.orders.create_v2(request=request)
    check("take", order.fill_count == 2, f"{order.fill_count} at {order.average_fill_price}")
    bought = await filled(client, fills, order.order_id, as_taker=True)
    check("fee", taker_fees_hold(bought), [str(fill.fee) for fill in bought])
    paid = balance - (await client.portfolio.balance()).balance_dollars
    check("paid", paid == spent(bought), paid)
    (position,) = (await client.portfolio.positions(ticker=ticker)).market_positions
    check("position", position.position == 2, position.position)
    return bought


async def make(client: AsyncKalshiClient, fills: AsyncIterator[Any], ticker: str) -> list[Filled]:
    """Rest far from the market, then be its best buyer until someone sells to us: whenever outbid, amend."""
    order = await client.orders.create_v2(request=wish(ticker, "making", "1", CENT, post_only=True))
    bid = CENT
    for _ in patience("make"):
        if (await client.portfolio.fills(order_id=order.order_id)).items:
            break
        better = await best_bid(client, ticker)
        if better > bid:
            change = AmendOrderV2Request(ticker=ticker, side="bid", price=better, count=Decimal(1))
            try:
                await client.orders.amend_v2(order.order_id, request=change)
                bid = better
            except (KalshiValidationError, KalshiNotFoundError):
                continue  # The market moved under the price, or the order was filled: look again.
        await asyncio.sleep(0.1)
    bought = await filled(client, fills, order.order_id, as_taker=False)
    check("make", not any(fill.fee for fill in bought), f"filled at {bought[0].price}, no fee")
    return bought


async def hold_to_settlement(
    client: AsyncKalshiClient, life: AsyncIterator[Any], ticker: str, balance: Decimal, bought: list[Filled]
) -> None:
    """Wait for the stream's word that the market is paid out; the balance is what fills and result make of it."""
    while (news := await heard("settle", life)).msg.event_type != "settled":
        check("life", news.msg.market_ticker == ticker, news.msg.event_type)
    market = await client.markets.get(ticker)
    check("settle", market.status == "finalized", f"{market.result} at {market.expiration_value}")
    start, end = int(market.open_time.timestamp()), int(market.close_time.timestamp())
    candles = await client.markets.candlesticks(SERIES, ticker, start_ts=start, end_ts=end, period_interval=1)
    traded = sum(candle.volume for candle in candles)
    check("candles", traded == market.volume, f"{traded} contracts in {len(candles)} minutes")
    (settlement,) = (await client.portfolio.settlements(ticker=ticker)).items
    held = sum(fill.count for fill in bought)
    revenue = 100 * held if market.result == "yes" else 0
    check("settlement", (settlement.revenue, settlement.market_result) == (revenue, market.result), settlement.revenue)
    final = (await client.portfolio.balance()).balance_dollars
    check("final balance", final == balance - spent(bought) + Decimal(revenue) / 100, final)
    check("positions", not (await client.portfolio.positions(ticker=ticker)).market_positions, "none left")


def wish(ticker: str, name: str, count: str, price: Decimal, **more: Any) -> CreateOrderV2Request:
    """A bid for YES that rests unless told otherwise."""
    terms = {"time_in_force": "good_till_canceled", "self_trade_prevention_type": "maker"} | more
    return CreateOrderV2Request(
        ticker=ticker, client_order_id=name, side="bid", count=Decimal(count), price=price, **terms
    )


async def heard(step: str, frames: AsyncIterator[Any]) -> Any:
    """The next frame of a subscription."""
    try:
        return await asyncio.wait_for(anext(frames), PATIENCE_S)
    except TimeoutError:
        check(step, False, f"nothing heard for {PATIENCE_S:.0f} s")


async def filled(
    client: AsyncKalshiClient, frames: AsyncIterator[Any], order_id: str, *, as_taker: bool
) -> list[Filled]:
    """An order's fills, as REST and the stream both tell them."""
    read = (await client.portfolio.fills(order_id=order_id)).items
    told = [(await heard("fill", frames)).msg for _ in read]
    are_alike = {fill.trade_id for fill in read} == {fill.trade_id for fill in told}
    check("fill", are_alike and {fill.is_taker for fill in told} == {as_taker}, f"{len(told)} heard and read")
    return [Filled(fill.count, fill.yes_price, fill.fee_cost) for fill in read]


async def best_bid(client: AsyncKalshiClient, ticker: str) -> Decimal:
    """The best bid, a cent better where that does not cross."""
    market = await client.markets.get(ticker)
    return market.yes_bid + CENT if market.yes_ask - market.yes_bid > CENT else market.yes_bid


if __name__ == "__main__":
    asyncio.run(main())
