"""`fairstrike stats`: what recorded markets do, as figures, tables and a page with pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from fairstrike.core.errors import RecordingError, UsageError
from fairstrike.research.importers import formats
from fairstrike.research.importers.base import Recording
from fairstrike.research.statistics_report import StatisticsReport, statistics_report
from fairstrike.research.survey import Survey
from fairstrike.research.trade_sizes import ticker_trades


class Surveyed(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, and the survey that pictures are drawn from."""

    report: StatisticsReport
    survey: Survey


def prepare(paths: Sequence[Path], page: Path | None = None) -> list[Recording]:
    """Give the recordings of files and folders, in order of their first events.

    Raises `RecordingError` for a path that cannot be used, `UsageError` when `page` cannot be written.
    """
    if page is not None and (page.is_dir() or not page.parent.is_dir()):
        raise UsageError(f"the page cannot be written to {page}; name a file in a folder that is there")
    return formats.recordings(paths)


def bytes_total(recordings: Sequence[Recording]) -> int:
    """Give the size of all recordings as files."""
    return sum(recording.bytes_total for recording in recordings)


def run(recordings: Sequence[Recording], on_progress: Callable[[int], None]) -> Surveyed:
    """Read the recordings one after the other; `on_progress` is called with the bytes read so far.

    Raises `RecordingError` when one cannot be read, or none of them holds a book.
    """
    survey = Survey()
    for recording in recordings:
        survey.read(
            recording,
            ticker_trades(recording.path),
            lambda: on_progress(sum(each.bytes_read for each in recordings)),
        )
    if not survey.markets and not survey.ladders.captures:
        raise RecordingError("no order book is in these recordings; give captures of books, streamed or polled")
    report = statistics_report(
        survey,
        [recording.path.name for recording in recordings],
        [f"{cut.name} after line {cut.line_count}" for recording in recordings for cut in recording.cuts],
    )
    return Surveyed(report=report, survey=survey)


def write_page(surveyed: Surveyed, path: Path) -> None:
    """Write tables and pictures as one self-contained page."""
    # Here, because the figures alone are wanted more often, and drawing takes a second to import.
    from fairstrike.app import stats_page

    path.write_text(stats_page.page(surveyed.report, surveyed.survey.pool), encoding="utf-8")
