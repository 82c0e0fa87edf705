"""The pictures of a report: the same every time, with nothing of their making in them, and sound at the edges."""

from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib as mpl
import msgspec
import pytest
from matplotlib.figure import Figure

from fairstrike.core.timing import MINUTE_NS
from fairstrike.research.observer import EquityPoint, Mark, Span
from fairstrike.research.plots import (
    MARKETS_MAX,
    Row,
    brier_picture,
    equity_picture,
    reliability_picture,
    svg,
    timeline_picture,
)
from fairstrike.research.scoring import Forecast, Scores, scores

START_NS = 1_778_718_000_000_000_000


def scored(events: int) -> Scores:
    found = [
        Forecast(
            group=f"g{event}",
            closes_in_ns=minutes * MINUTE_NS,
            p_model=(7 * event + minutes) % 10 / 10,
            p_market=(3 * event + minutes) % 10 / 10,
            outcome=float(event % 2),
        )
        for event in range(events)
        for minutes in (1, 2, 4, 8, 14)
    ]
    return scores(found)


def minute(count: float) -> int:
    return START_NS + round(count * MINUTE_NS)


def equity(*minutes: float) -> list[EquityPoint]:
    return [EquityPoint(at_ns=minute(m), equity_ud=10_000_000_000 + round(m) * 1_000_000) for m in minutes]


def marks() -> list[Mark]:
    kinds = ("maker", "taker", "settlement")
    return [
        Mark(at_ns=minute(n), kind=kind, ticker="T", equity_ud=10_000_000_000, amount_ud=0)
        for n, kind in enumerate(kinds)
    ]


def rows(count: int, state: str = "present") -> list[Row]:
    span = Span(begin_ns=minute(0), end_ns=minute(9), state="present")
    other = Span(begin_ns=minute(9), end_ns=minute(14), state=state)
    return [Row(name=f"M{n:03d}", close_ns=minute(15 + n), spans=(span, other)) for n in range(count)]


DRAWN: dict[str, Callable[[], Figure]] = {
    "reliability": lambda: reliability_picture(scored(6).reliability),
    "reliability of one event": lambda: reliability_picture(scored(1).reliability),
    "reliability of nothing": lambda: reliability_picture(scored(0).reliability),
    "brier": lambda: brier_picture(scored(6).buckets),
    "brier of one event": lambda: brier_picture(scored(1).buckets),
    "equity": lambda: equity_picture(equity(0, 1, 2, 3), marks()),
    "equity with breaks": lambda: equity_picture(equity(0, 1, 500, 501, 900, 2_000, 2_001), marks()),
    "equity of a moment": lambda: equity_picture(equity(0), []),
    "timeline": lambda: timeline_picture(rows(3, "frozen")),
    "timeline of an unknown loss": lambda: timeline_picture(rows(1, "unheard of")),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_sound_and_bears_no_date(name: str) -> None:
    text = svg(DRAWN[name]())
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "<dc:date>" not in text
    assert "<dc:creator>" not in text


@pytest.mark.parametrize("name", ["reliability", "timeline"])
def test_a_picture_is_the_same_every_time(name: str) -> None:
    assert svg(DRAWN[name]()) == svg(DRAWN[name]())


def test_a_persons_own_settings_change_nothing() -> None:
    expected = svg(DRAWN["brier"]())
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "svg.hashsalt": "other"}):
        assert svg(DRAWN["brier"]()) == expected


def width_of_plot(figure: Figure) -> tuple[float, float]:
    low, high = figure.axes[0].get_xlim()
    return low, high


def test_breaks_between_recordings_take_a_minute() -> None:
    low, high = width_of_plot(equity_picture(equity(0, 1, 500, 501), []))
    assert low < 0
    assert 3 < high < 4
    labels = [label.get_text() for label in equity_picture(equity(0, 1, 500, 501), []).axes[0].get_xticklabels()]
    assert labels == ["14 May 00:20", "14 May 08:40"]


def test_a_lone_settlement_after_a_recording_is_given_no_date() -> None:
    labels = equity_picture(equity(0, 1, 9, 500, 501), []).axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == ["14 May 00:20", "14 May 08:40"]


def test_of_many_markets_those_with_a_loss_are_drawn() -> None:
    many = [*rows(MARKETS_MAX + 20), Row(name="LOST", close_ns=minute(9_000), spans=rows(1, "gap")[0].spans)]
    labels = [label.get_text() for label in timeline_picture(many).axes[0].get_yticklabels()]
    assert len(labels) == MARKETS_MAX
    assert labels[-1] == "LOST"


def test_a_book_left_over_after_its_close_does_not_stretch_the_picture() -> None:
    late = Row(name="M", close_ns=minute(9), spans=(Span(begin_ns=minute(0), end_ns=minute(900), state="present"),))
    assert width_of_plot(timeline_picture([late]))[1] < 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["KXBTC15M-$\\frac{$", "$x$", "KXBTC15M-\U0001f600\u4e2d"])
def test_a_name_that_is_a_formula_or_has_strange_letters_is_drawn(name: str) -> None:
    named = [msgspec.structs.replace(row, name=name) for row in rows(1)]
    assert ElementTree.fromstring(svg(timeline_picture(named))).tag.endswith("svg")
