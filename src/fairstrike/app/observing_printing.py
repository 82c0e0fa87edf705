"""What `observe` shows: a live table on the terminal's second screen, or lines of JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.live import Live

from fairstrike.app.desk.ladders import screen
from fairstrike.app.observing import Observation
from fairstrike.core.errors import UsageError

_LIVE_EVERY_S, _JSON_EVERY_S = 0.25, 1.0


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """How an observation is shown, and how often."""

    draw: Callable[[Observation], None]
    every_s: float


@contextmanager
def shown(*, as_json: bool, console: Console | None = None) -> Iterator[Show]:
    """Give how to show an observation within the block.

    Raises `UsageError` when there is no terminal for the table.
    """
    console = console or Console(highlight=False)
    if as_json:
        yield Show(draw=_print, every_s=_JSON_EVERY_S)
        return
    if not console.is_terminal or console.is_dumb_terminal:
        raise UsageError("the live table needs a terminal; use --json for one object a second")
    with Live(console=console, auto_refresh=False, screen=True) as live:

        def draw(observation: Observation) -> None:
            width, height = console.size
            live.update(screen(observation.sights, observation.now_ns, width, height), refresh=True)

        yield Show(draw=draw, every_s=_LIVE_EVERY_S)


def _print(observation: Observation) -> None:
    print(msgspec.json.encode(observation.seen()).decode(), flush=True)
