"""Who may call what, and what it costs. That bodies hold what the interface requires is tested at the wire."""

import json

import pytest

from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.exchange.api.budgets import BASIC
from fairstrike.exchange.api.call import BoxRequest
from fairstrike.exchange.api.dispatch import ROUTES
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import WALL_MS, Client, signed_headers

ROOT = "/trade-api/v2"
SIGNED = [(route.method, route.path.replace("*", "x")) for route in ROUTES if route.is_signed]


def test_public_reads_need_no_key() -> None:
    assert Client().send(BoxRequest(method="GET", path=f"{ROOT}/markets")).status == 200


@pytest.mark.parametrize(("method", "path"), SIGNED)
def test_everything_else_needs_one(method: str, path: str) -> None:
    answer = Client().send(BoxRequest(method=method, path=f"{ROOT}/{path}"))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (401, "authentication_error")


def test_refusals_of_keys_carry_code_and_details() -> None:
    client = Client()
    path = f"{ROOT}/portfolio/balance"
    wrong = signed_headers("POST", path)
    stale = signed_headers("GET", path, stamp_ms=WALL_MS - 60_000)
    answers = [client.send(BoxRequest(method="GET", path=path, headers=each)) for each in (wrong, stale)]
    assert [answer.status for answer in answers] == [401, 401]
    first, second = (json.loads(answer.body)["error"] for answer in answers)
    assert first["details"] == "INCORRECT_API_KEY_SIGNATURE"
    assert (second["code"], "details" in second) == ("header_timestamp_expired", False)


def test_a_bad_key_is_refused_on_public_reads_too() -> None:
    headers = signed_headers("GET", f"{ROOT}/markets", key="unknown")
    assert Client().send(BoxRequest(method="GET", path=f"{ROOT}/markets", headers=headers)).status == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/trade-api/v2/nowhere"),
        ("GET", "/markets"),
        ("GET", "/trade-api/v2"),
        ("GET", "/trade-api/v2/markets/"),
        ("PUT", "/trade-api/v2/markets"),
        ("GET", "/trade-api/v1/markets"),
    ],
)
def test_unknown_paths_are_404(method: str, path: str) -> None:
    answer = Client().send(BoxRequest(method=method, path=path))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (404, "not_found")


def test_reads_beyond_the_bucket_are_429_without_a_word_more() -> None:
    client = Client(BoxParams(tier=BASIC))
    statuses = [client.call("GET", "/portfolio/balance")[0] for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert client.call("GET", "/portfolio/balance")[1] == {"error": "too many requests"}
    client.now_ns += 50 * MILLISECOND_NS
    assert client.call("GET", "/portfolio/balance")[0] == 200
    assert client.call("GET", "/portfolio/balance", key="other-key")[0] == 200
