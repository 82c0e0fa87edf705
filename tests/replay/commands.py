"""The command line as people call it, and what it printed."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

LIMIT_S = 240


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """One market of `fairstrike replay --json`."""

    deltas: int
    snapshots: int
    gaps: int
    frozen: int
    best_yes_bid: str | None
    best_yes_ask: str | None
    fills: int
    fees: str
    pnl: str | None
    result: str | None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay printed, as far as it is promised."""

    markets: dict[str, Market]
    digest: str
    fills: int
    fees: str
    cash: str


def fairstrike(*arguments: str | Path) -> str:
    """What a command printed; it must end well."""
    command = [sys.executable, "-m", "fairstrike", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def replay(folder: Path, *arguments: str | Path) -> tuple[Replayed, dict[str, object]]:
    """A replay's figures, typed and as plain JSON."""
    printed = fairstrike("replay", *arguments, "--json", "--folder", folder)
    plain: dict[str, object] = json.loads(printed)
    return msgspec.json.decode(printed, type=Replayed), plain
