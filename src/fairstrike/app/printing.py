"""What commands print for people: progress, tables, one line of verdict."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fairstrike.app.desk.panel import panel
from fairstrike.app.desk.picture import FAINT
from fairstrike.app.desk.tables import put

if TYPE_CHECKING:
    from fairstrike.app.demo import Demo
    from fairstrike.app.verifying import Verified

_console = Console()
_errors = Console(stderr=True)
_PICTURE_WIDTH_MAX = 110
_BAR_WIDTH_MIN, _BAR_WIDTH_MAX, _BESIDE_BAR_WIDTH = 8, 40, 54


class Advance:
    """What a block under a bar calls with how far it is."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        """Begin at nothing."""
        self._bars = bars
        self._task = task

    def __call__(self, done: int) -> None:
        """Move the bar to `done`."""
        self._bars.update(self._task, completed=done)

    def then(self, what: str) -> None:
        """Put what comes after the bar in its place: its length is not known."""
        self._bars.remove_task(self._task)
        self._task = self._bars.add_task(what, total=None)


@contextmanager
def progress(what: str, total: int | None, *, is_shown: bool, in_bytes: bool = False) -> Iterator[Advance]:
    """Show a bar on stderr while the block runs; the block calls what it gets with how far it is, also `in_bytes`."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=min(_BAR_WIDTH_MAX, max(_BAR_WIDTH_MIN, _errors.width - _BESIDE_BAR_WIDTH))),
        Course(in_bytes=in_bytes),
    )
    with Progress(*columns, console=_errors, disable=not (is_shown and _errors.is_terminal), transient=True) as bars:
        yield Advance(bars, bars.add_task(what, total=total))


@contextmanager
def working(what: str, *, is_shown: bool) -> Iterator[None]:
    """Show on stderr, in a terminal, what goes on while the block runs."""
    if not (is_shown and _errors.is_terminal):
        yield
        return
    with _errors.status(what, spinner_style="default"):
        yield


class Course(ProgressColumn):
    """Beside a bar: the share done, the time it took, the time that is left, the speed."""

    max_refresh = 0.5

    def __init__(self, *, in_bytes: bool) -> None:
        """Show a speed where steps are bytes."""
        super().__init__()
        self._in_bytes = in_bytes

    def render(self, task: Task) -> Text:
        """Give the line; what is not known yet is left out."""
        parts = [_duration(task.elapsed or 0.0)]
        if task.total is None:
            return Text(parts[0], FAINT, no_wrap=True)
        if task.time_remaining is not None:
            parts.append(f"{_duration(task.time_remaining)} left")
        speed = task.finished_speed or task.speed
        if self._in_bytes and speed is not None:
            parts.append(f"{speed / 1e6:.1f} MB/s" if speed >= 1e6 else f"{speed / 1e3:.0f} kB/s")
        return Text.assemble(f"{task.percentage:3.0f} %  ", (" · ".join(parts), FAINT), no_wrap=True)


def _duration(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3_600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def verified(found: "Verified") -> None:
    """Print a verification's verdict."""
    left = (
        f"; {counted(found.left_out, 'older run')} left out, their inputs are no longer kept" if found.left_out else ""
    )
    cut = f"; {counted(found.cut, 'run')} without an end, as one that was killed" if found.cut else ""
    put(
        _console,
        f"{found.records:,} decision records of {counted(found.runs, 'run')} made again, byte for byte{left}{cut}",
    )


def table(title: str) -> Table:
    """Give an empty table in the look of all of them."""
    made = Table(
        title=title, title_justify="left", caption_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    made.collapse_padding = True
    return made


def counted(count: int, noun: str) -> str:
    """Give a count with its noun, in the plural unless it is one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


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
    # It comes with the database, which no other command's words need and which takes most of their start.
    from fairstrike.app.desk.terminal import summary

    width = min(_console.width, _PICTURE_WIDTH_MAX) if _console.is_terminal else _PICTURE_WIDTH_MAX
    put(_console, summary(demo.state, demo.index_points(), width))
    put(_console, f"journal, database and logs: {escape(str(demo.folder))}")


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
