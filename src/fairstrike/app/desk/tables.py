"""Words, figures and tables for people: what the desk's panel, its summary and the commands' reports are made of.

A `Sheet` is a table before it is drawn. It knows how wide it will be, so that a narrow terminal costs whole columns
of little weight and never half of a figure.
"""

from collections.abc import Sequence
from io import StringIO

import msgspec
from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from fairstrike.app.desk.picture import BUY, BUY_STYLE, FAINT, GAIN_STYLE, LOSS_STYLE, SELL, SELL_STYLE
from fairstrike.app.desk.state import DeskState, Quote, SeenFill
from fairstrike.core.order import Side
from fairstrike.core.regime import RegimeSeen
from fairstrike.core.timing import DAY_NS, SECOND_NS
from fairstrike.core.units import PPM, UD_PER_CENT, format_cc, format_ticks

GAP = 2
ABSENT = "–"
_HEADING = Style(color="default", bold=True)
_UNWRAPPED_WIDTH = 1_000
_STRIKE_LENGTH_MIN = 4
_DATE_END_LENGTH = 6


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table's title, headings and cells; the first `left` columns are set left, the others right.

    `spare` names the columns to give up on a narrow terminal, the first of them first. `is_counted` lets the title
    say how many rows there are when not all are shown.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str | Text, ...]]
    left: int = 1
    spare: tuple[str, ...] = ()
    is_counted: bool = True

    @property
    def width(self) -> int:
        """How many characters the table is wide under a heading line."""
        headings = (self.title, *self.columns[1:])
        cells = zip(headings, *self.rows, strict=True)
        return sum(max(_length(cell) for cell in column) for column in cells) + GAP * (len(self.columns) - 1)

    def cut(self, count: int) -> "Sheet":
        """Give the first `count` rows; the title says of how many."""
        if len(self.rows) <= count:
            return self
        title = f"{self.title}, {count:,} of {len(self.rows):,}" if self.is_counted else self.title
        return msgspec.structs.replace(self, title=title, rows=self.rows[:count])

    def fitting(self, width: int) -> "Sheet":
        """Give up spare columns until the table is at most `width` characters wide, or none is left to give up."""
        sheet = self
        for name in self.spare:
            if sheet.width <= width:
                break
            sheet = sheet._without(name)
        return sheet

    def under_heading(self) -> Table:
        """Draw it for the panel: one line of headings, which the title begins, then the rows."""
        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style=FAINT)
        return self._filled(table, (Text(self.title, _HEADING), *self.columns[1:]))

    def under_title(self) -> Table:
        """Draw it for a report: title, headings, a rule, then the rows."""
        table = Table(title=self.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
        table.collapse_padding, table.pad_edge, table.header_style = True, False, FAINT
        return self._filled(table, self.columns)

    def _without(self, name: str) -> "Sheet":
        at = self.columns.index(name)
        return msgspec.structs.replace(
            self,
            columns=self.columns[:at] + self.columns[at + 1 :],
            rows=[row[:at] + row[at + 1 :] for row in self.rows],
            left=self.left - (at < self.left),
        )

    def _filled(self, table: Table, headings: Sequence[str | Text]) -> Table:
        for number, heading in enumerate(headings):
            table.add_column(heading, justify="left" if number < self.left else "right", no_wrap=True)
        for row in self.rows:
            # What stands in a cell is a name or a figure, never markup, whatever brackets a name has.
            table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
        if not self.rows:
            table.add_row(Text("none", FAINT))
        return table


def put(console: Console, what: RenderableType) -> None:
    """Print in the colours `what` itself asks for; without a terminal lines are neither wrapped nor filled up."""
    if console.is_terminal:
        # A sentence is left to the terminal to wrap: a path broken by us could not be copied whole.
        console.print(what, soft_wrap=isinstance(what, str), highlight=False, emoji=False)
        return
    plain = Console(file=StringIO(), width=_UNWRAPPED_WIDTH, color_system=None)
    with plain.capture() as captured:
        plain.print(what, emoji=False)
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def dollars(ud: int, *, signed: bool = False) -> str:
    """Give microdollars as dollars and cents, half up: for eyes only."""
    cents = (abs(ud) + UD_PER_CENT // 2) // UD_PER_CENT
    sign = "−" if ud < 0 and cents else "+" if signed and cents else ""
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def coloured(ud: int | None) -> Text:
    """Give a gain or loss in microdollars as signed dollars in its colour; None is a faint dash."""
    if ud is None:
        return Text(ABSENT, FAINT)
    return Text(dollars(ud, signed=True), FAINT if ud == 0 else GAIN_STYLE if ud > 0 else LOSS_STYLE)


def clock(instant_ns: int) -> str:
    """Give an instant's UTC time of day as HH:MM:SS."""
    second = instant_ns % DAY_NS // SECOND_NS
    return lasting(second * SECOND_NS)


def lasting(duration_ns: int) -> str:
    """Give a duration as HH:MM:SS, hours beyond a day included."""
    second = duration_ns // SECOND_NS
    return f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def short(ticker: str) -> str:
    """Give a market's name by its end: the strike, or where there is none, day and time of its window."""
    *_, before, last = ("", *ticker.split("-"))
    if not before:
        return ticker
    return f"…{last}" if len(last) >= _STRIKE_LENGTH_MIN else f"…{before[-_DATE_END_LENGTH:]}-{last}"


def title(state: DeskState, *, is_reading: bool = False) -> Text:
    """Give a run's line: how and where it trades, its clock, how long it has lasted, the regimes, how it ended."""
    reading = "reading the journal"
    if state.run is None:
        return Text(f" fairstrike  {reading if is_reading else 'waiting for a run'} ", "bold")
    line = Text.assemble((" fairstrike ", "bold"), f" {state.run.execution} · {state.run.environment} · ")
    length = reading if is_reading else f"running {lasting(state.now_ns - state.started_ns)}"
    line.append(f"{clock(state.now_ns)} UTC · {length} ")
    for asset, seen in sorted(state.regimes.items()):
        line.append(f"· {asset} {regime_words(seen)} ", "yellow" if seen.is_spiky else "")
    if state.ended is not None and not is_reading:
        line.append(f"· ended: {state.ended.reason} ", "yellow")
    return line


def regime_words(seen: RegimeSeen) -> str:
    """Give a regime and the level of volatility, where that is known."""
    return seen.regime.value if seen.level is None else f"{seen.regime.value} {seen.level.value}"


def strategies(state: DeskState) -> Sheet:
    """Give each strategy's orders, fills and result with open contracts at their marks; the busiest first."""
    ranked = sorted(state.strategies.items(), key=lambda item: (-item[1].fills, item[0]))
    rows = [
        (
            name,
            f"{sums.ordered:,}",
            f"{sums.refused:,}",
            f"{sums.fills:,}",
            dollars(sums.fees_ud),
            coloured(state.marked_ud(name)),
        )
        for name, sums in ranked
    ]
    columns = ("strategy", "orders", "refused", "fills", "fees", "result")
    return Sheet(title="Strategies", columns=columns, rows=rows, spare=("fees", "refused", "orders"))


def positions(state: DeskState, *, is_short: bool = False) -> Sheet:
    """Give what is open, the costliest first; `is_short` shortens the markets' names."""
    rows: list[tuple[str | Text, ...]] = []
    for ticker, position in sorted(state.positions.items(), key=lambda item: (-item[1].cost_ud, item[0])):
        size = f"{format_cc(abs(position.net_cc))} {'YES' if position.net_cc > 0 else 'NO'}"
        name = short(ticker) if is_short else ticker
        rows.append((name, size, dollars(position.cost_ud), *_prices(state.quotes.get(ticker))))
    columns = ("market", "contracts", "cost", "bid", "ask", "fair")
    return Sheet(title="Open positions", columns=columns, rows=rows, spare=("cost", "fair", "bid", "ask"))


def last_fills(fills: Sequence[SeenFill], *, is_short: bool = False) -> Sheet:
    """Give fills in the order given; `is_short` shortens the markets' names."""
    rows: list[tuple[str | Text, ...]] = []
    for fill in fills:
        sign = Text(BUY, BUY_STYLE) if fill.side is Side.BID else Text(SELL, SELL_STYLE)
        numbers = (format_cc(fill.size_cc), format_ticks(fill.price_ticks), dollars(fill.fee_ud))
        name = short(fill.ticker) if is_short else fill.ticker
        rows.append((clock(fill.instant_ns), sign, name, fill.strategy, *numbers))
    columns = ("time", "", "market", "strategy", "contracts", "price", "fee")
    spare = ("fee", "strategy", "contracts")
    return Sheet(title="Last fills", columns=columns, rows=rows, left=4, spare=spare, is_counted=False)


def _prices(quote: Quote | None) -> tuple[str, str, str]:
    if quote is None:
        return (ABSENT, ABSENT, ABSENT)
    bid, ask = (ABSENT if ticks is None else format_ticks(ticks) for ticks in (quote.bid_ticks, quote.ask_ticks))
    return bid, ask, ABSENT if quote.fair_ppm is None else f"{quote.fair_ppm * 100 / PPM:.1f}%"


def _length(cell: str | Text) -> int:
    return cell_len(cell) if isinstance(cell, str) else cell.cell_len
