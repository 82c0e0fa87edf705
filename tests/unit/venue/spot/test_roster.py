"""Which connections are held."""

from fairstrike.venue.spot.roster import Params, venues

PUBLIC = ["coinbase", "kraken", "bitstamp", "gemini", "gemini", "binance", "binance"]


def test_every_public_venue_without_a_key() -> None:
    found = venues(Params(), ["BTC", "ETH"])
    assert [venue.source for venue in found] == PUBLIC
    assert all(venue.url.startswith("wss://") for venue in found)
    assert not any(venue.headers for venue in found)
    assert all(set(venue.assets) <= {"BTC", "ETH"} for venue in found)


def test_the_licensed_index_with_a_licence() -> None:
    found = venues(Params(), ["BTC", "ETH"], ("user", "key"))
    assert [venue.source for venue in found] == [*PUBLIC, "cfbenchmarks"]
    assert found[-1].assets == ("BTC", "ETH")


def test_every_connection_has_a_name_of_its_own() -> None:
    lines = [venue.line for venue in venues(Params(), ["BTC", "ETH"], ("user", "key"))]
    assert lines == [
        *("coinbase", "kraken", "bitstamp", "gemini/BTC", "gemini/ETH"),
        *("binance", "binance/futures", "cfbenchmarks"),
    ]


def test_hosts_are_settings_and_an_empty_one_leaves_a_venue_out() -> None:
    only = Params(coinbase="", kraken="ws://127.0.0.1:9", bitstamp="", gemini="", binance="", binance_futures="")
    (venue,) = venues(only, ["SOL"])
    assert (venue.source, venue.url, venue.assets) == ("kraken", "ws://127.0.0.1:9/v2", ("SOL",))
