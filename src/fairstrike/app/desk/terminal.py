"""The desk in a terminal: a live panel while a run goes on, tables when it is over."""

from contextlib import nullcontext
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fairstrike.app.desk.facts import facts_of
from fairstrike.app.desk.follow import Desk, Pace, follow, journal_of, read_new, until_signalled
from fairstrike.app.desk.panel import panel
from fairstrike.app.desk.picture import FAINT, Points, picture
from fairstrike.app.desk.state import DeskState
from fairstrike.app.desk.tables import (
    ABSENT,
    Sheet,
    clock,
    coloured,
    dollars,
    positions,
    put,
    strategies,
    title,
)
from fairstrike.core.errors import LockedError
from fairstrike.core.order import OrderState
from fairstrike.core.units import format_cc, format_ticks
from fairstrike.store.following import Follower
from fairstrike.store.segments import DECISIONS

POSITIONS_SHOWN, STRATEGIES_SHOWN, SETTLEMENTS_SHOWN = 5, 8, 12
_PICTURE_LINES = 30


def run_terminal(folder: Path, pace: Pace, url: str | None = None, console: Console | None = None) -> int:
    """Keep the folder's database up to date and show the run meanwhile; print its summary at the end.

    Gives the exit code, 0. Returns and raises as `follow.run_desk` does.
    """
    console = console or Console()
    desk, watch = Desk(folder, url), _Watch(folder, console)
    try:
        with until_signalled() as is_stopping, watch.live or nullcontext():
            watch.draw()
            follow(desk, is_stopping, pace, watch.look)
            watch.look(None)
    finally:
        desk.close()
    put(console, summary(watch.state))
    return 0


class _Watch:
    """What is known of the run, shown on the terminal's second screen: leaving it gives the first back as it was."""

    def __init__(self, folder: Path, console: Console) -> None:
        self.state = DeskState()
        is_live = console.is_terminal and not console.is_dumb_terminal
        self.live = Live(console=console, auto_refresh=False, screen=True) if is_live else None
        self._console = console
        self._follower = Follower(journal_of(folder), DECISIONS)
        self._is_reading = True

    def look(self, trouble: LockedError | None) -> None:
        """Fold what is new and draw; while catching up also in between."""
        while records := read_new(self._follower):
            for fact in facts_of(records):
                self.state.fold(fact)
            if self._is_reading:
                self.draw()
        self._is_reading = False
        self.draw("" if trouble is None else str(trouble))

    def draw(self, trouble: str = "") -> None:
        """Draw the panel as large as the terminal is now."""
        if self.live is not None:
            width, height = self._console.size
            shown = panel(self.state, width, height, trouble=trouble, is_reading=self._is_reading)
            self.live.update(shown, refresh=True)


def summary(state: DeskState, index_points: Points = (), width: int = 100) -> RenderableType:
    """Give what a run came to: the picture when there is something to draw, then tables.

    `index_points` are (ns, `_e8`) of the index, which the decision chain does not hold.
    """
    parts: list[RenderableType] = []
    if index_points:
        parts += [picture(index_points, list(state.fills), state.equity, width, _PICTURE_LINES), Text()]
    parts += [title(state), Text(), _outcome(state), Text(), strategies(state).cut(STRATEGIES_SHOWN).under_title()]
    if state.settlements:
        parts += [Text(), _settlements(state)]
    if state.positions:
        parts += [Text(), positions(state).cut(POSITIONS_SHOWN).under_title()]
    if state.refusals:
        parts += [Text(), _refusals(state).under_title()]
    return Group(*parts)


def _outcome(state: DeskState) -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_column(style=FAINT)
    table.add_column()
    table.add_row("Cash at the start", dollars(state.cash_start_ud))
    table.add_row("Cash now", dollars(state.cash_ud))
    table.add_row("Cost of open positions", dollars(state.open_cost_ud))
    table.add_row("Result at cost, after fees" if state.positions else "Result after fees", coloured(state.pnl_ud))
    table.add_row("Fees paid", dollars(state.fees_ud))
    table.add_row("Decisions", f"{state.decisions:,}")
    ends = ", ".join(f"{state.ends[end]:,} {end.value}" for end in OrderState if end in state.ends)
    table.add_row("Orders", f"{state.sent:,}" + (f" ({ends})" if ends else ""))
    table.add_row("Fills", f"{state.fills_count:,}")
    table.add_row("Markets settled", f"{state.settlements_count:,}, {state.wins:,} with a gain")
    return table


def _settlements(state: DeskState) -> Table:
    held = [settlement for settlement in state.settlements if settlement.net_cc or settlement.pnl_ud]
    rows: list[tuple[str | Text, ...]] = []
    for settlement in held[-SETTLEMENTS_SHOWN:]:
        side = "YES" if settlement.net_cc > 0 else "NO"
        size = f"{format_cc(abs(settlement.net_cc))} {side}" if settlement.net_cc else ABSENT
        value = format_ticks(settlement.value_ticks) + ("*" if settlement.is_derived else "")
        money = (dollars(settlement.payout_ud), coloured(settlement.pnl_ud))
        rows.append((clock(settlement.instant_ns), settlement.ticker, size, value, *money))
    name = f"Settlements, the last {SETTLEMENTS_SHOWN}" if len(held) > SETTLEMENTS_SHOWN else "Settlements"
    columns = ("time", "market", "contracts", "value", "payout", "result")
    table = Sheet(title=name, columns=columns, rows=rows, left=2).under_title()
    if any(settlement.is_derived for settlement in held):
        table.caption = "* our own sum, not yet the venue's"
    return table


def _refusals(state: DeskState) -> Sheet:
    ranked = sorted(state.refusals.items(), key=lambda item: (-item[1], item[0]))
    rows = [(rule, f"{count:,}") for rule, count in ranked]
    return Sheet(title="Refused by rule", columns=("rule", "signals"), rows=rows)
