"""The calibrated world: its figures beside those of recorded streams, and what makes it a world."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fairstrike.app import stats
from fairstrike.core.errors import ConfigError
from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange.calibrated import QUARTER_NS, CalibratedParams, CalibratedWorld
from fairstrike.exchange.floor import MarketStatus, Placed, PlaceOrder
from fairstrike.exchange.happenings import Filled, Happening, MarketSettled, Traded
from fairstrike.exchange.recording import Recorder
from fairstrike.exchange.streaming import Streams
from fairstrike.exchange.worlds import START_NS
from fairstrike.research.statistics_report import StretchFigures
from tests.unit.exchange.floor_samples import DOLLARS

CLIENT = "client"
OPEN_NS = START_NS + 3 * MINUTE_NS
QUIET = CalibratedParams(has_ladders=False)

# Source: `fairstrike stats` on the 16 captures of KXBTC15M of 13 to 15 May 2026 (29 markets counted, 1,174,655 deltas).
REAL_FLOW = {
    "deltas_per_second": {"mean": 94.8, "p50": 75.0, "p90": 197.0, "p99": 364.0},
    "deltas_per_millisecond": {"p50": 2.0, "p99": 5.0},
    "add_contracts": {"p10": 2.0, "p50": 75.0, "p90": 1_000.0, "p99": 6_249.0},
    "cut_contracts": {"p10": 2.0, "p50": 75.0, "p90": 1_000.0, "p99": 6_249.0},
    "level_life_seconds": {"p10": 0.01, "p50": 0.09, "p90": 3.395},
    "trade_contracts": {"p10": 1.25, "p50": 15.8, "p90": 129.0, "p99": 793.0},
}
REAL_DISTANCES = {"at best": 0.266, "1¢ behind": 0.169, "2¢": 0.113, "3¢": 0.078, "5–10¢": 0.127, "20¢ and more": 0.088}
REAL_FIRST = {"spread": 1.0, "size": 694.0, "changes": 2.94, "contracts": 939.0, "levels": 102.0}
REAL_SECOND = {"spread": 1.0, "size": 550.0, "changes": 5.60, "contracts": 850.0, "levels": 95.0}
SEED = 1
FACTOR, STRAYED_MAX = 1.75, 3


def record(seed: int, path: Path, markets: int) -> None:
    """Write a capture of the first markets of a world, until a few seconds after the last one's close."""
    world = CalibratedWorld(seed=seed, start_ns=START_NS, params=QUIET)
    streams = Streams(world.floor)
    recorder = Recorder(world.floor, streams)
    end_ns = OPEN_NS + markets * QUARTER_NS + SECOND_NS
    now_ns = world.start_ns
    with path.open("wb") as file:
        while now_ns < end_ns:
            now_ns = min(world.next_due_ns(), end_ns)
            world.advance(now_ns)
            streams.publish(world.floor.drain(), now_ns)
            file.writelines(recorder.lines(now_ns))


def told_with_client(seed: int) -> list[Happening]:
    """What a world tells in the first minute of a market, while a client joins the best bid every other second."""
    world = CalibratedWorld(seed=seed, start_ns=START_NS)
    world.floor.open_account(CLIENT, key_id=CLIENT, balance_ud=1_000 * DOLLARS)
    ticker = next(m.contract.ticker for m in world.floor.markets() if "15M" in m.contract.ticker)
    told: list[Happening] = []
    for second in range(2, 60, 2):
        now_ns = OPEN_NS + second * SECOND_NS
        world.advance(now_ns)
        view = world.floor.market(ticker)
        assert view is not None
        if view.bid is not None:
            wish = PlaceOrder(ticker=ticker, side=Side.BID, price_ticks=view.bid[0], size_cc=500)
            assert isinstance(world.floor.place(CLIENT, wish, now_ns), Placed)
        told += world.floor.drain()
    return told


def test_the_same_seed_and_acts_tell_the_same() -> None:
    first = told_with_client(3)
    assert any(isinstance(happening, Filled) for happening in first)
    assert first == told_with_client(3)
    assert first != told_with_client(4)


def test_steps_of_the_clock_do_not_matter() -> None:
    coarse, fine = (CalibratedWorld(seed=5, start_ns=START_NS) for _ in range(2))
    until_ns = OPEN_NS + 5 * SECOND_NS
    coarse.advance(until_ns)
    while fine.floor.now_ns < until_ns:
        fine.advance(min(fine.floor.now_ns + 7_000_003, until_ns))
    assert coarse.floor.drain() == fine.floor.drain()


def test_start_within_a_second_is_refused() -> None:
    with pytest.raises(ConfigError, match="whole second"):
        CalibratedWorld(seed=1, start_ns=START_NS + 1)


def test_markets_follow_one_another_and_settle() -> None:
    world = CalibratedWorld(seed=2, start_ns=START_NS)
    told: list[Happening] = []
    for minute in range(1, 20):
        world.advance(START_NS + minute * MINUTE_NS)
        told += world.floor.drain()
    settled = [h for h in told if isinstance(h, MarketSettled) and "15M" in h.ticker]
    traded = {h.ticker for h in told if isinstance(h, Traded) and "15M" in h.ticker}
    open_now = [m for m in world.floor.markets() if m.status is MarketStatus.ACTIVE and "15M" in m.contract.ticker]
    assert len(settled) == 1
    assert len(open_now) == 1
    assert open_now[0].contract.is_struck
    assert traded == {settled[0].ticker, open_now[0].contract.ticker}
    assert world.floor.total_ud() == 5 * 10**18


def compare(generated: Mapping[str, float | None], real: Mapping[str, float], what: str) -> dict[str, float]:
    return {f"{what} {name}": (generated[name] or 0.0) / value for name, value in real.items()}


def test_generated_figures_are_near_the_real_ones(tmp_path: Path) -> None:
    """Holds the flow where it was fitted: seed 1 is one of the two it was fitted on.

    Two markets are a short stretch, whose figures by time to close depend on where the price goes: other seeds stray
    as far as 0.3 and 2.6 times. What sixteen markets of seeds not fitted on come to is in the evidence.
    """
    path = tmp_path / "generated.jsonl"
    record(SEED, path, markets=2)
    report = stats.run(stats.prepare([path]), lambda read: None).report
    assert report.markets_left_out == 0
    assert report.crossings.outlived == 0
    ratios = compare(report.add_distance_shares, REAL_DISTANCES, "adds")
    for what, real in REAL_FLOW.items():
        ratios |= compare(getattr(report, what), real, what)
    for stretch, real in zip(report.stretches, (REAL_FIRST, REAL_SECOND), strict=False):
        ratios |= compare(activity(stretch), real, stretch.time_to_close)
    far = {what: round(ratio, 2) for what, ratio in ratios.items() if not 1 / FACTOR <= ratio <= FACTOR}
    strayed = [what for what, ratio in ratios.items() if not 1 / 1.5 <= ratio <= 1.5]
    assert not far
    assert len(strayed) <= STRAYED_MAX


def activity(stretch: StretchFigures) -> dict[str, float | None]:
    return {
        "spread": stretch.spread_cents["p50"],
        "size": stretch.size_contracts["p50"],
        "changes": stretch.best_changes_per_second,
        "contracts": stretch.contracts_per_second,
        "levels": stretch.levels_per_side["p50"],
    }
