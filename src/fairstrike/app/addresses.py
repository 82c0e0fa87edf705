"""The rules about where this version may send anything.

Orders go to this machine's loopback address and nowhere else. What only looks may also read from the venue's own
hosts, those of its environment only, over TLS, and from spot venues, wherever they are said to be, over TLS.
"""

import re
from typing import Literal
from urllib.parse import urlsplit

from fairstrike.core.errors import ConfigError

Kind = Literal["rest", "stream"]

# Source: the venue's page on environments; the first of each is the one meant for programs.
_HOSTS: dict[str, dict[Kind, tuple[str, ...]]] = {
    "prod": {
        "rest": ("external-api.kalshi.com", "api.elections.kalshi.com"),
        "stream": ("external-api-ws.kalshi.com", "api.elections.kalshi.com"),
    },
    "demo": {
        "rest": ("external-api.demo.kalshi.co", "demo-api.kalshi.co"),
        "stream": ("external-api-ws.demo.kalshi.co", "demo-api.kalshi.co"),
    },
}
_SCHEMES: dict[Kind, tuple[str, str]] = {"rest": ("https", "http"), "stream": ("wss", "ws")}
_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_LOOPBACK = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "[::1]"}


def on_this_machine(url: str, scheme: str) -> str:
    """Give a URL on this machine, host and port written out: what was checked is what is used.

    Raises `ConfigError` when it is no loopback address of the scheme, or names a user.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{url} is not an address; use the line that the exchange printed") from None
    if host not in _LOOPBACK:
        raise ConfigError(f"{url} is not on this machine; --env box trades on 127.0.0.1 only")
    if parts.scheme != scheme or parts.username is not None or not port or "@" in url:
        raise ConfigError(f"{url} is not of the form {scheme}://127.0.0.1:PORT; use the line that the exchange printed")
    return f"{scheme}://{_LOOPBACK[host]}:{port}{parts.path}"


def origin_on_this_machine(url: str, path: str = "") -> str:
    """Give the origin (scheme, host and port) of an HTTP URL on this machine whose path is `path`.

    Raises `ConfigError` as `on_this_machine` does, and for any other path: requests would go somewhere else.
    """
    parts = urlsplit(on_this_machine(url, "http"))
    if parts.path != path:
        raise ConfigError(
            f"{url} is not of the form http://127.0.0.1:PORT{path}; use the line that the exchange printed"
        )
    return f"{parts.scheme}://{parts.netloc}"


def to_read_from(environment: str, kind: Kind, wanted: str | None, path: str) -> str:
    """Give the URL that an environment, prod or demo, is read from: the venue's, or the `wanted` one.

    A wanted one is one of the environment's own hosts over TLS, or on this machine, and its path is `path`.
    Raises `ConfigError` for any other: a signature must not go astray.
    """
    hosts = _HOSTS[environment][kind]
    secure, plain = _SCHEMES[kind]
    if not wanted:
        return f"{secure}://{hosts[0]}{path}"
    try:
        parts = urlsplit(wanted)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(f"{wanted} is not an address; leave it out, or use {secure}://{hosts[0]}{path}") from None
    if host in _LOOPBACK and parts.scheme == plain:
        local = on_this_machine(wanted, plain)
        if urlsplit(local).path in ("", path):
            return local.removesuffix(path) + path
    is_plain = parts.path.rstrip("/") in ("", path) and port in (None, 443) and "@" not in wanted
    if host in hosts and parts.scheme == secure and is_plain:
        return f"{secure}://{host}{path}"
    other = next((name for name, known in _HOSTS.items() if name != environment and host in known[kind]), None)
    if other is not None:
        raise ConfigError(f"{host} is a host of {other}, but the environment is {environment}; make them agree")
    raise ConfigError(
        f"{wanted} is no address of the environment {environment}; leave it out, or use {secure}://{hosts[0]}{path}"
    )


def spot_host(host: str, *, in_box: bool) -> str:
    """Give where a spot venue is listened to, nothing when it is not: for the box only on this machine.

    A plain name is held to be one for the box too, which does not listen there. Raises `ConfigError` for what is no
    host, and for one without TLS that is elsewhere.
    """
    if not host:
        return ""
    is_plain, has_gap = "://" not in host, any(letter.isspace() or not letter.isprintable() for letter in host)
    is_box_host = in_box and not is_plain
    try:
        parts = urlsplit(f"wss://{host}" if is_plain else host)
        name, has_rest = parts.hostname or "", bool(parts.query or parts.fragment or "@" in host or parts.port == 0)
    except ValueError:
        parts, name, has_rest = urlsplit(""), "", True
    is_local = name in _LOOPBACK and parts.scheme == "ws"
    is_outside = _NAME.fullmatch(name) is not None and parts.scheme == "wss" and not is_box_host
    if has_rest or has_gap or not (is_local or is_outside):
        here, anywhere = "ws://127.0.0.1:PORT", "a name such as ws.kraken.com, wss://NAME, or ws://127.0.0.1:PORT"
        where = here if is_box_host else anywhere
        raise ConfigError(f"spot.hosts: {host!r} is no host that may be listened to; give {where}")
    return "" if in_box and is_plain else host
