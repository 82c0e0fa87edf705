"""One trader a folder, one trader an account: locks the kernel drops when their holder dies.

The files stay, one small one for each account: who removes a lock's file may do so between another's opening and
locking it, and then a third makes a new file and two hold "the" lock.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairstrike.core.errors import LockedError


def hold(path: Path, what: str) -> int:
    """Take the lock `path` for as long as this process lives. Gives the open file that holds it.

    Raises `LockedError` when another process holds it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(file, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(file)
        raise LockedError(f"another trader (pid {holder}) already runs {what}; stop it first") from None
    os.ftruncate(file, 0)
    os.write(file, f"{os.getpid()}\n".encode())
    return file


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Hold the lock `path` within the block. Raises `LockedError` when another process holds it."""
    file = hold(path, what)
    try:
        yield
    finally:
        os.close(file)


def account_lock(environment: str, tag: int) -> Path:
    """Give the lock file of an account in an environment, shared by all runs of this user.

    Raises `LockedError` when somebody else has taken the place where this user's locks are.
    """
    # A fixed place, not the environment's: two traders with different TMPDIR must still meet.
    place = Path(f"/tmp/fairstrike-{os.getuid()}")
    place.mkdir(mode=0o700, exist_ok=True)
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise LockedError(f"{place} is not a private folder of yours; have it removed, then start again")
    return place / f"{environment}-{tag:06x}.lock"
