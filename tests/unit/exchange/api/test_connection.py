"""Commands that are refused, and clients that ask too much or read too little."""

import pytest

from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.api import connection
from tests.unit.exchange.api.client import (
    HOURLY,
    QUARTER,
    RANGE,
    Client,
)
from tests.unit.exchange.api.stream import Stream


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def stream(client: Client) -> Stream:
    return Stream(client)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"not json", 1),
        (b"[]", 1),
        (b"\xff", 1),
        (b'{"id":1}', 1),
        (b"[" * 5_000, 1),
        (b'{"id":1,"cmd":"subscribe"}', 2),
        (b'{"id":1,"cmd":"subscribe","params":{}}', 3),
        (b'{"id":1,"cmd":"unsubscribe","params":{}}', 4),
        (b'{"id":1,"cmd":"dance"}', 5),
        (b'{"id":1,"cmd":"unsubscribe","params":{"sids":[9]}}', 7),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["ticker_v2"]}}', 8),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_ticker":"X"}}', 11),
        (b'{"id":1,"cmd":"update_subscription","params":{"action":"add_markets"}}', 12),
        (b'{"id":1,"cmd":"update_subscription","params":{"sids":[1,2],"action":"add_markets"}}', 12),
        (b'{"id":1,"cmd":"update_subscription","params":{"sid":1,"action":"dance"}}', 13),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}', 14),
        (b'{"id":1,"cmd":"update_subscription","params":{"sid":1,"action":"add_markets"}}', 14),
        (b'{"id":1,"cmd":"update_subscription","params":{"sid":1}}', 15),
        (b'{"id":1,"cmd":"update_subscription","params":{"sid":2,"action":"subscribe_indices"}}', 24),
        (b'{"id":1,"cmd":"subscribe","params":null}', 2),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":"ticker"}}', 11),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_id":"X"}}', 11),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ids":["X"]}}', 14),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["communications"]}}', 8),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["multivariate_market_lifecycle"]}}', 8),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["pyth_value"]}}', 8),
        (b'{"id":1,"cmd":"update_subscription","params":{"sid":3,"action":"add_markets"}}', 13),
        (b'{"id":1,"cmd":"update_subscription","params":{"sid":3,"action":"get_snapshot"}}', 13),
    ],
)
def test_wrong_commands_are_answered_with_the_venues_codes(stream: Stream, command: bytes, code: int) -> None:
    stream.subscribe("orderbook_delta", HOURLY)
    stream.subscribe("cfbenchmarks_value", index_ids=["BRTI"])
    stream.subscribe("market_lifecycle_v2")
    (answer,) = stream.raw(command)
    assert (answer["type"], answer["msg"]["code"]) == ("error", code)
    assert code == 1 or answer["id"] == 1, "a refusal names the command that it answers"


def test_too_many_commands_in_a_second_are_refused(
    client: Client, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "COMMANDS_A_SECOND_MAX", 2)
    answers = [stream.say("list_subscriptions", request)[0] for request in (1, 2, 3)]
    assert [answer["type"] for answer in answers] == ["ok", "ok", "error"]
    assert (answers[2]["id"], answers[2]["msg"]["code"]) == (3, 27)
    client.now_ns += SECOND_NS
    assert stream.say("list_subscriptions")[0]["type"] == "ok"


def test_too_many_markets_are_refused(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MARKETS_OF_A_CONNECTION_MAX", 2)
    stream.subscribe("orderbook_delta", HOURLY)
    (answer,) = stream.subscribe("ticker", HOURLY, RANGE)
    assert answer["msg"]["code"] == 26
    (answer,) = stream.say("update_subscription", sid=1, action="add_markets", market_tickers=[RANGE, QUARTER])
    assert answer["msg"]["code"] == 26


def test_who_does_not_read_loses_the_subscription(
    client: Client, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FRAMES_OWED_MAX", 10)
    stream.subscribe("orderbook_delta", HOURLY)
    for _ in range(20):
        client.quote(Side.BID, 1_000, 100)
    frames = stream.frames()
    assert [row["type"] for row in frames] == ["orderbook_delta"] * 10 + ["error"]
    assert (frames[-1]["sid"], frames[-1]["msg"]["code"]) == (1, 25)
    confirmed, _ = stream.subscribe("orderbook_delta", HOURLY)
    assert confirmed["msg"]["sid"] == 2


def test_an_overflow_amid_several_books_ends_the_subscription_once(
    client: Client, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FRAMES_OWED_MAX", 2)
    frames = stream.subscribe("orderbook_delta", HOURLY, RANGE, QUARTER)
    assert [row["type"] for row in frames] == ["subscribed", "orderbook_snapshot", "error"]


def test_who_asks_and_never_reads_is_lost(client: Client, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FRAMES_OWED_MAX", 10)
    ask = b'{"id":1,"cmd":"list_subscriptions"}'
    for _ in range(20):
        client.box.command(stream.connection, ask, client.now_ns)
    assert not client.box.is_lost(stream.connection)
    client.box.command(stream.connection, ask, client.now_ns)
    assert client.box.is_lost(stream.connection)
    assert len(stream.frames()) == 20


def test_a_connection_that_is_gone_is_owed_nothing(client: Client, stream: Stream) -> None:
    stream.subscribe("trade")
    client.box.disconnect(stream.connection)
    client.quote(Side.ASK, 5_000, 400)
    client.place()
    assert stream.frames() == []


def test_long_answers_that_are_not_read_lose_the_connection(
    client: Client, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BYTES_OWED_MAX", 1_500)
    ask = b'{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_tickers":["%s"]}}' % (b"x" * 900)
    for _ in range(2):
        client.box.command(stream.connection, ask, client.now_ns)
    assert not client.box.is_lost(stream.connection)
    assert len(stream.frames()) == 2
    for _ in range(3):
        client.box.command(stream.connection, ask, client.now_ns)
    assert client.box.is_lost(stream.connection)
    assert len(stream.frames()) == 2


def test_names_of_indices_are_not_longer_than_names(stream: Stream) -> None:
    for length, kind in ((100, "subscribed"), (101, "error")):
        (answer,) = stream.say("subscribe", channels=["cfbenchmarks_value"], index_ids=["x" * length])[:1]
        assert answer["type"] == kind
        stream.say("unsubscribe", sids=[1])
