"""What the venue refuses, with its status, code and words."""

from collections.abc import Callable

import msgspec
import pytest

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import SECOND_NS, format_rfc3339
from fairstrike.exchange.accounts import Account
from fairstrike.exchange.admission import EXPIRY_NS_MAX, ORDERS_MAX, refuse
from fairstrike.exchange.floor import AmendOrder, Floor, FloorParams, PlaceOrder, Rejection
from fairstrike.exchange.happenings import OrderStatus, UpdateReason
from fairstrike.exchange.listings import Listing, MarketStatus
from tests.unit.exchange.floor_samples import (
    ASK,
    BID,
    CLOSE_NS,
    FOK,
    GTC,
    IOC,
    OPEN_NS,
    contract,
    open_floor,
    refused,
    take,
    wish,
)

REFUSED = [
    (400, "invalid_price", None, wish(BID, 0, 100)),
    (400, "invalid_price", None, wish(BID, 10_000, 100)),
    (400, "invalid_price", None, wish(BID, -100, 100)),
    (400, "invalid_price", None, wish(BID, 4_050, 100)),
    (400, "invalid_order_size", None, wish(BID, 4_000, 0)),
    (400, "invalid_order_size", None, wish(BID, 4_000, -100)),
    (400, "invalid_order", "expiration_time is in the past", wish(BID, 4_000, 100, expire_ns=OPEN_NS)),
    (
        400,
        "invalid_order",
        "expiration_time is after the year 9999",
        wish(BID, 4_000, 100, expire_ns=EXPIRY_NS_MAX + SECOND_NS),
    ),
    (
        400,
        "invalid_order",
        "client_order_id is longer than 256 characters",
        wish(BID, 4_000, 100, client_order_id="x" * 257),
    ),
    (
        400,
        "invalid_order",
        "expiration_time needs good_till_canceled",
        wish(BID, 4_000, 100, tif=IOC, expire_ns=CLOSE_NS),
    ),
    (
        400,
        "invalid_order",
        "post_only needs good_till_canceled",
        wish(BID, 4_000, 100, tif=IOC, post_only=True),
    ),
    (
        400,
        "invalid_order",
        "reduce_only needs immediate_or_cancel",
        wish(BID, 4_000, 100, reduce_only=True),
    ),
    (404, "not_found", None, wish(BID, 4_000, 100, exchange_index=0)),
    (404, "not_found", None, wish(BID, 4_000, 100, ticker="KXNONE")),
    (400, "insufficient_balance", None, wish(BID, 5_000, 2_000_000)),
    (400, "insufficient_balance", None, wish(ASK, 5_000, 2_000_000)),
]


@pytest.mark.parametrize(("status", "code", "details", "request_"), REFUSED)
def test_refusal(status: int, code: str, details: str | None, request_: PlaceOrder) -> None:
    floor = open_floor("a")
    answer = refused(floor, "a", request_)
    assert (status, code, details) == (answer.status, answer.code, answer.details)
    assert floor.drain() == []
    assert floor.orders("a") == ()


def test_an_amend_is_held_to_what_an_order_is() -> None:
    floor = open_floor("a")
    order = take(floor, "a", wish(BID, 4_000, 100, expire_ns=EXPIRY_NS_MAX, client_order_id="x" * 256)).order
    same = AmendOrder(ticker=order.ticker, side=BID, price_ticks=4_000, total_cc=100)
    for change, details in (
        ({"expire_ns": EXPIRY_NS_MAX + SECOND_NS}, "expiration_time is after the year 9999"),
        ({"new_client_order_id": "y" * 257}, "client_order_id is longer than 256 characters"),
    ):
        answer = floor.amend("a", order.order_id, msgspec.structs.replace(same, **change), OPEN_NS)
        assert isinstance(answer, Rejection)
        assert (answer.status, answer.details) == (400, details)
    assert format_rfc3339(EXPIRY_NS_MAX) == "9999-12-31T23:59:59Z"


def test_right_exchange_index_is_taken() -> None:
    take(open_floor("a"), "a", wish(BID, 4_000, 100, exchange_index=2))


@pytest.mark.parametrize("instant_ns", [OPEN_NS - SECOND_NS, CLOSE_NS, CLOSE_NS + SECOND_NS])
def test_market_is_inactive_before_open_and_from_close(instant_ns: int) -> None:
    floor = open_floor("a") if instant_ns >= OPEN_NS else _unopened()
    answer = floor.place("a", wish(BID, 4_000, 100), instant_ns)
    assert isinstance(answer, Rejection)
    assert (answer.status, answer.code) == (400, "market_inactive")


def _unopened() -> Floor:
    source = open_floor("a")
    floor = Floor(now_ns=OPEN_NS - SECOND_NS)
    market = source.markets()[0]
    floor.list_market(market.contract, market.schedule, 0, OPEN_NS - SECOND_NS)
    floor.open_account("a", key_id="a", balance_ud=10**9)
    return floor


def _rest_and_cancel(floor: Floor) -> None:
    placed = take(floor, "a", wish(BID, 4_000, 100, client_order_id="x"))
    floor.cancel("a", placed.order.order_id, floor.now_ns)


def _kill(floor: Floor) -> None:
    answer = refused(floor, "a", wish(BID, 4_000, 100, tif=FOK, client_order_id="x"))
    assert (answer.status, answer.code) == (409, "fill_or_kill_insufficient_resting_volume")


def _miss(floor: Floor) -> None:
    take(floor, "a", wish(BID, 4_000, 100, tif=IOC, client_order_id="x"))


@pytest.mark.parametrize("use", [_rest_and_cancel, _kill, _miss])
def test_client_order_id_is_used_for_ever(use: Callable[[Floor], None]) -> None:
    floor = open_floor("a", "b")
    use(floor)
    answer = refused(floor, "a", wish(ASK, 6_000, 100, client_order_id="x"))
    assert (answer.status, answer.code) == (409, "order_already_exists")
    take(floor, "b", wish(BID, 4_000, 100, client_order_id="x"))


def test_refused_client_order_id_may_be_used_again() -> None:
    floor = open_floor("a")
    refused(floor, "a", wish(BID, 4_050, 100, client_order_id="x"))
    take(floor, "a", wish(BID, 4_000, 100, client_order_id="x"))


@pytest.mark.parametrize("owner", ["a", "b"])
def test_post_only_cross_is_refused(owner: str) -> None:
    floor = open_floor("a", "b")
    take(floor, owner, wish(ASK, 4_000, 100))
    answer = refused(floor, "a", wish(BID, 4_000, 100, post_only=True))
    assert (answer.status, answer.code, answer.details) == (400, "invalid_order", "post only cross")
    take(floor, "a", wish(BID, 3_900, 100, post_only=True))


def test_post_only_cross_is_taken_and_cancelled_by_the_switch() -> None:
    floor = open_floor("a", "b", params=FloorParams(is_post_only_cross_accepted=True))
    take(floor, "b", wish(ASK, 4_000, 100))
    placed = take(floor, "a", wish(BID, 4_000, 100, post_only=True))
    assert (placed.order.status, placed.order.reason) == (
        OrderStatus.CANCELED,
        UpdateReason.POST_ONLY_CROSS_CANCEL,
    )
    assert (placed.order.filled_cc, placed.order.remaining_cc) == (0, 0)
    assert floor.levels(placed.order.ticker, ASK) == ((4_000, 100),)


def test_reduce_only_takes_no_more_than_the_position() -> None:
    floor = open_floor("a", "b")
    take(floor, "b", wish(ASK, 4_000, 100))
    take(floor, "a", wish(BID, 4_000, 100, tif=GTC))
    take(floor, "b", wish(BID, 3_900, 500))
    placed = take(floor, "a", wish(ASK, 3_900, 300, tif=IOC, reduce_only=True))
    assert (placed.order.filled_cc, placed.order.remaining_cc) == (100, 0)
    assert placed.order.reason is UpdateReason.REDUCE_ONLY_CANCEL
    again = take(floor, "a", wish(ASK, 3_900, 300, tif=IOC, reduce_only=True))
    assert (again.order.filled_cc, again.order.reason) == (0, UpdateReason.REDUCE_ONLY_CANCEL)


def test_full_history_is_refused() -> None:
    account = Account(account_id="a", key_id="a", balance_ud=10**9)
    listing = Listing(contract(), FeeSchedule(), 0, OPEN_NS)
    listing.status = MarketStatus.ACTIVE
    account.used_client_ids = {str(number) for number in range(ORDERS_MAX - 1)}
    assert refuse(account, listing, wish(BID, 4_000, 100), OPEN_NS) is None
    account.used_client_ids.add("one more")
    answer = refuse(account, listing, wish(BID, 4_000, 100), OPEN_NS)
    assert answer is not None
    assert (answer.status, answer.code) == (400, "invalid_order")
