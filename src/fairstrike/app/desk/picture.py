"""A run as a picture in text: the index with our fills on it, and below it what the account was worth.

Lines are drawn in braille, two by four dots a character; both plots share one time axis. Floats here only place dots.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

import msgspec
from rich.style import Style
from rich.text import Text

from fairstrike.app.desk.state import SeenFill
from fairstrike.core.order import Side
from fairstrike.core.timing import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR, UD_PER_DOLLAR

WIDTH_MIN, HEIGHT_MIN = 40, 12
BUY, SELL = "▲", "▼"
BUY_STYLE, SELL_STYLE = Style(color="#3ddc84", bold=True), Style(color="#ff5d73", bold=True)
INDEX_STYLE = Style(color="#4fc3f7")
GAIN_STYLE, LOSS_STYLE = Style(color="#3ddc84"), Style(color="#ff5d73")
GAIN_AREA, LOSS_AREA = Style(color="#14532d"), Style(color="#5f1d2b")
FAINT, GRID = Style(color="#8a8f98"), Style(color="#3a3f47")

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_LABEL_EVERY = 11
_STEPS_NS = (
    *(n * SECOND_NS for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE_NS for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_NS for n in (1, 2, 3, 6, 12)),
)

Points = Sequence[tuple[int, int]]
"""Instants (ns) and values, in order of time."""


class Canvas:
    """Characters of dots. Row 0 is the top; what is drawn later wins the cell's colour."""

    def __init__(self, columns: int, rows: int) -> None:
        """Start empty, `columns` × `rows` characters, which are twice and four times as many dots."""
        self.columns, self.rows = columns, rows
        self._bits = [[0] * columns for _ in range(rows)]
        self._styles: list[list[Style]] = [[FAINT] * columns for _ in range(rows)]
        self._signs: dict[tuple[int, int], tuple[str, Style]] = {}
        self._under: dict[tuple[int, int], tuple[str, Style]] = {}

    def dot(self, x: int, y: int, style: Style) -> None:
        """Set one dot; outside the canvas is ignored."""
        if 0 <= x < 2 * self.columns and 0 <= y < 4 * self.rows:
            self._bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
            self._styles[y // 4][x // 2] = style

    def upright(self, x: int, y_from: int, y_to: int, style: Style) -> None:
        """Set a column's dots from one height to another, both included."""
        for y in range(min(y_from, y_to), max(y_from, y_to) + 1):
            self.dot(x, y, style)

    def level(self, row: int, sign: str, style: Style) -> None:
        """Rule a row under everything else."""
        for column in range(self.columns):
            self._under[row, column] = (sign, style)

    def put(self, row: int, column: int, sign: str, style: Style) -> None:
        """Set a character above everything else."""
        self._signs[row, column] = (sign, style)

    def is_free(self, row: int, column: int) -> bool:
        """Whether a character is inside the canvas and holds neither dots nor a sign."""
        inside = 0 <= row < self.rows and 0 <= column < self.columns
        return inside and not self._bits[row][column] and (row, column) not in self._signs

    def line(self, row: int) -> Text:
        """Give one row as text."""
        text = Text()
        cells = [self._cell(row, column) for column in range(self.columns)]
        for style, group in groupby(cells, key=lambda cell: cell[1]):
            text.append("".join(sign for sign, _ in group), style)
        return text

    def _cell(self, row: int, column: int) -> tuple[str, Style]:
        found = self._signs.get((row, column))
        if found is None and self._bits[row][column]:
            found = (chr(_BRAILLE + self._bits[row][column]), self._styles[row][column])
        return found or self._under.get((row, column), (" ", FAINT))


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Where instants and values lie on a canvas of so many dots."""

    start_ns: int
    end_ns: int
    low: float
    high: float
    across: int
    down: int

    def x(self, instant_ns: int) -> int:
        """The dot column of an instant."""
        return (instant_ns - self.start_ns) * (self.across - 1) // max(1, self.end_ns - self.start_ns)

    def y(self, value: float) -> int:
        """The dot row of a value; high values are at the top."""
        return round((self.high - value) / (self.high - self.low) * (self.down - 1))


class Stroke(msgspec.Struct, frozen=True, kw_only=True):
    """A line's part in one dot column: the dot rows it covers and the one it leaves at."""

    top: int
    bottom: int
    last: int


def picture(index_points: Points, fills: Sequence[SeenFill], equity_points: Points, width: int, height: int) -> Text:
    """Give the picture: index line with fills (▲ buy, ▼ sell) above, equity below, times in UTC.

    `index_points` are (ns, `_e8`), `equity_points` (ns, `_ud`), both in order of time. `width` and `height` are
    characters and lines, at least 40 × 12.
    """
    width, height = max(width, WIDTH_MIN), max(height, HEIGHT_MIN)
    rows = height - 4
    upper = rows * 2 // 3
    index = [(instant_ns, value / E8_PER_DOLLAR) for instant_ns, value in index_points]
    equity = [(instant_ns, value / UD_PER_DOLLAR) for instant_ns, value in equity_points]
    instants = [points[end][0] for points in (index, equity) if points for end in (0, -1)]
    span = (min(instants), max(instants)) if instants else (0, SECOND_NS)
    labels = 1 + len(_dollars(max((value for _, value in [*index, *equity]), default=0.0), 0.01))
    columns = width - labels - 2
    lines = [_index_title(index, fills), *_index_plot(index, fills, span, (columns, upper), labels)]
    lines += [_equity_title(equity), *_equity_plot(equity, span, (columns, rows - upper), labels)]
    lines += _time_axis(span, columns, labels)
    for line in lines:
        line.truncate(width)
    return Text("\n", no_wrap=True, end="").join(lines)


def _index_title(index: list[tuple[int, float]], fills: Sequence[SeenFill]) -> Text:
    bought = sum(1 for fill in fills if fill.side is Side.BID)
    title = Text.assemble(
        (" Index ", "bold"), (_dollars(index[-1][1], 0.01) if index else "no prints yet", INDEX_STYLE)
    )
    title.append(f"   {BUY} {bought:,} bought", BUY_STYLE)
    title.append(f"   {SELL} {len(fills) - bought:,} sold", SELL_STYLE)
    return title


def _equity_title(equity: list[tuple[int, float]]) -> Text:
    if not equity:
        return Text.assemble((" Equity ", "bold"), ("no cash yet", FAINT))
    gain = equity[-1][1] - equity[0][1]
    title = Text.assemble((" Equity ", "bold"), _dollars(equity[-1][1], 0.01))
    title.append(f"   {'+' if gain >= 0 else '−'}{_dollars(abs(gain), 0.01)}", GAIN_STYLE if gain >= 0 else LOSS_STYLE)
    return title.append(f" since {_dollars(equity[0][1], 0.01)}", FAINT)


def _index_plot(
    index: list[tuple[int, float]],
    fills: Sequence[SeenFill],
    span: tuple[int, int],
    size: tuple[int, int],
    labels: int,
) -> list[Text]:
    canvas = Canvas(*size)
    scale = _scale([value for _, value in index], span, canvas)
    ticks = _ruled(canvas, scale)
    heights = _heights(index, scale, is_stepped=False)
    for x, stroke in heights.items():
        canvas.upright(x, stroke.top, stroke.bottom, INDEX_STYLE)
    for fill in fills:
        _mark(canvas, scale, heights, fill)
    return _with_labels(canvas, ticks, labels)


def _mark(canvas: Canvas, scale: Scale, heights: dict[int, Stroke], fill: SeenFill) -> None:
    """Set a fill's sign beside the line: buys below it pointing up, sells above it pointing down."""
    column = scale.x(fill.instant_ns) // 2
    beside = [heights[x] for x in (2 * column, 2 * column + 1) if x in heights]
    if not beside:
        return
    is_buy = fill.side is Side.BID
    lowest, highest = max(stroke.bottom for stroke in beside), min(stroke.top for stroke in beside)
    row = lowest // 4 + 1 if is_buy else highest // 4 - 1
    while not canvas.is_free(row, column) and 0 < row < canvas.rows - 1:
        row += 1 if is_buy else -1
    sign, style = (BUY, BUY_STYLE) if is_buy else (SELL, SELL_STYLE)
    canvas.put(min(max(row, 0), canvas.rows - 1), column, sign, style)


def _equity_plot(
    equity: list[tuple[int, float]], span: tuple[int, int], size: tuple[int, int], labels: int
) -> list[Text]:
    canvas = Canvas(*size)
    scale = _scale([value for _, value in equity], span, canvas)
    ticks = _ruled(canvas, scale)
    if equity:
        start = scale.y(equity[0][1])
        heights = _heights(equity, scale, is_stepped=True)
        for x, stroke in heights.items():
            canvas.upright(x, start, stroke.last, GAIN_AREA if stroke.last <= start else LOSS_AREA)
        for x, stroke in heights.items():
            canvas.upright(x, stroke.top, stroke.bottom, GAIN_STYLE if stroke.last <= start else LOSS_STYLE)
    return _with_labels(canvas, ticks, labels)


def _heights(points: list[tuple[int, float]], scale: Scale, *, is_stepped: bool) -> dict[int, Stroke]:
    """Give the line's stroke in each dot column from the first point on; each begins where the last one ended.

    Between points the line is straight, or with `is_stepped` keeps its value until the next.
    """
    heights: dict[int, Stroke] = {}
    if not points:
        return heights
    instants = [instant_ns for instant_ns, _ in points]
    before = scale.y(points[0][1])
    for x in range(scale.x(instants[0]), scale.across):
        end_ns = scale.start_ns + (x + 1) * (scale.end_ns - scale.start_ns) // max(1, scale.across - 1)
        begin_ns = scale.start_ns + x * (scale.end_ns - scale.start_ns) // max(1, scale.across - 1)
        first, behind = bisect_right(instants, begin_ns - 1), bisect_right(instants, max(begin_ns, end_ns - 1))
        if behind > first:
            rows = [scale.y(value) for _, value in points[first:behind]]
        elif is_stepped or behind == len(points):
            rows = [before]
        else:
            rows = [scale.y(_between(points[behind - 1], points[behind], begin_ns))]
        reach = [before, *rows]
        heights[x] = Stroke(top=min(reach), bottom=max(reach), last=rows[-1])
        before = rows[-1]
    return heights


def _between(left: tuple[int, float], right: tuple[int, float], instant_ns: int) -> float:
    share = (instant_ns - left[0]) / max(1, right[0] - left[0])
    return left[1] + share * (right[1] - left[1])


def _scale(values: list[float], span: tuple[int, int], canvas: Canvas) -> Scale:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.06 * (high - low) or max(abs(high) * 1e-5, 0.01)
    return Scale(
        start_ns=span[0],
        end_ns=span[1],
        low=low - margin,
        high=high + margin,
        across=2 * canvas.columns,
        down=4 * canvas.rows,
    )


def _ruled(canvas: Canvas, scale: Scale) -> dict[int, str]:
    """Rule the canvas at round values. Gives each ruled row's label."""
    step = _round_step((scale.high - scale.low) / max(1.0, canvas.rows / 2.5))
    labels: dict[int, str] = {}
    number = int(scale.low // step) + 1
    while number * step < scale.high:
        row = scale.y(number * step) // 4
        labels[row] = _dollars(number * step, step)
        canvas.level(row, "┈", GRID)
        number += 1
    return labels


def _round_step(least: float) -> float:
    """Give the smallest of 1, 2, 5 × 10^k that is not below `least`."""
    power = 0.01
    while power * 5 < least:
        power *= 10
    return next(factor * power for factor in (1, 2, 5) if factor * power >= least)


def _with_labels(canvas: Canvas, ticks: dict[int, str], labels: int) -> list[Text]:
    lines = []
    for row in range(canvas.rows):
        label = ticks.get(row, "")
        edge = "┤" if label else "│"
        lines.append(Text(f"{label:>{labels}} {edge}", FAINT).append_text(canvas.line(row)))
    return lines


def _time_axis(span: tuple[int, int], columns: int, labels: int) -> list[Text]:
    start_ns, end_ns = span
    step_ns = _time_step((end_ns - start_ns) * _LABEL_EVERY // columns)
    edge, names = ["─"] * columns, [" "] * (columns + 4)
    instant_ns = -(-start_ns // step_ns) * step_ns
    while instant_ns <= end_ns:
        column = (instant_ns - start_ns) * (columns - 1) // max(1, end_ns - start_ns)
        at = max(0, min(column - 4, columns - 8))
        edge[column] = "┴"
        if not "".join(names[max(0, at - 1) : at + 9]).strip():
            names[at : at + 8] = _clock(instant_ns)
        instant_ns += step_ns
    axis = Text(f"{'':>{labels}} └{''.join(edge)}", FAINT)
    return [axis, Text(f"{'UTC':>{labels}}  {''.join(names).rstrip()}", FAINT)]


def _time_step(least_ns: int) -> int:
    days = -(-least_ns // DAY_NS) * DAY_NS
    return next((step for step in _STEPS_NS if step >= least_ns), days)


def _clock(instant_ns: int) -> str:
    second = instant_ns % DAY_NS // SECOND_NS
    return f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _dollars(value: float, step: float) -> str:
    return f"${value:,.2f}" if step < 1 else f"${value:,.0f}"
