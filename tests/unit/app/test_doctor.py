"""The checks of this machine, and that a check's failure is one sentence and leaves the others be."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import doctor
from fairstrike.app.doctor import Finding, Report, State, Wanted, examine, moves_money_out
from tests.commands import write_key, write_line

CHECKS = ["config", "address", "key", "folder", "disk", "exchange", "clock", "account", "limits", "stream"]
LOOKERS = "import sys; from fairstrike.app import doctor, smoke, diagnosis_printing; print(*sys.modules)"


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own and nothing of the venue in the process environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("ENV", "EXECUTION_MODE", "PROD_KEY_ID", "DEMO_KEY_ID", "API_KEY_ID", "BASE_URL", "WS_URL"):
        monkeypatch.delenv(f"KALSHI_{name}", raising=False)
    monkeypatch.delenv("LOG_LEVEL", raising=False)


def found(wanted: Wanted) -> dict[str, Finding]:
    """Every check by name; they are told as they are made, and each is one line."""
    told: list[Finding] = []
    report = examine(wanted, told.append)
    assert tuple(told) == report.findings
    assert [each.check for each in told] == CHECKS
    for each in told:
        assert each.says
        assert "\n" not in each.says
        assert (each.exit_code != 0) is (each.state is State.FAILED)
    return {each.check: each for each in told}


def boxed(folder: Path, **changes: object) -> Wanted:
    """A look at an exchange that does not run."""
    return Wanted(env="box", box=write_line(folder, **changes), folder=folder / "runs")


def test_a_sound_machine_and_a_venue_that_is_not_there(tmp_path: Path) -> None:
    checks = found(boxed(tmp_path))
    assert [name for name, each in checks.items() if each.state is State.OK] == CHECKS[:5]
    assert checks["key"].says == f"Ed25519, in {tmp_path}/key.pem, which only you can read"
    exchange = checks["exchange"]
    assert (exchange.state, exchange.exit_code) == (State.FAILED, 3)
    assert exchange.says.startswith("http://127.0.0.1:9 gave no answer (")
    assert exchange.says.endswith("): check the address and the network.")
    assert [checks[name].says for name in CHECKS[6:]] == [
        "not made, it needs the exchange",
        "not made, it needs the exchange",
        "not made, it needs the account",
        "not made, it needs the account",
    ]


def test_the_exit_code_is_that_of_the_first_check_that_failed() -> None:
    rows = [("a", State.OK, 0), ("b", State.WARNING, 0), ("c", State.FAILED, 4), ("d", State.FAILED, 2)]
    findings = tuple(Finding(check=name, state=state, says="x", exit_code=code) for name, state, code in rows)
    assert Report(environment="box", findings=findings).exit_code == 4
    assert Report(environment="box", findings=findings[:2]).exit_code == 0


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_may_read(tmp_path: Path, mode: int) -> None:
    key = write_key(tmp_path / "open.pem", mode)
    check = found(boxed(tmp_path, key=key))["key"]
    assert (check.exit_code, check.says) == (2, f"Others may read {key}: run chmod 600 {key}")


def test_a_key_that_is_missing_or_none(tmp_path: Path) -> None:
    check = found(boxed(tmp_path, key=tmp_path / "gone.pem"))["key"]
    assert check.exit_code == 2
    assert check.says == f"There is no key file {tmp_path}/gone.pem: save your API key's private key there."
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\n")
    broken.chmod(0o600)
    check = found(boxed(tmp_path, key=broken))["key"]
    assert check.exit_code == 2
    assert check.says.startswith(f"{broken}: The key file holds no private key in PEM form: download the key again")


def test_an_environment_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_BASE_URL", "http://127.0.0.1:9")
    quiet = tmp_path / "quiet.toml"
    quiet.write_text("spot.is_on = false\n")
    checks = found(Wanted(env="demo", config_file=quiet, folder=Path("runs")))
    assert checks["key"].exit_code == 2
    assert checks["key"].says.startswith("no API key is named for demo: make one at the venue, ")
    assert checks["exchange"].exit_code == 3


def test_a_bad_file_of_settings_stops_what_depends_on_it(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("[rooms]\nlimit = 1\n")
    checks = found(Wanted(config_file=file, folder=Path("runs")))
    config = checks["config"]
    assert config.exit_code == 2
    assert config.says == "s.toml: there is no setting 'limit' under rooms; did you mean 'limits'?"
    assert checks["address"].says == "not made, it needs the environment"
    assert {checks[name].state for name in CHECKS[5:]} == {State.SKIPPED}
    assert checks["disk"].state is State.OK


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL 'LOUD' is none; use one of DEBUG, INFO, WARNING, ERROR"),
        ("KALSHI_EXECUTION_MODE", "yes", "KALSHI_EXECUTION_MODE 'yes' is none; use observe, paper or live"),
    ],
)
def test_bad_words_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    config = found(boxed(tmp_path))["config"]
    assert (config.exit_code, config.says) == (2, says)


def test_an_environment_that_is_none() -> None:
    checks = found(Wanted(env="moon", folder=Path("runs")))
    assert checks["address"].exit_code == 2
    assert checks["address"].says == "there is no --env 'moon'; choose prod, demo, box"
    assert checks["key"].says == "not made, it needs an address"


def test_too_little_room_on_the_disk(tmp_path: Path) -> None:
    disk = found(msgspec.structs.replace(boxed(tmp_path), disk_min=1 << 60))["disk"]
    assert disk.exit_code == 2
    assert disk.says.endswith(", a run needs 1,073,741,824.0 GiB: free some, or use another --folder")
    disk = found(msgspec.structs.replace(boxed(tmp_path), disk_min=0, disk_ample=1 << 60))["disk"]
    assert (disk.state, disk.exit_code) == (State.WARNING, 0)


def test_the_room_that_a_trader_leaves_by_its_settings(tmp_path: Path) -> None:
    settings = tmp_path / "roomy.toml"
    settings.write_text(f"[disk]\nstop_bytes = {1 << 60}\nwarn_bytes = {1 << 60}\n")
    disk = found(msgspec.structs.replace(boxed(tmp_path), config_file=settings))["disk"]
    assert (disk.state, disk.exit_code) == (State.FAILED, 2)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    folder = found(msgspec.structs.replace(boxed(tmp_path), folder=Path("/proc/nowhere/runs")))["folder"]
    assert folder.exit_code == 2
    assert folder.says.startswith("/proc/nowhere/runs cannot be written to (")
    (tmp_path / "file").touch()
    folder = found(msgspec.structs.replace(boxed(tmp_path), folder=tmp_path / "file" / "runs"))["folder"]
    assert (folder.exit_code, folder.says) == (2, f"{tmp_path / 'file'} is a file; name a folder with --folder")


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    wanted = boxed(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found(wanted)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_others_who_may_write_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o666)
    folder = found(boxed(tmp_path))["folder"]
    assert (folder.state, folder.says) == (State.WARNING, "others may write to .env: run chmod go-w .env")


def test_nothing_that_writes_is_imported() -> None:
    told = subprocess.run([sys.executable, "-c", LOOKERS], capture_output=True, text=True, check=True)
    loaded = set(told.stdout.split())
    assert doctor.__name__ in loaded
    senders = {f"fairstrike.venue.kalshi.{name}" for name in ("writes", "changes", "translate")}
    assert not loaded & (senders | {"fairstrike.app.emergency", "fairstrike.app.run"})


def test_a_key_that_moves_real_money_out() -> None:
    assert moves_money_out("prod", ("read", "write"))
    assert moves_money_out("demo", ("read", "write::transfer"))
    assert not moves_money_out("prod", ("read", "write::trade"))
    assert not moves_money_out("prod", ())
    assert not moves_money_out("box", ("read", "write"))
