"""Signatures are accepted and refused as the venue does it."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fairstrike.core.errors import CredentialError
from fairstrike.exchange.verification import Identity, Keyring, SignatureRefused, SignedCall, is_signature
from tests.unit.rfc8032 import RFC_8032

WALL_MS = 1_790_000_000_000
PATH = "/trade-api/v2/portfolio/balance"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED_KEY = Ed25519PrivateKey.generate()


def public_pem(key: rsa.RSAPrivateKey | Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def keyring() -> Keyring:
    ring = Keyring()
    ring.add("rsa-key", "client", public_pem(RSA_KEY))
    ring.add("ed-key", "client", public_pem(ED_KEY))
    return ring


def rsa_signature(text: bytes, salt: int | padding._MaxLength = 32) -> str:
    pad = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt)
    return b64encode(RSA_KEY.sign(text, pad, hashes.SHA256())).decode()


def call(
    signature: str, *, key: str = "rsa-key", stamp: str = str(WALL_MS), method: str = "GET", path: str = PATH
) -> SignedCall:
    headers = {
        "kalshi-access-key": key,
        "kalshi-access-timestamp": stamp,
        "kalshi-access-signature": signature,
    }
    return SignedCall(method=method, path=path, headers=headers)


def test_rsa_with_salt_of_32_and_of_the_longest_length_is_accepted(keyring: Keyring) -> None:
    text = f"{WALL_MS}GET{PATH}".encode()
    expected = Identity(account="client", key_id="rsa-key")
    assert expected == keyring.verify(call(rsa_signature(text)), WALL_MS)
    assert expected == keyring.verify(call(rsa_signature(text, padding.PSS.MAX_LENGTH)), WALL_MS)


def test_other_salt_lengths_are_refused(keyring: Keyring) -> None:
    answer = keyring.verify(call(rsa_signature(f"{WALL_MS}GET{PATH}".encode(), 20)), WALL_MS)
    assert isinstance(answer, SignatureRefused)
    assert answer.details == "INCORRECT_API_KEY_SIGNATURE"


def test_ed25519_is_accepted(keyring: Keyring) -> None:
    signature = b64encode(ED_KEY.sign(f"{WALL_MS}GET{PATH}".encode())).decode()
    assert keyring.verify(call(signature, key="ed-key"), WALL_MS) == Identity(account="client", key_id="ed-key")
    wrong = keyring.verify(call(signature, key="ed-key", method="POST"), WALL_MS)
    assert isinstance(wrong, SignatureRefused)


def test_the_query_is_not_signed_and_the_method_is_upper_case(keyring: Keyring) -> None:
    signature = rsa_signature(f"{WALL_MS}GET{PATH}".encode())
    assert isinstance(keyring.verify(call(signature, path=PATH + "?subaccount=0", method="get"), WALL_MS), Identity)


@pytest.mark.parametrize(
    ("changes", "code", "details"),
    [
        ({"method": "POST"}, "authentication_error", "INCORRECT_API_KEY_SIGNATURE"),
        ({"path": "/portfolio/balance"}, "authentication_error", "INCORRECT_API_KEY_SIGNATURE"),
        ({"stamp": str(WALL_MS + 1)}, "authentication_error", "INCORRECT_API_KEY_SIGNATURE"),
        ({"key": "ed-key"}, "authentication_error", "INCORRECT_API_KEY_SIGNATURE"),
        ({"key": "nobody"}, "authentication_error", "INVALID_PARAMETER"),
        ({"key": ""}, "authentication_error", "INVALID_PARAMETER"),
        ({"stamp": "yesterday"}, "authentication_error", "INVALID_PARAMETER"),
        ({"stamp": str(WALL_MS - 15_001)}, "header_timestamp_expired", None),
        ({"stamp": str(WALL_MS + 15_001)}, "header_timestamp_expired", None),
    ],
)
def test_refusals_carry_the_venues_codes(
    keyring: Keyring, changes: dict[str, str], code: str, details: str | None
) -> None:
    answer = keyring.verify(call(rsa_signature(f"{WALL_MS}GET{PATH}".encode()), **changes), WALL_MS)
    assert isinstance(answer, SignatureRefused)
    assert (answer.code, answer.details) == (code, details)


@pytest.mark.parametrize("skew_ms", [-15_000, -2_000, 0, 15_000])
def test_small_skews_are_accepted_both_ways(keyring: Keyring, skew_ms: int) -> None:
    stamp = WALL_MS + skew_ms
    signature = rsa_signature(f"{stamp}GET{PATH}".encode())
    assert isinstance(keyring.verify(call(signature, stamp=str(stamp)), WALL_MS), Identity)


def test_what_is_not_base64_is_refused(keyring: Keyring) -> None:
    answer = keyring.verify(call("%%%"), WALL_MS)
    assert isinstance(answer, SignatureRefused)
    assert answer.details == "INCORRECT_API_KEY_SIGNATURE"


def test_another_kind_of_key_is_refused() -> None:
    with pytest.raises(CredentialError, match="neither RSA nor Ed25519"):
        Keyring().add("ec", "client", public_pem(ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize(("secret", "public", "text", "signature"), RFC_8032)
def test_ed25519_holds_the_vectors_of_the_standard(secret: str, public: str, text: str, signature: str) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    signed = bytes.fromhex(signature)
    assert is_signature(key, signed, bytes.fromhex(text))
    assert not is_signature(key, signed, bytes.fromhex(text) + b"\0")
    assert not is_signature(key, signed[:-1] + bytes((signed[-1] ^ 1,)), bytes.fromhex(text))
    assert not is_signature(key, signed[:63], bytes.fromhex(text))


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_text_that_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(CredentialError, match="no public key"):
        Keyring().add("text", "client", pem)
