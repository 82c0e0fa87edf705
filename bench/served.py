"""An exchange in a process of its own that takes every request: `python -m bench.served FOLDER SPEED STRIKES`."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.fanning import LIVELY
from fairstrike.core.units import UD_PER_DOLLAR
from fairstrike.exchange.administration import AccountSettings
from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.server import ServerSettings, run_exchange

_SECONDS_TO_END = 10.0


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A served exchange: what it announced, and the number of its process."""

    announcement: Announcement
    pid: int

    def processor_s(self) -> float:
        """Give the seconds it spent on a processor so far; not a number where the system does not say."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        except FileNotFoundError:
            return math.nan
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: Path, *, speed: int = 1, strikes: int = 40) -> Iterator["Served"]:
    """An exchange for the length of a block: `speed` venue seconds a second, so many strikes a dollar apart."""
    command = [sys.executable, "-m", "bench.served", str(folder), str(speed), str(strikes)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None, "the output is a pipe"
        announcement = msgspec.json.decode(process.stdout.readline(), type=Announcement)
        yield Served(announcement=announcement, pid=process.pid)
    finally:
        process.terminate()
        process.wait(_SECONDS_TO_END)


def main() -> int:
    """Serve until ended."""
    folder, speed, strikes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    return run_exchange(
        ServerSettings(
            folder=folder,
            factor=speed,
            is_json=True,
            accounts=(AccountSettings(balance_ud=10**8 * UD_PER_DOLLAR),),
            world=msgspec.structs.replace(LIVELY, strikes=strikes),
            box=BoxParams(tier=None),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
