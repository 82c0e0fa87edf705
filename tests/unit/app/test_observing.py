"""`fairstrike observe`: what is printed as JSON, and how a trader that ends by itself is told."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import runfile, trading
from fairstrike.app.children import Child
from fairstrike.app.observing import Observation, TraderEnded
from fairstrike.core.effects import Watch
from fairstrike.core.events import BookLost, SpotFigures, SpotSummed
from fairstrike.core.timing import VenueClock
from fairstrike.store.journal import Journal, Params
from fairstrike.store.segments import DECISIONS, INPUTS
from tests.commands import fairstrike, write_line
from tests.unit.app.desk.sample import spot_told
from tests.unit.app.desk.test_sights import FITTED, RISKLESS, STARTED, TREND, UP, decided
from tests.unit.engine_samples import T, U, at, listed, printed, snapshot

ASLEEP = "import time; time.sleep(60)"


def journaled(folder: Path) -> None:
    """A run folder in which two markets are watched, one of them without its book."""
    journal = Journal(folder / "journal", Params())
    decisions = (decided(4_000, 4_200), FITTED, RISKLESS, TREND)
    known = SpotFigures(
        asset="BTC", source="binance", last_e8=8_000_050_000_000, vwap_e8=8_000_000_000_000, vol_ppm=412_500
    )
    unknown = SpotFigures(asset="BTC", source="gemini", last_e8=None, vwap_e8=None, vol_ppm=None)
    told = (spot_told(at(6), 9), SpotSummed(figures=(known, unknown), recv_ns=at(6)))
    lost = BookLost(ticker=U, reason="gap", recv_ns=at(1))
    inputs = (listed(), listed(U), UP, printed(8, 80_123), snapshot(1), lost, *told)
    for chain, bodies in ((DECISIONS, (STARTED, Watch(tickers=(T, U)))), (INPUTS, inputs), (DECISIONS, decisions)):
        for body in bodies:
            journal.append(chain, type(body).__name__, at(5), body)
    journal.close(at(5))


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    wanted = trading.Wanted(mode="observe", environment="box", box=write_line(tmp_path), folder=tmp_path / "run")
    folder = trading.prepare(wanted)
    # Its clock stands at ten seconds after the start of the run.
    stopped = VenueClock(anchor_venue_ns=at(10), factor=0)
    runfile.write(folder, msgspec.structs.replace(runfile.read(folder), clock=stopped))
    return folder


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Child]]:
    """Starts a process that runs some code in a trader's place, and ends it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ExitStack() as stack:

        def started(code: str) -> Child:
            (tmp_path / "acting.py").write_text(code, encoding="utf-8")
            made = Child("trader", [], tmp_path / "trader.log", module="acting")
            stack.callback(made.end)
            return made

        yield started


def test_everything_seen_is_one_object(run_folder: Path, child: Callable[[str], Child]) -> None:
    journaled(run_folder)
    observation = Observation(run_folder, child(ASLEEP))
    observation.look()
    seen = json.loads(msgspec.json.encode(observation.seen()))
    (event,) = seen.pop("events")
    assert seen.pop("spot") == [
        {
            "asset": "BTC",
            "source": "binance",
            "last": "80000.50000000",
            "vwap_60s": "80000.00000000",
            "vol_annual": "0.412500",
        },
        {"asset": "BTC", "source": "gemini", "last": None, "vwap_60s": None, "vol_annual": None},
    ]
    assert seen.pop("funding") == [
        {"asset": "BTC", "source": "binance", "rate": "-0.00000009", "mark": "0.00000007", "paid_in_s": -4.0}
    ]
    assert seen == {"venue_ns": at(10), "environment": "box", "stream": "up", "warnings": []}
    there, gone = event.pop("markets")
    assert event == {
        "event_ticker": "KXBTCD-26MAY1417",
        "asset": "BTC",
        "settlement_group": FITTED.group,
        "closes_in_s": 3_590.0,
        "reference": {"value": "80123.00000000", "source": "official", "is_proxy": False, "age_s": 2.0},
        "regime": "trending",
        "vol_level": "HIGH",
        "fit": {"age_s": 1.0, "contradiction": "0.012500"},
        "riskless": {
            "age_s": 2.0,
            "gain": "0.250000",
            "legs": [
                {"ticker": T, "action": "buy", "price": "0.4000", "size": "1.50"},
                {"ticker": U, "action": "sell", "price": "0.6100", "size": "1.00"},
            ],
        },
        "reference_absent": None,
        "fair_absent": None,
    }
    assert there == {
        "ticker": T,
        "comparison": "greater",
        "floor_strike": "80000.00000000",
        "cap_strike": None,
        "book": "stream",
        "absent": None,
        "bid": "0.4000",
        "bid_size": "7.00",
        "ask": "0.4200",
        "ask_size": "9.00",
        "fair": "0.450000",
        "model_minus_market": "0.040000",
        "fitted": "0.429000",
        "model_minus_fitted": "0.021000",
    }
    assert (gone["ticker"], gone["book"], gone["absent"], gone["bid"]) == (U, "absent", "frames were lost", None)


def test_of_a_trader_that_stands_still_nothing_is_shown_as_current(
    run_folder: Path, child: Callable[[str], Child]
) -> None:
    journaled(run_folder)
    runfile.write(
        run_folder, msgspec.structs.replace(runfile.read(run_folder), clock=VenueClock(anchor_venue_ns=at(10)))
    )
    observation = Observation(run_folder, child(ASLEEP), silent_s=0.2)
    observation.look()
    assert (observation.seen().stream, observation.sights.silence) == ("up", "")
    time.sleep(0.3)
    observation.look()
    assert (observation.seen().stream, observation.sights.silence) == ("the trader is silent", "the trader is silent")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "import sys; print('fairstrike: the venue is away; wait', file=sys.stderr); sys.exit(3)",
            "the venue is away; wait",
        ),
        ("import sys; sys.exit(5)", "the trader ended by itself with exit code 5 (nothing was said); see "),
    ],
)
def test_a_trader_that_ends_is_told_in_its_own_words(
    run_folder: Path, child: Callable[[str], Child], code: str, expected: str
) -> None:
    trader = child(code)
    trader.wait(30)
    with pytest.raises(TraderEnded) as ended:
        Observation(run_folder, trader).look()
    assert str(ended.value).startswith(expected)
    assert ended.value.exit_code == trader.process.returncode


def test_the_table_needs_a_terminal(tmp_path: Path) -> None:
    said = fairstrike("observe", folder=tmp_path)
    assert (said.code, said.sentence) == (2, "the live table needs a terminal; use --json for one object a second")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--env", "moon"), "there is no --env 'moon'; choose prod, demo, box"),
        (("--env", "box"), "--env box needs --box FILE, the file with the first line of `fairstrike exchange --json`"),
    ],
)
def test_bad_input(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    said = fairstrike("observe", "--json", *arguments, folder=tmp_path)
    assert (said.code, said.out, said.sentence) == (2, "", expected)


def test_a_venue_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    said = fairstrike("observe", "--json", "--env", "box", "--box", write_line(tmp_path), folder=tmp_path)
    assert said.code == 3
    assert said.sentence.startswith("http://127.0.0.1:9 gave no answer")
    assert said.sentence.endswith("check the address and the network.")
