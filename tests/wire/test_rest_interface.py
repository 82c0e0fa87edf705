"""Every REST answer of the box is held against the venue's published interface.

Each operation of the interface is served, with examples of success and of its refusals here, or answers 501 and is
listed in the guide. Where observed facts contradict the interface the facts win; each such place is listed with its
reason, and a reason that is no longer needed is an error.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.exchange.api.budgets import BASIC
from fairstrike.exchange.api.call import BoxRequest
from fairstrike.exchange.api.dispatch import ROUTES
from fairstrike.exchange.api.unserved import UNSERVED
from fairstrike.exchange.box import BoxParams
from tests.conftest import REPOSITORY
from tests.unit.exchange.api.client import CLOSE_NS, HOURLY, QUARTER, RANGE, START_NS, Client, order_body
from tests.wire.published import REFUSAL, UNDECLARED, Interface, adapt, complaints, rest_document

ROOT = "/trade-api/v2"
GROUP, TRANSFER = "/portfolio/order_groups/{order_group_id}", "/portfolio/subaccounts/transfer"
ACROSS, ALLOCATION = "/portfolio/intra_exchange_instance_transfer", "/portfolio/target_balance_allocation"
GUIDE = REPOSITORY / "docs/guides/exchange.md"
ORDERS, GROUPED = "/portfolio/events/orders", "/portfolio/events/orders/batched"
DECREASE = "/portfolio/events/orders/{order_id}/decrease"
START, END = START_NS // SECOND_NS, CLOSE_NS // SECOND_NS
EVENT = "KXBTCD-26NOV2117"
SPAN = f"start_ts={START}&end_ts={END}&period_interval=1"


class Scene:
    """A client, and the ids of its orders (one rests, one is executed) and of its order group."""

    def __init__(self, params: BoxParams | None = None) -> None:
        self.client = Client(params or BoxParams(tier=None))
        self.ids = {"resting": "none", "executed": "none", "group": "none", "moved": "none"}

    def path(self, template: str, names: dict[str, str]) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self.ids.get(names[found[1]], names[found[1]]), template)


def moved(**changes: object) -> dict[str, object]:
    """The body of a good transfer, changed."""
    names = {"client_transfer_id": "2a0e3fc9-b593-4aa3-96e5-82f7f7566c2a", "from_subaccount": 0, "to_subaccount": 1}
    return {**names, "amount_cents": 100, "exchange_index": 2, **changes}


def across(**changes: object) -> dict[str, object]:
    """The body of a good transfer between shards, changed."""
    names = {"source": "event_contract", "destination": "event_contract", "amount": 10_000}
    return {**names, "source_exchange_shard": 2, "destination_exchange_shard": 0, **changes}


def allocated(*percents: int) -> dict[str, object]:
    """The body of a target allocation on the first shards."""
    return {"allocations": [{"exchange_index": shard, "percent": each} for shard, each in enumerate(percents)]}


def quiet() -> Scene:
    """Markets before any order."""
    return Scene()


def busy(params: BoxParams | None = None) -> Scene:
    """Fills on both sides, an order that rests, one that will expire, a group with an order, a subaccount."""
    scene = Scene(params)
    client = scene.client
    client.quote(Side.ASK, 5_000, 400)
    _, placed = client.place(count="4.00", client_order_id="one")
    scene.ids["executed"] = placed["order_id"]
    _, placed = client.place(side="ask", price="0.6000", count="3.00", client_order_id="two")
    scene.ids["resting"] = placed["order_id"]
    client.place(side="bid", price="0.2000", count="3.00", expiration_time=client.now_ns // SECOND_NS + 60)
    client.quote(Side.BID, 6_000, 100)
    _, made = client.call("POST", "/portfolio/order_groups/create", body={"contracts_limit": 5, "exchange_index": 2})
    scene.ids["group"] = made["order_group_id"]
    client.place(price="0.1000", order_group_id=made["order_group_id"])
    client.call("POST", "/portfolio/subaccounts")
    client.call("POST", TRANSFER, body=moved())
    scene.ids["moved"] = client.call("POST", ACROSS, body=across())[1]["transfer_id"]
    client.now_ns += 2 * MINUTE_NS
    return scene


def settled(params: BoxParams | None = None) -> Scene:
    """The same after the close, the result and the payment."""
    scene = busy(params)
    scene.client.publish_minute(END - 900, 80_000 * E8_PER_DOLLAR)
    scene.client.publish_minute(END, 80_100 * E8_PER_DOLLAR)
    scene.client.now_ns = CLOSE_NS + 200 * SECOND_NS
    return scene


def old() -> Scene:
    """The same when all of it is historical."""
    scene = settled(BoxParams(tier=None, live_tier_ns=MINUTE_NS))
    scene.client.now_ns = CLOSE_NS + 60 * MINUTE_NS
    return scene


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One request and the status it must have."""

    stage: Callable[[], Scene]
    method: str
    path: str
    names: dict[str, str] = {}
    query: str = ""
    body: Any = None
    status: int = 200

    def __str__(self) -> str:
        return f"{self.stage.__name__} {self.method} {self.path} {self.query[:40]} {self.status}"


def reads(path: str, query: str = "", *stages: Callable[[], Scene], **names: str) -> list[Case]:
    return [
        Case(stage=stage, method="GET", path=path, names=names, query=query)
        for stage in stages or (quiet, busy, settled, old)
    ]


def fails(status: int, method: str, path: str, query: str = "", body: Any = None, **names: str) -> list[Case]:
    return [Case(stage=busy, method=method, path=path, names=names, query=query, body=body, status=status)]


def writes(status: int, method: str, path: str, body: Any = None, query: str = "", **names: str) -> list[Case]:
    return [Case(stage=busy, method=method, path=path, names=names, query=query, body=body, status=status)]


PUBLIC = [
    *reads("/exchange/status"),
    *reads("/exchange/schedule"),
    *reads("/exchange/user_data_timestamp"),
    *reads("/account/endpoint_costs"),
    *reads("/series"),
    *reads("/series", "category=Crypto&tags=BTC&include_volume=true&include_product_metadata=true&min_updated_ts=1"),
    *reads("/series/fee_changes", "series_ticker=KXBTC&show_historical=true"),
    *reads("/series/{series_ticker}", "include_volume=true", series_ticker="KXBTC15M"),
    *fails(404, "GET", "/series/{series_ticker}", series_ticker="KXNONE"),
    *reads("/events"),
    *reads("/events", "with_nested_markets=true&with_milestones=true&status=open&limit=1"),
    *fails(400, "GET", "/events", "limit=201"),
    *reads("/events/fee_changes", f"event_ticker={EVENT}&limit=5"),
    *reads("/events/{event_ticker}", event_ticker=EVENT),
    *reads("/events/{event_ticker}", "with_nested_markets=true", event_ticker=EVENT),
    *fails(404, "GET", "/events/{event_ticker}", event_ticker="KXNONE"),
    *reads("/events/{event_ticker}/metadata", event_ticker=EVENT),
    *fails(404, "GET", "/events/{event_ticker}/metadata", event_ticker="KXNONE"),
    *reads("/markets"),
    *reads("/markets", "limit=1&mve_filter=exclude"),
    *fails(400, "GET", "/markets", "limit=1001"),
    *fails(400, "GET", "/markets", "min_close_ts=1&min_created_ts=1"),
    *(
        case
        for ticker in (HOURLY, RANGE, QUARTER)
        for case in reads("/markets/{ticker}", "", quiet, busy, settled, ticker=ticker)
    ),
    *fails(404, "GET", "/markets/{ticker}", ticker="KXNONE"),
    *reads("/markets/{ticker}/orderbook", "depth=2", quiet, busy, settled, ticker=HOURLY),
    *fails(404, "GET", "/markets/{ticker}/orderbook", ticker="KXNONE"),
    *reads("/markets/orderbooks", f"tickers={HOURLY}&tickers={RANGE}"),
    *fails(400, "GET", "/markets/orderbooks"),
    *reads("/markets/trades", f"ticker={HOURLY}&is_block_trade=false"),
    *fails(400, "GET", "/markets/trades", "limit=0"),
    *reads("/markets/candlesticks", f"market_tickers={HOURLY},{RANGE}&{SPAN}&include_latest_before_start=true"),
    *fails(400, "GET", "/markets/candlesticks", SPAN),
    *reads(
        "/series/{series_ticker}/markets/{ticker}/candlesticks",
        SPAN,
        quiet,
        busy,
        settled,
        series_ticker="KXBTCD",
        ticker=HOURLY,
    ),
    *fails(
        400, "GET", "/series/{series_ticker}/markets/{ticker}/candlesticks", "", series_ticker="KXBTCD", ticker=HOURLY
    ),
    *fails(
        404,
        "GET",
        "/series/{series_ticker}/markets/{ticker}/candlesticks",
        SPAN,
        series_ticker="KXBTCD",
        ticker="KXNONE",
    ),
    *reads(
        "/series/{series_ticker}/events/{ticker}/candlesticks",
        SPAN,
        quiet,
        busy,
        settled,
        series_ticker="KXBTCD",
        ticker=EVENT,
    ),
    *fails(
        400, "GET", "/series/{series_ticker}/events/{ticker}/candlesticks", "", series_ticker="KXBTCD", ticker=EVENT
    ),
    *fails(
        404,
        "GET",
        "/series/{series_ticker}/events/{ticker}/candlesticks",
        SPAN,
        series_ticker="KXBTCD",
        ticker="KXNONE",
    ),
    *reads("/events/multivariate", "limit=200&with_nested_markets=true"),
    *fails(400, "GET", "/events/multivariate", "limit=201"),
    *reads("/multivariate_event_collections", "limit=5"),
    *fails(400, "GET", "/multivariate_event_collections", "limit=0"),
    *reads("/incentive_programs", "limit=10000"),
    *fails(400, "GET", "/incentive_programs", "limit=10001"),
    *reads("/historical/cutoff"),
    *reads("/historical/markets"),
    *fails(400, "GET", "/historical/markets", "event_ticker=A&series_ticker=B"),
    *reads("/historical/markets/{ticker}", "", old, ticker=HOURLY),
    *fails(404, "GET", "/historical/markets/{ticker}", ticker=HOURLY),
    *reads("/historical/markets/{ticker}/candlesticks", SPAN, old, ticker=HOURLY),
    *fails(404, "GET", "/historical/markets/{ticker}/candlesticks", SPAN, ticker=HOURLY),
    *reads("/historical/trades"),
    *fails(400, "GET", "/historical/trades", "limit=1001"),
]

OWN_READS = [
    *reads("/account/limits"),
    *reads("/portfolio/balance"),
    *reads("/portfolio/balance", "exchange_index=2"),
    *fails(404, "GET", "/portfolio/balance", "exchange_index=1"),
    *reads("/portfolio/positions"),
    *reads("/portfolio/positions", "count_filter=position,total_traded&limit=1"),
    *fails(400, "GET", "/portfolio/positions", "limit=0"),
    *reads("/portfolio/fills"),
    *fails(400, "GET", "/portfolio/fills", "limit=0"),
    *reads("/portfolio/settlements"),
    *fails(400, "GET", "/portfolio/settlements", "limit=0"),
    *reads("/portfolio/orders"),
    *reads("/portfolio/orders", "status=resting&limit=1"),
    *fails(400, "GET", "/portfolio/orders", "status=open"),
    *reads("/portfolio/orders/{order_id}", "exchange_index=2", busy, settled, order_id="resting"),
    *fails(404, "GET", "/portfolio/orders/{order_id}", order_id="resting"),
    *reads("/historical/fills"),
    *fails(400, "GET", "/historical/fills", "limit=0"),
    *reads("/historical/orders"),
    *fails(400, "GET", "/historical/orders", "limit=0"),
]

SHARDS = "/portfolio/intra_exchange_instance_transfers"
OWN_READS += [
    *reads("/historical/positions", f"event_ticker={EVENT}&subaccount=0&limit=5"),
    *fails(400, "GET", "/historical/positions", "limit=0"),
    *reads("/portfolio/summary/total_resting_order_value"),
    *reads("/portfolio/subaccounts/netting"),
    *reads("/portfolio/target_balance_allocation"),
    *reads("/portfolio/deposits", "limit=5"),
    *fails(400, "GET", "/portfolio/deposits", "limit=501"),
    *reads("/portfolio/withdrawals", "limit=5"),
    *fails(400, "GET", "/portfolio/withdrawals", "limit=0"),
    *reads("/account/api_usage_level/volume_progress"),
    *reads("/api_keys"),
    *reads(SHARDS, "limit=1"),
    *fails(400, "GET", SHARDS, "limit=501"),
    *reads(f"{SHARDS}/{{transfer_id}}", "", busy, transfer_id="moved"),
    *fails(404, "GET", f"{SHARDS}/{{transfer_id}}", transfer_id="none"),
]

OWN_READS += [
    *reads("/portfolio/orders/queue_positions", f"market_tickers={HOURLY}&subaccount=0"),
    *fails(400, "GET", "/portfolio/orders/queue_positions", "subaccount=64"),
    *reads("/portfolio/orders/{order_id}/queue_position", "exchange_index=2", busy, order_id="resting"),
    *fails(404, "GET", "/portfolio/orders/{order_id}/queue_position", "exchange_index=2", order_id="executed"),
    *reads("/portfolio/order_groups"),
    *fails(400, "GET", "/portfolio/order_groups", "subaccount=-1"),
    *reads(GROUP, "subaccount=0", busy, settled, order_group_id="group"),
    *fails(404, "GET", GROUP, order_group_id="none"),
    *reads("/portfolio/subaccounts/balances"),
    *reads("/portfolio/subaccounts/transfers", "limit=1"),
]

AMEND = "/portfolio/events/orders/{order_id}/amend"
AMENDED = {"ticker": HOURLY, "side": "ask", "price": "0.6100", "count": "2.00"}
OWN_WRITES = [
    *writes(200, "POST", ACROSS, across()),
    *writes(200, "POST", ACROSS, across(client_transfer_id="3a0e3fc9-b593-4aa3-96e5-82f7f7566c2b")),
    *fails(400, "POST", ACROSS, body=across(client_transfer_id="no uuid")),
    *fails(400, "POST", ACROSS, body=across(destination="margined")),
    *fails(400, "POST", ACROSS, body=across(destination_exchange_shard=9)),
    *fails(400, "POST", ACROSS, body=across(amount=10**12)),
    *fails(404, "POST", ACROSS, body=across(source_exchange_shard=3)),
    *writes(200, "PUT", "/portfolio/subaccounts/netting", {"subaccount_number": 1, "enabled": True}),
    *fails(400, "PUT", "/portfolio/subaccounts/netting", body={"subaccount_number": 9, "enabled": True}),
    *writes(200, "POST", ALLOCATION, {"allocations": [], "resting_margin_reservation": "max"}),
    *writes(200, "POST", ALLOCATION, allocated(30, 70)),
    *fails(400, "POST", ALLOCATION, body=allocated(30, 60)),
    *fails(400, "POST", ALLOCATION, body={"allocations": [{"exchange_index": 9, "percent": 100}]}),
    *writes(200, "POST", AMEND, AMENDED, order_id="resting"),
    *writes(200, "POST", AMEND, {**AMENDED, "count": "3.00", "price": "0.6000"}, order_id="resting"),
    *writes(200, "POST", AMEND, {**AMENDED, "updated_client_order_id": "four"}, order_id="resting"),
    *fails(400, "POST", AMEND, body={**AMENDED, "side": "bid"}, order_id="resting"),
    *fails(404, "POST", AMEND, body=AMENDED, order_id="executed"),
    *writes(201, "POST", "/portfolio/order_groups/create", {"contracts_limit_fp": "5.00"}),
    *fails(400, "POST", "/portfolio/order_groups/create", body={"contracts_limit": 0}),
    *fails(400, "POST", "/portfolio/order_groups/create", body={}),
    *writes(200, "PUT", f"{GROUP}/reset", query="exchange_index=2", order_group_id="group"),
    *fails(404, "PUT", f"{GROUP}/reset", order_group_id="group"),
    *writes(200, "PUT", f"{GROUP}/trigger", query="exchange_index=2", order_group_id="group"),
    *fails(404, "PUT", f"{GROUP}/trigger", "exchange_index=2", order_group_id="none"),
    *writes(200, "PUT", f"{GROUP}/limit", {"contracts_limit": 7}, "exchange_index=2", order_group_id="group"),
    *fails(400, "PUT", f"{GROUP}/limit", "exchange_index=2", {}, order_group_id="group"),
    *fails(404, "PUT", f"{GROUP}/limit", "exchange_index=2", {"contracts_limit": 7}, order_group_id="none"),
    *writes(200, "DELETE", GROUP, query="exchange_index=2", order_group_id="group"),
    *fails(404, "DELETE", GROUP, "exchange_index=2", order_group_id="none"),
    *writes(201, "POST", "/portfolio/subaccounts"),
    *writes(200, "POST", TRANSFER, moved(client_transfer_id="3a0e3fc9-b593-4aa3-96e5-82f7f7566c2a")),
    *fails(400, "POST", TRANSFER, body=moved(client_transfer_id="no uuid")),
    *fails(
        404, "POST", TRANSFER, body=moved(exchange_index=1, client_transfer_id="4a0e3fc9-b593-4aa3-96e5-82f7f7566c2a")
    ),
    *writes(201, "POST", ORDERS, order_body(price="0.3000")),
    *writes(201, "POST", ORDERS, order_body(price="0.6500", time_in_force="immediate_or_cancel")),
    *writes(201, "POST", ORDERS, order_body(price="0.0100", post_only=True, client_order_id="three", exchange_index=2)),
    *fails(400, "POST", ORDERS, body=order_body(price="0.3050")),
    *fails(400, "POST", ORDERS, body=order_body(post_only=True, price="0.6000")),
    *fails(404, "POST", ORDERS, body=order_body(ticker="KXNONE")),
    *fails(409, "POST", ORDERS, body=order_body(client_order_id="one")),
    *fails(409, "POST", ORDERS, body=order_body(time_in_force="fill_or_kill", count="9999.00")),
    *writes(201, "POST", GROUPED, {"orders": [order_body(price="0.3000"), order_body(price="0.3050")]}),
    *fails(400, "POST", GROUPED, body={"orders": []}),
    *writes(200, "POST", DECREASE, {"reduce_by": "1.00", "exchange_index": 2}, order_id="resting"),
    *writes(200, "POST", DECREASE, {"reduce_to": "1.00", "market_ticker": HOURLY}, order_id="resting"),
    *fails(400, "POST", DECREASE, body={"exchange_index": 2}, order_id="resting"),
    *fails(404, "POST", DECREASE, body={"reduce_by": "1.00"}, order_id="resting"),
    *writes(200, "DELETE", f"{ORDERS}/{{order_id}}", query=f"market_ticker={HOURLY}", order_id="resting"),
    *fails(404, "DELETE", f"{ORDERS}/{{order_id}}", order_id="resting"),
    *fails(404, "DELETE", f"{ORDERS}/{{order_id}}", "exchange_index=2", order_id="executed"),
    *writes(200, "DELETE", GROUPED, {"orders": [{"order_id": "none"}]}),
    *fails(400, "DELETE", GROUPED, body={"orders": []}),
    *writes(204, "DELETE", ORDERS),
]

CASES = [*PUBLIC, *OWN_READS, *OWN_WRITES]
SERVED = sorted({(case.method, case.path) for case in CASES})


@pytest.fixture(scope="module")
def interface(shared_specs: Path) -> Interface:
    return Interface(rest_document(shared_specs))


def plain(path: str) -> str:
    """Give a path as the box's routes have it: no leading slash, "*" for each name."""
    return re.sub(r"\{\w+\}", "*", path).removeprefix("/")


def call(scene: Scene, case: Case) -> tuple[int, Any]:
    return scene.client.call(case.method, scene.path(case.path, case.names), case.query, case.body)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_answer_is_one_the_interface_knows(interface: Interface, case: Case) -> None:
    status, body = call(case.stage(), case)
    assert status == case.status, body
    if status >= 400:
        assert complaints(adapt(REFUSAL), {}, body) == []
        assert status in interface.statuses(case.method, case.path) | set(UNDECLARED)
    else:
        assert interface.complaints_of_request(case.method, case.path, case.body) == []
        assert interface.complaints_of_answer(case.method, case.path, status, body) == []


def test_every_operation_is_served_or_refused_by_name(interface: Interface) -> None:
    published = {(method, plain(path)) for method, path in interface.operations}
    routed = {(route.method, route.path) for route in ROUTES}
    refused = set(UNSERVED)
    retired = {(route.method, route.path) for route in ROUTES if route.run.__name__ == "deprecated"}
    shown = {(method, plain(path)) for method, path in SERVED}
    assert refused <= published, "the box refuses what the venue does not have"
    assert published - routed == set(), "forgotten: serve it, or list it as unserved"
    assert routed - retired - refused == shown, "every operation served has examples here"
    assert published == shown | refused


@pytest.mark.parametrize(("method", "path"), UNSERVED)
def test_what_is_not_served_says_so(method: str, path: str) -> None:
    answer = Client().send(BoxRequest(method=method, path=f"{ROOT}/{path.replace('*', 'some-name')}"))
    body = json.loads(answer.body)
    assert (answer.status, body["error"]["code"]) == (501, "not_implemented")
    assert body["error"]["details"] == f"{method} /{path.replace('*', 'some-name')}"
    assert complaints(adapt(REFUSAL), {}, body) == []


def test_the_guide_lists_every_operation() -> None:
    text = GUIDE.read_text("utf-8")
    served_part, _, unserved_part = text.partition("## Not served")
    listed = {
        (method, plain(path))
        for part in (served_part, unserved_part)
        for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[^`]*)`", part)
    }
    unserved = {
        (method, plain(path)) for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[^`]*)`", unserved_part)
    }
    assert unserved == set(UNSERVED)
    assert listed - unserved == {(method, plain(path)) for method, path in SERVED}


@pytest.mark.parametrize(("method", "path"), SERVED)
def test_who_must_sign_is_who_the_interface_says(interface: Interface, method: str, path: str) -> None:
    (route,) = [each for each in ROUTES if (each.method, each.path) == (method, plain(path))]
    assert route.is_signed == interface.is_signed(method, path)
    if route.is_signed:
        answer = Client().send(BoxRequest(method=method, path=ROOT + re.sub(r"\{\w+\}", "x", path)))
        assert answer.status == 401
        assert complaints(adapt(REFUSAL), {}, json.loads(answer.body)) == []
        assert 401 in interface.statuses(method, path)


@pytest.mark.parametrize(("method", "path"), SERVED)
def test_every_operation_is_refused_when_the_bucket_is_empty(method: str, path: str) -> None:
    case = next(each for each in CASES if (each.method, each.path) == (method, path) and each.status < 400)
    scene = busy(BoxParams(tier=BASIC))
    answers = [call(scene, case) for _ in range(101)]
    assert answers[-1] == (429, {"error": "too many requests"})


def wrong_parameters(interface: Interface) -> list[tuple[str, str, str]]:
    found = []
    for method, path in SERVED:
        case = next(each for each in CASES if (each.method, each.path) == (method, path) and each.status < 400)
        for name in sorted(interface.parameters(method, path)):
            kinds = [each for each in interface.operations[method, path]["parameters"] if each["name"] == name]
            if kinds[0]["schema"].get("type") not in ("integer", "boolean"):
                continue
            kept = "&".join(part for part in case.query.split("&") if part and not part.startswith(f"{name}="))
            status, _ = call(case.stage(), msgspec.structs.replace(case, query=f"{kept}&{name}=dance"))
            if status != 400:
                found.append((method, path, name))
    return found


def test_every_parameter_is_read(interface: Interface) -> None:
    """A number that is a word is refused wherever the interface has a number or a truth."""
    assert wrong_parameters(interface) == []
