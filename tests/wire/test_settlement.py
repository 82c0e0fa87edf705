"""Settlement as clients see it, over REST and stream: which prints count, who wins a tie, when it is told and paid."""

from collections.abc import Mapping
from typing import Any

import pytest

from fairstrike.core.contract import Window
from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import parse_e8
from fairstrike.exchange.floor import FloorParams
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, QUARTER, RANGE, Client
from tests.unit.exchange.api.stream import Stream

CLOSE = CLOSE_NS // SECOND_NS
OPEN = CLOSE - 900
LIFECYCLE = "market_lifecycle_v2"
WINDOWS = [Window.BEFORE_CLOSE, Window.UP_TO_CLOSE]


def publish(client: Client, values: Mapping[int, str]) -> None:
    """Publish prints in order of their seconds, each at its own."""
    for second, value in sorted(values.items()):
        client.floor.publish_index("BTC", second, parse_e8(value), max(client.floor.now_ns, second * SECOND_NS))
    client.now_ns = client.floor.now_ns


def minute(before: int, value: str) -> dict[int, str]:
    """Sixty equal prints before a second."""
    return dict.fromkeys(range(before - 60, before), value)


def halves(before: int, low: str, high: str) -> dict[int, str]:
    """Sixty prints whose mean lies between two values."""
    return {second: low if second % 2 else high for second in range(before - 60, before)}


def settled(values: Mapping[int, str], window: Window = Window.BEFORE_CLOSE, target: str = "80000.00") -> Client:
    """A client whose markets are all paid; `target` is the 15-minute market's."""
    client = Client(floor=FloorParams(window=window))
    publish(client, dict.fromkeys(range(OPEN - 60, OPEN + 1), target))
    publish(client, values)
    client.now_ns = CLOSE_NS + 200 * SECOND_NS
    return client


def result(client: Client, ticker: str) -> tuple[str, str, str]:
    market = client.get(f"/markets/{ticker}")["market"]
    assert market["status"] == "finalized"
    return market["result"], market["settlement_value_dollars"], market["expiration_value"]


@pytest.mark.parametrize(
    ("window", "expected"),
    [(WINDOWS[0], ("yes", "1.0000", "80010.00")), (WINDOWS[1], ("no", "0.0000", "79990.00"))],
)
def test_sixty_prints_without_the_close_or_by_the_switch_with_it(
    window: Window, expected: tuple[str, str, str]
) -> None:
    prints = {**minute(CLOSE, "80000.00"), CLOSE - 60: "80600.00", CLOSE: "79400.00"}
    assert result(settled(prints, window), HOURLY) == expected
    assert result(settled(prints, window), QUARTER) == expected


@pytest.mark.parametrize("window", WINDOWS)
def test_the_quarter_hour_field_keeps_its_own_window(window: Window) -> None:
    client = Client(floor=FloorParams(window=window))
    stream = Stream(client)
    stream.subscribe("cfbenchmarks_value", index_ids=["BRTI"])
    publish(client, {**minute(CLOSE, "80000.00"), CLOSE - 60: "80600.00", CLOSE: "79400.00"})
    last = stream.frames()[-1]["msg"]
    assert last["last_60s_windowed_average_15min"] == {
        "value": "79990.00000000",
        "window_size": 60,
        "window_start_ts_ms": (CLOSE - 59) * 1_000,
        "window_end_ts_exclusive": (CLOSE + 1) * 1_000,
    }
    assert last["avg_60s_data"]["value"] == "80010.00000000"


@pytest.mark.parametrize(
    ("mean", "hourly", "between", "quarter"),
    [
        # Above 79 999.99 is strict; a range holds both of its ends; the 15-minute market's tie is YES.
        ("79999.98", "no", "no", "no"),
        ("79999.99", "no", "no", "no"),
        ("80000.00", "yes", "yes", "yes"),
        ("80099.99", "yes", "yes", "yes"),
        ("80100.00", "yes", "no", "yes"),
    ],
)
def test_who_wins_at_the_strike(mean: str, hourly: str, between: str, quarter: str) -> None:
    client = settled(minute(CLOSE, mean))
    assert [result(client, ticker)[0] for ticker in (HOURLY, RANGE, QUARTER)] == [hourly, between, quarter]
    assert {result(client, ticker)[2] for ticker in (HOURLY, RANGE, QUARTER)} == {mean}


def test_fifteen_minute_markets_round_before_they_compare_and_others_do_not() -> None:
    client = settled(halves(CLOSE, "79999.99", "80000.00"))
    # The mean is 79 999.995: more than 79 999.99, less than 80 000, and 80 000.00 to the cent.
    assert result(client, HOURLY) == ("yes", "1.0000", "80000.00")
    assert result(client, RANGE) == ("no", "0.0000", "80000.00")
    assert result(client, QUARTER) == ("yes", "1.0000", "80000.00")


def test_the_target_is_rounded_as_the_series_says() -> None:
    client = Client()
    publish(client, {**halves(OPEN, "79999.99", "80000.00"), OPEN: "90000.00"})
    client.now_ns += SECOND_NS
    market = client.get(f"/markets/{QUARTER}")["market"]
    assert (market["floor_strike"], market["custom_strike"]) == (80_000, {"round_digits": "2"})


@pytest.mark.parametrize("gap", [CLOSE - 60, CLOSE - 31, CLOSE - 1])
def test_one_missing_print_resolves_no(gap: int) -> None:
    prints = {second: value for second, value in minute(CLOSE, "80050.00").items() if second != gap}
    client = settled(prints)
    assert {result(client, ticker) for ticker in (HOURLY, RANGE, QUARTER)} == {("no", "0.0000", "")}


def lifecycle(client: Client, stream: Stream, ticker: str) -> list[tuple[str, int]]:
    """What is told of a market's end, with the seconds after its close that the frames speak of."""
    frames: list[dict[str, Any]] = [row["msg"] for row in stream.frames() if row["type"] == LIFECYCLE]
    named = [msg for msg in frames if msg["market_ticker"] == ticker and msg["event_type"] in ("determined", "settled")]
    return [(msg["event_type"], msg.get("determination_ts", msg.get("settled_ts", 0)) - CLOSE) for msg in named]


@pytest.mark.parametrize(("ticker", "determined_s", "timer_s"), [(HOURLY, 60, 60), (QUARTER, 5, 1)])
def test_the_timer_runs_from_determined_to_settled_and_money_comes_at_its_end(
    ticker: str, determined_s: int, timer_s: int
) -> None:
    client = Client()
    stream = Stream(client)
    stream.subscribe(LIFECYCLE)
    publish(client, {**minute(OPEN, "80000.00"), OPEN: "80000.00"})
    client.now_ns += SECOND_NS
    client.quote(Side.ASK, 5_000, 400, ticker)
    assert client.place(ticker=ticker, price="0.5000", count="4.00")[0] == 201
    publish(client, minute(CLOSE, "80050.00"))
    assert client.get(f"/markets/{ticker}")["market"]["settlement_timer_seconds"] == timer_s
    client.now_ns = CLOSE_NS + (determined_s + timer_s) * SECOND_NS - 1
    market = client.get(f"/markets/{ticker}")["market"]
    assert (market["status"], market["result"], market["expiration_value"]) == ("determined", "yes", "80050.00")
    before = float(client.get("/portfolio/balance")["balance_dollars"])
    assert client.get("/portfolio/settlements")["settlements"] == []
    client.now_ns += 1
    assert float(client.get("/portfolio/balance")["balance_dollars"]) == pytest.approx(before + 4.0, abs=1e-9)
    (row,) = client.get("/portfolio/settlements")["settlements"]
    assert (row["market_result"], row["revenue"], row["yes_count_fp"]) == ("yes", 400, "4.00")
    assert lifecycle(client, stream, ticker) == [("determined", determined_s), ("settled", determined_s + timer_s)]
