"""Every kind of fault, seen by a client of the pure box: its answers, its frames, its markets and its money."""

import json
from itertools import pairwise
from typing import Any

import pytest

from fairstrike.core.errors import ConfigError
from fairstrike.core.order import Side
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR, UD_PER_DOLLAR
from fairstrike.exchange import faults as of
from fairstrike.exchange.api.call import BoxRequest, BoxResponse
from fairstrike.exchange.floor import ShardState
from fairstrike.exchange.mishaps import PLAIN, Course, Ending
from tests.unit.exchange.api.client import (
    CLOSE_NS,
    HOURLY,
    QUARTER,
    RANGE,
    START_NS,
    WALL_MS,
    Client,
    order_body,
    signed_headers,
)

ORDERS = "/trade-api/v2/portfolio/events/orders"
BALANCE = "/trade-api/v2/portfolio/balance"
STREAM = "/trade-api/ws/v2"


class Patient(Client):
    """A client whose requests take their course, with one open stream."""

    def __init__(self, *faults: of.Fault) -> None:
        super().__init__()
        self.connection = self.connect()
        for fault in faults:
            self.box.add_fault(fault, self.now_ns)

    def connect(self, key: str = "client-key") -> int:
        connection = self.box.connect(signed_headers("GET", STREAM, key), WALL_MS)
        assert isinstance(connection, int)
        return connection

    def ask(self, method: str, path: str, body: object = None) -> tuple[Course, BoxResponse | None]:
        request = BoxRequest(
            method=method,
            path=path,
            headers=signed_headers(method, path),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        course = self.box.course(request, self.now_ns)
        self.now_ns += course.there_ns
        answer = self.box.reply(request, course, self.now_ns, WALL_MS)
        self.now_ns += course.back_ns
        return course, answer

    def statuses(self, number: int, method: str = "GET", path: str = BALANCE, body: object = None) -> list[int]:
        answers = [self.ask(method, path, body)[1] for _ in range(number)]
        return [0 if answer is None else answer.status for answer in answers]

    def subscribe(self, *channels: str) -> None:
        params = {"channels": channels, "market_tickers": [HOURLY, RANGE, QUARTER]}
        said = json.dumps({"id": 1, "cmd": "subscribe", "params": params}).encode()
        self.box.command(self.connection, said, self.now_ns)
        self.heard()

    def heard(self, after_ns: int = 0) -> list[Any]:
        self.now_ns += after_ns
        self.box.advance(self.now_ns)
        return [json.loads(frame) for frame in self.box.frames(self.connection)]

    def prices(self, after_ns: int = 0) -> list[str]:
        return [frame["msg"]["price_dollars"] for frame in self.heard(after_ns)]

    def change(self, *cents: int, ticker: str = HOURLY) -> None:
        for cent in cents:
            self.quote(Side.BID, cent * 100, 100, ticker)

    def rest(self) -> list[str]:
        return [order.ticker for order in self.floor.orders("client") if order.remaining_cc]


def test_without_faults_requests_take_the_plain_course() -> None:
    client = Patient()
    course, answer = client.ask("GET", BALANCE)
    assert course is PLAIN
    assert answer is not None
    assert answer.status == 200


# Requests


def test_latency_delays_the_way_there_or_back() -> None:
    client = Patient(
        of.Latency(ms=250, path="/portfolio/*"),
        of.Latency(law="uniform", ms=10, spread_ms=20, leg="answer"),
    )
    backs_ns = []
    for _ in range(50):
        course, answer = client.ask("GET", BALANCE)
        assert answer is not None
        assert course.there_ns == 250 * MILLISECOND_NS
        backs_ns.append(course.back_ns)
    assert 10 * MILLISECOND_NS <= min(backs_ns) < max(backs_ns) <= 30 * MILLISECOND_NS
    assert client.ask("GET", "/trade-api/v2/exchange/status")[0].there_ns == 0


def test_exponential_latency_has_its_mean() -> None:
    client = Patient(of.Latency(law="exponential", ms=100, spread_ms=50))
    waits = [client.ask("GET", BALANCE)[0].there_ns for _ in range(2_000)]
    assert min(waits) >= 100 * MILLISECOND_NS
    assert abs(sum(waits) / len(waits) / MILLISECOND_NS - 150) < 5


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("is_done", [False, True])
def test_a_server_error_hides_whether_the_order_was_taken(status: Any, is_done: bool) -> None:
    client = Patient(of.ServerError(status=status, is_done=is_done, method="POST", count=1))
    assert client.statuses(1, "POST", ORDERS, order_body()) == [status]
    assert len(client.floor.orders("client")) == is_done
    assert client.statuses(1, "POST", ORDERS, order_body(client_order_id="second")) == [201]


def test_429_comes_with_and_without_its_header() -> None:
    client = Patient(of.RateLimited(count=1), of.RateLimited(retry_after_s=3, count=1))
    answers = [client.ask("GET", BALANCE)[1] for _ in range(3)]
    assert [answer and (answer.status, dict(answer.headers)) for answer in answers] == [
        (429, {}),
        (429, {"Retry-After": "3"}),
        (200, {}),
    ]


@pytest.mark.parametrize("is_done", [False, True])
def test_a_timeout_gives_no_answer(is_done: bool) -> None:
    client = Patient(of.Timeout(path="/portfolio/events/orders", market=HOURLY, is_done=is_done))
    assert client.statuses(1, "POST", ORDERS, order_body()) == [0]
    assert len(client.floor.orders("client")) == is_done
    assert client.statuses(1, "POST", ORDERS, order_body(ticker=RANGE, client_order_id="r")) == [201]


def test_a_late_request_finds_a_later_world() -> None:
    client = Patient(of.Latency(ms=12_000, method="POST"))
    client.ask("POST", ORDERS, order_body())
    assert client.floor.orders("client")[0].created_ns == START_NS + 12 * SECOND_NS


def test_an_answer_is_cut_or_malformed() -> None:
    client = Patient(of.CutAnswer(count=1), of.MalformedAnswer(count=1))
    course, answer = client.ask("POST", ORDERS, order_body())
    assert course.ending is Ending.CUT
    assert answer is not None
    course, answer = client.ask("POST", ORDERS, order_body(client_order_id="second"))
    assert answer is not None
    assert answer.status == 201
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)
    assert len(client.floor.orders("client")) == 2


def test_a_right_signature_is_refused() -> None:
    client = Patient(of.SignatureRefused(account="client"))
    _, answer = client.ask("GET", BALANCE)
    assert answer is not None
    assert (answer.status, json.loads(answer.body)["error"]["details"]) == (401, "INCORRECT_API_KEY_SIGNATURE")
    assert isinstance(client.box.connect(signed_headers("GET", STREAM), WALL_MS), BoxResponse)
    client.connect("other-key")


@pytest.mark.parametrize(("ms", "status"), [(14_000, 200), (16_000, 401), (-16_000, 401)])
def test_a_skewed_clock_judges_signatures(ms: int, status: int) -> None:
    client = Patient(of.ClockSkew(ms=ms, duration_s=5))
    assert client.statuses(1) == [status]
    assert client.box.skew_ms() == ms
    client.now_ns += 5 * SECOND_NS
    assert client.statuses(1) == [200]


def test_probability_and_count_bound_the_strikes() -> None:
    client = Patient(of.ServerError(probability=0.3), of.RateLimited(count=4))
    statuses = client.statuses(100)
    assert statuses.count(429) == 4
    assert 15 < statuses.count(503) < 45
    assert client.box.struck() == {"server_error": statuses.count(503), "rate_limited": 4}
    assert statuses == Patient(of.ServerError(probability=0.3), of.RateLimited(count=4)).statuses(100)


def test_a_fault_is_in_force_from_its_start_for_its_duration() -> None:
    client = Patient(of.ServerError(at_s=10, duration_s=5))
    seen = []
    for second in (0, 9, 10, 14, 15):
        client.now_ns = START_NS + second * SECOND_NS
        seen += client.statuses(1)
    assert seen == [200, 200, 503, 503, 200]


# The stream


def test_frames_are_dropped_and_leave_a_gap() -> None:
    client = Patient()
    client.subscribe("orderbook_delta")
    client.box.add_fault(of.DropFrame(channel="orderbook_delta", market=HOURLY, count=1), client.now_ns)
    client.change(10, ticker=RANGE)
    client.change(11, 12)
    first, second = client.heard()
    assert (first["msg"]["market_ticker"], second["msg"]["price_dollars"]) == (RANGE, "0.1200")
    assert second["seq"] == first["seq"] + 2


def test_frames_are_duplicated_and_reordered() -> None:
    client = Patient()
    client.subscribe("orderbook_delta")
    client.box.add_fault(of.DuplicateFrame(count=1), client.now_ns)
    client.change(11, 12)
    assert client.prices() == ["0.1100", "0.1100", "0.1200"]
    client.box.add_fault(of.ReorderFrame(count=1), client.now_ns)
    client.change(13, 14, 15)
    assert client.prices() == ["0.1400", "0.1300", "0.1500"]


def test_the_numbers_jump_and_stay_jumped() -> None:
    client = Patient()
    client.subscribe("orderbook_delta")
    client.change(10)
    (before,) = client.heard()
    client.box.add_fault(of.SequenceGap(size=7, count=1), client.now_ns)
    client.change(11, 12)
    assert [frame["seq"] - before["seq"] for frame in client.heard()] == [8, 9]


def test_a_frame_is_cut_in_half() -> None:
    client = Patient()
    client.subscribe("orderbook_delta")
    client.box.add_fault(of.MalformedFrame(count=1), client.now_ns)
    client.change(10)
    client.box.advance(client.now_ns)
    (frame,) = client.box.frames(client.connection)
    with pytest.raises(json.JSONDecodeError):
        json.loads(frame)


def test_late_frames_keep_their_order() -> None:
    client = Patient()
    client.subscribe("orderbook_delta")
    client.box.add_fault(of.StreamLatency(ms=500, count=1), client.now_ns)
    client.change(10, 11)
    assert client.prices() == []
    assert client.prices(499 * MILLISECOND_NS) == []
    assert client.box.next_due_ns() == START_NS + 500 * MILLISECOND_NS
    client.change(12)
    assert client.prices(MILLISECOND_NS) == ["0.1000", "0.1100", "0.1200"]


def buy_once(client: Patient) -> list[str]:
    client.subscribe("fill", "user_orders")
    client.quote(Side.ASK, 5_200, 1_000)
    client.ask("POST", ORDERS, order_body())
    return [frame["type"] for frame in client.heard()]


def test_fills_are_told_late_and_twice() -> None:
    client = Patient(of.LateFill(ms=3_000))
    assert "fill" not in buy_once(client)
    assert [frame["type"] for frame in client.heard(3 * SECOND_NS)] == ["fill"]
    twice = buy_once(Patient(of.DuplicateFill(account="client")))
    assert twice.count("fill") == 2
    assert buy_once(Patient(of.DuplicateFill(account="other"))).count("fill") == 1


def test_a_silent_stream_loses_what_was_due() -> None:
    client = Patient()
    client.subscribe("orderbook_delta")
    client.box.add_fault(of.SilentStream(duration_s=10), client.now_ns)
    client.change(10)
    assert client.heard(9 * SECOND_NS) == []
    client.now_ns += SECOND_NS
    client.box.advance(client.now_ns)
    client.change(11)
    (after,) = client.heard()
    assert after["msg"]["price_dollars"] == "0.1100"
    assert not client.box.is_lost(client.connection)


def test_a_storm_cuts_every_connection_every_while() -> None:
    client = Patient(of.Disconnect(at_s=5, count=3, every_s=2, account="client"))
    other = client.connect("other-key")
    cuts = []
    for second in range(12):
        client.heard(SECOND_NS)
        if client.box.is_lost(client.connection):
            cuts.append(second + 1)
            client.box.disconnect(client.connection)
            client.connection = client.connect()
    assert cuts == [5, 7, 9]
    assert not client.box.is_lost(other)


# The exchange


@pytest.mark.parametrize("is_trading_only", [True, False])
def test_an_exchange_pause_ends_by_itself(is_trading_only: bool) -> None:
    client = Patient(of.ExchangePause(at_s=10, duration_s=10, is_trading_only=is_trading_only))
    _, placed = client.place()
    client.now_ns += 10 * SECOND_NS
    assert client.place(client_order_id="second")[0] >= 400
    status, _ = client.call("DELETE", f"/portfolio/events/orders/{placed['order_id']}", "exchange_index=2")
    assert (status == 200) is is_trading_only
    client.now_ns += 10 * SECOND_NS
    assert client.place(client_order_id="third")[0] == 201


def test_the_worst_of_two_pauses_holds_until_it_is_taken_back() -> None:
    client = Patient(of.ExchangePause(duration_s=30), of.ExchangePause(duration_s=60, is_trading_only=True))
    assert client.floor.shard_state(2) is ShardState.EXCHANGE_PAUSED
    client.heard(30 * SECOND_NS)
    assert client.floor.shard_state(2) is ShardState.TRADING_PAUSED
    assert client.box.remove_fault(2, client.now_ns)
    assert client.floor.shard_state(2) is ShardState.OPEN
    assert not client.box.remove_fault(2, client.now_ns)


def test_a_market_pause_cancels_what_rested_when_it_ends() -> None:
    client = Patient()
    client.place()
    client.place(ticker=RANGE, client_order_id="other market")
    client.box.add_fault(of.MarketPause(market=HOURLY, duration_s=5), client.now_ns)
    assert client.place(client_order_id="second")[0] >= 400
    assert client.rest() == [HOURLY, RANGE]
    client.heard(5 * SECOND_NS)
    assert client.rest() == [RANGE]
    assert client.place(client_order_id="third")[0] == 201


def test_maintenance_pauses_all_and_cuts_streams() -> None:
    client = Patient(of.Maintenance(duration_s=60))
    assert client.box.is_lost(client.connection)
    assert {client.floor.shard_state(shard) for shard in range(4)} == {ShardState.TRADING_PAUSED}
    assert client.statuses(1) == [200]
    client.heard(60 * SECOND_NS)
    assert client.floor.shard_state(2) is ShardState.OPEN


def test_maintenance_that_takes_everything_down() -> None:
    client = Patient(of.Maintenance(is_down=True, duration_s=60))
    assert client.statuses(1) == [503]
    refused = client.box.connect(signed_headers("GET", STREAM), WALL_MS)
    assert isinstance(refused, BoxResponse)
    assert refused.status == 503


def test_a_correction_waits_for_the_settlement_and_moves_the_money() -> None:
    client = Patient(of.SettlementCorrection(market=HOURLY, value_ticks=0))
    client.subscribe("market_lifecycle_v2")
    client.quote(Side.ASK, 5_200, 1_000)
    client.ask("POST", ORDERS, order_body())
    total_ud = client.floor.total_ud()
    client.publish_minute(CLOSE_NS // SECOND_NS, 90_000 * E8_PER_DOLLAR)
    balances = []
    for _ in range(600):
        client.heard(10 * SECOND_NS)
        view = client.floor.account("client")
        assert view is not None
        balances.append(view.balance_ud)
        assert client.floor.total_ud() == total_ud
    paid = [after - before for before, after in pairwise(balances) if after != before]
    assert paid == [10 * UD_PER_DOLLAR, -10 * UD_PER_DOLLAR]
    (row,) = client.get("/portfolio/settlements")["settlements"]
    assert (row["market_result"], row["revenue"]) == ("no", 0)
    assert client.get(f"/markets/{HOURLY}")["market"]["result"] == "no"
    assert client.box.struck() == {"settlement_correction": 1}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (of.MarketPause(market="KXNONE*"), "no market is called KXNONE*; GET /trade-api/v2/markets lists them"),
        (of.DropFrame(at_s=1), "at_s 1 lies in the past; leave it out to begin now"),
    ],
)
def test_a_fault_that_cannot_be(fault: of.Fault, sentence: str) -> None:
    client = Patient()
    client.heard(10 * SECOND_NS)
    with pytest.raises(ConfigError) as refused:
        client.box.add_fault(fault, client.now_ns)
    assert str(refused.value) == sentence
