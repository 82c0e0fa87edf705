"""What the commands of recordings print for people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from fairstrike.app.desk.tables import put
from fairstrike.app.printing import counted, progress

if TYPE_CHECKING:
    from fairstrike.app import compacting
    from fairstrike.app.recording import Report, Wanted

_console = Console(highlight=False)


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
        f"of {counted(report.markets, 'market')}, {counted(report.rows, 'row')}",
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
