"""The statistics as figures, in units people use: cents, contracts, seconds, milliseconds.

Percentiles are exact: the lowest value that so much of the weight does not exceed. None stands for what was not seen.
"""

from collections.abc import Iterable, Sequence

import msgspec

from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, TICKS_PER_DOLLAR
from fairstrike.research.ladder_statistics import LadderPool
from fairstrike.research.market_statistics import DELAY_UNIT_NS, STRETCHES, Pool, StretchPool
from fairstrike.research.survey import Survey, SurveyedMarket
from fairstrike.research.tally import Tally

TICKS_PER_CENT = TICKS_PER_DOLLAR // 100
RULE = "markets with a gap, a frozen window, an impossible delta or an overflow are left out of every figure"
DISTANCES: tuple[tuple[str, int | None, int | None], ...] = (
    ("improves", None, 0),
    ("at best", 0, 1),
    ("1¢ behind", 1, 2),
    ("2¢", 2, 3),
    ("3¢", 3, 4),
    ("4¢", 4, 5),
    ("5–10¢", 5, 10),
    ("10–20¢", 10, 20),
    ("20¢ and more", 20, None),
)
"""Classes of an added order's distance behind its side's best price: name, from, and below, in whole cents."""

Figures = dict[str, float | None]
"""Percentiles by name: `mean`, `min`, `p10` … `p99`, `max`."""


class StretchFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of time to close.

    `seconds` is how long books with two sides stood; spread and size at best (the mean of both sides) are weighted by
    that time, `size_by_update_contracts` counts each venue instant once. `best_changes_per_second` counts every change,
    `best_moves_per_second` those that outlast a venue instant. Contracts are per second between tickers, and per second
    between those that showed a trade.
    """

    time_to_close: str
    seconds: float
    spread_cents: Figures
    size_contracts: Figures
    size_by_update_contracts: Figures
    best_changes_per_second: float | None
    best_moves_per_second: float | None
    contracts_per_second: float | None
    contracts_per_trading_second: float | None
    levels_per_side: Figures


class Crossings(msgspec.Struct, frozen=True, kw_only=True):
    """Spells in which the best bid stood above the best ask (crossed) or on it (locked).

    `crossed_deltas` and `locked_deltas` are the deltas after which the book stood so. `outlived` is how many spells of
    both saw a later venue stamp, which are faults; `deltas_max` is the longest spell.
    """

    crossed: int
    crossed_deltas: int
    locked: int
    locked_deltas: int
    outlived: int
    deltas_max: int


class LadderSpread(msgspec.Struct, frozen=True, kw_only=True):
    """Spread of the polled markets that had two sides, at one stretch of time to close."""

    time_to_close: str
    books: int
    spread_cents: Figures


class LadderFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Polled books. Sums are dollars over the markets of one event, an absent bid being nothing.

    `incomplete` captures of a partition have no ask in some market, so no sum of asks. `series` are those pooled here.
    """

    series: tuple[str, ...]
    captures: int
    markets_per_capture: Figures
    books: int
    two_sided_share: float | None
    spreads: list[LadderSpread]
    partitions: int
    incomplete: int
    bid_sum_dollars: Figures
    ask_sum_dollars: Figures


class StatisticsReport(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of some recordings, of markets of all `series` together. `ladders` is None without polled books."""

    files: tuple[str, ...]
    cut: tuple[str, ...]
    rule: str
    series: tuple[str, ...]
    markets: list[SurveyedMarket]
    markets_counted: int
    markets_left_out: int
    deltas: int
    deltas_counted: int
    is_exact: bool
    deltas_per_second: Figures
    deltas_per_millisecond: Figures
    add_contracts: Figures
    cut_contracts: Figures
    add_distance_shares: dict[str, float]
    level_life_seconds: Figures
    trade_contracts: Figures
    trades_from: str
    receive_minus_venue_ms: Figures
    stretches: list[StretchFigures]
    crossings: Crossings
    ladders: LadderFigures | None


def statistics_report(survey: Survey, files: Sequence[str], cut: Sequence[str]) -> StatisticsReport:
    """Give the figures of a survey that has read all its recordings."""
    pool, markets = survey.pool, survey.markets
    contracts = 1 / CC_PER_CONTRACT
    delay = DELAY_UNIT_NS / MILLISECOND_NS
    return StatisticsReport(
        files=tuple(files),
        cut=tuple(cut),
        rule=RULE,
        series=tuple(sorted({market.series for market in markets if market.is_counted})),
        markets=markets,
        markets_counted=sum(market.is_counted for market in markets),
        markets_left_out=sum(not market.is_counted for market in markets),
        deltas=sum(market.deltas for market in markets),
        deltas_counted=pool.deltas,
        is_exact=pool.is_exact,
        deltas_per_second=figures(pool.per_second, "mean", "p50", "p90", "p99", "max"),
        deltas_per_millisecond=figures(pool.per_instant, "p50", "p99", "max"),
        add_contracts=figures(pool.adds, "p10", "p50", "p90", "p99", unit=contracts),
        cut_contracts=figures(pool.cuts, "p10", "p50", "p90", "p99", unit=contracts),
        add_distance_shares={name: _share(pool.distances, low, high) for name, low, high in DISTANCES},
        level_life_seconds=figures(pool.lives, "p10", "p50", "p90", unit=MILLISECOND_NS / SECOND_NS),
        trade_contracts=figures(pool.trades, "p10", "p50", "p90", "p99", unit=contracts),
        trades_from="trades" if survey.has_printed_trades else "tickers",
        receive_minus_venue_ms=figures(pool.delays, "min", "p1", "p10", "p50", "p90", "p99", "max", unit=delay),
        stretches=_stretches(pool),
        crossings=_crossings(pool),
        ladders=_ladders(survey.ladders, survey.polled_series) if survey.ladders.captures else None,
    )


def figures(tally: Tally, *names: str, unit: float = 1.0) -> Figures:
    """Give some figures of a tally by name, in units of `unit`."""
    return {name: _figure(tally, name, unit) for name in names}


def _figure(tally: Tally, name: str, unit: float) -> float | None:
    value: float | None
    if name == "mean":
        value = tally.mean
    elif name in ("min", "max"):
        value = tally.lowest if name == "min" else tally.highest
    else:
        value = tally.percentile(int(name.removeprefix("p")))
    return None if value is None else round(value * unit, 6)


def _share(distances: Tally, low: int | None, high: int | None) -> float:
    bounds = (None if cents is None else cents * TICKS_PER_CENT for cents in (low, high))
    return round(distances.share(*bounds), 6)


def _stretches(pool: Pool) -> list[StretchFigures]:
    named = [(name, stretch) for name, stretch in zip(STRETCHES, pool.stretches, strict=True) if _is_seen(stretch)]
    return [_stretch(name, stretch) for name, stretch in reversed(named)]


def _is_seen(stretch: StretchPool) -> bool:
    return bool(stretch.two_sided_ns or stretch.volume_ns)


def _stretch(name: str, stretch: StretchPool) -> StretchFigures:
    cent, mean_of_two = 1 / TICKS_PER_CENT, 1 / (2 * CC_PER_CONTRACT)
    contracts = stretch.volume_cc / CC_PER_CONTRACT
    return StretchFigures(
        time_to_close=name,
        seconds=round(stretch.two_sided_ns / SECOND_NS, 3),
        spread_cents=figures(stretch.spreads, "p10", "p50", "p90", unit=cent),
        size_contracts=figures(stretch.sizes, "p10", "p50", "p90", unit=mean_of_two),
        size_by_update_contracts=figures(stretch.sizes_seen, "p10", "p50", "p90", unit=mean_of_two),
        best_changes_per_second=_per_second(stretch.changes, stretch.two_sided_ns),
        best_moves_per_second=_per_second(stretch.moves, stretch.two_sided_ns),
        contracts_per_second=_per_second(contracts, stretch.volume_ns),
        contracts_per_trading_second=_per_second(contracts, stretch.trading_ns),
        levels_per_side=figures(stretch.levels, "p10", "p50", "p90"),
    )


def _per_second(count: float, duration_ns: int) -> float | None:
    return round(count * SECOND_NS / duration_ns, 6) if duration_ns else None


def _crossings(pool: Pool) -> Crossings:
    return Crossings(
        crossed=pool.crossed.total,
        crossed_deltas=pool.crossed.sum,
        locked=pool.locked.total,
        locked_deltas=pool.locked.sum,
        outlived=pool.outlived.total,
        deltas_max=max(pool.crossed.highest or 0, pool.locked.highest or 0),
    )


def _ladders(pool: LadderPool, series: Iterable[str]) -> LadderFigures:
    seen = [(name, spreads) for name, spreads in zip(STRETCHES, pool.spreads, strict=True) if spreads.total]
    return LadderFigures(
        series=tuple(sorted(series)),
        captures=pool.captures,
        markets_per_capture=figures(pool.markets, "min", "p50", "max"),
        books=pool.books,
        two_sided_share=round(pool.two_sided / pool.books, 6) if pool.books else None,
        spreads=[
            LadderSpread(
                time_to_close=name,
                books=spreads.total,
                spread_cents=figures(spreads, "p10", "p50", "p90", unit=1 / TICKS_PER_CENT),
            )
            for name, spreads in reversed(seen)
        ],
        partitions=pool.partitions,
        incomplete=pool.incomplete,
        bid_sum_dollars=figures(pool.bid_sums, "min", "p10", "p50", "p90", "max", unit=1 / TICKS_PER_DOLLAR),
        ask_sum_dollars=figures(pool.ask_sums, "min", "p10", "p50", "p90", "max", unit=1 / TICKS_PER_DOLLAR),
    )
