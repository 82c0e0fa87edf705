"""Memory of an exchange with six hundred open markets over an hour of venue time, in a process of its own.

The child opens an hourly ladder of 599 strikes and the 15-minute market beside it, with a client that listens to all
books, and prints what it holds at the minutes asked for.
"""

import resource
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.measuring import Figure, Progress, Scale
from fairstrike.core.timing import MILLISECOND_NS, parse_rfc3339_ns
from fairstrike.exchange.calibrated import CalibratedParams, CalibratedWorld
from fairstrike.exchange.candles import Candles
from fairstrike.exchange.floor import MarketStatus
from fairstrike.exchange.streaming import Streams
from fairstrike.exchange.worlds import WorldParams
from fairstrike.venue.kalshi.wire.commands import Subscribe, SubscribeParams, encode_command

SECTION = "memory of an exchange with 600 open markets, by minutes of venue time"
MINUTES = (1, 5, 15, 30, 45, 60)

_START_NS = parse_rfc3339_ns("2026-11-21T21:00:00Z")
_STEP_NS = 100 * MILLISECOND_NS
_STRIKES = 599
_DELTA, _TRADE = b'{"type":"orderbook_delta"', b'{"type":"trade"'


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the process holds at a minute: resident megabytes, open markets, and how much was told by then."""

    minute: int
    megabytes: float
    markets: int
    deltas: int
    trades: int


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give the resident memory at each minute, each beside the first, and what was told by the last."""
    minutes = tuple(minute for minute in MINUTES if minute <= scale.minutes)
    progress.step(f"memory over {minutes[-1]} minutes of venue time")
    command = [sys.executable, "-m", "bench.remembering", *map(str, minutes)]
    told = subprocess.run(command, check=True, capture_output=True).stdout
    rows = [msgspec.json.decode(line, type=Held) for line in told.splitlines()]
    first, last = rows[0], rows[-1]
    assert all(row.markets >= _STRIKES for row in rows), "the markets are open"
    found = [_figure(f"minute {row.minute}", "MB", row.megabytes) for row in rows]
    found = [
        msgspec.structs.replace(each, reference=found[0].name, ratio=each.middle / first.megabytes) for each in found
    ]
    told_by = f"told by minute {last.minute}"
    return [*found, _figure(f"deltas {told_by}", "", last.deltas), _figure(f"trades {told_by}", "", last.trades)]


def _figure(name: str, unit: str, value: float) -> Figure:
    return Figure(section=SECTION, name=name, unit=unit, runs=(value,))


class _Listener:
    """A client's connection to every book and trade, read as time goes by."""

    def __init__(self, streams: Streams, tickers: tuple[str, ...]) -> None:
        self._streams = streams
        self._connection = streams.connect("bench")
        self.deltas = self.trades = 0
        params = SubscribeParams(channels=("orderbook_delta", "trade"), market_tickers=tickers)
        streams.command(self._connection, encode_command(Subscribe(id=1, params=params)))

    def read(self) -> None:
        for frame in self._streams.frames(self._connection):
            self.deltas += frame.startswith(_DELTA)
            self.trades += frame.startswith(_TRADE)


def main() -> int:
    """Let the minutes pass and print a line at each that is asked for."""
    hourly = WorldParams(strikes=_STRIKES, strike_step_dollars=5)
    world = CalibratedWorld(seed=1, start_ns=_START_NS, params=CalibratedParams(hourly=hourly))
    streams, candles = Streams(world.floor), Candles(world.floor)
    listener = _Listener(streams, tuple(view.contract.ticker for view in world.floor.markets()))
    minutes = {int(minute) for minute in sys.argv[1:]}
    # The last step stops a millisecond short of the hour, at which the markets close.
    for step in range(1, max(minutes) * 600 + 1):
        now_ns = _START_NS + step * _STEP_NS - (MILLISECOND_NS if step == 36_000 else 0)
        world.advance(now_ns)
        happenings = world.floor.drain()
        candles.take(happenings)
        streams.publish(happenings, now_ns)
        listener.read()
        if step % 600 == 0 and step // 600 in minutes:
            markets = sum(view.status is MarketStatus.ACTIVE for view in world.floor.markets())
            row = Held(
                minute=step // 600,
                megabytes=_resident_mb(),
                markets=markets,
                deltas=listener.deltas,
                trades=listener.trades,
            )
            print(msgspec.json.encode(row).decode(), flush=True)
    return 0


def _resident_mb() -> float:
    """Give the memory of this process that is in use now; where the system does not say, its peak."""
    try:
        return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * resource.getpagesize() / 1e6
    except FileNotFoundError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    sys.exit(main())
