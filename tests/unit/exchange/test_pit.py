"""Amends: what keeps its place in the queue, what may trade, what is refused; and other lives of orders."""

import pytest

from fairstrike.core.contract import PriceRange
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange.admission import IOC_MISSED
from fairstrike.exchange.floor import Amended, AmendOrder, Floor, FloorParams, Rejection
from fairstrike.exchange.happenings import LevelChanged, OrderChanged, OrderStatus, SelfTrade, UpdateReason
from tests.unit.exchange.floor_samples import (
    ASK,
    BID,
    FOK,
    IOC,
    OPEN_NS,
    TICKER,
    change,
    money,
    open_floor,
    refused,
    take,
    wish,
)


def amended(floor: Floor, account: str, order_id: str, request: AmendOrder) -> Amended:
    answer = floor.amend(account, order_id, request, floor.now_ns)
    assert isinstance(answer, Amended), answer
    return answer


def queue(floor: Floor, *order_ids: str) -> list[int | None]:
    return [floor.queue_cc(order_id) for order_id in order_ids]


def two_bids() -> tuple[Floor, str, str]:
    """A floor with two bids of 100 at 40 cents, first that of a, then that of b."""
    floor = open_floor("a", "b", "c")
    first = take(floor, "a", wish(BID, 4_000, 100, client_order_id="one")).order.order_id
    second = take(floor, "b", wish(BID, 4_000, 100)).order.order_id
    floor.drain()
    return floor, first, second


@pytest.mark.parametrize(
    ("expected", "request_"),
    [
        ([0, 60], change(BID, 4_000, 60)),
        ([0, 100], change(BID, 4_000, 100)),
        ([0, 100], change(BID, 4_000, 100, expire_ns=OPEN_NS + MINUTE_NS)),
        ([0, 60], change(BID, 4_000, 60, expire_ns=OPEN_NS + MINUTE_NS)),
        ([100, 0], change(BID, 4_000, 101)),
        ([100, 0], change(BID, 3_900, 100)),
        ([0, 100], change(BID, 4_100, 100)),
    ],
)
def test_place_in_the_queue_after(expected: list[int], request_: AmendOrder) -> None:
    floor, first, second = two_bids()
    amended(floor, "a", first, request_)
    assert queue(floor, first, second) == expected


def test_a_price_there_and_back_loses_the_place() -> None:
    floor, first, second = two_bids()
    amended(floor, "a", first, change(BID, 3_900, 100))
    amended(floor, "a", first, change(BID, 4_000, 100))
    assert queue(floor, first, second) == [100, 0]


def test_the_count_is_what_filled_and_what_shall_remain() -> None:
    floor, first, _ = two_bids()
    take(floor, "c", wish(ASK, 4_000, 30))
    done = amended(floor, "a", first, change(BID, 4_000, 80))
    assert (done.order.filled_cc, done.order.remaining_cc, done.order.initial_cc) == (30, 50, 80)
    assert (done.filled_cc, done.is_resized, floor.queue_cc(first)) == (0, True, 0)
    grown = amended(floor, "a", first, change(BID, 4_000, 130))
    assert (grown.order.remaining_cc, floor.queue_cc(first)) == (100, 100)


@pytest.mark.parametrize("total_cc", [30, 29])
def test_a_count_of_no_more_than_what_filled_ends_the_order(total_cc: int) -> None:
    floor, first, second = two_bids()
    take(floor, "c", wish(ASK, 4_000, 30))
    done = amended(floor, "a", first, change(BID, 4_100, total_cc))
    assert (done.order.status, done.order.reason) == (OrderStatus.CANCELED, UpdateReason.AMEND)
    assert (done.order.filled_cc, done.order.remaining_cc, done.is_resized) == (30, 0, True)
    assert queue(floor, first, second) == [None, 0]


def test_an_amend_that_crosses_trades_as_a_taker_at_the_resting_price() -> None:
    floor = open_floor("a", "b")
    order_id = take(floor, "a", wish(BID, 4_000, 100)).order.order_id
    take(floor, "b", wish(ASK, 4_500, 60))
    done = amended(floor, "a", order_id, change(BID, 4_600, 100))
    assert (done.filled_cc, done.filled_value_ud, done.order.remaining_cc) == (60, 60 * 4_500, 40)
    assert done.fee_ud == done.order.taker_fees_ud > 0
    assert done.order.reason is UpdateReason.TRADE
    assert floor.levels(TICKER, BID) == ((4_600, 40),)


def test_an_amend_can_fill_whole() -> None:
    floor = open_floor("a", "b")
    order_id = take(floor, "a", wish(BID, 4_000, 100)).order.order_id
    take(floor, "b", wish(ASK, 4_500, 100))
    done = amended(floor, "a", order_id, change(BID, 4_500, 100))
    assert (done.order.status, done.order.remaining_cc) == (OrderStatus.EXECUTED, 0)
    assert money(floor, "a").reserved_ud == 0


def test_the_fee_accumulator_survives_from_maker_to_taker() -> None:
    floor = open_floor("a", "b")
    floor.change_grid(TICKER, (PriceRange(start_ticks=0, end_ticks=10_000, step_ticks=10),), OPEN_NS)
    order_id = take(floor, "a", wish(BID, 4_010, 100)).order.order_id
    take(floor, "b", wish(ASK, 4_010, 1))
    # A hundredth at 0.4010 costs 4010 microdollars; the balance falls by 4100.
    assert [fill.fee_ud for fill in floor.fills("a")] == [90]
    take(floor, "b", wish(ASK, 4_510, 1))
    # Fee 174 and rounding 16 make 190; the accumulator, 90 + 16, gives one step of 100 back.
    assert amended(floor, "a", order_id, change(BID, 4_510, 100)).fee_ud == 90


def test_what_is_told_of_a_move_and_of_a_smaller_size() -> None:
    floor, first, _ = two_bids()
    amended(floor, "a", first, change(BID, 3_900, 120))
    told = floor.drain()
    levels = [(h.price_ticks, h.delta_cc, h.account) for h in told if isinstance(h, LevelChanged)]
    assert levels == [(4_000, -100, "a"), (3_900, 120, "a")]
    assert [h.reason for h in told if isinstance(h, OrderChanged)] == [UpdateReason.AMEND]
    amended(floor, "a", first, change(BID, 3_900, 70))
    told = floor.drain()
    assert [(h.price_ticks, h.delta_cc) for h in told if isinstance(h, LevelChanged)] == [(3_900, -50)]
    assert [h.reason for h in told if isinstance(h, OrderChanged)] == [UpdateReason.AMEND]


def test_the_expiry_moves_both_ways() -> None:
    floor, first, second = two_bids()
    amended(floor, "a", first, change(BID, 4_000, 100, expire_ns=OPEN_NS + 10))
    amended(floor, "a", first, change(BID, 4_000, 100, expire_ns=OPEN_NS + 20))
    floor.advance(OPEN_NS + 15)
    assert queue(floor, first, second) == [0, 100]
    amended(floor, "a", first, change(BID, 4_000, 100, expire_ns=OPEN_NS + 17))
    floor.advance(OPEN_NS + 17)
    assert queue(floor, first, second) == [None, 0]
    order = floor.order("a", first)
    assert order is not None
    assert order.reason is UpdateReason.EXPIRY_CANCEL


def test_an_amended_client_order_id_is_used_up_as_the_old_one_is() -> None:
    floor, first, _ = two_bids()
    amended(floor, "a", first, change(BID, 4_000, 100, new_id="two"))
    for name in ("one", "two"):
        assert refused(floor, "a", wish(BID, 1_000, 1, client_order_id=name)).code == "order_already_exists"
    amended(floor, "a", first, change(BID, 4_000, 90, new_id="two"))


def test_collateral_is_asked_for_the_new_size_alone() -> None:
    floor = open_floor("a", dollars=50)
    order_id = take(floor, "a", wish(BID, 5_000, 9_000)).order.order_id
    locked_ud = money(floor, "a").reserved_ud
    answer = floor.amend("a", order_id, change(BID, 5_000, 10_000), OPEN_NS)
    assert isinstance(answer, Rejection)
    assert answer.code == "insufficient_balance"
    assert (floor.open_cc(order_id), money(floor, "a").reserved_ud) == (9_000, locked_ud)
    amended(floor, "a", order_id, change(BID, 4_000, 11_000))
    assert money(floor, "a").reserved_ud > 44_000_000


def test_a_post_only_order_may_not_be_amended_into_a_match() -> None:
    floor = open_floor("a", "b")
    order_id = take(floor, "a", wish(BID, 4_000, 100, post_only=True)).order.order_id
    take(floor, "b", wish(ASK, 4_500, 100))
    answer = floor.amend("a", order_id, change(BID, 4_500, 100), OPEN_NS)
    assert isinstance(answer, Rejection)
    assert answer.details == "post only cross"
    assert floor.queue_cc(order_id) == 0


def test_a_post_only_order_amended_into_a_match_ends_by_the_switch() -> None:
    floor = open_floor("a", "b", params=FloorParams(is_post_only_cross_accepted=True))
    order_id = take(floor, "a", wish(BID, 4_000, 100, post_only=True)).order.order_id
    take(floor, "b", wish(ASK, 4_500, 100))
    done = amended(floor, "a", order_id, change(BID, 4_500, 100))
    assert (done.order.status, done.order.reason) == (OrderStatus.CANCELED, UpdateReason.POST_ONLY_CROSS_CANCEL)
    assert floor.levels(TICKER, ASK) == ((4_500, 100),)


@pytest.mark.parametrize(("self_trade", "left"), [(SelfTrade.TAKER_AT_CROSS, (0, 50)), (SelfTrade.MAKER, (100, 0))])
def test_an_amend_prevents_trades_with_oneself(self_trade: SelfTrade, left: tuple[int, int]) -> None:
    floor = open_floor("a")
    own = take(floor, "a", wish(ASK, 4_500, 50)).order.order_id
    moving = take(floor, "a", wish(BID, 4_000, 100, self_trade=self_trade)).order.order_id
    amended(floor, "a", moving, change(BID, 4_500, 100))
    assert (floor.open_cc(moving), floor.open_cc(own)) == left


def test_only_what_rests_can_be_amended_by_its_owner() -> None:
    floor, first, _ = two_bids()
    for account, order_id in (("b", first), ("a", "none")):
        answer = floor.amend(account, order_id, change(BID, 4_000, 50), OPEN_NS)
        assert isinstance(answer, Rejection)
        assert (answer.status, answer.code) == (404, "not_found")


def test_an_ioc_that_meets_nothing_is_refused_by_the_switch_and_its_id_is_gone() -> None:
    floor = open_floor("a", params=FloorParams(is_ioc_miss_refused=True))
    assert refused(floor, "a", wish(BID, 4_000, 100, tif=IOC, client_order_id="x")) == IOC_MISSED
    assert refused(floor, "a", wish(BID, 4_000, 100, client_order_id="x")).code == "order_already_exists"
    take(floor, "a", wish(ASK, 4_100, 100))
    take(floor, "a", wish(BID, 4_100, 100, tif=FOK))


def test_cancel_all_reaches_a_minute_ahead_by_the_switch() -> None:
    floor = open_floor("a", params=FloorParams(cancel_all_reach_ns=MINUTE_NS))
    floor.cancel_all("a", OPEN_NS)
    early = floor.place("a", wish(BID, 4_000, 100), OPEN_NS + 59 * SECOND_NS)
    assert not isinstance(early, Rejection)
    floor.advance(OPEN_NS + MINUTE_NS)
    assert floor.open_cc(early.order.order_id) == 0
    late = take(floor, "a", wish(BID, 4_000, 100))
    floor.advance(OPEN_NS + 5 * MINUTE_NS)
    assert floor.open_cc(late.order.order_id) == 100
