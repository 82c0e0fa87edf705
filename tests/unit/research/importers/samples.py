"""Small made-up recordings of every format, as lines or documents, and a folder of one of each."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import msgspec
import zstandard

from fairstrike.core.events import Event
from fairstrike.core.timing import parse_rfc3339_ns
from fairstrike.research.importers.base import Unit
from tests.unit.research.captures import delta, opening

DAY = "2026-07-10"
EVENT = "KXBTC-26JUL1017"
RANGE, LESS, GREATER = f"{EVENT}-B64050", f"{EVENT}-T63000", f"{EVENT}-T65000"
CLOSE_TEXT = f"{DAY}T21:00:00Z"
STREAMED = "KXNBAGAME-26AUG07"
FRAMES_MS = 1_786_085_188_000


def text(document: object) -> bytes:
    return msgspec.json.encode(document)


def lines(*documents: object) -> bytes:
    """JSON lines; what is bytes already stays as it is."""
    return b"".join((one if isinstance(one, bytes) else text(one)) + b"\n" for one in documents)


def instant(clock: str) -> int:
    """An instant of the day of the made-up polls."""
    return parse_rfc3339_ns(f"{DAY}T{clock}Z")


def outcome(ticker: str, bid: object, ask: object, **strikes: object) -> dict[str, object]:
    kind = "between" if len(strikes) == 2 else ("less" if "cap_strike" in strikes else "greater")
    return {"ticker": ticker, "strike_type": kind, "yes_bid": bid, "yes_ask": ask, **strikes}


OUTCOMES = (
    outcome(LESS, 0, 0.05, cap_strike=62_999.99),
    outcome(RANGE, 0.40, 0.44, floor_strike=64_000, cap_strike=64_099.99),
    outcome(GREATER, 0.02, 1, floor_strike=65_000),
)


def ladder(clock: str, outcomes: object = OUTCOMES, **changes: object) -> dict[str, object]:
    """One capture of one series; the spot's time is half a second before."""
    current = {
        "status": "ok",
        "event_ticker": EVENT,
        "open_time": f"{DAY}T20:00:00Z",
        "close_time": CLOSE_TEXT,
        "outcomes": outcomes,
    }
    line: dict[str, object] = {
        "captured_at": f"{DAY}T{clock}+00:00",
        "series": "KXBTC",
        "symbol": "BTC",
        "current": current,
        "spot": {"price": 64_037.25, "exchange_time": f"{DAY}T20:00:00Z", "source": "coinbase"},
        "previous_settlement": {"status": "pending"},
        "schema_version": "crypto_hourly.v1",
    }
    return line | changes


def settled(results: Mapping[str, str], value: str | None = "64037.25") -> dict[str, object]:
    return {"status": "settled", "event_ticker": EVENT, "expiration_value": value, "results": results}


def polled(clock: str, ticker: str = RANGE, **changes: object) -> dict[str, object]:
    """One polled book of full depth."""
    line: dict[str, object] = {
        "captured_at": f"{DAY}T{clock}+00:00",
        "ticker": ticker,
        "yes_bids": [[0.40, 12.0], [0.39, 7.25]],
        "no_bids": [[0.56, 3.0]],
        "schema_version": "orderbook_depth.v1",
    }
    return line | changes


def frame(ms: int, kind: str, seq: int | None, **message: object) -> dict[str, object]:
    told = {"type": kind, "sid": 1, "seq": seq, "msg": {"market_ticker": STREAMED} | message}
    return {"received_ms": FRAMES_MS + ms, "frame": {name: value for name, value in told.items() if value is not None}}


def change(ms: int, seq: int, **changes: object) -> dict[str, object]:
    message = {"price_dollars": "0.4000", "delta_fp": "5.00", "side": "yes", "ts_ms": FRAMES_MS + ms}
    return frame(ms, "orderbook_delta", seq, **message | changes)


SNAPSHOT = frame(1, "orderbook_snapshot", 1, yes_dollars_fp=[["0.4000", "5.00"]], no_dollars_fp=[["0.5800", "2.00"]])
SUBSCRIBED = {"received_ms": FRAMES_MS, "frame": {"type": "subscribed", "id": 1, "msg": {"channel": "x", "sid": 1}}}


def frames(*told: object) -> bytes:
    return text({"captured_ms": FRAMES_MS, "note": "orderbook_snapshot", "frames": [SUBSCRIBED, *told]})


def market(ticker: str = RANGE, **changes: object) -> dict[str, object]:
    """One of the venue's market objects."""
    fields: dict[str, object] = {
        "ticker": ticker,
        "event_ticker": EVENT,
        "status": "active",
        "open_time": f"{DAY}T20:00:00Z",
        "close_time": CLOSE_TEXT,
        "strike_type": "between",
        "floor_strike": 64_000,
        "cap_strike": 64_099.99,
        "yes_bid_dollars": "0.4000",
        "yes_ask_dollars": "0.4400",
        "volume_24h_fp": "12.00",
    }
    return fields | changes


FILL = {
    "trade_id": "t",
    "order_id": "o",
    "ticker": "T",
    "book_side": "bid",
    "count_fp": "2.00",
    "yes_price_dollars": "0.4000",
    "is_taker": True,
    "fee_cost": "0.015930",
    "created_time": f"{DAY}T09:00:00Z",
}
SETTLEMENT = {"ticker": "T", "market_result": "no", "settled_time": f"{DAY}T10:00:00Z"}
CENTS = {"price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}]}
BOOK = {"orderbook_fp": {"yes_dollars": [["0.4000", "5.00"]], "no_dollars": [["0.5800", "2.00"]]}}


def answer(**fields: object) -> bytes:
    return text({"captured_at": f"{DAY}T20:00:00Z", **fields})


CANDLES = (
    b"timestamp,open,high,low,close,volume\n2021-12-31 23:01:00,1,1,1,46377.0,9\n2021-12-31 23:02:00,1,1,1,46411,9\n"
)

RECORDED_NS = instant("20:24:00")
QUARTER = "KXBTC15M-26JUL101630-30"
SERIES = text({"series": {"ticker": "KXBTC15M"}})


def quarter(**changes: object) -> dict[str, object]:
    """A 15-minute market as REST describes it."""
    times: dict[str, object] = {"open_time": f"{DAY}T20:15:00Z", "close_time": f"{DAY}T20:30:00Z"}
    strike: dict[str, object] = {"strike_type": "greater_or_equal", "floor_strike": 64_000.5, "cap_strike": None}
    fields: dict[str, object] = {"event_ticker": QUARTER.rpartition("-")[0], "custom_strike": {"round_digits": 2}}
    return market(QUARTER, **times, **strike, **fields) | changes


def header(**changes: object) -> dict[str, object]:
    """The first line of a recorded segment."""
    fields: dict[str, object] = {"recording": "fairstrike", "version": 1, "run": "20260710T202400Z", "segment": 1}
    return fields | {"environment": "box", "recv_ns": RECORDED_NS} | changes


def recorded(ms: int, **fields: object) -> dict[str, object]:
    """A line of a recorded segment, so many milliseconds after its beginning."""
    return {"recv_ns": RECORDED_NS + ms * 1_000_000, "source": "kalshi", "connection": 1, **fields}


def noted(ms: int, kind: str, **fields: object) -> dict[str, object]:
    return recorded(ms, note={"kind": kind, **fields})


def answered(ms: int, ask: int, *bodies: bytes) -> bytes:
    """One conversation about the markets of a series, as lines."""
    told = [{"ask": ask, "what": "markets", "key": "KXBTC15M", "status": 200, "body": msgspec.Raw(b)} for b in bodies]
    return lines(*(recorded(ms, answer=one) for one in told))


def framed(ms: int, kind: str, seq: int | None = None, sid: int = 1, **msg: object) -> dict[str, object]:
    frame: dict[str, object] = {"type": kind, "sid": sid, "msg": {"market_ticker": QUARTER, **msg}}
    return recorded(ms, frame=frame | ({} if seq is None else {"seq": seq}))


def recorded_change(ms: int, seq: int, venue_ms: int, price: str = "0.4000") -> dict[str, object]:
    venue_ms += RECORDED_NS // 1_000_000
    return framed(ms, "orderbook_delta", seq, price_dollars=price, delta_fp="5.00", side="yes", ts_ms=venue_ms)


RECORDED = lines(
    header(),
    answered(1, 1, SERIES, text({"markets": [quarter()]})).strip(),
    noted(2, "watch", markets=[QUARTER]),
    noted(3, "connected"),
    recorded(4, frame={"type": "subscribed", "id": 1, "msg": {"channel": "orderbook_delta", "sid": 1}}),
    framed(5, "orderbook_snapshot", 1, yes_dollars_fp=[["0.3900", "7.00"]], no_dollars_fp=[["0.5800", "2.00"]]),
    recorded_change(6, 2, 5),
    recorded_change(6, 3, 5, "0.4100"),
    recorded(7, packed="AAH/"),
    recorded_change(8, 4, 7),
    noted(9, "ended", reason="the time is over"),
)

SAMPLES = {
    "recorded.jsonl": RECORDED,
    "stream.jsonl": lines(*opening(delta(3, 2, 3), delta(4, 3, 4))),
    "ladder.jsonl": lines(ladder("20:24:00"), ladder("21:24:00", previous_settlement=settled({RANGE: "yes"}))),
    "depth.jsonl": lines(polled("20:26:00"), polled("20:26:00", LESS), polled("20:56:00")),
    "frames.json": frames(SNAPSHOT, change(2, 2), change(3, 3)),
    "markets-20260710T202800Z.json": text({RANGE: market()}),
    "single.json": answer(single={"market": market()}, orderbook=BOOK),
    "fills.json": text({"endpoint": "/portfolio/fills", "payload": {"fills": [FILL]}}),
    "settlements.json": text({"endpoint": "/portfolio/settlements", "payload": {"settlements": [SETTLEMENT]}}),
    "series.json": answer(endpoint="/series/{ticker}", payloads={"S": {"series": {"ticker": "S"}}}),
    "grids.json": answer(grids=[CENTS]),
    "btc-perp.csv": CANDLES,
}
"""One file of each kind, by a name that suits it."""


def put(folder: Path, name: str, data: bytes) -> Path:
    """Write a file, packed as its name says."""
    path = folder / name
    if name.endswith(".gz"):
        data = gzip.compress(data)
    elif name.endswith(".zst"):
        data = zstandard.compress(data)
    path.write_bytes(data)
    return path


def kinds(units: list[Unit]) -> list[list[str]]:
    """The names of the events of each unit."""
    return [[type(event).__name__ for event in events] for _, events in units]


def events(units: list[Unit]) -> list[Event]:
    return [event for _, told in units for event in told]
