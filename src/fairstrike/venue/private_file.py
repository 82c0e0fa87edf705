"""A shell: reads a file of secrets, and refuses one that others could read."""

import os
import stat
from pathlib import Path

from fairstrike.core.errors import CredentialError

_BYTES_MAX = 65_536
_OTHERS = 0o077


def read_private(path: str | os.PathLike[str], what: str, cure: str) -> bytes:
    """Give the bytes of a file that only its owner may read, at most 64 KiB.

    `what` names it for people ("key file"), `cure` says what to do when it is not there.
    Raises `CredentialError` with the next step when it is missing, a link, no file, or readable by others.
    """
    place = Path(path)
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CredentialError(f"There is no {what} {place}: {cure}.") from None
    except OSError as error:
        if place.is_symlink():
            raise CredentialError(f"{place} is a link: give the {what} itself.") from None
        raise CredentialError(
            f"{place} cannot be read ({error.strerror}): check its path, and that it belongs to you."
        ) from None
    except ValueError:
        raise CredentialError(f"{str(place)!r} is no path: name the {what}.") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise CredentialError(f"{place} is not a file: name the {what}.")
        if status.st_mode & _OTHERS:
            raise CredentialError(f"Others may read {place}: run chmod 600 {place}")
        return os.read(handle, _BYTES_MAX)
    finally:
        os.close(handle)
