"""What `.env` and the process environment say of a run; the process environment wins.

Read here and nowhere else: KALSHI_ENV and KALSHI_EXECUTION_MODE, where the command line says nothing, LOG_LEVEL, and
for what only looks KALSHI_PROD_KEY_ID, KALSHI_PROD_KEY_PATH, KALSHI_DEMO_KEY_ID, KALSHI_DEMO_KEY_PATH (for whichever
environment is meant also KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH), KALSHI_BASE_URL and KALSHI_WS_URL, and for the
desk DATABASE_URL.
"""

import os
from pathlib import Path

import msgspec
from dotenv import dotenv_values

from fairstrike.core.errors import ConfigError, CredentialError

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


class KeyPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An API key's id, and where its private key is."""

    key_id: str
    path: str


def key_place(environment: str) -> KeyPlace:
    """Give where the key of an environment, prod or demo, is; the key is not read here.

    Raises `CredentialError` when no key id is named.
    """
    found = named_key(environment)
    if found is None:
        name = environment.upper()
        raise CredentialError(
            f"no API key is named for {environment}: make one at the venue, and put its id into .env as "
            f"KALSHI_{name}_KEY_ID and its private key into {_key_path(environment)}"
        )
    return found


def named_key(environment: str) -> KeyPlace | None:
    """Give where the key of an environment, prod or demo, is; None when no key id is named."""
    found = _values()
    key_id = found.get(f"KALSHI_{environment.upper()}_KEY_ID") or found.get("KALSHI_API_KEY_ID")
    return KeyPlace(key_id=key_id, path=_key_path(environment)) if key_id else None


def _key_path(environment: str) -> str:
    found = _values()
    named = found.get(f"KALSHI_{environment.upper()}_KEY_PATH") or found.get("KALSHI_PRIVATE_KEY_PATH")
    return named or f".secrets/{environment}.txt"


def wanted_addresses() -> tuple[str | None, str | None]:
    """Give the addresses of REST and stream that are to be used in place of the venue's, None for its own."""
    found = _values()
    return found.get("KALSHI_BASE_URL"), found.get("KALSHI_WS_URL")


def database_url() -> str | None:
    """Give the address of the desk's database, None where none is named; it may hold a password."""
    return _values().get("DATABASE_URL")


def _values() -> dict[str, str]:
    path = Path(".env")
    values = dotenv_values(path) if path.is_file() else {}
    return {key: value for key, value in {**values, **os.environ}.items() if value}
