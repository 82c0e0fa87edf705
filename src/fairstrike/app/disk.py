"""Free space on a disk: how much a run leaves, and when it warns and ends.

A trader ends well before a recorder does, so that what trading comes to is still recorded.
"""

import shutil
from pathlib import Path

import msgspec

from fairstrike.app.repeats import Repeats
from fairstrike.core.bounds import Count
from fairstrike.core.timing import MINUTE_NS

MIB, GIB = 1 << 20, 1 << 30
RECORDER_LEAVES_GIB = 1.0
"""What a recorder leaves free, unless it is told another amount."""


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much must be free where the run folder is, in bytes.

    Below `warn_bytes` it is told every minute, below `stop_bytes` the trader cancels everything and ends.
    """

    warn_bytes: Count = 4 * GIB
    stop_bytes: Count = 2 * GIB


class Watch:
    """Looks at the disk of a folder. `problem` is empty until less is free than a trader leaves."""

    def __init__(self, folder: Path, params: Params) -> None:
        """Look at nothing yet."""
        self.problem = ""
        self._folder = folder
        self._params = params
        self._repeats = Repeats(every_ns=MINUTE_NS)

    def look(self, now_ns: int) -> str:
        """Look once, at an instant of any clock; give the warning that is due, if one is."""
        free, params = free_bytes(self._folder), self._params
        if free < params.stop_bytes:
            self.problem = f"{told(self._folder, free, params.stop_bytes)}; make room, or lower disk.stop_bytes"
        elif free < params.warn_bytes and self._repeats.is_due("low", now_ns):
            return f"{told(self._folder, free, params.stop_bytes)}; make room, or the trader will stop"
        return ""


def free_bytes(folder: Path) -> int:
    """Give what is free for us on the disk of a folder that is there."""
    return shutil.disk_usage(folder).free


def told(folder: Path, free: int, least: int) -> str:
    """Give the words for how much is free, and how much is to stay so."""
    return f"the disk of {folder} has {free / GIB:.2f} GiB free and {least / GIB:.2f} are to be left"
