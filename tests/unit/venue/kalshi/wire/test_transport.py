"""What an answer says besides its body."""

import pytest

from fairstrike.core.timing import SECOND_NS
from fairstrike.venue.kalshi.wire.transport import Response


@pytest.mark.parametrize(
    ("headers", "wait_ns"),
    [
        ((), 0),
        ((("Retry-After", "7"),), 7 * SECOND_NS),
        ((("Date", "now"), ("retry-after", " 0 ")), 0),
        ((("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"),), 0),
        ((("Retry-After", "-1"),), 0),
        ((("Retry-After", "9" * 5_000),), 0),
    ],
)
def test_how_long_an_answer_asks_to_wait(headers: tuple[tuple[str, str], ...], wait_ns: int) -> None:
    assert Response(status=429, body=b"", headers=headers).retry_after_ns == wait_ns
