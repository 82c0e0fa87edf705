"""What a trader is started with: `run.json` in its run folder. It names the key file and holds no secret."""

import os
from pathlib import Path

import msgspec

from fairstrike.app.config import Settings
from fairstrike.core.errors import UsageError
from fairstrike.core.timing import VenueClock
from fairstrike.exchange.announcement import Announcement

NAME = "run.json"


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, addresses, clock and account of one run of the trader.

    `key_id` and `key_path` are None together: a run without a key observes what is public.
    """

    settings: Settings
    origin: str
    ws: str
    clock: VenueClock
    key_id: str | None = None
    key_path: str | None = None

    @property
    def account(self) -> str:
        """Whose run it is: the key's id, or for one without a key how it is run."""
        return self.key_id or self.settings.execution


def read_box_line(path: Path) -> Announcement:
    """Give the announcement of a simulated exchange kept in a file.

    Raises `UsageError` when the file cannot be read or is not such a line.
    """
    try:
        line = path.read_text(encoding="utf-8").strip().split("\n")[0]
        box = msgspec.json.decode(line, type=Announcement)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); name the file with the exchange's line") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not the first line of `fairstrike exchange --json` ({error}); write that line into it"
        ) from None
    if not box.accounts:
        raise UsageError(f"{path} names no account; start the exchange with at least one")
    if box.clock.factor < 1:
        raise UsageError(f"{path} states a clock that does not go forward; write the exchange's own line into it")
    return box


def write(folder: Path, run: RunFile) -> None:
    """Write a run file, readable by its owner only, replacing an earlier one as a whole."""
    draft = folder / f"{NAME}.draft"
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(run)))
    draft.replace(folder / NAME)


def read(folder: Path) -> RunFile:
    """Give the run file of a folder.

    Raises `UsageError` when there is none or it cannot be read.
    """
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=RunFile)
    except FileNotFoundError:
        raise UsageError(f"{folder} has no {NAME}; start the trader with `fairstrike trade`") from None
    except OSError as error:
        raise UsageError(f"{folder / NAME} cannot be read ({error.strerror}); correct its permissions") from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(
            f"{folder / NAME} cannot be used ({error}); start the trader with `fairstrike trade`"
        ) from None
