"""The figures of a replay that ended, from an engine and an observer that saw it."""

import json
from collections.abc import Mapping, Sequence

import msgspec

from fairstrike.core.events import BookLost, Event, MarketSettled, TickerSeen
from fairstrike.research.importers.base import Recording
from fairstrike.research.observer import Agreement, Observer
from fairstrike.research.report import POINTS_MAX, Counts, Finished, ReplayReport, replay_report
from fairstrike.research.violations import Violations
from tests.unit.engine_samples import (
    Hall,
    T,
    U,
    account,
    at,
    batch,
    contract,
    filled,
    listed,
    printed,
    read,
    signal,
    snapshot,
)

NONE: Sequence[Recording] = ()


class Run:
    """A hall that trades two markets while an observer looks on."""

    def __init__(self) -> None:
        self.hall = Hall()
        self.observer, self.violations = Observer(self.hall.engine), Violations()
        self.tell(read(0.1)).tell(listed(), batch(0.2)).tell(listed(U), batch(0.2)).tell(*account(0.3))
        self.tell(snapshot(0.4), batch(0.4)).tell(snapshot(0.4, ticker=U), batch(0.4))
        for second in range(1, 41):
            self.tell(printed(second, 80_000 + second % 7))

    def tell(self, *events: Event) -> "Run":
        self.hall.feed(*events)
        self.observer.see(events[-1].recv_ns, events)
        self.violations(events[-1].recv_ns, events, self.hall.engine)
        return self

    def bought(self) -> "Run":
        self.hall.asking.wishes = [signal()]
        self.hall.asking.tally.update({"wished": 1, "no edge": 5})
        self.tell(printed(41))
        (order,) = self.hall.engine.clerk.orders.all_working()
        return self.tell(filled(41.5, order.client_order_id))

    def settled(self, ticker: str, value: int) -> "Run":
        return self.tell(MarketSettled(ticker=ticker, value_ticks=value, recv_ns=at(3_601)))

    def report(self, derived: Mapping[str, bool] | None = None) -> ReplayReport:
        return replay_report(
            Finished(
                engine=self.hall.engine,
                observer=self.observer,
                violations=self.violations,
                counts=Counts(events=100, decisions=60, wakes=7, refused={"a": 1, "b": 3}),
                recordings=NONE,
                derived=derived or {},
                journal="j",
                digest="d",
            )
        )


def seen(seconds: float, bid: int, volume: int, ticker: str = T) -> TickerSeen:
    return TickerSeen(ticker=ticker, bid_ticks=bid, ask_ticks=4_200, volume_cc=volume, recv_ns=at(seconds))


def test_settled_markets_are_scored_and_open_events_are_told() -> None:
    report = Run().bought().settled(U, 10_000).report()
    assert report.scores is not None
    assert (report.scores.brier.model.count, report.scores.brier.model.events) == (1, 1)
    (event,) = report.open_events
    assert (event.group, event.events, event.markets) == (contract().group, (contract().event_ticker,), 1)
    assert (event.closes, event.held, event.cost) == ("2026-05-14T01:20:00Z", {T: "1.00"}, "0.400000")


def test_a_settled_event_is_not_open() -> None:
    report = Run().bought().settled(U, 0).settled(T, 10_000).report()
    assert report.open_events == ()
    assert report.pnl == "0.600000"
    assert report.equity[-1].equity == "10000.600000"
    assert report.scores is not None
    assert report.scores.brier.model.count == 2


def test_reasons_and_refusals_come_most_frequent_first() -> None:
    report = Run().bought().report()
    assert report.considered == {"asking": {"no edge": 5, "wished": 1}}
    assert list(report.refused.items()) == [("b", 3), ("a", 1)]
    assert (report.events, report.decisions, report.wakes) == (100, 60, 7)
    assert sum(report.kinds.values()) == 100


def test_agreement_is_told_in_all_and_of_markets_never_lost() -> None:
    run = Run().tell(snapshot(40.9), batch(40.9)).tell(snapshot(40.9, ticker=U), batch(40.9))
    run.tell(seen(41, 4_000, 100)).tell(seen(42, 3_000, 350))
    run.tell(seen(43, 4_000, 100, U)).tell(BookLost(ticker=U, reason="crossed", recv_ns=at(44)))
    report = run.tell(seen(45, 4_000, 100, U)).report()
    market = report.markets[T]
    assert (market.agreement, market.ticker_volume) == (Agreement(tickers=2, equal_now=1, equal_recent=1), "2.50")
    assert (report.markets[U].crossed, report.markets[U].is_clean, market.is_clean) == (1, False, True)
    assert report.agreement is not None
    clean, overall = report.agreement.clean, report.agreement.overall
    assert (clean.markets, clean.tickers, clean.absent, clean.share_now) == (1, 2, 0, 0.5)
    assert (overall.markets, overall.tickers, overall.absent, overall.share_now) == (2, 4, 1, 0.666667)


def test_without_tickers_there_is_no_share() -> None:
    report = Run().report()
    assert report.agreement is not None
    assert (report.agreement.overall.tickers, report.agreement.overall.share_now) == (0, None)
    assert report.markets[T].ticker_volume is None


def test_a_long_row_of_equity_is_thinned_and_keeps_its_end() -> None:
    run = Run()
    run.observer.equity = run.observer.equity * (3 * POINTS_MAX)
    report = run.report()
    assert POINTS_MAX / 2 < len(report.equity) <= POINTS_MAX


def test_json_keeps_what_it_had_and_money_is_decimal_text() -> None:
    plain = json.loads(msgspec.json.encode(Run().bought().report()))
    assert {"files", "markets", "strategies", "deltas", "fills", "fees", "pnl", "cash", "digest"} <= plain.keys()
    assert plain["markets"][T]["fees"] == "0.000000"
    assert plain["equity"][0]["equity"] == "10000.000000"
    assert plain["scores"]["verdict"].startswith("No forecast could be scored")


def test_violations_and_notes_are_told_in_words() -> None:
    run = Run()
    higher = listed(U, 42).contract
    run.tell(msgspec.structs.replace(listed(U, 42), contract=msgspec.structs.replace(higher, floor_e8=81_000 * 10**8)))
    run.tell(snapshot(43, ticker=T), snapshot(43, ((5_000, 100),), ((5_200, 100),), ticker=U), batch(43))
    found = run.report()
    assert found.ladders >= 1
    (violation,) = found.violations
    assert violation.legs == (f"buy {T} at 0.4200", f"sell {U} at 0.5000")
    assert (violation.kind, violation.gain) == ("thresholds", "0.045448")
