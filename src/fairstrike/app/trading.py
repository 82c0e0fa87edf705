"""`fairstrike trade`: check what was asked, write the run folder, become the trader."""

import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from fairstrike.app import config, runfile
from fairstrike.core.errors import ConfigError, UsageError
from fairstrike.venue.kalshi.credentials import load_key

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def prepare(mode: str, environment: str, box: Path | None, config_file: Path | None, folder: Path | None) -> Path:
    """Give a run folder ready for the trader.

    Raises `UsageError` for what this version does not trade, `ConfigError` and `CredentialError` for settings and
    keys that cannot be used.
    """
    if (mode, environment) != ("live", "box"):
        raise UsageError(
            f"--mode {mode} --env {environment} is not available; this version trades --mode live --env box, "
            "against a simulated exchange on this machine"
        )
    if box is None:
        raise UsageError("--env box needs --box FILE, the file with the first line of `fairstrike exchange --json`")
    line = runfile.read_box_line(box)
    origin = urlsplit(line.rest)
    for url in (line.rest, line.ws):
        if urlsplit(url).hostname not in _LOOPBACK:
            raise ConfigError(f"{url} is not on this machine; --env box trades on 127.0.0.1 only")
    settings = config.load(config_file) if config_file is not None else config.box_profile()
    settings = msgspec.structs.replace(settings, environment="box", execution="live", seed=line.seed)
    account = line.accounts[0]
    load_key(account.private_key)
    place = folder or Path("runs") / time.strftime("trade-%Y%m%dT%H%M%SZ", time.gmtime())
    run = runfile.RunFile(
        settings=settings,
        origin=f"{origin.scheme}://{origin.netloc}",
        ws=line.ws,
        clock=line.clock,
        key_id=account.key_id,
        key_path=account.private_key,
    )
    runfile.write(place, run)
    return place


def become_trader(folder: Path) -> None:
    """Replace this process by the trader of a folder; the process id stays."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "fairstrike.app.run", str(folder)])
