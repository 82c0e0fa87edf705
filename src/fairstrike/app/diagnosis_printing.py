"""What `doctor` and `smoke` print for people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from fairstrike.app import printing
from fairstrike.app.desk.picture import FAINT
from fairstrike.app.desk.tables import ABSENT, Sheet, put
from fairstrike.app.doctor import Finding, Report, State

if TYPE_CHECKING:
    from fairstrike.app import smoke

_console = Console(highlight=False)
_NAME_WIDTH = 16
_SIGNS = {
    State.OK: "[green]✓[/]",
    State.WARNING: "[yellow]![/]",
    State.FAILED: "[red]✗[/]",
    State.SKIPPED: "[dim]–[/]",
}
_STYLES = {State.OK: "default", State.WARNING: "yellow", State.FAILED: "red", State.SKIPPED: "dim"}
_STANDINGS = {"open": "green", "refused": "red", "ended": "red", "no answer": "yellow", "not asked": "dim"}


@contextmanager
def findings(*, is_shown: bool) -> Iterator[Callable[[Finding], None]]:
    """Print each check as it is made."""
    yield _finding if is_shown else lambda found: None


def _finding(found: Finding) -> None:
    says = f"[{_STYLES[found.state]}]{escape(found.says)}[/]"
    put(_console, f"{_SIGNS[found.state]} {found.check:{_NAME_WIDTH}}{says}")


def verdict(report: Report) -> None:
    """Print what all checks come to."""
    counts = {state: sum(found.state is state for found in report.findings) for state in State}
    if counts[State.FAILED]:
        first = next(found.check for found in report.findings if found.state is State.FAILED)
        put(_console, f"\n[bold red]{printing.counted(counts[State.FAILED], 'check')} failed[/], begin with {first}")
        return
    note = f", {printing.counted(counts[State.WARNING], 'warning')}" if counts[State.WARNING] else ""
    put(_console, f"\n[bold green]fit to run on {report.environment}[/]{note}")


@contextmanager
def listening(wanted: "smoke.Wanted", *, is_shown: bool) -> Iterator[Callable[[int], None]]:
    """Show how long is left."""
    with printing.progress(f"listening to {wanted.environment}", max(1, int(wanted.seconds)), is_shown=is_shown) as bar:
        yield bar


def smoked(report: "smoke.Report") -> None:
    """Print what came on a stream."""
    put(_console, f"{escape(report.stream)}, {report.seconds:g} s")
    rows = [
        (
            one.channel,
            Text(one.standing, _STANDINGS[one.standing]),
            f"{one.frames:,}" if one.frames else "",
            f"{one.per_second:,.1f}" if one.frames else "",
            Text(f"{one.missing:,}", "red") if one.missing else "",
            _milliseconds(one.age_ms_p50),
            _milliseconds(one.age_ms_max),
            _milliseconds(one.silent_ms),
        )
        for one in report.channels
    ]
    columns = ("channel", "access", "frames", "a second", "lost", "age ms", "oldest ms", "silent ms")
    put(_console, Sheet(title="Channels", columns=columns, rows=rows, left=2, spare=("oldest ms",)).under_title())
    for one in report.channels:
        if one.reason:
            put(_console, f"[dim]{one.channel}: {escape(one.reason)}[/]")
    put(_console, "\n" + " · ".join(_figures(report)))
    for problem in report.problems:
        put(_console, f"[red]✗[/] {escape(problem)}")
    if not report.problems:
        put(_console, "[bold green]the stream is fit to trade on[/]")


def _figures(report: "smoke.Report") -> Iterator[str]:
    yield f"{printing.counted(report.frames, 'frame')}, {report.bytes / 1024:,.0f} KiB"
    markets = printing.counted(len(report.markets), "market")
    yield f"books of {report.books} of {markets}, {report.books_again} given anew"
    if report.connect_ms is not None:
        yield f"connected in {report.connect_ms:,.0f} ms"
    if report.unknown:
        yield "unknown: " + ", ".join(f"{escape(kind)} {count:,}" for kind, count in report.unknown.items())


def _milliseconds(value: float | None) -> str | Text:
    return Text(ABSENT, FAINT) if value is None else f"{value:,.0f}" if value >= 10 else f"{value:,.1f}"
