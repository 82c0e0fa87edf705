"""What a smoke test reports of what came, and what it refuses to listen to."""

from pathlib import Path

import msgspec
import pytest

from fairstrike.app import smoke
from fairstrike.app.places import Place
from fairstrike.core.errors import ConfigError, UsageError
from fairstrike.core.timing import MILLISECOND_NS, VenueClock
from fairstrike.venue.kalshi.probing import Probe
from tests.unit.venue.kalshi.fakes import TICKER, delta, snapshot
from tests.unit.venue.kalshi.test_probing import NOW_NS, confirmation, connected, opened, refusal

PLACE = Place(environment="box", origin="http://127.0.0.1:9", ws="ws://127.0.0.1:9/trade-api/ws/v2")
WANTED = smoke.Wanted(environment="box", seconds=2.0)


def reported(probe: Probe, factor: int = 1) -> smoke.Report:
    place = msgspec.structs.replace(PLACE, clock=VenueClock(factor=factor))
    return smoke._report(WANTED, place, probe, (NOW_NS - MILLISECOND_NS, NOW_NS + 40 * MILLISECOND_NS))


def test_a_sound_stream_has_no_problem() -> None:
    probe = opened(Probe((TICKER,)))
    for data in (snapshot(1), delta(2), delta(3)):
        probe.receive(data, NOW_NS + 20 * MILLISECOND_NS)
    report = reported(probe)
    assert (report.problems, report.exit_code) == ((), 0)
    book = report.channels[0]
    assert (book.channel, book.standing, book.frames, book.per_second) == ("orderbook_delta", "open", 3, 1.5)
    assert (book.age_ms_p50, book.age_ms_max, book.silent_ms) == (20.0, 20.0, 20.0)
    assert (report.books, report.connect_ms) == (1, 1.0)


def test_ages_are_real_time_whatever_the_venues_clock() -> None:
    probe = opened(Probe((TICKER,)))
    probe.receive(snapshot(1), NOW_NS)
    probe.receive(delta(2), NOW_NS + 20 * MILLISECOND_NS)
    assert reported(probe, factor=20).channels[0].age_ms_p50 == 1.0


def test_lost_frames_old_frames_and_a_lost_stream_are_problems() -> None:
    probe = opened(Probe((TICKER,)))
    for data in (snapshot(1), delta(4), b"not json"):
        probe.receive(data, NOW_NS + 3_000 * MILLISECOND_NS)
    opened(probe)
    report = reported(probe)
    assert report.exit_code == 3
    lost, missing, old, unreadable = report.problems
    assert lost.startswith("the stream was lost 1 times; check the network")
    assert missing.startswith("orderbook_delta lost 2 frames; ")
    assert old.startswith("orderbook_delta is 3.0 s behind; check this machine's clock")
    assert unreadable.startswith("1 frames could not be read; ")


def test_a_market_without_a_book_is_a_problem() -> None:
    report = reported(opened(Probe((TICKER,))))
    assert report.problems == ("1 of 1 markets sent no book; run this again for longer",)


def test_only_channels_that_trading_needs_must_be_granted() -> None:
    probe = Probe((TICKER,))
    for sid, (channel, number) in enumerate(connected(probe).items(), start=1):
        is_refused = channel in ("fill", "cfbenchmarks_value")
        probe.receive(refusal(number) if is_refused else confirmation(channel, sid, number), NOW_NS)
    probe.receive(snapshot(1), NOW_NS)
    (problem,) = reported(probe).problems
    assert problem.startswith("fill is needed to trade and is not open (refused: Authentication required (code 9)); ")
    assert problem.endswith("use a key that may")


def test_without_an_open_market_that_is_said() -> None:
    (problem,) = reported(opened(Probe(()))).problems
    assert problem.startswith("no market of these series is open")


@pytest.mark.parametrize("seconds", [0.0, 0.5, -1.0, 3_601.0, float("nan"), float("inf")])
def test_a_time_that_cannot_be_meant(seconds: float) -> None:
    with pytest.raises(UsageError, match="--seconds"):
        smoke.run(msgspec.structs.replace(WANTED, seconds=seconds), lambda second: None)


def test_too_many_markets() -> None:
    with pytest.raises(UsageError, match="at most 20 markets"):
        smoke.run(msgspec.structs.replace(WANTED, markets=("A",) * 21), lambda second: None)


def test_settings_name_the_environment_and_the_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KALSHI_ENV", raising=False)
    file = tmp_path / "s.toml"
    file.write_text('environment = "demo"\n[rooms.engine]\nseries = ["KXETHD"]\n')
    wanted = smoke.wanted(None, None, file, 12.0, ())
    assert (wanted.environment, wanted.series) == ("demo", ("KXETHD",))
    assert smoke.wanted("box", None, file, 12.0, ()).environment == "box"
    assert smoke.wanted(None, None, None, 12.0, ()).environment == "prod"
    file.write_text("nonsense = 1\n")
    with pytest.raises(ConfigError):
        smoke.wanted(None, None, file, 12.0, ())
