"""`results.csv` beside 15-minute captures: how each recorded market ended."""

import csv
from collections.abc import Collection
from pathlib import Path

from fairstrike.core.errors import ArithmeticRefusal, RecordingError
from fairstrike.core.units import TICKS_PER_DOLLAR, parse_e8
from fairstrike.research.importers.base import Result, instant_ns

COLUMNS = (
    "run",
    "market_ticker",
    "close_time",
    "strike_usd",
    "official_result",
    "settlement_value_usd_from_next_strike",
)


def results(path: Path, runs: Collection[str]) -> dict[str, Result]:
    """Give the results of some runs' markets by ticker: the official one, else next strike ≥ own, else none.

    Raises `RecordingError` when the file is no such table, lacks a column, or contradicts itself.
    """
    found: dict[str, Result] = {}
    if not path.is_file():
        raise RecordingError(f"{path.name} is no plain file; give the results as a file, or take it away")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise RecordingError(f"{path.name} lacks the column {missing[0]}; restore the file, or take it away")
            for row in rows:
                if None in row or None in row.values():
                    raise ArithmeticRefusal(f"the one of {row['market_ticker']!r} is cut")
                if row["run"] in runs:
                    _agree(path, found, _result(row))
    except OSError as error:
        raise RecordingError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from None
    except (KeyError, TypeError, csv.Error, UnicodeDecodeError, ArithmeticRefusal) as error:
        raise RecordingError(f"{path.name} has a row that cannot be used ({error}); restore the file") from None
    return found


def _agree(path: Path, found: dict[str, Result], told: Result) -> None:
    before = found.setdefault(told.ticker, told)
    if before != told:
        raise RecordingError(f"{path.name} tells two results of {told.ticker}; correct the one that is wrong")


def _result(row: dict[str, str]) -> Result:
    official, strike, value = row["official_result"], row["strike_usd"], row["settlement_value_usd_from_next_strike"]
    if official not in ("", "yes", "no"):
        raise ArithmeticRefusal(f"official_result {official!r}")
    ticks: int | None = None
    if official:
        ticks = TICKS_PER_DOLLAR if official == "yes" else 0
    elif strike and value:
        ticks = TICKS_PER_DOLLAR if parse_e8(value) >= parse_e8(strike) else 0
    return Result(
        ticker=row["market_ticker"],
        close_ns=instant_ns(row["close_time"]),
        value_ticks=ticks,
        is_derived=not official,
        settled_e8=parse_e8(value) if value else None,
    )
