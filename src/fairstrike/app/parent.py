"""A child that ends with its parent: the parent holds one end of a pipe, the child watches the other.

However the parent ends, the system closes what it held. The child then ends as by SIGTERM, in its own good order.
"""

import os
import signal
import stat
from threading import Thread

from fairstrike.core.errors import UsageError

PIPE_VARIABLE = "FAIRSTRIKE_PARENT_PIPE"
"""Names, in a child's environment, the file descriptor to watch."""


def end_with_parent() -> None:
    """Send this process SIGTERM once its parent is gone; a process that was not started as a child has none.

    Raises `UsageError` when the environment names something that is no pipe.
    """
    named = os.environ.get(PIPE_VARIABLE)
    if named is None:
        return
    if not _is_pipe(named):
        raise UsageError(f"{PIPE_VARIABLE} is {named!r} in the environment, which is no open pipe; unset it")
    Thread(target=_watch, args=(int(named),), name="parent", daemon=True).start()


def _is_pipe(named: str) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(int(named)).st_mode)
    except (ValueError, OverflowError, OSError):
        return False


def _watch(pipe: int) -> None:
    # Nobody writes: only the end of the pipe tells something.
    while os.read(pipe, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
