"""A shell: reads the private key's file, and refuses one that others could read."""

import os

from fairstrike.core.errors import CredentialError
from fairstrike.venue.kalshi.signing import private_key
from fairstrike.venue.private_file import read_private


def load_key(path: str | os.PathLike[str]) -> bytes:
    """Give the PEM bytes in the key file `path`, which only its owner may read.

    Raises `CredentialError` with the next step when the file is missing, a link, readable by others, or
    holds no usable private key.
    """
    pem = read_private(path, "key file", "save your API key's private key there")
    try:
        private_key(pem)
    except CredentialError as error:
        raise CredentialError(f"{os.fspath(path)}: {error}") from None
    return pem
