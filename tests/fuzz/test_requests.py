"""Generated requests to a served exchange: never a 500, never silence, no answer unheard of, no order lost.

Requests are made by schemathesis from the venue's published interface, and from a description made of our own routes,
so that the test means something where the interface is not at hand: some fit, some do not. Good names stand beside all
others, so that many requests reach the matching. The number of requests of each kind to each operation is
FAIRSTRIKE_CASES, 2 unless told.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from tests.fuzz.description import derived, published, with_words
from tests.fuzz.ledger import Ledger
from tests.fuzz.serving import ANSWER_SECONDS_MAX, Serving, Signed, serving
from tests.wire.published import REFUSAL, UNDECLARED, Interface, Schema, adapt, complaints

CASES = int(os.environ.get("FAIRSTRIKE_CASES") or 2)
ROOT = "/trade-api/v2"
WRITES = {"POST", "PUT", "DELETE"}
OPEN_SECONDS, TO_THE_END_SECONDS = 240.0, 1_200.0
ORDER, GROUP = "an-order-of-mine", "a-group-of-mine"
STATUSES = {200, 201, 204, 400, 401, 404, 409, 410}
_TAME = 5
BATCHES = {"/portfolio/events/orders/batched"}


class Attack:
    """The requests to one exchange, made from one description, and what was learnt from their answers."""

    def __init__(self, exchange: Serving, document: Schema, interface: Interface | None) -> None:
        self.exchange = exchange
        self.document = document
        self.interface = interface
        self.ledger = Ledger()
        self.statuses: set[int] = set()
        self.last = {ORDER: "none", GROUP: "none"}
        self._session = requests.Session()
        self._session.trust_env = False

    def run(self, *, cases: int, methods: set[str]) -> None:
        """Send so many requests that fit and that do not to each operation of these methods, after more tame ones."""
        words = self._words()
        tame, free = (
            schemathesis.openapi.from_dict(with_words(self.document, words, is_tame=is_tame))
            for is_tame in (True, False)
        )
        kinds = (
            (tame, GenerationMode.POSITIVE, _TAME * cases),
            (free, GenerationMode.POSITIVE, cases),
            (free, GenerationMode.NEGATIVE, cases),
        )
        for schema, mode, count in kinds:
            for found in schema.get_all_operations():
                assert isinstance(found, Ok), found
                operation = found.ok()
                plain = self.document["paths"][operation.path][operation.method]
                takes = "requestBody" in plain or any(each["in"] == "query" for each in plain.get("parameters", ()))
                if operation.method.upper() in methods and (takes or mode is GenerationMode.POSITIVE):
                    _send_some(count, self.send, operation.as_strategy(generation_mode=mode))
            self.exchange.step(0.5)

    def send(self, case: Case[Any]) -> None:
        """Send one request and judge its answer."""
        answer = case.call(
            base_url=self.exchange.announcement.rest,
            session=self._session,
            auth=Named(self.exchange.signed, self.last),
            timeout=ANSWER_SECONDS_MAX,
        )
        told = self._body(answer.status_code, answer.headers.get("content-type"), answer.content)
        self.statuses.add(answer.status_code)
        method, path = case.method.upper(), case.operation.path
        sent = _decoded(answer.request.body)
        self.ledger.note(method, answer.request.path_url.partition("?")[0], sent, answer.status_code, told)
        self._judge(method, path, answer.status_code, sent, told)
        if answer.status_code < 300 and isinstance(told, dict):
            self.last[ORDER] = told.get("order_id", self.last[ORDER])
            self.last[GROUP] = told.get("order_group_id", self.last[GROUP])

    def _body(self, status: int, content_type: list[str] | None, content: bytes) -> Any:
        if status == 204:
            assert content == b""
            return None
        assert content_type is not None
        assert content_type[0].startswith("application/json")
        return json.loads(content)

    def _judge(self, method: str, path: str, status: int, sent: Any, told: Any) -> None:
        assert status in STATUSES, told
        if status >= 400:
            assert complaints(adapt(REFUSAL), {}, told) == []
        if self.interface is not None:
            assert status in self.interface.statuses(method, path) | set(UNDECLARED) | {400}, told
            if status < 400:
                assert self.interface.complaints_of_answer(method, path, status, told) == []
        if not self._is_fitting(method, path, sent):
            is_row_refused = path in BATCHES and any("error" in row for row in told.get("orders", ()))
            assert status >= 400 or is_row_refused, (sent, told)

    def _is_fitting(self, method: str, path: str, sent: Any) -> bool:
        """Whether the body fits the description; fields that it does not list are the venue's to ignore."""
        body = self.document["paths"][path][method.lower()].get("requestBody")
        if body is None or (sent is None and not body.get("required", False)):
            return True
        schema = body["content"]["application/json"]["schema"] | {"components": self.document["components"]}
        return bool(Draft202012Validator(schema).is_valid(sent))

    def _words(self) -> dict[str, list[Any]]:
        markets = self.exchange.get("/markets", limit=1_000)["markets"]
        near = sorted(markets, key=lambda row: abs(float(row["yes_bid_dollars"] or 0) - 0.5))[:2]
        tickers = [row["ticker"] for row in (*near, markets[-1])]
        events = sorted({row["event_ticker"] for row in markets})
        series = [event.partition("-")[0] for event in events]
        now = int(self.exchange.state()["now_ns"]) // 10**9
        prices = ["0.0100", "0.4500", "0.9900", near[0]["yes_bid_dollars"], near[0]["yes_ask_dollars"]]
        words = {
            **dict.fromkeys(("ticker", "market_ticker"), tickers),
            **{name: [",".join(tickers)] for name in ("market_tickers", "tickers")},
            "event_ticker": events,
            "series_ticker": series,
            "order_id": [ORDER],
            "order_group_id": [None, GROUP],
            **{f"name{number}": [*tickers, *events, *series, ORDER, GROUP] for number in (1, 2)},
            "price": prices,
            "count": ["1.00", "0.50", "25.00"],
            "reduce_by": ["1.00", "0.01"],
            "reduce_to": ["1.00", "0.00"],
            "side": ["bid", "ask"],
            "time_in_force": ["good_till_canceled", "immediate_or_cancel", "fill_or_kill"],
            "self_trade_prevention_type": ["taker_at_cross", "maker"],
            "client_order_id": [None, "mine"],
            "expiration_time": [None],
            "post_only": [None],
            "reduce_only": [None],
            "exchange_index": [2],
            "subaccount": [0],
            "from_subaccount": [0],
            "to_subaccount": [1],
            "amount_cents": [1, 100],
            "client_transfer_id": ["2a0e3fc9-b593-4aa3-96e5-82f7f7566c2a"],
            "start_ts": [now - 600],
            "end_ts": [now],
            "period_interval": [1],
            "limit": [1, 1_000],
            "contracts_limit": [1_000],
        }
        return words


class Named(requests.auth.AuthBase):
    """Puts the last ids where the generated request has words for them, then signs."""

    def __init__(self, signed: Signed, last: dict[str, str]) -> None:
        self._signed = signed
        self._last = last

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body
        assert body is None or isinstance(body, str | bytes), "bodies are generated whole"
        body = body.encode() if isinstance(body, str) else body
        for word, value in self._last.items():
            request.url = (request.url or "").replace(word, value)
            body = body and body.replace(word.encode(), value.encode())
        request.body = body
        return self._signed(request)


def _send_some(cases: int, send: Callable[..., None], *strategies: SearchStrategy[Any]) -> None:
    # Only new cases: what was found depends on all requests before, so nothing is tried again to make it smaller.
    chosen = settings(max_examples=cases, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    chosen(given(*strategies)(send))()


def _decoded(body: object) -> Any:
    if not isinstance(body, str | bytes):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body


@pytest.mark.parametrize("source", ["published", "ours"])
def test_any_request_is_answered_and_no_order_is_lost(
    source: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    document, interface = derived(), None
    if source == "published":
        document = published(request.getfixturevalue("shared_specs"))
        interface = Interface(document)
    with serving(tmp_path) as exchange:
        exchange.step(OPEN_SECONDS)
        total_ud = exchange.state()["total_ud"]
        attack = Attack(exchange, document, interface)
        attack.run(cases=CASES, methods=WRITES)
        attack.run(cases=CASES, methods={"GET"})
        attack.ledger.check(exchange)
        assert len(attack.ledger.orders) > CASES, "some requests are orders that are accepted"
        assert {200, 201, 204, 400, 404, 409} <= attack.statuses
        exchange.step(TO_THE_END_SECONDS)
        attack.run(cases=1 + CASES // 4, methods={"GET"} | WRITES)
        attack.ledger.check(exchange)
        assert exchange.state()["total_ud"] == total_ud
        assert exchange.complaints == []


ORDER_PATH = f"{ROOT}/portfolio/events/orders"
BROKEN = [
    b"\x00",
    b"\xff\xfe",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"%",
    b"{" * 5_000,
    b"a" * 9_000,
    b"-1",
    b"0x10",
    b"chunked",
]


def damaged(data: bytes) -> SearchStrategy[bytes]:
    """The same with up to three pieces cut out, or replaced by what breaks readers."""
    place = st.integers(0, len(data))
    cut = st.tuples(place, st.integers(0, 12), st.one_of(st.sampled_from(BROKEN), st.binary(max_size=4)))

    def damage(cuts: list[tuple[int, int, bytes]]) -> bytes:
        made = data
        for start, length, instead in cuts:
            made = made[:start] + instead + made[start + length :]
        return made

    return st.lists(cut, max_size=3).map(damage)


def test_broken_bytes_are_refused_and_never_an_error_of_ours(tmp_path: Path) -> None:
    body = b'{"ticker":"KXNONE","side":"bid","count":"1.00","price":"0.5000","time_in_force":"fill_or_kill"}'

    with serving(tmp_path) as exchange:

        def talk(request: tuple[str, str, str], data: st.DataObject) -> None:
            method, path, more = request
            named = exchange.signed.headers(method, path) | {"Host": "127.0.0.1", "Content-Length": str(len(body))}
            head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
            whole = f"{method} {path} HTTP/1.1\r\n{head}{more}\r\n".encode() + body
            said = exchange.talk(data.draw(damaged(whole)), is_all=True)
            assert said == b"" or 400 <= int(said.split(b" ", 2)[1]) < 500 or b" 20" in said[:13], said
            assert exchange.complaints == []

        requests_made = st.tuples(
            st.sampled_from(["GET", "POST", "DELETE"]),
            st.sampled_from([ORDER_PATH, "/admin/clock", "/admin/state", "/trade-api/ws/v2"]),
            st.sampled_from(["", "Content-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\n"]),
        )
        _send_some(60 * CASES, talk, requests_made, st.data())
        assert exchange.get("/exchange/status")["trading_active"]
