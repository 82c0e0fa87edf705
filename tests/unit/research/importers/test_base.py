"""Instants and prices of recordings, and settlements in order of time."""

from pathlib import Path

import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import MarketSettled
from fairstrike.research.importers.base import INSTANT_NS_MAX, Recording, Result, instant_ns, price_e8, settlements


def result(ticker: str, close_ns: int, value_ticks: int | None, is_derived: bool = False) -> Result:
    return Result(ticker=ticker, close_ns=close_ns, value_ticks=value_ticks, is_derived=is_derived)


def test_each_known_result_is_told_once_a_second_after_its_close_in_order_of_time() -> None:
    second = 10**9
    found = {r.ticker: r for r in (result("B", 9, 0), result("U", 5, None), result("A", 9, 10_000, True))}
    told = [(at_ns, events) for at_ns, events in settlements(found | {"C": result("C", 3, 0)})]
    assert told == [
        (3 + second, [MarketSettled(ticker="C", value_ticks=0, recv_ns=3 + second)]),
        (9 + second, [MarketSettled(ticker="A", value_ticks=10_000, recv_ns=9 + second, is_derived=True)]),
        (9 + second, [MarketSettled(ticker="B", value_ticks=0, recv_ns=9 + second)]),
    ]


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-05-14T00:30:00Z", 1_778_718_600 * 10**9),
        ("2255-03-14T16:00:00Z", INSTANT_NS_MAX),
    ],
)
def test_an_instant_is_nanoseconds(text: str, at_ns: int) -> None:
    assert instant_ns(text) == at_ns


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2255-03-14T16:00:01Z", "9999-01-01T00:00:00Z", "soon", ""])
def test_an_instant_outside_the_journal_s_range_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        instant_ns(text)


def test_a_price_is_in_hundred_millionths_of_a_dollar() -> None:
    assert price_e8("64037.25") == 6_403_725_000_000


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "1e400", "10000000000", "9" * 39, "0.000000001", ""])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        price_e8(text)


class Bare(Recording):
    """An importer that says nothing yet."""


def test_an_importer_that_lacks_a_part_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Bare does not say what it recognises"):
        Bare.recognises(tmp_path, b"")
    with pytest.raises(AssertionError, match="Bare does not say when it begins"):
        Bare(tmp_path)
