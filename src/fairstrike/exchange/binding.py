"""Where the exchange may listen and whom it answers: this machine alone, unless its user says otherwise; pure.

A page in a browser can be led to this machine by a name that resolves to it. So a request must name, in its Host
header, the loopback address or the one address that is listened on; who listens on every address is asked for any.
"""

import ipaddress

from fairstrike.core.errors import ConfigError


def check_host(host: str, *, is_remote_allowed: bool) -> None:
    """Check where the exchange shall listen. Raises `ConfigError` for other than loopback unless that is allowed."""
    if not is_loopback(host) and not is_remote_allowed:
        raise ConfigError(
            f"{host or 'an empty host'} lets other machines in; use 127.0.0.1, or add --allow-remote if that is meant"
        )


def warning(host: str) -> str | None:
    """Give the sentence that tells of the danger of listening on `host`, None on loopback."""
    if is_loopback(host):
        return None
    return (
        f"warning: the exchange listens on {host or 'every address'} for other machines too; requests and the "
        "administration's token travel in clear text, so use it on a network that you trust"
    )


def is_answered(named: str, host: str) -> bool:
    """Whether a request whose Host header is `named` is answered by an exchange that listens on `host`."""
    name = _without_port(named)
    return is_loopback(name) or _is_everywhere(host) or name.strip("[]").lower() == host.strip("[]").lower()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's own address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return not host


def _without_port(named: str) -> str:
    if named.startswith("["):
        return named.partition("]")[0].strip("[")
    return named.partition(":")[0] if named.count(":") == 1 else named
