"""Scores and their clustered intervals, held against sums written out by hand and against SciPy's own t interval."""

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.research.observer import Sample
from fairstrike.research.scoring import (
    EVENTS_FEW,
    Estimate,
    Forecast,
    brier,
    buckets,
    clustered_mean,
    comparison,
    forecasts,
    judged,
    log_loss,
    reliability,
    scores,
)

values = st.floats(-1, 1).map(lambda x: round(x, 6))
clusters = st.lists(st.lists(values, min_size=1, max_size=6), min_size=2, max_size=8)


def flat(parts: list[list[float]]) -> tuple[list[float], list[str]]:
    return [x for part in parts for x in part], [f"g{n}" for n, part in enumerate(parts) for _ in part]


def forecast(p_model: float, p_market: float, outcome: float, group: str = "a", minutes: float = 5) -> Forecast:
    closes_in_ns = int(minutes * MINUTE_NS)
    return Forecast(group=group, closes_in_ns=closes_in_ns, p_model=p_model, p_market=p_market, outcome=outcome)


def by_hand(parts: list[list[float]]) -> tuple[float, float]:
    """Mean and half width from the double sum over pairs of samples of one event."""
    xs, gs = flat(parts)
    mean = sum(xs) / len(xs)
    pairs = sum(
        (x - mean) * (y - mean) for x, g in zip(xs, gs, strict=True) for y, h in zip(xs, gs, strict=True) if g == h
    )
    count = len(parts)
    return mean, float(stats.t.ppf(0.975, count - 1)) * math.sqrt(max(pairs, 0.0) * count / (count - 1)) / len(xs)


class Metrics(msgspec.Struct, frozen=True):
    p: list[float]
    y: list[int]
    brier: float
    log_loss: float
    base_rate: float
    brier_climatology: float


class Vectors(msgspec.Struct, frozen=True):
    metrics: Metrics


def test_reference_figures(shared_facts: Path) -> None:
    case = msgspec.json.decode((shared_facts / "pricing_vectors.json").read_bytes(), type=Vectors).metrics
    found = scores(
        [
            forecast(p, case.base_rate, outcome, f"g{at}")
            for at, (p, outcome) in enumerate(zip(case.p, case.y, strict=True))
        ]
    )
    assert pytest.approx(case.brier, abs=1e-6) == found.brier.model.mean
    assert pytest.approx(case.brier_climatology, abs=1e-6) == found.brier.market.mean
    assert pytest.approx(case.log_loss, abs=1e-6) == found.log_loss.model.mean


@given(clusters)
def test_interval_equals_the_sum_over_all_pairs(parts: list[list[float]]) -> None:
    found = clustered_mean(*flat(parts))
    assume(found.low is not None)
    mean, reach = by_hand(parts)
    assert (found.count, found.events) == (sum(map(len, parts)), len(parts))
    assert found.mean == pytest.approx(mean, rel=1e-6, abs=2e-9)
    assert found.low == pytest.approx(mean - reach, abs=1e-7)
    assert found.high == pytest.approx(mean + reach, abs=1e-7)


@given(st.lists(values, min_size=2, max_size=30))
def test_one_sample_an_event_gives_the_ordinary_t_interval(xs: list[float]) -> None:
    assume(len(set(xs)) > 1)
    found = clustered_mean(xs, [str(n) for n in range(len(xs))])
    low, high = stats.t.interval(0.95, len(xs) - 1, loc=sum(xs) / len(xs), scale=stats.sem(xs))
    assert found.low == pytest.approx(low, abs=1e-8)
    assert found.high == pytest.approx(high, abs=1e-8)


@given(clusters, st.integers(2, 5))
def test_samples_said_again_within_their_events_shrink_nothing(parts: list[list[float]], times: int) -> None:
    once, again = clustered_mean(*flat(parts)), clustered_mean(*flat([part * times for part in parts]))
    assert again.count == once.count * times
    for was, now in ((once.mean, again.mean), (once.low, again.low), (once.high, again.high)):
        assert now == (None if was is None else pytest.approx(was, rel=1e-6, abs=2e-9))


def test_samples_taken_for_independent_would_shrink() -> None:
    parts = [[1.0] * 10, [0.0] * 10, [1.0] * 10]
    xs, _ = flat(parts)
    clustered, naive = clustered_mean(*flat(parts)), clustered_mean(xs, [str(n) for n in range(30)])
    assert clustered.high is not None
    assert naive.high is not None
    assert clustered.high - 2 / 3 > 5 * (naive.high - 2 / 3)


def test_nothing_gives_nothing() -> None:
    assert clustered_mean([], []) == Estimate(count=0, events=0, mean=None, low=None, high=None)


@pytest.mark.parametrize("groups", [["a", "a"], ["a", "b"]], ids=["one event", "no spread"])
def test_no_interval_where_the_error_cannot_be_told(groups: list[str]) -> None:
    found = clustered_mean([0.25, 0.25], groups)
    assert (found.mean, found.low, found.high) == (0.25, None, None)


def test_one_event_has_no_interval_however_its_samples_differ() -> None:
    found = clustered_mean([0.0, 1.0, 0.5], ["a"] * 3)
    assert (found.count, found.events, found.mean, found.low, found.high) == (3, 1, 0.5, None, None)


@pytest.mark.parametrize(
    ("p", "outcome", "squared", "nats"),
    [
        (0.5, 1.0, 0.25, math.log(2)),
        (1.0, 1.0, 0.0, 0.0001),
        (0.0, 1.0, 1.0, math.log(10_000)),
        (0.5, 0.5, 0.0, math.log(2)),
    ],
)
def test_losses(p: float, outcome: float, squared: float, nats: float) -> None:
    assert brier(p, outcome) == squared
    assert log_loss(p, outcome) == pytest.approx(nats, rel=1e-4)


def test_difference_is_paired() -> None:
    found = comparison([forecast(0.9, 0.8, 1.0, "a"), forecast(0.2, 0.1, 0.0, "b")], brier)
    assert (found.model.mean, found.market.mean, found.difference.mean) == (0.025, 0.025, 0.0)
    assert found.difference.low is not None
    assert found.difference.low < 0 < -found.difference.low + 1e-12


def verdict(events: int, model: float, market: float) -> str:
    """The verdict on forecasts so far off, in every other event a little more."""
    found = [forecast(1 - model - n % 2 / 100, 1 - market - n % 2 / 50, 1.0, f"g{n}") for n in range(events)]
    return judged(comparison(found, brier))


@pytest.mark.parametrize(
    ("events", "model", "market", "begins", "has_zero"),
    [
        (EVENTS_FEW, 0.1, 0.4, "The model was better: Brier score 0.0", False),
        (EVENTS_FEW, 0.4, 0.1, "The market was better: Brier score 0.1", False),
        (EVENTS_FEW, 0.2, 0.195, "Model and market cannot be told apart: Brier score 0.0", True),
        (EVENTS_FEW - 1, 0.1, 0.4, "There are too few events to judge model against market: Brier", False),
        (1, 0.1, 0.4, "Nothing can be said of model against market yet: Brier", False),
        (0, 0.1, 0.4, "No forecast could be scored: ", False),
    ],
)
def test_the_verdict_claims_no_more_than_events_and_interval_do(
    events: int, model: float, market: float, begins: str, has_zero: bool
) -> None:
    said = verdict(events, model, market)
    assert said.startswith(begins)
    assert said.endswith("which includes zero") is has_zero


@pytest.mark.parametrize(
    ("minutes", "name"),
    [
        (90, "over 60 min"),
        (60, "60–30 min"),
        (30, "30–15 min"),
        (15, "15–10 min"),
        (10.01, "15–10 min"),
        (10, "10–5 min"),
        (5, "5–2 min"),
        (2, "2–1 min"),
        (1, "last minute"),
        (0.001, "last minute"),
    ],
)
def test_every_moment_has_its_horizon(minutes: float, name: str) -> None:
    assert [bucket.name for bucket in buckets([forecast(0.5, 0.5, 1.0, minutes=minutes)])] == [name]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 1), st.integers(0, 4)), max_size=40))
def test_bins_and_horizons_hold_every_forecast_once(rows: list[tuple[float, float, int, int]]) -> None:
    found = [forecast(p, q, float(o), f"g{g}", minutes=1 + 3 * g) for p, q, o, g in rows]
    everything = scores(found)
    assert sum(bucket.brier.model.count for bucket in everything.buckets) == len(rows)
    for bins in (everything.reliability.model, everything.reliability.market):
        assert len(bins) == 10
        assert sum(one.observed.count for one in bins) == len(rows)
        for one in bins:
            assert one.forecast is None or one.low - 1e-9 <= one.forecast <= one.high
            assert one.observed.low is None or one.observed.low >= 0
            assert one.observed.high is None or one.observed.high <= 1


def test_a_sure_forecast_is_in_the_last_bin() -> None:
    bins = reliability([forecast(1.0, 0.95, 1.0)]).model
    assert [one.observed.count for one in bins] == [0] * 9 + [1]


def test_only_settled_markets_are_scored() -> None:
    sample = Sample(
        ticker="A", group="BTC@1", at_ns=1, closes_in_ns=9 * SECOND_NS, p_model=0.4, bid_ticks=4_000, ask_ticks=5_000
    )
    assert forecasts([sample], {}) == []
    (found,) = forecasts([sample], {"A": 10_000})
    assert (found.group, found.closes_in_ns, found.p_model, found.p_market, found.outcome) == (
        "BTC@1",
        9 * SECOND_NS,
        0.4,
        0.45,
        1.0,
    )
