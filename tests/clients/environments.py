"""Environments for clients that are not ours: exact versions in the newest Python found, kept between runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples" / "clients"
FOLDER = REPOSITORY / ".venv-clients"
COMMANDS = ("python3.14", "python3.13", "python3.12")
MAKING_S = 300.0

Version = tuple[int, ...]


class Client(NamedTuple):
    """A client of the venue: its name in our file names, and the oldest Python it runs on."""

    name: str
    python_min: Version

    @property
    def example(self) -> Path:
        return EXAMPLES / f"drive_{self.name}.py"

    @property
    def requirements(self) -> Path:
        return EXAMPLES / f"requirements-{self.name}.txt"


class Unavailable(Exception):
    """No environment can be made here, for the reason given: the tests that need it are skipped."""


def python_for(client: Client, folder: Path = FOLDER) -> Path:
    """The interpreter of a client's environment, which is made when it is missing or not what the requirements say.

    Raises `Unavailable` where no Python is new enough or no package can be had.
    """
    home, wanted = folder / client.name, client.requirements.read_text("utf-8")
    python, made = home / "bin" / "python", home / client.requirements.name
    if made.is_file() and made.read_text("utf-8") == wanted and version_of(python) >= client.python_min:
        return python
    version, newest = max((version_of(found), found) for found in pythons())
    if version < client.python_min:
        least = ".".join(map(str, client.python_min))
        raise Unavailable(f"{client.name} needs Python {least} or newer: none is on PATH or in pyenv")
    shutil.rmtree(home, ignore_errors=True)
    run(newest, "-m", "venv", home)
    installing = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1")
    run(python, *installing, "--require-hashes", "--only-binary", ":all:", "--requirement", client.requirements)
    made.write_text(wanted, "utf-8")
    return python


def pythons() -> Iterator[Path]:
    """Interpreters that this machine may have: our own, those on PATH, and those that pyenv keeps."""
    yield Path(sys.executable)
    for command in COMMANDS:
        if found := shutil.which(command):
            yield Path(found)
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from (found for command in COMMANDS for found in sorted(kept.glob(f"*/bin/{command}")))


def version_of(python: Path) -> Version:
    """An interpreter's version; empty when it does not run or cannot make environments."""
    asked = "import sys, ensurepip, venv; print(*sys.version_info[:3])"
    try:
        done = subprocess.run([python, "-c", asked], capture_output=True, text=True, timeout=MAKING_S, check=False)
    except OSError:
        return ()
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


def run(*command: str | Path) -> None:
    """Run a command to its end. Raises `Unavailable` when pip finds no package; any other failure is a test's."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=MAKING_S, check=False)
    if "No matching distribution found" in done.stderr:
        raise Unavailable(f"pip finds no package to install: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
