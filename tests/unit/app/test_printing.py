"""What a replay prints for people, and a demo's screen."""

from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from fairstrike.app import printing
from fairstrike.app.demo import Demo, Wanted, World


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 40), (120, 40)])
def test_demo_screen_fills_the_terminal_bar_first(tmp_path: Path, width: int, height: int) -> None:
    demo = Demo(Wanted(seed=1, speed=1, folder=tmp_path / "new", limit_seconds=1.0))
    demo.world = World(60_000_000_000, 0, 0, {}, [])
    console = Console(width=width, height=height, color_system=None)
    with console.capture() as captured:
        console.print(printing.demo_screen(demo, width, height))
    lines = captured.get().splitlines()
    assert len(lines) == height
    assert lines[0].startswith("  50% ━")
    assert lines[1].startswith("╭")
    assert lines[-1].startswith("╰")


def course(seconds: float, *told: tuple[float, int], total: int | None = 1_000_000) -> str:
    """What stands beside a bar `seconds` after its start, having been told bytes at some times."""
    clock = [0.0]
    bars = Progress(get_time=lambda: clock[0], auto_refresh=False)
    task = bars.add_task("replaying", total=total)
    for at, done in told:
        clock[0] = at
        bars.update(task, completed=done)
    clock[0] = seconds
    return printing.Course(in_bytes=True).render(bars.tasks[0]).plain


def test_a_bars_times_cannot_be_taken_for_one_another() -> None:
    told = ((20.0, 320_000), (30.0, 480_000), (40.0, 640_000))
    assert course(40.0, *told) == " 64 %  0:00:40 · 0:00:23 left · 16 kB/s"
    assert course(5.0) == "  0 %  0:00:05"
    assert course(3_725.0, total=None) == "1:02:05"


def test_what_comes_after_a_bar_takes_its_place() -> None:
    with Progress(disable=True) as bars:
        advance = printing.Advance(bars, bars.add_task("replaying", total=9))
        advance(4)
        assert bars.tasks[0].completed == 4
        advance.then("writing the report")
        assert [(task.description, task.total) for task in bars.tasks] == [("writing the report", None)]


def test_nothing_is_said_of_progress_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with printing.working("checking recordings", is_shown=True):
        pass
    with printing.progress("replaying", 9, is_shown=True) as advance:
        advance(4)
        advance.then("writing the report")
    assert capsys.readouterr() == ("", "")
