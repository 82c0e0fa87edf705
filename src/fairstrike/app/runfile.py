"""What a trader is started with: `run.json` in its run folder. It names the key file and holds no secret."""

from pathlib import Path

import msgspec

from fairstrike.app.config import Settings
from fairstrike.core.errors import UsageError
from fairstrike.core.timing import VenueClock

NAME = "run.json"


class BoxAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a simulated exchange: key id, path of the private key, starting balance in dollars."""

    key_id: str
    private_key: str
    balance: str


class BoxAdmin(msgspec.Struct, frozen=True, kw_only=True):
    """Where and with what token a simulated exchange is administered."""

    url: str
    token: str


class BoxLine(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of `fairstrike exchange --json`: all that a client needs to trade there."""

    rest: str
    ws: str
    clock: VenueClock
    accounts: tuple[BoxAccount, ...]
    admin: BoxAdmin
    seed: int


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, addresses, clock and account of one run of the trader."""

    settings: Settings
    origin: str
    ws: str
    clock: VenueClock
    key_id: str
    key_path: str


def read_box_line(path: Path) -> BoxLine:
    """Give the announcement of a simulated exchange kept in a file.

    Raises `UsageError` when the file cannot be read or is not such a line.
    """
    try:
        line = path.read_text(encoding="utf-8").strip().split("\n")[0]
        box = msgspec.json.decode(line, type=BoxLine)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); name the file with the exchange's line") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not the first line of `fairstrike exchange --json` ({error}); write that line into it"
        ) from None
    if not box.accounts:
        raise UsageError(f"{path} names no account; start the exchange with at least one")
    return box


def write(folder: Path, run: RunFile) -> None:
    """Write a run file, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)))


def read(folder: Path) -> RunFile:
    """Give the run file of a folder.

    Raises `UsageError` when there is none or it cannot be read.
    """
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=RunFile)
    except OSError:
        raise UsageError(f"{folder} has no {NAME}; start the trader with `fairstrike trade`") from None
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{folder / NAME} cannot be used ({error}); start the trader with `fairstrike trade`"
        ) from None
