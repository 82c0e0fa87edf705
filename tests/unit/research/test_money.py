"""Where a replay's money went: three parts that make the change of cash, and markets that are decided or held."""

import msgspec
import pytest

from fairstrike.core.events import MarketSettled
from fairstrike.research.money import decided_ud, money
from tests.unit.engine_samples import ASK, CASH_UD, Hall, T, at, filled, key_of, printed, signal


def bought(hall: Hall) -> Hall:
    """One contract of T at 40 cents."""
    hall.ordered()
    hall.feed(filled(42, key_of(0), 100, 4_000))
    return hall


def test_nothing_traded_is_nothing() -> None:
    found = money(Hall().opened().engine)
    assert (found.decided, found.realised_in_held, found.held_cost) == ("0.000000", "0.000000", "0.000000")
    assert (found.traded_markets, found.gain.mean) == (0, None)


def test_a_held_market_is_not_decided_and_its_fee_is_realised() -> None:
    hall = bought(Hall().opened())
    found = money(hall.engine)
    assert decided_ud(hall.engine, T) is None
    assert (found.traded_markets, found.decided_markets) == (1, 0)
    assert (found.decided, found.held_cost) == ("0.000000", "0.400000")
    assert float(found.cash) - float(found.cash_start) == pytest.approx(float(found.realised_in_held) - 0.4)


@pytest.mark.parametrize(("value", "gain"), [(10_000, 0.6), (0, -0.4)])
def test_a_settled_market_is_decided(value: int, gain: float) -> None:
    hall = bought(Hall().opened())
    hall.feed(MarketSettled(ticker=T, value_ticks=value, recv_ns=at(3_601)))
    found = money(hall.engine)
    assert float(found.decided) == pytest.approx(gain - float(found.fees))
    assert (found.decided_markets, found.held_cost, found.gain.count) == (1, "0.000000", 1)


def test_a_market_sold_out_of_is_decided_without_a_result() -> None:
    hall = bought(Hall().opened())
    hall.asking.wishes = [signal(ASK, 4_200)]
    hall.feed(printed(43))
    sale = filled(44, key_of(1), 100, 4_200, trade="t2")
    hall.feed(msgspec.structs.replace(sale, side=ASK, order_id="v2"))
    found = money(hall.engine)
    assert found.decided_markets == 1
    assert float(found.decided) == pytest.approx(0.02 - float(found.fees))
    assert float(found.cash) * 1e6 == pytest.approx(CASH_UD + float(found.decided) * 1e6)
