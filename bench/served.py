"""An exchange in a process of its own that takes every request: `python -m bench.served FOLDER SPEED STRIKES`."""

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


@contextmanager
def served(folder: Path, *, speed: int = 1, strikes: int = 40) -> Iterator[Announcement]:
    """An exchange for the length of a block: `speed` venue seconds a second, so many strikes a dollar apart."""
    command = [sys.executable, "-m", "bench.served", str(folder), str(speed), str(strikes)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None, "the output is a pipe"
        yield msgspec.json.decode(process.stdout.readline(), type=Announcement)
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
