"""Captures by hand: lines as a recorder writes them, and files made of them."""

import gzip
from pathlib import Path

import msgspec

from fairstrike.core.events import BatchEnded, BookDelta, BookSnapshot, Event, IndexPrinted, TickerSeen
from fairstrike.exchange.replay import Unit
from fairstrike.research.importers.stream15m import Stream15m

MS = 1_000_000
START_MS = 1_778_718_268_000
TICKER, NEXT = "KXBTC15M-26MAY132030-30", "KXBTC15M-26MAY132045-45"
CLOSE_TEXT, NEXT_CLOSE_TEXT = "2026-05-14T00:30:00Z", "2026-05-14T00:45:00Z"
RUN = "run_20260514T002428Z"
SHORT = {BookSnapshot: "book", BookDelta: "delta", BatchEnded: "end", TickerSeen: "ticker", IndexPrinted: "print"}


def ns(ms: float) -> int:
    """The instant so many milliseconds after the start."""
    return (START_MS * 1_000 + round(ms * 1_000)) * 1_000


def line(ms: float, kind: str, msg: object, seq: int | None = None, ticker: str = TICKER) -> bytes:
    frame = {"recv_ns": ns(ms), "type": kind, "market_ticker": ticker, "seq": seq, "sid": None, "msg": msg}
    return msgspec.json.encode(frame)


def watch(ms: float, ticker: str = TICKER, close: str = CLOSE_TEXT, strike: float | None = 79_487.86) -> bytes:
    return line(ms, "watch_market", {"close_time": close, "market_ticker": ticker, "strike": strike})


def connected(ms: float) -> bytes:
    return line(ms, "ws_connected", {"market_ticker": TICKER})


def subscribed(ms: float, channel: str = "orderbook_delta") -> bytes:
    return line(ms, "ws_subscribed", {"id": 1, "msg": {"channel": channel, "sid": 2}, "type": "subscribed"})


def book(ms: float, seq: int, ticker: str = TICKER, yes: object = (), no: object = ()) -> bytes:
    message = {"market_ticker": ticker, "yes_dollars_fp": yes, "no_dollars_fp": no}
    return line(ms, "orderbook_snapshot", message, seq, ticker)


def delta(ms: float, seq: int, venue_ms: int, side: str = "yes", price: str = "0.4000", ticker: str = TICKER) -> bytes:
    message = {
        "market_ticker": ticker,
        "price_dollars": price,
        "delta_fp": "5.00",
        "side": side,
        "ts_ms": START_MS + venue_ms,
    }
    return line(ms, "orderbook_delta", message, seq, ticker)


def ticker(ms: float, bid: str = "0.4000", ask: str = "0.4200") -> bytes:
    message = {
        "market_ticker": TICKER,
        "yes_bid_dollars": bid,
        "yes_ask_dollars": ask,
        "yes_bid_size_fp": "5.00",
        "yes_ask_size_fp": "5.00",
        "volume_fp": "10.00",
        "ts_ms": START_MS + int(ms),
    }
    return line(ms, "ticker", message)


def opening(*lines: bytes) -> list[bytes]:
    """A capture's usual first lines, then `lines`; their numbers go on from 2."""
    return [watch(0), connected(1), book(2, 1, yes=[["0.3900", "5.00"]], no=[["0.5800", "5.00"]]), *lines]


def write(folder: Path, lines: list[bytes], name: str = f"{RUN}.jsonl") -> Path:
    path = folder / name
    data = b"".join(one + b"\n" for one in lines)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def write_spot(folder: Path, trades: list[tuple[float, str, str]], run: str = RUN) -> Path:
    """Trades as (receive time in ms, the exchange's time of 2026-05-14, price)."""
    rows = [f"{ns(ms)},2026-05-14T{stamp}+00:00,{price},{n}" for n, (ms, stamp, price) in enumerate(trades)]
    path = folder / f"{run}.spot.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["recv_ns,exchange_ts,price_usd,trade_id", *rows, ""]).encode()))
    return path


def recorded(folder: Path, *lines: bytes) -> list[Unit]:
    """The units of a capture with the usual opening."""
    return list(Stream15m(write(folder, opening(*lines))).units())


def told(units: list[Unit]) -> list[tuple[float, str]]:
    """Units from the first book on as (milliseconds, kind of event), offsets left out."""
    found = [((instant - ns(0)) / MS, SHORT[type(e)]) for instant, events in units for e in events if type(e) in SHORT]
    first = next(number for number, (_, kind) in enumerate(found) if kind == "book")
    return found[first:]


def events_of(units: list[Unit], kind: type[Event]) -> list[Event]:
    return [event for _, events in units for event in events if isinstance(event, kind)]
