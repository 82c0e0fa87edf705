"""One trader an account: the lock is found whatever the environment says, and only in a private place."""

import os
from pathlib import Path

import pytest

from fairstrike.app import locks
from fairstrike.core.errors import LockedError


def test_the_account_lock_does_not_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = locks.account_lock("box", 1)
    for name in ("TMPDIR", "TEMP", "HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    assert before == locks.account_lock("box", 1)
    assert before != locks.account_lock("box", 2)
    assert before != locks.account_lock("demo", 1)


def test_a_held_lock_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path, "here"), pytest.raises(LockedError) as refused:
        locks.hold(path, "here")
    assert str(refused.value) == f"another trader (pid {os.getpid()}) already runs here; stop it first"
    os.close(locks.hold(path, "here"))


def test_a_linked_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        locks.hold(tmp_path / "lock", "here")
    assert not (tmp_path / "elsewhere").exists()
