"""The running minimum against a plain list of samples."""

import pytest

from fairstrike.core.chance import Dice
from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.kalshi.offset import BUCKET_NS, BUCKETS, ClockOffset


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
