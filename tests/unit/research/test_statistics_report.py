"""Tallies as figures in the units people use."""

from fairstrike.core.timing import SECOND_NS
from fairstrike.research.market_statistics import STRETCHES
from fairstrike.research.statistics_report import RULE, figures, statistics_report
from fairstrike.research.survey import Survey, SurveyedMarket
from fairstrike.research.tally import Tally


def market(ticker: str, gaps: int = 0) -> SurveyedMarket:
    return SurveyedMarket(file="a.jsonl", ticker=ticker, deltas=10, gaps=gaps, frozen=0, impossible=0, overflow=0)


def test_figures_by_name_and_unit() -> None:
    tally = Tally()
    for value in (100, 200, 600):
        tally.add(value)
    found = figures(tally, "mean", "min", "p50", "max", unit=0.01)
    assert found == {"mean": 3.0, "min": 1.0, "p50": 2.0, "max": 6.0}


def test_what_was_not_seen_is_absent() -> None:
    report = statistics_report(Survey(), ["a.jsonl"], [])
    assert report.deltas_per_second == {"mean": None, "p50": None, "p90": None, "p99": None, "max": None}
    assert (report.stretches, report.ladders, report.crossings.deltas_max) == ([], None, 0)
    assert set(report.add_distance_shares.values()) == {0.0}


def test_markets_counted_and_left_out() -> None:
    survey = Survey()
    survey.markets += [market("A"), market("B", gaps=1)]
    survey.pool.deltas = 10
    report = statistics_report(survey, ["a.jsonl"], ["a.jsonl after line 3"])
    assert report.series == ("A",)
    assert (report.markets_counted, report.markets_left_out, report.rule) == (1, 1, RULE)
    assert (report.deltas, report.deltas_counted, report.cut) == (20, 10, ("a.jsonl after line 3",))


def test_units_of_every_figure() -> None:
    survey = Survey()
    pool = survey.pool
    pool.adds.add(7_500)
    pool.lives.add(2_500)
    pool.delays.add(-3_078)
    pool.distances.add(-10)
    pool.distances.add(90)
    pool.distances.add(100)
    pool.distances.add(2_000)
    pool.crossed.add(3, 2)
    pool.locked.add(1, 4)
    pool.outlived.add(3)
    report = statistics_report(survey, [], [])
    assert report.add_contracts["p50"] == 75.0
    assert report.level_life_seconds["p90"] == 2.5
    assert report.receive_minus_venue_ms["min"] == -307.8
    shares = report.add_distance_shares
    assert [shares[name] for name in ("improves", "at best", "1¢ behind", "2¢", "20¢ and more")] == [
        0.25,
        0.25,
        0.25,
        0.0,
        0.25,
    ]
    found = report.crossings
    assert (found.crossed, found.crossed_deltas, found.locked, found.locked_deltas) == (2, 6, 4, 4)
    assert (found.outlived, found.deltas_max) == (1, 3)


def test_stretches_are_told_from_the_first_to_the_last() -> None:
    survey = Survey()
    for name, spread in (("last minute", 10), ("10–5 min", 100)):
        stretch = survey.pool.stretches[STRETCHES.index(name)]
        stretch.spreads.add(spread, 10 * SECOND_NS)
        stretch.sizes.add(30_000, 10 * SECOND_NS)
        stretch.two_sided_ns = 10 * SECOND_NS
        stretch.changes, stretch.moves = 25, 5
    last = survey.pool.stretches[0]
    last.volume_cc, last.volume_ns, last.trading_ns = 100_000, 8 * SECOND_NS, 4 * SECOND_NS
    first, second = statistics_report(survey, [], []).stretches
    assert (first.time_to_close, second.time_to_close) == ("10–5 min", "last minute")
    assert (first.spread_cents["p50"], second.spread_cents["p50"], second.size_contracts["p50"]) == (1.0, 0.1, 150.0)
    assert (second.seconds, second.best_changes_per_second, second.best_moves_per_second) == (10.0, 2.5, 0.5)
    assert (second.contracts_per_second, second.contracts_per_trading_second) == (125.0, 250.0)
    assert (first.contracts_per_second, first.contracts_per_trading_second) == (None, None)


def test_figures_of_polled_books() -> None:
    survey = Survey()
    pool = survey.ladders
    pool.captures, pool.books, pool.two_sided, pool.partitions, pool.incomplete = 2, 10, 4, 2, 1
    pool.markets.add(5, 2)
    pool.bid_sums.add(9_200, 2)
    pool.ask_sums.add(17_900)
    pool.spreads[6].add(300, 4)
    survey.polled_series |= {"KXETH", "KXBTC"}
    found = statistics_report(survey, [], []).ladders
    assert found is not None
    assert found.series == ("KXBTC", "KXETH")
    assert (found.two_sided_share, found.markets_per_capture["p50"]) == (0.4, 5.0)
    assert (found.bid_sum_dollars["p50"], found.ask_sum_dollars["p50"], found.incomplete) == (0.92, 1.79, 1)
    assert [(part.time_to_close, part.books, part.spread_cents["p50"]) for part in found.spreads] == [
        ("60–30 min", 4, 3.0)
    ]
