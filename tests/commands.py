"""Commands run as a user runs them, and the line of an exchange they may be pointed at."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SECONDS_MAX = 180.0
PROGRAM = (sys.executable, "-m", "fairstrike")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one sentence on stderr."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("fairstrike: "), self.err
        return lines[0].removeprefix("fairstrike: ")


def run(*command: object, folder: Path, optimize: str | None = None) -> Said:
    """Run a command line to its end, in `folder`."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONOPTIMIZE"}
    # A terminal's width decides nothing here, and traces of a failure of ours stay with the test.
    environment |= {"TMPDIR": str(folder)} | ({} if optimize is None else {"PYTHONOPTIMIZE": optimize})
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    return Said(code=done.returncode, out=done.stdout, err=done.stderr)


def fairstrike(*arguments: object, folder: Path) -> Said:
    """Run one command of the program."""
    return run(*PROGRAM, *arguments, folder=folder)


def trade(folder: Path, line: Path, *more: object) -> Said:
    """Run the trader against the exchange whose line is in `line`, run folder `run`."""
    place = () if "--folder" in more else ("--folder", "run")
    return fairstrike("trade", "--mode", "live", "--env", "box", "--box", line, *place, *more, folder=folder)


def write_key(path: Path, mode: int = 0o600) -> Path:
    """Make a private key that belongs to nobody."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem)
    path.chmod(mode)
    return path


def write_line(folder: Path, key: object = None, **changes: object) -> Path:
    """Write the line of an exchange that does not run (its port takes no connection)."""
    key = write_key(folder / "key.pem") if key is None else key
    account = {"key_id": "key-of-nobody", "private_key": str(key), "balance": "1.0000"}
    line: dict[str, object] = {
        "rest": "http://127.0.0.1:9/trade-api/v2",
        "ws": "ws://127.0.0.1:9/trade-api/ws/v2",
        "clock": {"anchor_venue_ns": 0, "anchor_system_ns": 0, "factor": 1},
        "accounts": [account | {name: value for name, value in changes.items() if name in account}],
        "admin": {"url": "http://127.0.0.1:9/admin", "token": "none"},
        "seed": 1,
    }
    line |= {name: value for name, value in changes.items() if name in line}
    path = folder / "line.json"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    return path
