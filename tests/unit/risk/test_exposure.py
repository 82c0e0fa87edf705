"""Exposure against a plain recomputation, contract by contract."""

from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.order import Intent, Order, OrderState, Position, Side
from fairstrike.risk.exposure import exposure_of
from fairstrike.risk.limits import Exposure
from tests.unit.risk.samples import ASK, BID, contract, order, signal

# Ticker to close: a and b settle together, c later.
CONTRACTS = {"a": contract("a", 100), "b": contract("b", 100), "c": contract("c", 200)}
CAPITAL = (11, 22, 10**9)


def exposed(positions: dict[str, Position], working: list[Order], ticker: str = "a") -> Exposure:
    return exposure_of(signal(ticker=ticker), positions, working, lambda market: CONTRACTS[market].group, CAPITAL)


def test_nothing_at_stake() -> None:
    expected = Exposure(
        equity_day_ud=11,
        cash_start_ud=22,
        available_ud=10**9,
        strike_ud=0,
        group_ud=0,
        total_ud=0,
        markets=frozenset(),
        key="BTC@100",
    )
    assert expected == exposed({}, [])


def test_strike_group_and_total() -> None:
    positions = {
        ticker: Position(ticker=ticker, net_cc=1, cost_ud=cost) for ticker, cost in (("a", 1), ("b", 10), ("c", 100))
    }
    found = exposed(positions, [])
    assert (found.strike_ud, found.group_ud, found.total_ud) == (1, 11, 111)
    assert {"BTC@100", "BTC@200"} == found.markets


def test_a_flat_position_is_no_position() -> None:
    found = exposed({"c": Position(ticker="c", net_cc=0, cost_ud=0, realised_ud=99)}, [])
    assert (0, frozenset()) == (found.total_ud, found.markets)


def test_an_opening_order_locks_its_collateral() -> None:
    found = exposed({}, [order(BID, 4_000, 100, ticker="a"), order(ASK, 4_000, 100, ticker="b", filled=60)])
    assert (found.strike_ud, found.group_ud, found.total_ud) == (400_000, 640_000, 640_000)
    assert found.available_ud == 10**9 - 640_000


def test_a_reducing_order_is_not_at_stake_but_keeps_its_cash() -> None:
    for intent in (Intent.REDUCE, Intent.UNWIND):
        found = exposed({}, [order(BID, 4_000, 100, intent, "a")])
        assert (0, frozenset(), 10**9 - 400_000) == (found.total_ud, found.markets, found.available_ud)


def test_an_order_of_unknown_fate_stays_at_stake() -> None:
    assert exposed({}, [order(BID, 4_000, 100, ticker="a", state=OrderState.UNKNOWN)]).total_ud == 400_000


TICKERS = st.sampled_from("abc")
POSITIONS = st.dictionaries(TICKERS, st.tuples(st.integers(-50, 50), st.integers(0, 10**6)))
ORDERS = st.lists(
    st.builds(
        order,
        side=st.sampled_from(list(Side)),
        price=st.integers(1, 9_999),
        size=st.integers(50, 90),
        intent=st.sampled_from(list(Intent)),
        ticker=TICKERS,
        filled=st.integers(0, 50),
        state=st.sampled_from([OrderState.RESTING, OrderState.UNKNOWN, OrderState.SENDING]),
    ),
    max_size=8,
)


@given(POSITIONS, ORDERS, TICKERS)
def test_random_portfolio(held: dict[str, tuple[int, int]], working: list[Order], ticker: str) -> None:
    positions = {
        name: Position(ticker=name, net_cc=net, cost_ud=cost if net else 0) for name, (net, cost) in held.items()
    }
    stakes = [(name, cost) for name, (net, cost) in held.items() if net]
    locked = []
    for one in working:
        price = one.price_ticks if one.side is BID else 10_000 - one.price_ticks
        locked.append((one.intent, one.ticker, price * (one.size_cc - one.filled_cc)))
    stakes += [(name, cost) for intent, name, cost in locked if intent is Intent.OPEN]
    together = {"a": "ab", "b": "ab", "c": "c"}[ticker]
    expected = Exposure(
        equity_day_ud=11,
        cash_start_ud=22,
        available_ud=10**9 - sum(cost for _, _, cost in locked),
        strike_ud=sum(cost for name, cost in stakes if name == ticker),
        group_ud=sum(cost for name, cost in stakes if name in together),
        total_ud=sum(cost for _, cost in stakes),
        markets=frozenset(CONTRACTS[name].group for name, _ in stakes),
        key=CONTRACTS[ticker].group,
    )
    assert expected == exposed(positions, working, ticker)
