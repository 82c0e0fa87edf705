"""Two real captures measured by the command, and again in plain Python: no code of the product has a part in it."""

import gzip
import json
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from tests.replay.commands import fairstrike

SOUND, BROKEN = "rv600_next_evidence_shadow_20260514T002426Z", "rv600_next_evidence_shadow_20260515T045448Z"
LEFT_OUT = "KXBTC15M-26MAY150100-00"
STRETCH, FROM_MS, TO_MS = "10–5 min", 300_000, 600_000


class Market(msgspec.Struct, frozen=True):
    """A market's row, as far as it is asked for here."""

    ticker: str
    gaps: int
    frozen: int


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of time to close."""

    time_to_close: str
    seconds: float
    spread_cents: dict[str, float]
    contracts_per_second: float


class Measured(msgspec.Struct, frozen=True):
    """What the command printed."""

    markets: list[Market]
    markets_counted: int
    markets_left_out: int
    deltas_counted: int
    deltas_per_second: dict[str, float]
    deltas_per_millisecond: dict[str, float]
    add_contracts: dict[str, float]
    trade_contracts: dict[str, float]
    level_life_seconds: dict[str, float]
    stretches: list[Stretch]
    crossings: dict[str, int]


class Recount:
    """What two captures hold, by lists and sorting."""

    def __init__(self, *paths: Path) -> None:
        self.seconds: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.instants: Counter[tuple[str, int]] = Counter()
        self.adds: list[int] = []
        self.lives: list[int] = []
        self.trades: list[int] = []
        self.spreads: Counter[int] = Counter()
        self.crossed = 0
        self.volume_cc = self.volume_ms = 0
        for path in paths:
            self._books: dict[str, dict[str, dict[int, int]]] = {}
            self._bests: dict[str, tuple[int, int] | None] = {}
            self._born: dict[tuple[str, str, int], int] = {}
            self._at: dict[str, int] = {}
            self._closes: dict[str, int] = {}
            self._tickers: dict[str, tuple[int, int]] = {}
            with gzip.open(path, "rb") as file:
                for line in file:
                    frame = json.loads(line)
                    if frame["market_ticker"] != LEFT_OUT:
                        getattr(self, f"take_{frame['type']}", lambda *_: None)(frame["market_ticker"], frame["msg"])

    def take_watch_market(self, market: str, message: dict[str, str]) -> None:
        self._closes[market] = round(datetime.fromisoformat(message["close_time"]).timestamp() * 1_000)

    def take_orderbook_snapshot(self, market: str, message: dict[str, list[list[str]]]) -> None:
        self._books[market] = {
            side: {ticks(price): cc(size) for price, size in message.get(f"{side}_dollars_fp", ())}
            for side in ("yes", "no")
        }
        self._born = {place: born for place, born in self._born.items() if place[0] != market}
        self._at.pop(market, None)

    def take_orderbook_delta(self, market: str, message: dict[str, str]) -> None:
        at_ms, side, price, change = int(message["ts_ms"]), message["side"], *numbers(message)
        self._stood(market, at_ms)
        self.seconds[market][at_ms // 1_000] += 1
        self.instants[market, at_ms] += 1
        if change > 0:
            self.adds.append(change)
        levels = self._books[market][side]
        if price not in levels:
            self._born[market, side, price] = at_ms
        levels[price] = levels.get(price, 0) + change
        if not levels[price]:
            del levels[price]
            born = self._born.pop((market, side, price), None)
            self.lives += [] if born is None else [at_ms - born]
        was_crossed = self._is_crossed(market)
        bids, asks = self._books[market].values()
        self._bests[market] = (max(bids), 10_000 - max(asks)) if bids and asks else None
        self.crossed += self._is_crossed(market) and not was_crossed

    def take_ticker(self, market: str, message: dict[str, str]) -> None:
        at_ms, volume = int(message["ts_ms"]), cc(message["volume_fp"])
        before = self._tickers.get(market)
        if before is None or volume != before[1]:
            self.trades.append(cc(message["last_trade_size_fp"]))
        if before is not None and FROM_MS < self._closes[market] - at_ms <= TO_MS:
            self.volume_ms += at_ms - before[0]
            self.volume_cc += volume - before[1]
        self._tickers[market] = (at_ms, volume)

    def _is_crossed(self, market: str) -> bool:
        bests = self._bests.get(market)
        return bests is not None and bests[0] > bests[1]

    def _stood(self, market: str, at_ms: int) -> None:
        from_ms, close_ms, bests = self._at.get(market, at_ms), self._closes[market], self._bests.get(market)
        first, last = max(from_ms, close_ms - TO_MS), min(at_ms, close_ms - FROM_MS)
        if bests is not None and bests[0] < bests[1] and last > first:
            self.spreads[bests[1] - bests[0]] += last - first
        self._at[market] = max(from_ms, at_ms)


def numbers(message: dict[str, str]) -> tuple[int, int]:
    return ticks(message["price_dollars"]), cc(message["delta_fp"])


def ticks(text: str) -> int:
    return round(float(text) * 10_000)


def cc(text: str) -> int:
    return round(float(text) * 100)


def percentile(values: list[int], percent: int) -> int:
    """The lowest value that so many percent of all do not exceed."""
    return sorted(values)[max(0, -(-percent * len(values) // 100) - 1)]


def heavy(weights: Counter[int], percent: int) -> int:
    passed, wanted = 0, percent * weights.total()
    for value in sorted(weights):
        passed += 100 * weights[value]
        if passed >= wanted:
            return value
    raise AssertionError("nothing was weighed")


@pytest.fixture(scope="module")
def paths(shared_data: Path) -> list[Path]:
    return [shared_data / "btc15m" / f"{name}.jsonl.gz" for name in (SOUND, BROKEN)]


@pytest.fixture(scope="module")
def recount(paths: list[Path]) -> Recount:
    return Recount(*paths)


@pytest.fixture(scope="module")
def measured(paths: list[Path]) -> Measured:
    return msgspec.json.decode(fairstrike("stats", *paths, "--json"), type=Measured)


@pytest.fixture(scope="module")
def stretch(measured: Measured) -> Stretch:
    return next(part for part in measured.stretches if part.time_to_close == STRETCH)


def test_a_broken_market_is_left_out_and_no_other(measured: Measured) -> None:
    faulty = {market.ticker for market in measured.markets if market.gaps or market.frozen}
    assert (faulty, measured.markets_counted, measured.markets_left_out) == ({LEFT_OUT}, 3, 1)


def test_deltas_by_second(measured: Measured, recount: Recount) -> None:
    counts = [n[second] for n in recount.seconds.values() for second in range(min(n), max(n) + 1)]
    found = measured.deltas_per_second
    assert measured.deltas_counted == sum(counts)
    assert found["mean"] == pytest.approx(sum(counts) / len(counts), abs=1e-5)
    assert (found["p50"], found["p99"], found["max"]) == (percentile(counts, 50), percentile(counts, 99), max(counts))


def test_deltas_by_millisecond(measured: Measured, recount: Recount) -> None:
    counts = list(recount.instants.values())
    expected = {"p50": percentile(counts, 50), "p99": percentile(counts, 99), "max": max(counts)}
    assert measured.deltas_per_millisecond == expected


def test_sizes(measured: Measured, recount: Recount) -> None:
    for name, values in (("add_contracts", recount.adds), ("trade_contracts", recount.trades)):
        assert getattr(measured, name) == {
            f"p{percent}": percentile(values, percent) / 100 for percent in (10, 50, 90, 99)
        }


def test_lives_of_levels(measured: Measured, recount: Recount) -> None:
    expected = {f"p{percent}": percentile(recount.lives, percent) / 1_000 for percent in (10, 50, 90)}
    assert measured.level_life_seconds == expected


def test_spreads_by_time(stretch: Stretch, recount: Recount) -> None:
    assert stretch.spread_cents == {f"p{percent}": heavy(recount.spreads, percent) / 100 for percent in (10, 50, 90)}
    assert stretch.seconds == recount.spreads.total() / 1_000


def test_contracts_by_time(stretch: Stretch, recount: Recount) -> None:
    expected = recount.volume_cc / 100 / (recount.volume_ms / 1_000)
    assert stretch.contracts_per_second == pytest.approx(expected, abs=1e-5)


def test_crossed_spells(measured: Measured, recount: Recount) -> None:
    assert (measured.crossings["crossed"], measured.crossings["outlived"]) == (recount.crossed, 0)
    assert recount.crossed > 0
