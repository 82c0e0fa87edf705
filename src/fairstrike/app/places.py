"""Where a look goes, and with which key: the venue's environments, or an exchange in a box."""

from pathlib import Path
from typing import get_args

import msgspec

from fairstrike.app import config, dotenv, runfile
from fairstrike.app.addresses import on_this_machine, origin_on_this_machine, to_read_from
from fairstrike.app.config import Environment, Settings
from fairstrike.core.errors import UsageError
from fairstrike.core.timing import VenueClock
from fairstrike.venue.connection import Library
from fairstrike.venue.kalshi.credentials import load_key
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.transport import BASE_PATH, STREAM_PATH


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An environment's addresses and clock, and the library that holds its stream."""

    environment: str
    origin: str
    ws: str
    clock: VenueClock = VenueClock()
    websocket: Library = "picows"


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """How to look: the environment, which goes before that of the settings, and these, without a file the defaults."""

    environment: str
    settings: Settings = Settings()


def sight(env: str | None, config_file: Path | None) -> Sight:
    """Give how to look: the environment as said, else as the settings file says, else as `.env` says, else prod.

    Raises `ConfigError` for settings that are not accepted.
    """
    if config_file is None:
        return Sight(environment=env or dotenv.chosen(None, None).environment)
    settings = config.load(config_file)
    return Sight(environment=env or settings.environment, settings=settings)


def place_of(environment: str, box: Path | None, websocket: Library = "picows") -> Place:
    """Give where to look; `box` is the file with the first line of an exchange in a box.

    Raises `UsageError` for an environment that is none and a box without its line, `ConfigError` for an address that
    is not the environment's.
    """
    known = get_args(Environment)
    if environment not in known:
        raise UsageError(f"there is no --env {environment!r}; choose {', '.join(known)}")
    if environment == "box":
        line = runfile.read_box_line(_named(box))
        origin, ws = origin_on_this_machine(line.rest, BASE_PATH), on_this_machine(line.ws, "ws")
        return Place(environment=environment, origin=origin, ws=ws, clock=line.clock, websocket=websocket)
    if box is not None:
        raise UsageError(f"--box goes with --env box, not with {environment}; leave one of them out")
    rest, stream = dotenv.wanted_addresses()
    return Place(
        environment=environment,
        origin=to_read_from(environment, "rest", rest, BASE_PATH).removesuffix(BASE_PATH),
        ws=to_read_from(environment, "stream", stream, STREAM_PATH),
        websocket=websocket,
    )


def key_place(environment: str, box: Path | None) -> dotenv.KeyPlace:
    """Give where the environment's key is.

    Raises `UsageError` for a box without its line, `CredentialError` when no key is named.
    """
    if environment != "box":
        return dotenv.key_place(environment)
    account = runfile.read_box_line(_named(box)).accounts[0]
    return dotenv.KeyPlace(key_id=account.key_id, path=account.private_key)


def reading_signer(key: dotenv.KeyPlace) -> Signer:
    """Give a signer that signs reads and nothing else. Raises `CredentialError` for a key that cannot be used."""
    return Signer(key.key_id, load_key(key.path), Allowed.READS)


def _named(box: Path | None) -> Path:
    if box is None:
        raise UsageError("--env box needs --box FILE, the file with the first line of `fairstrike exchange --json`")
    return box
