"""What is no request is answered in the venue's words, and nothing of it is logged."""

import asyncio
import errno
import json
import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from fairstrike.exchange.doorstep import Crowd, unreadable
from tests.fuzz.serving import ANSWER_SECONDS_MAX, Serving, serving

ORDERS = b"POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n"
READ = b"GET /trade-api/v2/exchange/status HTTP/1.1\r\n"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("doorstep")) as served:
        yield served


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (400, b"GET /trade-api/v2/markets?tickers=" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        (400, b"GET /trade-api/v2/mar\xff\xfekets HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        (400, b"DANCE /trade-api/v2/markets HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        (400, READ + b"\r\n"),
        (400, READ + b"Host: 127.0.0.1\r\nX-Long: " + b"a" * 9_000 + b"\r\n\r\n"),
        (400, ORDERS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        (400, ORDERS + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde"),
        (400, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
        (413, ORDERS + b"Content-Length: 1048577\r\n\r\n" + b"a" * 1_048_577),
    ],
    ids=["long", "binary path", "method", "no host", "long header", "chunks", "coding", "no HTTP", "big"],
)
def test_what_is_no_request_gets_the_flat_refusal(exchange: Serving, status: int, request_bytes: bytes) -> None:
    head, _, body = exchange.talk(request_bytes).partition(b"\r\n\r\n")
    assert int(head.split(b" ")[1]) == status
    assert b"Content-Type: application/json" in head
    told = json.loads(body)
    assert (told["code"], told["message"]) == ("bad_request", "bad request")
    assert exchange.complaints == []


def test_a_client_that_hangs_up_in_the_middle_of_its_body_is_no_error(exchange: Serving) -> None:
    assert exchange.talk(ORDERS + b"Content-Length: 100\r\n\r\nabc", is_all=True) == b""
    assert exchange.get("/exchange/status")["exchange_active"]
    assert exchange.complaints == []


def test_an_administration_token_of_any_bytes_is_wrong(exchange: Serving) -> None:
    asked = b"GET /admin/state HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \xff\xfe\r\n"
    assert exchange.talk(asked + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 401 ")


def test_a_stream_is_opened_by_get_and_with_an_upgrade(exchange: Serving) -> None:
    signed = exchange.signed.headers("GET", "/trade-api/ws/v2") | {"Host": "127.0.0.1"}
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items()).encode()
    plain = exchange.talk(b"GET /trade-api/ws/v2 HTTP/1.1\r\n" + head + b"\r\n")
    assert plain.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"bad_request"' in plain
    assert exchange.talk(b"POST /trade-api/ws/v2 HTTP/1.1\r\nConnection: close\r\n" + head + b"\r\n").startswith(
        b"HTTP/1.1 404 "
    )
    assert exchange.complaints == []


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("hurried"), request_seconds=0.5) as served:
        yield served


@pytest.mark.parametrize("begun", [b"", READ, READ + b"Host: 127.0.0.1\r\nX-Slow: "], ids=["idle", "line", "header"])
def test_a_request_that_never_ends_is_hung_up_on(hurried: Serving, begun: bytes) -> None:
    with hurried.connected() as connection:
        connection.sendall(begun)
        told_s, said = time.monotonic() + ANSWER_SECONDS_MAX, b"?"
        while said and time.monotonic() < told_s:
            # Each byte is in time; the request is not.
            with suppress(OSError):
                connection.sendall(b"a" if begun else b"")
            readable, *_ = select.select([connection], [], [], 0.1)
            said = connection.recv(100) if readable else b"?"
    assert said == b""
    assert hurried.complaints == []


def test_a_body_that_never_ends_is_refused(hurried: Serving) -> None:
    head, _, body = hurried.talk(ORDERS + b"Content-Length: 100\r\n\r\nabc").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["details"] == "the body took longer than 0.5 s"
    assert hurried.complaints == []


def test_requests_in_time_keep_their_connection(hurried: Serving) -> None:
    with requests.Session() as session:
        for _ in range(4):
            answer = session.get(f"{hurried.announcement.rest}/exchange/status", timeout=ANSWER_SECONDS_MAX)
            assert (answer.status_code, "close" in answer.headers.get("Connection", "")) == (200, False)
            time.sleep(0.2)


def test_details_are_one_line_of_bounded_length() -> None:
    told = json.loads(unreadable(400, "a\n\n  b" + "c" * 1_000).body)
    assert told["details"].startswith("a bccc")
    assert len(told["details"]) == 200


def test_too_many_connections_are_one_sentence_and_other_failures_are_told(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    crowd, loop = Crowd(), asyncio.new_event_loop()
    full = {"message": "socket.accept() out of system resource", "exception": OSError(errno.EMFILE, os.strerror(24))}
    for _ in range(3):
        crowd(loop, full)
    assert capsys.readouterr().err.count("\n") == 1
    assert caplog.records == []
    crowd(loop, {"message": "a task failed", "exception": ValueError("odd")})
    assert next(each.message for each in caplog.records).startswith("a task failed")
    loop.close()
