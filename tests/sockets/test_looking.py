"""doctor and smoke against an exchange in a box, as commands: what they find, and every way of not being fit."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairstrike.exchange.announcement import Announcement
from tests.commands import PROGRAM, Said, fairstrike, run, write_key
from tests.sockets.spot import SpotVenues, coinbase
from tests.sockets.test_bad_input import PATIENCE_S, UNREADABLE, administer, exchange

BOX = ("--env", "box", "--box", "exchange.log")
CHECKS = ["config", "address", "key", "folder", "disk", "exchange", "clock", "account", "limits", "stream"]
WATCHED = """
import sys
from typer.main import get_command
from fairstrike.app.cli import app
from fairstrike.venue.kalshi.signing import Signer
asked, sign = [], Signer.sign
Signer.sign = lambda self, method, path, at: asked.append((self.allowed.value, method)) or sign(self, method, path, at)
code = get_command(app).main(sys.argv[1:], standalone_mode=False)
print(code, sorted(set(asked)), "fairstrike.venue.kalshi.writes" in sys.modules, "fairstrike.app.run" in sys.modules)
"""

HELD = """
import sys
from typer.main import get_command
from fairstrike.app.cli import app
get_command(app).main(sys.argv[1:], standalone_mode=False)
print(sorted(name for name in sys.modules if name.startswith("fairstrike.venue.over_")))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("looking")


@pytest.fixture(scope="module")
def line(place: Path) -> Iterator[Announcement]:
    # As fast as real time, so that its markets are open for as long as these tests take.
    with exchange(place, "--speed", "1") as announced:
        yield announced


def doctor(place: Path, *more: object, **environment: str) -> tuple[Said, dict[str, dict[str, object]]]:
    """The command as it ended, and its checks by name."""
    said = run("env", *_pairs(environment), *PROGRAM, "doctor", "--json", *more, folder=place)
    findings = json.loads(said.out)["findings"]
    assert [found["check"] for found in findings] == CHECKS
    assert said.err == ""
    failed = [found["exit_code"] for found in findings if found["state"] == "failed"]
    assert said.code == (failed[0] if failed else 0)
    return said, {found["check"]: found for found in findings}


def foreign(line: Announcement, folder: Path, **more: str) -> dict[str, str]:
    """An environment `demo` whose addresses are the box's, with a key of its own."""
    (folder / "quiet.toml").write_text("spot.is_on = false\n")
    addresses = {"KALSHI_BASE_URL": line.rest, "KALSHI_WS_URL": line.ws}
    key = write_key(folder / "foreign.pem")
    return addresses | {"KALSHI_DEMO_KEY_ID": "of-demo", "KALSHI_DEMO_KEY_PATH": str(key)} | more


def test_a_sound_machine(place: Path, line: Announcement) -> None:
    said, checks = doctor(place, *BOX)
    assert said.code == 0
    assert {found["state"] for found in checks.values()} == {"ok"}, checks
    told = "$10,000.00 in cash, $10,000.00 of it where crypto trades; the key may read, write"
    assert checks["account"]["says"] == told
    assert str(checks["limits"]["says"]).startswith("basic: 200 read and 100 write tokens a second")
    secret = Path(line.accounts[0].private_key).read_text().splitlines()[1]
    assert secret not in said.out
    assert line.accounts[0].key_id not in said.out


def test_a_sound_machine_for_people(place: Path, line: Announcement) -> None:
    said = fairstrike("doctor", *BOX, folder=place)
    rows = said.out.splitlines()
    assert said.code == 0
    assert [row.split()[:2] for row in rows[:10]] == [["✓", name] for name in CHECKS]
    assert rows[10:] == ["", "fit to run on box"]


@pytest.mark.parametrize(("skew_ms", "word"), [("2000", "behind"), ("-2000", "ahead of")])
def test_a_clock_that_is_two_seconds_off(tmp_path: Path, skew_ms: str, word: str) -> None:
    with exchange(tmp_path, "--clock-skew-ms", skew_ms):
        said, checks = doctor(tmp_path, *BOX)
    assert said.code == 4
    assert f" s {word} the venue's; synchronise it (" in str(checks["clock"]["says"])
    assert checks["account"]["state"] == "ok"


def test_the_key_of_another_environment(place: Path, line: Announcement, tmp_path: Path) -> None:
    said, checks = doctor(place, "--env", "demo", "--config", tmp_path / "quiet.toml", **foreign(line, tmp_path))
    assert said.code == 3
    assert checks["exchange"]["state"] == checks["clock"]["state"] == "ok"
    assert str(checks["account"]["says"]).endswith(
        "; the key id is of another environment, or was deleted: use a key of this environment"
    )
    assert checks["stream"]["says"] == "not made, it needs the account"
    heard = run("env", *_pairs(foreign(line, tmp_path)), *PROGRAM, "smoke", "--env", "demo", folder=place)
    assert heard.code == 3
    assert heard.sentence.endswith("use a key of this environment")


def test_the_file_of_another_key(place: Path, line: Announcement, tmp_path: Path) -> None:
    mixed = foreign(line, tmp_path, KALSHI_DEMO_KEY_ID=line.accounts[0].key_id)
    said, checks = doctor(place, "--env", "demo", "--config", tmp_path / "quiet.toml", **mixed)
    assert said.code == 3
    assert "the key file does not belong to the key id: give the private key" in str(checks["account"]["says"])


def test_an_address_of_another_environment(place: Path) -> None:
    said, checks = doctor(place, "--env", "prod", KALSHI_BASE_URL="https://demo-api.kalshi.co/trade-api/v2")
    assert said.code == 2
    assert checks["address"]["says"] == (
        "demo-api.kalshi.co is a host of demo, but the environment is prod; make them agree"
    )
    assert checks["exchange"]["state"] == "skipped"


def test_a_venue_that_cannot_be_reached(place: Path, line: Announcement, tmp_path: Path) -> None:
    gone = foreign(line, tmp_path, KALSHI_BASE_URL="http://127.0.0.1:9", KALSHI_WS_URL="ws://127.0.0.1:9")
    said, checks = doctor(place, "--env", "demo", "--config", tmp_path / "quiet.toml", **gone)
    assert said.code == 3
    assert str(checks["exchange"]["says"]).endswith(": check the address and the network.")
    heard = run("env", *_pairs(gone), *PROGRAM, "smoke", "--env", "demo", folder=place)
    assert heard.code == 3
    assert heard.sentence.endswith(": check the address and the network.")
    # The stream alone gone, with its market named so that nothing else is asked.
    gone["KALSHI_BASE_URL"] = line.rest
    heard = run("env", *_pairs(gone), *PROGRAM, "smoke", "--env", "demo", "--market", "X", folder=place)
    assert heard.code == 3
    assert heard.sentence.endswith(": check the address, the network and the key.")


def test_a_full_disk(place: Path, line: Announcement) -> None:
    # No file of this process may grow.
    full = run("sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *PROGRAM, "doctor", "--json", *BOX, folder=place)
    assert full.code == 2
    checks = {found["check"]: found for found in json.loads(full.out)["findings"]}
    for name in ("folder", "disk"):
        assert checks[name]["says"] == (
            "runs cannot be written to (File too large): make room and correct its permissions, or use another --folder"
        )
    assert checks["account"]["state"] == "ok"
    said, checks = doctor(place, *BOX, "--disk-min", "1e9")
    assert said.code == 2
    assert str(checks["disk"]["says"]).endswith("a run needs 1,000,000,000.0 GiB: free some, or use another --folder")


def test_bad_settings(place: Path, line: Announcement) -> None:
    (place / "bad.toml").write_text("sede = 1\n")
    said, checks = doctor(place, "--box", "exchange.log", "--config", "bad.toml")
    assert said.code == 2
    assert checks["config"]["says"] == "bad.toml: there is no setting 'sede'; did you mean 'seed'?"


@pytest.mark.parametrize("is_any", [True, False])
def test_each_spot_venue_has_its_row(place: Path, line: Announcement, is_any: bool) -> None:
    with SpotVenues(line.clock, {"coinbase": coinbase}) as venues:
        gone = "ws://127.0.0.1:9"
        hosts = f'coinbase = "{venues.hosts["coinbase"] if is_any else gone}"\nkraken = "{gone}"\n'
        (place / "spot.toml").write_text(f"[spot.hosts]\n{hosts}")
        said = fairstrike("doctor", "--json", *BOX, "--config", "spot.toml", folder=place)
    findings = json.loads(said.out)["findings"]
    assert [found["check"] for found in findings] == [*CHECKS, "coinbase", "kraken"]
    first, second = findings[-2:]
    if is_any:
        assert said.code == 0
        assert re.fullmatch(r"answers in \d+ ms, its newest frame is [\d.]+ s old", first["says"])
        assert (first["state"], second["state"]) == ("ok", "warning")
        assert second["says"].startswith("no connection (")
        assert second["says"].endswith(
            "), the others are listened to: check the network, or give another host under spot.hosts"
        )
    else:
        assert (said.code, first["state"], second["state"]) == (3, "failed", "failed")
        assert "no spot venue is left: check the network" in first["says"]


def test_smoke_hears_every_channel(place: Path, line: Announcement) -> None:
    said = fairstrike("smoke", *BOX, "--seconds", "4", "--json", folder=place)
    assert (said.code, said.err) == (0, "")
    report = json.loads(said.out)
    channels = {one["channel"]: one for one in report["channels"]}
    for name in ("orderbook_delta", "ticker", "market_lifecycle_v2", "fill", "user_orders", "cfbenchmarks_value"):
        assert channels[name]["standing"] == "open"
    assert channels["orderbook_delta"]["frames"] >= report["books"] == report["books_again"] == 20
    assert 0 <= channels["cfbenchmarks_value"]["age_ms_p50"] < 2_000
    assert (report["problems"], report["unreadable"], report["connections"]) == ([], 0, 1)
    assert sum(one["missing"] + one["repeated"] for one in channels.values()) == 0


def test_smoke_for_people(place: Path, line: Announcement) -> None:
    said = fairstrike("smoke", *BOX, "--seconds", "2", folder=place)
    rows = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert rows[0].endswith("/trade-api/ws/v2, 2 s")
    assert rows[-1] == "the stream is fit to trade on"


def test_smoke_tells_what_is_wrong_with_a_stream(place: Path, line: Announcement) -> None:
    with subprocess.Popen(
        [*PROGRAM, "smoke", *BOX, "--seconds", "6", "--json"],
        cwd=place,
        env=os.environ | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as hearing:
        try:
            while not connections(line):
                assert hearing.poll() is None
            for frame in UNREADABLE:
                administer(line, "inject", frame)
            # A jump before the channel's own first frame is none: said until somebody heard it.
            while hearing.poll() is None:
                administer(line, "inject", b'{"type":"orderbook_delta","sid":1,"seq":1000000,"msg":{}}')
                time.sleep(0.2)
            out, _ = hearing.communicate(timeout=PATIENCE_S)
        finally:
            hearing.kill()
    assert hearing.returncode == 3
    report = json.loads(out)
    assert report["unreadable"] > len(UNREADABLE)
    assert report["channels"][0]["missing"] > 900_000
    assert any(problem.startswith("orderbook_delta lost ") for problem in report["problems"])


def connections(line: Announcement) -> int:
    return int(state(line)["connections"])


def state(line: Announcement) -> dict[str, Any]:
    """What the administration shows of the world."""
    request = urllib.request.Request(f"{line.admin.url}/state", headers={"Authorization": f"Bearer {line.admin.token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_smoke_names_a_market_that_is_not_there(place: Path, line: Announcement) -> None:
    said = fairstrike("smoke", *BOX, "--seconds", "1", "--market", "NO-SUCH", folder=place)
    assert said.code == 3
    assert said.out.splitlines()[-1].endswith("correct the parameter that is named, such as a market that is not there")


def test_markets_are_listed_without_a_key(place: Path, line: Announcement) -> None:
    said = run(sys.executable, "-c", WATCHED, "markets", "--json", *BOX, folder=place)
    printed, counted = said.out.splitlines()
    assert counted == "None [] False False"
    report = json.loads(printed)
    assert (report["environment"], report["doubts"], report["unread"]) == ("box", [], {})
    assert [event["closes_in_s"] for event in report["events"]] == sorted(e["closes_in_s"] for e in report["events"])
    quarter, hour = sorted(report["events"], key=lambda event: len(event["markets"]))
    assert (quarter["series"], quarter["timeframe"], hour["series"]) == ("KXBTC15M", "15min", "KXBTCD")
    assert quarter["settlement_group"] == hour["settlement_group"]
    floors = [float(market["floor_strike"]) for market in hour["markets"]]
    assert len(floors) > 10
    assert floors == sorted(floors)


def test_markets_for_people_and_a_series_that_is_not_there(place: Path, line: Announcement) -> None:
    said = fairstrike("markets", *BOX, "--series", "KXBTCD", folder=place)
    title, _, _, row = said.out.splitlines()
    assert (said.code, title) == (0, "Events on box")
    event = row.split()[0]
    shown = fairstrike("markets", *BOX, "--event", event, folder=place)
    assert shown.out.count(f"{event}-T") > 10
    refused = fairstrike("markets", *BOX, "--series", "KXETH", folder=place)
    assert (refused.code, refused.out) == (3, "")
    assert refused.sentence.startswith("no series could be read: ")


@pytest.mark.parametrize("command", [("doctor",), ("smoke", "--seconds", "1")])
def test_who_looks_signs_reads_only_and_has_nothing_that_sends(
    place: Path, line: Announcement, command: tuple[str, ...]
) -> None:
    said = run(sys.executable, "-c", WATCHED, *command, *BOX, folder=place)
    assert said.out.splitlines()[-1] == "0 [('reads', 'GET')] False False"


@pytest.mark.parametrize(
    "command", [("doctor",), ("smoke", "--seconds", "1"), ("record", "--duration-seconds", "1", "--series", "KXBTC15M")]
)
def test_settings_say_who_holds_the_stream(place: Path, line: Announcement, command: tuple[str, ...]) -> None:
    (place / "fallback.toml").write_text('websocket = "aiohttp"\n')
    said = run(sys.executable, "-c", HELD, *command, *BOX, "--config", "fallback.toml", folder=place)
    assert said.out.splitlines()[-1] == "['fairstrike.venue.over_aiohttp']", said


def _pairs(environment: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]
