"""What doctor and smoke look like."""

from io import StringIO

import msgspec
import pytest
from rich.console import Console

from fairstrike.app import diagnosis_printing as printing
from fairstrike.app.doctor import Finding, Report, State
from fairstrike.venue.kalshi.probing import Probe
from tests.unit.app.test_smoke import reported
from tests.unit.venue.kalshi.fakes import TICKER, delta, snapshot
from tests.unit.venue.kalshi.test_probing import NOW_NS, confirmation, connected, refusal

OK = Finding(check="config", state=State.OK, says="fine [sic]")
WARNING = Finding(check="disk", state=State.WARNING, says="little")
FAILED = Finding(check="exchange", state=State.FAILED, says="no answer: check the network", exit_code=3)
SKIPPED = Finding(check="clock", state=State.SKIPPED, says="not made, it needs the exchange")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    text = StringIO()
    monkeypatch.setattr(printing, "_console", Console(file=text))
    return text


def test_checks_are_told_one_a_line(screen: StringIO) -> None:
    with printing.findings(is_shown=True) as tell:
        for found in (OK, WARNING, FAILED, SKIPPED):
            tell(found)
    printing.verdict(Report(environment="box", findings=(OK, WARNING, FAILED, SKIPPED)))
    assert screen.getvalue().splitlines() == [
        "✓ config          fine [sic]",
        "! disk            little",
        "✗ exchange        no answer: check the network",
        "– clock           not made, it needs the exchange",
        "",
        "1 check failed, begin with exchange",
    ]


def test_a_sound_machine_is_told_so(screen: StringIO) -> None:
    printing.verdict(Report(environment="demo", findings=(OK,)))
    printing.verdict(Report(environment="demo", findings=(OK, WARNING, WARNING)))
    assert screen.getvalue().split("\n") == ["", "fit to run on demo", "", "fit to run on demo, 2 warnings", ""]


def test_nothing_is_told_when_it_is_not_wanted(screen: StringIO) -> None:
    with printing.findings(is_shown=False) as tell:
        tell(FAILED)
    assert screen.getvalue() == ""


def smoked(screen: StringIO, *, is_sound: bool) -> str:
    probe = Probe((TICKER,))
    for sid, (channel, number) in enumerate(connected(probe).items(), start=1):
        is_refused = channel == "cfbenchmarks_value"
        probe.receive(refusal(number) if is_refused else confirmation(channel, sid, number), NOW_NS)
    for data in (snapshot(1), delta(2 if is_sound else 4)):
        probe.receive(data, NOW_NS + 2_000_000)
    printing.smoked(msgspec.structs.replace(reported(probe), unknown={"new_thing": 2}))
    return screen.getvalue()


def test_channels_are_a_table_with_a_verdict(screen: StringIO) -> None:
    lines = smoked(screen, is_sound=True).splitlines()
    assert lines[0] == "ws://127.0.0.1:9/trade-api/ws/v2, 2 s"
    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert rows["orderbook_delta"] == ["open", "2", "1.0", "2.0", "2.0", "38"]
    assert rows["fill"] == ["open", "–", "–", "–"]
    assert rows["cfbenchmarks_value"] == ["refused", "–", "–", "–"]
    assert "cfbenchmarks_value: Authentication required (code 9)" in lines
    assert any("books of 1 of 1 market, 0 given anew · connected in 1 ms · unknown: new_thing 2" in x for x in lines)
    assert lines[-1] == "the stream is fit to trade on"


def test_problems_are_told_instead(screen: StringIO) -> None:
    lines = smoked(screen, is_sound=False).splitlines()
    assert lines[-1] == "✗ orderbook_delta lost 2 frames; check the network and this machine's load"
