"""What studies of recordings share: the captures of a folder, and one sentence where something cannot be read."""

import sys
from collections.abc import Callable
from pathlib import Path

from fairstrike.core.errors import FairstrikeError, RecordingError


def captures_of(folder: Path) -> list[Path]:
    """Give the captures of a folder by name. Raises `RecordingError` where there is none."""
    files = sorted(folder.glob("*.jsonl.gz"))
    if not files:
        raise RecordingError(f"no *.jsonl.gz in {folder}; name a folder of captures")
    return files


def printed(study: Callable[[], str]) -> int:
    """Print what a study gives, or why it cannot be made. Gives the exit code."""
    try:
        print(study())
    except FairstrikeError as error:
        print(f"fairstrike: {error}", file=sys.stderr)
        return error.exit_code
    return 0
