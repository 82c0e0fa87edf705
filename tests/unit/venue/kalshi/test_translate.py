"""What is sent for an order or a cancel, and what each kind of answer means."""

import json

import pytest

from fairstrike.core.effects import Ask, CancelOrder, SendOrder
from fairstrike.core.errors import Unreachable
from fairstrike.core.events import (
    BalanceRead,
    CancelAnswered,
    CancelFailed,
    Event,
    OrderAcked,
    OrderDoubted,
    OrderRejected,
)
from fairstrike.core.order import Side, TimeInForce
from fairstrike.venue.kalshi.translate import Carried, conversation, create_body
from fairstrike.venue.kalshi.wire.transport import Request, Response, Unanswered

ASKED, NOW = 1_000, 2_000
SEND = SendOrder(
    client_order_id="c",
    ticker="KXBTC15M-26AUG170100-00",
    side=Side.ASK,
    price_ticks=5_200,
    size_cc=1_050,
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    exchange_index=2,
    expire_ns=1_787_029_201_999_999_999,
)
IOC = SendOrder(
    client_order_id="c",
    ticker="T",
    side=Side.BID,
    price_ticks=10,
    size_cc=1,
    tif=TimeInForce.IOC,
    post_only=False,
    reduce_only=True,
    exchange_index=0,
    expire_ns=5_000_000_000,
)
CANCEL = CancelOrder(client_order_id="c", order_id="o/1", ticker="T 1", exchange_index=2)


def answered(effect: Carried, status: int, body: object) -> Event:
    """The one event of a conversation answered once."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    talk = conversation(effect, asked_ns=ASKED)
    next(talk)
    with pytest.raises(StopIteration) as end:
        talk.send(Response(status=status, body=data, recv_ns=NOW))
    (event,) = end.value.value
    assert isinstance(event, Event)
    return event


def unanswered(effect: Carried, error: Unreachable) -> Event:
    talk = conversation(effect, asked_ns=ASKED)
    next(talk)
    with pytest.raises(StopIteration) as end:
        talk.throw(error)
    (event,) = end.value.value
    assert isinstance(event, Event)
    return event


def test_resting_order_is_sent_as_texts_with_its_shard_and_pause() -> None:
    request = next(conversation(SEND, asked_ns=ASKED))
    assert (request.method, request.path, request.query) == ("POST", "/portfolio/events/orders", ())
    assert json.loads(request.body) == {
        "ticker": "KXBTC15M-26AUG170100-00",
        "client_order_id": "c",
        "side": "ask",
        "count": "10.50",
        "price": "0.5200",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        "expiration_time": 1_787_029_201,
        "post_only": True,
        "cancel_order_on_pause": True,
        "exchange_index": 2,
    }


def test_immediate_order_has_neither_expiry_nor_pause() -> None:
    assert json.loads(next(conversation(IOC, asked_ns=ASKED)).body) == {
        "ticker": "T",
        "client_order_id": "c",
        "side": "bid",
        "count": "0.01",
        "price": "0.0010",
        "time_in_force": "immediate_or_cancel",
        "self_trade_prevention_type": "taker_at_cross",
        "reduce_only": True,
        "exchange_index": 0,
    }
    assert create_body(IOC).expiration_time is None


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    ("effect", "filled", "remaining", "expected"),
    [
        (SEND, "0.00", "10.50", (0, 1_050)),
        (SEND, "3.00", "7.50", (300, 750)),
        (SEND, "0.00", "0.00", (0, 0)),
        (IOC, "0.00", "0.00", (0, 0)),
        (IOC, "0.00", "0.01", (0, 0)),
    ],
)
def test_taken_order_is_acked(
    status: int, effect: SendOrder, filled: str, remaining: str, expected: tuple[int, int]
) -> None:
    body = {"order_id": "o", "fill_count": filled, "remaining_count": remaining, "ts_ms": 7}
    assert answered(effect, status, body) == OrderAcked(
        client_order_id="c",
        order_id="o",
        filled_cc=expected[0],
        remaining_cc=expected[1],
        recv_ns=NOW,
        venue_ns=7_000_000,
    )


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (
            400,
            {"error": {"code": "invalid_order", "message": "invalid order", "details": "post only cross"}},
            "invalid_order",
            "invalid order: post only cross",
        ),
        (400, {"code": "bad_request", "message": "bad request"}, "bad_request", "bad request"),
        (400, {"msg": "no such parameter"}, "http_400", "no such parameter"),
        (429, {"error": "too many requests"}, "rate_limited", "too many requests"),
        (
            409,
            {"error": {"code": "fill_or_kill_insufficient_resting_volume", "message": "killed"}},
            "fill_or_kill_insufficient_resting_volume",
            "killed",
        ),
        (401, {"error": {"code": "authentication_error"}}, "authentication_error", ""),
        (403, b"<html>", "http_403", "<html>"),
    ],
)
def test_refused_order_is_rejected(status: int, body: object, code: str, message: str) -> None:
    expected = OrderRejected(client_order_id="c", code=code, message=message, recv_ns=NOW)
    assert answered(SEND, status, body) == expected


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": {"code": "internal"}}),
        (502, b"<html>"),
        (503, b""),
        (504, b"{"),
        (302, b""),
        (408, b""),
        (409, {"error": {"code": "order_already_exists", "message": "used"}}),
        (201, b"{"),
        (201, b""),
        (201, {"order_id": "o"}),
        (201, {"order_id": "o", "fill_count": "x", "remaining_count": "0.00"}),
        (201, {"order_id": "o", "fill_count": 1, "remaining_count": 0}),
    ],
)
def test_unusable_answer_to_an_order_is_doubt(status: int, body: object) -> None:
    event = answered(SEND, status, body)
    assert isinstance(event, OrderDoubted)
    assert event.recv_ns == NOW


def test_order_without_an_answer_is_doubt_from_when_it_was_given_up() -> None:
    expected = OrderDoubted(client_order_id="c", reason="reset", recv_ns=NOW)
    assert unanswered(SEND, Unanswered("reset", recv_ns=NOW)) == expected
    plain = OrderDoubted(client_order_id="c", reason="reset", recv_ns=ASKED)
    assert unanswered(SEND, Unreachable("reset")) == plain


def test_cancel_names_market_and_shard() -> None:
    assert next(conversation(CANCEL, asked_ns=ASKED)) == Request(
        method="DELETE",
        path="/portfolio/events/orders/o%2F1",
        query=(("market_ticker", "T 1"), ("exchange_index", "2")),
    )


def test_cancel_is_answered_with_what_it_took_off() -> None:
    body = {"order_id": "o", "reduced_by": "4.25", "ts_ms": 9}
    expected = CancelAnswered(client_order_id="c", reduced_cc=425, recv_ns=NOW, venue_ns=9_000_000)
    assert answered(CANCEL, 200, body) == expected


def test_cancel_of_an_order_that_is_gone_is_answered() -> None:
    body = {"error": {"code": "not_found", "message": "not found"}}
    assert answered(CANCEL, 404, body) == CancelAnswered(client_order_id="c", reduced_cc=0, recv_ns=NOW)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"error": {"code": "user_not_found"}}),
        (400, {"error": {"code": "market_inactive"}}),
        (429, {"error": "too many requests"}),
        (500, b""),
        (200, b"{}"),
        (200, {"order_id": "o", "reduced_by": "all"}),
    ],
)
def test_cancel_without_a_usable_answer_failed(status: int, body: object) -> None:
    assert isinstance(answered(CANCEL, status, body), CancelFailed)


def test_cancel_without_an_answer_failed() -> None:
    expected = CancelFailed(client_order_id="c", reason="reset", recv_ns=NOW)
    assert unanswered(CANCEL, Unanswered("reset", recv_ns=NOW)) == expected


def test_reads_are_conversations_too() -> None:
    event = answered(Ask(what="balance"), 200, {"balance": 123, "balance_dollars": "1.2345"})
    assert event == BalanceRead(balance_ud=1_234_500, recv_ns=NOW)
