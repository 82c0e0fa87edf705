"""The statistics as pictures: one matplotlib figure each, made from the tallies, drawn without a screen.

Axes carry units. An axis of sizes or durations is logarithmic and says so; a share is of what the caption names.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO

import matplotlib as mpl
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT
from fairstrike.research.market_statistics import STRETCHES, Pool, StretchPool
from fairstrike.research.statistics_report import DISTANCES, TICKS_PER_CENT
from fairstrike.research.tally import Tally

BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#7b828c", "#222222"
_PALE = "#c9dcf0"
_SIZE_INCHES = (7.2, 3.7)
_BINS = 60


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: `name` is short enough for a file, `caption` says what is shown and what is left out."""

    name: str
    caption: str
    figure: Figure


def pictures(pool: Pool) -> list[Picture]:
    """Give the pictures for which there are figures."""
    return [*_by_time(pool), *_of_deltas(pool)]


def _by_time(pool: Pool) -> Iterator[Picture]:
    named = zip(STRETCHES, pool.stretches, strict=True)
    stretches = [(name, stretch) for name, stretch in named if stretch.spreads.total][::-1]
    if not stretches:
        return
    caption = "Weighted by time, while both sides were there and the book was not crossed."
    yield _picture("spread", "Spread by time to close", caption, lambda axes: _spread(axes, stretches))
    caption = "Per second of two-sided book: every change, and those that outlast a venue millisecond."
    title = "Best-price changes by time to close"
    yield _picture("changes", title, caption, lambda axes: _changes(axes, stretches))
    if any(stretch.volume_ns for _, stretch in stretches):
        caption = (
            "From the volumes tickers show, which count each contract for its buyer and for its seller: over all time, "
            "and over the time between tickers that showed a trade."
        )
        title = "Contracts traded by time to close"
        yield _picture("volume", title, caption, lambda axes: _volume(axes, stretches))


def _of_deltas(pool: Pool) -> Iterator[Picture]:
    if pool.per_second.total:
        caption = f"{_counted(pool.per_second.total, 'second')} of one market each, idle ones included."
        title = "Deltas per second of one market"
        yield _picture("rate", title, caption, lambda axes: _rate(axes, pool.per_second))
        caption = "Share of adds, cuts and trades of at most so many contracts."
        yield _picture("sizes", "Sizes of adds, cuts and trades", caption, lambda axes: _sizes(axes, pool))
    if pool.distances.total:
        caption = (
            f"{_counted(pool.distances.total, 'add')} by how far behind their own side's best price they joined; "
            "a class holds its lower end."
        )
        yield _picture("distance", "Where size is added", caption, lambda axes: _distance(axes, pool.distances))
    if pool.lives.total:
        caption = (
            f"{_counted(pool.lives.total, 'level')} that came and went; those of a first snapshot and those still "
            "there at the end are not among them."
        )
        yield _picture("life", "Life of a price level", caption, lambda axes: _life(axes, pool.lives))
    if pool.crossed.total or pool.locked.total:
        caption, title = _crossings_caption(pool), "Crossed and locked spells by length"
        yield _picture("crossings", title, caption, lambda axes: _crossings(axes, pool))


def svg(figure: Figure) -> str:
    """Give a figure as SVG text, the same for the same figure."""
    with _style():
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


@contextmanager
def _style() -> Iterator[None]:
    """Draw in our style while the block lasts, whatever a person's own settings of Matplotlib say."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "axes.edgecolor": GREY,
                "axes.grid": True,
                "axes.axisbelow": True,
                "axes.labelcolor": INK,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "axes.titlelocation": "left",
                "axes.titlesize": 11,
                "axes.titlepad": 10,
                "font.size": 9.5,
                "grid.color": "#e6e8eb",
                "legend.frameon": False,
                "svg.hashsalt": "fairstrike",
                "text.color": INK,
                "xtick.color": INK,
                "ytick.color": INK,
            }
        )
        yield


def _picture(name: str, title: str, caption: str, draw: Callable[[Axes], None]) -> Picture:
    with _style():
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title)
        draw(axes)
    return Picture(name=name, caption=caption, figure=figure)


def _spread(axes: Axes, stretches: Sequence[tuple[str, StretchPool]]) -> None:
    for place, (_, stretch) in enumerate(stretches):
        low, middle, high = (_cents(stretch.spreads, percent) for percent in (10, 50, 90))
        axes.bar(place, high - low, bottom=low, width=0.5, color=_PALE, label="p10 to p90" if place == 0 else "_again")
        axes.hlines(middle, place - 0.25, place + 0.25, color=BLUE, lw=2.5, label="median" if place == 0 else "_again")
        for value, where in ((low, "top"), (high, "bottom")):
            axes.annotate(
                f"{value:g}",
                (place, value),
                (0, -3 if where == "top" else 3),
                textcoords="offset points",
                ha="center",
                va=where,
                color=GREY,
            )
        axes.annotate(
            f"{middle:g}", (place + 0.27, middle), (3, 0), textcoords="offset points", va="center", color=BLUE
        )
    highest = max(_cents(stretch.spreads, 90) for _, stretch in stretches)
    axes.set_ylim(-0.09 * highest, highest * 1.2)
    axes.set_ylabel("spread, cents")
    _label_stretches(axes, stretches)
    axes.legend(loc="upper right", ncols=2)


def _changes(axes: Axes, stretches: Sequence[tuple[str, StretchPool]]) -> None:
    every = [_rate_of(stretch.changes, stretch.two_sided_ns) for _, stretch in stretches]
    lasting = [_rate_of(stretch.moves, stretch.two_sided_ns) for _, stretch in stretches]
    _pairs(axes, (("every change", every, _PALE), ("lasting beyond its millisecond", lasting, BLUE)), ".1f")
    axes.set_ylabel("best-price changes per second")
    _label_stretches(axes, stretches)


def _volume(axes: Axes, stretches: Sequence[tuple[str, StretchPool]]) -> None:
    parts = [(stretch.volume_cc / CC_PER_CONTRACT, stretch) for _, stretch in stretches]
    all_time = [_rate_of(contracts, stretch.volume_ns) for contracts, stretch in parts]
    trading = [_rate_of(contracts, stretch.trading_ns) for contracts, stretch in parts]
    _pairs(axes, (("all time", all_time, BLUE), ("while there was trading", trading, _PALE)), ",.0f")
    axes.set_ylabel("contracts per second")
    _label_stretches(axes, stretches)


def _pairs(axes: Axes, rows: Sequence[tuple[str, list[float], str]], form: str) -> None:
    for shift, (name, values, colour) in zip((-0.2, 0.2), rows, strict=True):
        bars = axes.bar([place + shift for place in range(len(values))], values, width=0.38, color=colour, label=name)
        axes.bar_label(bars, [format(value, form) for value in values], padding=2, color=INK, fontsize=8.5)
    axes.set_ylim(0, 1.28 * max((value for _, values, _ in rows for value in values), default=0) or 1)
    axes.legend(loc="upper left", ncols=2)


def _rate(axes: Axes, per_second: Tally) -> None:
    highest = max(per_second.highest or 0, 1)
    width = max(1, -(-highest // _BINS))
    edges = [width * number for number in range(highest // width + 2)]
    axes.hist(list(per_second.weights), bins=edges, weights=_shares(per_second), color=_PALE)
    _mark_percentiles(axes, [(percent, float(per_second.percentile(percent) or 0)) for percent in (50, 90, 99)], "{:g}")
    axes.set_xlim(0, highest * 1.02)
    axes.set_xlabel(f"deltas per second (bars {width} wide; the busiest second had {highest:,})")
    axes.set_ylabel("share of seconds")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _sizes(axes: Axes, pool: Pool) -> None:
    for name, tally, colour in (("adds", pool.adds, BLUE), ("cuts", pool.cuts, ORANGE), ("trades", pool.trades, GREEN)):
        if tally.total:
            dashes = "--" if name == "cuts" else "-"
            _cumulated(axes, tally, 1 / CC_PER_CONTRACT, f"{name} ({tally.total:,})", colour, dashes)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_xlabel("contracts (logarithmic)")
    _as_shares(axes)
    axes.legend(loc="upper left")


def _life(axes: Axes, lives: Tally) -> None:
    unit = MILLISECOND_NS / SECOND_NS
    # What came and went inside one venue millisecond is shown at half of one: zero has no place on this axis.
    shown = Tally()
    for value, weight in lives.weights.items():
        shown.add(2 * value or 1, weight)
    _cumulated(axes, shown, unit / 2, "levels", BLUE, "-")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(_duration))
    axes.xaxis.set_minor_formatter(NullFormatter())
    marks = [(percent, (lives.percentile(percent) or 0) * unit) for percent in (10, 50, 90)]
    for percent, seconds in marks:
        axes.plot([max(seconds, unit / 2)], [percent / 100], "o", color=ORANGE, ms=5)
        axes.annotate(
            f"p{percent}: {seconds:g} s",
            (max(seconds, unit / 2), percent / 100),
            (8, -11),
            textcoords="offset points",
            color=ORANGE,
        )
    axes.set_xlabel("time from the first size to the last (logarithmic)")
    _as_shares(axes)


def _distance(axes: Axes, distances: Tally) -> None:
    bounds = [[None if cents is None else cents * TICKS_PER_CENT for cents in pair] for _, *pair in DISTANCES]
    shares = [distances.share(low, high) for low, high in bounds]
    bars = axes.bar(range(len(shares)), shares, width=0.7, color=[ORANGE, BLUE] + [_PALE] * (len(shares) - 2))
    axes.bar_label(bars, [f"{share:.1%}" for share in shares], padding=2, fontsize=8.5)
    axes.set_xticks(
        range(len(shares)), [name.replace(" and ", "\nand ").replace(" behind", "\nbehind") for name, _, _ in DISTANCES]
    )
    axes.grid(visible=False, axis="x")
    axes.set_ylim(0, max(shares) * 1.15)
    axes.set_ylabel("share of adds")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _crossings(axes: Axes, pool: Pool) -> None:
    longest = max(pool.crossed.highest or 0, pool.locked.highest or 0)
    lengths = range(1, longest + 1)
    for shift, name, tally, colour in ((-0.2, "crossed", pool.crossed, ORANGE), (0.2, "locked", pool.locked, BLUE)):
        heights = [tally.weights.get(length, 0) for length in lengths]
        bars = axes.bar(
            [length + shift for length in lengths], heights, width=0.38, color=colour, label=f"{name} ({tally.total:,})"
        )
        axes.bar_label(bars, [str(height) if height else "" for height in heights], padding=2, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], nbins=20))
    axes.set_xlim(0.4, longest + 0.6)
    axes.margins(y=0.12)
    axes.set_xlabel("length of the spell, deltas")
    axes.set_ylabel("spells")
    axes.legend(loc="upper right")


def _crossings_caption(pool: Pool) -> str:
    outlived, spells = pool.outlived.total, pool.crossed.total + pool.locked.total
    if not outlived:
        return f"{'It' if spells == 1 else f'All {spells:,}'} began and ended within one venue millisecond."
    its = "its" if outlived == 1 else "their"
    return f"{outlived:,} of {spells:,} outlived {its} venue millisecond, which is a fault."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _cumulated(axes: Axes, tally: Tally, unit: float, name: str, colour: str, dashes: str) -> None:
    total = tally.total
    climbed = [(value * unit, passed / total) for value, passed in tally.climb()]
    # A point where the curve has hardly risen is left out: the eye does not miss it, and the page stays small.
    kept, height = [(climbed[0][0], 0.0)], -1.0
    for value, share in climbed:
        if share - height >= 0.001 or share == 1.0:
            kept.append((value, share))
            height = share
    axes.step(
        [value for value, _ in kept],
        [share for _, share in kept],
        dashes,
        where="post",
        color=colour,
        label=name,
        lw=1.6,
    )


def _mark_percentiles(axes: Axes, marks: Sequence[tuple[int, float]], form: str) -> None:
    # One below the other: percentiles of a quiet market lie side by side.
    for line, (percent, value) in enumerate(marks):
        axes.axvline(value, color=BLUE, lw=1.2)
        axes.annotate(
            f"p{percent}: {form.format(value)}",
            (value, 1.0),
            (4, -4 - 13 * line),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            color=BLUE,
        )


def _as_shares(axes: Axes) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("cumulative share")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _label_stretches(axes: Axes, stretches: Sequence[tuple[str, StretchPool]]) -> None:
    axes.set_xticks(range(len(stretches)), [name for name, _ in stretches])
    axes.set_xlim(-0.6, len(stretches) - 0.4)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("time to close")


def _duration(value: float, _: object) -> str:
    return f"{value * 1_000:g} ms" if value < 1 else f"{value:,.10g} s"


def _cents(tally: Tally, percent: int) -> float:
    return (tally.percentile(percent) or 0) / TICKS_PER_CENT


def _rate_of(count: float, duration_ns: int) -> float:
    return count * SECOND_NS / duration_ns if duration_ns else 0.0


def _shares(tally: Tally) -> list[float]:
    total = tally.total
    return [weight / total for weight in tally.weights.values()]
