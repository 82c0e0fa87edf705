"""Levels and sides of single messages; whole frames are in the session's tests."""

import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.venue.kalshi import frame_events
from fairstrike.venue.kalshi.wire.stream import LifecycleMessage, TickerMessage


def test_no_levels_are_asks_at_the_complement() -> None:
    assert frame_events.no_levels((("0.3700", "5.00"), ("0.0010", "1.25"))) == ((6_300, 500), (9_990, 125))


@pytest.mark.parametrize("level", [("1.0001", "1.00"), ("-0.0100", "1.00"), ("0.5000", "x"), ("", "1")])
def test_level_outside_its_domain_is_refused(level: tuple[str, str]) -> None:
    with pytest.raises(ArithmeticRefusal):
        frame_events.yes_levels((level,))


@pytest.mark.parametrize(
    ("price", "size", "ticks"),
    [
        ("0.5000", "1.00", 5_000),
        ("1.0000", "0.00", None),
        ("0.0000", "0.00", None),
        ("0.5000", "0.00", None),
        ("0.5000", None, 5_000),
        ("0.0000", None, None),
        ("1.0000", None, None),
        (None, "5.00", None),
    ],
)
def test_size_decides_whether_a_side_is_empty(price: str | None, size: str | None, ticks: int | None) -> None:
    message = TickerMessage(market_ticker="T", yes_ask_dollars=price, yes_ask_size_fp=size)
    assert frame_events.ticker_seen(message, 1).ask_ticks == ticks


@pytest.mark.parametrize(("result", "ticks"), [("yes", 10_000), ("no", 0), ("scalar", None), ("", None)])
def test_result_without_value(result: str, ticks: int | None) -> None:
    message = LifecycleMessage(event_type="determined", market_ticker="T", result=result)
    assert frame_events.determined_ticks(message) == ticks
