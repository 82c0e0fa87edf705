"""What the commands of recordings print for people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from fairstrike.app.desk.tables import ABSENT, Sheet, put
from fairstrike.app.printing import counted, progress

if TYPE_CHECKING:
    from fairstrike.app import compacting
    from fairstrike.app.covering import Covered
    from fairstrike.app.recording import Report, Wanted
    from fairstrike.research.coverage import Track

_console = Console(highlight=False)
_SHADES, _LOST, _NOTHING = "▁▂▃▄▅▆▇█", "×", "·"
_PICTURE_WIDTH = 48


@contextmanager
def recording(asked: "Wanted", *, is_shown: bool) -> Iterator[Callable[[int], None]]:
    """Show how long is left, or how long it has been."""
    if not asked.seconds:
        what = f"recording {asked.environment} until Ctrl-C"
    else:
        what = f"recording {asked.environment}"
    with progress(what, int(asked.seconds) or None, is_shown=is_shown) as bar:
        yield bar


def recorded(report: "Report") -> None:
    """Print what was recorded."""
    packed, raw = report.bytes_packed / 1e6, report.bytes_raw / 1e6
    put(
        _console,
        f"{escape(report.folder)}: run {report.run}, {counted(report.segments, 'segment')}, "
        f"{packed:,.2f} MB of {raw:,.2f} MB, {report.seconds:,.1f} s",
    )
    put(
        _console,
        f"{counted(report.lines, 'line')}, {counted(report.deltas, 'book change')} "
        f"of {counted(report.markets, 'market')}, {counted(report.spot_frames, 'spot frame')}, "
        f"{counted(report.rows, 'row')}",
    )
    troubles = [
        (report.gaps, "gap"),
        (report.connections - 1, "reconnection"),
        (report.unreadable, "unreadable frame"),
        (report.books_asked_again, "book asked for anew"),
    ]
    told = ", ".join(
        counted(count, noun) if noun != "book asked for anew" else f"{count:,} books asked for anew"
        for count, noun in troubles
        if count > 0
    )
    put(_console, f"ended because {escape(report.ended)}" + (f"; {told}" if told else "; no gap"))
    for name, cut in report.mended.items():
        put(_console, f"[yellow]![/] {escape(name)}: {counted(cut, 'byte')} of a torn end cut off")


def compacted(report: "compacting.Report") -> None:
    """Print what was made."""
    made = "made" if report.is_new else "is there already, made of the same recordings and whole"
    figures = f"{counted(report.rows, 'row')} in {counted(report.files, 'file')}, {report.bytes / 1e6:,.1f} MB"
    put(_console, f"{escape(report.folder)} {made}: {figures}")
    put(_console, ", ".join(f"{stream} {rows:,}" for stream, rows in sorted(report.streams.items())))
    for cut in report.cut:
        put(_console, f"[yellow]![/] {escape(cut)}: it ended in the middle")
    for note in report.notes:
        put(_console, f"[dim]{escape(note)}[/]")


def covered(found: "Covered") -> None:
    """Print markets by time with their figures, and the sources' clocks."""
    report = found.report
    put(_console, f"{escape(report.folder)}: {report.span}")
    put(_console, ", ".join(f"{stream} {rows:,}" for stream, rows in sorted(report.rows.items())))
    rows = [
        (
            one.ticker,
            bar(track, report.first_ns, report.last_ns),
            f"{one.deltas:,}",
            f"{one.losses:,}" if one.losses else "",
            f"{one.there_s:,.0f}",
            f"{one.absent_s:,.1f}" if one.absent_s else "",
            f"{one.silent_s:,.1f}",
            f"{one.per_second_mean:,.1f}",
            f"{one.per_second_max:,}",
        )
        for one, track in zip(report.markets, found.tracks, strict=True)
    ]
    columns = ("market", "time", "changes", "losses", "there s", "absent s", "silent s", "a second", "most")
    put(_console, Sheet(title="Books", columns=columns, rows=rows, left=2, spare=("most", "silent s")).under_title())
    for feed in report.feeds:
        offset = ABSENT
        if feed.offset_ms_least is not None and feed.offset_ms_most is not None:
            offset = f"{feed.offset_ms_least:,.1f} to {feed.offset_ms_most:,.1f} ms"
        put(
            _console,
            f"{escape(feed.source)}: {counted(feed.connections, 'connection')}, down {feed.down_s:,.1f} s between "
            f"them, {counted(feed.refused, 'unreadable frame')}, clock offset {offset}",
        )


def bar(track: "Track", begin_ns: int, end_ns: int, width: int = _PICTURE_WIDTH) -> str:
    """Give a market's time as one line: higher where more rows came, × where the book was lost, · where none came."""
    from fairstrike.research.coverage import counts

    rows, losses = counts(track, begin_ns, end_ns, width)
    top = max(1.0, float(rows.max()))
    signs = (_SHADES[min(7, int(8 * (float(count) / top) ** 0.5))] if count else _NOTHING for count in rows)
    return "".join(_LOST if lost else sign for sign, lost in zip(signs, losses, strict=True))
