"""The catalogue as it is listed: events soonest first, strikes sorted, what is not understood, what is refused."""

from pathlib import Path

import msgspec
import pytest

from fairstrike.app import config, markets
from fairstrike.app.markets import Choices, Doubt, Wanted, catalogue
from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract, Timeframe
from fairstrike.core.errors import ConfigError, Unreachable, UsageError
from fairstrike.core.events import AskFailed, ContractListed, Event, TermsDoubted
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import HOUR_NS, MINUTE_NS, parse_rfc3339_ns

NOW = parse_rfc3339_ns("2026-07-10T00:22:00Z")
CLOSE = parse_rfc3339_ns("2026-07-10T01:00:00Z")
HOUR, QUARTER = "KXBTCD-26JUL0921", "KXBTC15M-26JUL092100"


def listed(event: str, strike: int | None, close_ns: int = CLOSE, length_ns: int = HOUR_NS) -> ContractListed:
    series = event.partition("-")[0]
    is_quarter = series.endswith("15M")
    made = Contract(
        ticker=f"{event}-{strike}",
        event_ticker=event,
        series=series,
        asset="BTC",
        comparison=Comparison.AT_LEAST if is_quarter else Comparison.ABOVE,
        open_ns=close_ns - (15 * MINUTE_NS if is_quarter else length_ns),
        close_ns=close_ns,
        floor_e8=None if strike is None else strike * 10**8,
    )
    made = msgspec.structs.replace(made, grid=TAPERED_GRID) if is_quarter else made
    return ContractListed(contract=made, schedule=FeeSchedule(), status="active", volume_24h_cc=1_250, recv_ns=NOW)


TOLD: dict[str, list[Event]] = {
    "KXBTCD": [
        listed("KXBTCD-26JUL1017", 60_000, CLOSE + 20 * HOUR_NS, 25 * HOUR_NS),
        listed("KXBTCD-26JUL0922", 60_000, CLOSE + HOUR_NS),
        listed(HOUR, 70_000),
        listed(HOUR, 60_000),
        listed("KXBTCD-26JUL0920", 60_000, NOW),
    ],
    "KXBTC15M": [listed(QUARTER, None)],
}
DOUBTED = TermsDoubted(tickers=("A", "B"), reason="its strike_type is 'custom'", is_left_out=True, recv_ns=NOW)
FAILED = AskFailed(what="markets", reason="404 not_found", recv_ns=NOW)


def asked(**changes: object) -> Wanted:
    return msgspec.convert({"environment": "prod", "events": 3, **changes}, Wanted)


def names(told: dict[str, list[Event]], **changes: object) -> list[str]:
    return [event.event_ticker for event in catalogue(asked(**changes), told, NOW).report.events]


def test_events_are_soonest_first_and_those_closed_are_left_out() -> None:
    assert names(TOLD) == [QUARTER, HOUR, "KXBTCD-26JUL0922", "KXBTCD-26JUL1017"]


def test_so_many_events_of_each_series() -> None:
    assert names(TOLD, events=1) == [QUARTER, HOUR]
    assert names(TOLD, events=0) == names(TOLD)
    assert names(TOLD, events=1, timeframes=["daily"]) == ["KXBTCD-26JUL1017"]
    assert names(TOLD, event=HOUR) == [HOUR]


def test_an_event_has_its_times_its_grid_and_its_markets_by_strike() -> None:
    quarter, hour = catalogue(asked(events=1), TOLD, NOW).report.events
    assert quarter.settlement_group == hour.settlement_group
    assert (hour.timeframe, hour.closes_at, hour.closes_in_new_york, hour.closes_in_s) == (
        Timeframe.HOURLY,
        "2026-07-10T01:00:00Z",
        "2026-07-09 21:00",
        2_280.0,
    )
    assert [market.floor_strike for market in hour.markets] == ["60000.00000000", "70000.00000000"]
    assert [(market.is_open, market.volume_24h) for market in hour.markets] == [(True, "12.50")] * 2
    assert [step.step for step in quarter.price_grid] == ["0.0010", "0.0100", "0.0010"]
    assert [(market.floor_strike, market.is_open) for market in quarter.markets] == [(None, False)]


def test_what_is_not_understood_and_what_could_not_be_read_are_told() -> None:
    report = catalogue(asked(), {**TOLD, "KXETH": [FAILED], "KXBTC": [DOUBTED]}, NOW).report
    assert report.doubts == (Doubt(tickers=("A", "B"), reason="its strike_type is 'custom'", is_left_out=True),)
    assert report.unread == {"KXETH": "404 not_found"}


def test_nothing_read_is_an_error() -> None:
    with pytest.raises(Unreachable, match="404 not_found"):
        catalogue(asked(), {"KXETH": [FAILED]}, NOW)


def test_an_event_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UsageError, match="there is no event 'KXBTCD-26JUL0923' to come"):
        catalogue(asked(event="KXBTCD-26JUL0923"), TOLD, NOW)


def test_what_is_left_open_is_everything_known() -> None:
    assert markets.wanted(Choices(events=3, env="prod")) == asked()
    assert markets.wanted(Choices(events=3, env="box")).series == config.observe_profile("box").rooms.engine.series
    assert markets.wanted(Choices(events=3, env="prod", event=QUARTER)).series == ("KXBTC15M",)


def test_settings_say_what_the_command_line_does_not(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('environment = "demo"\n[rooms.engine]\nseries = ["KXETHD"]\ntimeframes = ["daily"]\n')
    expected = asked(environment="demo", series=["KXETHD"], timeframes=["daily"])
    assert markets.wanted(Choices(events=3, config_file=path)) == expected
    said = Choices(events=3, config_file=path, env="prod", series=("KXBTC",), timeframes=(Timeframe.HOURLY,))
    assert markets.wanted(said) == asked(series=["KXBTC"], timeframes=["hourly"])


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Choices(events=-1, env="prod"), "--events -1 is below zero; give a number, 0 for all"),
        (Choices(events=3, env="prod", series=("KXBTCUD",)), "there is no series 'KXBTCUD'; known are KXBTC, "),
        (Choices(events=3, env="prod", event="moon"), "there is no series 'moon'; known are KXBTC, "),
    ],
)
def test_what_cannot_be_meant(said: Choices, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        markets.wanted(said)
    assert str(refused.value).startswith(sentence)


def test_settings_that_cannot_be_read() -> None:
    with pytest.raises(ConfigError):
        markets.wanted(Choices(events=3, config_file=Path("nowhere.toml")))
