"""A scene makes each view when asked for, once, until told to forget it; it knows what settles a contract's group."""

from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Position
from fairstrike.market.view import MarketView
from fairstrike.pricing.settlement import SettlementInputs
from fairstrike.strategy.scene import Scene
from tests.unit.market.samples import contract


def view(ticker: str) -> MarketView:
    return MarketView(
        contract=contract(ticker),
        schedule=FeeSchedule(),
        is_open=True,
        volume_24h_cc=0,
        now_ns=7,
        closes_in_ns=1,
        book=None,
        p_fair=None,
        reference=None,
        position=Position(ticker=ticker),
        working=(),
    )


def nothing(asset: str, close_ns: int, now_ns: int) -> None:
    """Nothing is known of any settlement mean."""


class Maker:
    """Makes views and notes which."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, ticker: str) -> MarketView:
        self.made.append(ticker)
        return view(ticker)


def test_a_view_is_made_when_asked_for_and_once() -> None:
    maker = Maker()
    scene = Scene(7, maker, lambda group: (), nothing)
    assert maker.made == []
    assert scene.market("a") is scene.market("a")
    assert view("b") == scene.market("b")
    assert maker.made == ["a", "b"]


def test_a_forgotten_view_is_made_anew() -> None:
    maker = Maker()
    scene = Scene(7, maker, lambda group: (), nothing)
    scene.market("a")
    scene.forget("a")
    scene.forget("never made")
    scene.market("a")
    assert maker.made == ["a", "a"]


def test_a_scene_starts_with_nobody_woken() -> None:
    contract = view("a").contract
    scene = Scene(7, Maker(), lambda group: (contract,), nothing)
    assert (scene.now_ns, scene.woken, scene.answers, scene.rungs("g")) == (7, (), (), (contract,))
    assert scene.known(contract) is None


def test_what_settles_a_contract_is_asked_for_at_the_scenes_instant() -> None:
    contract = view("a").contract
    inputs = SettlementInputs(spot=80_000.0, vol_annual=0.4, first_s=60.0, left=60)
    known = {(contract.asset, contract.close_ns, 7): inputs}
    assert Scene(7, Maker(), lambda group: (), lambda *asked: known[asked]).known(contract) is inputs
