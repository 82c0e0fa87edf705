"""`python -m bench.regimes FOLDER`: how often each regime is on recorded 15-minute markets, and what acting on it did.

Each strategy runs over the captures of the folder twice, with regimes as shipped and with bounds that no market
reaches, so that all is calm. Regimes are counted by the second, and results held against each other market by market.
Prints Markdown. Nothing is timed and nothing is fitted here.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.studying import captures_of, printed
from fairstrike.app import build, replaying
from fairstrike.app.turn import Turn
from fairstrike.core.events import Event
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import UD_PER_DOLLAR, format_ud
from fairstrike.engine import Engine
from fairstrike.pricing.regimes import Params as RegimeParams
from fairstrike.research.money import decided_ud
from fairstrike.research.scoring import Estimate, clustered_mean
from fairstrike.store.journal import Journal

STRATEGIES = ("taker", "market_maker")
NEVER = RegimeParams(jump_share=1.0, spike_sds=1e9, trend_sds=1e9)
UNKNOWN = "unknown"


class Seconds:
    """The witness: the regime and the level of each second that has a reference price."""

    def __init__(self) -> None:
        """Start with none."""
        self.regimes: Counter[str] = Counter()
        self.levels: Counter[str] = Counter()
        self.changes = 0
        self._second = 0
        self._last = ""

    def __call__(self, at_ns: int, events: Sequence[Event], engine: Engine) -> None:
        """Look once a second, after the engine has folded what came."""
        if at_ns // SECOND_NS == self._second or engine.fairs.reference("BTC", at_ns) is None:
            return
        self._second = at_ns // SECOND_NS
        seen = engine.fairs.regimes.get("BTC")
        now = UNKNOWN if seen is None else seen.regime.value
        self.changes += bool(self._last) and now != self._last
        self._last = now
        self.regimes[now] += 1
        self.levels[UNKNOWN if seen is None or seen.level is None else seen.level.value] += 1


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to: microdollars by decided market, fills, fees, and the seconds by regime."""

    gains: dict[str, int]
    groups: dict[str, str]
    fills: int
    fees_ud: int
    seconds: Seconds


def lived(files: Sequence[Path], strategy: str, regimes: RegimeParams) -> Outcome:
    """Run one strategy over the captures."""
    choices = replaying.Choices(strategies=(strategy,))
    plain = replaying.settings_of(None, choices)
    settings = msgspec.structs.replace(plain, rooms=msgspec.structs.replace(plain.rooms, regimes=regimes))
    prepared, witness = replaying.prepare(files, settings), Seconds()
    with tempfile.TemporaryDirectory() as place:
        engine, journal = build.engine(prepared.started, settings), Journal(Path(place), settings.journal)
        turn = Turn(engine, journal, keeps_inputs=False)
        replaying.drive(prepared, engine, turn, lambda _: None, lambda at_ns, events: witness(at_ns, events, engine))
        journal.close(prepared.started.run_ns)
    results = engine.clerk.ledger.results
    gains = {ticker: gain for _, ticker in results if (gain := decided_ud(engine, ticker)) is not None}
    return Outcome(
        gains=gains,
        groups={ticker: engine.catalog.group_of(ticker) for ticker in gains},
        fills=sum(result.fills for result in results.values()),
        fees_ud=engine.clerk.ledger.fees_ud,
        seconds=witness,
    )


def of_folder(folder: Path) -> str:
    """Give the tables of a folder of captures."""
    files = captures_of(folder)
    seconds: Seconds | None = None
    rows: list[str] = []
    for strategy in STRATEGIES:
        without, acting = (lived(files, strategy, regimes) for regimes in (NEVER, RegimeParams()))
        seconds = seconds or acting.seconds
        rows += [
            f"| {strategy}, {name} | {one.fills:,} | {format_ud(one.fees_ud)} | "
            f"{sum(one.gains.values()) / UD_PER_DOLLAR:+,.2f} | {gain} |"
            for name, one, gain in (("all is calm", without, ""), ("as shipped", acting, _told(_gain(acting, without))))
        ]
    assert seconds is not None
    total = sum(seconds.regimes.values())
    counted = [
        f"| {name} | {count:,} | {100 * count / total:.1f} % |"
        for counter in (seconds.regimes, seconds.levels)
        for name, count in counter.most_common()
    ]
    return "\n".join(
        [
            *("| regime, level | seconds | share |", "|---|---|---|", *counted),
            *("", f"{seconds.changes} changes of regime", ""),
            "| run | fills | fees | dollars | gained by acting, a market |",
            *("|---|---|---|---|---|", *rows),
        ]
    )


def _gain(acting: Outcome, without: Outcome) -> Estimate:
    """Give the mean difference of a market that either run traded, clustered by settlement event."""
    tickers = sorted(acting.gains | without.gains)
    groups = without.groups | acting.groups
    values = [(acting.gains.get(ticker, 0) - without.gains.get(ticker, 0)) / UD_PER_DOLLAR for ticker in tickers]
    return clustered_mean(values, [groups[ticker] for ticker in tickers])


def _told(one: Estimate) -> str:
    if one.mean is None or one.low is None or one.high is None:
        return "none"
    return f"{one.mean:+.2f} ({one.low:+.2f} to {one.high:+.2f}) in {one.count}".replace("-", "−")


def main() -> int:
    """Study a folder of captures and print. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.regimes", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of *.jsonl.gz captures with their results")
    folder = parser.parse_args().folder
    return printed(lambda: of_folder(folder))


if __name__ == "__main__":
    sys.exit(main())
