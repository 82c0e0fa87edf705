"""The replayed world: the recorded book millisecond by millisecond, clients in its queues, and how markets end."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.events import Level
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.exchange.captured import KnownResult, Unit
from fairstrike.exchange.floor import MarketStatus, Placed, PlaceOrder
from fairstrike.exchange.replayed import ReplayedParams, ReplayedWorld, traded
from fairstrike.market.book import Book
from tests.unit.exchange.captures import (
    BEGIN_NS,
    CLOSE_NS,
    STRIKE_E8,
    TICKER,
    at,
    capture,
    contract,
    deltas,
    listed,
    lost,
    snapshot,
    ticker,
)
from tests.unit.exchange.floor_samples import DOLLARS

BIDS, ASKS = ((4_000, 500), (3_900, 800)), ((4_200, 300), (4_300, 700))
OPENING = (listed(0), snapshot(1, BIDS, ASKS), deltas(2, ("bid", 100, 1)))
CLOSE_SECOND = CLOSE_NS // SECOND_NS


def world_of(*units: Unit, prints: Sequence[tuple[int, int]] = (), known: KnownResult | None = None) -> ReplayedWorld:
    """A world with a client of 1,000 dollars."""
    results = {} if known is None else {TICKER: known}
    world = ReplayedWorld(ReplayedParams(capture=capture(*units, prints=prints, results=results)))
    world.floor.open_account("a", key_id="a", balance_ud=1_000 * DOLLARS)
    return world


def join(world: ReplayedWorld, ms: int, side: Side, price_ticks: int, size_cc: int) -> str:
    world.advance(at(ms))
    wish = PlaceOrder(ticker=TICKER, side=side, price_ticks=price_ticks, size_cc=size_cc)
    placed = world.floor.place("a", wish, at(ms))
    assert isinstance(placed, Placed)
    return placed.order.order_id


def books(world: ReplayedWorld, ms: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Bids and asks after a millisecond; the cent that ends the opening is left out."""
    world.advance(at(ms))
    bids = tuple(level for level in world.floor.levels(TICKER, Side.BID) if level[0] != 100)
    return bids, world.floor.levels(TICKER, Side.ASK)


def test_the_book_is_the_recorded_one_after_each_millisecond() -> None:
    world = world_of(
        *OPENING,
        deltas(10, ("bid", 4_000, -200), ("bid", 4_100, 100)),
        deltas(20, ("ask", 4_200, -300), ("ask", 4_200, 50), ("bid", 3_900, -800)),
        snapshot(200, ((3_000, 100),), ()),
    )
    assert books(world, 9) == (BIDS, ASKS)
    assert books(world, 10) == (((4_100, 100), (4_000, 300), (3_900, 800)), ASKS)
    assert books(world, 20) == (((4_100, 100), (4_000, 300)), ((4_200, 50), (4_300, 700)))
    assert books(world, 400) == (((3_000, 100),), ())


def test_a_client_behind_500_is_filled_when_500_were_traded_and_not_before() -> None:
    world = world_of(
        *OPENING,
        ticker(10, 1_000),
        deltas(100, ("bid", 4_000, -400)),
        deltas(200, ("bid", 4_000, 300)),
        deltas(300, ("bid", 4_000, -250)),
        ticker(400, 1_000 + 2 * 650),
    )
    mine = join(world, 50, Side.BID, 4_000, 200)
    assert world.floor.queue_cc(mine) == 500
    world.advance(at(200))
    assert (world.floor.queue_cc(mine), world.floor.open_cc(mine)) == (100, 200)
    world.advance(at(300))
    assert world.floor.open_cc(mine) == 50
    assert books(world, 300)[0][0] == (4_000, 150 + 50)


def test_cuts_without_volume_are_cancels_from_the_back() -> None:
    world = world_of(*OPENING, deltas(90, ("bid", 4_000, 400)), deltas(100, ("bid", 4_000, -600)), ticker(400, 1_000))
    mine = join(world, 50, Side.BID, 4_000, 200)
    world.advance(at(100))
    assert (world.floor.queue_cc(mine), world.floor.open_cc(mine)) == (300, 200)
    assert not world.floor.trades()


def test_what_a_client_took_is_gone_until_the_level_is_spoken_of() -> None:
    world = world_of(*OPENING, deltas(100, ("ask", 4_300, 10)), deltas(200, ("ask", 4_200, 20)))
    join(world, 50, Side.BID, 4_200, 120)
    assert books(world, 60)[1] == ((4_200, 180), (4_300, 700))
    assert books(world, 100)[1] == ((4_200, 180), (4_300, 710))
    assert books(world, 200)[1] == ((4_200, 320), (4_300, 710))


def test_a_recorded_level_that_crosses_a_client_trades_with_it() -> None:
    world = world_of(*OPENING, deltas(100, ("ask", 4_200, -300), ("bid", 4_200, 250)))
    mine = join(world, 50, Side.ASK, 4_100, 100)
    bids, asks = books(world, 100)
    assert world.floor.open_cc(mine) == 0
    assert (bids[0], asks[0]) == ((4_200, 150), (4_300, 700))


def test_a_book_crossed_in_its_own_millisecond_is_waited_out() -> None:
    world = world_of(*OPENING, deltas(100, ("bid", 4_200, 10)), deltas(102, ("ask", 4_200, -300)))
    assert books(world, 100) == (BIDS, ASKS)
    assert books(world, 102) == (((4_200, 10), *BIDS), ((4_300, 700),))
    assert not world.floor.trades()


@pytest.mark.parametrize("gone", [[lost(100)], [ticker(9_000, 10, bid=2_000)]], ids=["lost", "frozen"])
def test_without_a_trusted_book_the_outside_depth_is_gone(gone: list[Unit]) -> None:
    world = world_of(*OPENING, *gone, deltas(9_500, ("bid", 4_000, 5)), snapshot(10_000, BIDS, ASKS))
    join(world, 50, Side.BID, 3_800, 10)
    assert books(world, 99)[0][0] == (4_000, 500)
    assert books(world, 9_600) == (((3_800, 10),), ())
    assert books(world, 11_000) == ((*BIDS, (3_800, 10)), ASKS)


def test_a_pause_is_followed_by_the_recorded_book() -> None:
    world = world_of(*OPENING, deltas(100, ("bid", 4_000, 5)), deltas(200, ("bid", 3_900, 5)))
    world.advance(at(50))
    world.floor.deactivate(TICKER, at(50))
    assert books(world, 100) == (BIDS, ASKS)
    world.floor.reactivate(TICKER, at(150))
    assert books(world, 150) == ((), ())
    assert books(world, 200) == (((4_000, 505), (3_900, 805)), ASKS)


@pytest.mark.parametrize(
    ("known", "value_e8", "paid", "settled_e8"),
    [
        (KnownResult(value_ticks=0, value_e8=7), STRIKE_E8, 0, 7),
        (None, STRIKE_E8, 10_000, STRIKE_E8),
        (None, STRIKE_E8 - 10**8, 0, STRIKE_E8 - 10**8),
        (None, None, 0, None),
    ],
    ids=["known", "at the strike", "below it", "no prints"],
)
def test_a_market_pays_what_is_known_else_what_the_prints_say(
    known: KnownResult | None, value_e8: int | None, paid: int, settled_e8: int | None
) -> None:
    prints = [] if value_e8 is None else [(CLOSE_SECOND - 60 + second, value_e8) for second in range(60)]
    world = world_of(*OPENING, prints=prints, known=known)
    join(world, 50, Side.BID, 4_200, 100)
    while (due_ns := world.next_due_ns()) is not None:
        world.advance(due_ns)
    view = world.floor.market(TICKER)
    account = world.floor.account("a")
    assert view is not None
    assert account is not None
    assert (view.status, view.value_ticks, view.expiration_value_e8) == (MarketStatus.FINALIZED, paid, settled_e8)
    fees_ud = world.floor.fills("a")[0].fee_ud
    assert account.balance_ud == 1_000 * DOLLARS - 4_200 * 100 - fees_ud + paid * 100
    assert world.close_ns == CLOSE_NS


def test_a_market_that_is_over_is_not_listed() -> None:
    world = world_of(listed(0, contract(close_ns=BEGIN_NS)), listed(5), deltas(6, ("bid", 4_000, 1)))
    world.advance(at(1))
    assert not world.floor.markets()
    world.advance(at(6))
    assert [view.contract.ticker for view in world.floor.markets()] == [TICKER]


@pytest.mark.parametrize(
    ("changes", "after", "found"),
    [
        ({(Side.BID, 4_000): -300}, ((4_000, 200),), [((Side.BID, 4_000), 300)]),
        ({(Side.BID, 3_900): -300}, ((4_000, 200),), []),
        (
            {(Side.BID, 3_900): -300, (Side.BID, 4_000): -200},
            ((3_900, 1),),
            [((Side.BID, 4_000), 200), ((Side.BID, 3_900), 300)],
        ),
        ({(Side.BID, 4_000): -300, (Side.BID, 3_900): 300}, ((3_900, 300),), []),
        ({(Side.BID, 4_000): -300}, (), [((Side.BID, 4_000), 300)]),
    ],
    ids=["at best", "behind", "two levels", "moved", "the last"],
)
def test_cuts_with_nothing_in_front_may_be_trades(
    changes: dict[tuple[Side, int], int],
    after: tuple[Level, ...],
    found: list[tuple[tuple[Side, int], int]],
) -> None:
    assert traded(changes, Book(after)) == found
    mirrored = {(Side.ASK, 10_000 - price): change for (_, price), change in changes.items()}
    asks = [(10_000 - price, size) for price, size in after]
    assert traded(mirrored, Book((), asks)) == [((Side.ASK, 10_000 - price), size) for (_, price), size in found]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(["bid", "ask"]), st.integers(38, 45), st.integers(-40, 40)),
        st.tuples(st.just("join"), st.sampled_from(["bid", "ask"]), st.integers(38, 45), st.integers(1, 60)),
        st.tuples(st.just("volume"), st.just(""), st.just(0), st.integers(1, 60)),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_whatever_is_said_money_is_conserved_and_no_book_is_crossed(
    steps: list[tuple[str, str, int, int]],
) -> None:
    """Clients join anywhere; what the recording says of a level stands there, unless clients stood in its way."""
    units, joins, volume = list(OPENING), list[tuple[int, Side, int, int]](), 0
    sizes: dict[tuple[str, int], int] = {
        **{("bid", price): size for price, size in BIDS},
        **{("ask", price): size for price, size in ASKS},
    }
    for number, (act, side, cents, size) in enumerate(steps):
        ms = 10 + 10 * number
        if act == "say":
            before = sizes.get((side, cents * 100), 0)
            sizes[side, cents * 100] = max(before + size, 0)
            units.append(deltas(ms, (side, cents * 100, sizes[side, cents * 100] - before)))
        elif act == "volume":
            volume += size
            units.append(ticker(ms, volume))
        else:
            joins.append((ms, Side.BID if side == "bid" else Side.ASK, cents * 100, size))
    world = world_of(*units)
    total_ud = world.floor.total_ud()
    for ms, mine, price_ticks, size in joins:
        join(world, ms, mine, price_ticks, size)
    for ms in range(0, 20 + 10 * len(steps), 5):
        if at(ms) >= world.floor.now_ns:
            world.advance(at(ms))
            bids, asks = books(world, ms)
            assert not (bids and asks) or bids[0][0] < asks[0][0]
            assert world.floor.total_ud() == total_ud
    assert world.floor.now_ns % MILLISECOND_NS == 0


def test_the_same_capture_plays_again() -> None:
    params = ReplayedParams(capture=capture(*OPENING, deltas(100, ("bid", 4_000, -100)), ticker(200, 10)))
    first, second = ReplayedWorld(params), ReplayedWorld(params)
    first.advance(CLOSE_NS)
    for ms in range(0, 300, 7):
        second.advance(at(ms))
    second.advance(CLOSE_NS)
    told = first.floor.drain()
    assert told == second.floor.drain()
    assert len(told) == 9
