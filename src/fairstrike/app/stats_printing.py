"""The statistics as tables for people: on the terminal, and the same ones for a page."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from fairstrike.app import stats_words
from fairstrike.app.desk.picture import FAINT
from fairstrike.app.desk.tables import ABSENT, Sheet, put
from fairstrike.app.printing import counted
from fairstrike.app.stats_words import Words
from fairstrike.research.statistics_report import Crossings, Figures, LadderFigures, StatisticsReport
from fairstrike.research.survey import SurveyedMarket

_console = Console()
_NAME_LENGTH_MIN = 14
_PERCENTILES = ("min", "p1", "p10", "p50", "p90", "p99", "max")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A table, and what its words mean."""

    sheet: Sheet
    words: Words = ()


def statistics(report: StatisticsReport) -> None:
    """Print all tables and what was left out."""
    for part in parts(report):
        # Without a terminal nothing is cut off, so nothing has to be given up.
        fit = fitted(part.sheet, _console.width) if _console.is_terminal else Fitted(sheet=part.sheet)
        # The title has its own line: inside the table it would wrap at the table's width.
        put(_console, Text(part.sheet.title, "bold"))
        put(_console, msgspec.structs.replace(fit.sheet, title="").under_title())
        notes = [f"{word}: {meaning}" for word, meaning in part.words]
        for line in [fit.said, *notes] if fit.said else notes:
            put(_console, Text(line, FAINT))
        put(_console, Text())
    for line in remarks(report):
        put(_console, escape(line))


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet as a terminal has room for it, the columns it gave up, and whether names were cut."""

    sheet: Sheet
    left_out: tuple[str, ...] = ()
    is_shortened: bool = False

    @property
    def said(self) -> str:
        """What the terminal is too narrow for, in a sentence; empty when everything is there."""
        lost = [f"left out {', '.join(self.left_out)}"] if self.left_out else []
        lost += ["shortened names"] if self.is_shortened else []
        return f"narrow terminal: {', '.join(lost)}; --json has all" if lost else ""


def fitted(sheet: Sheet, width: int) -> Fitted:
    """Make a sheet at most `width` characters wide without cutting a figure; its title takes no column's room.

    Spare columns go first, then parts of the names in the first column, then columns from the right.
    """
    narrow = msgspec.structs.replace(sheet, title=sheet.columns[0]).fitting(width)
    narrow, is_shortened = _shortened(narrow, width)
    while narrow.width > width and len(narrow.columns) > narrow.left + 1:
        spare = (narrow.columns[-1],)
        narrow = msgspec.structs.replace(narrow, spare=spare).fitting(width)
    left_out = tuple(name for name in sheet.columns if name not in narrow.columns)
    return Fitted(
        sheet=msgspec.structs.replace(narrow, title=sheet.title), left_out=left_out, is_shortened=is_shortened
    )


def _shortened(sheet: Sheet, width: int) -> tuple[Sheet, bool]:
    """Cut the first column's names to what room there is: words lose their end, tickers what they have in common."""
    names = [str(row[0]) for row in sheet.rows]
    longest = max(map(len, names), default=0)
    room = max(longest - (sheet.width - width), _NAME_LENGTH_MIN)
    if not sheet.left or sheet.width <= width or longest <= room:
        return sheet, False
    cut = [name if len(name) <= room else _shorter(name, room) for name in names]
    rows = [(name, *row[1:]) for name, row in zip(cut, sheet.rows, strict=True)]
    return msgspec.structs.replace(sheet, rows=rows), True


def _shorter(name: str, room: int) -> str:
    return f"{name[: room - 1]}…" if " " in name else f"…{name[1 - room :]}"


def parts(report: StatisticsReport) -> list[Part]:
    """Give the tables of a report with their words; those without figures are left out."""
    found: list[Part] = []
    mixed = stats_words.pooled(report.series)
    if report.deltas_counted:
        found.append(Part(sheet=_flow(report), words=mixed + stats_words.FLOW))
        found.append(Part(sheet=_distances(report), words=stats_words.DISTANCES))
    if report.stretches:
        found.append(Part(sheet=_book(report), words=stats_words.BOOK))
        found.append(Part(sheet=_activity(report), words=stats_words.ACTIVITY))
    if report.ladders is not None:
        found += _ladders(report.ladders)
    if report.markets:
        spells = stats_words.SPELLS if report.crossings.deltas_max else ()
        found.append(Part(sheet=_markets(report.markets), words=stats_words.MARKETS + spells))
    return found


def remarks(report: StatisticsReport) -> list[str]:
    """Give the sentences that stand under the tables."""
    lines: list[str] = []
    if report.deltas_counted:
        lines.append(_crossings(report.crossings))
    if report.ladders is not None and report.ladders.two_sided_share is not None:
        lines.append(f"{report.ladders.two_sided_share:.1%} of {report.ladders.books:,} polled books had two sides")
    if report.markets:
        lines.append(
            f"counted {counted(report.markets_counted, 'market')} with {counted(report.deltas_counted, 'delta')}, "
            f"left out {report.markets_left_out}: {report.rule}"
        )
    if report.deltas_counted and report.trades_from == "tickers":
        lines.append("trade sizes are those the tickers name: of several trades between two tickers one is seen")
    if not report.is_exact:
        lines.append("values were so many that some percentiles are rounded to one part in two thousand")
    lines += [f"the recording ends in the middle: {cut}; what stands before it was read" for cut in report.cut]
    return lines


def _crossings(found: Crossings) -> str:
    if not found.deltas_max:
        return "the book was never crossed or locked"
    spells = f"{counted(found.crossed, 'crossed spell')}, {counted(found.locked, 'locked spell')}"
    outlived = "every one began and ended within one venue millisecond"
    if found.outlived:
        its = "its" if found.outlived == 1 else "their"
        outlived = f"{found.outlived:,} outlived {its} venue millisecond, which is a fault"
    return f"{spells}: {outlived}; the longest took {counted(found.deltas_max, 'delta')}"


def _flow(report: StatisticsReport) -> Sheet:
    named = (
        ("deltas per second of one market", report.deltas_per_second),
        ("deltas that share a venue millisecond", report.deltas_per_millisecond),
        ("size of an add, contracts", report.add_contracts),
        ("size of a cut, contracts", report.cut_contracts),
        ("size of a trade, contracts", report.trade_contracts),
        ("life of a price level, s", report.level_life_seconds),
        ("receive minus venue time, ms", report.receive_minus_venue_ms),
    )
    columns = ("mean", *_PERCENTILES)
    rows = [(name, *(_cell(figures, column) for column in columns)) for name, figures in named]
    title = f"{counted(report.markets_counted, 'market')}, {counted(report.deltas_counted, 'delta')}"
    return Sheet(title=title, columns=("figure", *columns), rows=rows, spare=("p1", "min", "p99"))


def _distances(report: StatisticsReport) -> Sheet:
    shares = report.add_distance_shares
    return Sheet(
        title="Adds by distance from their own side's best price",
        columns=tuple(shares),
        rows=[tuple(f"{share:.1%}" for share in shares.values())],
        left=0,
    )


def _book(report: StatisticsReport) -> Sheet:
    rows = [
        (
            stretch.time_to_close,
            f"{stretch.seconds:,.0f}",
            _three(stretch.spread_cents),
            _cell(stretch.size_contracts, "p50"),
            _cell(stretch.size_by_update_contracts, "p50"),
            _three(stretch.levels_per_side),
        )
        for stretch in report.stretches
    ]
    sizes = ("size at best p50", "by update")
    columns = ("time to close", "seconds", "spread ¢ p10/p50/p90", *sizes, "levels a side p10/p50/p90")
    spare = ("seconds", columns[-1], "by update")
    title = "The book by time to close, weighted by time with two sides"
    return Sheet(title=title, columns=columns, rows=rows, spare=spare)


def _activity(report: StatisticsReport) -> Sheet:
    rows = [
        (
            stretch.time_to_close,
            _rate(stretch.best_changes_per_second, 1),
            _rate(stretch.best_moves_per_second, 1),
            _rate(stretch.contracts_per_second, 0),
            _rate(stretch.contracts_per_trading_second, 0),
        )
        for stretch in report.stretches
    ]
    columns = ("time to close", "best changes/s", "lasting beyond its ms", "contracts/s", "while trading")
    return Sheet(title="Activity by time to close", columns=columns, rows=rows)


def _ladders(found: LadderFigures) -> list[Part]:
    complete = found.partitions - found.incomplete
    columns = ("min", "p10", "p50", "p90", "max")
    named = [("markets a capture", found.markets_per_capture)]
    if found.partitions:
        named += [
            (f"sum of bids over a partition, $ ({found.partitions:,})", found.bid_sum_dollars),
            (f"sum of asks where every market has one, $ ({complete:,})", found.ask_sum_dollars),
        ]
    captures = Sheet(
        title=f"Polled books: {counted(found.captures, 'capture')}",
        columns=("figure", *columns),
        rows=[(name, *(_cell(figures, column) for column in columns)) for name, figures in named],
    )
    spreads = Sheet(
        title="Spread of polled markets with two sides, cents",
        columns=("time to close", "books", "p10", "p50", "p90"),
        rows=[
            (part.time_to_close, f"{part.books:,}", *(_cell(part.spread_cents, name) for name in ("p10", "p50", "p90")))
            for part in found.spreads
        ],
    )
    mixed = stats_words.pooled(found.series)
    shown = [Part(sheet=captures, words=mixed + stats_words.CAPTURES)]
    return [*shown, Part(sheet=spreads, words=mixed + stats_words.SPREADS)] if found.spreads else shown


def _markets(markets: Sequence[SurveyedMarket]) -> Sheet:
    faults = ("gaps", "frozen", "impossible", "overflow")
    counts = [(market.gaps, market.frozen, market.impossible, market.overflow) for market in markets]
    rows: list[tuple[str | Text, ...]] = [
        (
            Text(market.ticker),
            f"{market.deltas:,}",
            *(Text(f"{count:,}", "" if count else FAINT) for count in found),
            Text("counted" if market.is_counted else "left out", "" if market.is_counted else "yellow"),
        )
        for market, found in zip(markets, counts, strict=True)
    ]
    # A fault no market has is the first to make room.
    spare = tuple(name for name, column in zip(faults, zip(*counts, strict=True), strict=True) if not any(column))
    columns = ("market", "deltas", *faults, "in the figures")
    return Sheet(title=counted(len(markets), "streamed market"), columns=columns, rows=rows, spare=spare[::-1])


def _cell(figures: Figures, name: str) -> str:
    """Give a figure to three digits; a whole number and what is above a hundred has no decimals."""
    if name not in figures:
        return ""
    value = figures[name]
    if value is None:
        return ABSENT
    is_whole = abs(value) >= 100 or value == round(value)
    return (f"{value:,.0f}" if is_whole else f"{value:.3g}").replace("-", "−")


def _three(figures: Figures) -> str:
    return " / ".join(_cell(figures, name) for name in ("p10", "p50", "p90"))


def _rate(value: float | None, places: int) -> str:
    return ABSENT if value is None else f"{value:,.{places}f}"
