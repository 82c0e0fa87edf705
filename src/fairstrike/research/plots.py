"""The pictures of a replay's report, as SVG text: the same figures give the same text, byte for byte.

Colours are Okabe and Ito's, which people with any colour vision can tell apart, and no meaning rests on colour alone:
markers and hatching differ too. Text is drawn as outlines, so no reader's fonts can clip a label.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import matplotlib as mpl
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import UD_PER_DOLLAR
from fairstrike.research.observer import EquityPoint, Mark, Span
from fairstrike.research.scoring import Bin, Bucket, Estimate, Reliability

MODEL, MARKET, INK, FAINT = "#0072B2", "#D55E00", "#222222", "#B8BEC4"
_GREEN, _SKY, _YELLOW, _PURPLE = "#009E73", "#56B4E9", "#F0E442", "#CC79A7"

_WIDTH = 8.4
_BREAK_NS = 5 * MINUTE_NS
_BREAK_MINUTES = 1.0
_AFTER_MINUTES = 1.0
_BREAKS_DRAWN_MAX = 40
_DATES_MAX = 9
_LABELLED_DEGREES = 35

MARKETS_MAX = 40
"""More rows than this and a timeline is a wall: then those with a loss come first."""

_STATES: dict[str, tuple[str, str, str]] = {
    "present": (_SKY, "", "book present"),
    "gap": (MARKET, "////", "frames missing"),
    "frozen": (_PURPLE, "xxxx", "frozen: the venue's ticker moved on"),
    "crossed": (INK, "", "crossed too long"),
    "impossible": (_YELLOW, "....", "an impossible change"),
}
_OTHER = (FAINT, "\\\\", "absent for another reason")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One market of the timeline: its spans, and the close they are measured from."""

    name: str
    close_ns: int
    spans: tuple[Span, ...]


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house's style while the block lasts, whatever a person's own settings of Matplotlib say."""
    with mpl.rc_context(), warnings.catch_warnings():
        # A name may hold characters the font lacks: each is drawn as a box, and the page's text has the name.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.hashsalt": "fairstrike",
                "svg.fonttype": "path",
                "font.family": "DejaVu Sans",
                "font.size": 9,
                "axes.titlesize": 10,
                "axes.titleweight": "bold",
                "axes.titlelocation": "left",
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.edgecolor": "#6B7278",
                "axes.labelcolor": INK,
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": "#E4E7EA",
                "grid.linewidth": 0.8,
                "xtick.color": "#4A5056",
                "ytick.color": "#4A5056",
                "text.color": INK,
                # Names of markets are text, whatever dollar signs they have.
                "text.parse_math": False,
                "legend.frameon": False,
                "hatch.linewidth": 0.6,
            }
        )
        yield


def svg(figure: Figure) -> str:
    """Give a figure as SVG text without a date or a program's name in it."""
    text = io.StringIO()
    with style():
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def reliability_picture(found: Reliability) -> Figure:
    """Give what was said against what happened, model and market side by side, with the counts below."""
    with style():
        figure = Figure(figsize=(_WIDTH, 4.9), layout="constrained")
        tops, bottoms = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3.4, 1))
        sides = (("Model", found.model, MODEL, "o"), ("Market", found.market, MARKET, "s"))
        for top, bottom, side in zip(tops, bottoms, sides, strict=True):
            _reliability(top, bottom, *side)
        tops[0].set_ylabel("share that ended YES")
        bottoms[0].set_ylabel("forecasts")
        bar = Line2D([], [], color=INK, marker="o", markersize=5, linewidth=1.4, label="observed, 95 % interval")
        figure.legend(handles=[bar, tops[0].lines[0]], loc="outside lower center", ncols=2)
    return figure


def brier_picture(buckets: Sequence[Bucket]) -> Figure:
    """Give the Brier scores by time to the close, and beside them the difference, each with its interval."""
    with style():
        figure = Figure(figsize=(_WIDTH, 3.7), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        places = list(range(len(buckets)))
        _estimates(left, places, [b.brier.model for b in buckets], (MODEL, "o", "model"), -0.11)
        _estimates(left, places, [b.brier.market for b in buckets], (MARKET, "s", "market"), 0.11)
        left.set(title="Brier score (0 is perfect)", ylabel="mean squared error")
        left.set_ylim(bottom=0)
        _estimates(right, places, [b.brier.difference for b in buckets], (INK, "D", "model − market"), 0.0)
        right.axhline(0, color=INK, linewidth=1, zorder=1)
        right.set(title="Difference (below 0: model better)", ylabel="model − market")
        _symmetric(right)
        for axes in (left, right):
            axes.set_xticks(places, [f"{b.name}\n{b.brier.model.events} ev." for b in buckets], fontsize=7.5)
            axes.set_xlim(-0.5, len(buckets) - 0.5)
            axes.grid(visible=False, axis="x")
            axes.set_xlabel("time to close (ev.: settlement events)")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, handletextpad=0.3)
    return figure


def equity_picture(points: Sequence[EquityPoint], marks: Sequence[Mark]) -> Figure:
    """Give the result over the recorded time, breaks in the recording cut out, with fills and settlements on it."""
    with style():
        figure = Figure(figsize=(_WIDTH, 3.9), layout="constrained")
        axes = figure.subplots()
        start_ud = points[0].equity_ud
        axis = _Axis([point.at_ns for point in points])
        xs = [axis.minute(point.at_ns) for point in points]
        axes.plot(xs, [_dollars(point.equity_ud - start_ud) for point in points], color=INK, linewidth=1.1, zorder=3)
        shown = (
            ("maker", _GREEN, "o", 15, "fill, resting (maker)"),
            ("taker", MARKET, "^", 17, "fill, taking (taker)"),
            ("settlement", MODEL, "D", 22, "settlement"),
        )
        for kind, colour, marker, size, label in shown:
            mine = [mark for mark in marks if mark.kind == kind]
            if not mine:
                continue
            xs, ys = [axis.minute(mark.at_ns) for mark in mine], [_dollars(mark.equity_ud - start_ud) for mark in mine]
            axes.scatter(
                xs, ys, s=size, color=colour, marker=marker, label=label, zorder=4, linewidths=0.4, edgecolors="white"
            )
        axes.axhline(0, color="#6B7278", linewidth=0.8, zorder=1)
        axes.set(title="Result so far, open contracts at the middle of the book", ylabel="dollars, after fees")
        axis.draw(axes)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, handletextpad=0.2)
    return figure


def timeline_picture(rows: Sequence[Row]) -> Figure:
    """Give when each market's book was there, in minutes to its close and one beyond; at most `MARKETS_MAX` rows."""
    with style():
        rows = _picked(rows)
        figure = Figure(figsize=(_WIDTH, 1.35 + 0.19 * len(rows)), layout="constrained")
        axes = figure.subplots()
        used: dict[str, tuple[str, str, str]] = {}
        for place, row in enumerate(rows):
            for span in row.spans:
                colour, hatch, label = _STATES.get(span.state, _OTHER)
                used[label] = (colour, hatch, label)
                begin, end = (
                    min((at_ns - row.close_ns) / MINUTE_NS, _AFTER_MINUTES) for at_ns in (span.begin_ns, span.end_ns)
                )
                axes.barh(
                    place,
                    end - begin,
                    left=begin,
                    height=0.72,
                    color=colour,
                    hatch=hatch,
                    edgecolor="white" if hatch else colour,
                    linewidth=0,
                )
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=7)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.use_sticky_edges = False
        axes.set_xmargin(0.02)
        axes.grid(visible=False, axis="y")
        axes.set(title="When there was a book", xlabel="minutes to the close (0: the market closes)")
        handles = [
            Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=label)
            for colour, hatch, label in used.values()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


class _Axis:
    """Instants as minutes of recorded time: what lies between recordings takes one minute."""

    def __init__(self, instants: Sequence[int]) -> None:
        cuts = [n for n in range(1, len(instants)) if instants[n] - instants[n - 1] > _BREAK_NS]
        self.parts = list(zip([0, *cuts], [*cuts, len(instants)], strict=True))
        self._begins = [instants[begin] for begin, _ in self.parts]
        self._places: list[float] = []
        place = 0.0
        for begin, end in self.parts:
            self._places.append(place)
            place += (instants[end - 1] - instants[begin]) / MINUTE_NS + _BREAK_MINUTES
        self.end = place - _BREAK_MINUTES

    def minute(self, at_ns: int) -> float:
        """Give the place of an instant on the axis."""
        part = max((n for n, begin_ns in enumerate(self._begins) if begin_ns <= at_ns), default=0)
        return self._places[part] + (at_ns - self._begins[part]) / MINUTE_NS

    def draw(self, axes: Axes) -> None:
        """Label the axis: minutes of one recording, else the moments at which recordings begin."""
        axes.set_xlim(-0.015 * self.end - 0.1, 1.015 * self.end + 0.1)
        # A part of one point is a settlement that came after its recording had ended.
        named = [n for n, (begin, end) in enumerate(self.parts) if end - begin > 1]
        if len(named) <= 1:
            axes.set_xlabel(f"recorded minutes since {_moment(self._begins[0], '%d %b %Y, %H:%M:%S')} UTC")
            return
        for n in named[1:] if len(named) <= _BREAKS_DRAWN_MAX else ():
            place = self._places[n] - _BREAK_MINUTES / 2
            axes.axvline(place, color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
        dated = named[:: max(1, -(-len(named) // _DATES_MAX))]
        axes.set_xticks(
            [self._places[n] for n in dated],
            [_moment(self._begins[n], "%d %b %H:%M") for n in dated],
            rotation=_LABELLED_DEGREES,
            ha="right",
            rotation_mode="anchor",
        )
        axes.grid(visible=False, axis="x")
        drawn = "dashed: " if len(named) <= _BREAKS_DRAWN_MAX else ""
        axes.set_xlabel(f"recorded time (UTC); {drawn}breaks between recordings, cut out")


def _reliability(top: Axes, bottom: Axes, name: str, bins: Sequence[Bin], colour: str, marker: str) -> None:
    top.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (4, 3)), label="as often as said", zorder=2)
    known = [one for one in bins if one.forecast is not None and one.observed.mean is not None]
    for one in known:
        if one.observed.low is not None and one.observed.high is not None:
            top.vlines(one.forecast or 0.0, one.observed.low, one.observed.high, color=colour, linewidth=1.4, zorder=3)
    xs, ys = [one.forecast or 0.0 for one in known], [one.observed.mean or 0.0 for one in known]
    top.scatter(xs, ys, color=colour, marker=marker, s=34, zorder=4, edgecolors="white", linewidths=0.6)
    top.set(title=name, xlim=(-0.03, 1.03), ylim=(-0.04, 1.04))
    counts = [one.observed.count for one in bins]
    middles = [(one.low + one.high) / 2 for one in bins]
    bottom.bar(middles, counts, width=0.085, color=colour)
    for middle, count in zip(middles, counts, strict=True):
        bottom.annotate(str(count), (middle, count), (0, 1.5), textcoords="offset points", ha="center", fontsize=7)
    bottom.set_ylim(0, max([1, *counts]) * 1.25)
    bottom.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    bottom.set(xlabel="forecast: chance of YES")
    bottom.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
    top.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
    bottom.grid(visible=False, axis="x")


def _estimates(
    axes: Axes, places: Sequence[int], found: Sequence[Estimate], look: tuple[str, str, str], shift: float
) -> None:
    colour, marker, label = look
    for place, one in zip(places, found, strict=True):
        if one.low is not None and one.high is not None:
            axes.vlines(place + shift, one.low, one.high, color=colour, linewidth=1.5, zorder=3)
    xs = [place + shift for place, one in zip(places, found, strict=True) if one.mean is not None]
    ys = [one.mean for one in found if one.mean is not None]
    axes.scatter(xs, ys, color=colour, marker=marker, s=30, label=label, zorder=4, edgecolors="white", linewidths=0.6)


def _symmetric(axes: Axes) -> None:
    """Make zero the middle, so that neither side looks favoured."""
    reach = max(abs(edge) for edge in axes.get_ylim())
    axes.set_ylim(-reach, reach)


def _picked(rows: Sequence[Row]) -> list[Row]:
    """Give the rows to draw by close: all, or those with a loss first."""
    by_need = sorted(rows, key=lambda row: (not any(s.state != "present" for s in row.spans), row.close_ns, row.name))
    return sorted(by_need[:MARKETS_MAX], key=lambda row: (row.close_ns, row.name))


def _moment(at_ns: int, form: str) -> str:
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime(form)


def _dollars(ud: int) -> float:
    return ud / UD_PER_DOLLAR
