"""How soon the trader knows the truth again after something went wrong."""

from pathlib import Path

import msgspec

from fairstrike.core.events import StreamChanged
from fairstrike.core.order import OrderState
from fairstrike.core.records import OrderMoved
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange.liquidity import LiquidityParams
from fairstrike.exchange.worlds import WorldParams
from fairstrike.store.following import read
from fairstrike.store.segments import DECISIONS
from tests.simulation.checks import Sampler, inputs
from tests.simulation.faults import breaks, orders_unheard
from tests.simulation.stepped import ACCOUNT, KeyPair, SteppedWorld

PARAMS = WorldParams(strikes=14, strike_step_dollars=50, liquidity=LiquidityParams(factor=2))
RECONNECT_NS = 2 * SECOND_NS
KNOWN_WITHIN_NS = 5 * SECOND_NS
RESOLVED_WITHIN_NS = 10 * SECOND_NS


def test_books_come_back_with_the_stream(key: KeyPair, tmp_path: Path) -> None:
    world = SteppedWorld(1, tmp_path, key, breaks(301, 477, 480, 1000), PARAMS)
    sampler = Sampler(world, with_positions=False)
    world.run_until(world.world.close_ns)
    changes = [event.is_up for event in inputs(tmp_path, StreamChanged) if isinstance(event, StreamChanged)]
    assert changes == [True] + [False, True] * 4
    assert sampler.books > 1_000


def test_fills_missed_in_a_break_are_booked_soon(key: KeyPair, tmp_path: Path) -> None:
    breaks_s = tuple(range(200, 960, 12))
    world = SteppedWorld(1, tmp_path, key, breaks(*breaks_s), PARAMS)
    for second in breaks_s:
        broken_ns = world.world.start_ns + second * SECOND_NS
        world.run_until(broken_ns + RECONNECT_NS + KNOWN_WITHIN_NS)
        told = [fill for fill in world.floor.fills(ACCOUNT) if fill.instant_ns < broken_ns + RECONNECT_NS]
        assert sum(result.fills for result in world.engine.clerk.ledger.results.values()) >= len(told)


def test_a_doubt_is_resolved_soon(key: KeyPair, tmp_path: Path) -> None:
    world = SteppedWorld(1, tmp_path, key, [orders_unheard(0.01)], PARAMS)
    world.run_until(world.world.close_ns - 2 * MINUTE_NS)
    spans_ns = [ended_ns - began_ns for began_ns, ended_ns in doubts(world, tmp_path)]
    assert len(spans_ns) > 5
    assert max(spans_ns) <= RESOLVED_WITHIN_NS


def doubts(world: SteppedWorld, folder: Path) -> list[tuple[int, int]]:
    """Give when each order's fate became unknown and when it was known again, or now."""
    since: dict[str, int] = {}
    spans: list[tuple[int, int]] = []
    for record in read(folder / "journal", DECISIONS):
        if record.kind != OrderMoved.__name__:
            continue
        moved = msgspec.msgpack.decode(record.body, type=OrderMoved)
        if moved.state is OrderState.UNKNOWN:
            since.setdefault(moved.client_order_id, record.instant_ns)
        elif moved.client_order_id in since:
            spans.append((since.pop(moved.client_order_id), record.instant_ns))
    return spans + [(began_ns, world.schedule.now_ns) for began_ns in since.values()]
