"""A target allocation: money goes where it is wanted, what orders lock stays, and nothing is lost."""

import pytest

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.balancing import PERIOD_NS
from fairstrike.exchange.floor import Allocation, Floor, Reservation, ShardState
from tests.unit.exchange.floor_samples import BID, DOLLARS, money, open_floor, take, wish


def spread(floor: Floor) -> dict[int, int]:
    return {each.exchange_index: each.balance_ud for each in money(floor, "a").shards}


def wait(floor: Floor, periods: int = 1) -> None:
    floor.advance(floor.now_ns + periods * PERIOD_NS)


def test_every_period_money_goes_where_it_is_wanted() -> None:
    floor = open_floor("a")
    floor.allocate("a", Allocation(percents={0: 30, 2: 70}), floor.now_ns)
    assert spread(floor) == {2: 1_000 * DOLLARS}
    wait(floor)
    assert spread(floor) == {0: 300 * DOLLARS, 2: 700 * DOLLARS}
    assert floor.total_ud() == 1_000 * DOLLARS


def test_it_ends_with_an_empty_allocation_and_a_new_one_replaces_it() -> None:
    floor = open_floor("a")
    floor.allocate("a", Allocation(percents={0: 100}), floor.now_ns)
    floor.allocate("a", Allocation(percents={1: 100}), floor.now_ns)
    assert floor.allocation("a").percents == {1: 100}
    wait(floor, 2)
    assert spread(floor) == {0: 0, 1: 1_000 * DOLLARS, 2: 0} or spread(floor) == {1: 1_000 * DOLLARS, 2: 0}
    floor.allocate("a", Allocation(), floor.now_ns)
    assert floor.next_due_ns() is not None
    floor.allocate("a", Allocation(percents={2: 100}), floor.now_ns)
    floor.allocate("a", Allocation(), floor.now_ns)
    wait(floor)
    assert spread(floor)[1] == 1_000 * DOLLARS


@pytest.mark.parametrize(
    ("reservation", "on_zero_ud"),
    [
        # 400 dollars of the thousand are locked in one market and stay on shard 2.
        (Reservation.SUM, 300),
        (Reservation.MAX, 300),
        (Reservation.NONE, 500),
    ],
)
def test_what_orders_lock_stays(reservation: Reservation, on_zero_ud: int) -> None:
    floor = open_floor("a")
    take(floor, "a", wish(BID, 4_000, 100_000))
    locked_ud = money(floor, "a").reserved_ud
    floor.allocate("a", Allocation(percents={0: 50, 2: 50}, reservation=reservation), floor.now_ns)
    wait(floor)
    fees_ud = locked_ud - 400 * DOLLARS
    assert spread(floor)[0] == on_zero_ud * DOLLARS - (0 if reservation is Reservation.NONE else fees_ud // 2)


def test_locked_money_does_not_go_even_when_all_is_wanted_elsewhere() -> None:
    floor = open_floor("a")
    take(floor, "a", wish(BID, 4_000, 100_000))
    floor.allocate("a", Allocation(percents={0: 100}, reservation=Reservation.NONE), floor.now_ns)
    wait(floor)
    assert spread(floor)[2] == money(floor, "a").reserved_ud > 0


def test_nothing_moves_while_a_shard_is_paused() -> None:
    floor = open_floor("a")
    floor.allocate("a", Allocation(percents={0: 100}), floor.now_ns)
    floor.set_shard(0, ShardState.EXCHANGE_PAUSED, floor.now_ns)
    wait(floor)
    assert spread(floor) == {2: 1_000 * DOLLARS}
    floor.set_shard(0, ShardState.OPEN, floor.now_ns)
    wait(floor)
    assert spread(floor) == {0: 1_000 * DOLLARS, 2: 0}


def test_what_cannot_be_divided_stays_within_the_account() -> None:
    floor = open_floor("a", dollars=0)
    floor.open_account("odd", key_id="odd", balance_ud=100)
    floor.allocate("odd", Allocation(percents={0: 33, 1: 33, 2: 34}), floor.now_ns)
    floor.advance(floor.now_ns + PERIOD_NS + SECOND_NS)
    assert money(floor, "odd").balance_ud == 100
    assert [each.balance_ud for each in money(floor, "odd").shards] == [33, 33, 34]
