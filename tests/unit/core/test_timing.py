"""Instants: the venue's clock, RFC 3339 text, New York's wall time against the time zone database."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import (
    HOUR_NS,
    MILLISECOND_NS,
    SECOND_NS,
    VenueClock,
    format_rfc3339,
    from_new_york,
    new_york,
    parse_rfc3339_ns,
)

INSTANTS = st.integers(0, 4_000_000_000 * SECOND_NS)
NOON = 1_778_760_000 * SECOND_NS


def seconds_of(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


@given(INSTANTS)
def test_plain_clock_changes_nothing(instant_ns: int) -> None:
    clock = VenueClock()
    assert instant_ns == clock.venue_ns(instant_ns)
    assert instant_ns == clock.system_ns(instant_ns)


def test_fast_clock_runs_from_its_anchors() -> None:
    clock = VenueClock(anchor_venue_ns=NOON, anchor_system_ns=1_000, factor=60)
    assert clock.venue_ns(1_000) == NOON
    assert clock.venue_ns(1_000 + SECOND_NS) == NOON + 60 * SECOND_NS
    assert clock.venue_ns(1_000 - SECOND_NS) == NOON - 60 * SECOND_NS
    assert clock.system_ns(NOON + 60 * SECOND_NS) == 1_000 + SECOND_NS


@given(INSTANTS, INSTANTS, INSTANTS, st.integers(1, 1_000))
def test_system_time_is_found_again(venue_ns: int, system_ns: int, now_ns: int, factor: int) -> None:
    clock = VenueClock(anchor_venue_ns=venue_ns, anchor_system_ns=system_ns, factor=factor)
    assert now_ns == clock.system_ns(clock.venue_ns(now_ns))


@pytest.mark.parametrize(
    ("applied_ms", "bound_ms", "factor"),
    [(3, 3, 1), (1_000, 3, 2), (5_000, 5_000, 2), (30_000, 3_000, 60)],
)
def test_fast_clock_widens_bounds(applied_ms: int, bound_ms: int, factor: int) -> None:
    clock = VenueClock(factor=factor)
    assert applied_ms * MILLISECOND_NS == clock.bound_ns(bound_ms * MILLISECOND_NS)


@pytest.fixture(scope="module")
def eastern() -> ZoneInfo:
    try:
        return ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone database")


def test_every_half_hour_from_2024_to_2028(eastern: ZoneInfo) -> None:
    for second in range(seconds_of(2024, 1, 1), seconds_of(2029, 1, 1), 1_800):
        expected = datetime.fromtimestamp(second, eastern).replace(tzinfo=None)
        assert expected == new_york(second * SECOND_NS)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("2024-03-10T01:59:59", "2024-03-10T03:00:00", seconds_of(2024, 3, 10, 7)),
        ("2024-11-03T01:59:59", "2024-11-03T01:00:00", seconds_of(2024, 11, 3, 6)),
        ("2026-03-08T01:59:59", "2026-03-08T03:00:00", seconds_of(2026, 3, 8, 7)),
        ("2026-11-01T01:59:59", "2026-11-01T01:00:00", seconds_of(2026, 11, 1, 6)),
    ],
)
def test_clocks_change_at_two(before: str, after: str, change: int) -> None:
    assert before == new_york(change * SECOND_NS - 1).isoformat()
    assert after == new_york(change * SECOND_NS).isoformat()


@pytest.mark.parametrize(
    ("wall", "instants"),
    [
        (datetime(2026, 7, 9, 21), [seconds_of(2026, 7, 10, 1)]),
        (datetime(2026, 12, 9, 21), [seconds_of(2026, 12, 10, 2)]),
        (datetime(2026, 11, 1, 0, 59), [seconds_of(2026, 11, 1, 4) + 3_540]),
        (datetime(2026, 11, 1, 1, 0), [seconds_of(2026, 11, 1, 5), seconds_of(2026, 11, 1, 6)]),
        (datetime(2026, 11, 1, 2, 0), [seconds_of(2026, 11, 1, 7)]),
        (datetime(2026, 3, 8, 1, 59), [seconds_of(2026, 3, 8, 6) + 3_540]),
        (datetime(2026, 3, 8, 2, 0), []),
        (datetime(2026, 3, 8, 2, 59), []),
        (datetime(2026, 3, 8, 3, 0), [seconds_of(2026, 3, 8, 7)]),
    ],
)
def test_instants_of_a_wall_time(wall: datetime, instants: list[int]) -> None:
    assert from_new_york(wall) == tuple(second * SECOND_NS for second in instants)


@given(second=st.integers(seconds_of(2008, 1, 1), seconds_of(2090, 1, 1)))
def test_every_instant_is_among_those_of_its_wall_time(second: int) -> None:
    assert second * SECOND_NS in from_new_york(new_york(second * SECOND_NS))


@pytest.mark.parametrize(
    ("instant_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (NOON, "2026-05-14T12:00:00Z"),
        (NOON, "2026-05-14T08:00:00-04:00"),
        (NOON + 123_456_000, "2026-05-14T12:00:00.123456Z"),
        (NOON + 5 * MILLISECOND_NS, "2026-05-14T12:00:00.005+00:00"),
        (NOON + 123_456_000, "2026-05-14T12:00:00.123456789Z"),
        (-SECOND_NS, "1969-12-31T23:59:59Z"),
    ],
)
def test_text_is_an_instant(instant_ns: int, text: str) -> None:
    assert instant_ns == parse_rfc3339_ns(text)


@pytest.mark.parametrize(
    "text", ["", "noon", "2026-05-14", "2026-05-14T12:00:00", "2026-02-30T00:00:00Z", "1778760000"]
)
def test_incomplete_text_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticRefusal):
        parse_rfc3339_ns(text)


@given(st.one_of(st.text(max_size=30), st.text(alphabet="0123456789-:.TZ+W ", max_size=30)))
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    try:
        instant_ns = parse_rfc3339_ns(text)
    except ArithmeticRefusal:
        return
    assert instant_ns == parse_rfc3339_ns(format_rfc3339(instant_ns))


@given(INSTANTS)
def test_written_instant_is_read_back_to_the_microsecond(instant_ns: int) -> None:
    assert instant_ns // 1_000 * 1_000 == parse_rfc3339_ns(format_rfc3339(instant_ns))


def test_whole_second_is_written_without_a_fraction() -> None:
    assert format_rfc3339(NOON) == "2026-05-14T12:00:00Z"
    assert format_rfc3339(NOON + HOUR_NS + 1_500) == "2026-05-14T13:00:00.000001Z"
