"""A long capture is replayed in the memory of a short one."""

import gzip
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.replay.commands import LIMIT_S

SHORT, LONG = 60_000, 480_000
GROWTH_MB_MAX = 20.0
BEGIN_NS = 1_778_688_000_000_000_000
STEP_NS = 4_000_000
TICKER = "KXBTC15M-26MAY131215-15"

# The replay of the command line, which prints the peak of memory, in kilobytes, before it draws the report.
MEASURED = """
import resource, sys
from fairstrike.app import cli, replaying
drive = replaying.drive
def measured(*arguments):
    drive(*arguments)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
replaying.drive = measured
cli.main()
"""


def capture(path: Path, deltas: int) -> None:
    """Write a packed capture of one market whose levels swell and shrink, a snapshot every ten thousand changes."""
    text = msgspec.json.encode
    with gzip.open(path, "wb", compresslevel=1) as file:

        def put(n: int, kind: str, seq: int | None, **message: object) -> None:
            told = {"market_ticker": TICKER} | message
            line = {"recv_ns": BEGIN_NS + n * STEP_NS, "type": kind, "seq": seq, "sid": None, "msg": told}
            file.write(text(line) + b"\n")

        put(0, "watch_market", None, close_time="2026-05-13T23:00:00Z", strike=79_271.97)
        for n in range(deltas):
            if n % 10_000 == 0:
                put(n, "orderbook_snapshot", n + n // 10_000, yes_dollars_fp=[["0.4000", "9.00"]], no_dollars_fp=[])
            price, size = f"0.{n // 2 % 40 + 1:02}00", "5.00" if n % 2 == 0 else "-5.00"
            stamp = (BEGIN_NS + n * STEP_NS) // 1_000_000
            change = {"price_dollars": price, "delta_fp": size, "side": "yes", "ts_ms": stamp}
            put(n, "orderbook_delta", n + n // 10_000 + 1, **change)


def peak_mb(folder: Path, deltas: int) -> float:
    """The most memory that a replay of so many changes held."""
    path = folder / f"{deltas}.jsonl.gz"
    capture(path, deltas)
    arguments = ["replay", str(path), "--json", "--strategy", "none", "--folder", str(folder / f"{deltas}")]
    command = [sys.executable, "-c", MEASURED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert f'"deltas":{deltas},' in done.stdout
    assert '"gaps":0,' in done.stdout
    return int(done.stderr.split()[-1]) / (1_024 if sys.platform == "linux" else 1_048_576)


def test_memory_does_not_grow_with_a_capture(tmp_path: Path) -> None:
    short, long = peak_mb(tmp_path, SHORT), peak_mb(tmp_path, LONG)
    assert long - short < GROWTH_MB_MAX
