"""The picture of what is covered: markets by time, brighter where more rows came, losses marked, and the scale."""

from io import BytesIO, StringIO

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from fairstrike.core.timing import SECOND_NS
from fairstrike.research.coverage import Coverage, Track, counts

_COLUMNS, _ROWS_MAX, _NAMES_MAX = 400, 200, 60
_LEAST_MOST = 10.0
_WIDTH, _ROW_HEIGHT, _REST_HEIGHT = 11.0, 0.16, 1.4


def picture(covered: Coverage, tracks: list[Track], kind: str) -> bytes:
    """Give the picture as "png" or "svg". Of more than two hundred markets those with most rows are drawn."""
    shown = sorted(tracks, key=lambda track: -len(track.recv_ns))[:_ROWS_MAX]
    shown.sort(key=lambda track: (int(track.recv_ns[0]), track.ticker))
    begin_ns, end_ns = covered.first_ns, covered.last_ns
    both = [counts(track, begin_ns, end_ns, _COLUMNS) for track in shown]
    grid = np.array([rows for rows, _ in both], dtype=float).reshape(len(shown), _COLUMNS)
    losses = [(row, column) for row, (_, lost) in enumerate(both) for column in np.flatnonzero(lost)]
    figure = Figure(figsize=(_WIDTH, _REST_HEIGHT + _ROW_HEIGHT * max(6, len(shown))), layout="constrained")
    axes = figure.subplots()
    days = [instant / SECOND_NS / 86_400 for instant in (begin_ns, end_ns + 1)]
    extent = (days[0], days[1], max(1, len(shown)) - 0.5, -0.5)
    image = axes.imshow(
        np.where(grid > 0, grid, np.nan),
        aspect="auto",
        extent=extent,
        cmap="viridis",
        norm=LogNorm(1, max(_LEAST_MOST, grid.max(initial=0))),
        interpolation="nearest",
    )
    width = (days[1] - days[0]) / _COLUMNS
    scale = figure.colorbar(image, ax=axes, pad=0.01, format=StrMethodFormatter("{x:,.0f}"))
    seconds = width * 86_400
    column = f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"
    scale.set_label(f"book rows in {column} s; white: none", fontsize=7)
    scale.ax.tick_params(labelsize=6)
    if losses:
        marks = [days[0] + (column + 0.5) * width for _, column in losses]
        axes.scatter(marks, [row for row, _ in losses], s=9, marker="x", color="tab:red", label="book lost")
        axes.legend(loc="upper right", fontsize=7)
    step = max(1, -(-len(shown) // _NAMES_MAX))
    axes.set_yticks(range(0, len(shown), step), [track.ticker for track in shown[::step]], fontsize=6)
    axes.xaxis_date()
    axes.set_xlabel("time of receipt (UTC)")
    axes.set_title(f"{covered.folder}: {len(tracks)} markets, {covered.span}")
    if kind == "svg":
        text = StringIO()
        figure.savefig(text, format="svg")
        return text.getvalue().encode()
    data = BytesIO()
    figure.savefig(data, format="png", dpi=130)
    return data.getvalue()
