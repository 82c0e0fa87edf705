"""CF Benchmarks' frames. Source: docs.cfbenchmarks.com (before: blog.cfbenchmarks.com/websocket-api), WebSocket API
version 4: "Authentication", "Subscribe", "Value", "Command Errors"; the examples are the page's own. Of errors the page
says that the command comes back with a success flag and a reason."""

import base64

import msgspec
import pytest

from fairstrike.core.errors import CredentialError
from fairstrike.market.index import INDICES
from fairstrike.venue.spot.cfbenchmarks import CfBenchmarks, licence_of
from fairstrike.venue.spot.values import IndexTold, Unreadable
from tests.unit.venue.spot.samples import assert_garbage_is_refused

VALUE = b'{ "type": "value", "id": "BRTI", "value": "8835.56", "time": 1579264280000 }'


def licensed() -> CfBenchmarks:
    return CfBenchmarks("abc", "123", INDICES)


def test_the_handshake_carries_the_licence() -> None:
    venue = licensed()
    assert venue.url == "wss://www.cfbenchmarks.com/ws/v4"
    kind, _, credentials = venue.headers["Authorization"].partition(" ")
    assert (kind, base64.b64decode(credentials)) == ("Basic", b"abc:123")


def test_what_is_said_first() -> None:
    said = [msgspec.json.decode(one) for one in licensed().connected()]
    assert said[0] == {"type": "subscribe", "id": "BRTI", "stream": "value"}
    assert [one["id"] for one in said] == ["BRTI", "ETHUSD_RTI", "SOLUSD_RTI"]


def test_the_documented_value() -> None:
    (told,) = licensed().receive(VALUE)
    assert told == IndexTold(asset="BTC", value_e8=883_556_000_000, venue_ns=1_579_264_280_000_000_000)


def test_an_error_gives_its_reason() -> None:
    data = b'{"type": "subscribe", "id": "BRTI", "stream": "value", "success": false, "reason": "not entitled"}'
    assert licensed().receive(data) == [Unreadable(reason="cfbenchmarks: subscribe BRTI: not entitled")]


def test_other_indices_and_answers_are_nothing() -> None:
    assert licensed().receive(VALUE.replace(b"BRTI", b"BRR")) == []
    assert licensed().receive(b'{"type": "info", "streams": [{"id": "BRTI"}]}') == []


def test_garbage() -> None:
    assert_garbage_is_refused(licensed())


def test_a_licence_is_one_line_of_user_and_key() -> None:
    assert licence_of(b" somebody:key:with:colons \n") == ("somebody", "key:with:colons")


@pytest.mark.parametrize("data", [b"", b"user", b"user:", b":key", b"a:b\nc:d", b"a b:c", b"u\xff:key", b"u:k\x00"])
def test_anything_else_is_no_licence(data: bytes) -> None:
    with pytest.raises(CredentialError, match=r"^it is not one line of the form USER:KEY; write down what CF Bench"):
        licence_of(data)
