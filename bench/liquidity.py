"""`python -m bench.liquidity`: generated 15-minute markets as a capture, and how their figures compare with others.

`record FILE --seed N --markets M` writes M markets of a calibrated world, made in process, and two seconds of the next.
`page GENERATED REAL FOLDER` reads two answers of `fairstrike stats --json`, prints the table of
docs/evidence/generated-liquidity.md and writes its pictures to a folder.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.exchange.calibrated import QUARTER_NS, CalibratedParams, CalibratedWorld
from fairstrike.exchange.recording import Recorder
from fairstrike.exchange.streaming import Streams
from fairstrike.exchange.worlds import START_NS
from fairstrike.research.plots import FAINT, MARKET, MODEL, style, svg
from fairstrike.research.statistics_report import Figures, StatisticsReport, StretchFigures

FACTOR = 1.5
_LEAD_NS = 3 * MINUTE_NS
_TAIL_NS = 10 * SECOND_NS
_WIDTH = 8.4
_COLUMNS = {"generated": (MODEL, "o"), "real": (MARKET, "s")}


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of both streams; a share is printed in percent."""

    name: str
    generated: float
    real: float
    is_share: bool = False

    @property
    def ratio(self) -> float:
        """Generated over real; two nothings are alike."""
        return 1.0 if self.generated == self.real else self.generated / self.real if self.real else float("inf")

    @property
    def is_near(self) -> bool:
        """Whether they are within the factor, as it is printed."""
        return round(1 / FACTOR, 2) <= round(self.ratio, 2) <= FACTOR


def recorded(seed: int, markets: int) -> Iterator[bytes]:
    """Give the lines of a capture of the first markets of a calibrated world without ladders."""
    world = CalibratedWorld(seed=seed, start_ns=START_NS, params=CalibratedParams(has_ladders=False))
    streams = Streams(world.floor)
    recorder = Recorder(world.floor, streams)
    now_ns, end_ns = START_NS, START_NS + _LEAD_NS + markets * QUARTER_NS + _TAIL_NS
    while now_ns < end_ns:
        now_ns = min(world.next_due_ns(), end_ns)
        world.advance(now_ns)
        streams.publish(world.floor.drain(), now_ns)
        yield from recorder.lines(now_ns)


def compared(generated: StatisticsReport, real: StatisticsReport) -> list[Compared]:
    """Give every figure of the table, in its order."""
    found = [
        *_flow("deltas a second", generated.deltas_per_second, real.deltas_per_second, "mean p50 p90 p99 max"),
        *_flow(
            "deltas in one venue millisecond",
            generated.deltas_per_millisecond,
            real.deltas_per_millisecond,
            "p50 p99 max",
        ),
        *_flow("contracts of an add", generated.add_contracts, real.add_contracts, "p10 p50 p90 p99"),
        *_flow("contracts of a cut", generated.cut_contracts, real.cut_contracts, "p10 p50 p90 p99"),
        *_flow("contracts of a trade", generated.trade_contracts, real.trade_contracts, "p10 p50 p90 p99"),
        *_flow("seconds a price level lives", generated.level_life_seconds, real.level_life_seconds, "p10 p50 p90"),
    ]
    for distance, share in real.add_distance_shares.items():
        generated_share = generated.add_distance_shares[distance]
        found.append(Compared(name=f"adds {distance}", generated=generated_share, real=share, is_share=True))
    for ours, theirs in zip(generated.stretches, real.stretches, strict=True):
        found += _stretch(ours, theirs)
    return found


def _flow(name: str, generated: Figures, real: Figures, percentiles: str) -> list[Compared]:
    return [
        Compared(name=f"{name}, {each}", generated=generated[each] or 0.0, real=real[each] or 0.0)
        for each in percentiles.split()
    ]


def _stretch(generated: StretchFigures, real: StretchFigures) -> list[Compared]:
    place = f"{real.time_to_close}: "
    return [
        *_flow(f"{place}spread in cents", generated.spread_cents, real.spread_cents, "p10 p50 p90"),
        *_flow(f"{place}contracts at best", generated.size_contracts, real.size_contracts, "p50"),
        Compared(
            name=f"{place}best-price changes a second",
            generated=generated.best_changes_per_second or 0.0,
            real=real.best_changes_per_second or 0.0,
        ),
        Compared(
            name=f"{place}contracts traded a second",
            generated=generated.contracts_per_second or 0.0,
            real=real.contracts_per_second or 0.0,
        ),
        *_flow(f"{place}levels a side", generated.levels_per_side, real.levels_per_side, "p50"),
    ]


def table(rows: list[Compared]) -> str:
    """Give the figures as a table of the page, and how many are near."""
    lines = ["| figure | generated | real | ratio |", "|---|---|---|---|"]
    for row in rows:
        mark = "" if row.is_near else " **outside**"
        generated, real = (_text(value, row) for value in (row.generated, row.real))
        lines.append(f"| {row.name} | {generated} | {real} | {row.ratio:.2f}{mark} |")
    near = sum(row.is_near for row in rows)
    return "\n".join([*lines, "", f"{near} of {len(rows)} figures lie within a factor of {FACTOR}."])


def _text(value: float, row: Compared) -> str:
    if row.is_share:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def pictures(generated: StatisticsReport, real: StatisticsReport) -> dict[str, str]:
    """Give the page's pictures as SVG text by name."""
    reports = {"generated": generated, "real": real}
    with style():
        return {
            "generated-by-time": svg(_by_time(reports)),
            "generated-sizes": svg(_sizes(reports)),
            "generated-distance": svg(_distances(reports)),
        }


def _by_time(reports: dict[str, StatisticsReport]) -> Figure:
    figure = Figure(figsize=(_WIDTH, 5.0), layout="constrained")
    spread, size, changes, traded = figure.subplots(2, 2).flat
    for number, (name, report) in enumerate(reports.items()):
        shift = 0.24 * number - 0.12
        _ranges(spread, [each.spread_cents for each in report.stretches], name, shift)
        _ranges(size, [each.size_contracts for each in report.stretches], name, shift)
        _points(changes, [each.best_changes_per_second for each in report.stretches], name, shift)
        _points(traded, [each.contracts_per_second for each in report.stretches], name, shift)
    titles = ("Spread, cents", "Contracts at best", "Best-price changes a second", "Contracts traded a second")
    names = [each.time_to_close.replace("last minute", "1–0").replace(" min", "") for each in reports["real"].stretches]
    for axes, title in zip((spread, size, changes, traded), titles, strict=True):
        axes.set_title(title)
        axes.set_xticks(range(len(names)), names)
        axes.set_xlabel("minutes to close")
    for axes in (spread, size):
        _make_logarithmic(axes)
    for axes in (changes, traded):
        axes.set_ylim(0.0, 1.08 * axes.get_ylim()[1])
    changes.legend(loc="lower right")
    return figure


def _ranges(axes: Axes, figures: list[Figures], name: str, shift: float) -> None:
    colour = _COLUMNS[name][0]
    for place, each in enumerate(figures):
        low, high = each["p10"] or 0.0, each["p90"] or 0.0
        axes.plot([place + shift] * 2, [low, high], color=colour, linewidth=1.2)
    _points(axes, [each["p50"] for each in figures], name, shift)


def _points(axes: Axes, values: list[float | None], name: str, shift: float) -> None:
    colour, marker = _COLUMNS[name]
    places = [place + shift for place in range(len(values))]
    axes.plot(places, [value or 0.0 for value in values], color=colour, marker=marker, linestyle="", label=name)


def _make_logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _sizes(reports: dict[str, StatisticsReport]) -> Figure:
    figure = Figure(figsize=(_WIDTH, 3.4), layout="constrained")
    sizes, lives = figure.subplots(1, 2, width_ratios=(5, 2))
    names = ("p10", "p50", "p90", "p99")
    for number, (name, report) in enumerate(reports.items()):
        shift = 0.24 * number - 0.12
        kinds = (report.add_contracts, report.cut_contracts, report.trade_contracts)
        _points(sizes, [kind[each] for kind in kinds for each in names], name, shift)
        _points(lives, [report.level_life_seconds[each] for each in names[:3]], name, shift)
    sizes.set_title("Contracts of an add, a cut, a trade")
    labels = [f"{each}\n{kind}" if each == "p10" else each for kind in ("add", "cut", "trade") for each in names]
    sizes.set_xticks(range(len(labels)), labels)
    for edge in (3.5, 7.5):
        sizes.axvline(edge, color=FAINT, linewidth=0.8)
    lives.set_title("Seconds a level lives")
    lives.set_xticks(range(3), names[:3])
    for axes in (sizes, lives):
        _make_logarithmic(axes)
    lives.legend(loc="upper left")
    return figure


def _distances(reports: dict[str, StatisticsReport]) -> Figure:
    figure = Figure(figsize=(_WIDTH, 3.0), layout="constrained")
    axes = figure.add_subplot()
    names = list(reports["real"].add_distance_shares)
    for number, (name, report) in enumerate(reports.items()):
        shares = [100.0 * report.add_distance_shares[each] for each in names]
        colour, hatch = _COLUMNS[name][0], "" if name == "generated" else "///"
        places = [place + 0.4 * number - 0.2 for place in range(len(names))]
        axes.bar(places, shares, width=0.38, color=colour, hatch=hatch, edgecolor="white", label=name)
    axes.set_xticks(range(len(names)), names)
    axes.set_title("Where size is added, % of adds")
    axes.legend()
    return figure


def main() -> int:
    """Record, or print a table and write pictures. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.liquidity", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    record = commands.add_parser("record")
    record.add_argument("file", type=Path)
    record.add_argument("--seed", type=int, default=1)
    record.add_argument("--markets", type=int, default=8)
    page = commands.add_parser("page")
    for name in ("generated", "real", "folder"):
        page.add_argument(name, type=Path)
    chosen = parser.parse_args()
    if chosen.command == "record":
        with chosen.file.open("xb") as file:
            file.writelines(recorded(chosen.seed, chosen.markets))
        return 0
    decode = msgspec.json.Decoder(StatisticsReport).decode
    generated, real = decode(chosen.generated.read_bytes()), decode(chosen.real.read_bytes())
    for name, picture in pictures(generated, real).items():
        (chosen.folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    print(table(compared(generated, real)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
