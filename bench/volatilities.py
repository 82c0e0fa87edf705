"""`python -m bench.volatilities CAPTURES CANDLES`: what the estimators of volatility say of recorded prices.

CAPTURES is a folder of 15-minute captures with Coinbase trades beside them; CANDLES a gzipped CSV of one-minute candles
with the columns `timestamp` and `close`. Prints Markdown.
"""

import argparse
import csv
import gzip
import math
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench.studying import captures_of, printed
from fairstrike.core.errors import RecordingError
from fairstrike.core.events import IndexPrinted
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.pricing.diurnal import ClockEstimator, Params, VarianceClock
from fairstrike.pricing.estimators import (
    annualised,
    autocorrelation,
    bipower_variance,
    lag_corrected_variance,
    log_returns,
    realised_variance,
    two_scale_variance,
)
from fairstrike.pricing.last_minute import Params as LastMinuteParams
from fairstrike.pricing.last_minute import last_minute_vol
from fairstrike.research.importers.formats import recordings

LEFTS = (1, 5, 10, 20, 40, 60)


def held(prints: dict[int, float]) -> list[float]:
    """Give a value for every second from the first print to the last, the latest known, as an index would."""
    found: list[float] = []
    for second in range(min(prints), max(prints) + 1):
        found.append(prints.get(second, found[-1] if found else 0.0))
    return found


def volatilities(values: Sequence[float]) -> dict[str, float]:
    """Give volatilities a year of values a second apart, by estimator, and the first autocorrelation."""
    returns, seconds = log_returns(values), len(values) - 1
    sparse = log_returns(values[::5])
    found = {
        "realised, 1 s": realised_variance(returns),
        "realised, 5 s": realised_variance(sparse),
        "realised, 15 s": realised_variance(log_returns(values[::15])),
        "bipower, 5 s": bipower_variance(sparse),
        "two-scale, 1 s and 15 s": two_scale_variance(returns, 15),
        "lag-corrected, 1 s, 3 lags": lag_corrected_variance(returns, 3),
    }
    told = {name: annualised(max(variance or 0.0, 0.0), seconds) for name, variance in found.items()}
    return told | {"first autocorrelation, 1 s": autocorrelation(returns) or 0.0}


def of_captures(folder: Path) -> str:
    """Give the table of a folder of captures: medians over them, quartiles in brackets."""
    rows: dict[str, list[float]] = {}
    for recording in recordings(captures_of(folder)):
        prints = {
            event.second: event.value_e8
            for _, events in recording.prints()
            for event in events
            if isinstance(event, IndexPrinted)
        }
        if len(prints) < 300:
            continue
        values = held({second: value / E8_PER_DOLLAR for second, value in prints.items()})
        grid = {second: round(value * E8_PER_DOLLAR) for second, value in enumerate(values)}
        found = volatilities(values)
        for left in LEFTS:
            vol = last_minute_vol(grid, len(values) - 1, left, LastMinuteParams(stretches_min=5, window_s=len(values)))
            if vol is not None:
                found[f"next {left} prints, against realised 15 s"] = vol / found["realised, 15 s"]
        for name, value in found.items():
            rows.setdefault(name, []).append(value)
    lines = ["| estimator | median | quartiles | captures |", "|---|---|---|---|"]
    for name, found_all in rows.items():
        ordered = sorted(found_all)
        low, high = ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]
        lines.append(f"| {name} | {median(ordered):.3f} | {low:.3f} to {high:.3f} | {len(ordered)} |")
    return "\n".join(lines)


def of_candles(path: Path) -> str:
    """Give the variance clock of one-minute candles: the loudest minutes of the hour and the range of hours."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            candles = [(_second(row["timestamp"]), float(row["close"])) for row in csv.DictReader(file)]
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise RecordingError(
            f"{path} cannot be read as candles: {error!r}; give a gzipped CSV with the columns timestamp and close"
        ) from None
    estimator = ClockEstimator(Params(half_life_weeks=52.0))
    for (before, old), (after, new) in pairwise(candles):
        if after - before == 60:
            estimator.update(after, 60, math.log(new / old))
    clock = estimator.clock()
    loud = sorted(range(60), key=lambda minute: -clock.minutes[minute])[:6]
    lines = ["| minute of the hour | variance over the mean |", "|---|---|"]
    lines += [f"| :{minute:02d} | {clock.minutes[minute]:.2f} |" for minute in loud]
    ends = [clock.minutes[minute] for minute in (14, 29, 44, 59)]
    lines.append(f"| :14, :29, :44, :59 together | {sum(ends) / 4:.2f} |")
    days = [sum(clock.hours[hour + 24 * day] for day in range(7)) / 7 for hour in range(24)]
    lines.append(f"| loudest hour of the day, {days.index(max(days)):02d} UTC | {max(days):.2f} |")
    lines.append(f"| quietest, {days.index(min(days)):02d} UTC | {min(days):.2f} |")
    return "\n".join([*lines, "", "```toml", settings_of(clock), "```"])


def settings_of(clock: VarianceClock) -> str:
    """Give a variance clock as settings of one asset."""
    rows = (("minutes", clock.minutes), ("hours", clock.hours))
    tables = (f"{name} = [{', '.join(f'{factor:.3f}' for factor in factors)}]" for name, factors in rows)
    return "\n".join(("[rooms.fair.clocks.BTC]", *tables))


def _second(text: str) -> int:
    """Give the epoch second of a candle's stamp, which is when it ends."""
    if text.replace(".", "").isdigit():
        value = float(text)
        return int(value / 1_000 if value > 1e11 else value)
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def main() -> int:
    """Print both tables. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.volatilities", description=__doc__)
    parser.add_argument("captures", type=Path, help="a folder of *.jsonl.gz captures with their Coinbase trades")
    parser.add_argument("candles", type=Path, help="a gzipped CSV of one-minute candles: timestamp, close")
    chosen = parser.parse_args()
    return printed(lambda: f"{of_captures(chosen.captures)}\n\n{of_candles(chosen.candles)}")


if __name__ == "__main__":
    sys.exit(main())
