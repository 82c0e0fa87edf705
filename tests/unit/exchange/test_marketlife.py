"""Pauses of markets and shards, and changes of grid and fees while orders rest."""

import msgspec
import pytest

from fairstrike.core.contract import CENT_GRID, PriceRange
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import HOUR_NS, SECOND_NS
from fairstrike.exchange.floor import Floor, MarketStatus, Placed, Rejection, ShardState
from fairstrike.exchange.happenings import (
    FeesChanged,
    GridChanged,
    MarketDeactivated,
    MarketReactivated,
    OrderChanged,
    ShardChanged,
    UpdateReason,
)
from tests.unit.exchange.floor_samples import (
    ASK,
    BID,
    CLOSE_NS,
    OPEN_NS,
    TICKER,
    change,
    contract,
    money,
    open_floor,
    position_cc,
    refused,
    take,
    wish,
)

DECI_GRID = (PriceRange(start_ticks=0, end_ticks=10_000, step_ticks=10),)


def reasons(floor: Floor) -> list[UpdateReason | None]:
    return [each.reason for each in floor.drain() if isinstance(each, OrderChanged)]


def two_orders() -> tuple[Floor, str, str]:
    """A floor with an order that goes on a pause and one that stays."""
    floor = open_floor("a", "b")
    goes = take(floor, "a", wish(BID, 4_000, 100, cancel_on_pause=True)).order.order_id
    stays = take(floor, "a", wish(ASK, 6_000, 100)).order.order_id
    floor.drain()
    return floor, goes, stays


def test_a_market_pause_ends_what_asked_for_it_and_reactivation_the_rest() -> None:
    floor, goes, stays = two_orders()
    assert floor.deactivate(TICKER, OPEN_NS)
    assert (floor.open_cc(goes), floor.open_cc(stays)) == (0, 100)
    told = floor.drain()
    assert isinstance(told[0], MarketDeactivated)
    assert [h.reason for h in told if isinstance(h, OrderChanged)] == [UpdateReason.HALT_CANCEL]
    assert not floor.deactivate(TICKER, OPEN_NS)
    assert floor.reactivate(TICKER, OPEN_NS)
    told = floor.drain()
    assert isinstance(told[-1], MarketReactivated)
    assert [h.reason for h in told if isinstance(h, OrderChanged)] == [UpdateReason.HALT_CANCEL]
    assert money(floor, "a").reserved_ud == 0
    assert not floor.reactivate(TICKER, OPEN_NS)
    take(floor, "a", wish(BID, 4_000, 100))


def test_a_paused_market_takes_nothing() -> None:
    floor, _, stays = two_orders()
    floor.deactivate(TICKER, OPEN_NS)
    answers = (
        floor.place("a", wish(BID, 4_000, 100), OPEN_NS),
        floor.amend("a", stays, change(ASK, 6_000, 50), OPEN_NS),
        floor.decrease("a", stays, 50, OPEN_NS),
        floor.cancel("a", stays, OPEN_NS),
    )
    assert [each.code for each in answers if isinstance(each, Rejection)] == ["market_inactive"] * 4
    assert floor.cancel_all("a", OPEN_NS) == ()
    view = floor.market(TICKER)
    assert view is not None
    assert (view.status, view.is_trading) == (MarketStatus.INACTIVE, False)


def test_a_paused_market_closes_and_settles_in_time() -> None:
    floor, _, stays = two_orders()
    floor.deactivate(TICKER, OPEN_NS)
    floor.advance(CLOSE_NS + 120 * 10**9)
    view = floor.market(TICKER)
    assert view is not None
    assert (view.status, floor.open_cc(stays)) == (MarketStatus.FINALIZED, 0)
    assert not floor.reactivate(TICKER, floor.now_ns)


def test_paused_trading_takes_cancels_and_decreases_alone() -> None:
    floor, goes, stays = two_orders()
    floor.set_shard(2, ShardState.TRADING_PAUSED, OPEN_NS)
    assert (floor.open_cc(goes), floor.open_cc(stays)) == (0, 100)
    assert refused(floor, "a", wish(BID, 4_000, 100)).code == "trading_is_paused"
    answer = floor.amend("a", stays, change(ASK, 6_000, 50), OPEN_NS)
    assert isinstance(answer, Rejection)
    assert answer.code == "trading_is_paused"
    assert not isinstance(floor.decrease("a", stays, 50, OPEN_NS), Rejection)
    assert [each.reduced_cc for each in floor.cancel_all("a", OPEN_NS)] == [50]


def test_a_paused_exchange_takes_nothing_and_what_stayed_is_there_after_it() -> None:
    floor, goes, stays = two_orders()
    floor.set_shard(2, ShardState.EXCHANGE_PAUSED, OPEN_NS)
    assert floor.open_cc(goes) == 0
    answer = floor.cancel("a", stays, OPEN_NS)
    assert isinstance(answer, Rejection)
    assert (answer.status, answer.code) == (409, "exchange_is_paused")
    assert floor.cancel_all("a", OPEN_NS) == ()
    floor.set_shard(2, ShardState.OPEN, OPEN_NS)
    take(floor, "b", wish(BID, 6_000, 100))
    assert position_cc(floor, "b") == 100


def test_shard_states_are_told_once_and_shards_are_apart() -> None:
    floor, goes, _ = two_orders()
    for state in (ShardState.TRADING_PAUSED, ShardState.TRADING_PAUSED, ShardState.OPEN):
        floor.set_shard(0, state, OPEN_NS)
    told = [(h.exchange_index, h.state) for h in floor.drain() if isinstance(h, ShardChanged)]
    assert told == [(0, ShardState.TRADING_PAUSED), (0, ShardState.OPEN)]
    assert (floor.open_cc(goes), floor.shard_state(2)) == (100, ShardState.OPEN)


def test_a_deeper_pause_ends_no_more_orders() -> None:
    floor, _, stays = two_orders()
    floor.set_shard(2, ShardState.TRADING_PAUSED, OPEN_NS)
    floor.drain()
    floor.set_shard(2, ShardState.EXCHANGE_PAUSED, OPEN_NS)
    assert (reasons(floor), floor.open_cc(stays)) == ([], 100)


def test_a_finer_grid_takes_finer_prices_beside_what_rests() -> None:
    floor, _, _ = two_orders()
    refused(floor, "a", wish(BID, 4_010, 100))
    floor.change_grid(TICKER, DECI_GRID, OPEN_NS)
    (told,) = floor.drain()
    assert isinstance(told, GridChanged)
    take(floor, "a", wish(BID, 4_010, 100))
    assert floor.levels(TICKER, BID) == ((4_010, 100), (4_000, 100))
    floor.change_grid(TICKER, CENT_GRID, OPEN_NS)
    assert floor.levels(TICKER, BID)[0] == (4_010, 100)
    refused(floor, "b", wish(ASK, 4_010, 100))


@pytest.mark.parametrize(("multiplier_ppm", "fee_ud"), [(1_000_000, 17_500), (2_000_000, 35_000), (0, 0)])
def test_new_fees_hold_from_the_next_fill_on(multiplier_ppm: int, fee_ud: int) -> None:
    floor = open_floor("a", "b")
    take(floor, "a", wish(ASK, 5_000, 100))
    floor.change_fees("KXBTCD", FeeSchedule(multiplier_ppm=multiplier_ppm), OPEN_NS)
    assert isinstance(floor.drain()[-1], FeesChanged)
    assert take(floor, "b", wish(BID, 5_000, 100)).fee_ud == fee_ud


def test_fees_that_outgrow_the_cash_end_the_newest_orders() -> None:
    floor = open_floor("a", dollars=100)
    ids = []
    for price_ticks in (4_900, 4_800):
        answer = floor.place("a", wish(BID, price_ticks, 9_900), OPEN_NS)
        assert isinstance(answer, Placed)
        ids.append(answer.order.order_id)
    floor.drain()
    floor.change_fees("KXBTCD", FeeSchedule(multiplier_ppm=2_000_000), OPEN_NS)
    assert [floor.open_cc(order_id) for order_id in ids] == [9_900, 0]
    assert reasons(floor) == [UpdateReason.MARGIN_CANCEL]
    assert money(floor, "a").available_ud >= 0


# Forgetting

SETTLED_NS = CLOSE_NS + 120 * SECOND_NS


def listed_again(floor: Floor, now_ns: int, number: int = 1) -> tuple[str, ...]:
    """The tickers of a floor on which another market is listed at an instant."""
    later = msgspec.structs.replace(contract(f"LATER-{number}"), open_ns=now_ns, close_ns=now_ns + HOUR_NS)
    floor.list_market(later, FeeSchedule(), 0, now_ns)
    return tuple(view.contract.ticker for view in floor.markets())


def test_what_no_client_traded_is_forgotten_six_hours_after_its_settlement() -> None:
    floor = open_floor("a")
    floor.open_account("house", key_id="house", balance_ud=10**12, is_house=True)
    floor.open_account("guest", key_id="guest", balance_ud=10**12, is_house=True)
    take(floor, "house", wish(ASK, 6_000, 100))
    take(floor, "guest", wish(BID, 6_000, 100))
    total_ud = floor.total_ud()
    assert listed_again(floor, SETTLED_NS + 6 * HOUR_NS) == (TICKER, "LATER-1")
    assert listed_again(floor, SETTLED_NS + 6 * HOUR_NS + 1, 2) == ("LATER-1", "LATER-2")
    assert (floor.market(TICKER), floor.trades(), floor.knows(TICKER)) == (None, (), False)
    assert not floor.correct(TICKER, 10_000, floor.now_ns)
    assert floor.total_ud() == total_ud


def test_what_a_client_ordered_is_kept() -> None:
    floor = open_floor("a")
    take(floor, "a", wish(BID, 4_000, 100))
    assert TICKER in listed_again(floor, SETTLED_NS + 7 * HOUR_NS)
    assert [order.ticker for order in floor.orders("a")] == [TICKER]
