"""Where the trace of a failure of our own goes: a file the user can send, never the screen."""

import os
import tempfile
import traceback
from pathlib import Path


def keep_trace(error: BaseException) -> Path:
    """Write an exception's trace to a new private file and give its path."""
    handle, name = tempfile.mkstemp(prefix="fairstrike-trace-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(traceback.format_exception(error))
    return Path(name)
