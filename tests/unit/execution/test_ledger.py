"""The ledger against exact fractions and a plain sum of the flows of cash."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.events import OrderFilled
from fairstrike.core.order import Position, Side
from fairstrike.core.units import TICKS_PER_CENT
from fairstrike.execution.ledger import SETTLED_KEPT, Ledger, applied, settlement_payout_ud
from tests.unit.execution.samples import ASK, BID, TICKER, fill

DOLLAR = 10_000
STRATEGIES = ("taker", "market_maker")
TICKERS = ("A", "B")


def position(net: int, cost: int, realised: int = 0, fees: int = 0, ticker: str = TICKER) -> Position:
    return Position(ticker=ticker, net_cc=net, cost_ud=cost, realised_ud=realised, fees_ud=fees)


def booked(*fills: OrderFilled, cash_ud: int = 10_000_000) -> Ledger:
    ledger = Ledger()
    ledger.open(cash_ud)
    for one in fills:
        ledger.fill(one, "taker")
    return ledger


# One fill

FLAT = position(0, 0)
YES = position(100, 400_000)
NO = position(-100, 600_000)


@pytest.mark.parametrize(
    ("after", "cash_ud", "before", "side", "price", "size"),
    [
        (position(100, 400_000, 0, 7), -400_007, FLAT, BID, 4_000, 100),
        (position(-100, 600_000, 0, 7), -600_007, FLAT, ASK, 4_000, 100),
        (position(200, 900_000, 0, 7), -500_007, YES, BID, 5_000, 100),
        (position(60, 240_000, 40_000, 7), 199_993, YES, ASK, 5_000, 40),
        (position(0, 0, 100_000, 7), 499_993, YES, ASK, 5_000, 100),
        (position(0, 0, -100_000, 7), 499_993, NO, BID, 5_000, 100),
        (position(-60, 360_000, 80_000, 7), 319_993, NO, BID, 2_000, 40),
    ],
)
def test_one_fill(after: Position, cash_ud: int, before: Position, side: Side, price: int, size: int) -> None:
    assert (after, cash_ud) == applied(before, fill("t", size, side=side, price=price, fee=7))


@pytest.mark.parametrize(
    ("after", "cash_ud", "before", "side"),
    [
        # Closing 100 YES at 0.50 brings 0.50 each; opening 30 NO costs 0.50 each.
        (position(-30, 150_000, 100_000, 7), 500_000 - 150_000 - 7, YES, ASK),
        (position(30, 150_000, -100_000, 7), 500_000 - 150_000 - 7, NO, BID),
    ],
)
def test_one_fill_flips_the_position_through_zero(after: Position, cash_ud: int, before: Position, side: Side) -> None:
    assert (after, cash_ud) == applied(before, fill("t", 130, side=side, price=5_000, fee=7))


def test_rounding_of_cost_is_gone_when_flat() -> None:
    before, cash_ud = FLAT, 0
    for side, price, size in ((BID, 3_333, 1), (BID, 3_334, 2), (ASK, 5_000, 1), (ASK, 5_000, 1), (ASK, 5_000, 1)):
        before, flow_ud = applied(before, fill("t", size, side=side, price=price, fee=0))
        cash_ud += flow_ud
    assert position(0, 0, cash_ud) == before


# Once


def test_a_fill_is_seen_once_by_trade_and_order() -> None:
    ledger = booked(fill("t1", 100, order_id="v1"))
    assert ledger.has_seen(fill("t1", 100, order_id="v1"))
    assert not ledger.has_seen(fill("t1", 100, order_id="v2"))
    assert not ledger.has_seen(fill("t2", 100, order_id="v1"))


def test_booking_twice_is_our_own_error() -> None:
    with pytest.raises(AssertionError, match="t1 is booked already"):
        booked(fill("t1", 100), fill("t1", 100))


def test_a_fill_repeated_after_the_settlement_is_known() -> None:
    ledger = booked(fill("t1", 100))
    ledger.settle(TICKER, DOLLAR)
    assert ledger.has_seen(fill("t1", 100))
    assert not ledger.has_seen(fill("t2", 100))


def test_of_a_market_settled_long_ago_every_fill_counts_as_booked() -> None:
    ledger = booked(fill("t1", 100), fill("t2", 100, ticker="HELD"))
    ledger.settle(TICKER, DOLLAR)
    for number in range(SETTLED_KEPT):
        assert ledger.has_seen(fill("t1", 100)), number
        assert not ledger.has_seen(fill("t3", 100)), number
        ledger.settle(f"M{number}", 0)
    assert ledger.has_seen(fill("t1", 100))
    assert ledger.has_seen(fill("t3", 100))
    assert not ledger.has_seen(fill("t3", 100, ticker="HELD"))
    assert ledger.has_seen(fill("t2", 100, ticker="HELD"))


def test_the_ids_of_fills_are_kept_for_a_bounded_number_of_settled_markets() -> None:
    ledger = booked()
    for number in range(SETTLED_KEPT + 50):
        ledger.fill(fill(f"t{number}", 100, ticker=f"M{number}"), "taker")
        ledger.settle(f"M{number}", 0)
    assert ledger.fills_kept == SETTLED_KEPT


def test_opening_sets_cash_and_a_market_unheard_of_is_flat() -> None:
    ledger = booked(cash_ud=5)
    assert (ledger.cash_ud, ledger.cash_start_ud, ledger.fees_ud, ledger.open_cost_ud()) == (5, 5, 0, 0)
    assert position(0, 0, ticker="Z") == ledger.position("Z")


# Settlement


@pytest.mark.parametrize(
    ("payout_ud", "net_cc", "value_ticks"),
    [
        (1_000_000, 100, DOLLAR),
        (0, 100, 0),
        (0, -100, DOLLAR),
        (1_000_000, -100, 0),
        (0, 0, DOLLAR),
        (250_000, 100, 2_500),
        (750_000, -100, 2_500),
    ],
)
def test_payout(payout_ud: int, net_cc: int, value_ticks: int) -> None:
    assert payout_ud == settlement_payout_ud(net_cc, value_ticks)


def test_settlement_is_booked_once() -> None:
    ledger = booked(fill("t1", 100, price=4_000, fee=9))
    assert ledger.settle(TICKER, DOLLAR) == 1_000_000
    assert ledger.settle(TICKER, DOLLAR) is None
    assert (ledger.cash_ud, ledger.market_pnl_ud[TICKER]) == (10_000_000 + 600_000 - 9, 600_000 - 9)
    assert position(0, 0, 600_000, 9) == ledger.position(TICKER)


@pytest.mark.parametrize("side", [BID, ASK])
def test_a_correction_books_the_difference(side: Side) -> None:
    corrected, at_once = (booked(fill("t1", 100, side, price=4_000, fee=9)) for _ in range(2))
    corrected.settle(TICKER, DOLLAR)
    assert corrected.settle(TICKER, 2_500) == at_once.settle(TICKER, 2_500)
    assert corrected.settle(TICKER, 2_500) is None
    assert vars(corrected) == vars(at_once)


def test_a_value_told_in_whole_cents_corrects_nothing() -> None:
    ledger = booked(fill("t1", 100))
    assert ledger.settle(TICKER, 5_555) == 555_500
    assert ledger.settle(TICKER, 5_500) is None
    assert ledger.settled[TICKER] == 5_555


def test_a_market_settled_long_ago_is_corrected_no_more() -> None:
    ledger = booked(fill("t1", 100))
    ledger.settle(TICKER, DOLLAR)
    for number in range(SETTLED_KEPT):
        ledger.settle(f"M{number}", 0)
    assert ledger.settle(TICKER, 0) is None
    assert ledger.paid_cc(TICKER) == 0


def test_a_market_without_position_settles_to_nothing() -> None:
    ledger = booked()
    assert ledger.settle(TICKER, DOLLAR) == 0
    assert (ledger.cash_ud, ledger.market_pnl_ud[TICKER]) == (10_000_000, 0)


@pytest.mark.parametrize(("value_ticks", "cash_ud"), [(DOLLAR, 600_000 + 300_000), (0, -400_000 - 700_000)])
def test_a_fill_told_after_the_settlement_is_settled_at_once(value_ticks: int, cash_ud: int) -> None:
    ledger = booked(fill("t1", 100, price=4_000, fee=0))
    ledger.settle(TICKER, value_ticks)
    ledger.fill(fill("t2", 100, price=7_000, fee=5), "market_maker")
    assert 10_000_000 + cash_ud - 5 == ledger.cash_ud
    assert (ledger.position(TICKER).net_cc, ledger.open_cost_ud()) == (0, 0)
    assert cash_ud - 5 == ledger.market_pnl_ud[TICKER]
    assert cash_ud - 5 == sum(result.cash_ud for result in ledger.results.values())


# Random histories

FILLS = st.lists(
    st.tuples(
        st.sampled_from(TICKERS),
        st.sampled_from(STRATEGIES),
        st.sampled_from([BID, ASK]),
        st.integers(1, DOLLAR - 1),
        st.integers(1, 500),
        st.integers(0, 2_000),
    ),
    max_size=30,
)
RESULTS = st.fixed_dictionaries({ticker: st.sampled_from([0, 1, 3_700, DOLLAR]) for ticker in TICKERS})
Told = list[tuple[str, str, Side, int, int, int]]


def told(ledger: Ledger, fills: Told, start: int = 0) -> None:
    for number, (ticker, strategy, side, price, size, fee) in enumerate(fills, start):
        one = fill(f"t{number}", size, side=side, price=price, fee=fee, ticker=ticker)
        ledger.fill(one, strategy)


@given(FILLS)
def test_cash_is_the_sum_of_the_flows(fills: Told) -> None:
    ledger = booked(cash_ud=0)
    told(ledger, fills)
    # Every pair of a YES and a NO contract is a dollar that the venue holds for whoever is short.
    in_yes_terms = sum(-side.sign * price * size - fee for _, _, side, price, size, fee in fills)
    held = sum(-one.net_cc * DOLLAR for one in ledger.positions.values() if one.net_cc < 0)
    assert in_yes_terms - held == ledger.cash_ud
    assert sum(fee for *_, fee in fills) == ledger.fees_ud == sum(one.fees_ud for one in ledger.positions.values())


@given(FILLS)
def test_cash_is_what_was_realised_less_cost_and_fees(fills: Told) -> None:
    ledger = booked(cash_ud=0)
    told(ledger, fills)
    realised = sum(one.realised_ud for one in ledger.positions.values())
    assert realised - ledger.open_cost_ud() - ledger.fees_ud == ledger.cash_ud


@given(FILLS)
def test_average_cost_and_realised_against_fractions(fills: Told) -> None:
    ledger = booked(cash_ud=0)
    told(ledger, fills)
    for ticker in TICKERS:
        mine = [(side, price, size) for name, _, side, price, size, _ in fills if name == ticker]
        net, cost, realised = 0, Fraction(0), Fraction(0)
        for side, price, size in mine:
            for _ in range(size):
                paid = price if side is BID else DOLLAR - price
                if net * side.sign < 0:
                    share = cost / abs(net)
                    cost, realised = cost - share, realised + (DOLLAR - paid) - share
                else:
                    cost += paid
                net += side.sign
        held = ledger.position(ticker)
        assert net == held.net_cc
        # Each closing fill may leave at most one microdollar more in the cost than the fraction.
        assert 0 <= held.cost_ud - cost < len(mine) + 1
        assert held.realised_ud - realised == held.cost_ud - cost
        assert held.net_cc or not held.cost_ud


@given(FILLS, FILLS, RESULTS, RESULTS)
def test_after_settlement_everything_adds_up(
    before: Told, late: Told, first: dict[str, int], last: dict[str, int]
) -> None:
    ledger = booked(cash_ud=77)
    told(ledger, before)
    for ticker in TICKERS:
        ledger.settle(ticker, first[ticker])
    told(ledger, late, len(before))
    for ticker in TICKERS:
        ledger.settle(ticker, last[ticker])
        assert abs(ledger.settled[ticker] - last[ticker]) < TICKS_PER_CENT
    values = ledger.settled
    gains = {
        (strategy, ticker): sum(
            side.sign * size * (values[ticker] - price) - fee
            for name, who, side, price, size, fee in before + late
            if (who, name) == (strategy, ticker)
        )
        for strategy in STRATEGIES
        for ticker in TICKERS
    }
    results = {key: result.cash_ud for key, result in ledger.results.items()}
    assert {key: gain for key, gain in gains.items() if key in results} == results
    assert 77 + sum(gains.values()) == ledger.cash_ud
    for ticker in TICKERS:
        assert sum(gain for key, gain in gains.items() if key[1] == ticker) == ledger.market_pnl_ud[ticker]
    assert not any(one.net_cc or one.cost_ud for one in ledger.positions.values())
    assert not any(result.net_cc for result in ledger.results.values())


@given(FILLS)
def test_strategies_split_fills_fees_and_contracts(fills: Told) -> None:
    ledger = booked(cash_ud=0)
    told(ledger, fills)
    assert len(fills) == sum(result.fills for result in ledger.results.values())
    assert ledger.fees_ud == sum(result.fees_ud for result in ledger.results.values())
    for ticker in TICKERS:
        parts = [result.net_cc for key, result in ledger.results.items() if key[1] == ticker]
        assert ledger.position(ticker).net_cc == sum(parts)
