"""Views, scenes and orders with everything but what a test is about filled in."""

import msgspec

from fairstrike.core.contract import CENT_GRID, Comparison, Contract, PriceRange
from fairstrike.core.events import Level
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Intent, Order, OrderState, Position, Side, Signal, TimeInForce, Withdraw
from fairstrike.core.regime import Regime, RegimeSeen, VolLevel
from fairstrike.market.book import Book
from fairstrike.market.index import Reference
from fairstrike.market.view import MarketView
from fairstrike.strategy.base import Strategy, Wish
from fairstrike.strategy.scene import Scene

T = "KXBTCD-26MAY1417-T80000"
BID, ASK = Side.BID, Side.ASK
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
FREE = FeeSchedule(taker_ppm=0)
NOW = 1_000 * SECOND


def contract(
    ticker: str = T,
    comparison: Comparison = Comparison.ABOVE,
    floor: int = 80_000,
    grid: tuple[PriceRange, ...] = CENT_GRID,
    series: str = "KXBTCD",
) -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker="KXBTCD-26MAY1417",
        series=series,
        asset="BTC",
        comparison=comparison,
        open_ns=0,
        close_ns=36_000 * SECOND,
        floor_e8=floor * 10**8,
        grid=grid,
    )


def reference(dollars: int = 80_000) -> Reference:
    return Reference(value_e8=dollars * 10**8, sd_e8=0, source="official", at_ns=NOW)


def view(
    bids: tuple[Level, ...] = ((4_000, 5_000),),
    asks: tuple[Level, ...] = ((4_200, 5_000),),
    p_fair: float | None = 0.5,
    **changes: object,
) -> MarketView:
    """A market an hour before its close; `changes` are fields of `MarketView`. A position is each strategy's own."""
    position = changes.get("position")
    if isinstance(position, Position):
        shares = dict.fromkeys(("taker", "market_maker", "momentum_scalp"), position.net_cc)
        changes = {"shares": shares, **changes}
    plain = MarketView(
        contract=contract(),
        schedule=FeeSchedule(),
        is_open=True,
        volume_24h_cc=0,
        now_ns=NOW,
        closes_in_ns=HOUR,
        book=Book(bids, asks),
        p_fair=p_fair,
        reference=reference(),
        position=Position(ticker=T),
        working=(),
    )
    return msgspec.structs.replace(plain, **changes)


def regime(regime: Regime) -> RegimeSeen:
    return RegimeSeen(asset="BTC", source="official", regime=regime, level=VolLevel.MEDIUM)


def held(net_cc: int) -> Position:
    return Position(ticker=T, net_cc=net_cc)


def order(
    strategy: str,
    side: Side = BID,
    price: int = 4_000,
    size: int = 1_000,
    state: OrderState = OrderState.RESTING,
    created_ns: int = NOW,
    key: str = "k",
) -> Order:
    return Order(
        client_order_id=key,
        strategy=strategy,
        ticker=T,
        side=side,
        price_ticks=price,
        size_cc=size,
        tif=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        intent=Intent.OPEN,
        state=state,
        created_ns=created_ns,
    )


def consider(strategy: Strategy, *views: MarketView, among: tuple[MarketView, ...] = ()) -> list[Wish]:
    """The wishes for woken `views`; `among` are further markets of the scene."""
    by_ticker = {one.contract.ticker: one for one in (*views, *among)}
    scene = Scene(
        NOW,
        by_ticker.__getitem__,
        lambda group: tuple(one.contract for one in by_ticker.values() if one.contract.group == group),
        lambda asset, close_ns, now_ns: None,
    )
    scene.woken = tuple(one.contract.ticker for one in views)
    return strategy.consider(scene)


def signals(wishes: list[Wish]) -> list[Signal]:
    return [wish for wish in wishes if isinstance(wish, Signal)]


def withdrawn(wishes: list[Wish]) -> list[str]:
    return [wish.client_order_id for wish in wishes if isinstance(wish, Withdraw)]
