"""The loopback rule: what was checked is what is used."""

import pytest

from fairstrike.app.addresses import on_this_machine, origin_on_this_machine
from fairstrike.core.errors import ConfigError


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        ("http://127.0.0.1:80/x", "http://127.0.0.1:80/x"),
        ("http://127.0.0.1:80", "http://LOCALHOST:80"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x?q=1#f"),
    ],
)
def test_an_address_of_this_machine_is_written_out(expected: str, url: str) -> None:
    assert expected == on_this_machine(url, "http")


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3:80",
        "http://192.0.2.2:80/127.0.0.1",
        "http://127.0.0.1.evil.test:80",
        "http://user@127.0.0.1:80",
        "http://127.0.0.1:1#@evil.test:80/",
        "http://2130706433:80",
        "http://127.0.0.1",
        "https://127.0.0.1:80",
        "ws://127.0.0.1:80",
        "http://[::1:80",
        "http://127.0.0.1:99999",
        "",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        on_this_machine(url, "http")


@pytest.mark.parametrize(
    ("expected", "url", "path"),
    [
        ("http://127.0.0.1:80", "http://localhost:80", ""),
        ("http://[::1]:80", "http://[::1]:80/trade-api/v2", "/trade-api/v2"),
    ],
)
def test_an_origin_is_written_out(expected: str, url: str, path: str) -> None:
    assert expected == origin_on_this_machine(url, path)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://192.0.2.2:80", ""),
        ("http://127.0.0.1:80/", ""),
        ("http://127.0.0.1:80/trade-api/v2", ""),
        ("http://127.0.0.1:80", "/trade-api/v2"),
        ("http://127.0.0.1:80/x/trade-api/v2", "/trade-api/v2"),
    ],
)
def test_an_origin_with_another_path_is_refused(url: str, path: str) -> None:
    with pytest.raises(ConfigError):
        origin_on_this_machine(url, path)
