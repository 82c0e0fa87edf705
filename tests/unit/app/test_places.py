"""Where a look goes, and with which key."""

from pathlib import Path

import pytest

from fairstrike.app.config import Settings
from fairstrike.app.places import Place, Sight, key_place, place_of, reading_signer, sight
from fairstrike.core.errors import ConfigError, CredentialError, UsageError
from fairstrike.venue.kalshi.signing import Allowed, SigningRefused
from tests.commands import write_key, write_line


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own and nothing of the venue in the process environment."""
    monkeypatch.chdir(tmp_path)
    for kind in ("PROD_KEY_ID", "PROD_KEY_PATH", "DEMO_KEY_ID", "DEMO_KEY_PATH", "API_KEY_ID", "PRIVATE_KEY_PATH"):
        monkeypatch.delenv(f"KALSHI_{kind}", raising=False)
    for kind in ("BASE_URL", "WS_URL"):
        monkeypatch.delenv(f"KALSHI_{kind}", raising=False)


def test_the_environment_is_what_is_said_then_settings_then_dotenv(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"environment":"demo"}')
    assert sight(None, None).environment == "prod"
    (tmp_path / ".env").write_text("KALSHI_ENV=box\n")
    assert sight(None, None).environment == "box"
    assert sight(None, file).environment == "demo"
    assert sight("prod", file).environment == "prod"
    with pytest.raises(ConfigError, match="name a settings file that exists"):
        sight("prod", tmp_path / "gone.json")


def test_settings_say_which_spot_venues_are_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('[spot.hosts]\nbinance = ""\nkraken = "ws://127.0.0.1:9"\n')
    hosts = sight("prod", file).settings.spot.hosts
    assert (hosts.binance, hosts.kraken) == ("", "ws://127.0.0.1:9")
    assert sight("prod", None).settings.spot.is_on


def test_settings_say_who_holds_the_stream_of_who_looks(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('websocket = "aiohttp"\n[rooms.engine]\nseries = ["KXBTC15M"]\n')
    settings = sight("box", file).settings
    assert (settings.websocket, settings.rooms.engine.series) == ("aiohttp", ("KXBTC15M",))
    assert sight("box", None) == Sight(environment="box", settings=Settings())
    assert place_of("box", write_line(tmp_path), "aiohttp").websocket == "aiohttp"
    assert place_of("prod", None, "aiohttp").websocket == "aiohttp"


def test_the_venues_environments_have_addresses() -> None:
    assert place_of("prod", None) == Place(
        environment="prod",
        origin="https://external-api.kalshi.com",
        ws="wss://external-api-ws.kalshi.com/trade-api/ws/v2",
    )
    assert place_of("demo", None).origin == "https://external-api.demo.kalshi.co"


def test_a_box_is_where_its_line_says(tmp_path: Path) -> None:
    place = place_of("box", write_line(tmp_path))
    assert (place.origin, place.ws) == ("http://127.0.0.1:9", "ws://127.0.0.1:9/trade-api/ws/v2")
    assert key_place("box", tmp_path / "line.json").key_id == "key-of-nobody"


@pytest.mark.parametrize("environment", ["", "Prod", "live"])
def test_there_is_no_other_environment(environment: str) -> None:
    with pytest.raises(UsageError):
        place_of(environment, None)


def test_a_box_and_only_a_box_has_a_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs --box FILE"):
        place_of("box", None)
    with pytest.raises(UsageError, match="needs --box FILE"):
        key_place("box", None)
    with pytest.raises(UsageError, match="--box goes with --env box"):
        place_of("prod", write_line(tmp_path))


def test_a_wanted_address_is_held_against_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_BASE_URL", "https://demo-api.kalshi.co/trade-api/v2")
    assert place_of("demo", None).origin == "https://demo-api.kalshi.co"
    with pytest.raises(ConfigError, match="is a host of demo"):
        place_of("prod", None)


def test_keys_of_both_environments_live_side_by_side(tmp_path: Path) -> None:
    lines = ("KALSHI_DEMO_KEY_ID=of-demo", "KALSHI_PROD_KEY_ID=of-prod", "KALSHI_PROD_KEY_PATH=elsewhere.pem")
    (tmp_path / ".env").write_text("\n".join(lines))
    demo, prod = key_place("demo", None), key_place("prod", None)
    assert (demo.key_id, demo.path) == ("of-demo", ".secrets/demo.txt")
    assert (prod.key_id, prod.path) == ("of-prod", "elsewhere.pem")


def test_a_key_without_an_environment_serves_the_one_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_API_KEY_ID", "any")
    monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", "any.pem")
    assert (key_place("demo", None).key_id, key_place("demo", None).path) == ("any", "any.pem")
    monkeypatch.setenv("KALSHI_DEMO_KEY_ID", "own")
    assert key_place("demo", None).key_id == "own"


def test_without_a_key_the_sentence_says_where_it_goes() -> None:
    with pytest.raises(
        CredentialError, match=r"put its id into \.env as KALSHI_DEMO_KEY_ID and .* \.secrets/demo\.txt"
    ):
        key_place("demo", None)


def test_the_signer_signs_reads_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_PROD_KEY_ID", "id")
    monkeypatch.setenv("KALSHI_PROD_KEY_PATH", str(write_key(tmp_path / "key.pem")))
    signer = reading_signer(key_place("prod", None))
    assert signer.allowed is Allowed.READS
    assert signer.sign("GET", "/trade-api/v2/portfolio/balance", 1)
    with pytest.raises(SigningRefused):
        signer.sign("DELETE", "/trade-api/v2/portfolio/events/orders", 1)
