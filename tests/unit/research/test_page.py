"""A replay's page: one file that asks for nothing, says its verdict first, and escapes what it is told."""

import re
from html.parser import HTMLParser

import msgspec
import pytest

from fairstrike.core.records import TapeFile
from fairstrike.core.timing import MINUTE_NS
from fairstrike.research.money import Money
from fairstrike.research.observer import Agreement, EquityPoint, Mark, Span
from fairstrike.research.page import MARKETS_LISTED_MAX, Page, render
from fairstrike.research.plots import Row
from fairstrike.research.report import (
    AgreementReport,
    AgreementReports,
    MarketReport,
    OpenEvent,
    ReplayReport,
    StrategyReport,
)
from fairstrike.research.scoring import EVENTS_FEW, Estimate, Forecast, scores

START_NS = 1_778_718_000_000_000_000
MARKET = MarketReport(
    deltas=1_234,
    snapshots=1,
    gaps=0,
    frozen=0,
    best_yes_bid=None,
    best_yes_ask=None,
    fills=2,
    fees="0.070000",
    pnl="-5.120000",
    result="no",
    is_derived=True,
    seconds_without_book=0.0,
    ticker_volume="1234.50",
    agreement=Agreement(tickers=10, equal_now=9, equal_recent=10),
)
SHARES = AgreementReport(markets=1, tickers=10, absent=0, equal_now=9, equal_recent=10, share_now=0.9, share_recent=1.0)
VOID_ELEMENTS = {"meta", "img", "br", "link", "input", "hr"}


def forecasts(events: int, model: float, market: float) -> list[Forecast]:
    """Forecasts that were `model` and `market` off, a little more in every other event."""
    return [
        Forecast(
            group=f"g{n}",
            closes_in_ns=5 * MINUTE_NS,
            p_model=1 - model - n % 2 / 100,
            p_market=1 - market - n % 2 / 50,
            outcome=1.0,
        )
        for n in range(events)
    ]


ACCOUNT = Money(
    cash_start="1000.000000",
    cash="984.700000",
    decided="-5.120000",
    realised_in_held="1.820000",
    held_cost="12.000000",
    fees="0.070000",
    traded_markets=4,
    decided_markets=3,
    gain=Estimate(count=3, events=3, mean=-1.71, low=-4.0, high=0.58),
)


def report(found: list[Forecast] | None = None, **markets: MarketReport) -> ReplayReport:
    return ReplayReport(
        files=("a.jsonl.gz",),
        without_spot=(),
        cut=(),
        markets=markets or {"T": MARKET},
        strategies={"taker": StrategyReport(fills=2, fees="0.070000", pnl="-5.120000", open_markets=0)},
        deltas=1_234,
        fills=2,
        fees="0.070000",
        pnl="-5.120000",
        cash="994.880000",
        open_cost="0.000000",
        gaps=0,
        frozen=0,
        seconds_without_book=0.0,
        journal="runs/secret",
        digest="0123456789abcdef0123",
        money=ACCOUNT,
        page="runs/secret/report.html",
        scores=scores(forecasts(3, 0.2, 0.3) if found is None else found),
        agreement=AgreementReports(overall=SHARES, clean=SHARES),
        events=1_000,
        decisions=400,
        wakes=250,
        kinds={"BookDelta": 1_000},
        considered={"taker": {"no edge": 250}},
        refused={"pace": 3},
        rejected={"post only cross": 1},
    )


def page(figures: ReplayReport | None = None) -> Page:
    return Page(
        report=figures or report(),
        equity=tuple(EquityPoint(at_ns=START_NS + n * MINUTE_NS, equity_ud=n) for n in range(3)),
        marks=(Mark(at_ns=START_NS + MINUTE_NS, kind="taker", ticker="T", equity_ud=1, amount_ud=1),),
        timeline=(
            Row(
                name="T",
                close_ns=START_NS + 9 * MINUTE_NS,
                spans=(Span(begin_ns=START_NS, end_ns=START_NS + MINUTE_NS, state="present"),),
            ),
        ),
        period_ns=(START_NS, START_NS + 3 * MINUTE_NS),
        tape=(TapeFile(name="a.jsonl.gz", sha256="ab" * 32),),
        program="9.9.9",
        settings='{"seed": 7}',
    )


class Reader(HTMLParser):
    """Elements and the page's words; every element that is opened must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.words += " "

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data


def words(text: str) -> str:
    return " ".join(Reader(text).words.split())


def test_the_same_value_gives_the_same_page() -> None:
    assert render(page()) == render(page())


def test_a_page_is_well_formed_and_needs_nothing_from_outside() -> None:
    text = render(page())
    reader = Reader(text)
    assert reader.open == []
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "link", "iframe", "object"}
    pictures = [attributes for tag, attributes in reader.elements if tag == "img"]
    assert len(pictures) == 4
    assert all(
        (picture["src"] or "").startswith("data:image/svg+xml;base64,") and picture["alt"] for picture in pictures
    )
    assert not re.search(r"https?://|@import|url\(", text)


def test_the_verdict_comes_first_and_names_money_and_model() -> None:
    said = words(render(page()))
    verdict = said.index(
        "taker −5.12 dollars after fees, in 3 traded markets: −1.71 (−4.00 to 0.58) dollars a market, an"
    )
    assert verdict < said.index("There are too few events to judge model against market") < said.index("Money")


def test_every_figure_has_its_place() -> None:
    said = words(render(page()))
    for figure in (
        "0123456789abcdef",
        "fairstrike 9.9.9",
        "14 May 2026, 00:20:00 UTC to 14 May 2026, 00:23:00 UTC",
        "0.250 wakes an event",
        "no edge 250",
        "pace 3",
        "post only cross 1",
        "90.0 %",
        "1,234",
        "ab" * 32,
        '"seed": 7',
        "1 of 1 results are not official",
    ):
        assert figure in said, figure


def test_a_page_does_not_say_where_it_lies() -> None:
    assert "secret" not in render(page())


def test_what_the_page_is_told_is_escaped() -> None:
    text = render(page(msgspec.structs.replace(report(), considered={"<script>x</script>": {"a & b": 1}})))
    assert "<script" not in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "a &amp; b" in text


def test_open_events_are_listed_with_what_is_held() -> None:
    event = OpenEvent(group="BTC@1", events=("E",), closes="c", markets=2, held={"E-1": "-3.00"}, cost="1.800000")
    said = words(render(page(msgspec.structs.replace(report(), open_events=(event,), open_cost="1.800000"))))
    assert "In 1 more market contracts are still held: what they cost, 12.00 dollars, counts neither way" in said
    assert "Cash went from $1,000.00 to $984.70: −5.12 decided, +1.82 realised in markets still held" in said
    assert "E c 2 E-1 −3.00 1.80" in said


def test_a_replay_without_strategies_forecasts_or_money_has_a_page() -> None:
    figures = msgspec.structs.replace(report([]), strategies={}, fills=0, considered={}, refused={}, rejected={})
    empty = msgspec.structs.replace(page(figures), equity=(), marks=(), timeline=())
    text = render(empty)
    assert "<img" not in text
    assert "No order was filled" in words(text)
    assert "No forecast could be scored" in words(text)


def test_of_very_many_markets_the_quiet_ones_are_left_out() -> None:
    quiet = msgspec.structs.replace(MARKET, fills=0)
    many = {f"M{n}": quiet for n in range(MARKETS_LISTED_MAX)} | {"LOST": msgspec.structs.replace(quiet, frozen=2)}
    said = words(render(page(report([], **many))))
    assert "LOST 1,234 1,234 frozen 2" in said
    assert "M7 " not in said
    assert f"{MARKETS_LISTED_MAX} more markets" in said


@pytest.mark.parametrize(
    ("model", "market", "tone", "verdict"),
    [(0.1, 0.4, "figure gain", "The model was better:"), (0.4, 0.1, "figure loss", "The market was better:")],
)
def test_who_was_better_is_said_plainly(model: float, market: float, tone: str, verdict: str) -> None:
    text = render(page(report(forecasts(EVENTS_FEW, model, market))))
    shown = [attributes.get("class") for _, attributes in Reader(text).elements if attributes.get("class")]
    assert [classes for classes in shown if classes and classes.startswith("figure")][1] == tone
    assert verdict in words(text)
