"""What commands print for people: progress, tables, one line of verdict."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fairstrike.app.desk.panel import panel
from fairstrike.app.desk.picture import FAINT
from fairstrike.app.desk.tables import put
from fairstrike.app.desk.terminal import summary

if TYPE_CHECKING:
    from fairstrike.app.demo import Demo
    from fairstrike.app.verifying import Verified
    from fairstrike.research.report import AgreementReport, AgreementReports, MarketReport, ReplayReport
    from fairstrike.research.scoring import Scores

_console = Console()
_errors = Console(stderr=True)
_PICTURE_WIDTH_MAX = 110
_MARKETS_MAX, _EVENTS_MAX = 60, 5


@contextmanager
def progress(what: str, total: int | None, *, is_shown: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; the block calls what it gets with how far it is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_errors, disable=not (is_shown and _errors.is_terminal), transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.update(task, completed=done)


def replay_report(report: "ReplayReport") -> None:
    """Print a replay's figures."""
    shown = report.markets
    if len(shown) > _MARKETS_MAX:
        shown = {ticker: market for ticker, market in shown.items() if market.fills or not market.is_clean}
    put(_console, _markets(report, shown))
    if len(shown) < len(report.markets):
        put(_console, f"and {counted(len(report.markets) - len(shown), 'market')} without a fill or a fault")
    for ticker, market in report.markets.items():
        if market.gaps or market.frozen:
            absent = f"{market.seconds_without_book:.1f} s without a book"
            put(_console, f"[yellow]{ticker}: {counted(market.gaps, 'gap')}, {market.frozen} frozen, {absent}[/]")
    if report.strategies:
        put(_console, Text())
        put(_console, _strategies(report))
    if report.scores is not None and report.scores.brier.model.count:
        put(_console, Text())
        put(_console, _scores(report.scores))
    put(_console, Text())
    for line in _replay_lines(report):
        put(_console, line)


def _markets(report: "ReplayReport", shown: "Mapping[str, MarketReport]") -> Table:
    table = _table(f"{counted(len(report.markets), 'market')}, {counted(report.deltas, 'delta')}")
    table.add_column("market", no_wrap=True)
    for name in ("deltas", "fills", "fees $", "P&L $"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    for ticker, market in shown.items():
        gain = "open" if market.pnl is None else _signed(market.pnl)
        table.add_row(
            ticker,
            f"{market.deltas:,}",
            *((str(market.fills), _cents(market.fees), gain) if market.fills else ("", "", "")),
            (market.result or "open") + ("*" if market.is_derived and market.result else ""),
        )
    if any(market.is_derived and market.result for market in shown.values()):
        table.caption = "* derived from the next window's strike, not official"
    return table


def _scores(scores: "Scores") -> Table:
    table = _table("Brier score by time to close (0 is perfect)")
    table.add_column("to close", no_wrap=True)
    for name in ("n", "events", "model", "market", "model − market", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, found in (*((bucket.name, bucket.brier) for bucket in scores.buckets), ("all", scores.brier)):
        difference = found.difference
        is_known = difference.low is not None and difference.high is not None
        table.add_row(
            name,
            f"{difference.count:,}",
            f"{difference.events:,}",
            "" if found.model.mean is None else f"{found.model.mean:.4f}",
            "" if found.market.mean is None else f"{found.market.mean:.4f}",
            _score(difference.mean),
            f"{_score(difference.low)} to {_score(difference.high)}" if is_known else "",
        )
    table.caption = "n forecasts; interval clustered by settlement event; below zero the model is better"
    return table


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:+.4f}".replace("-", "−")


def _evidence_lines(report: "ReplayReport") -> Iterator[str]:
    if report.scores is not None:
        yield escape(report.scores.verdict)
    for name, found in () if report.agreement is None else _agreements(report.agreement):
        if found.share_now is not None and found.share_recent is not None:
            shares = f"{found.share_now:.1%} at once, {found.share_recent:.1%} within 1.1 s"
            yield f"tickers of {counted(found.markets, 'market')}{name}: {shares} equal to the rebuilt book"
    if report.events:
        wakes = f"{counted(report.wakes, 'wake')}, {report.wakes / report.events:.3f} an event"
        yield f"{counted(report.events, 'event')} · {counted(report.decisions, 'moment')} of decision · {wakes}"
    for name, tally in report.considered.items():
        yield f"{escape(name)}: {_tallied(tally) or 'never woken'}"
    for name, tally in (("refused by risk", report.refused), ("rejected by the venue", report.rejected)):
        if tally:
            yield f"{name}: {_tallied(tally)}"
    for event in report.open_events[:_EVENTS_MAX]:
        held = ", ".join(f"{contracts} of {ticker}" for ticker, contracts in event.held.items())
        yield f"{escape(', '.join(event.events))}: no result; held {escape(held) or 'nothing'}"
    if len(report.open_events) > _EVENTS_MAX:
        yield f"and {counted(len(report.open_events) - _EVENTS_MAX, 'more event')} without a result"


def _agreements(found: "AgreementReports") -> tuple[tuple[str, "AgreementReport"], ...]:
    if found.clean == found.overall:
        return (("", found.overall),)
    return ((" whose book was never lost", found.clean), (" in all", found.overall))


def _tallied(tally: Mapping[str, int]) -> str:
    return " · ".join(f"{escape(name)} {count:,}" for name, count in tally.items())


def _replay_lines(report: "ReplayReport") -> Iterator[str]:
    fees = _cents(report.fees) or "0.00"
    yield f"fills {report.fills} · fees ${fees} · P&L of settled markets {_signed(report.pnl)}"
    yield from _evidence_lines(report)
    yield f"gaps {report.gaps} · frozen {report.frozen} · without a book {report.seconds_without_book:.1f} s"
    for name in report.without_spot:
        yield f"{escape(name)}: no trades beside it (…spot.csv), so no prices and no trading: books and gaps only"
    for cut in report.cut:
        yield f"the recording ends in the middle: {escape(cut)}; what stands before it was read"
    if report.page is not None:
        yield f"page {escape(report.page)}"
    yield f"journal {escape(report.journal)} · digest {report.digest[:16]}"


def verified(found: "Verified") -> None:
    """Print a verification's verdict."""
    left = (
        f"; {counted(found.left_out, 'older run')} left out, their inputs are no longer kept" if found.left_out else ""
    )
    put(
        _console,
        f"{found.records:,} decision records of {counted(found.runs, 'run')} made again, byte for byte{left}",
    )


def _strategies(report: "ReplayReport") -> Table:
    table = _table("Strategies")
    for name in ("strategy", "fills", "fees $", "P&L $", "open markets"):
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for name, figures in report.strategies.items():
        table.add_row(
            name, str(figures.fills), _cents(figures.fees), _signed(figures.pnl), str(figures.open_markets or "")
        )
    return table


def _table(title: str) -> Table:
    table = Table(
        title=title, title_justify="left", caption_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    table.collapse_padding = True
    return table


def counted(count: int, noun: str) -> str:
    """Give a count with its noun, in the plural unless it is one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _cents(text: str) -> str:
    return f"{float(text):,.2f}" if float(text) else ""


def _signed(text: str) -> str:
    value = float(text)
    colour = "green" if value > 0 else "red" if value < 0 else "dim"
    # The desk's own minus, as wide as its plus; what rounds to nothing has no sign.
    shown = f"{value:+,.2f}".replace("-", "−")
    return f"[{colour}]{shown if shown[1:] != '0.00' else '0.00'}[/]"


@contextmanager
def demo_progress(*, is_shown: bool) -> Iterator[Callable[["Demo"], None]]:
    """Show the run while the block goes on: a live panel in a terminal, a line now and then elsewhere."""
    if not is_shown:
        yield lambda demo: None
        return
    if not _console.is_terminal or _console.is_dumb_terminal:
        lines = _Lines()
        yield lines
        return
    starting = Text(" starting exchange, trader and desk …", FAINT)
    with Live(starting, console=_console, auto_refresh=False, screen=True) as live:
        yield lambda demo: live.update(demo_screen(demo, *_console.size), refresh=True)


def demo_screen(demo: "Demo", width: int, height: int) -> RenderableType:
    """Give a running demo's screen, `width` characters by `height` lines: how far it is, below it the desk's panel."""
    share = f" {demo.share_done:4.0%} "
    bar = ProgressBar(total=1.0, completed=demo.share_done, width=width - len(share) - 1)
    line = Table.grid()
    line.add_row(share, bar)
    return Group(line, panel(demo.state, width, height - 1))


def demo_summary(demo: "Demo") -> None:
    """Print what a demo came to: the picture, the tables, and where its files are."""
    width = min(_console.width, _PICTURE_WIDTH_MAX) if _console.is_terminal else _PICTURE_WIDTH_MAX
    put(_console, summary(demo.state, demo.index_points(), width))
    put(_console, f"journal, database and logs: {escape(str(demo.wanted.folder))}")


class _Lines:
    """Progress for output that is no terminal: one line every tenth of the way."""

    def __init__(self) -> None:
        self._tenths = -1

    def __call__(self, demo: "Demo") -> None:
        tenths = int(demo.share_done * 10)
        if tenths != self._tenths:
            self._tenths = tenths
            state = demo.state
            print(
                f"{tenths * 10:3d} %  {counted(state.sent, 'order')}, {counted(state.fills_count, 'fill')}, "
                f"{counted(state.settlements_count, 'market')} settled",
                flush=True,
            )
