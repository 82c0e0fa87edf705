"""Reference data on the wire: tick grids, assets, fee schedules."""

import json

import msgspec
import pytest

from fairstrike.core.contract import CENT_GRID, TAPERED_GRID
from fairstrike.core.errors import ArithmeticRefusal, ProtocolError
from fairstrike.core.fees import FeeSchedule
from fairstrike.venue.kalshi.wire import markets
from fairstrike.venue.kalshi.wire.markets import Market, Series, WireEvent, WireRange
from tests.unit.venue.kalshi.wire.test_terms import UP_DOWN


def test_market_without_ranges_takes_whole_cents() -> None:
    assert markets.grid_of(()) == CENT_GRID


CENTRES_AND_EDGES = {
    "linear_cent": ("0.0100", "0.0100"),
    "deci_cent": ("0.0010", "0.0010"),
    "tapered_deci_cent": ("0.0100", "0.0010"),
    "center_whole_edge_half_cent": ("0.0100", "0.0050"),
    "center_whole_edge_quint": ("0.0100", "0.0020"),
    "center_half_edge_half": ("0.0050", "0.0050"),
    "center_half_edge_quint": ("0.0050", "0.0020"),
    "center_half_edge_deci": ("0.0050", "0.0010"),
    "center_quint_edge_quint": ("0.0020", "0.0020"),
    "center_quint_edge_deci": ("0.0020", "0.0010"),
    "center_deci_edge_centi": ("0.0010", "0.0001"),
    "center_centi_edge_centi": ("0.0001", "0.0001"),
}


@pytest.mark.parametrize("name", CENTRES_AND_EDGES)
def test_every_structure_is_its_ranges(name: str) -> None:
    centre, edge = CENTRES_AND_EDGES[name]
    at = ("0.0000", "0.0100", "0.9900", "1.0000") if edge == "0.0001" else ("0.0000", "0.1000", "0.9000", "1.0000")
    steps = (edge, centre, edge)
    ranges = tuple(WireRange(start=at[i], end=at[i + 1], step=steps[i]) for i in range(3))
    grid = markets.grid_of(ranges)
    told = [(part.start_ticks, part.end_ticks, part.step_ticks) for part in grid]
    assert told == [(ticks(at[i]), ticks(at[i + 1]), ticks(steps[i])) for i in range(3)]
    assert name != "tapered_deci_cent" or grid == TAPERED_GRID


def ticks(dollars: str) -> int:
    return int(dollars.replace(".", ""))


@pytest.mark.parametrize(
    "ranges",
    [
        [("0", "1", "0")],
        [("0", "0", "0.01")],
        [("0", "1", "0.03")],
        [("0.01", "1", "0.01")],
        [("0", "0.99", "0.01")],
        [("0", "0.1", "0.01"), ("0.2", "1", "0.01")],
        [("0", "0.2", "0.01"), ("0.1", "1", "0.01")],
        [("0.5", "1", "0.01"), ("0", "0.5", "0.01")],
        [("0", "1", "-0.01")],
        [("0", "1", "much")],
    ],
)
def test_ranges_that_are_no_grid_are_refused(ranges: list[tuple[str, str, str]]) -> None:
    with pytest.raises(ArithmeticRefusal):
        markets.grid_of(tuple(WireRange(start=start, end=end, step=step) for start, end, step in ranges))


@pytest.mark.parametrize(
    ("series", "asset"),
    [
        ("KXBTC15M", "BTC"),
        ("KXETH", "ETH"),
        ("KXSOLE", "SOL"),
        ("KXDOGE", None),
        ("BTC", None),
        ("", None),
    ],
)
def test_asset_of_a_series(series: str, asset: str | None) -> None:
    assert markets.asset_of(series) == asset


def series(fee_type: str, multiplier: str) -> Series:
    data = f'{{"ticker":"KXBTC","fee_type":"{fee_type}","fee_multiplier":{multiplier}}}'
    return msgspec.json.decode(data, type=Series)


@pytest.mark.parametrize(
    ("fee_type", "multiplier", "maker_ppm", "multiplier_ppm"),
    [
        ("quadratic", "1", 0, 1_000_000),
        ("quadratic_with_maker_fees", "0.5", 17_500, 500_000),
        ("quadratic_with_combo_maker_fees", "1.25", 35_000, 1_250_000),
    ],
)
def test_fee_schedule(fee_type: str, multiplier: str, maker_ppm: int, multiplier_ppm: int) -> None:
    expected = FeeSchedule(taker_ppm=70_000, maker_ppm=maker_ppm, multiplier_ppm=multiplier_ppm)
    assert markets.fee_schedule_of(series(fee_type, multiplier)) == expected


def test_override_of_the_event_wins() -> None:
    text = (
        '{"event_ticker":"E","series_ticker":"KXBTC","fee_type_override":"quadratic_with_maker_fees",'
        '"fee_multiplier_override":0}'
    )
    event = msgspec.json.decode(text, type=WireEvent)
    schedule = markets.fee_schedule_of(series("quadratic", "1"), event)
    assert (schedule.maker_ppm, schedule.multiplier_ppm) == (17_500, 0)
    plain = WireEvent(event_ticker="E", series_ticker="KXBTC")
    assert markets.fee_schedule_of(series("quadratic", "1"), plain) == FeeSchedule()


def test_unknown_fee_type_is_refused() -> None:
    with pytest.raises(ProtocolError):
        markets.fee_schedule_of(series("flat", "1"))


def test_market_encodes_what_it_decoded() -> None:
    encoder = msgspec.json.Encoder(decimal_format="number")
    market = msgspec.json.decode(json.dumps(UP_DOWN), type=Market)
    data = encoder.encode(market)
    assert msgspec.json.decode(data, type=Market) == market
    assert json.loads(data)["floor_strike"] == 63650.03
