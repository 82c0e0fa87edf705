"""What follows from the time that passes on a stream, as its session tells it."""

from fairstrike.core.events import BookLost
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.kalshi.session import Session, SessionParams
from tests.unit.venue.kalshi.fakes import OTHER, TICKER, delta, frame, snapshot
from tests.unit.venue.kalshi.test_session import NOW, acknowledge, commands, names, told


def listening(params: SessionParams | None = None) -> Session:
    """A session that holds one book and waits for another."""
    session = Session(params)
    session.watch([TICKER, OTHER])
    session.connected(NOW)
    acknowledge(session)
    told(session, snapshot(1))
    return session


def test_a_stream_that_is_silent_for_ten_seconds_loses_its_books() -> None:
    session = listening()
    assert session.check(NOW + 10 * SECOND_NS - 1) == ([], [])
    silent = BookLost(ticker=TICKER, reason="silent", recv_ns=NOW + 10 * SECOND_NS)
    assert session.check(NOW + 10 * SECOND_NS) == ([silent], [])
    assert session.check(NOW + 11 * SECOND_NS) == ([], [])
    assert told(session, delta(2)) == []
    assert names(told(session, snapshot(3))) == ["BookSnapshot"]
    assert session.gaps == {TICKER: 0}


def test_any_frame_ends_a_silence() -> None:
    session = listening()
    session.check(NOW + 10 * SECOND_NS)
    session.receive(b"not json", NOW + 19 * SECOND_NS)
    session.check(NOW + 28 * SECOND_NS)
    assert not session.is_broken


def test_a_stream_that_stays_silent_is_broken_until_it_is_made_anew() -> None:
    session, broken = listening(), []
    for now_ns in (NOW + 20 * SECOND_NS - 1, NOW + 20 * SECOND_NS):
        session.check(now_ns)
        broken.append(session.is_broken)
    session.connected(NOW + 21 * SECOND_NS)
    assert [*broken, session.is_broken] == [False, True, False]


def test_a_stream_that_brings_nothing_but_what_is_old_loses_its_books_and_is_made_anew() -> None:
    session = listening(SessionParams(late_max_ns=3 * SECOND_NS))

    def reasons(at_s: int, delay_s: int) -> list[str]:
        now_ns = NOW + at_s * SECOND_NS
        message = {"market_ticker": TICKER, "ts_ms": (now_ns - delay_s * SECOND_NS) // 1_000_000}
        session.receive(frame("ticker", message), now_ns)
        return [event.reason for event in session.check(now_ns)[0] if isinstance(event, BookLost)]

    assert [reasons(at_s, 20) for at_s in range(11)] == [[]] * 10 + [["late"]]
    told(session, snapshot(2))
    assert reasons(11, 20) == ["late"]
    assert [reasons(at_s, 20) for at_s in range(12, 21)] == [[]] * 9
    assert session.is_broken
    session.connected(NOW + 21 * SECOND_NS)
    acknowledge(session)
    told(session, snapshot(1))
    assert (reasons(21, 20), session.is_broken) == (["late"], False)
    told(session, snapshot(2))
    assert (reasons(22, 3), session.is_broken) == ([], False)


def test_nothing_watched_is_no_silence() -> None:
    session = Session()
    session.connected(NOW)
    assert session.check(NOW + 3_600 * SECOND_NS) == ([], [])
    assert not session.is_broken


def test_a_book_that_does_not_come_is_asked_for_again() -> None:
    session = listening()
    asked = []
    for second in range(1, 25):
        session.receive(frame("unheard_of"), NOW + second * SECOND_NS)
        _, sent = session.check(NOW + second * SECOND_NS)
        asked += [(second, command["params"]) for command in commands(sent)]
    again = {"action": "get_snapshot", "sids": [1], "market_tickers": [OTHER]}
    assert asked == [(11, again), (21, again)]
    session.unwatch([OTHER])
    assert session.check(NOW + 24 * SECOND_NS) == ([], [])


def test_a_lost_answer_to_a_gap_is_made_up_for() -> None:
    session = listening()
    told(session, snapshot(2, OTHER), delta(4))
    session.check(NOW)
    session.receive(delta(9), NOW + 9 * SECOND_NS)
    _, sent = session.check(NOW + 10 * SECOND_NS)
    (again,) = commands(sent)
    assert again["params"] == {"action": "get_snapshot", "sids": [1], "market_tickers": [TICKER, OTHER]}


def test_an_acknowledgement_that_was_lost_is_asked_for() -> None:
    session = Session()
    session.watch([TICKER])
    session.connected(NOW)
    session.check(NOW)
    session.receive(frame("unheard_of"), NOW + 10 * SECOND_NS)
    _, sent = session.check(NOW + 10 * SECOND_NS)
    assert [command["cmd"] for command in commands(sent)] == ["list_subscriptions", "subscribe"]
    session.receive(frame("ok", [{"channel": "ticker", "sid": 2}, {"channel": "orderbook_delta", "sid": 1}]), NOW)
    session.receive(frame("unheard_of"), NOW + 20 * SECOND_NS)
    _, sent = session.check(NOW + 20 * SECOND_NS)
    assert [command["params"] for command in commands(sent)] == [
        {"action": "get_snapshot", "sids": [1], "market_tickers": [TICKER]}
    ]
