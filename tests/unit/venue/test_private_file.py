"""Which files of secrets are read, and what is said of the others."""

from pathlib import Path

import pytest

from fairstrike.core.errors import CredentialError
from fairstrike.venue.private_file import read_private


def test_it_is_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "licence.txt"
    with pytest.raises(CredentialError, match=f"^There is no licence file {path}: ask for one.$"):
        read_private(path, "licence file", "ask for one")
    path.write_bytes(b"user:key")
    path.chmod(0o644)
    with pytest.raises(CredentialError, match=f"^Others may read {path}: run chmod 600 {path}$"):
        read_private(path, "licence file", "ask for one")
    path.chmod(0o600)
    assert read_private(path, "licence file", "ask for one") == b"user:key"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match=r"is not a file: name the licence file\.$"):
        read_private(tmp_path, "licence file", "ask for one")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(CredentialError, match=r"is a link: give the licence file itself\.$"):
        read_private(tmp_path / "link", "licence file", "ask for one")


def test_no_more_than_a_secret_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(100_000))
    path.chmod(0o600)
    assert len(read_private(path, "licence file", "ask for one")) == 65_536
