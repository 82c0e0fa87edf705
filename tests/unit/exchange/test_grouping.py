"""Order groups: what counts, when they are triggered, who may change them."""

import pytest

from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.floor import Floor, GroupRef, GroupView, Rejection, ShardState
from fairstrike.exchange.grouping import Grouping
from fairstrike.exchange.happenings import GroupChanged, GroupMove, LevelChanged, OrderChanged, OrderStatus
from tests.unit.exchange.floor_samples import ASK, BID, OPEN_NS, TICKER, change, open_floor, refused, take, wish


def group(floor: Floor, contracts: int = 5, account: str = "a") -> str:
    made = floor.create_group(account, contracts * 100, 2, floor.now_ns)
    assert isinstance(made, GroupView)
    return made.group_id


def ref(group_id: str) -> GroupRef:
    return GroupRef(group_id=group_id, exchange_index=2)


def moves(floor: Floor) -> list[GroupMove]:
    return [each.move for each in floor.drain() if isinstance(each, GroupChanged)]


def test_every_change_is_told() -> None:
    floor = open_floor("a")
    name = group(floor)
    floor.trigger_group("a", ref(name), OPEN_NS)
    floor.reset_group("a", ref(name), OPEN_NS)
    floor.limit_group("a", ref(name), 700, OPEN_NS)
    floor.delete_group("a", ref(name), OPEN_NS)
    expected = (GroupMove.CREATED, GroupMove.TRIGGERED, GroupMove.RESET, GroupMove.LIMIT_UPDATED, GroupMove.DELETED)
    assert tuple(moves(floor)) == expected
    assert floor.groups("a") == ()
    assert isinstance(floor.reset_group("a", ref(name), OPEN_NS), Rejection)


def test_contracts_matched_as_maker_and_as_taker_count_together() -> None:
    floor = open_floor("a", "b")
    name = group(floor)
    take(floor, "a", wish(BID, 4_000, 300, group_id=name))
    take(floor, "b", wish(ASK, 4_000, 300))
    take(floor, "b", wish(ASK, 4_500, 200))
    rests = take(floor, "a", wish(BID, 3_000, 100, group_id=name))
    assert moves(floor) == [GroupMove.CREATED]
    last = take(floor, "a", wish(BID, 4_500, 900, group_id=name))
    told = floor.drain()
    assert [h.move for h in told if isinstance(h, GroupChanged)] == [GroupMove.TRIGGERED]
    assert (last.order.filled_cc, last.order.remaining_cc) == (200, 0)
    assert last.order.status is OrderStatus.CANCELED
    assert floor.open_cc(rests.order.order_id) == 0
    assert refused(floor, "a", wish(BID, 3_000, 100, group_id=name)).code == "order_group_triggered"
    # What rested is told to leave after the trigger, oldest first.
    after = told[next(n for n, h in enumerate(told) if isinstance(h, GroupChanged)) :]
    gone = [h.order.order_id for h in after if isinstance(h, OrderChanged)]
    assert gone == [rests.order.order_id, last.order.order_id]
    assert [h.delta_cc for h in after if isinstance(h, LevelChanged)] == [-100, -700]


@pytest.mark.parametrize(("waited_ns", "is_triggered"), [(15 * SECOND_NS - 1, True), (15 * SECOND_NS, False)])
def test_the_window_rolls(waited_ns: int, is_triggered: bool) -> None:
    floor = open_floor("a", "b")
    name = group(floor)
    for instant_ns in (OPEN_NS, OPEN_NS + waited_ns):
        floor.place("b", wish(ASK, 4_000, 250), instant_ns)
        floor.place("a", wish(BID, 4_000, 250, group_id=name), instant_ns)
    assert floor.groups("a")[0].is_triggered is is_triggered


def test_one_sweep_may_go_beyond_the_limit() -> None:
    floor = open_floor("a", "b")
    name = group(floor)
    take(floor, "b", wish(ASK, 4_000, 2_000))
    assert take(floor, "a", wish(BID, 4_000, 1_500, group_id=name)).order.filled_cc == 1_500
    assert floor.groups("a")[0].is_triggered


def test_a_reset_forgets_what_matched() -> None:
    floor = open_floor("a", "b")
    name = group(floor)
    take(floor, "b", wish(ASK, 4_000, 1_000))
    take(floor, "a", wish(BID, 4_000, 400, group_id=name))
    floor.reset_group("a", ref(name), OPEN_NS)
    take(floor, "a", wish(BID, 4_000, 400, group_id=name))
    assert not floor.groups("a")[0].is_triggered


def test_an_amend_counts_and_keeps_the_group() -> None:
    floor = open_floor("a", "b")
    name = group(floor)
    order_id = take(floor, "a", wish(BID, 3_000, 600, group_id=name)).order.order_id
    floor.amend("a", order_id, change(BID, 3_100, 600), OPEN_NS)
    assert floor.groups("a")[0].order_ids == (order_id,)
    take(floor, "b", wish(ASK, 4_000, 500))
    floor.amend("a", order_id, change(BID, 4_000, 600), OPEN_NS)
    assert floor.groups("a")[0].is_triggered
    assert floor.levels(TICKER, BID) == ()


def test_orders_that_end_leave_the_group() -> None:
    floor = open_floor("a", "b")
    name = group(floor)
    ids = [take(floor, "a", wish(BID, price, 100, group_id=name)).order.order_id for price in (4_000, 3_000, 2_000)]
    take(floor, "b", wish(ASK, 4_000, 100))
    floor.cancel("a", ids[1], OPEN_NS)
    assert floor.groups("a")[0].order_ids == (ids[2],)


def test_a_group_serves_its_owner_and_shard_alone() -> None:
    floor = open_floor("a", "b")
    name = group(floor)
    assert refused(floor, "b", wish(BID, 4_000, 100, group_id=name)).status == 404
    elsewhere = floor.create_group("a", 500, 0, OPEN_NS)
    assert isinstance(elsewhere, GroupView)
    assert refused(floor, "a", wish(BID, 4_000, 100, group_id=elsewhere.group_id)).status == 404
    number = floor.open_subaccount("a")
    assert isinstance(number, int)
    assert refused(floor, "a", wish(BID, 4_000, 100, group_id=name, subaccount=number)).status == 404


def test_a_paused_exchange_changes_no_group() -> None:
    floor = open_floor("a")
    name = group(floor)
    floor.set_shard(2, ShardState.EXCHANGE_PAUSED, OPEN_NS)
    for answer in (floor.trigger_group("a", ref(name), OPEN_NS), floor.create_group("a", 500, 2, OPEN_NS)):
        assert isinstance(answer, Rejection)
        assert answer.code == "exchange_is_paused"


def test_groups_have_a_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = open_floor("a")
    monkeypatch.setattr(f"{Grouping.__module__}.GROUPS_MAX", 2)
    names = [group(floor) for _ in range(2)]
    assert isinstance(floor.create_group("a", 500, 2, OPEN_NS), Rejection)
    floor.delete_group("a", ref(names[0]), OPEN_NS)
    group(floor)
