"""Settings in three formats: what is refused, and the name that was probably meant."""

from pathlib import Path

import msgspec
import pytest

from fairstrike.app import config
from fairstrike.core.contract import Timeframe
from fairstrike.core.errors import ConfigError
from fairstrike.pricing.last_minute import Params as LastMinuteParams
from fairstrike.pricing.tails import MixtureTails
from tests.commands import fairstrike

NO_SUCH, NO_NAME = "there is no setting", "there is no"
ERRORS = "to be set under rooms.index.proxy_sd_e8"
SERIES = "there is no series"
CHOICE = "choose 15min, hourly, daily, weekly"
NESTED = "[" * 5_000
NESTED_HINT = f"{NO_SUCH} 'serie' under rooms.engine; did you mean 'series'?"
IN_ENGINE = '{"rooms": {"engine": {"series": ["%s"]}}}'

CLOCK = '{"rooms":{"fair":{"clocks":{"BTC":{"minutes":[%s]}}}}}'


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.toml", "sede = 1\n", f"{NO_SUCH} 'sede'; did you mean 'seed'?"),
        ("a.yaml", "sede: 1\n", f"{NO_SUCH} 'sede'; did you mean 'seed'?"),
        ("a.json", '{"sede": 1}', f"{NO_SUCH} 'sede'; did you mean 'seed'?"),
        ("b.toml", "[rooms.engine]\nserie = []\n", NESTED_HINT),
        ("b.yaml", "rooms: {engine: {serie: []}}\n", NESTED_HINT),
        ("b.json", '{"rooms":{"engine":{"serie":[]}}}', NESTED_HINT),
        ("c.json", '{"strategies":{"taker":{"edge_cent":3}}}', "under strategies.taker; did you mean 'edge_cents'?"),
        ("d.json", '{"rooms":{"limits":{"paces":{"x":{"per_second":1}}}}}', "did you mean 'per_second_max'?"),
        ("e.json", '{"qqqq": 1}', f"{NO_SUCH} 'qqqq'; known keys are environment, execution, seed"),
        ("f.json", '{"seed": "x"}', "Expected `int`, got `str` - at `$.seed`; correct that value"),
        ("f.toml", 'seed = "x"', "Expected `int`, got `str` - at `$.seed`; correct that value"),
        ("f.yaml", "seed: [1]", "Expected `int`, got `array` - at `$.seed`; correct that value"),
        ("g.json", '{"environment": "moon"}', "environment cannot be 'moon'; choose prod, demo, box"),
        ("h.toml", "seed = = 1", "h.toml is not readable TOML (Invalid value (at line 1, column 8)); mend it there"),
        ("h.yaml", "seed: [1\n  b: }", "h.yaml is not readable YAML (while parsing a flow sequence in"),
        ("h.json", '{"seed": 1', "h.json is not readable JSON (Input data was truncated); mend it there"),
        ("i.toml", f"seed = {NESTED}", "i.toml is nested deeper than any settings are; correct it"),
        ("j.toml", "\udcff\udcfe", "j.toml is not readable TOML ('utf-8' codec"),
        ("k.ini", "", "k.ini must end in .toml, .yaml or .json; rename it"),
        ("l.json", IN_ENGINE % "KXBTCUD", f"{SERIES} 'KXBTCUD' under rooms.engine; did you mean KXBTC15M?"),
        ("m.yaml", "rooms: {engine: {series: [KXSOL]}}", f"{SERIES} 'KXSOL' under rooms.engine; did you mean KXSOLE?"),
        ("n.json", IN_ENGINE % "KXBCT", f"{SERIES} 'KXBCT' under rooms.engine; did you mean KX"),
        ("o.json", IN_ENGINE % "weather", f"{SERIES} 'weather' under rooms.engine; known series are KXBTC, "),
        ("p.toml", "[strategies.taker]\nedge_cents = nan\n", "strategies.taker.edge_cents is nan, which is no number"),
        ("q.yaml", "strategies: {taker: {edge_cents: -.inf}}", "taker.edge_cents is -inf, which is no number"),
        ("v.toml", "[rooms.index.proxy_sd_e8]\nBTX = 1\n", f"{NO_NAME} 'BTX' {ERRORS}; known are replica/BTC, "),
        ("w.toml", '[rooms.index.proxy_sd_e8]\n"krakn/BTC" = 1\n', f"'krakn/BTC' {ERRORS}; did you mean 'kraken/BTC'?"),
        ("x.toml", '[rooms.index.proxy_sd_e8]\n"official/BTC" = 1\n', f"{NO_NAME} 'official/BTC' {ERRORS}; "),
        ("y.toml", "rooms.regimes.vol_usual.BTX = 0.5\n", "under rooms.regimes.vol_usual; did you mean 'BTC'?"),
        (
            "z.toml",
            "[rooms.fair.clocks.DOGE]\n",
            f"{NO_NAME} 'DOGE' to be set under rooms.fair.clocks; known are BTC, ETH",
        ),
        ("za.toml", "spot.prices.replicas.btc.digits = 1\n", "under spot.prices.replicas; known are BTC, ETH, SOL"),
        ("zb.toml", "[rooms.limits.paces.takr]\n", "under rooms.limits.paces; did you mean 'taker'?"),
        ("r.json", '{"rooms":{"fair":{"tails":{"type":"student","freedom":2}}}}', "freedom is 2.0; give degrees"),
        ("s.json", '{"rooms":{"fair":{"tails":{"type":"cauchy"}}}}', "Invalid value 'cauchy' - at `$.rooms.fair.tails"),
        ("t.json", CLOCK % ",".join(["0.001"] * 59 + ["9"]), "a factor is outside (0, 20] times the mean"),
        ("u.toml", "[rooms.fair.clocks.BTC]\nhours = [inf]\n", "Expected `array` of length"),
    ],
    ids=lambda value: value if value.endswith((".toml", ".yaml", ".json", ".ini")) else "",
)
def test_refused_settings(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith(name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["gone.toml", "."])
def test_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    said = fairstrike("replay", "x.jsonl", "--config", name, folder=tmp_path)
    assert said.code == 2
    assert said.sentence.startswith(f"{name} cannot be read (")
    assert said.sentence.endswith("name a settings file that exists")


def test_settings_are_refused_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("rooms: {engine: {serie: []}}\n")
    said = fairstrike("replay", "x.jsonl", "--config", "s.yaml", folder=tmp_path)
    assert said.code == 2
    assert said.sentence == "s.yaml: there is no setting 'serie' under rooms.engine; did you mean 'series'?"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ('["hourli"]', "rooms.engine.timeframes cannot be 'hourli'; did you mean 'hourly'?"),
        (
            "[]",
            "there is nothing to look at without timeframes under rooms.engine; choose 15min, hourly, daily, weekly",
        ),
        ('["15min", "yearlong"]', "rooms.engine.timeframes cannot be 'yearlong'; choose 15min, hourly, daily, weekly"),
    ],
)
def test_a_timeframe_that_is_none(tmp_path: Path, words: str, sentence: str) -> None:
    (tmp_path / "s.toml").write_text(f"[rooms.engine]\ntimeframes = {words}\n")
    with pytest.raises(ConfigError) as refused:
        config.load(tmp_path / "s.toml")
    assert str(refused.value) == f"s.toml: {sentence}"


def test_timeframes_are_chosen_by_their_words(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[rooms.engine]\ntimeframes = ["15min", "daily"]\n')
    assert config.load(tmp_path / "s.toml").rooms.engine.timeframes == (Timeframe.QUARTER_HOUR, Timeframe.DAILY)


@pytest.mark.parametrize("series", config.SERIES)
def test_known_series_are_taken(tmp_path: Path, series: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(f'[rooms.engine]\nseries = ["{series}"]\n')
    assert config.load(path).rooms.engine.series == (series,)


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("rooms.limits.order_share_max", "99.0", "Expected `float` <= 1.0"),
        ("rooms.limits.cash_buffer_share", "-0.1", "Expected `float` >= 0.0"),
        ("rooms.limits.order_dollars_max", "-1.0", "Expected `float` >= 0.0"),
        ("rooms.limits.size_cc_max", "0", "Expected `int` >= 1"),
        ("rooms.limits.positions_max", "-1", "Expected `int` >= 0"),
        ("rooms.limits.price_ticks_min", "0", "Expected `int` >= 1"),
        ("rooms.limits.price_ticks_max", "10000", "Expected `int` <= 9999"),
        ("rooms.limits.slippage_ticks_max", "-1", "Expected `int` >= 0"),
        ("rooms.limits.pace.per_second_max", "-1", "Expected `int` >= 0"),
        ("rooms.reconcile.every_ns", "0", "Expected `int` >= 1"),
        ("rooms.stopping.give_up_ns", "0", "Expected `int` >= 1"),
        ("rooms.books.frozen_after_ns", "-5", "Expected `int` >= 1"),
        ("rooms.index.prints_kept", "0", "Expected `int` >= 1"),
        ("strategies.taker.size_cc", "-100", "Expected `int` >= 1"),
        ("strategies.momentum_scalp.size_cc", "0", "Expected `int` >= 1"),
        ("strategies.market_maker.position_cc_max", "0", "Expected `int` >= 1"),
        ("strategies.market_maker.refresh_seconds", "0.0", "Expected `float` > 0.0"),
        ("strategies.taker.caution.trending.size", "1.5", "Expected `float` <= 1.0"),
        ("strategies.taker.caution.trending.half_spread", "0.5", "Expected `float` >= 1.0"),
        ("rooms.regimes.jump_share", "2.0", "Expected `float` <= 1.0"),
        ("rooms.regimes.returns_min", "1", "Expected `int` >= 3"),
    ],
)
def test_a_value_outside_its_bounds(tmp_path: Path, place: str, value: str, problem: str) -> None:
    (tmp_path / "s.toml").write_text(f"{place} = {value}\n")
    with pytest.raises(ConfigError) as refused:
        config.load(tmp_path / "s.toml")
    assert f"s.toml: {problem} - at `$.{place}`; correct that value" == str(refused.value)


@pytest.mark.parametrize("digits", [-1, 9, 400])
def test_a_replica_is_rounded_to_decimals_that_a_price_has(tmp_path: Path, digits: int) -> None:
    (tmp_path / "s.toml").write_text(f"spot.prices.replicas.BTC.digits = {digits}\n")
    with pytest.raises(ConfigError, match=r"Expected `int` [<>]= [08] - at "):
        config.load(tmp_path / "s.toml")


def test_the_bounds_themselves_are_taken(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("[rooms.limits]\norder_share_max = 1\ncash_buffer_share = 0\npositions_max = 0\n")
    limits = config.load(tmp_path / "s.toml").rooms.limits
    assert (limits.order_share_max, limits.cash_buffer_share, limits.positions_max) == (1, 0, 0)


def test_what_refines_fair_values_survives_the_journal(tmp_path: Path) -> None:
    """A run's settings are JSON text in its first record, and made anew from it."""
    (tmp_path / "s.toml").write_text(
        '[rooms.fair]\nvol = "realised"\n[rooms.fair.last_minute]\n[rooms.fair.tails]\ntype = "mixture"\n'
        f"weight = 0.05\nratio = 4.0\n[rooms.fair.clocks.BTC]\nminutes = {[2.0] + [1.0] * 59}\n"
    )
    settings = config.load(tmp_path / "s.toml")
    fair = settings.rooms.fair
    assert (fair.vol, fair.last_minute, fair.tails) == (
        "realised",
        LastMinuteParams(),
        MixtureTails(weight=0.05, ratio=4.0),
    )
    assert fair.clocks["BTC"].made().minutes[0] == pytest.approx(2.0 / (61 / 60))
    assert msgspec.json.decode(config.encode(settings), type=config.Settings) == settings
