"""The live panel: money and orders, strategies, positions, last fills and the newest warning, to the terminal's size.

The lines that money and notes leave are dealt to the tables in turn, one row each, until nobody wants more; so every
table shows something on a small terminal and a long one fills a tall terminal. On a terminal too low even for that
the lowest tables are left out.
"""

from collections.abc import Sequence
from itertools import islice

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fairstrike.app.desk.picture import FAINT, GAIN_STYLE, LOSS_STYLE
from fairstrike.app.desk.state import DeskState
from fairstrike.app.desk.tables import (
    ABSENT,
    GAP,
    Sheet,
    clock,
    coloured,
    dollars,
    last_fills,
    positions,
    strategies,
    title,
)

BESIDE_WIDTH_MIN = 110
NAMES_WIDTH_MIN = 96
ROW_WIDTH_MIN = 64
SPARK = "▁▂▃▄▅▆▇█"
SPARK_WIDTH_MAX = 28
_MONEY_WIDTH_MIN = 36
_MONEY_LINES, _ROW_LINES = 6, 3
_BESIDE_GAP = 4
_FRAME_COLUMNS, _FRAME_LINES = 4, 2


def panel(state: DeskState, width: int, height: int, *, trouble: str = "", is_reading: bool = False) -> RenderableType:
    """Give the panel, `width` characters by `height` lines, made for 40 × 12 and more.

    `trouble` is shown below everything; `is_reading` says that older records are still to be folded.
    """
    notes = _notes(state, trouble)
    columns, lines = width - _FRAME_COLUMNS, height - _FRAME_LINES - len(notes)
    is_short = width < NAMES_WIDTH_MIN
    fills = last_fills(list(islice(reversed(state.fills), max(0, lines))), is_short=is_short)
    sheets = [strategies(state), positions(state, is_short=is_short), fills]
    if width >= BESIDE_WIDTH_MIN:
        top, top_lines = _beside(state, sheets.pop(0), columns, lines)
    elif width >= ROW_WIDTH_MIN:
        top, top_lines = _money_row(state, columns), _ROW_LINES
    else:
        top, top_lines = _money(state), _MONEY_LINES
    body = Group(top, *_below(sheets, columns, lines - top_lines), *notes)
    frame = Panel(body, title=title(state, is_reading=is_reading), title_align="left", box=box.ROUNDED)
    frame.border_style, frame.width, frame.height = FAINT, width, height
    return frame


def sparkline(values: Sequence[int], width: int) -> str:
    """Give values as at most `width` blocks, the newest at the right; each block is the last of its stretch."""
    count = min(width, len(values))
    if count <= 0:
        return ""
    shown = [values[(number + 1) * len(values) // count - 1] for number in range(count)]
    low, high = min(shown), max(shown)
    if low == high:
        return SPARK[3] * count
    return "".join(SPARK[(value - low) * (len(SPARK) - 1) // (high - low)] for value in shown)


def dealt(lines: int, wanted: Sequence[int]) -> list[int]:
    """Deal lines in turn, one each, to those who want more. Gives how many each got, in the order of `wanted`."""
    given = [0] * len(wanted)
    while lines > 0 and given != list(wanted):
        for number, want in enumerate(wanted):
            if lines > 0 and given[number] < want:
                given[number] += 1
                lines -= 1
    return given


def _below(sheets: Sequence[Sheet], columns: int, lines: int) -> list[RenderableType]:
    """Stack tables: a blank line, a heading and at least one row each."""
    shown = sheets[: max(0, lines // 3)]
    rows = dealt(lines - 2 * len(shown), [max(1, len(sheet.rows)) for sheet in shown])
    parts: list[RenderableType] = []
    for sheet, count in zip(shown, rows, strict=True):
        parts += [Text(), sheet.cut(count).fitting(columns).under_heading()]
    return parts


def _beside(state: DeskState, sheet: Sheet, columns: int, lines: int) -> tuple[RenderableType, int]:
    """Give money with the strategies at its right, and how many lines that takes."""
    sheet = sheet.cut(max(_MONEY_LINES - 1, lines // 3))
    width = max(_MONEY_WIDTH_MIN, len(_counts(state)))
    grid = Table.grid(padding=(0, _BESIDE_GAP, 0, 0))
    grid.add_column(width=width)
    grid.add_column()
    grid.add_row(_money(state), sheet.fitting(columns - width - _BESIDE_GAP).under_heading())
    return grid, max(_MONEY_LINES, 1 + max(1, len(sheet.rows)))


def _money(state: DeskState) -> RenderableType:
    grid = Table.grid(padding=(0, GAP))
    grid.add_column(style=FAINT)
    grid.add_column(justify="right")
    for name, value in _figures(state):
        grid.add_row(name, value)
    return Group(grid, _spark(state, SPARK_WIDTH_MAX), Text(_counts(state), FAINT, no_wrap=True))


def _money_row(state: DeskState, columns: int) -> RenderableType:
    grid = Table.grid(padding=(0, GAP + 1, 0, 0))
    names, values = zip(*_figures(state), strict=True)
    for _ in names:
        grid.add_column(no_wrap=True)
    grid.add_row(*names, style=FAINT)
    grid.add_row(*values)
    counts = Text(_counts(state), FAINT, no_wrap=True)
    left = columns - len(counts) - GAP - 1
    return Group(grid, Text.assemble(counts, " " * (GAP + 1), _spark(state, min(left, SPARK_WIDTH_MAX))))


def _figures(state: DeskState) -> list[tuple[str, Text]]:
    if state.run is None:
        return [(name, Text(ABSENT, FAINT)) for name in ("Cash", "Equity at cost", "Result at cost", "Fees")]
    return [
        ("Cash", Text(dollars(state.cash_ud))),
        ("Equity at cost", Text(dollars(state.equity_ud), "bold")),
        ("Result at cost", coloured(state.pnl_ud)),
        ("Fees", Text(dollars(state.fees_ud))),
    ]


def _counts(state: DeskState) -> str:
    return f"{state.sent:,} sent · {len(state.working):,} working · {state.fills_count:,} fills"


def _spark(state: DeskState, width: int) -> Text:
    blocks = sparkline([value for _, value in state.equity], width)
    return Text(blocks, GAIN_STYLE if state.pnl_ud >= 0 else LOSS_STYLE, no_wrap=True)


def _notes(state: DeskState, trouble: str) -> list[Text]:
    texts = [f"{clock(instant_ns)} {text}" for instant_ns, text in list(state.warnings)[-1:]]
    texts += [trouble] if trouble else []
    # One line each, whatever the text brings: the panel's height is counted beforehand.
    return [Text(" ".join(text.split()), "yellow", no_wrap=True, overflow="ellipsis") for text in texts]
