"""What a market's structured fields mean, and when they mean nothing."""

import json

import msgspec
import pytest

from fairstrike.core.contract import CENT_GRID, TAPERED_GRID, Comparison, Contract
from fairstrike.core.errors import ArithmeticRefusal, ProtocolError
from fairstrike.core.fees import FeeSchedule
from fairstrike.venue.kalshi.wire import markets
from fairstrike.venue.kalshi.wire.markets import Market, Series, WireEvent, WireRange

RANGE = {
    "ticker": "KXBTC-26JUL1002-B53250",
    "event_ticker": "KXBTC-26JUL1002",
    "market_type": "binary",
    "status": "active",
    "strike_type": "between",
    "floor_strike": 53200,
    "cap_strike": 53299.99,
    "open_time": "2026-07-10T05:00:00Z",
    "close_time": "2026-07-10T06:00:00Z",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
}
UP_DOWN = {
    "ticker": "KXBTC15M-26JUL290015-15",
    "event_ticker": "KXBTC15M-26JUL290015",
    "status": "active",
    "strike_type": "greater_or_equal",
    "floor_strike": 63650.03,
    "custom_strike": {"round_digits": "2"},
    "open_time": "2026-07-29T04:00:00Z",
    "close_time": "2026-07-29T04:15:00Z",
    "exchange_index": 2,
    "price_ranges": [
        {"start": "0.0000", "end": "0.1000", "step": "0.0010"},
        {"start": "0.1000", "end": "0.9000", "step": "0.0100"},
        {"start": "0.9000", "end": "1.0000", "step": "0.0010"},
    ],
}


def contract(fields: dict[str, object], **changes: object) -> Contract | None:
    data = json.dumps({**fields, **changes}).encode()
    return markets.contract_of(msgspec.json.decode(data, type=Market))


def test_range_market() -> None:
    assert contract(RANGE) == Contract(
        ticker="KXBTC-26JUL1002-B53250",
        event_ticker="KXBTC-26JUL1002",
        series="KXBTC",
        asset="BTC",
        comparison=Comparison.BETWEEN,
        open_ns=1_783_659_600_000_000_000,
        close_ns=1_783_663_200_000_000_000,
        floor_e8=5_320_000_000_000,
        cap_e8=5_329_999_000_000,
        grid=CENT_GRID,
    )


def test_up_down_market() -> None:
    made = contract(UP_DOWN)
    assert made is not None
    assert (made.comparison, made.round_digits, made.exchange_index) == (Comparison.AT_LEAST, 2, 2)
    assert (made.floor_e8, made.cap_e8, made.grid) == (6_365_003_000_000, None, TAPERED_GRID)


@pytest.mark.parametrize(
    ("series", "kind", "comparison"),
    [
        ("KXBTCD", "greater", Comparison.ABOVE),
        ("KXETHD", "greater", Comparison.ABOVE),
        ("KXSOLE", "less", Comparison.BELOW),
        ("KXETH", "between", Comparison.BETWEEN),
        ("KXSOL15M", "greater_or_equal", Comparison.AT_LEAST),
    ],
)
def test_strike_type_decides(series: str, kind: str, comparison: Comparison) -> None:
    made = contract(RANGE, event_ticker=f"{series}-26JUL1002", strike_type=kind)
    assert made is not None
    assert made.comparison is comparison
    assert (made.floor_e8 is None) == (comparison is Comparison.BELOW)
    assert (made.cap_e8 is None) == (comparison in (Comparison.ABOVE, Comparison.AT_LEAST))


def test_strike_not_yet_published_is_none() -> None:
    made = contract(UP_DOWN, floor_strike=None)
    assert made is not None
    assert not made.is_struck


@pytest.mark.parametrize(
    "changes",
    [
        {"strike_type": None},
        {"strike_type": "less_or_equal"},
        {"strike_type": "custom"},
        {"strike_type": "structured"},
        {"event_ticker": "KXMLBGAME-26AUG07"},
        {"event_ticker": "KXXRP-26AUG07"},
        {"event_ticker": "KXBTCMAXY-26DEC31"},
        {"event_ticker": "KXBTCY-26DEC31"},
        {"event_ticker": "KXBTCMAX150-26DEC31"},
        {"market_type": "scalar"},
        {"floor_strike": -1},
        {"floor_strike": 0.000000001},
        {"floor_strike": 60_000},
        {"close_time": "2026-07-10T05:00:00Z"},
        {"close_time": "soon"},
        {"open_time": "2026-07-10T05:00:00"},
        {"custom_strike": {"round_digits": "two"}},
        {"custom_strike": {"round_digits": 9}},
        {"custom_strike": {"round_digits": -1}},
        {"price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0000"}]},
        {"price_ranges": [{"start": "1.0000", "end": "0.0000", "step": "0.0100"}]},
        {"price_ranges": [{"start": "0", "end": "2", "step": "0.01"}]},
    ],
    ids=str,
)
def test_unclear_market_is_none(changes: dict[str, object]) -> None:
    assert contract(RANGE, **changes) is None


@pytest.mark.parametrize("digits", ["2", 2, 0, "8"])
def test_round_digits_as_text_or_number(digits: object) -> None:
    made = contract(UP_DOWN, custom_strike={"round_digits": digits})
    assert made is not None
    assert made.round_digits == int(str(digits))


def test_other_custom_strikes_are_ignored() -> None:
    made = contract(RANGE, custom_strike={"football_team": "x"})
    assert made is not None
    assert made.round_digits is None


def test_grid_survives_the_wire() -> None:
    for grid in (CENT_GRID, TAPERED_GRID):
        assert markets.grid_of(markets.wire_ranges(grid)) == grid


def test_market_without_ranges_takes_whole_cents() -> None:
    assert markets.grid_of(()) == CENT_GRID


def test_range_without_step_is_no_grid() -> None:
    with pytest.raises(ArithmeticRefusal):
        markets.grid_of((WireRange(start="0", end="1", step="0"),))


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
