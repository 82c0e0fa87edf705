"""The soonest events are followed, the next a little before their turn, those just closed a little longer."""

import pytest

from fairstrike.app.following import Params, followed
from fairstrike.core.contract import Comparison, Contract, Timeframe
from fairstrike.core.timing import HOUR_NS, MINUTE_NS, SECOND_NS

QUARTER_NS = 15 * MINUTE_NS


def window(number: int) -> Contract:
    return contract("KXBTC15M", f"Q{number}", number * QUARTER_NS, (number + 1) * QUARTER_NS)


def contract(series: str, ticker: str, open_ns: int, close_ns: int) -> Contract:
    return Contract(
        ticker=ticker,
        event_ticker=series,
        series=series,
        asset="BTC",
        comparison=Comparison.ABOVE,
        open_ns=open_ns,
        close_ns=close_ns,
    )


WINDOWS = [window(number) for number in range(4)]


@pytest.mark.parametrize(
    ("at_ns", "tickers"),
    [
        (0, ("Q0",)),
        (QUARTER_NS - MINUTE_NS - 1, ("Q0",)),
        (QUARTER_NS - MINUTE_NS, ("Q0", "Q1")),
        (QUARTER_NS, ("Q0", "Q1")),
        (QUARTER_NS + 10 * SECOND_NS - 1, ("Q0", "Q1")),
        (QUARTER_NS + 10 * SECOND_NS, ("Q1",)),
        (4 * QUARTER_NS + HOUR_NS, ()),
    ],
)
def test_windows_follow_each_other(at_ns: int, tickers: tuple[str, ...]) -> None:
    assert followed(WINDOWS, at_ns, Params(events=1)) == tickers


def test_every_series_has_its_own_soonest_event() -> None:
    strikes = [contract("KXBTCD", f"D{number}", 0, HOUR_NS) for number in range(3)]
    later = [contract("KXBTCD", "E", 0, 2 * HOUR_NS)]
    assert followed([*strikes, *later, *WINDOWS], MINUTE_NS, Params(events=1)) == ("Q0", "D0", "D1", "D2")
    assert followed([*later, *strikes], MINUTE_NS, Params(events=2)) == ("D0", "D1", "D2", "E")


def test_markets_of_other_timeframes_are_not_followed() -> None:
    hourly, daily = contract("KXBTCD", "H", 0, HOUR_NS), contract("KXBTCD", "D", -24 * HOUR_NS, HOUR_NS)
    members = [hourly, daily, *WINDOWS]
    assert followed(members, MINUTE_NS, Params(events=1, timeframes=(Timeframe.DAILY,))) == ("D",)
    assert followed(members, MINUTE_NS, Params(events=1, timeframes=(Timeframe.QUARTER_HOUR, Timeframe.HOURLY))) == (
        "Q0",
        "H",
    )
