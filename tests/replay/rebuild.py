"""What a capture says, counted and rebuilt in plain Python: no code of the product has a part in it."""

import gzip
import json
from collections import defaultdict
from pathlib import Path

Bests = tuple[str | None, str | None]
TICKS = 10_000


class Plain:
    """One capture: lines of deltas, snapshots and jumps of numbers per market, and each market's last bests."""

    def __init__(self, path: Path) -> None:
        self.deltas: defaultdict[str, int] = defaultdict(int)
        self.snapshots: defaultdict[str, int] = defaultdict(int)
        self.gaps: defaultdict[str, int] = defaultdict(int)
        self.bests: dict[str, Bests] = {}
        self._books: dict[str, dict[str, dict[int, int]] | None] = {}
        self._expected: int | None = None
        with gzip.open(path, "rb") as file:
            for line in file:
                self._take(json.loads(line))
        for ticker, book in self._books.items():
            self.bests[ticker] = (None, None) if book is None else _bests(book)

    def _take(self, frame: dict[str, object]) -> None:
        kind = frame["type"]
        if kind == "ws_connected":
            self._expected = None
        if kind not in ("orderbook_delta", "orderbook_snapshot"):
            return
        message, number = frame["msg"], frame["seq"]
        assert isinstance(message, dict)
        assert isinstance(number, int)
        if self._expected is not None and number != self._expected:
            self._lose()
        self._expected = number + 1
        ticker = message["market_ticker"]
        if kind == "orderbook_snapshot":
            self.snapshots[ticker] += 1
            sides = {"yes": message.get("yes_dollars_fp", ()), "no": message.get("no_dollars_fp", ())}
            self._books[ticker] = {
                side: {_ticks(price): _cc(size) for price, size in levels} for side, levels in sides.items()
            }
            return
        self.deltas[ticker] += 1
        book = self._books.get(ticker)
        if book is not None:
            levels, price = book[message["side"]], _ticks(message["price_dollars"])
            levels[price] = levels.get(price, 0) + _cc(message["delta_fp"])
            if not levels[price]:
                del levels[price]

    def _lose(self) -> None:
        for ticker, book in self._books.items():
            if book is not None:
                self.gaps[ticker] += 1
                self._books[ticker] = None


def _ticks(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * TICKS + int(part.ljust(4, "0"))


def _cc(text: str) -> int:
    negative = text.startswith("-")
    whole, _, part = text.lstrip("-").partition(".")
    value = int(whole) * 100 + int(part.ljust(2, "0"))
    return -value if negative else value


def _bests(book: dict[str, dict[int, int]]) -> Bests:
    bid, ask = max(book["yes"], default=None), max(book["no"], default=None)
    return (None if bid is None else _text(bid), None if ask is None else _text(TICKS - ask))


def _text(ticks: int) -> str:
    return f"{ticks // TICKS}.{ticks % TICKS:04d}"
