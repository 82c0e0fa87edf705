"""The loopback rule: what was checked is what is used."""

import pytest

from fairstrike.app.addresses import on_this_machine, origin_on_this_machine, spot_host, to_read_from
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


REST, STREAM = "/trade-api/v2", "/trade-api/ws/v2"


@pytest.mark.parametrize(
    ("expected", "environment", "wanted"),
    [
        ("https://external-api.kalshi.com/trade-api/v2", "prod", None),
        ("https://external-api.demo.kalshi.co/trade-api/v2", "demo", ""),
        ("https://api.elections.kalshi.com/trade-api/v2", "prod", "https://api.elections.kalshi.com"),
        ("https://demo-api.kalshi.co/trade-api/v2", "demo", "https://demo-api.kalshi.co/trade-api/v2/"),
        ("http://127.0.0.1:8080/trade-api/v2", "demo", "http://localhost:8080/trade-api/v2"),
        ("http://127.0.0.1:8080/trade-api/v2", "prod", "http://127.0.0.1:8080"),
    ],
)
def test_an_environment_is_read_from_its_own_hosts_or_this_machine(
    expected: str, environment: str, wanted: str | None
) -> None:
    assert to_read_from(environment, "rest", wanted, REST) == expected


def test_streams_have_hosts_of_their_own() -> None:
    assert to_read_from("prod", "stream", None, STREAM) == "wss://external-api-ws.kalshi.com/trade-api/ws/v2"
    assert to_read_from("demo", "stream", None, STREAM) == "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"


@pytest.mark.parametrize(
    "wanted",
    [
        "http://external-api.kalshi.com/trade-api/v2",
        "https://external-api.kalshi.com.evil.test/trade-api/v2",
        "https://evil.test/trade-api/v2",
        "https://user@external-api.kalshi.com/trade-api/v2",
        "https://external-api.kalshi.com:8443/trade-api/v2",
        "https://external-api.kalshi.com/elsewhere",
        "https://127.0.0.1:8080/trade-api/v2",
        "http://127.0.0.1:8080/elsewhere",
        "http://127.0.0.1/trade-api/v2",
        "http://[::1",
        "external-api.kalshi.com",
    ],
)
def test_a_signature_does_not_go_astray(wanted: str) -> None:
    with pytest.raises(ConfigError):
        to_read_from("prod", "rest", wanted, REST)


def test_a_host_of_another_environment_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"demo-api\.kalshi\.co is a host of demo, but the environment is prod"):
        to_read_from("prod", "rest", "https://demo-api.kalshi.co/trade-api/v2", REST)


@pytest.mark.parametrize("host", ["ws.kraken.com", "stream.binance.com:9443", "wss://spot.example/coinbase", ""])
def test_spot_venues_are_heard_over_tls_and_never_from_the_box(host: str) -> None:
    assert spot_host(host, in_box=False) == host
    if "://" not in host:
        assert spot_host(host, in_box=True) == ""


@pytest.mark.parametrize("host", ["ws://127.0.0.1:8080", "ws://localhost:80/x", "ws://[::1]:8080"])
def test_spot_venues_on_this_machine_are_heard_from_anywhere(host: str) -> None:
    assert (spot_host(host, in_box=False), spot_host(host, in_box=True)) == (host, host)


@pytest.mark.parametrize(
    ("host", "in_box"),
    [
        ("ws://ws.kraken.com", False),
        ("https://ws.kraken.com", False),
        ("user@ws.kraken.com", False),
        ("ws.kraken.com?x", False),
        ("ws.kraken.com:99999", False),
        ("kraken", False),
        ("ws kraken.com", False),
        ("wss://", False),
        ("kraken", True),
        ("ws kraken.com", True),
        ("://", True),
        ("wss://ws.kraken.com", True),
        ("ws://127.0.0.1.evil.test:80", True),
        ("wss://[::1", False),
        ("ws.kraken.com/x y", False),
        ("ws.kraken.com/x\r\ny", True),
    ],
)
def test_any_other_spot_host_is_refused(host: str, in_box: bool) -> None:
    with pytest.raises(ConfigError, match=r"^spot\.hosts: .* is no host that may be listened to; give "):
        spot_host(host, in_box=in_box)
