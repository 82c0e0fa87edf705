"""A spike in a whole session: at the venue itself every order of ours goes, and none comes until it is over."""

from itertools import pairwise
from pathlib import Path

import msgspec

from fairstrike.app import config
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.worlds import WorldParams
from fairstrike.pricing.regimes import Params as RegimeParams
from tests.simulation.checks import check_money, check_nothing_rests
from tests.simulation.stepped import KeyPair, SteppedWorld

SEED = 2
SMALL = WorldParams(strikes=4)
TOUCHY = RegimeParams(returns_min=20, spike_sds=3.2, window_s=120)
"""A plain path is spiky now and then, for two minutes."""


def touchy() -> config.Settings:
    """The box's profile, with regimes that the plain path of its index reaches."""
    plain = config.box_profile()
    return msgspec.structs.replace(plain, rooms=msgspec.structs.replace(plain.rooms, regimes=TOUCHY))


def test_in_a_spike_nothing_of_ours_rests_and_after_it_quotes_are_back(key: KeyPair, tmp_path: Path) -> None:
    world = SteppedWorld(SEED, tmp_path, key, params=SMALL, settings=touchy())
    reserved_ud: list[tuple[int, int]] = []
    spiky_s = 0
    for second in range(720):
        world.run_until(world.world.start_ns + second * SECOND_NS)
        seen = world.engine.fairs.regimes.get("BTC")
        spiky_s = spiky_s + 1 if seen is not None and seen.is_spiky else 0
        reserved_ud.append((spiky_s, world.account.reserved_ud))
    # An order that was on its way when a spike began is cancelled when it has come.
    in_spikes = [ud for spiky_s, ud in reserved_ud if spiky_s > 2]
    assert len(in_spikes) > 120
    assert not any(in_spikes)
    quoting = [bool(ud) for spiky_s, ud in reserved_ud if not spiky_s]
    assert sum(quoting) > len(quoting) / 2
    begun = [before for (before_s, before), (now_s, _) in pairwise(reserved_ud) if now_s == 1 and not before_s]
    assert all(begun), "something rested when each spike began"
    assert quoting[-1], "and does again at the end"
    assert world.run_to_halt().is_clean
    check_money(world)
    check_nothing_rests(world)
