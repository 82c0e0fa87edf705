"""`python -m bench.calibration FOLDER`: how good fair values were, second by second, on recorded 15-minute markets.

Every second before each close the model's probability and variants of it are held against the market's mid and, in the
end, against the result. Variants: other volatilities from the same prints, the last minute's own volatility inside the
settlement window, fat tails. Prints Markdown. Nothing is timed and nothing is fitted here; the variants are fixed.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench.studying import captures_of, printed
from fairstrike.app import build, replaying
from fairstrike.app.turn import Turn
from fairstrike.core.contract import Contract
from fairstrike.core.events import Event
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR, TICKS_PER_DOLLAR
from fairstrike.engine import Engine
from fairstrike.market.window import window_state
from fairstrike.pricing.estimators import annualised
from fairstrike.pricing.last_minute import Params as LastMinuteParams
from fairstrike.pricing.last_minute import last_minute_vol
from fairstrike.pricing.settlement import SettlementInputs, probability, seen_prints, settlement_law
from fairstrike.pricing.tails import MixtureTails, StudentTails, Tails, fattened
from fairstrike.pricing.volatility import Params as VolatilityParams
from fairstrike.pricing.volatility import realised_vol
from fairstrike.research.scoring import Comparison, Estimate, Forecast, brier, comparison, reliability
from fairstrike.store.journal import Journal

MODEL = "model as traded (weighted, half-life 5 min)"
HORIZONS = (("whole window", 0, 15), ("over 5 min", 5, 15), ("5–2 min", 2, 5), ("2–1 min", 1, 2), ("last minute", 0, 1))
_LOOK_BACK_S, _STEP_S, _RETURNS_MIN = 1_800, 5, 24
_LAST_MINUTE = LastMinuteParams(stretches_min=5)
Vol = Callable[[Mapping[int, int], int, int], float | None]


def sparse_vol(prints: Mapping[int, int], second: int, left: int) -> float | None:
    """Give the volatility of returns over five seconds or more: trades bounce less from one to the next."""
    squares, start, last = 0.0, 0, 0
    count = 0
    for at in range(second - _LOOK_BACK_S, second + 1):
        value = prints.get(at)
        if value is None or (last and at - last < _STEP_S):
            continue
        if last:
            squares += ((value - prints[last]) / prints[last]) ** 2
            count += 1
        start, last = start or at, at
    return annualised(squares, last - start) if count >= _RETURNS_MIN else None


def half_hour_vol(prints: Mapping[int, int], second: int, left: int) -> float | None:
    """Give the realised volatility of the last half hour, each second with the same weight."""
    return realised_vol(prints, second, VolatilityParams())


def ending_vol(prints: Mapping[int, int], second: int, left: int) -> float | None:
    """Give the last minute's own volatility while prints are left of it, else none."""
    return last_minute_vol(prints, second, left, _LAST_MINUTE) if 0 < left < 60 else None


VOLS: dict[str, Vol] = {
    "realised half hour": half_hour_vol,
    "returns over 5 s": sparse_vol,
    "last minute's own inside the window": ending_vol,
}
TAILS: dict[str, Tails] = {
    "Student's t, 4 degrees": StudentTails(freedom=4.0),
    "Student's t, 6 degrees": StudentTails(freedom=6.0),
    "mixture, 5 % four times as wide": MixtureTails(weight=0.05, ratio=4.0),
}


class Seconds:
    """The witness: each second's forecasts of every market that is struck, quoted on both sides and priced."""

    def __init__(self) -> None:
        """Start with none."""
        self.rows: dict[str, list[tuple[str, int, str, float, float]]] = {}
        self._second = 0

    def __call__(self, at_ns: int, events: Sequence[Event], engine: Engine) -> None:
        """Look once a second, after the engine has folded what came."""
        if at_ns // SECOND_NS == self._second:
            return
        self._second = at_ns // SECOND_NS
        for ticker, listing in engine.catalog.listings.items():
            view = engine.view(at_ns, ticker)
            book = view.book
            if view.p_fair is None or book is None or not 0 < view.closes_in_ns <= 15 * MINUTE_NS:
                continue
            if book.bid_ticks is None or book.ask_ticks is None:
                continue
            p_market = (book.bid_ticks + book.ask_ticks) / (2 * TICKS_PER_DOLLAR)
            for name, p in self._variants(engine, listing.contract, at_ns, view.p_fair).items():
                row = (ticker, view.closes_in_ns, listing.contract.group, p, p_market)
                self.rows.setdefault(name, []).append(row)

    def _variants(self, engine: Engine, contract: Contract, at_ns: int, p_model: float) -> dict[str, float]:
        found = {MODEL: p_model} | {name: fattened(p_model, law) for name, law in TAILS.items()}
        reference = engine.fairs.reference(contract.asset, at_ns)
        assert reference is not None, "there is a fair value"
        prints = engine.fairs.index[contract.asset].series[reference.source].prints
        window = window_state(prints, contract.close_ns, at_ns - engine._offset_ns(reference.source))
        seen = seen_prints(prints, window.over)
        for name, vol in VOLS.items():
            vol_annual = None if seen is None else vol(prints, max(prints), window.left)
            if seen is None or vol_annual is None:
                found[name] = p_model
                continue
            inputs = SettlementInputs(
                spot=reference.value_e8 / E8_PER_DOLLAR,
                vol_annual=vol_annual,
                first_s=window.first_s,
                left=window.left,
                seen_sum=seen.seen_sum,
                sd_dollars=reference.sd_e8 / E8_PER_DOLLAR,
                bridge_s=seen.bridge_s,
            )
            found[name] = probability(contract, settlement_law(inputs))
        return found


def forecasts_of(folder: Path) -> dict[str, list[Forecast]]:
    """Give the forecasts of every variant on the captures of a folder whose markets have a result."""
    files = captures_of(folder)
    settings = replaying.settings_of(
        None, replaying.Choices(strategies=("none",), cash="1", size=1, net_max=1, edge=1.0)
    )
    prepared = replaying.prepare(files, settings)
    witness = Seconds()
    with tempfile.TemporaryDirectory() as place:
        engine, journal = build.engine(prepared.started, settings), Journal(Path(place), settings.journal)
        turn = Turn(engine, journal, keeps_inputs=False)
        replaying.drive(prepared, engine, turn, lambda _: None, lambda at_ns, events: witness(at_ns, events, engine))
        journal.close(prepared.started.run_ns)
    settled = engine.clerk.ledger.settled
    return {
        name: [
            Forecast(
                group=group, closes_in_ns=left, p_model=p, p_market=market, outcome=settled[ticker] / TICKS_PER_DOLLAR
            )
            for ticker, left, group, p, market in rows
            if ticker in settled
        ]
        for name, rows in witness.rows.items()
    }


def beside_plain(variant: Sequence[Forecast], plain: Sequence[Forecast]) -> list[Forecast]:
    """Give a variant's forecasts with the plain model's, of the same instants, in the market's place."""
    return [msgspec.structs.replace(one, p_market=other.p_model) for one, other in zip(variant, plain, strict=True)]


def told(found: Mapping[str, Sequence[Forecast]]) -> str:
    """Give the tables: Brier scores by variant and horizon, and reliability of the model and the market."""
    lines: list[str] = []
    for title, above, up_to in HORIZONS:
        kept = {
            name: [one for one in each if above * MINUTE_NS < one.closes_in_ns <= up_to * MINUTE_NS]
            for name, each in found.items()
        }
        rows = {name: comparison(each, brier, 1.0) for name, each in kept.items()}
        beside = {name: comparison(beside_plain(each, kept[MODEL]), brier, 1.0) for name, each in kept.items()}
        first = rows[MODEL]
        count = f"{first.model.count:,} forecasts of {first.model.events} events"
        lines += [
            f"### {title}: {count}, market {_score(first.market)}",
            "",
            "| variant | Brier score | less the market's | less the plain model's |",
            "|---|---|---|---|",
            *(
                f"| {name} | {_score(row.model)} | {_difference(row)} | {_difference(beside[name])} |"
                for name, row in rows.items()
            ),
            "",
        ]
    both = reliability(found[MODEL])
    lines += ["| forecast | model: said | happened | market: said | happened |", "|---|---|---|---|---|"]
    for mine, theirs in zip(both.model, both.market, strict=True):
        cells = " | ".join(f"{_number(one.forecast)} | {_score(one.observed)}" for one in (mine, theirs))
        lines.append(f"| {mine.low:.1f}–{mine.high:.1f} | {cells} |")
    return "\n".join(lines)


def main() -> int:
    """Study a folder of captures and print. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of *.jsonl.gz captures with their results")
    folder = parser.parse_args().folder
    return printed(lambda: told(forecasts_of(folder)))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _score(one: Estimate) -> str:
    if one.mean is None:
        return ""
    return f"{one.mean:.4f}" if one.low is None else f"{one.mean:.4f} ({one.low:.4f} to {one.high:.4f})"


def _difference(row: Comparison) -> str:
    one = row.difference
    if one.mean is None or one.low is None or one.high is None:
        return ""
    return f"{one.mean:+.4f} ({one.low:+.4f} to {one.high:+.4f})".replace("-", "−")


if __name__ == "__main__":
    sys.exit(main())
