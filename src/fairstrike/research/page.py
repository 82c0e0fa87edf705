"""A replay's report as one page of HTML that needs nothing beside it: the verdict first, then what it rests on.

The page is made of one frozen value and nothing else, and the same value gives the same page, byte for byte. Its
pictures are SVG inside the page; it has no script and asks for nothing from outside.
"""

import base64
import json
from datetime import UTC, datetime

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from fairstrike.core.records import RunStarted, TapeFile
from fairstrike.core.timing import SECOND_NS
from fairstrike.research.observer import EquityPoint, Mark, thinned
from fairstrike.research.plots import (
    MARKETS_MAX,
    Row,
    brier_picture,
    equity_picture,
    reliability_picture,
    svg,
    timeline_picture,
)
from fairstrike.research.report import POINTS_MAX, Finished, MarketReport, ReplayReport
from fairstrike.research.scoring import EVENTS_FEW, Comparison, Estimate

MARKETS_LISTED_MAX = 200
"""A longer table of markets leaves out those in which nothing was traded and nothing went wrong."""

_DASH = "–"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows: the figures, points and marks of the picture of money, the books' stretches, and what was run.

    `period_ns` is the first and last instant of the tape; `settings` is JSON text.
    """

    report: ReplayReport
    equity: tuple[EquityPoint, ...]
    marks: tuple[Mark, ...]
    timeline: tuple[Row, ...]
    period_ns: tuple[int, int]
    tape: tuple[TapeFile, ...]
    program: str
    settings: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture in the page: an address that holds it whole, and what it shows in words."""

    address: str
    words: str


class _Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Markets as the page lists them, and how many it leaves out."""

    shown: dict[str, MarketReport]
    left_out: int


def page_of(started: RunStarted, run: Finished, report: ReplayReport) -> Page:
    """Give the page of a replay that ended; long rows of points and marks are thinned out."""
    listings, observer = run.engine.catalog.listings, run.observer
    return Page(
        report=report,
        equity=tuple(thinned(observer.equity, POINTS_MAX)),
        marks=tuple(thinned(observer.marks, POINTS_MAX)),
        timeline=tuple(
            Row(name=ticker, close_ns=listing.contract.close_ns, spans=tuple(observer.spans(ticker)))
            for ticker, listing in sorted(listings.items())
        ),
        period_ns=(started.run_ns, max(observer.last_ns, started.run_ns)),
        tape=started.tape,
        program=started.program,
        settings=started.settings,
    )


def render(page: Page) -> str:
    """Give the page's HTML."""
    environment = Environment(
        loader=PackageLoader("fairstrike.research", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=_count,
        money=_money,
        signed=_signed,
        estimate=_estimate,
        share=_share,
        tone=_tone,
        seconds=_seconds,
        lost=_lost,
    )
    report = page.report
    return environment.get_template("page.html.j2").render(
        page=page,
        report=report,
        account=report.money,
        tone_of_model=_tone_of(report.scores.brier if report.scores else None),
        begin=_moment(page.period_ns[0]),
        end=_moment(page.period_ns[1]),
        settled=sum(market.result is not None for market in report.markets.values()),
        derived=sum(market.is_derived and market.result is not None for market in report.markets.values()),
        snapshots=sum(market.snapshots for market in report.markets.values()),
        held_events=[event for event in report.open_events if event.held],
        idle_events=[event for event in report.open_events if not event.held],
        listed=_listed(report.markets),
        pictures=_pictures(page),
        settings=json.dumps(json.loads(page.settings), indent=2, ensure_ascii=False),
    )


def _pictures(page: Page) -> dict[str, Picture | None]:
    """Give the pictures there is something to draw for."""
    scores, names = page.report.scores, ("reliability", "brier", "equity", "timeline")
    found: dict[str, Picture | None] = dict.fromkeys(names)
    if scores is not None and scores.brier.model.count:
        found["reliability"] = _picture(
            reliability_picture(scores.reliability),
            "For each tenth of the forecasts' range, the share of forecasts that came true, with its interval, for the "
            "model on the left and the market on the right; below, how many forecasts there were.",
        )
        found["brier"] = _picture(
            brier_picture(scores.buckets),
            "Brier scores of model and market by time to the close, with intervals, and beside them their difference.",
        )
    if page.equity:
        found["equity"] = _picture(
            equity_picture(page.equity, page.marks),
            "The result in dollars after fees over the recorded time, with every fill and settlement.",
        )
    rows = [row for row in page.timeline if row.spans]
    is_lost = any(span.state != "present" for row in rows for span in row.spans)
    if rows and (is_lost or len(rows) <= MARKETS_MAX):
        found["timeline"] = _picture(
            timeline_picture(rows), "For each market, from when to when there was a book, by minutes to its close."
        )
    return found


def _picture(figure: Figure, words: str) -> Picture:
    data = base64.b64encode(svg(figure).encode()).decode()
    return Picture(address=f"data:image/svg+xml;base64,{data}", words=words)


def _listed(markets: dict[str, MarketReport]) -> _Listed:
    if len(markets) <= MARKETS_LISTED_MAX:
        return _Listed(shown=markets, left_out=0)
    shown = {ticker: market for ticker, market in markets.items() if market.fills or not market.is_clean}
    return _Listed(shown=shown, left_out=len(markets) - len(shown))


def _lost(market: MarketReport) -> str:
    """Give why a market's book was lost, and how often."""
    reasons = (("gap", market.gaps), ("frozen", market.frozen), ("crossed", market.crossed))
    return ", ".join(f"{reason} {count}" for reason, count in (*reasons, ("impossible", market.impossible)) if count)


def _moment(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%d %b %Y, %H:%M:%S UTC")


def _count(number: int) -> str:
    return f"{number:,}"


def _money(text: str) -> str:
    return _minus(f"{float(text):,.2f}")


def _signed(text: str) -> str:
    return _minus(f"{float(text):+,.2f}")


def _minus(text: str) -> str:
    """Give a figure with a real minus; what rounds to nothing has no sign."""
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "−")


def _tone(text: str) -> str:
    """Give the class of a result: gain, loss, or neither."""
    value = round(float(text), 2)
    return "gain" if value > 0 else "loss" if value < 0 else ""


def _tone_of(found: Comparison | None) -> str:
    """Give the class of a difference of scores; what cannot be told has none."""
    if found is None or found.difference.low is None or found.difference.high is None:
        return ""
    if found.difference.events < EVENTS_FEW:
        return ""
    return "gain" if found.difference.high < 0 else "loss" if found.difference.low > 0 else ""


def _estimate(found: Estimate, digits: int = 4) -> str:
    if found.mean is None:
        return _DASH
    mean = _minus(f"{found.mean:.{digits}f}")
    if found.low is None or found.high is None:
        return f"{mean} (no interval)"
    return f"{mean} ({_minus(f'{found.low:.{digits}f}')} to {_minus(f'{found.high:.{digits}f}')})"


def _share(value: float | None) -> str:
    return _DASH if value is None else f"{100 * value:.1f} %"


def _seconds(value: float) -> str:
    return f"{value:,.1f} s"
