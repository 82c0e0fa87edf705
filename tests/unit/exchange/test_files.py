"""What an exchange writes to disk."""

import gzip
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from fairstrike.core.errors import ConfigError
from fairstrike.exchange.administration import KeyType
from fairstrike.exchange.files import new_recording, write_new_key


@pytest.mark.parametrize(("kind", "shape"), [(KeyType.RSA, RSAPrivateKey), (KeyType.ED25519, Ed25519PrivateKey)])
def test_a_key_is_its_owner_s_alone_and_replaces_an_earlier_one(tmp_path: Path, kind: KeyType, shape: type) -> None:
    path = tmp_path / "keys" / "client.pem"
    first, second = write_new_key(path, kind), write_new_key(path, kind)
    private = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(private, shape)
    assert private.public_key() == load_pem_public_key(second) != load_pem_public_key(first)
    assert (path.stat().st_mode & 0o777, list(path.parent.iterdir())) == (0o600, [path])


def test_a_recording_is_packed_by_its_name(tmp_path: Path) -> None:
    for name, read in (("a.jsonl", Path.read_bytes), ("a.jsonl.gz", lambda path: gzip.decompress(path.read_bytes()))):
        with new_recording(tmp_path / name) as file:
            file.write(b"{}\n")
        assert read(tmp_path / name) == b"{}\n"


def test_a_recording_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "there.jsonl").touch()
    for name, sentence in (
        ("there.jsonl", "cannot be written (File exists); name a new file"),
        ("gone/a.jsonl", "cannot be written (No such file or directory); name a new file"),
        ("a.jsonl.zst", "would have to be zstd, which is read only; name it"),
    ):
        with pytest.raises(ConfigError) as refused:
            new_recording(tmp_path / name)
        assert sentence in str(refused.value)
