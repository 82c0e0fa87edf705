"""Switches from the command line: each is reachable, and what cannot be has its sentence."""

import msgspec
import pytest

from fairstrike.core.contract import Window, rounded_sum
from fairstrike.core.errors import ConfigError
from fairstrike.core.timing import HOUR_NS, SECOND_NS
from fairstrike.exchange.api.budgets import ADVANCED
from fairstrike.exchange.box import BoxParams
from fairstrike.exchange.floor import FloorParams
from fairstrike.exchange.switches import Switches, names, parse_switches
from fairstrike.exchange.worlds import World, WorldParams
from tests.conftest import REPOSITORY


def test_nothing_said_is_the_default() -> None:
    assert parse_switches([]) == Switches(floor=FloorParams(), box=BoxParams())


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("window=(close-60,close]", "window", Window.UP_TO_CLOSE),
        ("is_post_only_cross_accepted=true", "is_post_only_cross_accepted", True),
        ("is_netting=1", "is_netting", True),
        ("cancel_all_reach_ns=60000000000", "cancel_all_reach_ns", 60_000_000_000),
        ("money_shard=0", "money_shard", 0),
    ],
)
def test_a_switch_of_the_floor(text: str, name: str, value: object) -> None:
    floor = parse_switches([text]).floor
    assert floor == msgspec.structs.replace(FloorParams(), **{name: value})


def test_a_delay_keeps_its_other_half() -> None:
    hourly = parse_switches([f"hourly.determination_ns={HOUR_NS}"]).floor.hourly
    assert hourly == msgspec.structs.replace(FloorParams().hourly, determination_ns=HOUR_NS)


def test_switches_of_the_box_and_the_later_of_two() -> None:
    box = parse_switches(["is_index_granted=false", "tier=none", "tier=advanced"]).box
    assert (box.is_index_granted, box.tier) == (False, ADVANCED)
    assert parse_switches(["tier=none"]).box.tier is None


def test_every_switch_has_a_name() -> None:
    hidden = {"fault_seed"}
    fields = {field.name for shape in (FloorParams, BoxParams) for field in msgspec.structs.fields(shape)}
    assert {name.partition(".")[0] for name in names()} == fields - hidden


def test_the_guide_has_every_switch() -> None:
    listed = (REPOSITORY / "docs/guides/exchange.md").read_text("utf-8")
    assert [name for name in names() if f"| `{name}`" not in listed and f", `{name}` |" not in listed] == []


def test_a_world_settles_by_the_window_it_is_switched_to() -> None:
    settled: list[int] = []
    for text in ("window=[close-60,close)", "window=(close-60,close]"):
        world = World(seed=4, params=WorldParams(strikes=2, floor=parse_switches([text]).floor))
        world.advance(world.close_ns + 10 * SECOND_NS)
        prints, close = world.floor.prints("BTC"), world.close_ns // SECOND_NS
        (value,) = [m.expiration_value_e8 for m in world.floor.markets() if m.expiration_value_e8 is not None]
        first = close - 60 + len(settled)
        assert value == rounded_sum(sum(prints[second] for second in range(first, first + 60)), 2) // 60
        settled.append(value)
    assert settled[0] != settled[1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("window=always", "switch window cannot be 'always'"),
        ("is_netting=maybe", "switch is_netting cannot be 'maybe'"),
        ("cancel_all_reach_ns=-1", "switch cancel_all_reach_ns cannot be '-1': it is below zero"),
        ("money_shard=4", "switch money_shard cannot be '4': the shards are 0 to 3"),
        ("live_tier_ns=315360000000000001", "switch live_tier_ns cannot be '315360000000000001': it is more than ten"),
        ("cancel_all_reach_ns=", "switch cancel_all_reach_ns cannot be ''"),
        ("hourly=5", "there is no switch 'hourly'; use one of tier, quarter_hour.determination_ns"),
        ("fault_seed=5", "there is no switch 'fault_seed'"),
        ("is_neting=true", "there is no switch 'is_neting'; did you mean 'is_netting'?"),
        ("tier=gold", "there is no tier 'gold' here; use one of basic, advanced, none"),
        ("", "there is no switch ''"),
    ],
)
def test_what_cannot_be_switched_has_its_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_switches([text])
    assert str(refused.value).startswith(sentence)
