"""The picture keeps its size, joins its lines and puts fills beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from fairstrike.app.desk.picture import BUY, HEIGHT_MIN, SELL, WIDTH_MIN, Canvas, picture
from fairstrike.app.desk.state import SeenFill
from fairstrike.core.order import Side
from fairstrike.core.timing import HOUR_NS, SECOND_NS

START_NS = 1_789_000_000 * SECOND_NS
DOLLAR_E8, DOLLAR_UD = 100_000_000, 1_000_000


def fill(second: int, side: Side) -> SeenFill:
    return SeenFill(
        instant_ns=START_NS + second * SECOND_NS,
        strategy="taker",
        ticker="T",
        side=side,
        price_ticks=5_000,
        size_cc=100,
        fee_ud=0,
        is_taker=True,
    )


def drawn(index: list[int], fills: list[SeenFill], equity: list[int], width: int = 100, height: int = 30) -> list[str]:
    """Lines of the picture with one value a second, in whole dollars."""
    prints = [(START_NS + second * SECOND_NS, value * DOLLAR_E8) for second, value in enumerate(index)]
    worth = [(START_NS + second * SECOND_NS, value * DOLLAR_UD) for second, value in enumerate(equity)]
    return picture(prints, fills, worth, width, height).plain.split("\n")


@given(
    index=st.lists(st.integers(1, 200_000), max_size=30),
    equity=st.lists(st.integers(0, 10**6), max_size=30),
    seconds=st.lists(st.integers(0, 29), max_size=10),
    width=st.integers(WIDTH_MIN, 160),
    height=st.integers(HEIGHT_MIN, 60),
)
def test_the_picture_keeps_its_size(
    index: list[int], equity: list[int], seconds: list[int], width: int, height: int
) -> None:
    fills = [fill(second, (Side.BID, Side.ASK)[second % 2]) for second in seconds]
    lines = drawn(index, fills, equity, width, height)
    assert len(lines) == height
    assert max(len(line) for line in lines) <= width


def test_a_rising_line_is_joined_from_bottom_to_top() -> None:
    lines = drawn(list(range(100, 200)), [], [1_000])
    plot = [line[line.index("│" if "│" in line else "┤") + 1 :] for line in lines[1:18]]
    columns = [[row[column] for row in plot] for column in range(len(plot[0]))]
    assert all(any("⠀" < sign <= "⣿" for sign in column) for column in columns)
    assert any("⠀" < sign <= "⣿" for sign in plot[1])
    assert any("⠀" < sign <= "⣿" for sign in plot[-2])


@pytest.mark.parametrize("jump", [[100, 200], [200, 100], [100, 200, 150], [100, 100, 300, 250, 260]])
def test_every_row_of_a_jump_is_covered(jump: list[int]) -> None:
    lines = drawn([value for value in jump for _ in range(40)], [], [1_000])
    rows = [index for index, line in enumerate(lines[1:18]) if any("⠀" < sign <= "⣿" for sign in line)]
    assert rows == list(range(rows[0], rows[-1] + 1))
    assert len(rows) >= 14


def test_buys_stand_below_the_line_and_sells_above() -> None:
    lines = drawn([100] * 20 + [200] * 60 + [100] * 20, [fill(10, Side.BID), fill(50, Side.ASK)], [1_000])
    plot = lines[1:18]
    assert sum(line.count(BUY) for line in plot) == sum(line.count(SELL) for line in plot) == 1
    buy = next(row for row, line in enumerate(plot) if BUY in line)
    sell = next(row for row, line in enumerate(plot) if SELL in line)
    assert sell < buy
    column = plot[buy].index(BUY)
    assert "⠀" < plot[buy - 1][column] <= "⣿"


def test_titles_and_axes_say_what_is_drawn() -> None:
    lines = drawn([79_487] * 60, [fill(5, Side.BID)], [10_000, 10_012])
    assert "$79,487.00" in lines[0]
    assert f"{BUY} 1 bought" in lines[0]
    assert any("+$12.00 since $10,000.00" in line for line in lines)
    assert any(line.lstrip().startswith("$10,010") for line in lines)
    assert "00:27:00" in lines[-1]
    assert lines[-1].lstrip().startswith("UTC")


def test_long_runs_have_round_times() -> None:
    points = [(START_NS, 100 * DOLLAR_E8), (START_NS + 30 * HOUR_NS, 101 * DOLLAR_E8)]
    last = picture(points, [], [], 100, 30).plain.split("\n")[-1]
    assert "12:00:00" in last
    assert last.count(":00:00") >= 4


def test_nothing_to_draw_says_so() -> None:
    lines = drawn([], [], [])
    assert "no prints yet" in lines[0]
    assert any("no cash yet" in line for line in lines)


def test_dots_fill_a_character() -> None:
    canvas = Canvas(1, 1)
    for x in range(2):
        for y in range(-1, 6):
            canvas.dot(x, y, Style())
    assert canvas.line(0).plain == "⣿"
