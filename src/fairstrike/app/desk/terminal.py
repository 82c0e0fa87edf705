"""The desk in a terminal: a live panel while a run goes on, tables when it is over."""

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fairstrike.app.desk.facts import facts_of
from fairstrike.app.desk.follow import Desk, Pace, follow, journal_of, read_new, until_signalled
from fairstrike.app.desk.picture import (
    BUY,
    BUY_STYLE,
    FAINT,
    GAIN_STYLE,
    LOSS_STYLE,
    SELL,
    SELL_STYLE,
    Points,
    picture,
)
from fairstrike.app.desk.state import DeskState, Quote, SeenFill
from fairstrike.core.errors import LockedError
from fairstrike.core.order import OrderState, Side
from fairstrike.core.timing import DAY_NS, SECOND_NS
from fairstrike.core.units import PPM, UD_PER_CENT, format_cc, format_ticks
from fairstrike.store.journal import DECISIONS, Follower

POSITIONS_SHOWN, FILLS_SHOWN, STRATEGIES_SHOWN, SETTLEMENTS_SHOWN = 5, 6, 8, 12
SPARK = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 40
_ABSENT = "–"

__all__ = ["panel", "picture", "run_terminal", "sparkline", "summary"]


def run_terminal(folder: Path, pace: Pace, url: str | None = None, console: Console | None = None) -> int:
    """Keep the folder's database up to date and show the run meanwhile; print its summary at the end.

    Gives the exit code, 0. Returns and raises as `follow.run_desk` does.
    """
    console = console or Console()
    desk, state = Desk(folder, url), DeskState()
    follower = Follower(journal_of(folder), DECISIONS)
    live = Live(panel(state), console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def look(trouble: LockedError | None) -> None:
        while records := read_new(follower):
            for fact in facts_of(records):
                state.fold(fact)
        if live is not None:
            live.update(panel(state, "" if trouble is None else str(trouble)), refresh=True)

    try:
        with until_signalled() as is_stopping, live or nullcontext():
            follow(desk, is_stopping, pace, look)
            look(None)
    finally:
        desk.close()
    console.print(summary(state))
    return 0


def panel(state: DeskState, trouble: str = "") -> RenderableType:
    """Give the live panel: money and orders, strategies, positions, last fills, and warnings."""
    columns = Table.grid(padding=(0, 4))
    columns.add_row(_money(state), _strategies(state))
    fills = _fills(list(islice(reversed(state.fills), FILLS_SHOWN)))
    parts: list[RenderableType] = [columns, Text(), _positions(state), Text(), fills]
    if state.warnings:
        instant_ns, text = state.warnings[-1]
        parts.append(Text(f"{clock(instant_ns)} {text}", "yellow", no_wrap=True, overflow="ellipsis"))
    if trouble:
        parts.append(Text(trouble, "yellow"))
    return Panel(Group(*parts), title=_title(state), title_align="left", border_style=FAINT, box=box.ROUNDED)


def summary(state: DeskState, index_points: Points = (), width: int = 100) -> RenderableType:
    """Give what a run came to: the picture when there is something to draw, then tables.

    `index_points` are (ns, `_e8`) of the index, which the decision chain does not hold.
    """
    parts: list[RenderableType] = []
    if index_points:
        parts += [picture(index_points, list(state.fills), state.equity, width, 30), Text()]
    parts += [_title(state), Text(), _outcome(state), Text(), _strategies(state)]
    if state.settlements:
        parts += [Text(), _settlements(state)]
    if state.positions:
        parts += [Text(), _positions(state)]
    if state.refusals:
        parts += [Text(), _refusals(state)]
    return Group(*parts)


def sparkline(values: Sequence[int], width: int) -> str:
    """Give values as at most `width` blocks, the newest at the right; each block is the last of its stretch."""
    if not values:
        return ""
    count = min(width, len(values))
    shown = [values[(number + 1) * len(values) // count - 1] for number in range(count)]
    low, high = min(shown), max(shown)
    if low == high:
        return SPARK[3] * count
    return "".join(SPARK[(value - low) * (len(SPARK) - 1) // (high - low)] for value in shown)


def dollars(ud: int, *, signed: bool = False) -> str:
    """Give microdollars as dollars and cents, half up: for eyes only."""
    cents = (abs(ud) + UD_PER_CENT // 2) // UD_PER_CENT
    sign = "−" if ud < 0 and cents else "+" if signed and cents else ""
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def clock(instant_ns: int) -> str:
    """Give an instant's UTC time of day as HH:MM:SS."""
    second = instant_ns % DAY_NS // SECOND_NS
    return lasting(second * SECOND_NS)


def lasting(duration_ns: int) -> str:
    """Give a duration as HH:MM:SS, hours beyond a day included."""
    second = duration_ns // SECOND_NS
    return f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _coloured(ud: int | None) -> Text:
    if ud is None:
        return Text(_ABSENT, FAINT)
    return Text(dollars(ud, signed=True), FAINT if ud == 0 else GAIN_STYLE if ud > 0 else LOSS_STYLE)


def _title(state: DeskState) -> Text:
    if state.run is None:
        return Text(" fairstrike  waiting for a run ", "bold")
    title = Text.assemble((" fairstrike ", "bold"), f" {state.run.execution} · {state.run.environment} · ")
    title.append(f"{clock(state.now_ns)} UTC · running {lasting(state.now_ns - state.started_ns)} ")
    if state.ended is not None:
        title.append(f"· ended: {state.ended.reason} ", "yellow")
    return title


def _table(title: str, *columns: str, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    table.collapse_padding, table.pad_edge = True, False
    table.header_style = FAINT
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right", no_wrap=True)
    return table


def _money(state: DeskState) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=FAINT)
    grid.add_column(justify="right")
    grid.add_row("Cash", dollars(state.cash_ud))
    grid.add_row("Equity", Text(dollars(state.equity_ud), "bold"))
    grid.add_row("Result", _coloured(state.pnl_ud))
    grid.add_row("Fees", dollars(state.fees_ud))
    counts = f"{state.sent:,} sent · {len(state.working):,} working · {state.fills_count:,} fills"
    spark = sparkline([value for _, value in state.equity], _SPARK_WIDTH)
    return Group(grid, Text(spark, GAIN_STYLE if state.pnl_ud >= 0 else LOSS_STYLE), Text(counts, FAINT))


def _strategies(state: DeskState) -> Table:
    table = _table("Strategies", "strategy", "orders", "refused", "fills", "fees", "result")
    ranked = sorted(state.strategies.items(), key=lambda item: (-item[1].fills, item[0]))
    for name, sums in ranked[:STRATEGIES_SHOWN]:
        counts = (f"{sums.ordered:,}", f"{sums.refused:,}", f"{sums.fills:,}", dollars(sums.fees_ud))
        table.add_row(name, *counts, _coloured(state.marked_ud(name)))
    if len(ranked) > STRATEGIES_SHOWN:
        table.add_row(Text(f"and {len(ranked) - STRATEGIES_SHOWN} more", FAINT))
    return table


def _positions(state: DeskState) -> Table:
    table = _table("Open positions", "market", "contracts", "cost", "bid", "ask", "fair")
    ranked = sorted(state.positions.items(), key=lambda item: (-item[1].cost_ud, item[0]))
    for ticker, position in ranked[:POSITIONS_SHOWN]:
        side = "YES" if position.net_cc > 0 else "NO"
        size = f"{format_cc(abs(position.net_cc))} {side}"
        table.add_row(ticker, size, dollars(position.cost_ud), *_prices(state.quotes.get(ticker)))
    if len(ranked) > POSITIONS_SHOWN:
        table.add_row(Text(f"and {len(ranked) - POSITIONS_SHOWN} more", FAINT))
    if not ranked:
        table.add_row(Text("none", FAINT))
    return table


def _prices(quote: Quote | None) -> tuple[str, str, str]:
    if quote is None:
        return (_ABSENT, _ABSENT, _ABSENT)
    bid, ask = (_ABSENT if ticks is None else format_ticks(ticks) for ticks in (quote.bid_ticks, quote.ask_ticks))
    return bid, ask, _ABSENT if quote.fair_ppm is None else f"{quote.fair_ppm * 100 / PPM:.1f}%"


def _fills(fills: Sequence[SeenFill]) -> Table:
    table = _table("Last fills", "time", "", "market", "strategy", "contracts", "price", "fee", left=4)
    for fill in fills:
        sign = Text(BUY, BUY_STYLE) if fill.side is Side.BID else Text(SELL, SELL_STYLE)
        numbers = (format_cc(fill.size_cc), format_ticks(fill.price_ticks), dollars(fill.fee_ud))
        table.add_row(clock(fill.instant_ns), sign, fill.ticker, fill.strategy, *numbers)
    if not fills:
        table.add_row(Text("none", FAINT))
    return table


def _outcome(state: DeskState) -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_column(style=FAINT)
    table.add_column()
    table.add_row("Cash at the start", dollars(state.cash_start_ud))
    table.add_row("Cash now", dollars(state.cash_ud))
    table.add_row("Cost of open positions", dollars(state.open_cost_ud))
    table.add_row("Result after fees", _coloured(state.pnl_ud))
    table.add_row("Fees paid", dollars(state.fees_ud))
    table.add_row("Decisions", f"{state.decisions:,}")
    ends = ", ".join(f"{state.ends[end]:,} {end.value}" for end in OrderState if end in state.ends)
    table.add_row("Orders", f"{state.sent:,}" + (f" ({ends})" if ends else ""))
    table.add_row("Fills", f"{state.fills_count:,}")
    table.add_row("Markets settled", f"{state.settlements_count:,}, {state.wins:,} with a gain")
    return table


def _settlements(state: DeskState) -> Table:
    held = [settlement for settlement in state.settlements if settlement.net_cc or settlement.pnl_ud]
    title = f"Settlements, the last {SETTLEMENTS_SHOWN}" if len(held) > SETTLEMENTS_SHOWN else "Settlements"
    table = _table(title, "time", "market", "contracts", "value", "payout", "result", left=2)
    for settlement in held[-SETTLEMENTS_SHOWN:]:
        side = "YES" if settlement.net_cc > 0 else "NO"
        size = f"{format_cc(abs(settlement.net_cc))} {side}" if settlement.net_cc else _ABSENT
        value = format_ticks(settlement.value_ticks) + ("*" if settlement.is_derived else "")
        money = (dollars(settlement.payout_ud), _coloured(settlement.pnl_ud))
        table.add_row(clock(settlement.instant_ns), settlement.ticker, size, value, *money)
    if any(settlement.is_derived for settlement in held):
        table.caption = "* our own sum, not yet the venue's"
    return table


def _refusals(state: DeskState) -> Table:
    table = _table("Refused by rule", "rule", "signals")
    for rule, count in sorted(state.refusals.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(rule, f"{count:,}")
    return table
