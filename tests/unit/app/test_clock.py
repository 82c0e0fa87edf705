"""The machine's clock held against a server's `Date`."""

import time
from collections.abc import Iterator

import pytest

from fairstrike.app.clock import ClockOffset, date_s
from fairstrike.core.errors import ClockError, ProtocolError
from fairstrike.core.timing import MILLISECOND_NS, SECOND_NS

NOW = 1_800_000_000 * SECOND_NS


def known(offset_ms: int, probes: int, step_ms: int = 100, first_ms: int = 0) -> ClockOffset:
    """What answers of no delay tell of a server whose clock is `offset_ms` ahead."""
    offset = ClockOffset()
    for probe in range(probes):
        at_ns = NOW + (first_ms + probe * step_ms) * MILLISECOND_NS
        offset.narrow((at_ns + offset_ms * MILLISECOND_NS) // SECOND_NS, at_ns, at_ns)
    return offset


@pytest.mark.parametrize("first_ms", [0, 1, 250, 500, 999])
def test_one_date_acquits_a_good_clock(first_ms: int) -> None:
    assert known(0, 1, first_ms=first_ms).is_within


@pytest.mark.parametrize("offset_ms", [-850, -400, 0, 400, 850])
@pytest.mark.parametrize("first_ms", [0, 333, 999])
def test_a_clock_within_a_second_is_never_refused(offset_ms: int, first_ms: int) -> None:
    assert known(offset_ms, 12, first_ms=first_ms).is_within


@pytest.mark.parametrize(("offset_ms", "word"), [(1_150, "behind"), (-1_150, "ahead of"), (5_000, "behind")])
@pytest.mark.parametrize("first_ms", [0, 333, 999])
def test_a_clock_more_than_a_second_off_is_refused(offset_ms: int, word: str, first_ms: int) -> None:
    with pytest.raises(ClockError, match=f"{word} the venue's; synchronise it"):
        known(offset_ms, 12, first_ms=first_ms)


def test_nothing_known_is_not_within() -> None:
    assert not ClockOffset().is_within


def test_a_slow_answer_leaves_doubt() -> None:
    offset = ClockOffset()
    offset.narrow(NOW // SECOND_NS, NOW, NOW + 3 * SECOND_NS)
    assert (offset.least_ns, offset.most_ns) == (-3 * SECOND_NS, SECOND_NS)
    assert not offset.is_within


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Auckland"])
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    "header",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
    ],
)
def test_a_date_is_in_utc_wherever_the_machine_is(header: str) -> None:
    assert date_s(header) == 784_111_777


@pytest.mark.parametrize(
    "header", ["", "soon", "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "6 Nov 1994 8:49 +9999"]
)
def test_what_is_no_date_is_told(header: str) -> None:
    with pytest.raises(ProtocolError, match=r"^the venue's Date header '.*' is no date; check the address$"):
        date_s(header)
