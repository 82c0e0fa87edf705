"""`fairstrike trade`: check what was asked, write the run folder, become the trader."""

import os
import sys
import time
from pathlib import Path

import msgspec

from fairstrike.app import build, config, folders, locks, runfile
from fairstrike.app.addresses import on_this_machine, origin_on_this_machine
from fairstrike.core.errors import UsageError
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.transport import BASE_PATH

MODES, ENVIRONMENTS = ("observe", "paper", "live"), ("prod", "demo", "box")


def prepare(mode: str, environment: str, box: Path | None, config_file: Path | None, folder: Path | None) -> Path:
    """Give a run folder ready for the trader.

    Raises `UsageError` for what this version does not trade, `ConfigError` and `CredentialError` for settings and
    keys that cannot be used, `LockedError` when a trader already runs there.
    """
    for option, value, known in (("--mode", mode, MODES), ("--env", environment, ENVIRONMENTS)):
        if value not in known:
            raise UsageError(f"there is no {option} {value!r}; choose {', '.join(known)}")
    if (mode, environment) != ("live", "box"):
        raise UsageError(
            f"--mode {mode} --env {environment} is not available; this version trades --mode live --env box, "
            "against a simulated exchange on this machine"
        )
    if box is None:
        raise UsageError("--env box needs --box FILE, the file with the first line of `fairstrike exchange --json`")
    line = runfile.read_box_line(box)
    origin, stream = origin_on_this_machine(line.rest, BASE_PATH), on_this_machine(line.ws, "ws")
    settings = config.load(config_file) if config_file is not None else config.box_profile()
    settings = msgspec.structs.replace(settings, environment="box", execution="live", seed=line.seed)
    account = line.accounts[0]
    Signer(account.key_id, load_key(account.private_key), Allowed.READS)
    place = folder or Path("runs") / time.strftime("trade-%Y%m%dT%H%M%SZ", time.gmtime())
    run = runfile.RunFile(
        settings=settings,
        origin=origin,
        ws=stream,
        clock=line.clock,
        key_id=account.key_id,
        key_path=account.private_key,
    )
    # The trader takes both locks again; here they keep a running trader's file from being replaced. The account's comes
    # before the folder is made: who is refused for it leaves nothing behind.
    with locks.held(build.account_lock(run), "on this account"):
        folders.claim_for_trader(place)
        with locks.held(place / folders.LOCK, f"in {place}"):
            runfile.write(place, run)
    return place


def become_trader(folder: Path) -> None:
    """Replace this process by the trader of a folder; the process id stays."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "fairstrike.app.run", str(folder)])
