"""Random commands to the pure box: each is answered, numbers have no hole, and every book that is told stays true.

A machine of hypothesis opens and closes connections, says what `commands.py` makes, trades and lets time pass. After
each step every connection's frames are read against a plain model of its subscriptions. The number of runs is ten
times FAIRSTRIKE_CASES.
"""

import json
import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import parse_cc
from fairstrike.exchange.api.connection import Fault
from tests.fuzz.commands import commands
from tests.unit.exchange.api.client import HOURLY, QUARTER, RANGE, Client
from tests.unit.exchange.api.stream import Stream

CASES = int(os.environ.get("FAIRSTRIKE_CASES") or 2)
CONNECTIONS_MAX = 4
TICKERS = (HOURLY, RANGE, QUARTER)


class Model:
    """What a client knows of one connection."""

    def __init__(self) -> None:
        self.channels: dict[int, str] = {}
        self.last: dict[int, int] = {}
        self.books: dict[str, dict[tuple[str, str], int]] = {}

    def take(self, frame: dict[str, Any]) -> None:
        """Read one frame. Only what was subscribed comes, and numbers count up by one."""
        sid, kind = frame.get("sid", 0), frame["type"]
        if kind == "subscribed":
            assert frame["msg"]["sid"] not in self.channels
            self.channels[frame["msg"]["sid"]] = frame["msg"]["channel"]
            return
        if kind == "error":
            assert frame["msg"]["code"] in set(Fault), frame
            return
        if kind == "ok" and not sid:
            assert {row["sid"]: row["channel"] for row in frame["msg"]} == self.channels
            return
        assert sid in self.channels, frame
        if "seq" in frame:
            assert frame["seq"] == self.last.get(sid, 0) + 1, frame
            self.last[sid] = frame["seq"]
        if kind == "unsubscribed":
            del self.channels[sid]
        elif kind.startswith("orderbook"):
            self._book(kind, frame["msg"])

    def _book(self, kind: str, msg: dict[str, Any]) -> None:
        if kind == "orderbook_snapshot":
            self.books[msg["market_ticker"]] = {
                (side, price): parse_cc(count)
                for side in ("yes", "no")
                for price, count in msg.get(f"{side}_dollars_fp", ())
            }
            return
        book, level = self.books[msg["market_ticker"]], (msg["side"], msg["price_dollars"])
        book[level] = book.get(level, 0) + parse_cc(msg["delta_fp"])
        assert book[level] >= 0, msg
        if not book[level]:
            del book[level]


class Streaming(RuleBasedStateMachine):
    """The box, up to four connections and one that only listens."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Client()
        self.streams: dict[int, tuple[Stream, Model]] = {}

    @initialize()
    def listen(self) -> None:
        self.witness, self.known = Stream(self.client, "other-key"), Model()
        for frame in self.witness.subscribe("orderbook_delta", *TICKERS):
            self.known.take(frame)
        self.open()

    @precondition(lambda self: len(self.streams) < CONNECTIONS_MAX)
    @rule()
    def open(self) -> None:
        stream = Stream(self.client)
        self.streams[stream.connection] = (stream, Model())

    @precondition(lambda self: len(self.streams) > 1)
    @rule(which=st.integers(0, CONNECTIONS_MAX))
    def close(self, which: int) -> None:
        number = sorted(self.streams)[which % len(self.streams)]
        self.client.box.disconnect(number)
        del self.streams[number]

    @rule(which=st.integers(0, CONNECTIONS_MAX), said=st.lists(commands(TICKERS), min_size=1, max_size=5))
    def say(self, which: int, said: list[bytes]) -> None:
        stream, model = self.streams[sorted(self.streams)[which % len(self.streams)]]
        for data in said:
            answers = stream.raw(data)
            numbers = {frame["id"] for frame in answers if "id" in frame}
            assert numbers or any(frame["type"] == "error" for frame in answers), (data, answers)
            assert numbers <= {number_of(data)}
            for frame in answers:
                model.take(frame)

    @rule(
        side=st.sampled_from(["bid", "ask"]),
        price=st.integers(1, 99),
        count=st.sampled_from(["1.00", "0.50", "7.00"]),
        ticker=st.sampled_from([HOURLY, RANGE]),
    )
    def trade(self, side: str, price: int, count: str, ticker: str) -> None:
        self.client.quote(Side.BID if side == "ask" else Side.ASK, price * 100, 150, ticker)
        self.client.place(ticker=ticker, side=side, price=f"{price / 100:.4f}", count=count)

    @rule(seconds=st.sampled_from([1, 30]))
    def wait(self, seconds: int) -> None:
        self.client.now_ns += seconds * SECOND_NS + 1
        self.client.floor.publish_index("BTC", self.client.now_ns // SECOND_NS, 10**13, self.client.now_ns)

    @invariant()
    def everything_told_is_true(self) -> None:
        for stream, model in self.streams.values():
            assert not self.client.box.is_lost(stream.connection)
            for frame in stream.frames():
                model.take(frame)
        if not hasattr(self, "witness"):
            return
        for frame in self.witness.frames():
            self.known.take(frame)
        for ticker in TICKERS:
            shown = self.client.get(f"/markets/{ticker}/orderbook")["orderbook_fp"]
            book = {
                (side, price): parse_cc(count) for side in ("yes", "no") for price, count in shown[f"{side}_dollars"]
            }
            assert self.known.books[ticker] == book


def number_of(data: bytes) -> int:
    """The id that an answer must carry, 0 for none."""
    try:
        said = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return 0
    number = said.get("id", 0) if isinstance(said, dict) else 0
    return number if isinstance(number, int) else 0


Streaming.TestCase.settings = settings(
    max_examples=10 * CASES,
    stateful_step_count=25,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
test_streaming = Streaming.TestCase
