"""What is built for a run, and what is not: no writes where none may be, no heavy package, no key in any text."""

import asyncio
import json
import sys
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import build, config, runfile
from fairstrike.app.clock import SystemClock
from fairstrike.app.places import place_of
from fairstrike.core.errors import ConfigError, CredentialError
from fairstrike.core.timing import SECOND_NS, VenueClock
from fairstrike.venue.kalshi.signing import SigningRefused
from fairstrike.venue.kalshi.wire.transport import Request
from fairstrike.venue.spot import roster
from tests.commands import run, trade, write_key, write_line

HEAVY = (
    "numba",
    "scipy",
    "pandas",
    "polars",
    "pyarrow",
    "sqlalchemy",
    "alembic",
    "typer",
    "rich",
    "pydantic",
    "lightgbm",
    "highspy",
)
WRITES = "fairstrike.venue.kalshi.writes"

BUILD = """
import asyncio, json, sys
from pathlib import Path
import msgspec
from fairstrike.app import build, config, run, runfile
from fairstrike.app.clock import SystemClock
file = runfile.read(Path(sys.argv[1]))
clock = SystemClock(file.clock)
async def parts():
    return build.shells(file, clock, lambda events: True)
shells = asyncio.run(parts())
settings = build.under_clock(file.settings, file.clock)
build.engine(build.run_started(settings, file.account, clock.now_ns()), settings)
print(json.dumps({"modules": sorted(sys.modules), "writes": shells.writes is not None}))
"""


def without_key(folder: Path, environment: config.Environment) -> runfile.RunFile:
    """A run that observes an environment without a key."""
    settings = msgspec.structs.replace(config.observe_profile(environment), execution="observe")
    to = place_of(environment, write_line(folder) if environment == "box" else None)
    return runfile.RunFile(settings=settings, origin=to.origin, ws=to.ws, clock=to.clock)


def run_file(folder: Path, execution: config.Execution) -> runfile.RunFile:
    """A run of one execution against an exchange that does not exist."""
    return runfile.RunFile(
        settings=msgspec.structs.replace(config.box_profile(), execution=execution),
        origin="http://127.0.0.1:9",
        ws="ws://127.0.0.1:9/trade-api/ws/v2",
        clock=VenueClock(),
        key_id="key-of-nobody",
        key_path=str(write_key(folder / "key.pem")),
    )


def built(folder: Path, file: runfile.RunFile) -> tuple[set[str], bool]:
    """Modules loaded by a process that imports the trader and builds a run, and whether it got writes."""
    runfile.write(folder, file)
    said = run(sys.executable, "-c", BUILD, folder, folder=folder)
    assert (said.code, said.err) == (0, "")
    found = json.loads(said.out)
    return set(found["modules"]), found["writes"]


@pytest.mark.parametrize("execution", ["observe", "paper"])
def test_what_may_not_send_has_nothing_that_sends(tmp_path: Path, execution: config.Execution) -> None:
    modules, has_writes = built(tmp_path, run_file(tmp_path, execution))
    assert not has_writes
    assert WRITES not in modules


@pytest.mark.parametrize("environment", ["prod", "demo", "box"])
def test_what_observes_without_a_key_has_nothing_that_signs(tmp_path: Path, environment: config.Environment) -> None:
    file = without_key(tmp_path, environment)
    modules, has_writes = built(tmp_path, file)
    assert not has_writes
    assert WRITES not in modules
    shells = build.shells(file, SystemClock(VenueClock()), lambda events: True)
    assert (shells.stream, shells.writes) == (None, None)
    assert (shells.spot is None) == (environment == "box")
    assert len(shells.runnable()) == (2 if environment == "box" else 3)


@pytest.mark.parametrize("environment", ["prod", "demo"])
@pytest.mark.parametrize("name", ["origin", "ws"])
def test_what_observes_reads_from_its_environment_only(
    tmp_path: Path, environment: config.Environment, name: str
) -> None:
    other = without_key(tmp_path, "demo" if environment == "prod" else "prod")
    run = msgspec.structs.replace(without_key(tmp_path, environment), **{name: getattr(other, name)})
    with pytest.raises(ConfigError, match="make them agree"):
        build.shells(run, SystemClock(run.clock), lambda events: True)


def test_spot_venues_are_those_of_the_series_and_of_the_settings(tmp_path: Path) -> None:
    replace = msgspec.structs.replace
    engine = config.observe_profile("prod").rooms.engine
    rooms = config.RoomSettings(engine=replace(engine, series=("KXSOLE", "KXETH15M", "KXETH")))
    settings = config.Settings(rooms=rooms)
    assert {venue.assets for venue in build.spot_venues(settings)} == {("ETH", "SOL"), ("ETH",), ("SOL",)}
    assert build.spot_venues(replace(settings, spot=config.Spot(is_on=False))) == []
    assert build.spot_venues(config.Settings()) == []
    hosts = roster.Params(coinbase="ws://127.0.0.1:9", binance="")
    heard = build.spot_venues(replace(settings, environment="box", spot=config.Spot(hosts=hosts)))
    assert [venue.url for venue in heard] == ["ws://127.0.0.1:9"]
    assert "coinbase" in {venue.line for venue in build.spot_venues(replace(settings, environment="demo"))}


def test_a_fast_clock_widens_the_patience_with_spot_venues() -> None:
    plain, fast = config.Settings().spot, build.under_clock(config.Settings(), VenueClock(factor=600)).spot
    assert build.under_clock(config.Settings(), VenueClock()).spot == plain
    least_ns = 300 * SECOND_NS
    assert (fast.prices.silence_max_ns, fast.feed.silent_after_ns) == (least_ns, least_ns)
    assert (fast.feed.backoff_first_ns, fast.feed.backoff_last_ns) == (least_ns, least_ns)


def test_what_is_later_than_an_index_value_may_be_tells_nothing_of_the_clock() -> None:
    plain = config.Settings()
    index = msgspec.structs.replace(plain.rooms.index, stale_after_ns=4 * SECOND_NS)
    patient = msgspec.structs.replace(plain, rooms=msgspec.structs.replace(plain.rooms, index=index))

    def late_max_ns(settings: config.Settings, factor: int) -> int | None:
        return build.session_params(settings, VenueClock(factor=factor), reads_account=False).late_max_ns

    assert late_max_ns(plain, 1) == plain.rooms.index.stale_after_ns
    assert (late_max_ns(patient, 1), late_max_ns(plain, 600)) == (4 * SECOND_NS, 300 * SECOND_NS)


def test_a_licence_is_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "cf.txt"
    path.write_text("somebody:a:key\n")
    settings = msgspec.structs.replace(config.observe_profile("prod"), spot=config.Spot(licence_file=str(path)))
    with pytest.raises(CredentialError, match=f"Others may read {path}: run chmod 600"):
        build.spot_venues(settings)
    path.chmod(0o600)
    venue = build.spot_venues(settings)[-1]
    assert (venue.line, venue.headers) == ("cfbenchmarks", {"Authorization": "Basic c29tZWJvZHk6YTprZXk="})
    path.write_text("nothing")
    with pytest.raises(CredentialError, match=f"^{path}: it is not one line of the form USER:KEY"):
        build.spot_venues(settings)
    path.unlink()
    with pytest.raises(CredentialError, match=f"no licence file {path}: CF Benchmarks gives user and key"):
        build.spot_venues(settings)


def test_the_box_refuses_what_the_venue_would_refuse(tmp_path: Path) -> None:
    path = tmp_path / "cf.txt"
    boxed = config.Settings(environment="box", spot=config.Spot(licence_file=str(path)))
    with pytest.raises(CredentialError, match=f"no licence file {path}: CF Benchmarks gives user and key"):
        build.spot_venues(boxed)
    path.write_text("somebody:a:key\n")
    path.chmod(0o600)
    assert build.spot_venues(boxed) == []
    with pytest.raises(ConfigError, match=r"spot\.hosts: 'ws kraken' is no host that may be listened to; give a name"):
        build.spot_venues(msgspec.structs.replace(boxed, spot=config.Spot(hosts=roster.Params(kraken="ws kraken"))))
    # A venue that is left out, and venues that are off, need nothing.
    left_out = config.Spot(licence_file="gone", hosts=roster.Params(cfbenchmarks=""))
    for spot in (left_out, config.Spot(licence_file="gone", is_on=False)):
        assert build.spot_venues(msgspec.structs.replace(boxed, spot=spot)) == []


def test_who_trades_has_a_key(tmp_path: Path) -> None:
    file = run_file(tmp_path, "live")
    with pytest.raises(ConfigError, match="a run without a key cannot trade"):
        build.shells(
            msgspec.structs.replace(file, key_id=None, key_path=None), SystemClock(file.clock), lambda events: True
        )


def test_who_observes_has_no_strategy_that_wishes(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(config.box_profile(), execution="observe")
    engine = build.engine(build.run_started(settings, "observe", 0), settings)
    assert [strategy.name for strategy in engine.strategies] == ["onlooker"]
    assert not engine.clerk.has_account


@pytest.mark.parametrize(
    "change",
    [{"origin": "http://192.0.2.2:80"}, {"ws": "ws://192.0.2.2:80/x"}, {"settings": config.Settings(execution="live")}],
)
def test_a_run_file_that_points_elsewhere_is_refused_before_anything_is_signed(
    tmp_path: Path, change: dict[str, object]
) -> None:
    run = msgspec.structs.replace(run_file(tmp_path, "live"), **change)
    with pytest.raises(ConfigError):
        build.shells(run, SystemClock(run.clock), lambda events: True)


def test_live_sends_and_stays_lean(tmp_path: Path) -> None:
    modules, has_writes = built(tmp_path, run_file(tmp_path, "live"))
    assert has_writes
    assert WRITES in modules
    assert [name for name in HEAVY if name in modules] == []


@pytest.mark.parametrize("execution", ["observe", "paper"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "post"])
def test_what_may_not_send_will_not_sign(tmp_path: Path, execution: config.Execution, method: str) -> None:
    async def attempt() -> None:
        shells = build.shells(run_file(tmp_path, execution), SystemClock(VenueClock()), lambda events: True)
        with pytest.raises(SigningRefused, match="This run may only read"):
            await shells.rest.attempt(Request(method=method, path="/portfolio/events/orders", body=b"{}"))
        await shells.rest.close()

    asyncio.run(attempt())


def test_no_text_holds_the_key(tmp_path: Path) -> None:
    line = write_line(tmp_path)
    secrets = (tmp_path / "key.pem").read_text().split("\n")[1:-2]
    said = trade(tmp_path, line)
    assert (said.code, bool(secrets)) == (3, True)
    written = [path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(written) >= 4
    for secret in secrets:
        assert secret not in said.out + said.err
        assert all(secret.encode() not in data for data in written)


def test_no_representation_holds_the_key(tmp_path: Path) -> None:
    file = run_file(tmp_path, "live")
    secret = (tmp_path / "key.pem").read_text().split("\n")[1]
    shells = build.shells(file, SystemClock(VenueClock()), lambda events: True)
    spoken = [repr(part) for part in (file, shells, shells.rest, shells.rest.__dict__, shells.stream.__dict__)]
    assert all(secret not in text and "PRIVATE KEY" not in text for text in spoken)


def test_no_error_holds_the_key(tmp_path: Path) -> None:
    file = run_file(tmp_path, "live")
    key = tmp_path / "key.pem"
    secret = key.read_text().split("\n")[1]
    key.write_text(key.read_text().replace("END PRIVATE", "END PRIVATE ROTTEN"))
    with pytest.raises(CredentialError) as refused:
        build.shells(file, SystemClock(VenueClock()), lambda events: True)
    assert secret not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_under_a_fast_clock_an_answer_still_has_time_to_come() -> None:
    settings = config.observe_profile("box")
    plain, fast = (build.under_clock(settings, VenueClock(factor=factor)).strategies.onlooker for factor in (1, 60))
    assert plain == settings.strategies.onlooker
    assert (fast.fit_every_ns, fast.riskless_every_ns, fast.good_for_ns) == (30 * 10**9, 30 * 10**9, 60 * 10**9)
