"""What tests of spot venues share: broken frames, and levels in plain numbers."""

from fairstrike.core.units import E8_PER_DOLLAR
from fairstrike.market.replica import SpotLevel
from fairstrike.venue.spot.values import BookBroken, Unreadable, Venue

GARBAGE = (b"", b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe", b'{"a":' * 5_000, b'{"data": 3, "events": {}}')


def levels(*pairs: tuple[float, float]) -> list[SpotLevel]:
    return [(round(price * E8_PER_DOLLAR), round(size * E8_PER_DOLLAR)) for price, size in pairs]


def assert_garbage_is_refused(venue: Venue) -> None:
    """Every broken frame comes to a refusal, with the loss of books, or to nothing; never to an error or a value."""
    for data in GARBAGE:
        assert {type(value) for value in venue.receive(data)} <= {Unreadable, BookBroken}, data
