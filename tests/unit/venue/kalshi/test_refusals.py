"""Every error body the venue is known to send becomes its own error, which says what to do."""

import json

import pytest

from fairstrike.core.errors import Refused, VenueError
from fairstrike.venue.kalshi import refusals
from fairstrike.venue.kalshi.refusals import VenueRefusal, refusal, refusal_of, stream_cure
from fairstrike.venue.kalshi.wire.transport import Response


def nested(code: str, details: str | None = None) -> bytes:
    return json.dumps({"error": {"code": code, "message": "words", "details": details}}).encode()


BODIES: tuple[tuple[type[VenueRefusal], int, bytes], ...] = (
    (refusals.KeyUnknown, 401, nested("authentication_error", "INVALID_PARAMETER")),
    (refusals.SignatureWrong, 401, nested("authentication_error", "INCORRECT_API_KEY_SIGNATURE")),
    (refusals.StampExpired, 401, nested("header_timestamp_expired")),
    (refusals.KeyRefused, 401, b"{}"),
    (refusals.PermissionMissing, 403, nested("forbidden")),
    (refusals.NotFound, 404, nested("not_found")),
    (refusals.AccountAbsent, 404, nested("user_not_found")),
    (refusals.RateLimited, 429, b'{"error":"too many requests"}'),
    (refusals.RequestInvalid, 400, b'{"msg":"limit is too large"}'),
    (refusals.RequestInvalid, 400, b'{"code":"bad_request","message":"malformed"}'),
    (refusals.RequestInvalid, 400, nested("invalid_UUID")),
    (refusals.OrderInvalid, 400, nested("invalid_order", "expired")),
    (refusals.PostOnlyCrossed, 400, nested("invalid_order", "post only cross")),
    (refusals.BalanceShort, 400, nested("insufficient_balance")),
    (refusals.BalanceShort, 400, nested("available_balance_too_low")),
    (refusals.PriceInvalid, 400, nested("invalid_price")),
    (refusals.SizeInvalid, 400, nested("invalid_order_size")),
    (refusals.OrderMismatched, 400, nested("order_side_mismatch")),
    (refusals.OrderMismatched, 400, nested("order_ticker_mismatch")),
    (refusals.OrderMismatched, 400, nested("order_id_and_client_order_id_mismatch")),
    (refusals.MarketInactive, 409, nested("market_inactive")),
    (refusals.OrderExists, 409, nested("order_already_exists")),
    (refusals.OrderUnfilled, 409, nested("fill_or_kill_insufficient_resting_volume")),
    (refusals.OrderUnfilled, 409, nested("immediate_or_cancel_insufficient_resting_volume")),
    (refusals.Conflicting, 409, nested("something_else")),
    (refusals.EndpointRetired, 410, nested("deprecated_v1_order_endpoint")),
    (refusals.NotServed, 501, nested("not_implemented")),
    (refusals.VenueDown, 500, b"<html>"),
    (refusals.VenueDown, 502, b""),
    (refusals.VenueDown, 503, b'{"exchange_active":false,"trading_active":false}'),
    (refusals.VenueDown, 504, b"\xff"),
    (VenueRefusal, 418, nested("teapot")),
)


@pytest.mark.parametrize(("kind", "status", "body"), BODIES)
def test_each_body_has_its_error(kind: type[VenueRefusal], status: int, body: bytes) -> None:
    error = refusal(Response(status=status, body=body))
    assert type(error) is kind
    assert error.status == status
    assert error.exit_code == VenueError.exit_code
    assert str(error) == f"the venue answered {error.told.removesuffix(': ')}; {kind.cure}"


def test_every_kind_has_a_cure_of_its_own_and_a_body() -> None:
    kinds = {kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, VenueRefusal)}
    assert {kind for kind, _, _ in BODIES} == kinds
    assert len({kind.cure for kind in kinds}) == len(kinds)


def test_an_item_of_a_batch_is_refused_alike() -> None:
    error = refusal_of(400, "invalid_order", "no: post only cross", "post only cross")
    assert type(error) is refusals.PostOnlyCrossed
    assert isinstance(error, Refused)
    assert error.told == "400 invalid_order: no: post only cross"


@pytest.mark.parametrize("code", [None, 0, 8, 9, 11, 25, 999])
def test_an_error_of_the_stream_has_a_cure(code: int | None) -> None:
    assert stream_cure(code)
    assert (stream_cure(code) == stream_cure(None)) is (code in (None, 0, 999))
