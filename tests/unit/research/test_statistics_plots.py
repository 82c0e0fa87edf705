"""Pictures: which are there, what their axes say, and that nothing is clipped."""

import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from fairstrike.core.timing import SECOND_NS
from fairstrike.research.market_statistics import Pool
from fairstrike.research.statistics_plots import Picture, pictures, svg

NAMES = ["spread", "changes", "volume", "rate", "sizes", "distance", "life", "crossings"]


def full() -> Pool:
    pool = Pool()
    for number in range(1, 200):
        pool.per_second.add(number)
        pool.adds.add(number * number * 50)
        pool.cuts.add(number * 100)
        pool.trades.add(number * 10)
        pool.distances.add(number * 20 - 100)
        pool.lives.add(number * number // 2)
    pool.crossed.add(16)
    pool.locked.add(1, 120)
    for number, stretch in enumerate(pool.stretches):
        stretch.spreads.add(100 + 10 * number, 9)
        stretch.spreads.add(300, 9)
        stretch.two_sided_ns = SECOND_NS
        stretch.changes, stretch.moves = 9, 3
        stretch.volume_cc, stretch.volume_ns, stretch.trading_ns = 12_345_600, 2 * SECOND_NS, SECOND_NS
    return pool


@pytest.fixture(scope="module")
def drawn() -> dict[str, Picture]:
    return {picture.name: picture for picture in pictures(full())}


def test_every_picture_is_there(drawn: dict[str, Picture]) -> None:
    assert list(drawn) == NAMES


def test_nothing_counted_gives_no_picture() -> None:
    assert pictures(Pool()) == []


@pytest.mark.parametrize("name", NAMES)
def test_axes_say_what_they_show(drawn: dict[str, Picture], name: str) -> None:
    (axes,) = drawn[name].figure.axes
    assert axes.get_title(loc="left")
    assert axes.get_ylabel()
    assert axes.get_xlabel() or name == "distance"
    assert drawn[name].caption.endswith(".")


def unseen(axes: Axes) -> set[int]:
    """The texts of ticks outside the axes' limits: they are made and never drawn."""
    found: set[int] = set()
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high:
                found |= {id(tick.label1), id(tick.label2)}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_clipped(drawn: dict[str, Picture], name: str) -> None:
    figure = drawn[name].figure
    figure.draw_without_rendering()
    left_out = unseen(figure.axes[0])
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text() and text.get_visible() and id(text) not in left_out:
            box = text.get_window_extent()
            is_inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.width + 1
            assert is_inside, text.get_text()
            assert box.y1 <= figure.bbox.height + 1, text.get_text()


def test_the_same_figures_give_the_same_picture() -> None:
    one, two = ({picture.name: svg(picture.figure) for picture in pictures(full())} for _ in range(2))
    assert one == two


def test_a_fault_is_said_under_the_crossings() -> None:
    pool = full()
    pool.outlived.add(16)
    caption = next(picture.caption for picture in pictures(pool) if picture.name == "crossings")
    assert caption == "1 of 121 outlived its venue millisecond, which is a fault."


def test_captions_of_one_and_of_many() -> None:
    pool = Pool()
    pool.per_second.add(3)
    pool.cuts.add(100, 3)
    pool.lives.add(3, 1_200)
    pool.locked.add(1)
    captions = {picture.name: picture.caption for picture in pictures(pool)}
    assert captions["rate"].startswith("1 second of one market")
    assert captions["life"].startswith("1,200 levels that came")
    assert captions["crossings"] == "It began and ended within one venue millisecond."
