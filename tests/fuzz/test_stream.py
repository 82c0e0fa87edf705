"""Random frames over real sockets: a stream answers or says why it ends, and others hear on without a hole.

Generated attacks come one connection each, while a witness reads books whose markets go on moving. The number of
attacks is ten times FAIRSTRIKE_CASES.
"""

import json
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.commands import commands
from tests.fuzz.serving import Serving, serving
from tests.fuzz.sockets import BINARY, CLOSE, PING, TEXT, Stream, frame

CASES = int(os.environ.get("FAIRSTRIKE_CASES") or 2)
LAST = 777
TICKERS = tuple(f"KXBTCD-26NOV2117-T{dollars}.99" for dollars in (79_999, 80_049))
BIG = 1 << 20


def spoken(data: bytes) -> bytes:
    """A command in one frame: as text, where it is."""
    return frame(data, TEXT if _is_text(data) else BINARY)


def spoken_in_parts(data: bytes) -> bytes:
    return frame(data[:5], TEXT if _is_text(data) else BINARY, is_last=False) + frame(data[5:], 0)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


pieces = st.one_of(
    commands(TICKERS).map(spoken),
    commands(TICKERS).map(spoken_in_parts),
    commands(TICKERS).map(lambda data: frame(data, BINARY)),
    # Not right of a client, and heard all the same.
    st.just(frame(b"{}", is_masked=False)),
    st.binary(max_size=125).map(lambda data: frame(data, PING)),
)
ENDINGS = {
    "none": b"",
    "reserved bits": frame(b"{}", reserved=5),
    "unknown opcode": frame(b"{}", 5),
    "no text": frame(b"\xff\xfe"),
    "too big": frame(b" " * (BIG + 1)),
    "too big in parts": frame(b" " * BIG, is_last=False) + frame(b"  ", 0),
    "part without a beginning": frame(b"{}", 0),
    "part of a ping": frame(b"{}", PING, is_last=False),
    "long ping": frame(b" " * 126, PING),
    "close": frame(b"\x03\xe8", CLOSE),
    "close without a code": frame(b"", CLOSE),
    "close with half a code": frame(b"\x03", CLOSE),
    "close with a code that is none": frame(b"\x00\x01", CLOSE),
}


class Witness:
    """A reader of every book."""

    def __init__(self, exchange: Serving, stream: Stream) -> None:
        self._exchange = exchange
        self._stream = stream
        self.seq = 0
        markets = [row["ticker"] for row in exchange.get("/markets", limit=1_000)["markets"]]
        stream.say(id=1, cmd="subscribe", params={"channels": ["orderbook_delta"], "market_tickers": markets})

    def hears_on(self) -> None:
        """Time passes, and what is told of it has no hole in its numbers."""
        self._exchange.step(1.0)
        self._stream.say(id=LAST, cmd="list_subscriptions")
        told = [said["seq"] for said in self._stream.answer(LAST) if "seq" in said]
        assert told == list(range(self.seq + 1, self.seq + 1 + len(told)))
        self.seq += len(told)


def attack(exchange: Serving, said: list[bytes], ending: str, is_waiting: bool) -> None:
    """One connection from its beginning to its end."""
    with Stream(exchange) as stream:
        stream.send(b"".join(said))
        if is_waiting:
            stream.say(id=LAST, cmd="list_subscriptions")
            answers = stream.answer(LAST)
            assert answers, f"the connection ended with {stream.close_code} and only commands were said"
            assert_numbered(answers)
        if ending == "none":
            return
        stream.send(ENDINGS[ending])
        exchange.step(0.2)
        while stream.read():
            pass
        assert stream.close_code is not None, f"it ended without a word after: {ending}"


def assert_numbered(answers: list[Any]) -> None:
    """Numbers of each subscription count up by one from the first."""
    last: dict[int, int] = {}
    for said in answers:
        if "seq" in said:
            assert said["seq"] == last.get(said["sid"], 0) + 1, said
            last[said["sid"]] = said["seq"]


def test_no_frame_breaks_a_stream_of_another(tmp_path: Path) -> None:
    with serving(tmp_path) as exchange, Stream(exchange) as listening:
        witness = Witness(exchange, listening)

        def run(said: list[bytes], ending: str, is_waiting: bool) -> None:
            attack(exchange, said, ending, is_waiting)
            witness.hears_on()
            assert exchange.complaints == []

        chosen = settings(max_examples=10 * CASES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        chosen(given(st.lists(pieces, max_size=8), st.sampled_from(sorted(ENDINGS)), st.booleans())(run))()
        assert witness.seq > 10 * CASES, "the witness heard much meanwhile"
        assert exchange.state()["connections"] == 1


def test_a_ping_is_answered_with_its_own_words(tmp_path: Path) -> None:
    with serving(tmp_path) as exchange, Stream(exchange) as stream:
        sent = [str(number).encode() for number in range(30)]
        stream.send(b"".join(frame(data, PING) for data in sent))
        stream.say(id=LAST, cmd="list_subscriptions")
        stream.answer(LAST)
        assert stream.pongs == sent


def test_a_burst_of_commands_is_answered_one_by_one_and_refused_beyond_the_limit(tmp_path: Path) -> None:
    with serving(tmp_path) as exchange, Stream(exchange) as stream:
        said = [json.dumps({"id": number, "cmd": "list_subscriptions"}).encode() for number in range(1, 10_002)]
        stream.send(b"".join(map(frame, said)))
        answers = stream.answer(10_001)
        assert [answer["id"] for answer in answers] == list(range(1, 10_002))
        assert {answer["type"] for answer in answers[:10_000]} == {"ok"}
        assert (answers[-1]["type"], answers[-1]["msg"]["code"]) == ("error", 27)
