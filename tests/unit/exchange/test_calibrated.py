"""The calibrated world: its figures beside those of recorded streams, and what makes it a world."""

from pathlib import Path

import msgspec
import pytest

from bench.liquidity import compared, pictures, recorded, table
from fairstrike.app import stats
from fairstrike.core.errors import ConfigError
from fairstrike.core.order import Side
from fairstrike.core.timing import HOUR_NS, MINUTE_NS, SECOND_NS
from fairstrike.exchange.calibrated import CalibratedWorld
from fairstrike.exchange.floor import MarketStatus, Placed, PlaceOrder
from fairstrike.exchange.happenings import Filled, Happening, IndexPublished, MarketSettled, Traded
from fairstrike.exchange.worlds import START_NS
from fairstrike.research.statistics_report import StatisticsReport
from tests.unit.exchange.floor_samples import DOLLARS

CLIENT = "client"
OPEN_NS = START_NS + 3 * MINUTE_NS

REAL = Path("docs/evidence/recorded-15m.json")
"""The answer of `fairstrike stats --json` to 16 captures of KXBTC15M of 13 to 15 May 2026."""

SEED, MARKETS = 24, 4
NEAR_SHARE_MIN, FACTOR_MAX, FAR_MAX = 0.75, 3.0, 2


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


@pytest.mark.parametrize("before_s", [121, 120, 60, 59, 40, 1, 0])
def test_a_world_may_start_in_the_last_minute_of_an_hour(before_s: int) -> None:
    hour_ns = START_NS // HOUR_NS * HOUR_NS + HOUR_NS
    start_ns = hour_ns - before_s * SECOND_NS
    world = CalibratedWorld(seed=2, start_ns=start_ns)
    closes_ns = {m.contract.close_ns for m in world.floor.markets()}
    assert min(closes_ns) - start_ns > 2 * MINUTE_NS
    world.advance(hour_ns + SECOND_NS)


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


def test_the_page_is_drawn_from_two_answers_of_stats() -> None:
    real = msgspec.json.decode(REAL.read_bytes(), type=StatisticsReport)
    drawn = pictures(real, real)
    assert list(drawn) == ["generated-by-time", "generated-sizes", "generated-distance"]
    assert all("<svg" in picture for picture in drawn.values())
    assert drawn == pictures(real, real)
    assert table(compared(real, real)).endswith("67 of 67 figures lie within a factor of 1.5.")


def test_the_index_moves_five_times_a_second() -> None:
    world = CalibratedWorld(seed=2, start_ns=START_NS)
    world.advance(START_NS + 30 * SECOND_NS)
    prints = [told for told in world.floor.drain() if isinstance(told, IndexPublished)]
    assert len(prints) == 31
    for told in prints:
        assert told.fifths_e8[0] == told.value_e8 == world.weather.print_e8(told.second)
        assert len(set(told.fifths_e8)) > 1


def test_generated_figures_are_near_the_real_ones(tmp_path: Path) -> None:
    """Holds an hour of markets of a seed that nothing was fitted on against the recordings, figure by figure.

    Four markets are a short stretch: figures by time to close depend on where the price goes. What sixteen come to is
    in the evidence.
    """
    path = tmp_path / "generated.jsonl"
    with path.open("wb") as file:
        file.writelines(recorded(SEED, MARKETS))
    generated = stats.run(stats.prepare([path]), lambda read: None).report
    assert (generated.markets_counted, generated.markets_left_out, generated.crossings.outlived) == (MARKETS + 1, 0, 0)
    rows = compared(generated, msgspec.json.decode(REAL.read_bytes(), type=StatisticsReport))
    assert len(rows) == 67
    far = {row.name: round(row.ratio, 2) for row in rows if not 1 / FACTOR_MAX <= row.ratio <= FACTOR_MAX}
    assert len(far) <= FAR_MAX, far
    strayed = {row.name: round(row.ratio, 2) for row in rows if not row.is_near}
    assert len(strayed) <= (1.0 - NEAR_SHARE_MIN) * len(rows), strayed
