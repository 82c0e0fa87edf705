"""Fakes made by hand for the venue's tests: a clock that jumps, an inbox with a size, frames as text."""

import asyncio
import json
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fairstrike.core.events import Event

TICKER = "KXBTC15M-26AUG170100-00"
OTHER = "KXBTC15M-26AUG170115-15"


class JumpingClock:
    """Sleeping takes no time: the clock jumps to the instant asked for."""

    def __init__(self, now_ns: int = 1_000_000_000_000) -> None:
        self.instant_ns = now_ns
        self.slept_ns: list[int] = []

    def now_ns(self) -> int:
        return self.instant_ns

    async def sleep_until(self, due_ns: int) -> None:
        self.slept_ns.append(due_ns - self.instant_ns)
        self.instant_ns = max(self.instant_ns, due_ns)
        await asyncio.sleep(0)


class ListInbox:
    """Takes everything until `room` batches are in it."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.batches: list[list[Event]] = []
        self.refused = 0
        self.arrived = asyncio.Event()

    def __call__(self, events: Sequence[Event]) -> bool:
        if len(self.batches) >= self.room:
            self.refused += 1
            return False
        self.batches.append(list(events))
        self.arrived.set()
        return True

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    async def wait_for(self, kind: type[object], count: int = 1) -> None:
        async with asyncio.timeout(10):
            while sum(isinstance(event, kind) for event in self.events) < count:
                self.arrived.clear()
                await self.arrived.wait()


def rsa_pem(bits: int = 2048) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def snapshot(
    seq: int | None,
    ticker: str = TICKER,
    yes: Sequence[tuple[str, str]] = (),
    no: Sequence[tuple[str, str]] = (),
    sid: int | None = 1,
) -> bytes:
    message: dict[str, object] = {"market_ticker": ticker, "market_id": "m"}
    if yes:
        message["yes_dollars_fp"] = yes
    if no:
        message["no_dollars_fp"] = no
    return frame("orderbook_snapshot", message, sid, seq)


def delta(
    seq: int | None,
    ticker: str = TICKER,
    side: str = "yes",
    price: str = "0.4300",
    change: str = "10.00",
    sid: int | None = 1,
) -> bytes:
    message = {
        "market_ticker": ticker,
        "market_id": "m",
        "price_dollars": price,
        "delta_fp": change,
        "side": side,
        "ts": "2026-08-07T06:46:28.97871Z",
        "ts_ms": 1_786_085_188_978,
    }
    return frame("orderbook_delta", message, sid, seq)


def frame(kind: str, message: object = None, sid: int | None = None, seq: int | None = None) -> bytes:
    whole: dict[str, object] = {"type": kind}
    if sid is not None:
        whole["sid"] = sid
    if seq is not None:
        whole["seq"] = seq
    if message is not None:
        whole["msg"] = message
    return json.dumps(whole).encode()
