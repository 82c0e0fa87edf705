"""The live table of the nearest events: what is shown where, at every size of terminal."""

import re
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from fairstrike.app.desk.ladders import around, rail, screen, strike
from fairstrike.app.desk.sights import Sight, Sights
from fairstrike.core.contract import Comparison
from fairstrike.core.effects import Warn, Watch
from fairstrike.core.events import BookLost, BooksRead, StreamChanged
from fairstrike.core.order import Side
from fairstrike.core.records import Decided, GroupFitted, Leg, RisklessFound, Row
from tests.unit.app.desk.test_sights import DOWN, STARTED, TREND, UP, sights
from tests.unit.engine_samples import SECOND, T, at, contract, listed, printed, snapshot

SIZES = [(width, height) for width in (40, 60, 80, 99, 100, 120, 200) for height in (12, 16, 24, 40, 60)]
NAMES = [f"KXBTCD-26MAY1417-T{79_000 + 100 * number}" for number in range(20)]


def lines(seen: Sights, width: int = 120, height: int = 40) -> list[str]:
    console = Console(file=StringIO(), width=width, height=height, color_system=None)
    console.print(screen(seen, at(10), width, height))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def ladder() -> list[msgspec.Struct]:
    """Twenty strikes of one event, the money between the tenth and the eleventh; the first book is lost."""
    said: list[msgspec.Struct] = [STARTED, UP, printed(8, 79_950)]
    for number, name in enumerate(NAMES):
        changed = msgspec.structs.replace(contract(name), floor_e8=(79_000 + 100 * number) * 10**8)
        bid = 9_500 - 480 * number
        said += [
            msgspec.structs.replace(listed(name), contract=changed),
            Watch(tickers=(name,)),
            snapshot(1, ticker=name),
            Decided(rows=(Row(name, 1, bid, 123_400, bid + 200, 5_050, 100 * bid + 15_000),)),
        ]
    return [*said, BookLost(ticker=NAMES[0], reason="gap", recv_ns=at(9)), Warn(text="the index\nwas late")]


def test_a_strike_is_one_line_with_the_model_beside_the_market() -> None:
    shown = lines(sights(*ladder()))
    assert re.search(r"fairstrike  observe · box · \d\d:\d\d:\d\d UTC · stream up ", shown[0])
    assert "KXBTCD-26MAY1417  closes in 00:59:50  BTC 79,950.00 official, 2 s" in shown[1]
    assert shown[1].rstrip("│ ").endswith("20 strikes")
    row = next(line for line in shown if "> 79,900" in line)
    assert row.split()[1:9] == [">", "79,900", "1,234", "51.8", "53.8", "50.50", "53.3", "+0.5"]
    assert "the index was late" in shown[-2]


def test_a_proxy_is_called_one_and_no_price_says_why() -> None:
    said = [STARTED, listed(), Watch(tickers=(T,))]
    assert "BTC 80,000.00 coinbase, a proxy, 2 s" in lines(sights(*said, printed(8, source="coinbase")))[1]
    shown = lines(sights(*said, printed(8, source="kraken")))[1]
    assert 'no BTC price: give "kraken/BTC" an error under rooms.index.proxy_sd_e8' in shown


def test_an_absent_book_says_why() -> None:
    row = next(line for line in lines(sights(*ladder())) if "> 79,000" in line)
    assert row.split()[3:11] == ["–"] * 8
    assert row.rstrip("│ ").endswith("frames were lost")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_fits_every_terminal(width: int, height: int) -> None:
    shown = lines(sights(*ladder()), width, height)
    assert (len(shown), {len(line) for line in shown}) == (height, {width})
    assert any("> 79,900" in line or "> 80,000" in line for line in shown)


@pytest.mark.parametrize("width", [42, 60, 80, 99, 100, 120])
def test_reasons_and_marks_are_whole_on_a_narrow_terminal(width: int) -> None:
    polled = BooksRead(books=(snapshot(9, ticker=NAMES[9]),), asked_ns=at(9), recv_ns=at(9))
    shown = lines(sights(*ladder(), DOWN, polled), width)
    assert next(line for line in shown if "> 79,900" in line).rstrip("│ ").endswith("REST")
    assert next(line for line in shown if "> 79,000" in line).rstrip("│ ").endswith("frames were lost")


def test_a_narrow_terminal_keeps_the_prices() -> None:
    row = next(line for line in lines(sights(*ladder()), 60) if "> 79,900" in line)
    assert row.strip("│ ").split()[2:] == ["51.8", "53.8", "53.3", "+0.5", "–"]
    row = next(line for line in lines(sights(*ladder()), 42) if "> 79,900" in line)
    assert row.strip("│ ").split()[2:] == ["51.8", "53.8", "53.3"]


def test_events_of_a_strike_each_leave_room_for_another() -> None:
    alone = [
        msgspec.structs.replace(contract(name), event_ticker=name, floor_e8=80_000 * 10**8) for name in ("A", "B", "C")
    ]
    said = [msgspec.structs.replace(listed(one.ticker), contract=one) for one in alone]
    shown = lines(sights(STARTED, UP, *said, Watch(tickers=("A", "B", "C"))), 80, 12)
    assert [line.split()[1] for line in shown if "closes in" in line] == ["A", "B"]


def proved(**changes: object) -> list[msgspec.Struct]:
    """The same ladder with a fit of its markets, and what its quotes prove when changed."""
    fit = GroupFitted(
        group=contract().group,
        asked_ns=at(7),
        good_until_ns=at(17),
        slack_ppm=0,
        moved_ppm={NAMES[9]: -5_000},
    )
    return [*ladder(), msgspec.structs.replace(fit, **changes)]


def test_the_fit_is_beside_the_model_with_its_age() -> None:
    shown = lines(sights(*proved()))
    assert "official, 2 s  fit 3 s" in shown[1]
    row = next(line for line in shown if "> 79,900" in line)
    assert row.split()[7:11] == ["53.3", "+0.5", "52.8", "+0.5"]


def test_quotes_that_contradict_each_other_are_told() -> None:
    shown = lines(sights(*proved(slack_ppm=13_000)))
    assert any("no distribution agrees with all quotes: they are up to 1.3 ¢ off" in line for line in shown)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_portfolio_that_cannot_lose_is_one_line_on_every_terminal(width: int, height: int) -> None:
    legs = (Leg(NAMES[9], Side.BID, 5_380, 5_000), Leg("elsewhere", Side.ASK, 9_000, 150))
    found = RisklessFound(group=contract().group, asked_ns=at(8), good_until_ns=at(18), worst_ud=5_234_567, legs=legs)
    shown = lines(sights(*proved(slack_ppm=13_000), found), width, height)
    assert (len(shown), {len(line) for line in shown}) == (height, {width})
    (told,) = [line for line in shown if "riskless" in line]
    words = "riskless: gains at least $5.23 with legs buy 50 > 79,900 at 53.8, sell 1.50 elsewhere at 90.0"
    assert words.startswith(told.strip("│ ").removesuffix("…"))


def test_books_by_rest_are_said_to_be() -> None:
    said = [*ladder(), DOWN, BooksRead(books=(snapshot(9, ticker=NAMES[3]),), asked_ns=at(9), recv_ns=at(9))]
    shown = lines(sights(*said))
    assert "books by REST: the line broke" in shown[0]
    assert next(line for line in shown if "> 79,300" in line).rstrip("│ ").endswith("REST")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], "waiting for the list of markets"),
        ([STARTED, listed()], "no market is near its close; the next closes in 00:59:50"),
        (
            [STARTED, msgspec.structs.replace(listed(), contract=msgspec.structs.replace(contract(), close_ns=at(9)))],
            "every market listed is closed",
        ),
    ],
)
def test_without_a_market_it_says_why(said: list[msgspec.Struct], expected: str) -> None:
    assert expected in lines(sights(*said), 80, 12)[1]


def test_no_reference_is_said() -> None:
    said = [body for body in ladder() if type(body).__name__ != "IndexPrinted"]
    assert "no BTC price" in lines(sights(*said))[1]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (80, "  no fair value for another 120 s  BTC"),
        (120, "  BTC 79,950.00 official, 2 s  no fair value for another 120 s  "),
        (160, "  BTC 79,950.00 official, 2 s  no fair value for another 120 s: volatility needs 120 s of prints  "),
    ],
)
def test_the_heading_counts_down_to_the_first_fair_values(width: int, expected: str) -> None:
    blank = Decided(rows=tuple(Row(name, 1, 4_000, 100, 4_200, 100, None) for name in NAMES))
    heading = lines(sights(*ladder(), blank), width, 30)[1]
    assert f"KXBTCD-26MAY1417  closes in 00:59:50{expected}" in heading


def test_the_regime_stands_behind_the_price() -> None:
    assert "official, 2 s  trending HIGH" in lines(sights(*ladder(), TREND))[1]


def market(bid: int | None, ask: int | None, fair: int | None, fitted: int | None = None) -> Sight:
    return Sight(
        contract=contract(),
        bid_ticks=bid,
        bid_cc=0,
        ask_ticks=ask,
        ask_cc=0,
        fair_ppm=fair,
        fitted_ppm=fitted,
        absent="",
        is_polled=False,
    )


@pytest.mark.parametrize(
    ("bid", "ask", "fair", "fitted", "expected"),
    [
        (4_000, 6_000, 500_000, None, "····━◆━···"),
        (4_000, 6_000, 500_000, 450_000, "····◇◆━···"),
        (4_000, 6_000, 500_000, 510_000, "····━◆━···"),
        (None, 2_000, None, 300_000, "━━━◇······"),
        (9_900, None, 1_000_000, None, "·········◆"),
        (None, None, 0, None, "◆·········"),
        (None, None, None, None, "··········"),
    ],
)
def test_rail(bid: int | None, ask: int | None, fair: int | None, fitted: int | None, expected: str) -> None:
    assert rail(market(bid, ask, fair, fitted), 10).plain == expected


@pytest.mark.parametrize(
    ("comparison", "floor", "cap", "expected"),
    [
        (Comparison.ABOVE, 7_959_999_000_000, None, "> 79,599.99"),
        (Comparison.AT_LEAST, 8_000_000_000_000, None, "≥ 80,000"),
        (Comparison.BELOW, None, 10_050_000_000, "< 100.50"),
        (Comparison.BETWEEN, 100_000_000, 200_000_000, "1 – 2"),
        (Comparison.ABOVE, None, None, "not published yet"),
    ],
)
def test_strike(comparison: Comparison, floor: int | None, cap: int | None, expected: str) -> None:
    changed = msgspec.structs.replace(contract(), comparison=comparison, floor_e8=floor, cap_e8=cap)
    assert strike(changed) == expected


@pytest.mark.parametrize(
    ("fairs", "room", "expected"),
    [([1, 2, 3], 3, [1, 2, 3]), ([9, 8, 6, 5, 4, 2, 1], 3, [6, 5, 4]), ([9, 8, 7], 1, [7]), ([2, 1, 0], 2, [2, 1])],
)
def test_the_money_is_in_the_middle(fairs: list[int], room: int, expected: list[int]) -> None:
    shown = around([market(None, None, fair * 100_000) for fair in fairs], room)
    assert [one.fair_ppm for one in shown] == [fair * 100_000 for fair in expected]


def test_a_stream_that_was_never_up() -> None:
    said = StreamChanged(source="kalshi", is_up=False, reason="no key", recv_ns=at(0) - SECOND)
    assert "books by REST: no key" in lines(sights(STARTED, said), 80, 12)[0]
