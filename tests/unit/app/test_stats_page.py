"""The page of statistics: whole, self-contained, and safe whatever a market is called."""

import re
from html.parser import HTMLParser

from fairstrike.app import stats_page
from fairstrike.research.statistics_report import StatisticsReport, statistics_report
from fairstrike.research.survey import Survey, SurveyedMarket

VOID = {"meta", "br", "img", "link"}


class Balance(HTMLParser):
    """Notes an element that is closed where another is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def surveyed() -> tuple[StatisticsReport, Survey]:
    survey = Survey()
    survey.markets.append(
        SurveyedMarket(file="<b>.jsonl", ticker="<i>A", deltas=9, gaps=0, frozen=0, impossible=0, overflow=0)
    )
    pool = survey.pool
    pool.deltas = 9
    for number in range(1, 10):
        pool.per_second.add(number)
        pool.adds.add(number * 100)
        pool.lives.add(number)
    return statistics_report(survey, ["<b>.jsonl"], []), survey


def test_a_whole_page() -> None:
    report, survey = surveyed()
    text = stats_page.page(report, survey.pool)
    balance = Balance()
    balance.feed(text)
    assert (balance.open, balance.wrong) == ([], [])
    assert text.count("<figure>") == text.count("<svg") == 3
    assert text.count("<table>") == text.count("<dl>") == 3
    assert "<i>A" not in text
    assert "&lt;i&gt;A" in text
    assert "&lt;b&gt;.jsonl" in text


def test_nothing_is_fetched() -> None:
    report, survey = surveyed()
    text = stats_page.page(report, survey.pool)
    assert not re.search(r"<(?:script|link|img|iframe)|@import|src=|url\((?!#)", text)


def test_identifiers_of_the_pictures_are_their_own() -> None:
    report, survey = surveyed()
    text = stats_page.page(report, survey.pool)
    names = re.findall(r'\bid="([^"]+)"', text)
    assert names
    assert len(names) == len(set(names))
    used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)
    assert {first or second for first, second in used} <= set(names)


def test_the_same_statistics_give_the_same_page() -> None:
    report, survey = surveyed()
    assert stats_page.page(report, survey.pool) == stats_page.page(report, survey.pool)
