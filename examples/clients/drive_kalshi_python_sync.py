"""Drive an exchange with the official client, `kalshi_python_sync` 3.34 (REST only, Python >= 3.13).

    fairstrike exchange --json --speed 40 > box.json &
    python drive_kalshi_python_sync.py box.json

The client is told an address and a key, and is used as it is published. One line a step; exit code 0 when every
answer was what it must be.
"""

import time
from decimal import Decimal
from pathlib import Path

from kalshi_python_sync import Configuration, KalshiClient
from kalshi_python_sync.exceptions import BadRequestException, NotFoundException
from steps import Filled, check, is_two_sided, patience, read_box, spent, taker_fees_hold

SERIES = "KXBTC15M"
RESTING = {"time_in_force": "good_till_canceled", "self_trade_prevention_type": "maker"}
AT_ONCE = {"time_in_force": "immediate_or_cancel", "self_trade_prevention_type": "maker"}


def main() -> None:
    box = read_box()
    settings = Configuration(host=box.rest)
    settings.api_key_id = box.key_id
    settings.private_key_pem = Path(box.private_key).read_text("ascii")
    client = KalshiClient(settings)
    ticker = look_around(client)
    balance = client.get_balance()
    check("balance", Decimal(balance.balance_dollars) == box.balance, balance.balance_dollars)
    change_an_order(client, ticker)
    change_many(client, ticker)
    bought = [*take(client, ticker, box.balance), *make(client, ticker)]
    hold_to_settlement(client, ticker, box.balance, bought)


def look_around(client: KalshiClient) -> str:
    """Read what is listed and wait until the 15-minute market has both sides."""
    status = client.get_exchange_status()
    check("exchange", status.exchange_active and status.trading_active, "open")
    listed = [series.ticker for series in client.get_series_list().series]
    check("series", SERIES in listed, listed)
    for _ in patience("market"):
        markets = client.get_markets(series_ticker=SERIES, status="open").markets
        if markets and is_two_sided(markets[0].yes_bid_dollars, markets[0].yes_ask_dollars):
            break
        time.sleep(0.2)
    market = markets[0]
    check("market", market.status == "active", f"{market.ticker} {market.yes_bid_dollars}/{market.yes_ask_dollars}")
    event = client.get_event(market.event_ticker).event
    check("event", event.series_ticker == SERIES, event.title)
    book = client.get_market_orderbook(market.ticker).orderbook_fp
    best_yes, best_no = Decimal(book.yes_dollars[-1][0]), Decimal(book.no_dollars[-1][0])
    check("book", best_yes + best_no < 1, f"best YES {best_yes}, best NO {best_no}")
    trades = client.get_trades(ticker=market.ticker, limit=5).trades
    check("trades", all(trade.ticker == market.ticker for trade in trades), f"{len(trades)} read")
    return market.ticker


def change_an_order(client: KalshiClient, ticker: str) -> None:
    """Place far from the market, amend, decrease, cancel; a second cancel finds nothing."""
    order = client.create_order_v2(
        ticker=ticker, side="bid", count="5", price="0.0100", post_only=True, client_order_id="first", **RESTING
    )
    check("place", (order.fill_count, order.remaining_count) == ("0.00", "5.00"), order.order_id)
    resting = [found.order_id for found in client.get_orders(ticker=ticker, status="resting").orders]
    check("orders", resting == [order.order_id], f"{len(resting)} resting")
    amended = client.amend_order_v2(order.order_id, ticker=ticker, side="bid", price="0.0200", count="6")
    check("amend", amended.remaining_count == "6.00", f"{amended.remaining_count} left")
    decreased = client.decrease_order_v2(order.order_id, reduce_by="2", market_ticker=ticker)
    check("decrease", decreased.remaining_count == "4.00", f"{decreased.remaining_count} left")
    queue = client.get_order_queue_positions(market_tickers=ticker).queue_positions
    check("queue", [place.order_id for place in queue] == [order.order_id], queue[0].queue_position_fp)
    canceled = client.cancel_order_v2(order.order_id, market_ticker=ticker)
    check("cancel", canceled.reduced_by == "4.00", f"by {canceled.reduced_by}")
    try:
        client.cancel_order_v2(order.order_id, market_ticker=ticker)
        check("cancel again", False, "accepted")
    except NotFoundException as refusal:
        check("cancel again", True, refusal.status)


def change_many(client: KalshiClient, ticker: str) -> None:
    """A batch of which one order is refused; a batch of cancels; an order group that cancels what is in it."""
    sound = {"ticker": ticker, "side": "bid", "count": "1", **RESTING}
    wishes = [sound | {"price": price} for price in ("0.0100", "0.0200", "0.5050")]
    answers = client.batch_create_orders_v2(orders=wishes).orders
    placed = [answer.order_id for answer in answers if answer.error is None]
    check("batch", [answer.error is None for answer in answers] == [True, True, False], answers[2].error.code)
    canceled = client.batch_cancel_orders_v2(orders=[{"order_id": name, "market_ticker": ticker} for name in placed])
    check("batch cancel", [answer.reduced_by for answer in canceled.orders] == ["1.00", "1.00"], "both")
    shard = client.get_market(ticker).market.exchange_index
    group = client.create_order_group(contracts_limit=10, exchange_index=shard).order_group_id
    client.create_order_v2(order_group_id=group, price="0.0100", **sound)
    client.trigger_order_group(group, exchange_index=shard)
    left = client.get_orders(ticker=ticker, status="resting").orders
    check("order group", not left, "triggered, its order is gone")
    client.delete_order_group(group, exchange_index=shard)


def take(client: KalshiClient, ticker: str, balance: Decimal) -> list[Filled]:
    """Buy two contracts from those who rest, and see them paid for; a post-only order may not do that."""
    wish = {"ticker": ticker, "side": "bid", "count": "2", "price": "0.9900"}
    try:
        client.create_order_v2(post_only=True, **wish, **RESTING)
        check("post only", False, "crossed")
    except BadRequestException as refusal:
        check("post only", True, refusal.status)
    order = client.create_order_v2(**wish, **AT_ONCE)
    check("take", order.fill_count == "2.00", f"{order.fill_count} at {order.average_fill_price}")
    bought = filled(client, order.order_id, as_taker=True)
    check("fee", taker_fees_hold(bought), [str(fill.fee) for fill in bought])
    paid = balance - Decimal(client.get_balance().balance_dollars)
    check("paid", paid == spent(bought), paid)
    (position,) = client.get_positions(ticker=ticker).market_positions
    check("position", position.position_fp == "2.00", position.position_fp)
    return bought


def make(client: KalshiClient, ticker: str) -> list[Filled]:
    """Rest far from the market, then be its best buyer until someone sells to us: whenever outbid, amend."""
    order = client.create_order_v2(ticker=ticker, side="bid", count="1", price="0.0100", post_only=True, **RESTING)
    bid = "0.0100"
    for _ in patience("make"):
        if client.get_fills(order_id=order.order_id).fills:
            break
        better = best_bid(client, ticker)
        if better > bid:
            try:
                client.amend_order_v2(order.order_id, ticker=ticker, side="bid", price=better, count="1")
                bid = better
            except (BadRequestException, NotFoundException):
                continue  # The market moved under the price, or the order was filled: look again.
        time.sleep(0.1)
    bought = filled(client, order.order_id, as_taker=False)
    check("make", not any(fill.fee for fill in bought), f"filled at {bought[0].price}, no fee")
    return bought


def hold_to_settlement(client: KalshiClient, ticker: str, balance: Decimal, bought: list[Filled]) -> None:
    """Wait until the market is paid out; the balance is what the fills and the result make of it."""
    for _ in patience("settle"):
        market = client.get_market(ticker).market
        if market.status == "finalized":
            break
        time.sleep(0.2)
    check("settle", market.result in ("yes", "no"), f"{market.result} at {market.expiration_value}")
    span = int(market.open_time.timestamp()), int(market.close_time.timestamp())
    candles = client.get_market_candlesticks(SERIES, ticker, *span, 1).candlesticks
    traded = sum(Decimal(candle.volume_fp) for candle in candles)
    check("candles", traded == Decimal(market.volume_fp), f"{traded} contracts in {len(candles)} minutes")
    (settlement,) = client.get_settlements(ticker=ticker).settlements
    held = sum(fill.count for fill in bought)
    revenue = 100 * held if market.result == "yes" else 0
    check("settlement", (settlement.revenue, settlement.market_result) == (revenue, market.result), settlement.revenue)
    final = Decimal(client.get_balance().balance_dollars)
    check("final balance", final == balance - spent(bought) + Decimal(revenue) / 100, final)
    check("positions", not client.get_positions(ticker=ticker).market_positions, "none left")


def filled(client: KalshiClient, order_id: str, *, as_taker: bool) -> list[Filled]:
    fills = client.get_fills(order_id=order_id).fills
    check("fills", {fill.is_taker for fill in fills} == {as_taker}, f"{len(fills)} of {order_id}")
    return [Filled(Decimal(fill.count_fp), Decimal(fill.yes_price_dollars), Decimal(fill.fee_cost)) for fill in fills]


def best_bid(client: KalshiClient, ticker: str) -> str:
    """The best bid, a cent better where that does not cross."""
    market = client.get_market(ticker).market
    bid, ask = Decimal(market.yes_bid_dollars), Decimal(market.yes_ask_dollars)
    return f"{bid + Decimal('0.01') if ask - bid > Decimal('0.01') else bid:.4f}"


if __name__ == "__main__":
    main()
