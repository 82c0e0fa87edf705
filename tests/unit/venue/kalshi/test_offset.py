"""The running minimum against a plain list of samples; and in a session, which takes them from its frames."""

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.events import OffsetStepped
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.kalshi.offset import BUCKET_NS, BUCKETS, ClockOffset
from fairstrike.venue.kalshi.session import Session, SessionParams
from tests.unit.venue.kalshi.fakes import TICKER, delta, frame, snapshot


@pytest.mark.parametrize("seed", range(20))
def test_offset_equals_the_minimum_of_the_last_minute(seed: int) -> None:
    dice, offset, samples = Dice(seed, 1), ClockOffset(250), list[tuple[int, int]]()
    recv_ns = told_ns = 0
    for number in range(300):
        recv_ns += dice.below(BUCKET_NS if dice.below(10) else 8 * BUCKET_NS)
        delay_ns = dice.between(-1_000, 1_000)
        samples.append((recv_ns // BUCKET_NS, delay_ns))
        expected = min(delay for bucket, delay in samples if bucket > recv_ns // BUCKET_NS - BUCKETS)
        stepped = offset.sample(recv_ns - delay_ns, recv_ns)
        assert offset.offset_ns == expected
        assert stepped == (expected if not number or abs(expected - told_ns) > 250 else None)
        told_ns = expected if stepped is not None else told_ns


def test_a_single_stamp_of_the_future_is_no_clock() -> None:
    """Or every market would be taken for closed, for a minute."""
    offset = ClockOffset(1)
    offset.sample(0, 5)
    assert [offset.sample(stamp_ns, 6) for stamp_ns in (3_600 * SECOND_NS, 1)] == [None, None]
    assert offset.offset_ns == 5


def test_a_clock_that_was_set_is_believed_the_second_time() -> None:
    offset = ClockOffset(1)
    offset.sample(0, 5)
    assert [offset.sample(stamp_ns, 6) for stamp_ns in (60 * SECOND_NS, 60 * SECOND_NS)] == [None, 6 - 60 * SECOND_NS]


def test_without_a_sample_there_is_no_offset() -> None:
    assert ClockOffset(1).offset_ns is None


def test_receipt_that_goes_back_stays_in_its_bucket() -> None:
    offset = ClockOffset(1)
    offset.sample(5 * BUCKET_NS - 7, 5 * BUCKET_NS)
    offset.sample(BUCKET_NS - 5, BUCKET_NS)
    assert offset.offset_ns == 5


# In a session

NOW = 1_786_085_189_000_000_000


def test_offset_is_the_fastest_journey_and_steps_are_told() -> None:
    session = Session()
    steps: list[int] = []

    def tick(at_s: int, delay_ms: int) -> None:
        message = {"market_ticker": TICKER, "ts_ms": at_s * 1_000}
        for event in session.receive(frame("ticker", message), at_s * SECOND_NS + delay_ms * 1_000_000):
            if isinstance(event, OffsetStepped):
                steps.append(event.offset_ns // 1_000_000)

    tick(0, 80)
    tick(1, 20)
    tick(2, 500)
    assert (session.offset_ns, steps) == (20_000_000, [80])
    tick(65, 500)
    assert (session.offset_ns, steps) == (500_000_000, [80, 500])
    tick(66, 20)
    assert (session.offset_ns, steps) == (20_000_000, [80, 500, 20])


def test_a_stream_that_falls_behind_is_no_other_clock() -> None:
    """Were its delay taken for the clock's after a minute, an index value of long ago would be new."""
    session = Session(SessionParams(late_max_ns=3 * SECOND_NS))

    def offset_after(at_s: int, delay_s: int) -> int | None:
        message = {"market_ticker": TICKER, "ts_ms": at_s * 1_000}
        session.receive(frame("ticker", message), (at_s + delay_s) * SECOND_NS)
        return session.offset_ns

    assert offset_after(0, 20) is None
    assert offset_after(1, 0) == 0
    assert [offset_after(at_s, 20) for at_s in range(2, 120)] == [0] * 118
    assert offset_after(200, 3) == 3 * SECOND_NS
    assert [offset_after(201, -40), offset_after(202, -40)] == [3 * SECOND_NS, -40 * SECOND_NS]


def test_every_sixty_fourth_delta_is_a_sample() -> None:
    session = Session()
    session.receive(snapshot(1), NOW)
    told_at = [
        seq
        for seq in range(2, 132)
        for event in session.receive(delta(seq), NOW + seq * SECOND_NS)
        if isinstance(event, OffsetStepped)
    ]
    assert told_at == [2, 66, 130]
