"""Frames survive being encoded and decoded; absent fields are absent."""

import json
from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from fairstrike.venue.kalshi.wire import stream

encode = msgspec.json.Encoder(decimal_format="number").encode

FRAMES: list[stream.Frame] = [
    stream.DeltaFrame(
        msg=stream.DeltaMessage(market_ticker="T", price_dollars="0.4300", delta_fp="-1.00", side="no", ts_ms=1),
        sid=1,
        seq=2,
    ),
    stream.SnapshotFrame(
        msg=stream.SnapshotMessage(market_ticker="T", yes_dollars_fp=(("0.0100", "5.00"),)), sid=1, seq=1, id=3
    ),
    stream.TickerFrame(msg=stream.TickerMessage(market_ticker="T", yes_bid_dollars="0.0000"), sid=2),
    stream.TradeFrame(
        msg=stream.TradeMessage(market_ticker="T", yes_price_dollars="0.5000", count_fp="1.00"), sid=3, seq=9
    ),
    stream.FillFrame(
        msg=stream.FillMessage(
            trade_id="t",
            order_id="o",
            market_ticker="T",
            book_side="bid",
            yes_price_dollars="0.5000",
            count_fp="1.00",
            fee_cost="0.000000",
            is_taker=False,
        )
    ),
    stream.UserOrderFrame(
        msg=stream.UserOrderMessage(
            order_id="o",
            ticker="T",
            status="resting",
            book_side="ask",
            yes_price_dollars="0.5000",
            fill_count_fp="0.00",
            remaining_count_fp="1.00",
        )
    ),
    stream.PositionFrame(msg=stream.PositionMessage(market_ticker="T", position_fp="-3.00")),
    stream.LifecycleFrame(
        msg=stream.LifecycleMessage(event_type="created", market_ticker="T", floor_strike=Decimal("53299.99"))
    ),
    stream.IndexFrame(msg=stream.IndexMessage(index_id="BRTI", data="{}")),
    stream.FastIndexFrame(
        msg=stream.FastIndexMessage(index_id="BRTI", value_usd=Decimal("85850.67"), source_ts_ms=1_790_000_000_200)
    ),
    stream.OrderGroupFrame(
        msg=stream.OrderGroupMessage(event_type="triggered", order_group_id="g", ts_ms=1), sid=9, seq=1
    ),
    stream.EventLifecycleFrame(msg=stream.EventLifecycleMessage(event_ticker="E", series_ticker="S"), sid=4, seq=2),
    stream.EventFeeFrame(
        msg=stream.EventFeeMessage(event_ticker="E", fee_multiplier_override=Decimal("0.5")), sid=4, seq=3
    ),
    stream.SubscribedFrame(msg=stream.SubscribedMessage(channel="ticker", sid=1), id=1),
    stream.OkFrame(msg=stream.OkMessage(market_tickers=("T",)), id=2, sid=1, seq=5),
    stream.UnsubscribedFrame(id=1, sid=2, seq=3),
    stream.ErrorFrame(msg=stream.ErrorMessage(code=9, msg="no"), id=4),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_frame_survives_the_wire(frame: stream.Frame) -> None:
    assert stream.decode_frame(encode(frame)) == frame


def test_every_kind_of_frame_is_known() -> None:
    kinds = {json.loads(encode(frame))["type"] for frame in FRAMES}
    assert kinds == stream.KNOWN_TYPES
    assert len(FRAMES) == len(get_args(stream.Frame))


def test_empty_side_and_absent_fields_are_absent() -> None:
    frame = stream.SnapshotFrame(msg=stream.SnapshotMessage(market_ticker="T"), sid=1, seq=1)
    assert json.loads(encode(frame)) == {
        "type": "orderbook_snapshot",
        "msg": {"market_ticker": "T"},
        "sid": 1,
        "seq": 1,
    }


def test_strikes_travel_as_numbers() -> None:
    assert b'"floor_strike":53299.99' in encode(FRAMES[7])


def test_list_of_subscriptions_is_an_ok_too() -> None:
    frame = stream.decode_frame(b'{"id":3,"type":"ok","msg":[{"channel":"ticker","sid":2}]}')
    assert frame == stream.OkFrame(id=3, msg=[stream.SubscribedMessage(channel="ticker", sid=2)])


def test_type_may_stand_last_and_unknown_fields_are_ignored() -> None:
    data = b'{"sending_ts_ms":5,"msg":{"market_ticker":"T","new":[{}]},"type":"ticker"}'
    assert stream.decode_frame(data) == stream.TickerFrame(msg=stream.TickerMessage(market_ticker="T"))


def test_unknown_type_is_no_frame_but_has_an_envelope() -> None:
    data = b'{"type":"event_fee_update","sid":4,"seq":7,"msg":[]}'
    with pytest.raises(msgspec.ValidationError):
        stream.decode_frame(data)
    assert stream.decode_envelope(data) == stream.Envelope(type="event_fee_update", sid=4, seq=7)


def test_index_data_travels_as_text() -> None:
    data = stream.IndexData(time=1_790_000_000_000, value=Decimal("85850.67"), id="BRTI")
    assert stream.decode_index_data('{"type":"value","id":"BRTI","time":1790000000000,"value":"85850.67"}') == data
