"""Who may call what; and every body holds what the venue's published interface requires."""

import json
from pathlib import Path
from typing import Any

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.api.budgets import BASIC
from fairstrike.exchange.api.call import BoxRequest
from fairstrike.exchange.api.dispatch import ROUTES
from fairstrike.exchange.box import BoxParams
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, WALL_MS, Client, order_body, signed_headers

ROOT = "/trade-api/v2"
UUID_TEXT = "2a0e3fc9-b593-4aa3-96e5-82f7f7566c2a"
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


def resolve(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def missing(spec: dict[str, Any], schema: dict[str, Any], value: Any, place: str) -> list[str]:
    """Give what the published schema requires and `value` lacks or has in another type."""
    schema = resolve(spec, schema)
    if "anyOf" in schema:
        found = [missing(spec, each, value, place) for each in schema["anyOf"]]
        return min(found, key=len)
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    kind = schema.get("type")
    if kind and not isinstance(value, kinds[kind]):
        return [f"{place}: {value!r} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is none of {schema['enum']}"]
    if isinstance(value, list):
        return [
            each
            for n, item in enumerate(value)
            for each in missing(spec, schema.get("items", {}), item, f"{place}[{n}]")
        ]
    if not isinstance(value, dict):
        return []
    absent = [f"{place}.{name} is absent" for name in schema.get("required", ()) if name not in value]
    known = schema.get("properties", {})
    return absent + [
        each
        for name, item in value.items()
        if name in known
        for each in missing(spec, known[name], item, f"{place}.{name}")
    ]


def busy_client() -> Client:
    """A client with fills on both sides, a resting order, an expired one, a settlement behind it."""
    client = Client()
    client.quote(Side.ASK, 5_000, 400)
    client.place(count="6.00", client_order_id="one")
    client.place(side="ask", price="0.6000", count="3.00", expiration_time=client.now_ns // SECOND_NS + 60)
    client.quote(Side.BID, 6_000, 100)
    return client


READS = [
    ("/exchange/status", ""),
    ("/exchange/schedule", ""),
    ("/exchange/user_data_timestamp", ""),
    ("/account/limits", ""),
    ("/account/endpoint_costs", ""),
    ("/series", ""),
    ("/series/fee_changes", ""),
    ("/series/{series_ticker}", "KXBTCD"),
    ("/events", ""),
    ("/events/{event_ticker}", "KXBTCD-26NOV2117"),
    ("/markets", ""),
    ("/markets/orderbooks", ""),
    ("/markets/trades", ""),
    ("/markets/{ticker}", HOURLY),
    ("/markets/{ticker}/orderbook", HOURLY),
    ("/portfolio/balance", ""),
    ("/portfolio/positions", ""),
    ("/portfolio/fills", ""),
    ("/portfolio/orders", ""),
    ("/portfolio/settlements", ""),
    ("/portfolio/order_groups", ""),
    ("/portfolio/orders/queue_positions", ""),
    ("/portfolio/subaccounts/balances", ""),
    ("/portfolio/subaccounts/transfers", ""),
]


@pytest.fixture(scope="module")
def spec(shared_specs: Path) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads((shared_specs / "kalshi-rest-3.34.0.json").read_text("utf-8"))
    return decoded


def answer_schema(spec: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    content = spec["paths"][path][method]["responses"][str(status)]["content"]
    (shape,) = content.values()
    schema: dict[str, Any] = shape["schema"]
    return schema


@pytest.mark.parametrize(("path", "name"), READS)
@pytest.mark.parametrize("is_settled", [False, True])
def test_reads_hold_what_the_interface_requires(spec: dict[str, Any], path: str, name: str, is_settled: bool) -> None:
    client = busy_client()
    if is_settled:
        client.publish_minute(CLOSE_NS // SECOND_NS, 80_100 * E8_PER_DOLLAR)
        client.now_ns = CLOSE_NS + 200 * SECOND_NS
    query = f"tickers={HOURLY}" if path == "/markets/orderbooks" else ""
    concrete = path if not name else path[: path.index("{")] + name + path[path.index("}") + 1 :]
    body = client.get(concrete, query)
    assert missing(spec, answer_schema(spec, "get", path, 200), body, path) == []


def test_writes_hold_what_the_interface_requires(spec: dict[str, Any]) -> None:
    client = busy_client()
    path = "/portfolio/events/orders"
    _, placed = client.place(price="0.4000", count="2.00")
    batch = {"orders": [order_body(price="0.3000"), order_body(price="0.3050")]}
    _, placed_batch = client.call("POST", f"{path}/batched", body=batch)
    one = f"{path}/{placed['order_id']}"
    _, smaller = client.call("POST", f"{one}/decrease", body={"reduce_by": "1.00", "exchange_index": 2})
    order = client.get(f"/portfolio/orders/{placed['order_id']}", "exchange_index=2")
    changes = {"ticker": HOURLY, "side": "bid", "price": "0.4100", "count": "1.00"}
    _, amended = client.call("POST", f"{one}/amend", body=changes)
    _, cancelled = client.call("DELETE", one, "exchange_index=2")
    items = {"orders": [{"order_id": row.get("order_id", "none")} for row in placed_batch["orders"]]}
    _, cancelled_batch = client.call("DELETE", f"{path}/batched", body=items)
    checks = [
        ("post", path, 201, placed),
        ("post", f"{path}/batched", 201, placed_batch),
        ("post", f"{path}/{{order_id}}/decrease", 200, smaller),
        ("post", f"{path}/{{order_id}}/amend", 200, amended),
        ("get", "/portfolio/orders/{order_id}", 200, order),
        ("delete", f"{path}/{{order_id}}", 200, cancelled),
        ("delete", f"{path}/batched", 200, cancelled_batch),
    ]
    for method, place, status, body in checks:
        assert missing(spec, answer_schema(spec, method, place, status), body, place) == []


def test_the_check_itself_can_complain(spec: dict[str, Any]) -> None:
    body = busy_client().get("/portfolio/balance")
    del body["balance_dollars"]
    body["balance"] = "10000"
    schema = answer_schema(spec, "get", "/portfolio/balance", 200)
    assert len(missing(spec, schema, body, "balance")) == 2


def test_groups_and_subaccounts_hold_what_the_interface_requires(spec: dict[str, Any]) -> None:
    client = busy_client()
    groups, accounts = "/portfolio/order_groups", "/portfolio/subaccounts"
    _, made = client.call("POST", f"{groups}/create", body={"contracts_limit": 5, "exchange_index": 2})
    client.place(price="0.3000", order_group_id=made["order_group_id"])
    _, opened = client.call("POST", accounts)
    moved = {"client_transfer_id": UUID_TEXT, "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 100}
    client.call("POST", f"{accounts}/transfer", body={**moved, "exchange_index": 2})
    checks = [
        ("post", f"{groups}/create", 201, made),
        ("get", groups, 200, client.get(groups)),
        ("get", f"{groups}/{{order_group_id}}", 200, client.get(f"{groups}/{made['order_group_id']}")),
        ("post", accounts, 201, opened),
        ("get", f"{accounts}/balances", 200, client.get(f"{accounts}/balances")),
        ("get", f"{accounts}/transfers", 200, client.get(f"{accounts}/transfers")),
        ("get", "/portfolio/orders/queue_positions", 200, client.get("/portfolio/orders/queue_positions")),
    ]
    assert checks[-1][3]["queue_positions"]
    for method, place, status, body in checks:
        assert missing(spec, answer_schema(spec, method, place, status), body, place) == []
