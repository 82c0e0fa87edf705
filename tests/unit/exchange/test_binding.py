"""Who is let in: this machine, and others only when that is meant."""

import pytest

from fairstrike.core.errors import ConfigError
from fairstrike.exchange.binding import check_host, is_answered, is_loopback, warning

OTHERS = ["0.0.0.0", "::", "192.168.1.1", "example.com", ""]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])
def test_this_machine_is_served_without_a_word(host: str) -> None:
    check_host(host, is_remote_allowed=False)
    assert is_loopback(host)
    assert warning(host) is None


@pytest.mark.parametrize("host", OTHERS)
def test_other_machines_need_a_flag_and_are_warned_of(host: str) -> None:
    with pytest.raises(ConfigError, match="--allow-remote"):
        check_host(host, is_remote_allowed=False)
    check_host(host, is_remote_allowed=True)
    assert "clear text" in (warning(host) or "")


@pytest.mark.parametrize(
    ("named", "host", "expected"),
    [
        ("127.0.0.1:8000", "127.0.0.1", True),
        ("localhost", "127.0.0.1", True),
        ("[::1]:8000", "127.0.0.1", True),
        ("evil.example:8000", "127.0.0.1", False),
        ("192.168.1.1:8000", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("192.168.1.1:8000", "192.168.1.1", True),
        ("192.168.1.1", "192.168.1.1", True),
        ("192.168.1.2:8000", "192.168.1.1", False),
        ("evil.example:8000", "192.168.1.1", False),
        ("[fe80::1]:8000", "fe80::1", True),
        ("Box.example:8000", "box.example", True),
        ("anything:1", "0.0.0.0", True),
        ("anything:1", "::", True),
        ("anything:1", "", True),
    ],
)
def test_who_is_answered(named: str, host: str, *, expected: bool) -> None:
    assert is_answered(named, host) is expected
