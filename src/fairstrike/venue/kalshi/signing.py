"""Signed headers, given the time. A signer is built for what it may sign: reads only, or everything.

Signed is the text "milliseconds + METHOD + full path without query". RSA keys sign with PSS, SHA-256, MGF1
with SHA-256 and a salt as long as the digest; Ed25519 keys sign the same text. Source: venue documentation of
API keys, changelog of 24 September 2026.
"""

import base64
from enum import Enum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fairstrike.core.errors import CredentialError
from fairstrike.venue.kalshi.wire.transport import STREAM_PATH

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

_BITS_MIN = 2_048
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


class SigningRefused(CredentialError):
    """A signer for reading was asked to sign a write. Cure: trade in an execution that may write."""


class Allowed(Enum):
    """What a signer may sign: GET requests and the stream's handshake, or any request."""

    READS = "reads"
    EVERYTHING = "everything"


class Signer:
    """Signs requests of one API key. Its text form names neither the key nor its id."""

    __slots__ = ("_key", "_key_id", "allowed")

    def __init__(self, key_id: str, pem: bytes, allowed: Allowed) -> None:
        """Take the API key's id and its private key (PEM, PKCS#1 or PKCS#8).

        Raises `CredentialError` when the id is empty or the key cannot be used: give the key's own file.
        """
        if not key_id.strip() or not key_id.isascii() or not key_id.isprintable():
            raise CredentialError("The API key id is empty or malformed: copy it from the venue's key page.")
        self._key_id = key_id.strip()
        self._key = private_key(pem)
        self.allowed = allowed

    def __repr__(self) -> str:
        """Give a text that is safe to log."""
        return f"Signer(key_id=***, key=***, allowed={self.allowed.value})"

    def sign(self, method: str, path: str, timestamp_ms: int) -> dict[str, str]:
        """Give the three headers for a request at wall time `timestamp_ms` (epoch milliseconds).

        `path` is the full path from the root; a query behind it is not signed.
        Raises `SigningRefused` for anything but GET when this signer is for reading.
        """
        if self.allowed is Allowed.READS and method != "GET":
            raise SigningRefused(f"This run may only read: it will not sign a {method}. Use live to trade.")
        text = f"{timestamp_ms}{method}{path.partition('?')[0]}".encode()
        return {
            "KALSHI-ACCESS-KEY": self._key_id,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature_of(self._key, text)).decode(),
            "KALSHI-ACCESS-TIMESTAMP": str(timestamp_ms),
        }

    def sign_stream(self, timestamp_ms: int) -> dict[str, str]:
        """Give the three headers of the stream's handshake."""
        return self.sign("GET", STREAM_PATH, timestamp_ms)


def signature_of(key: PrivateKey, text: bytes) -> bytes:
    """Give a key's signature of a text: PSS for RSA, 64 bytes of pure Ed25519 otherwise.

    Source: the venue's documentation of API keys; RFC 8032, section 5.1.6.
    """
    if isinstance(key, RSAPrivateKey):
        return key.sign(text, _PSS, hashes.SHA256())
    return key.sign(text)


def kind_of(key: PrivateKey) -> str:
    """Give what kind of key it is, for people: "RSA, 2048 bits" or "Ed25519"."""
    return f"RSA, {key.key_size} bits" if isinstance(key, RSAPrivateKey) else "Ed25519"


def private_key(pem: bytes) -> PrivateKey:
    """Give the private key in PEM bytes.

    Raises `CredentialError` when there is none, it is locked, too short or of another kind.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise CredentialError("The key is locked by a password: save it without one.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CredentialError(
            "The key file holds no private key in PEM form: download the key again and save all of it, "
            "from BEGIN to END."
        ) from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise CredentialError("The key is neither RSA nor Ed25519: make a new API key at the venue.")
    if key.key_size < _BITS_MIN:
        raise CredentialError(f"The RSA key has {key.key_size} bits: make one of at least {_BITS_MIN}.")
    return key
