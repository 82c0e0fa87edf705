"""What an exchange writes to disk: the private keys of its accounts, and the recording it was asked for."""

import gzip
import os
import secrets
from io import BufferedIOBase
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from fairstrike.core.errors import ConfigError
from fairstrike.exchange.administration import KeyType


def write_new_key(path: Path, kind: KeyType) -> bytes:
    """Make a key, write its private half to `path`, PEM, only the owner's to read, and give the public one, PEM."""
    key = _new_key(kind)
    _write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def new_recording(path: Path) -> BufferedIOBase:
    """Open a new file for lines, packed when it is called .gz.

    Raises `ConfigError` when the file is there already or cannot be made.
    """
    if path.suffix == ".zst":
        raise ConfigError(f"{path} would have to be zstd, which is read only; name it .jsonl.gz or .jsonl")
    try:
        return gzip.open(path, "xb", compresslevel=6) if path.suffix == ".gz" else path.open("xb")
    except OSError as why:
        raise ConfigError(
            f"{path} cannot be written ({why.strerror}); name a new file in a folder that is there"
        ) from None


def _new_key(kind: KeyType) -> RSAPrivateKey | Ed25519PrivateKey:
    if kind is KeyType.ED25519:
        return Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def _write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, replacing an earlier one as a whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    draft.replace(path)
