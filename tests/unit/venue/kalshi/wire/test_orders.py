"""Error bodies in each of the venue's shapes, and order bodies as texts."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.venue.kalshi.wire import orders


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            400,
            b'{"error":{"code":"invalid_price","message":"bad price","details":"off tick"}}',
            ("invalid_price", "bad price: off tick"),
        ),
        (404, b'{"error":{"code":"not_found","message":"not found"}}', ("not_found", "not found")),
        (400, b'{"code":"bad_request","message":"malformed"}', ("bad_request", "malformed")),
        (400, b'{"msg":"limit too large"}', ("http_400", "limit too large")),
        (429, b'{"error":"too many requests"}', ("rate_limited", "too many requests")),
        (500, b"", ("http_500", "")),
        (502, b"<html>bad gateway</html>", ("http_502", "<html>bad gateway</html>")),
        (400, b"[1]", ("http_400", "[1]")),
        (400, b'{"error":{}}', ("http_400", "")),
    ],
)
def test_error_body(status: int, body: bytes, expected: tuple[str, str]) -> None:
    assert orders.error_of(status, body) == expected


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_body_gives_a_code(status: int, body: bytes) -> None:
    code, text = orders.error_of(status, body)
    assert code
    assert len(text) <= 300


def test_order_body_leaves_absent_fields_out() -> None:
    body = orders.CreateOrder(
        ticker="T",
        side="bid",
        count="1.00",
        price="0.5000",
        time_in_force="immediate_or_cancel",
        self_trade_prevention_type=orders.TAKER_AT_CROSS,
    )
    assert json.loads(msgspec.json.encode(body)) == {
        "ticker": "T",
        "side": "bid",
        "count": "1.00",
        "price": "0.5000",
        "time_in_force": "immediate_or_cancel",
        "self_trade_prevention_type": "taker_at_cross",
    }


@pytest.mark.parametrize("field", ["count", "price"])
def test_number_where_text_belongs_is_refused(field: str) -> None:
    body = {
        "ticker": "T",
        "side": "bid",
        "count": "1.00",
        "price": "0.5000",
        "time_in_force": "immediate_or_cancel",
        "self_trade_prevention_type": "maker",
        field: 1,
    }
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(body), type=orders.CreateOrder)
