"""How good forecasts were: Brier score and logarithmic loss of model and market, with intervals that can be believed.

Forecasts of one settlement event share its outcome, so they are no independent trials: a hundred strikes of one hour,
or fifteen minutes of one window, fail and succeed together. Every mean here therefore carries an interval clustered
by event. With samples x of events g = 1 … G, N samples in all:

    mean      m = Σ x / N                         (a ratio estimator: both sums are random)
    variance  v = G / (G − 1) · Σ_g u_g² / N²     with u_g = Σ_{i in g} (x_i − m)
    interval  m ± t(0.975; G − 1) · √v

With one sample an event this is the ordinary t interval. Source: Liang and Zeger (1986), "Longitudinal data analysis
using generalized linear models", Biometrika 73; finite-sample factor and G − 1 degrees of freedom as in Cameron and
Miller (2015), "A practitioner's guide to cluster-robust inference", Journal of Human Resources 50.

Where the data cannot tell the error there is no interval: with one event, and where all samples are equal. An interval
of a loss or a rate is cut off where neither can be.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from fairstrike.core.timing import MINUTE_NS
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.research.observer import Sample

CONFIDENCE = 0.95
BINS = 10
EVENTS_FEW = 20
"""With fewer events than this the clustered interval itself is known to be too narrow, and that is said."""

P_LEAST = 1 / TICKS_PER_DOLLAR
"""Logarithmic loss takes no forecast for surer than one tick from 0 or 1: a model that says "never" loses 9.2."""

_DIGITS = 9


class Forecast(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One pair of forecasts and what came of it.

    `group` is the settlement event; `closes_in_ns` the time that was left; `outcome` in [0, 1] is what one dollar of
    YES paid.
    """

    group: str
    closes_in_ns: int
    p_model: float
    p_market: float
    outcome: float


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A mean over `count` samples of `events` settlement events, with its 95 % interval; None is unknown."""

    count: int
    events: int
    mean: float | None
    low: float | None
    high: float | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A score of model and market, and of their paired difference, model − market: below zero the model is better."""

    model: Estimate
    market: Estimate
    difference: Estimate


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of the forecasts made with between `above_ns` (excluded) and `up_to_ns` to the close."""

    name: str
    above_ns: int
    up_to_ns: int | None
    brier: Comparison
    log_loss: Comparison


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts in [`low`, `high`): their mean, and how often it happened."""

    low: float
    high: float
    forecast: float | None
    observed: Estimate


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """How often it happened when it was said to be so likely, for model and market."""

    model: tuple[Bin, ...]
    market: tuple[Bin, ...]


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a set of forecasts. Scores are losses: the smaller the better; `verdict` is a sentence."""

    verdict: str
    brier: Comparison
    log_loss: Comparison
    buckets: tuple[Bucket, ...]
    reliability: Reliability


_HORIZONS: tuple[tuple[str, int, int | None], ...] = (
    ("over 60 min", 60, None),
    ("60–30 min", 30, 60),
    ("30–15 min", 15, 30),
    ("15–10 min", 10, 15),
    ("10–5 min", 5, 10),
    ("5–2 min", 2, 5),
    ("2–1 min", 1, 2),
    ("last minute", 0, 1),
)

Score = Callable[[float, float], float]
"""A loss, of forecast and outcome."""


def forecasts(samples: Iterable[Sample], settled: Mapping[str, int]) -> list[Forecast]:
    """Give the samples of settled markets with their outcomes; `settled` is value in ticks by ticker."""
    return [
        Forecast(
            group=sample.group,
            closes_in_ns=sample.closes_in_ns,
            p_model=sample.p_model,
            p_market=sample.p_market,
            outcome=settled[sample.ticker] / TICKS_PER_DOLLAR,
        )
        for sample in samples
        if sample.ticker in settled
    ]


def brier(p: float, outcome: float) -> float:
    """Give the squared error of a forecast. Source: Brier (1950), Monthly Weather Review 78."""
    return (p - outcome) ** 2


def log_loss(p: float, outcome: float) -> float:
    """Give the logarithmic loss of a forecast in nats, the forecast kept `P_LEAST` away from 0 and 1."""
    p = min(max(p, P_LEAST), 1 - P_LEAST)
    return -(outcome * math.log(p) + (1 - outcome) * math.log(1 - p))


def clustered_mean(values: Sequence[float], groups: Sequence[str]) -> Estimate:
    """Give the mean of `values` and its interval clustered by `groups`, one group name for each value."""
    count, events = len(values), len(set(groups))
    assert count == len(groups), "every value belongs to a group"
    if not count:
        return Estimate(count=0, events=0, mean=None, low=None, high=None)
    mean = math.fsum(values) / count
    residuals: dict[str, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        residuals.setdefault(group, []).append(value - mean)
    is_flat = min(values) == max(values)
    if events < 2 or is_flat:
        return Estimate(count=count, events=events, mean=_rounded(mean), low=None, high=None)
    squares = math.fsum(math.fsum(group) ** 2 for group in residuals.values())
    error = math.sqrt(events / (events - 1) * squares) / count
    reach = _student(events - 1) * error
    return Estimate(
        count=count, events=events, mean=_rounded(mean), low=_rounded(mean - reach), high=_rounded(mean + reach)
    )


def _student(freedom: int) -> float:
    """Give how many standard errors a two-sided interval reaches with so many degrees of freedom."""
    # SciPy takes a third of a second to import; whoever only verifies a run is spared it.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def comparison(found: Sequence[Forecast], score: Score, highest: float = math.inf) -> Comparison:
    """Give one score of model and market over all forecasts, none of which is above `highest`, and their difference."""
    groups = [one.group for one in found]
    model = [score(one.p_model, one.outcome) for one in found]
    market = [score(one.p_market, one.outcome) for one in found]
    return Comparison(
        model=_cut(clustered_mean(model, groups), highest),
        market=_cut(clustered_mean(market, groups), highest),
        difference=clustered_mean([mine - theirs for mine, theirs in zip(model, market, strict=True)], groups),
    )


def buckets(found: Sequence[Forecast]) -> tuple[Bucket, ...]:
    """Give the scores by time to the close, longest first; horizons without a forecast are left out."""
    made: list[Bucket] = []
    for name, above, up_to in _HORIZONS:
        above_ns, up_to_ns = above * MINUTE_NS, None if up_to is None else up_to * MINUTE_NS
        mine = [
            one for one in found if one.closes_in_ns > above_ns and (up_to_ns is None or one.closes_in_ns <= up_to_ns)
        ]
        if mine:
            made.append(
                Bucket(
                    name=name,
                    above_ns=above_ns,
                    up_to_ns=up_to_ns,
                    brier=comparison(mine, brier, 1.0),
                    log_loss=comparison(mine, log_loss),
                )
            )
    return tuple(made)


def reliability(found: Sequence[Forecast]) -> Reliability:
    """Give how often it happened in each tenth of the forecasts' range, for model and market."""
    return Reliability(
        model=_bins([(one.p_model, one.outcome, one.group) for one in found]),
        market=_bins([(one.p_market, one.outcome, one.group) for one in found]),
    )


def scores(found: Sequence[Forecast]) -> Scores:
    """Give everything about a set of forecasts."""
    score = comparison(found, brier, 1.0)
    return Scores(
        verdict=judged(score),
        brier=score,
        log_loss=comparison(found, log_loss),
        buckets=buckets(found),
        reliability=reliability(found),
    )


def judged(score: Comparison) -> str:
    """Give one sentence on model against market, by Brier score, that claims no more than events and interval do."""
    model, market, difference = score.model, score.market, score.difference
    if model.mean is None or market.mean is None or difference.mean is None:
        return "No forecast could be scored: no settled market had both a fair value and a two-sided book"
    count = f"{model.count:,} forecast{'s' * (model.count != 1)}"
    events = f"{model.events:,} settlement event{'s' * (model.events != 1)}"
    means = f"Brier score {model.mean:.4f} against the market's {market.mean:.4f} over {count} of {events}"
    if difference.low is None or difference.high is None:
        return f"Nothing can be said of model against market yet: {means}, too few to give an interval"
    interval = (
        f"difference {_signed(difference.mean)}, 95 % interval {_signed(difference.low)} to {_signed(difference.high)}"
    )
    has_zero = difference.low <= 0 <= difference.high
    if model.events < EVENTS_FEW:
        verdict = "There are too few events to judge model against market"
    elif has_zero:
        verdict = "Model and market cannot be told apart"
    else:
        verdict = f"The {'model' if difference.high < 0 else 'market'} was better"
    return f"{verdict}: {means}; {interval}{', which includes zero' if has_zero else ''}"


def _signed(value: float) -> str:
    shown = f"{value:+.4f}".replace("-", "−")
    return shown if shown[1:] != "0.0000" else "0.0000"


def _bins(rows: Sequence[tuple[float, float, str]]) -> tuple[Bin, ...]:
    """Give the bins of (forecast, outcome, group)."""
    made: list[Bin] = []
    for number in range(BINS):
        mine = [row for row in rows if min(int(row[0] * BINS), BINS - 1) == number]
        observed = _cut(clustered_mean([outcome for _, outcome, _ in mine], [group for _, _, group in mine]), 1.0)
        forecast = _rounded(math.fsum(p for p, _, _ in mine) / len(mine)) if mine else None
        made.append(Bin(low=number / BINS, high=(number + 1) / BINS, forecast=forecast, observed=observed))
    return tuple(made)


def _cut(found: Estimate, highest: float) -> Estimate:
    """Give an estimate without the part of its interval where nothing can be: below 0, above `highest`."""
    if found.low is None or found.high is None:
        return found
    return msgspec.structs.replace(found, low=max(found.low, 0.0), high=min(found.high, highest))


def _rounded(value: float) -> float:
    """Give a figure without the last digits of its float: the same on every machine, and −0 is 0."""
    return round(value, _DIGITS) + 0.0
