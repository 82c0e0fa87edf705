"""Faults as they are written: every kind is read from text, TOML and JSON, and what is wrong is named."""

import re
from pathlib import Path

import msgspec
import pytest

from fairstrike.core.errors import ConfigError
from fairstrike.exchange import faults as of
from fairstrike.exchange.faults import KINDS, Fault, parse_fault, parse_scenario, read_fault

NEEDED: dict[str, dict[str, object]] = {
    "clock_skew": {"ms": 100},
    "late_fill": {"ms": 100},
    "market_pause": {"market": "KX*"},
    "settlement_correction": {"market": "KX*", "value_ticks": 0},
}


def test_every_kind_is_read_and_written_alike() -> None:
    assert len(KINDS) == 22
    for kind in KINDS:
        values: dict[str, object] = {"kind": kind, **NEEDED.get(kind, {})}
        fault = read_fault(values)
        assert fault == parse_fault(",".join(f"{name}={value}" for name, value in values.items()))
        assert msgspec.json.decode(msgspec.json.encode(fault), type=Fault) == fault


def test_the_guide_shows_every_kind_as_it_is_read() -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs/guides/exchange-faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(kind=[^`]*)` \|$", guide, re.MULTILINE)
    assert tuple(kind for kind, _ in rows) == KINDS
    assert [str(parse_fault(text).__struct_config__.tag) for _, text in rows] == list(KINDS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "kind=latency, law=exponential, ms=20, spread_ms=80.5, path=/portfolio/*",
            of.Latency(law="exponential", ms=20, spread_ms=80.5, path="/portfolio/*"),
        ),
        (
            "kind=timeout,probability=0.02,is_done=false",
            of.Timeout(probability=0.02, is_done=False),
        ),
        ("kind=server_error,status=502,count=3,at_s=60", of.ServerError(status=502, count=3, at_s=60)),
    ],
)
def test_a_fault_on_the_command_line(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind=earthquake", "a fault has the unknown kind 'earthquake'; choose one of latency, server_error,"),
        ("ms=3", "a fault names no kind; choose one of"),
        ("latency", "fault 'latency': 'latency' is not name=value; separate them by commas"),
        ("kind=latency,ms=-1", "fault latency: Expected `float` >= 0.0 - at `$.ms`; correct it"),
        ("kind=latency,ms=nan", "fault latency: "),
        ("kind=latency,speed=3", "fault latency: Object contains unknown field `speed`; correct it"),
        ("kind=drop,probability=1.5", "fault drop: Expected `float` <= 1.0 - at `$.probability`; correct it"),
        ("kind=drop,channel=gossip", "fault drop: Invalid enum value 'gossip' - at `$.channel`; correct it"),
        ("kind=server_error,status=418", "fault server_error: Invalid enum value 418 - at `$.status`; correct it"),
        ("kind=clock_skew", "fault clock_skew: Object missing required field `ms`; correct it"),
        ("kind=disconnect,every_s=0", "fault disconnect: Expected `float` >= 0.001 - at `$.every_s`; correct it"),
        ("kind=disconnect,every_s=1e-9", "fault disconnect: Expected `float` >= 0.001 - at `$.every_s`; correct it"),
        ("kind=gap,size=3,size=4", "fault 'kind=gap,size=3,size=4' says size twice; leave one out"),
        ("kind=disconnect,every_s=inf", "fault disconnect: Expected `float` <= 604800.0 - at `$.every_s`; correct it"),
    ],
)
def test_what_is_wrong_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_fault(text)
    assert str(refused.value).startswith(sentence)


def test_a_scenario_is_a_list_of_tables() -> None:
    text = """
        [[fault]]
        kind = "disconnect"
        at_s = 60
        count = 20
        every_s = 3

        [[fault]]
        kind = "market_pause"
        market = "KXBTC15M-*"
        at_s = 200
        duration_s = 30
    """
    assert parse_scenario(text) == (
        of.Disconnect(at_s=60, count=20, every_s=3),
        of.MarketPause(market="KXBTC15M-*", at_s=200, duration_s=30),
    )
    assert parse_scenario("") == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[fault]", "the scenario is not TOML ("),
        ("[fault]\nkind = 'drop'", "a scenario holds tables [[fault]] and nothing else"),
        ("[[faults]]\nkind = 'drop'", "a scenario holds tables [[fault]] and nothing else"),
        ("fault = [1]", "fault 1 of the scenario: a fault is a table of names and values"),
        (
            "[[fault]]\nkind = 'drop'\n[[fault]]\nkind = 'x'",
            "fault 2 of the scenario: a fault has the unknown",
        ),
        ("[[fault]]\nkind = 'drop'\nprobability = '1'", "fault 1 of the scenario: fault drop: Expected `float`"),
    ],
)
def test_a_scenario_that_cannot_be(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_scenario(text)
    assert str(refused.value).startswith(sentence)
