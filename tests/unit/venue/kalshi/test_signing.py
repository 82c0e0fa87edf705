"""Signatures verify, and a signer for reading signs nothing else."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fairstrike.core.errors import CredentialError
from fairstrike.venue.kalshi.signing import Allowed, Signer, SigningRefused, kind_of, private_key, signature_of
from tests.unit.rfc8032 import RFC_8032

KEY_ID = "a1b2c3d4-0000-4000-8000-000000000000"
NOW_MS = 1_786_085_188_978
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EDWARDS = Ed25519PrivateKey.generate()


def pem(
    key: PrivateKeyTypes,
    form: PrivateFormat = PrivateFormat.PKCS8,
    lock: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption())


def verify_rsa(headers: dict[str, str], text: str) -> None:
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True)
    RSA.public_key().verify(signature, text.encode(), scheme, hashes.SHA256())


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_rsa_signs_time_method_and_path_without_query(form: PrivateFormat) -> None:
    signer = Signer(KEY_ID, pem(RSA, form), Allowed.EVERYTHING)
    headers = signer.sign("POST", "/trade-api/v2/portfolio/events/orders?x=1", NOW_MS)
    verify_rsa(headers, f"{NOW_MS}POST/trade-api/v2/portfolio/events/orders")
    assert headers["KALSHI-ACCESS-KEY"] == KEY_ID
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == str(NOW_MS)
    with pytest.raises(InvalidSignature):
        verify_rsa(headers, f"{NOW_MS}GET/trade-api/v2/portfolio/events/orders")


def test_edwards_key_signs_the_same_text() -> None:
    headers = Signer(KEY_ID, pem(EDWARDS), Allowed.READS).sign("GET", "/trade-api/v2/markets", NOW_MS)
    signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True)
    EDWARDS.public_key().verify(signature, f"{NOW_MS}GET/trade-api/v2/markets".encode())


@pytest.mark.parametrize(("secret", "public", "text", "signature"), RFC_8032)
def test_edwards_signature_is_that_of_the_standard(secret: str, public: str, text: str, signature: str) -> None:
    key = private_key(pem(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))))
    assert isinstance(key, Ed25519PrivateKey)
    assert key.public_key().public_bytes_raw().hex() == public
    assert signature_of(key, bytes.fromhex(text)).hex() == signature


def test_kinds_of_keys_have_names() -> None:
    assert kind_of(RSA) == "RSA, 2048 bits"
    assert kind_of(EDWARDS) == "Ed25519"


def test_handshake_signs_the_stream_path() -> None:
    headers = Signer(KEY_ID, pem(RSA), Allowed.READS).sign_stream(NOW_MS)
    verify_rsa(headers, f"{NOW_MS}GET/trade-api/ws/v2")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "get", "HEAD"])
def test_signer_for_reading_refuses_writes(method: str) -> None:
    with pytest.raises(SigningRefused):
        Signer(KEY_ID, pem(EDWARDS), Allowed.READS).sign(method, "/trade-api/v2/markets", NOW_MS)


def test_text_form_masks_key_and_id() -> None:
    text = repr(Signer(KEY_ID, pem(EDWARDS), Allowed.READS))
    assert KEY_ID not in text
    assert "reads" in text


@pytest.mark.parametrize("key_id", ["", "  ", "a\nb", "ключ"])
def test_malformed_key_id_is_refused(key_id: str) -> None:
    with pytest.raises(CredentialError):
        Signer(key_id, pem(EDWARDS), Allowed.READS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        pem(RSA)[:200],
        pem(RSA).replace(b"A", b"B"),
        RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        pem(RSA, lock=BestAvailableEncryption(b"secret")),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(dsa.generate_private_key(2048)),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    ],
    ids=["empty", "text", "cut", "damaged", "public", "locked", "elliptic", "dsa", "short"],
)
def test_unusable_key_is_refused(data: bytes) -> None:
    with pytest.raises(CredentialError):
        private_key(data)
