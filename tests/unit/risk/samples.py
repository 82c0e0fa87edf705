"""Signals, views and exposures with everything but what a test is about filled in."""

import msgspec

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Intent, Order, OrderState, Position, Side, Signal, TimeInForce
from fairstrike.market.book import Book
from fairstrike.market.index import Reference
from fairstrike.market.view import MarketView
from fairstrike.risk.limits import Exposure

T = "KXBTCD-26MAY1417-T80000"
BID, ASK = Side.BID, Side.ASK
SECOND = 1_000_000_000
NOW = 1_000 * SECOND
DOLLAR = 1_000_000


def contract(ticker: str = T, close_s: int = 36_000, asset: str = "BTC") -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker="e",
        series="KXBTCD",
        asset=asset,
        comparison=Comparison.ABOVE,
        open_ns=0,
        close_ns=close_s * SECOND,
        floor_e8=1,
    )


def view(**changes: object) -> MarketView:
    """A market without fees, 0.40 bid and 0.42 offered; `changes` are fields of `MarketView`."""
    plain = MarketView(
        contract=contract(),
        schedule=FeeSchedule(taker_ppm=0),
        is_open=True,
        volume_24h_cc=0,
        now_ns=NOW,
        closes_in_ns=3_600 * SECOND,
        book=Book([(4_000, 1)], [(4_200, 1)]),
        p_fair=0.5,
        reference=Reference(value_e8=1, sd_e8=0, source="official", at_ns=NOW),
        position=Position(ticker=T),
        working=(),
    )
    return msgspec.structs.replace(plain, **changes)


def signal(
    side: Side = BID, price: int = 4_000, size: int = 100, intent: Intent = Intent.OPEN, **changes: object
) -> Signal:
    plain = Signal(
        strategy="taker",
        ticker=T,
        side=side,
        price_ticks=price,
        size_cc=size,
        intent=intent,
        tif=TimeInForce.IOC,
        post_only=False,
        edge_ppm=1,
        confidence_ppm=1,
        reason="a test",
    )
    return msgspec.structs.replace(plain, **changes)


def order(
    side: Side = ASK,
    price: int = 5_000,
    size: int = 100,
    intent: Intent = Intent.OPEN,
    ticker: str = T,
    filled: int = 0,
    state: OrderState = OrderState.RESTING,
) -> Order:
    return Order(
        client_order_id="k",
        strategy="market_maker",
        ticker=ticker,
        side=side,
        price_ticks=price,
        size_cc=size,
        tif=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        intent=intent,
        state=state,
        created_ns=0,
        filled_cc=filled,
    )


def exposure(**changes: object) -> Exposure:
    """Nothing at stake with a hundred dollars."""
    plain = Exposure(
        equity_day_ud=100 * DOLLAR,
        cash_start_ud=100 * DOLLAR,
        available_ud=100 * DOLLAR,
        strike_ud=0,
        group_ud=0,
        total_ud=0,
        markets=frozenset(),
        key="g",
    )
    return msgspec.structs.replace(plain, **changes)
