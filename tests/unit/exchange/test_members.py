"""Subaccounts: money moves between them without a trace lost, and each settles for itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange.floor import Floor, Rejection, Transfer
from fairstrike.exchange.happenings import BalanceChanged, Filled, OrderChanged
from fairstrike.exchange.members import SUBACCOUNTS_MAX
from tests.unit.exchange.floor_samples import ASK, BID, CLOSE_NS, DOLLARS, OPEN_NS, open_floor, take, wish


def move(floor: Floor, number: int, source: int, target: int, amount_ud: int) -> Transfer | Rejection:
    wanted = Transfer(
        instant_ns=floor.now_ns, transfer_id=str(number), source=source, target=target, amount_ud=amount_ud
    )
    return floor.transfer("a", wanted)


def balances(floor: Floor) -> list[int]:
    return [view.balance_ud for view in floor.subaccounts("a")]


def test_numbers_count_up_for_each_account_to_the_maximum() -> None:
    floor = open_floor("a", "b")
    assert [floor.open_subaccount("a") for _ in range(3)] == [1, 2, 3]
    assert floor.open_subaccount("b") == 1
    for _ in range(SUBACCOUNTS_MAX - 3):
        assert not isinstance(floor.open_subaccount("a"), Rejection)
    assert isinstance(floor.open_subaccount("a"), Rejection)


def test_a_transfer_tells_both_balances() -> None:
    floor = open_floor("a")
    floor.open_subaccount("a")
    move(floor, 1, 0, 1, 5 * DOLLARS)
    told = [(h.subaccount, h.balance_ud) for h in floor.drain() if isinstance(h, BalanceChanged)]
    assert told == [(0, 995 * DOLLARS), (1, 5 * DOLLARS)]


MOVES = st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 4), st.integers(-10, 1_200 * DOLLARS))


@given(st.lists(MOVES, max_size=30))
def test_transfers_keep_the_sum_and_never_overdraw(moves: list[tuple[int, int, int, int]]) -> None:
    floor = open_floor("a")
    for _ in range(3):
        floor.open_subaccount("a")
    total_ud = floor.total_ud()
    for each in moves:
        move(floor, *each)
        assert sum(balances(floor)) == total_ud == floor.total_ud()
        assert min(balances(floor)) >= 0
    assert len({row.transfer_id for row in floor.transfers("a")}) == len(floor.transfers("a"))


def test_private_news_name_the_subaccount() -> None:
    floor = open_floor("a", "b")
    floor.open_subaccount("a")
    move(floor, 1, 0, 1, 100 * DOLLARS)
    take(floor, "b", wish(ASK, 4_000, 100))
    floor.drain()
    take(floor, "a", wish(BID, 4_000, 100, subaccount=1))
    told = floor.drain()
    assert [(h.account, h.subaccount) for h in told if isinstance(h, Filled)] == [("b", 0), ("a", 1)]
    assert [(h.account, h.order.subaccount) for h in told if isinstance(h, OrderChanged)] == [("b", 0), ("a", 1)]


@pytest.mark.parametrize(("value_e8", "paid_ud"), [(10_100_000_000, DOLLARS), (0, 0)])
def test_each_subaccount_settles_its_own_position(value_e8: int, paid_ud: int) -> None:
    floor = open_floor("a", "b")
    floor.open_subaccount("a")
    move(floor, 1, 0, 1, 100 * DOLLARS)
    take(floor, "b", wish(ASK, 4_000, 300))
    take(floor, "a", wish(BID, 4_000, 100, subaccount=1))
    take(floor, "a", wish(BID, 4_000, 200))
    before = balances(floor)
    for second in range(CLOSE_NS // SECOND_NS - 60, CLOSE_NS // SECOND_NS):
        floor.publish_index("BTC", second, value_e8, second * SECOND_NS)
    floor.advance(CLOSE_NS + 2 * MINUTE_NS)
    assert balances(floor) == [before[0] + 2 * paid_ud, before[1] + paid_ud]
    assert [(row.subaccount, row.yes_cc) for row in floor.settlements("a")] == [(0, 200), (1, 100)]
    assert floor.now_ns > OPEN_NS
