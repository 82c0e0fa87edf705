"""Small floors, markets and orders for the tests of the exchange."""

from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side, TimeInForce
from fairstrike.core.timing import HOUR_NS, SECOND_NS
from fairstrike.exchange.accounts import AccountView
from fairstrike.exchange.floor import AmendOrder, Floor, FloorParams, Placed, PlaceOrder, Rejection
from fairstrike.exchange.happenings import SelfTrade
from fairstrike.exchange.matching import LiveOrder

OPEN_NS = 1_000 * HOUR_NS
CLOSE_NS = OPEN_NS + HOUR_NS
TICKER = "KXBTCD-T100.99"
DOLLARS = 1_000_000
BID, ASK = Side.BID, Side.ASK
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def contract(ticker: str = TICKER, *, floor_e8: int | None = 10_099_000_000) -> Contract:
    """An hourly "above 100.99" market."""
    return Contract(
        ticker=ticker,
        event_ticker="KXBTCD",
        series="KXBTCD",
        asset="BTC",
        comparison=Comparison.ABOVE,
        open_ns=OPEN_NS,
        close_ns=CLOSE_NS,
        floor_e8=floor_e8,
        exchange_index=2,
    )


def open_floor(*accounts: str, dollars: int = 1_000, params: FloorParams | None = None) -> Floor:
    """A floor at the opening of its one market, with accounts of `dollars` each; nothing told yet."""
    floor = Floor(params=params, now_ns=OPEN_NS - SECOND_NS)
    floor.list_market(contract(), FeeSchedule(), 0, OPEN_NS - SECOND_NS)
    for name in accounts:
        floor.open_account(name, key_id=f"key of {name}", balance_ud=dollars * DOLLARS)
    floor.advance(OPEN_NS)
    floor.drain()
    return floor


def wish(
    side: Side,
    price_ticks: int,
    size_cc: int,
    *,
    tif: TimeInForce = GTC,
    client_order_id: str | None = None,
    post_only: bool = False,
    reduce_only: bool = False,
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS,
    expire_ns: int | None = None,
    exchange_index: int | None = None,
    ticker: str = TICKER,
    cancel_on_pause: bool = False,
    subaccount: int = 0,
    group_id: str | None = None,
) -> PlaceOrder:
    """A request on the one market."""
    return PlaceOrder(
        ticker=ticker,
        side=side,
        price_ticks=price_ticks,
        size_cc=size_cc,
        tif=tif,
        client_order_id=client_order_id,
        post_only=post_only,
        reduce_only=reduce_only,
        self_trade=self_trade,
        expire_ns=expire_ns,
        exchange_index=exchange_index,
        cancel_on_pause=cancel_on_pause,
        subaccount=subaccount,
        group_id=group_id,
    )


def change(
    side: Side, price_ticks: int, total_cc: int, *, expire_ns: int | None = None, new_id: str | None = None
) -> AmendOrder:
    """A request to amend an order of the one market."""
    return AmendOrder(
        ticker=TICKER,
        side=side,
        price_ticks=price_ticks,
        total_cc=total_cc,
        expire_ns=expire_ns,
        new_client_order_id=new_id,
    )


def take(floor: Floor, account: str, request: PlaceOrder) -> Placed:
    """Place what must be taken, at the floor's own instant."""
    answer = floor.place(account, request, floor.now_ns)
    assert isinstance(answer, Placed), answer
    return answer


def refused(floor: Floor, account: str, request: PlaceOrder) -> Rejection:
    """Place what must be refused, at the floor's own instant."""
    answer = floor.place(account, request, floor.now_ns)
    assert isinstance(answer, Rejection), answer
    return answer


def money(floor: Floor, account: str) -> AccountView:
    """The money of an account that exists."""
    view = floor.account(account)
    assert view is not None
    return view


def position_cc(floor: Floor, account: str) -> int:
    """The net position in the one market."""
    return {each.ticker: each.net_cc for each in floor.positions(account)}.get(TICKER, 0)


def live(
    number: int,
    account: str,
    side: Side,
    price_ticks: int,
    size_cc: int,
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS,
) -> LiveOrder:
    """An order as the book sees it."""
    return LiveOrder(
        order_id=f"order {number}",
        client_order_id=None,
        account=account,
        ticker=TICKER,
        side=side,
        price_ticks=price_ticks,
        initial_cc=size_cc,
        open_cc=size_cc,
        tif=GTC,
        self_trade=self_trade,
        exchange_index=2,
        created_ns=0,
        updated_ns=0,
    )
