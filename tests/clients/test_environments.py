"""Where a client cannot be had, its environment says why."""

import os
from pathlib import Path

import pytest

from tests.clients.environments import Client, Unavailable, python_for


def test_no_python_is_new_enough(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"^pykalshi needs Python 9\.9 or newer: none is on PATH or in pyenv$"):
        python_for(Client("pykalshi", (9, 9)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CONFIG_FILE": os.devnull, "NO_INDEX": "1", "FIND_LINKS": ""}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(Unavailable, match=r"^pip finds no package to install: ERROR: No matching distribution found"):
        python_for(Client("pykalshi", (3, 11)), tmp_path)
    assert not (tmp_path / "pykalshi" / "requirements-pykalshi.txt").exists()
