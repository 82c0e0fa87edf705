"""Who signed a request, decided as the venue decides it; written apart from the client's signing.

The signed text is the timestamp (epoch milliseconds as text), the upper-case method and the path from the root
without its query, joined with nothing between. RSA keys sign with PSS over SHA-256 (MGF1 with SHA-256, salt of
32 bytes; the longest salt is accepted too, as the venue was seen to do); Ed25519 keys sign the same text.
Timestamps are wall time, whatever time the venue's own clock shows.
Source: the venue's documentation on API keys; error codes and the accepted skew from third-party tests of 2026.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from fairstrike.core.errors import CredentialError

KEY_HEADER = "kalshi-access-key"
TIMESTAMP_HEADER = "kalshi-access-timestamp"
SIGNATURE_HEADER = "kalshi-access-signature"
SKEW_MS_MAX = 15_000

_SHA256 = hashes.SHA256()
_SALT_BYTES = 32


class SignedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the signature covers, and the headers (names in lower case) that carry it."""

    method: str
    path: str
    headers: Mapping[str, str]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """The account that signed, and the key it used."""

    account: str
    key_id: str


class SignatureRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Why a call is answered 401: the venue's code, a sentence, and its details word if it has one."""

    code: str
    message: str
    details: str | None = None


class Keyring:
    """The public keys of the exchange's accounts, by key id."""

    __slots__ = ("_keys", "skew_ms_max")

    def __init__(self, *, skew_ms_max: int = SKEW_MS_MAX) -> None:
        """Start empty; timestamps may be off by `skew_ms_max` wall milliseconds in both directions."""
        self._keys: dict[str, tuple[str, RSAPublicKey | Ed25519PublicKey]] = {}
        self.skew_ms_max = skew_ms_max

    def add(self, key_id: str, account: str, public_pem: bytes) -> None:
        """Let `key_id` sign for `account` with an RSA or Ed25519 key in PEM form.

        Raises `CredentialError` for any other kind of key, and for text that is none: make an RSA-2048 or Ed25519 key.
        """
        try:
            key = load_pem_public_key(public_pem)
        except (ValueError, UnsupportedAlgorithm):
            raise CredentialError(f"key {key_id} is no public key in PEM form; export the public half") from None
        if not isinstance(key, RSAPublicKey | Ed25519PublicKey):
            raise CredentialError(f"key {key_id} is neither RSA nor Ed25519; make one of these")
        self._keys[key_id] = (account, key)

    def account_of(self, headers: Mapping[str, str]) -> str | None:
        """Give the account whose key is named in `headers` (any case), whoever signed; None for none."""
        named = next((value for name, value in headers.items() if name.lower() == KEY_HEADER), "")
        known = self._keys.get(named)
        return known[0] if known else None

    def verify(self, call: SignedCall, wall_ms: int) -> Identity | SignatureRefused:
        """Tell who signed `call`, received at `wall_ms` (epoch milliseconds of the machine's clock).

        Source for the codes: refusals recorded on demo and production in 2026.
        """
        key_id = call.headers.get(KEY_HEADER, "")
        stamp = call.headers.get(TIMESTAMP_HEADER, "")
        if not key_id or not stamp or SIGNATURE_HEADER not in call.headers:
            return _refused("an authentication header is missing", "INVALID_PARAMETER")
        if key_id not in self._keys:
            return _refused("the API key is not known", "INVALID_PARAMETER")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
            return _refused("the timestamp is not in epoch milliseconds", "INVALID_PARAMETER")
        if abs(wall_ms - int(stamp)) > self.skew_ms_max:
            return SignatureRefused(code="header_timestamp_expired", message="header timestamp expired")
        account, key = self._keys[key_id]
        text = f"{stamp}{call.method.upper()}{call.path.partition('?')[0]}".encode()
        try:
            signature = b64decode(call.headers[SIGNATURE_HEADER], validate=True)
        except (binascii.Error, ValueError):
            return _refused("the signature is not base64", "INCORRECT_API_KEY_SIGNATURE")
        if not is_signature(key, signature, text):
            return _refused("the signature does not match", "INCORRECT_API_KEY_SIGNATURE")
        return Identity(account=account, key_id=key_id)


def is_signature(key: RSAPublicKey | Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    """Whether a signature is this key's for this text. Source: RFC 8017, section 8.1; RFC 8032, section 5.1.7."""
    if isinstance(key, Ed25519PublicKey):
        try:
            key.verify(signature, text)
        except InvalidSignature:
            return False
        return True
    # The library's own "longest" would accept every length when verifying, so the longest is computed.
    for salt in (_SALT_BYTES, padding.calculate_max_pss_salt_length(key, _SHA256)):
        try:
            key.verify(signature, text, padding.PSS(padding.MGF1(_SHA256), salt), _SHA256)
        except InvalidSignature:
            continue
        return True
    return False


def _refused(message: str, details: str) -> SignatureRefused:
    return SignatureRefused(code="authentication_error", message=message, details=details)
