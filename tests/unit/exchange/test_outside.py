"""Outside depth in one market: queues against a plain model, and clients in them."""

from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.order import Side
from fairstrike.exchange.floor import Floor, Placed
from fairstrike.exchange.outside import OUTSIDE, OUTSIDE_TAKER, Outside
from tests.unit.exchange.floor_samples import OPEN_NS, TICKER, open_floor, wish

PLACE = (Side.BID, 4_000)


def with_outside(*clients: str) -> tuple[Floor, Outside]:
    floor = open_floor(*clients)
    for name in (OUTSIDE, OUTSIDE_TAKER):
        floor.open_account(name, key_id=name, balance_ud=10**15, is_house=True)
    return floor, Outside(floor, TICKER)


def join(floor: Floor, size_cc: int, side: Side = Side.BID, price_ticks: int = 4_000) -> str:
    placed = floor.place("a", wish(side, price_ticks, size_cc), OPEN_NS)
    assert isinstance(placed, Placed)
    return placed.order.order_id


def test_cuts_leave_the_front_of_the_queue_alone() -> None:
    floor, outside = with_outside("a")
    outside.raise_to(PLACE, 300, OPEN_NS)
    mine = join(floor, 100)
    outside.raise_to(PLACE, 500, OPEN_NS)
    outside.cut(PLACE, 350, OPEN_NS)
    assert (outside.size_cc(PLACE), floor.queue_cc(mine)) == (350, 300)
    outside.cut(PLACE, 120, OPEN_NS)
    assert (outside.size_cc(PLACE), floor.queue_cc(mine)) == (120, 120)


def test_trades_come_from_the_front_and_better_prices_first() -> None:
    floor, outside = with_outside("a")
    outside.raise_to(PLACE, 300, OPEN_NS)
    mine, better = join(floor, 100), join(floor, 50, price_ticks=4_100)
    outside.trade(PLACE, 250, OPEN_NS)
    assert (floor.open_cc(better), outside.size_cc(PLACE), floor.open_cc(mine)) == (0, 100, 100)
    outside.trade(PLACE, 160, OPEN_NS)
    assert (outside.size_cc(PLACE), floor.open_cc(mine)) == (0, 40)


def test_a_level_that_crosses_a_client_trades_with_it() -> None:
    floor, outside = with_outside("a")
    theirs = join(floor, 100, Side.ASK, 3_900)
    outside.raise_to(PLACE, 300, OPEN_NS)
    assert (floor.open_cc(theirs), outside.size_cc(PLACE)) == (0, 200)
    assert [trade.price_ticks for trade in floor.trades()] == [3_900]


def test_withdrawing_leaves_the_clients() -> None:
    floor, outside = with_outside("a")
    join(floor, 100)
    outside.raise_to(PLACE, 300, OPEN_NS)
    outside.raise_to((Side.ASK, 5_000), 300, OPEN_NS)
    outside.withdraw(OPEN_NS)
    assert (floor.levels(TICKER, Side.BID), floor.levels(TICKER, Side.ASK)) == (((4_000, 100),), ())
    assert outside.places() == ()


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 20)),
        st.tuples(st.just("trade"), st.integers(1, 12)),
        st.tuples(st.just("join"), st.integers(1, 5)),
    ),
    max_size=30,
)


@given(acts=ACTS)
def test_a_client_is_filled_only_when_all_ahead_of_it_is_gone(acts: list[tuple[str, int]]) -> None:
    """Held against a plain list of (whose, size): raises join at the end, cuts take the newest of the house's."""
    floor, outside = with_outside("a")
    total_ud = floor.total_ud()
    queue: list[list[str | int]] = []
    for act, size in acts:
        if act == "join":
            queue.append([join(floor, size), size])
        elif act == "trade":
            outside.trade(PLACE, size, OPEN_NS)
            _take(queue, size)
        else:
            outside.cut(PLACE, size, OPEN_NS)
            outside.raise_to(PLACE, size, OPEN_NS)
            _set(queue, size)
        assert sum(int(left) for whose, left in queue if whose == OUTSIDE) == outside.size_cc(PLACE)
        ahead = 0
        for whose, left in queue:
            if whose != OUTSIDE:
                assert (floor.queue_cc(str(whose)), floor.open_cc(str(whose))) == (ahead, left)
            ahead += int(left)
        assert floor.total_ud() == total_ud


def _take(queue: list[list[str | int]], size: int) -> None:
    while queue and size:
        taken = min(size, int(queue[0][1]))
        queue[0][1] = int(queue[0][1]) - taken
        size -= taken
        if not queue[0][1]:
            del queue[0]


def _set(queue: list[list[str | int]], size: int) -> None:
    spare = sum(int(left) for whose, left in queue if whose == OUTSIDE) - size
    for entry in reversed(queue):
        if entry[0] == OUTSIDE and spare > 0:
            taken = min(spare, int(entry[1]))
            entry[1] = int(entry[1]) - taken
            spare -= taken
    queue[:] = [entry for entry in queue if entry[1]]
    if spare < 0:
        queue.append([OUTSIDE, -spare])
