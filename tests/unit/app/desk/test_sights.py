"""What is seen of the markets: books that are there, by REST or gone, and what was told later."""

import msgspec
import pytest

from fairstrike.app import build, config
from fairstrike.app.desk.sights import NO_BOOK_YET, Sight, Sights
from fairstrike.core.effects import Resubscribe, Unwatch, Warn, Watch
from fairstrike.core.errors import JournalError
from fairstrike.core.events import (
    BookLost,
    BooksRead,
    ContractListed,
    OffsetStepped,
    SpotFigures,
    SpotSummed,
    StreamChanged,
    TermsChanged,
)
from fairstrike.core.order import Side
from fairstrike.core.records import Decided, GroupFitted, Leg, RisklessFound, Row
from fairstrike.core.regime import Regime, RegimeSeen, VolLevel
from fairstrike.store.segments import Record
from tests.unit.app.desk.sample import spot_told
from tests.unit.engine_samples import RUN, SECOND, T, U, at, contract, listed, printed, snapshot

STARTED = build.run_started(config.observe_profile("box"), "observe", RUN)
UP = StreamChanged(source="kalshi", is_up=True, reason="connected", recv_ns=at(0))
DOWN = StreamChanged(source="kalshi", is_up=False, reason="the line broke", recv_ns=at(5))
FITTED = GroupFitted(
    group=contract().group,
    asked_ns=at(9),
    good_until_ns=at(19),
    slack_ppm=12_500,
    moved_ppm={T: -21_000},
)
RISKLESS = RisklessFound(
    group=contract().group,
    asked_ns=at(8),
    good_until_ns=at(18),
    worst_ud=250_000,
    legs=(Leg(T, Side.BID, 4_000, 150), Leg(U, Side.ASK, 6_100, 100)),
)
TREND = RegimeSeen(asset="BTC", source="official", regime=Regime.TRENDING, level=VolLevel.HIGH)
WATCHED = (STARTED, listed(), Watch(tickers=(T,)))


def records(*bodies: msgspec.Struct) -> list[Record]:
    """Records of both chains, numbered in the order given."""
    return [
        Record(n, 1, type(body).__name__, RUN, msgspec.Raw(msgspec.msgpack.encode(body)))
        for n, body in enumerate(bodies, start=1)
    ]


def sights(*bodies: msgspec.Struct) -> Sights:
    seen = Sights()
    seen.fold(records(*bodies))
    return seen


def sight(*bodies: msgspec.Struct) -> Sight:
    """The one watched market after these records."""
    ((only,),) = [ladder.sights for ladder in sights(*WATCHED, *bodies).ladders(at(10))]
    return only


def decided(bid: int | None, ask: int | None, fair: int | None = 450_000) -> Decided:
    return Decided(rows=(Row(T, 1, bid, 0 if bid is None else 700, ask, 0 if ask is None else 900, fair),))


def by_rest() -> BooksRead:
    return BooksRead(books=(snapshot(6),), asked_ns=at(6), recv_ns=at(6))


def test_a_book_of_the_stream_is_shown_with_its_sizes() -> None:
    seen = sight(UP, snapshot(1), decided(4_000, 4_200))
    assert (seen.bid_ticks, seen.bid_cc, seen.ask_ticks, seen.ask_cc) == (4_000, 700, 4_200, 900)
    assert (seen.fair_ppm, seen.edge_ppm, seen.absent, seen.is_polled) == (450_000, 40_000, "", False)


def test_a_market_without_its_book_says_so() -> None:
    assert sight(UP).absent == NO_BOOK_YET


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (BookLost(ticker=T, reason="gap", recv_ns=at(3)), "frames were lost"),
        (BookLost(ticker=T, reason="some new reason", recv_ns=at(3)), "some new reason"),
        (Resubscribe(tickers=(T,), reason="crossed"), "crossed for too long"),
        (DOWN, "the stream is down"),
    ],
)
def test_a_lost_book_is_absent_with_its_reason(loss: msgspec.Struct, why: str) -> None:
    seen = sight(UP, snapshot(1), decided(4_000, 4_200), loss)
    assert (seen.absent, seen.bid_ticks, seen.ask_ticks, seen.fair_ppm, seen.edge_ppm) == (why, None, None, None, None)
    assert sight(UP, snapshot(1), loss, UP, snapshot(4), decided(4_000, None)).absent == ""


def test_while_no_record_comes_no_book_and_no_fair_value_is_shown() -> None:
    seen = sights(*WATCHED, UP, snapshot(1), decided(4_000, 4_200))
    seen.silence = "the trader is silent"
    ((only,),) = [ladder.sights for ladder in seen.ladders(at(10))]
    assert (only.absent, only.bid_ticks, only.ask_ticks, only.fair_ppm) == ("the trader is silent", None, None, None)
    seen.silence = ""
    assert seen.ladders(at(10))[0].sights[0].fair_ppm == 450_000


def test_a_book_by_rest_is_marked() -> None:
    seen = sight(UP, DOWN, by_rest(), decided(4_000, 4_200))
    assert (seen.absent, seen.is_polled, seen.bid_ticks) == ("", True, 4_000)


def test_a_book_by_rest_is_nothing_while_the_stream_is_up() -> None:
    assert not sight(UP, snapshot(1), by_rest(), decided(4_000, 4_200)).is_polled


def test_a_book_by_rest_goes_when_rest_is_silent() -> None:
    assert sight(DOWN, by_rest(), decided(4_000, 4_200), decided(None, None)).absent == "REST gives no book"


def test_an_empty_book_of_the_stream_is_there() -> None:
    assert sight(UP, snapshot(1, (), ()), decided(None, None)).absent == ""


def test_what_was_told_later_wins_though_it_is_read_first() -> None:
    seen = Sights()
    told = records(*WATCHED, UP, snapshot(1), Resubscribe(tickers=(T,), reason="frozen"), snapshot(2))
    seen.fold([record for record in told if record.kind != "Resubscribe"])
    seen.fold([record for record in told if record.kind == "Resubscribe"])
    assert seen.ladders(at(10))[0].sights[0].absent == ""


def test_events_are_soonest_first_and_strikes_sorted() -> None:
    def of(ticker: str, event: str, strike: int | None, closes_s: int) -> ContractListed:
        changed = msgspec.structs.replace(
            contract(ticker),
            event_ticker=event,
            floor_e8=None if strike is None else strike * 10**8,
            close_ns=RUN + closes_s * SECOND,
        )
        return msgspec.structs.replace(listed(ticker), contract=changed)

    markets = [of("A", "late", 2, 900), of("B", "soon", 9, 60), of("C", "soon", 7, 60), of("D", "soon", None, 60)]
    seen = sights(STARTED, *markets, of("E", "over", 1, 10), Watch(tickers=("A", "B", "C", "D", "E")))
    shown = [(one.event_ticker, [s.contract.ticker for s in one.sights]) for one in seen.ladders(at(10))]
    assert shown == [("soon", ["C", "B", "D"]), ("late", ["A"])]


def test_a_strike_that_the_stream_tells_is_shown() -> None:
    told = TermsChanged(ticker=T, floor_e8=81_000 * 10**8, recv_ns=at(3))
    stranger = TermsChanged(ticker="of another", floor_e8=1, recv_ns=at(3))
    assert sight(UP, told, stranger).contract.floor_e8 == 81_000 * 10**8


def test_the_time_to_close_is_the_venues() -> None:
    seen = sights(*WATCHED, OffsetStepped(source="kalshi", offset_ns=2 * SECOND, recv_ns=at(0)))
    assert seen.ladders(at(10))[0].closes_in_ns == 3_592 * SECOND


def test_the_reference_is_the_engines_and_goes_when_it_is_stale() -> None:
    seen = sights(*WATCHED, printed(5, 80_123))
    (ladder,) = seen.ladders(at(6))
    assert ladder.reference is not None
    assert (ladder.reference.value_e8, ladder.reference.source) == (80_123 * 10**8, "official")
    assert seen.ladders(at(9))[0].reference is None


def test_a_fit_is_beside_the_model_while_it_is_good() -> None:
    seen = sights(*WATCHED, UP, snapshot(1), decided(4_000, 4_200), FITTED)
    (ladder,) = seen.ladders(at(19))
    assert (ladder.fit, ladder.sights[0].fitted_ppm, ladder.sights[0].unfitted_ppm) == (FITTED, 429_000, 21_000)
    (ladder,) = seen.ladders(at(19) + 1)
    assert (ladder.fit, ladder.sights[0].fitted_ppm, ladder.sights[0].unfitted_ppm) == (None, None, None)


def test_where_the_quotes_allow_the_model_the_fit_is_the_model() -> None:
    seen = sight(UP, snapshot(1), decided(4_000, 4_200), msgspec.structs.replace(FITTED, moved_ppm={}))
    assert (seen.fitted_ppm, seen.unfitted_ppm) == (450_000, 0)


def test_what_has_no_book_no_fair_value_or_no_strike_shows_no_fit() -> None:
    unstruck = msgspec.structs.replace(listed(), contract=msgspec.structs.replace(contract(), floor_e8=None))
    shown = (UP, snapshot(1), decided(4_000, 4_200))
    assert sight(UP, FITTED).fitted_ppm is None
    assert sight(*shown, decided(4_000, 4_200, None), FITTED).fitted_ppm is None
    assert sight(*shown, unstruck, FITTED).fitted_ppm is None


@pytest.mark.parametrize(("moved", "expected"), [(-500_000, 0), (600_000, 1_000_000)])
def test_a_fit_stays_a_probability(moved: int, expected: int) -> None:
    fit = msgspec.structs.replace(FITTED, moved_ppm={T: moved})
    assert sight(UP, snapshot(1), decided(4_000, 4_200), fit).fitted_ppm == expected


def test_a_portfolio_is_there_until_it_is_old_or_gone() -> None:
    seen = sights(*WATCHED, RISKLESS)
    assert [seen.ladders(now_ns)[0].riskless for now_ns in (at(18), at(18) + 1)] == [RISKLESS, None]
    gone = msgspec.structs.replace(RISKLESS, asked_ns=at(10), worst_ud=0, legs=())
    assert sights(*WATCHED, RISKLESS, gone).ladders(at(11))[0].riskless is None


def test_a_group_that_closed_is_forgotten() -> None:
    later = msgspec.structs.replace(FITTED, group="BTC@2", asked_ns=at(20), good_until_ns=at(30))
    assert sights(*WATCHED, FITTED, later).ladders(at(15))[0].fit is None


def test_how_long_there_is_no_fair_value_yet_is_said() -> None:
    prints = [printed(second) for second in range(1, 122)]
    said = [sights(*WATCHED, *prints[:count]).ladders(at(count))[0].no_fair for count in (0, 1, 37, 120, 121)]
    left = {1: 120, 37: 84, 120: 1}
    words = "no fair value for another {} s: volatility needs 120 s of prints"
    assert said == ["", *(words.format(seconds) for seconds in left.values()), ""]
    # A ladder may say itself how much the index moves.
    assert sights(*WATCHED, printed(1), UP, snapshot(1), decided(4_000, 4_200)).ladders(at(2))[0].no_fair == ""


@pytest.mark.parametrize(("is_known", "seconds"), [(True, 7_199), (False, 7_200)])
def test_what_closed_an_hour_ago_is_forgotten(is_known: bool, seconds: int) -> None:
    assert sights(STARTED, listed(), listed(U, seconds)).has_listed is is_known


def test_why_there_is_no_reference_is_said() -> None:
    assert sights(*WATCHED).ladders(at(6))[0].no_reference == "no source prints BTC now"
    (ladder,) = sights(*WATCHED, printed(5, source="kraken"), printed(5, source="binance")).ladders(at(6))
    assert ladder.reference is None
    assert ladder.no_reference == (
        'give "kraken/BTC" an error under rooms.index.proxy_sd_e8: '
        "none is known of kraken, binance against the official index"
    )
    assert sights(*WATCHED, printed(5)).ladders(at(6))[0].no_reference == ""


def test_a_proxy_near_the_close_is_marked() -> None:
    for source, second, is_late in (("coinbase", 3_299, False), ("coinbase", 3_300, True), ("official", 3_300, False)):
        (ladder,) = sights(*WATCHED, printed(second, source=source)).ladders(at(second))
        assert ladder.is_late_proxy == is_late


def test_spot_venues_that_are_down_are_named_until_they_are_back() -> None:
    lost = StreamChanged(source="gemini/BTC", is_up=False, reason="no connection (refused)", recv_ns=at(1))
    back = StreamChanged(source="gemini/BTC", is_up=True, reason="", recv_ns=at(2))
    seen = sights(*WATCHED, UP, lost, Warn(text="late"))
    assert seen.troubles == ["gemini/BTC is down: no connection (refused)", "late"]
    assert seen.is_streaming
    seen.fold(records(back))
    assert seen.troubles == ["late"]


def test_figures_and_funding_go_when_they_are_old() -> None:
    figures = SpotFigures(asset="BTC", source="binance", last_e8=1, vwap_e8=1, vol_ppm=1)
    told = spot_told(at(5), 1)
    seen = sights(*WATCHED, told, SpotSummed(figures=(figures,), recv_ns=at(5)))
    assert (seen.spot_figures(at(25)), seen.spot_fundings(at(25))) == ((figures,), [*told.fundings])
    assert (seen.spot_figures(at(25.1)), seen.spot_fundings(at(25.1))) == ((), [])


def test_the_regime_is_the_one_told_last_of_its_asset() -> None:
    calm = msgspec.structs.replace(TREND, regime=Regime.CALM)
    assert sights(*WATCHED).ladders(at(6))[0].regime is None
    told = (calm, TREND, msgspec.structs.replace(TREND, asset="ETH", regime=Regime.SPIKY))
    assert sights(*WATCHED, *told).ladders(at(6))[0].regime == TREND
    assert sights(*WATCHED, *told, *WATCHED).ladders(at(6))[0].regime is None


def test_what_is_watched_no_longer_is_not_shown() -> None:
    seen = sights(*WATCHED, listed(U), Unwatch(tickers=(T,)), Warn(text="late"))
    assert (seen.ladders(at(1)), seen.warnings) == ([], ["late"])
    assert seen.next_close_ns(at(1)) == RUN + 3_600 * SECOND


def test_a_new_run_begins_anew() -> None:
    seen = sights(*WATCHED, UP, Warn(text="of the run before"), STARTED)
    assert (seen.ladders(at(1)), seen.warnings, seen.is_streaming, seen.has_listed) == ([], [], False, False)


def test_a_record_of_another_version_is_an_error() -> None:
    broken = Record(3, 1, "Decided", RUN, msgspec.Raw(msgspec.msgpack.encode({"rows": 5})))
    with pytest.raises(JournalError, match=r"record n = 3 \(Decided\) cannot be read"):
        Sights().fold([broken])
