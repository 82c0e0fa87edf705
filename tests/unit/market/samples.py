"""Contracts, books and prints with everything but what a test is about filled in."""

from fairstrike.core.contract import CENT_GRID, Comparison, Contract, PriceRange
from fairstrike.core.events import BookDelta, BookSnapshot, ContractListed, Level, TickerSeen
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Intent, Order, OrderState, Side, TimeInForce

T = "KXBTCD-26MAY1417-T80000"
SECOND = 1_000_000_000
MS = 1_000_000


def contract(
    ticker: str = T,
    floor: int | None = 80_000,
    close_s: int = 36_000,
    comparison: Comparison = Comparison.ABOVE,
    series: str = "KXBTCD",
    grid: tuple[PriceRange, ...] = CENT_GRID,
) -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker=f"{series}-26MAY1417",
        series=series,
        asset="BTC",
        comparison=comparison,
        open_ns=0,
        close_ns=close_s * SECOND,
        floor_e8=None if floor is None else floor * 10**8,
        grid=grid,
    )


def listed(
    contract: Contract, status: str = "active", volume: int = 0, schedule: FeeSchedule | None = None
) -> ContractListed:
    return ContractListed(
        contract=contract, schedule=schedule or FeeSchedule(), status=status, volume_24h_cc=volume, recv_ns=0
    )


def snapshot(
    bids: tuple[Level, ...] = ((4_000, 500),),
    asks: tuple[Level, ...] = ((4_200, 700),),
    at: int = 0,
    venue: int | None = None,
    ticker: str = T,
) -> BookSnapshot:
    return BookSnapshot(ticker=ticker, bids=bids, asks=asks, recv_ns=at, venue_ns=venue)


def delta(is_bid: bool, price: int, change: int, at: int = 0, venue: int | None = None, ticker: str = T) -> BookDelta:
    return BookDelta(ticker=ticker, is_bid=is_bid, price_ticks=price, delta_cc=change, recv_ns=at, venue_ns=venue)


def seen(bid: int | None, ask: int | None, at: int, ticker: str = T, venue: int | None = None) -> TickerSeen:
    return TickerSeen(ticker=ticker, bid_ticks=bid, ask_ticks=ask, volume_cc=0, recv_ns=at, venue_ns=venue)


def own(side: Side, price: int, size: int, state: OrderState = OrderState.RESTING) -> Order:
    return Order(
        client_order_id="c",
        strategy="s",
        ticker=T,
        side=side,
        price_ticks=price,
        size_cc=size,
        tif=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        intent=Intent.OPEN,
        state=state,
        created_ns=0,
    )
