"""Drive an exchange with `pykalshi` 2.0: REST and its stream.

    fairstrike exchange --json --speed 40 > box.json &
    python drive_pykalshi.py box.json

The client is told an address and a key, and is used as it is published. Its stream's address is no option: it stands
in `pykalshi.feed`, and this example sets it there. Its cancels, decreases and order groups name neither market nor
shard, so orders of crypto markets are not found by them, here and at the venue; its own `delete` and `post` can name
the market.
"""

import queue
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pykalshi.feed
from pykalshi import CandlestickPeriod, KalshiClient, MarketStatus, OrderStatus, TimeInForce
from pykalshi.exceptions import KalshiAPIError, ResourceNotFoundError
from pykalshi.feed import Feed, FillMessage, OrderbookDeltaMessage, OrderbookSnapshotMessage
from steps import PATIENCE_S, Filled, check, is_two_sided, patience, read_box, spent, taker_fees_hold

SERIES = "KXBTC15M"
WRITES = "/portfolio/events/orders"


def main() -> None:
    box = read_box()
    pykalshi.feed.DEFAULT_WS_BASE = box.ws
    with KalshiClient(api_key_id=box.key_id, private_key_path=box.private_key, api_base=box.rest) as client:
        ticker = look_around(client)
        balance = Decimal(client.portfolio.get_balance().balance) / 100
        check("balance", balance == box.balance, balance)
        fills: queue.Queue[FillMessage] = queue.Queue()
        feed = client.feed()
        feed.on("fill", fills.put)
        feed.subscribe("fill")
        with feed:
            watch_the_book(feed, ticker)
            change_an_order(client, ticker)
            change_many(client, ticker)
            bought = [*take(client, fills, ticker), *make(client, fills, ticker)]
        hold_to_settlement(client, ticker, balance, bought)


def look_around(client: KalshiClient) -> str:
    """Read what is listed and wait until the 15-minute market has both sides."""
    check("exchange", client.exchange.is_trading(), "open")
    series = client.get_series(SERIES)
    check("series", series.ticker == SERIES, series.title)
    for _ in patience("market"):
        markets = client.get_markets(series_ticker=SERIES, status=MarketStatus.OPEN)
        if markets and is_two_sided(markets[0].yes_bid_dollars, markets[0].yes_ask_dollars):
            break
        time.sleep(0.2)
    market = markets[0]
    is_active = market.status is MarketStatus.ACTIVE
    check("market", is_active, f"{market.ticker} {market.yes_bid_dollars}/{market.yes_ask_dollars}")
    event = market.get_event()
    check("event", event.series_ticker == SERIES, event.title)
    book = market.get_orderbook()
    check("book", Decimal(book.spread) > 0, f"best YES {book.best_yes_bid}, best NO {book.best_no_bid}")
    trades = market.get_trades(limit=5)
    check("trades", all(trade.ticker == market.ticker for trade in trades), f"{len(trades)} read")
    return market.ticker


def watch_the_book(feed: Feed, ticker: str) -> None:
    """Subscribe to the market's book: a snapshot of both sides, then changes of it."""
    frames: queue.Queue[object] = queue.Queue()
    feed.on("orderbook_delta", frames.put)
    feed.subscribe("orderbook_delta", market_ticker=ticker)
    snapshot = frames.get(timeout=PATIENCE_S)
    is_whole = isinstance(snapshot, OrderbookSnapshotMessage) and snapshot.yes_dollars
    check("snapshot", bool(is_whole), f"{len(snapshot.yes_dollars)} levels of YES")
    delta = frames.get(timeout=PATIENCE_S)
    is_delta = isinstance(delta, OrderbookDeltaMessage)
    check("delta", is_delta and delta.market_ticker == ticker, f"{delta.side} {delta.price_dollars} {delta.delta_fp}")
    feed.unsubscribe("orderbook_delta", market_ticker=ticker)


def change_an_order(client: KalshiClient, ticker: str) -> None:
    """Place far from the market, amend, decrease, cancel; a second cancel finds nothing."""
    order = rest(client, ticker, "5.00")
    check("place", (order.status, order.remaining_count_fp) == (OrderStatus.RESTING, "5.00"), order.order_id)
    resting = client.portfolio.get_orders(ticker=ticker, status=OrderStatus.RESTING)
    check("orders", [found.order_id for found in resting] == [order.order_id], f"{len(resting)} resting")
    order.amend(price_dollars="0.02", count_fp="6.00")
    check("amend", order.remaining_count_fp == "6.00", f"{order.remaining_count_fp} left")
    (place,) = client.portfolio.get_queue_positions(market_tickers=[ticker])
    check("queue", place.order_id == order.order_id, place.queue_position_fp)
    path = f"{WRITES}/{order.order_id}"
    decreased = client.post(f"{path}/decrease", {"reduce_by": "2.00", "market_ticker": ticker})
    check("decrease", decreased["remaining_count"] == "4.00", f"{decreased['remaining_count']} left")
    check("cancel without a market", is_not_found(order.cancel), 404)
    canceled = client.delete(f"{path}?market_ticker={ticker}")
    check("cancel", canceled["reduced_by"] == "4.00", f"by {canceled['reduced_by']}")
    check("cancel again", is_not_found(lambda: client.delete(f"{path}?market_ticker={ticker}")), 404)


def change_many(client: KalshiClient, ticker: str) -> None:
    """A batch of which one order is refused, which the client leaves out of its answer; a batch of cancels."""
    prices = ("0.01", "0.02", "0.505")
    wish = {"ticker": ticker, "book_side": "bid", "count_fp": "1.00"}
    placed = client.portfolio.batch_place_orders([wish | {"price_dollars": price} for price in prices])
    check("batch", [order.status for order in placed] == [OrderStatus.RESTING] * 2, f"{len(placed)} of {len(prices)}")
    names = [{"order_id": order.order_id, "market_ticker": ticker} for order in placed]
    canceled = client.delete(f"{WRITES}/batched", {"orders": names})["orders"]
    check("batch cancel", [answer["reduced_by"] for answer in canceled] == ["1.00", "1.00"], "both")
    shard = client.get(f"/markets/{ticker}")["market"]["exchange_index"]
    group = client.post("/portfolio/order_groups/create", {"contracts_limit": 10, "exchange_index": shard})
    rest(client, ticker, "1.00", order_group_id=group["order_group_id"])
    client.delete(f"/portfolio/order_groups/{group['order_group_id']}?exchange_index={shard}")
    left = client.portfolio.get_orders(ticker=ticker, status=OrderStatus.RESTING)
    check("order group", not left, "deleted, and its order with it")


def take(client: KalshiClient, fills: "queue.Queue[FillMessage]", ticker: str) -> list[Filled]:
    """Buy two contracts from those who rest and hear it on the stream; post-only may not do that."""
    before = available(client)
    terms = {"book_side": "bid", "price_dollars": "0.99", "count_fp": "2.00"}
    try:
        client.portfolio.place_order(ticker, post_only=True, **terms)
        check("post only", False, "crossed")
    except KalshiAPIError as refusal:
        check("post only", refusal.status_code == 400, refusal.status_code)
    order = client.portfolio.place_order(ticker, time_in_force=TimeInForce.IOC, **terms)
    check("take", (order.status, order.fill_count_fp) == (OrderStatus.EXECUTED, "2.00"), order.fill_count_fp)
    bought = filled(client, fills, order.order_id, as_taker=True)
    check("fee", taker_fees_hold(bought), [str(fill.fee) for fill in bought])
    paid = before - available(client)
    check("paid", paid == spent(bought), paid)
    (position,) = client.portfolio.get_positions(ticker=ticker)
    check("position", position.position_fp == "2.00", position.position_fp)
    return bought


def make(client: KalshiClient, fills: "queue.Queue[FillMessage]", ticker: str) -> list[Filled]:
    """Rest far from the market, then be its best buyer until someone sells to us: whenever outbid, amend."""
    order = rest(client, ticker, "1.00")
    bid = Decimal("0.01")
    for _ in patience("make"):
        if client.portfolio.get_fills(order_id=order.order_id):
            break
        better = best_bid(client, ticker)
        if better > bid:
            try:
                order.amend(price_dollars=f"{better:.4f}", count_fp="1.00")
                bid = better
            except KalshiAPIError:
                continue  # The market moved under the price, or the order was filled: look again.
        time.sleep(0.1)
    bought = filled(client, fills, order.order_id, as_taker=False)
    check("make", not any(fill.fee for fill in bought), f"filled at {bought[0].price}, no fee")
    return bought


def hold_to_settlement(client: KalshiClient, ticker: str, balance: Decimal, bought: list[Filled]) -> None:
    """Wait until the market is paid out; the balance is what the fills and the result make of it."""
    for _ in patience("settle"):
        market = client.get_market(ticker)
        if market.status is MarketStatus.FINALIZED:
            break
        time.sleep(0.2)
    check("settle", market.result in ("yes", "no"), f"{market.result} at {market.expiration_value}")
    start, end = (int(datetime.fromisoformat(text).timestamp()) for text in (market.open_time, market.close_time))
    candles = market.get_candlesticks(start, end, CandlestickPeriod.ONE_MINUTE).candlesticks
    traded = sum(Decimal(candle.volume_fp) for candle in candles)
    check("candles", traded == Decimal(market.volume_fp), f"{traded} contracts in {len(candles)} minutes")
    (settlement,) = client.portfolio.get_settlements(ticker=ticker)
    held = sum(fill.count for fill in bought)
    revenue = 100 * held if market.result == "yes" else 0
    check("settlement", (settlement.revenue, settlement.market_result) == (revenue, market.result), settlement.revenue)
    final = available(client)
    check("final balance", final == balance - spent(bought) + Decimal(revenue) / 100, final)
    check("positions", not client.portfolio.get_positions(ticker=ticker), "none left")


def rest(client: KalshiClient, ticker: str, count: str, **more: str) -> pykalshi.Order:
    """A bid for YES at one cent."""
    return client.portfolio.place_order(
        ticker, book_side="bid", price_dollars="0.01", count_fp=count, post_only=True, **more
    )


def filled(client: KalshiClient, fills: "queue.Queue[FillMessage]", order_id: str, *, as_taker: bool) -> list[Filled]:
    """An order's fills, as REST and the stream both tell them."""
    read = client.portfolio.get_fills(order_id=order_id)
    told = [fills.get(timeout=PATIENCE_S) for _ in read]
    are_alike = {fill.trade_id for fill in read} == {fill.trade_id for fill in told}
    check("fill", are_alike and {fill.is_taker for fill in read} == {as_taker}, f"{len(told)} heard and read")
    return [
        Filled(Decimal(fill.count_fp), Decimal(fill.yes_price_dollars), Decimal(fill.fee_cost_dollars)) for fill in read
    ]


def available(client: KalshiClient) -> Decimal:
    """The balance in dollars to its last digit, which the client's own model leaves out."""
    return Decimal(client.get("/portfolio/balance")["balance_dollars"])


def best_bid(client: KalshiClient, ticker: str) -> Decimal:
    """The best bid, a cent better where that does not cross."""
    market = client.get_market(ticker)
    bid, ask = Decimal(market.yes_bid_dollars), Decimal(market.yes_ask_dollars)
    return bid + Decimal("0.01") if ask - bid > Decimal("0.01") else bid


def is_not_found(request: Callable[[], object]) -> bool:
    """Whether a request is answered with 404."""
    try:
        request()
    except ResourceNotFoundError:
        return True
    return False


if __name__ == "__main__":
    main()
