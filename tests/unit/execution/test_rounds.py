"""Rounds: books by REST while the stream is down, in the hall they are part of."""

from fairstrike.core.contract import Timeframe
from fairstrike.core.effects import Ask, Resubscribe, SendOrder, SetTimer, Unwatch, Warn
from fairstrike.core.events import AskFailed, BooksRead, StreamChanged
from fairstrike.core.order import Intent, Refused
from fairstrike.core.records import Decided
from fairstrike.execution.clerk import Outcome
from fairstrike.execution.rounds import Params
from tests.unit.engine_samples import BID, Hall, T, at, batch, delta, listed, of, signal, snapshot, timer


def stream(seconds: float, *, is_up: bool) -> StreamChanged:
    return StreamChanged(source="kalshi", is_up=is_up, reason="the test says so", recv_ns=at(seconds))


def by_rest(seconds: float, bid_ticks: int = 4_000) -> BooksRead:
    book = snapshot(seconds, bids=((bid_ticks, 700),))
    return BooksRead(books=(book,), asked_ns=at(seconds - 0.1), recv_ns=at(seconds))


def asked(outcome: Outcome) -> list[str]:
    return [ask.key for ask in of(Ask, outcome.effects) if ask.what == "books"]


def poll_due_s(outcome: Outcome) -> list[float]:
    return [(set_.due_ns - at(0)) / 1e9 for set_ in of(SetTimer, outcome.effects) if set_.name == "poll"]


def bests(outcome: Outcome) -> list[int | None]:
    return [row.bid_ticks for decided in of(Decided, outcome.records) for row in decided.rows]


def down() -> Hall:
    """A trader whose stream was up and went down at 50 s."""
    hall = Hall().opened()
    hall.feed(stream(45, is_up=True), snapshot(45), batch(45))
    hall.feed(stream(50, is_up=False), batch(50))
    return hall


def test_the_first_poll_is_two_seconds_after_the_stream_went_down() -> None:
    hall = Hall().opened()
    hall.feed(stream(45, is_up=True))
    assert poll_due_s(hall.feed(stream(50, is_up=False), batch(50))) == [52]


def test_watched_books_are_asked_for_every_two_seconds() -> None:
    hall = down()
    first = hall.feed(timer(52, "poll"))
    assert (asked(first), poll_due_s(first)) == ([T], [54])
    assert bests(hall.feed(by_rest(52.1))) == [4_000]
    assert asked(hall.feed(timer(54, "poll"))) == [T]


def test_what_is_under_way_is_not_asked_for_again() -> None:
    hall = down()
    hall.feed(timer(52, "poll"))
    assert asked(hall.feed(timer(54, "poll"))) == []
    hall.feed(AskFailed(what="orders", reason="r", recv_ns=at(55)))
    assert asked(hall.feed(timer(56, "poll"))) == []
    hall.feed(AskFailed(what="books", reason="r", recv_ns=at(57)))
    assert asked(hall.feed(timer(58, "poll"))) == [T]


def test_nothing_is_asked_for_while_the_stream_is_up_or_nothing_is_watched() -> None:
    hall = Hall()
    assert asked(hall.feed(timer(2, "poll"))) == []
    hall.opened()
    hall.feed(stream(45, is_up=True))
    outcome = hall.feed(timer(46, "poll"))
    assert (asked(outcome), poll_due_s(outcome)) == ([], [])


def test_an_answer_that_comes_after_the_stream_is_dropped() -> None:
    hall = down()
    hall.feed(timer(52, "poll"))
    hall.feed(stream(53, is_up=True), by_rest(53.1))
    assert hall.engine.books.served(T) is None
    assert asked(hall.feed(stream(54, is_up=False), timer(56, "poll"))) == [T]


def test_books_by_rest_go_when_they_are_not_read_again() -> None:
    hall = down()
    hall.feed(timer(52, "poll"), by_rest(52.1))
    hall.feed(stream(53, is_up=True), timer(54, "poll"))
    assert hall.engine.books.is_polled(T)
    outcome = hall.feed(timer(58.2, "poll"))
    assert (bests(outcome), poll_due_s(outcome)) == ([None], [])


def test_on_a_polled_book_nothing_is_opened_and_positions_are_closed() -> None:
    hall = down()
    hall.asking.wishes = [signal(), signal(BID, intent=Intent.REDUCE)]
    outcome = hall.feed(timer(52, "poll"), by_rest(52.1))
    refused = [(one.rule, one.value, one.limit) for one in of(Refused, outcome.records)]
    assert refused == [("polled_book", 1, 0), ("larger_than_position", 100, 0)]
    assert of(SendOrder, outcome.effects) == []


# Audits


def up() -> Hall:
    """A trader whose stream came up at 45 s, its book with it."""
    hall = Hall().opened()
    hall.feed(stream(45, is_up=True), snapshot(45), batch(45))
    return hall


def due_s(outcome: Outcome) -> dict[str, float]:
    return {set_.name: (set_.due_ns - at(0)) / 1e9 for set_ in of(SetTimer, outcome.effects)}


def answered(seconds: float, *, bid_cc: int, asked_s: float) -> BooksRead:
    book = snapshot(seconds, bids=((4_000, bid_cc),))
    return BooksRead(books=(book,), asked_ns=at(asked_s), recv_ns=at(seconds))


def test_every_minute_books_are_asked_for_a_second_after_changes_are_noted() -> None:
    hall = Hall().opened()
    assert due_s(hall.feed(stream(45, is_up=True), snapshot(45), batch(45)))["audit"] == 105
    begun = hall.feed(timer(105, "audit"))
    assert (asked(begun), due_s(begun)) == ([], {"audit ask": 106, "audit": 165})
    assert asked(hall.feed(timer(106, "audit ask"))) == [T]
    assert due_s(hall.feed(answered(106.2, bid_cc=50_000, asked_s=106))) == {"audit end": 107.2}


def test_equal_books_stay() -> None:
    hall = up()
    hall.feed(timer(105, "audit"), timer(106, "audit ask"), answered(106.2, bid_cc=50_000, asked_s=106))
    outcome = hall.feed(timer(107.2, "audit end"))
    assert of(Warn, outcome.effects) == []
    assert hall.engine.books.served(T) is not None


def test_a_book_that_differs_is_dropped_and_read_anew() -> None:
    hall = up()
    hall.feed(timer(105, "audit"), timer(106, "audit ask"), answered(106.2, bid_cc=49_999, asked_s=106))
    outcome = hall.feed(timer(107.2, "audit end"))
    assert of(Resubscribe, outcome.effects) == [Resubscribe(tickers=(T,), reason="audit")]
    (warning,) = of(Warn, outcome.effects)
    assert warning.text == f"{T}: REST shows another book than the stream on 1 levels; it is read anew"
    assert bests(outcome) == [None]
    assert hall.engine.books.shelves[T].losses == {"audit": 1}


def test_what_changes_up_to_a_second_after_the_answer_proves_nothing() -> None:
    hall = up()
    hall.feed(timer(105, "audit"), timer(106, "audit ask"), answered(106.2, bid_cc=49_999, asked_s=106))
    hall.feed(delta(107, BID, 4_000, -1), batch(107))
    assert of(Warn, hall.feed(timer(107.2, "audit end")).effects) == []


def test_an_answer_from_before_the_audit_is_not_compared() -> None:
    hall = up()
    hall.feed(timer(105, "audit"), answered(105.5, bid_cc=1, asked_s=104), timer(107, "audit end"))
    assert hall.engine.books.served(T) is not None


def test_no_audit_while_the_stream_is_down() -> None:
    hall = up()
    hall.feed(timer(105, "audit"), stream(105.5, is_up=False), stream(105.6, is_up=True))
    assert asked(hall.feed(timer(106, "audit ask"))) == [T]
    hall.feed(stream(106.1, is_up=False))
    assert of(SetTimer, hall.feed(timer(165, "audit")).effects) == []
    assert asked(hall.feed(timer(166, "audit ask"))) == []


def test_a_market_whose_settlement_is_never_told_is_let_go() -> None:
    hall = Hall()
    hall.feed(listed(), snapshot(0.4), batch(0.4))
    assert of(Unwatch, hall.feed(timer(3_600 + 900, "pulse")).effects) == []
    assert of(Unwatch, hall.feed(timer(3_600 + 901, "pulse")).effects) == [Unwatch(tickers=(T,))]


def test_a_market_is_watched_in_its_time_and_timeframe() -> None:
    params = Params(timeframes=(Timeframe.HOURLY,), watch_within_ns=10)
    expected = {0: False, 1: True, 10: True, 11: False}
    assert {closes_in: params.watches(listed().contract, closes_in) for closes_in in expected} == expected
    assert not Params(timeframes=(Timeframe.DAILY,)).watches(listed().contract, 1)
