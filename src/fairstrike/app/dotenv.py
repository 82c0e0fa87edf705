"""What `.env` and the process environment say of a run; the process environment wins.

Read here and nowhere else: KALSHI_ENV and KALSHI_EXECUTION_MODE, where the command line says nothing, and LOG_LEVEL.
"""

import os
from pathlib import Path

import msgspec
from dotenv import dotenv_values

from fairstrike.core.errors import ConfigError

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Execution and environment of a run, by name; not yet checked."""

    execution: str
    environment: str


def chosen(mode: str | None, env: str | None) -> Chosen:
    """Give what the command line says, else the environment, else the safest: observing real markets."""
    found = _values()
    return Chosen(
        execution=mode or found.get("KALSHI_EXECUTION_MODE") or "observe",
        environment=env or found.get("KALSHI_ENV") or "prod",
    )


def log_level() -> str:
    """Give the log level.

    Raises `ConfigError` for a level that is none.
    """
    level = (_values().get("LOG_LEVEL") or "WARNING").upper()
    if level not in _LEVELS:
        raise ConfigError(f"LOG_LEVEL {level!r} is none; use one of {', '.join(_LEVELS)}")
    return level


def _values() -> dict[str, str]:
    path = Path(".env")
    values = dotenv_values(path) if path.is_file() else {}
    return {key: value for key, value in {**values, **os.environ}.items() if value}
