"""What the list of markets looks like."""

from io import StringIO

import msgspec
import pytest
from rich.console import Console

from fairstrike.app import markets_printing as printing
from fairstrike.app.markets import catalogue
from fairstrike.core.events import Event
from tests.unit.app.test_markets import DOUBTED, FAILED, HOUR, NOW, TOLD, asked


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    text = StringIO()
    monkeypatch.setattr(printing, "_console", Console(file=text))
    return text


def test_events_one_a_line(screen: StringIO) -> None:
    printing.catalogue(catalogue(asked(), TOLD, NOW), with_strikes=False)
    title, headings, _, *rows = screen.getvalue().splitlines()
    assert title == "Events on prod"
    assert headings.split() == [
        *("event", "timeframe", "closes,", "New", "York", "in", "state"),
        *("markets", "strikes", "step", "tick", "same", "value"),
    ]
    assert [" ".join(row.split()) for row in rows] == [
        "KXBTC15M-26JUL092100 15min Thu 09 Jul 21:00 00:38:00 opens in 00:23:00 1 not published yet – 0.1 – 1 ¢ KXBTCD",
        "KXBTCD-26JUL0921 hourly Thu 09 Jul 21:00 00:38:00 open 2 60,000 – 70,000 10,000 1 ¢ KXBTC15M",
        "KXBTCD-26JUL0922 hourly Thu 09 Jul 22:00 01:38:00 opens in 00:38:00 1 > 60,000 – 1 ¢ –",
        "KXBTCD-26JUL1017 daily Fri 10 Jul 17:00 20:38:00 open 1 > 60,000 – 1 ¢ –",
    ]


def test_one_event_with_its_markets(screen: StringIO) -> None:
    printing.catalogue(catalogue(asked(event=HOUR), TOLD, NOW), with_strikes=True)
    rows = [" ".join(row.split()) for row in screen.getvalue().splitlines()]
    assert rows[-2:] == ["KXBTCD-26JUL0921-60000 > 60,000 open 12", "KXBTCD-26JUL0921-70000 > 70,000 open 12"]
    assert "same value" not in screen.getvalue()  # one series alone does not tell it


def test_doubts_and_failures_come_last(screen: StringIO) -> None:
    many = msgspec.structs.replace(DOUBTED, tickers=tuple("ABCDE"), is_left_out=False)
    told: dict[str, list[Event]] = {**TOLD, "KXBTC": [DOUBTED, many], "KXETH": [FAILED]}
    printing.catalogue(catalogue(asked(), told, NOW), with_strikes=False)
    assert screen.getvalue().splitlines()[-3:] == [
        "! A, B: its strike_type is 'custom'; left out",
        "! A, B, C and 2 more: its strike_type is 'custom'; taken by the structured fields",
        "✗ KXETH could not be read: 404 not_found",
    ]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_a_narrow_terminal_costs_whole_columns(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    text = StringIO()
    monkeypatch.setattr(printing, "_console", Console(file=text, width=width, force_terminal=True, color_system=None))
    printing.catalogue(catalogue(asked(), TOLD, NOW), with_strikes=False)
    assert max(map(len, text.getvalue().splitlines())) <= width
    assert "KXBTC15M-26JUL092100" in text.getvalue()
    assert "60,000 – 70,000" in text.getvalue()
