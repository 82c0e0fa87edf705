"""`fairstrike trade` on bad input: one sentence that says what to do next, and nothing begun."""

import os
import uuid
from pathlib import Path

import msgspec
import pytest

from fairstrike.app import config, locks, runfile, trading
from fairstrike.core.errors import CredentialError
from fairstrike.core.ids import account_tag
from tests.commands import fairstrike, trade, write_key, write_line


@pytest.fixture
def no_run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def test_missing_key(tmp_path: Path, no_run: Path) -> None:
    said = trade(tmp_path, write_line(tmp_path, tmp_path / "gone.pem"))
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence.startswith(f"There is no key file {tmp_path}/gone.pem: save")


@pytest.mark.parametrize("text", ["garbage", "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n"])
def test_malformed_key(tmp_path: Path, no_run: Path, text: str) -> None:
    key = tmp_path / "bad.pem"
    key.write_text(text)
    key.chmod(0o600)
    said = trade(tmp_path, write_line(tmp_path, key))
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence.startswith(f"{key}: The key file holds no private key in PEM form: download")


@pytest.mark.parametrize("mode", [0o604, 0o640])
def test_key_open_to_others(tmp_path: Path, no_run: Path, mode: int) -> None:
    key = write_key(tmp_path / "open.pem", mode)
    said = trade(tmp_path, write_line(tmp_path, key))
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence == f"Others may read {key}: run chmod 600 {key}"


def test_linked_key(tmp_path: Path, no_run: Path) -> None:
    link = tmp_path / "link.pem"
    link.symlink_to(write_key(tmp_path / "real.pem"))
    said = trade(tmp_path, write_line(tmp_path, link))
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence == f"{link} is a link: give the key file itself."


def test_key_whose_path_is_none(tmp_path: Path) -> None:
    said = trade(tmp_path, write_line(tmp_path, "a\0b"))
    assert said.code == 2
    assert said.sentence.endswith("is no path: name the key file.")


@pytest.mark.parametrize("key_id", ["", "line\nbreak"])
def test_empty_key_id(tmp_path: Path, no_run: Path, key_id: str) -> None:
    said = trade(tmp_path, write_line(tmp_path, key_id=key_id))
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence == "The API key id is empty or malformed: copy it from the venue's key page."


def test_exchange_that_does_not_run(tmp_path: Path) -> None:
    said = trade(tmp_path, write_line(tmp_path))
    assert said.code == 3
    assert said.sentence.startswith("http://127.0.0.1:9 gave no answer")
    assert said.sentence.endswith("check the address and the network.")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rest": "http://10.1.2.3:80/x"}, "http://10.1.2.3:80/x is not on this machine"),
        ({"ws": "ws://venue.example:80/x"}, "ws://venue.example:80/x is not on this machine"),
        ({"rest": "http://127.0.0.1@venue.example:80/x"}, "http://127.0.0.1@venue.example:80/x is not on this"),
        (
            {"rest": "http://127.0.0.1:80/x"},
            "http://127.0.0.1:80/x is not of the form http://127.0.0.1:PORT/trade-api/v2",
        ),
        ({"rest": "http://127.0.0.1:99999/x"}, "http://127.0.0.1:99999/x is not an address"),
        ({"clock": {"factor": 0}}, "line.json states a clock that does not go forward"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_line_that_is_not_one_of_this_machine(
    tmp_path: Path, no_run: Path, changes: dict[str, object], sentence: str
) -> None:
    write_line(tmp_path, **changes)
    said = trade(tmp_path, Path("line.json"))
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence.startswith(sentence)


@pytest.mark.parametrize("data", [b"", b"REST http://127.0.0.1:9\n", b"\xff\xfe\x00"])
def test_file_that_is_no_line(tmp_path: Path, no_run: Path, data: bytes) -> None:
    (tmp_path / "line.json").write_bytes(data)
    said = trade(tmp_path, Path("line.json"))
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence.startswith("line.json is not the first line of `fairstrike exchange --json` (")
    assert said.sentence.endswith("; write that line into it")


@pytest.mark.parametrize("name", ["gone.json", "."])
def test_line_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    said = trade(tmp_path, Path(name))
    assert said.code == 2
    assert said.sentence.startswith(f"{name} cannot be read (")


@pytest.mark.parametrize(
    ("mode", "environment"),
    [("live", "prod"), ("live", "demo"), ("paper", "box"), ("live", "box"), ("observe", "box")],
)
def test_what_this_version_does_not_trade(tmp_path: Path, mode: str, environment: str) -> None:
    if mode != "paper" and environment == "box":
        expected = "--env box needs --box FILE, the file with the first line of `fairstrike exchange --json`"
    else:
        expected = f"--mode {mode} --env {environment} is not available; this version trades --mode live --env box, "
        expected += "against a simulated exchange on this machine, and observes anywhere with --mode observe"
    said = fairstrike("trade", "--mode", mode, "--env", environment, folder=tmp_path)
    assert (2, expected) == (said.code, said.sentence)


def test_settings_are_read_before_anything_begins(tmp_path: Path, no_run: Path) -> None:
    (tmp_path / "s.toml").write_text('[rooms.engine]\nseries = ["KXBTCUD"]\n')
    said = trade(tmp_path, write_line(tmp_path), "--config", "s.toml")
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence == "s.toml: there is no series 'KXBTCUD' under rooms.engine; did you mean KXBTC15M?"


def test_settings_that_name_no_series_trade_the_box_s(tmp_path: Path) -> None:
    line, file = write_line(tmp_path, write_key(tmp_path / "client.pem")), tmp_path / "s.toml"
    wanted = trading.Wanted(mode="live", environment="box", box=line, config_file=file, folder=tmp_path / "run")
    file.write_text('[rooms.engine]\ntimeframes = ["hourly"]\n[strategies.taker]\n')
    engine = runfile.read(trading.prepare(wanted)).settings.rooms.engine
    assert (engine.series, engine.timeframes) == (config.box_profile().rooms.engine.series, ("hourly",))
    file.write_text('[rooms.engine]\nseries = ["KXETHD"]\n[strategies.taker]\n')
    assert runfile.read(trading.prepare(wanted)).settings.rooms.engine.series == ("KXETHD",)


def test_settings_without_a_strategy_trade_nothing_and_are_refused(tmp_path: Path, no_run: Path) -> None:
    (tmp_path / "s.toml").write_text("[strategies.onlooker]\n")
    said = trade(tmp_path, write_line(tmp_path), "--config", "s.toml")
    assert (said.code, no_run.exists()) == (2, False)
    assert said.sentence == "s.toml turns no strategy on; give it a table such as [strategies.taker]"


def test_folder_of_somebody_else(tmp_path: Path) -> None:
    note = tmp_path / "mine" / "note.txt"
    note.parent.mkdir(mode=0o755)
    note.write_text("keep")
    said = trade(tmp_path, write_line(tmp_path), "--folder", "mine")
    assert (said.code, note.read_text()) == (2, "keep")
    assert said.sentence == "mine holds other files than a run's; name a new folder with --folder"
    assert note.parent.stat().st_mode & 0o777 == 0o755


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    said = trade(tmp_path, write_line(tmp_path), "--folder", "key.pem")
    assert said.code == 2
    assert said.sentence == "key.pem cannot be used (File exists); check path and permissions"


def test_a_folder_that_was_begun_is_private(tmp_path: Path, no_run: Path) -> None:
    assert trade(tmp_path, write_line(tmp_path)).code == 3
    found = [no_run, *no_run.rglob("*")]
    assert {"run", "run.json", "lock", "journal"} <= {path.name for path in found}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}


def test_who_is_refused_for_the_account_leaves_no_folder(tmp_path: Path, no_run: Path) -> None:
    key_id = f"key-{uuid.uuid4()}"
    line = write_line(tmp_path, key_id=key_id)
    lock = locks.account_lock("box", account_tag(key_id))
    with locks.held(lock, "on this account"):
        said = trade(tmp_path, line)
    lock.unlink()
    assert (said.code, no_run.exists()) == (6, False)
    assert said.sentence.endswith("already runs on this account; stop it first")


def test_who_is_refused_for_the_folder_writes_nothing_there(tmp_path: Path, no_run: Path) -> None:
    with locks.held(no_run / "lock", "in run"):
        said = trade(tmp_path, write_line(tmp_path))
    assert said.code == 6
    assert said.sentence.endswith("already runs in run; stop it first")
    assert [path.name for path in no_run.iterdir()] == ["lock"]


# Observing


def observing(folder: Path, **changes: object) -> runfile.RunFile:
    """What a trader that observes is started with."""
    asked = trading.Wanted(mode="observe", environment="demo", folder=folder / "run")
    return runfile.read(trading.prepare(msgspec.structs.replace(asked, **changes)))


@pytest.fixture
def no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A folder without `.env`, and nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KALSHI_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_without_a_named_key_only_what_is_public_is_observed(
    tmp_path: Path, no_environment: pytest.MonkeyPatch
) -> None:
    run = observing(tmp_path)
    assert (run.key_id, run.key_path, run.origin) == (None, None, "https://external-api.demo.kalshi.co")
    expected = "observing demo by public answers, without a key; nothing is traded"
    assert expected == trading.opening_words(tmp_path / "run")


def test_settings_that_name_no_series_observe_the_usual_ones(
    tmp_path: Path, no_environment: pytest.MonkeyPatch
) -> None:
    path, usual = tmp_path / "s.toml", config.observe_profile("demo").rooms.engine
    path.write_text("[spot]\nis_on = false\n")
    settings = observing(tmp_path, config_file=path).settings
    assert (settings.rooms.engine, settings.spot.is_on) == (usual, False)
    path.write_text('[rooms.engine]\ntimeframes = ["daily"]\n')
    engine = observing(tmp_path, config_file=path).settings.rooms.engine
    assert (engine.series, engine.timeframes) == (usual.series, ("daily",))
    path.write_text('[rooms.engine]\nseries = ["KXETHD"]\n')
    assert observing(tmp_path, config_file=path).settings.rooms.engine.series == ("KXETHD",)


def test_a_named_key_is_used_unless_it_is_not_wanted(tmp_path: Path, no_environment: pytest.MonkeyPatch) -> None:
    key = write_key(tmp_path / "demo.pem")
    no_environment.setenv("KALSHI_DEMO_KEY_ID", "of-demo")
    no_environment.setenv("KALSHI_DEMO_KEY_PATH", str(key))
    assert (observing(tmp_path).key_id, observing(tmp_path, with_key=False).key_id) == ("of-demo", None)


def test_a_named_key_that_cannot_be_used_is_an_error(tmp_path: Path, no_environment: pytest.MonkeyPatch) -> None:
    no_environment.setenv("KALSHI_DEMO_KEY_ID", "of-demo")
    with pytest.raises(CredentialError, match=r"There is no key file \.secrets/demo\.txt"):
        observing(tmp_path)
    assert not (tmp_path / "run").exists()


def test_every_run_without_a_folder_has_its_own(tmp_path: Path, no_environment: pytest.MonkeyPatch) -> None:
    wanted = trading.Wanted(mode="observe", environment="demo")
    beside = [trading.prepare(wanted), trading.prepare(wanted), trading.prepare(wanted, below="run").parent]
    assert len(set(beside)) == 3
    assert {place.name.partition("-")[0] for place in beside} == {"observe"}


def test_observing_takes_no_accounts_lock(tmp_path: Path, no_environment: pytest.MonkeyPatch) -> None:
    key_id = f"key-{uuid.uuid4()}"
    no_environment.setenv("KALSHI_DEMO_KEY_ID", key_id)
    no_environment.setenv("KALSHI_DEMO_KEY_PATH", str(write_key(tmp_path / "demo.pem")))
    lock = locks.account_lock("demo", account_tag(key_id))
    with locks.held(lock, "on this account"):
        assert observing(tmp_path).key_id == key_id
    lock.unlink()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--mode", "live", "--env", "box", "--no-key"),
            "--mode live signs with a key; leave --no-key out, or observe",
        ),
        (("--mode", "observe", "--box", "line.json"), "--box goes with --env box, not with prod; leave one of them "),
    ],
)
def test_what_cannot_be_observed(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    said = fairstrike("trade", *arguments, folder=tmp_path)
    assert said.code == 2
    assert said.sentence.startswith(expected)
    assert not (tmp_path / "runs").exists()
