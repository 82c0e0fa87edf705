"""Which key files are taken, and what the others are told."""

import os
from pathlib import Path

import pytest

from fairstrike.core.errors import CredentialError
from fairstrike.venue.kalshi.credentials import load_key
from tests.unit.venue.kalshi.fakes import rsa_pem

PEM = rsa_pem()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "prod.txt"
    path.write_bytes(PEM)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_private_file_is_read(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    assert load_key(key_file) == PEM


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_file_open_to_others_is_refused_with_the_cure(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(CredentialError, match=f"chmod 600 {key_file}"):
        load_key(key_file)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="no key file"):
        load_key(tmp_path / "none.txt")


def test_link_is_refused(key_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(key_file)
    with pytest.raises(CredentialError, match="is a link"):
        load_key(link)


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="is not a file"):
        load_key(tmp_path)


def test_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(CredentialError, match="is not a file"):
        load_key(tmp_path / "pipe")


def test_folder_of_a_file_is_refused(key_file: Path) -> None:
    with pytest.raises(CredentialError, match="cannot be read"):
        load_key(key_file / "key.txt")


def test_malformed_key_is_refused_by_name(key_file: Path) -> None:
    key_file.write_bytes(b"not a key")
    with pytest.raises(CredentialError, match=r"prod\.txt.*PEM"):
        load_key(key_file)
