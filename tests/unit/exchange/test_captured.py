"""Captures as moments of venue time: what unstamped frames belong to, what was traded, and what is refused."""

import pytest

from fairstrike.core.errors import RecordingError
from fairstrike.exchange.captured import Capture, Stretches, check
from tests.unit.exchange.captures import (
    LATE_NS,
    TICKER,
    at,
    capture,
    contract,
    deltas,
    listed,
    lost,
    snapshot,
    ticker,
)

BIDS, ASKS = ((4_000, 500),), ((4_200, 300),)


def stretches(recorded: Capture) -> list[tuple[list[int], int]]:
    """The instants of each stretch, and what was traded in it."""
    return [
        ([moment.instant_ns for moment in stretch.moments], stretch.traded_cc.get(TICKER, 0))
        for stretch in Stretches(recorded)
    ]


def test_a_snapshot_comes_before_the_stamped_changes_received_after_it() -> None:
    told = stretches(capture(listed(0), snapshot(10, BIDS, ASKS), deltas(12, ("bid", 4_000, 5))))
    assert told == [([at(0), at(12), at(12)], 0)]


def test_what_nothing_stamped_follows_comes_when_it_was_received() -> None:
    told = stretches(capture(listed(0), snapshot(10, BIDS, ASKS)))
    assert told == [([at(0), at(10) + LATE_NS], 0)]


def test_stamps_that_go_back_are_of_the_latest_instant() -> None:
    told = stretches(capture(listed(0), deltas(20, ("bid", 4_000, 5)), deltas(15, ("bid", 4_000, 5))))
    assert told == [([at(0), at(20), at(20)], 0)]


def test_half_of_what_the_volume_rose_by_was_traded_since_the_ticker_before() -> None:
    told = stretches(
        capture(
            listed(0),
            deltas(1, ("bid", 4_000, 500)),
            ticker(2, 1_000),
            deltas(100, ("bid", 4_000, -5)),
            deltas(900, ("bid", 4_000, -5)),
            ticker(1_000, 1_020),
            deltas(1_001, ("bid", 4_000, -5)),
        )
    )
    assert told == [([at(0), at(1)], 0), ([at(100), at(900)], 10), ([at(1_001)], 0)]


def test_without_a_ticker_a_stretch_ends_after_two_seconds() -> None:
    changes = [deltas(ms, ("bid", 4_000, 5)) for ms in range(0, 6_000, 500)]
    told = stretches(capture(*changes))
    assert [instant for instants, _ in told for instant in instants] == [at(ms) for ms in range(0, 6_000, 500)]
    assert max(instants[-1] - instants[0] for instants, _ in told) <= 2_500 * 1_000_000
    assert len(told) >= 2


def test_a_sound_capture_is_counted() -> None:
    assert check(capture(listed(0), snapshot(10, BIDS, ASKS), deltas(12, ("bid", 990, 5)), lost(20))) == 4


@pytest.mark.parametrize(
    ("recorded", "sentence"),
    [
        (capture(), "by hand names no market; give a capture that states markets with their strikes"),
        (capture(listed(0, contract(floor_e8=None))), f"by hand states no strike of {TICKER}; give a capture"),
        (capture(snapshot(0, BIDS, ASKS)), f"by hand tells the book of {TICKER} before it names that market"),
        (capture(deltas(0, ("bid", 4_000, 5))), f"by hand tells the book of {TICKER} before it names that market"),
        (capture(listed(0), deltas(1, ("ask", 4_005, 5))), "by hand has a price of 0.4005 dollars"),
        (capture(listed(0), snapshot(1, ((4_000, 5), (10_000, 1)), ())), "by hand has a price of 1.0000 dollars"),
    ],
)
def test_what_cannot_be_played_is_refused(recorded: Capture, sentence: str) -> None:
    with pytest.raises(RecordingError, match="^" + sentence):
        check(recorded)


def test_a_strike_may_be_told_later() -> None:
    assert check(capture(listed(0, contract(floor_e8=None)), listed(5), deltas(6, ("bid", 4_000, 5)))) == 3
