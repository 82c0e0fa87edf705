"""What every stepped test shares: the key, made once, and the command that runs a failing seed again."""

from collections.abc import Generator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.simulation.stepped import KeyPair


@pytest.fixture(scope="session")
def key() -> KeyPair:
    """An RSA key of 2048 bits, as the venue hands them out."""
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return KeyPair(
        private=made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        public=made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell, with a failure, how to have it again."""
    report = yield
    seed = item.callspec.params.get("seed") if hasattr(item, "callspec") else None
    if report.failed and seed is not None:
        report.sections.append(("run this seed again", f"FAIRSTRIKE_SEEDS={seed}-{seed} pytest '{item.nodeid}'"))
    return report
