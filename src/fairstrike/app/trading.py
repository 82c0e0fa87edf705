"""`fairstrike trade`: check what was asked, write the run folder, become the trader."""

import os
import sys
from pathlib import Path
from typing import get_args

import msgspec

from fairstrike.app import build, config, folders, locks, runfile
from fairstrike.app.config import Environment, Execution
from fairstrike.app.dotenv import KeyPlace, named_key
from fairstrike.app.places import key_place, place_of, reading_signer
from fairstrike.core.errors import UsageError

_VERBS = {"live": "trade", "observe": "observe"}
MODES, ENVIRONMENTS = get_args(Execution), get_args(Environment)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says. Without `with_key` a key that is named is left alone: only what is public is seen."""

    mode: str
    environment: str
    box: Path | None = None
    config_file: Path | None = None
    folder: Path | None = None
    with_key: bool = True


def prepare(wanted: Wanted, below: str = "") -> Path:
    """Give a run folder ready for the trader: the one that is wanted, else a new one; `below` is a folder in it.

    Raises `UsageError` for what this version does not do, `ConfigError` and `CredentialError` for settings and keys
    that cannot be used, `LockedError` when a trader already runs there.
    """
    mode, environment = wanted.mode, wanted.environment
    for option, value, known in (("--mode", mode, MODES), ("--env", environment, ENVIRONMENTS)):
        if value not in known:
            raise UsageError(f"there is no {option} {value!r}; choose {', '.join(known)}")
    if mode == "paper" or (mode == "live" and environment != "box"):
        raise UsageError(
            f"--mode {mode} --env {environment} is not available; this version trades --mode live --env box, "
            "against a simulated exchange on this machine, and observes anywhere with --mode observe"
        )
    if mode == "live" and not wanted.with_key:
        raise UsageError("--mode live signs with a key; leave --no-key out, or observe")
    run = _run_file(wanted)
    if mode == "observe":
        return _write(wanted, below, run)
    # The trader takes both locks again; here they keep a running trader's file from being replaced. The account's comes
    # before the folder is made: who is refused for it leaves nothing behind.
    with locks.held(build.account_lock(run), "on this account"):
        return _write(wanted, below, run)


def _run_file(wanted: Wanted) -> runfile.RunFile:
    """Give what the trader is started with; the key, if there is one, was read and can be used."""
    to, box = place_of(wanted.environment, wanted.box), wanted.box
    settings = _settings(wanted)
    if box is not None:
        settings = msgspec.structs.replace(settings, seed=runfile.read_box_line(box).seed)
    key: KeyPlace | None = None
    if wanted.with_key:
        key = key_place(wanted.environment, box) if box is not None else named_key(wanted.environment)
    if key is not None:
        reading_signer(key)
    build.spot_venues(settings)  # So that a host or a licence that cannot be used is told now.
    return runfile.RunFile(
        settings=settings,
        origin=to.origin,
        ws=to.ws,
        clock=to.clock,
        key_id=None if key is None else key.key_id,
        key_path=None if key is None else key.path,
    )


def _settings(wanted: Wanted) -> config.Settings:
    mode, environment = msgspec.convert(wanted.mode, Execution), msgspec.convert(wanted.environment, Environment)
    if wanted.config_file is not None:
        settings = config.load(wanted.config_file)
        is_observing, name = mode == "observe", wanted.config_file.name
        settings = config.observing(settings, environment) if is_observing else config.trading(name, settings)
    elif mode == "observe":
        settings = config.observe_profile(environment)
    else:
        settings = config.box_profile()
    return msgspec.structs.replace(settings, environment=environment, execution=mode)


def _write(wanted: Wanted, below: str, run: runfile.RunFile) -> Path:
    place = (wanted.folder or folders.fresh(_VERBS[wanted.mode])) / below
    folders.claim_for_trader(place)
    with locks.held(place / folders.LOCK, f"in {place}"):
        runfile.write(place, run)
    return place


def opening_words(folder: Path) -> str:
    """Give the line that says what the trader of a folder will do, for one that only looks; else nothing."""
    run = runfile.read(folder)
    if run.settings.execution != "observe":
        return ""
    source = "the stream, with the key" if run.key_id is not None else "public answers, without a key"
    return f"observing {run.settings.environment} by {source}; nothing is traded"


def become_trader(folder: Path) -> None:
    """Replace this process by the trader of a folder; the process id stays."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "fairstrike.app.run", str(folder)])
