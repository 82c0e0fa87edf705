"""What a replay prints for people, and a demo's screen."""

from pathlib import Path

import pytest
from rich.console import Console

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
