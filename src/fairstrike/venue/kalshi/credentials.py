"""A shell: reads the private key's file, and refuses one that others could read."""

import os
import stat
from pathlib import Path

from fairstrike.core.errors import CredentialError
from fairstrike.venue.kalshi.signing import private_key

_BYTES_MAX = 65_536
_OTHERS = 0o077


def load_key(path: str | os.PathLike[str]) -> bytes:
    """Give the PEM bytes in the key file `path`, which only its owner may read.

    Raises `CredentialError` with the next step when the file is missing, a link, readable by others, or
    holds no usable private key.
    """
    place = Path(path)
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CredentialError(f"There is no key file {place}: save your API key's private key there.") from None
    except OSError as error:
        if place.is_symlink():
            raise CredentialError(f"{place} is a link: give the key file itself.") from None
        raise CredentialError(
            f"{place} cannot be read ({error.strerror}): check its path, and that it belongs to you."
        ) from None
    except ValueError:
        raise CredentialError(f"{str(place)!r} is no path: name the private key's file.") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise CredentialError(f"{place} is not a file: name the private key's file.")
        if status.st_mode & _OTHERS:
            raise CredentialError(f"Others may read {place}: run chmod 600 {place}")
        pem = os.read(handle, _BYTES_MAX)
    finally:
        os.close(handle)
    try:
        private_key(pem)
    except CredentialError as error:
        raise CredentialError(f"{place}: {error}") from None
    return pem
