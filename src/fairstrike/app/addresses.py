"""The one rule about where this version may send anything: this machine's loopback address, and nowhere else."""

from urllib.parse import urlsplit

from fairstrike.core.errors import ConfigError

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
