"""What spot venues tell, whatever their wire: books, trades, candles, funding, index values.

Prices are in `_e8` dollars, sizes in 1/100 000 000 of a coin. `venue_ns` is the venue's own stamp of the value,
None where its wire has none. `asset` is ours: BTC, ETH, SOL.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.events import SpotCandle, SpotFunding
from fairstrike.core.timing import MILLISECOND_NS, parse_rfc3339_ns
from fairstrike.core.units import E8_PER_DOLLAR, parse_decimal
from fairstrike.market.replica import SpotLevel

_E8_MAX = 10**18
_INSTANT_NS_MAX = (1 << 63) - 1
_REASON_MAX = 200
_OFFERED = {"offer": "ask"}


class BookReplaced(msgspec.Struct, frozen=True, kw_only=True):
    """A whole book; levels in any order."""

    asset: str
    bids: Sequence[SpotLevel]
    asks: Sequence[SpotLevel]
    venue_ns: int | None = None


class BookChanged(msgspec.Struct, frozen=True, kw_only=True):
    """New sizes at some prices; size zero takes a level away."""

    asset: str
    bids: Sequence[SpotLevel]
    asks: Sequence[SpotLevel]
    venue_ns: int | None = None


class BookBroken(msgspec.Struct, frozen=True, kw_only=True):
    """Something is missing in a book: it is absent until the next `BookReplaced`.

    That must be asked for, unless `comes_again`: then the venue's next frame brings it.
    """

    asset: str
    reason: str
    comes_again: bool = False


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat: every book of the connection is still as last told."""

    venue_ns: int | None = None


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """A match."""

    asset: str
    price_e8: int
    size_e8: int
    venue_ns: int


class IndexTold(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the settlement index, as its administrator sends it."""

    asset: str
    value_e8: int
    venue_ns: int


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that is not what the venue documents, or that says that something asked for is refused."""

    reason: str


Value = BookReplaced | BookChanged | BookBroken | Alive | Traded | SpotCandle | SpotFunding | IndexTold | Unreadable

UNREAD = "a frame could not be read"
"""Why a book is broken that such a frame may have changed."""

MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticRefusal, RecursionError)
"""What reading a frame may raise; a venue turns it into `Unreadable`."""


class Venue(ABC):
    """One connection's protocol, without the connection.

    `source` names the venue in events, `line` this one of its connections, `assets` are those asked for, `url` is where
    to connect (wss), `headers` what the handshake must carry.
    """

    source: ClassVar[str]

    def __init__(
        self, assets: Mapping[str, str], url: str, headers: Mapping[str, str] | None = None, *, part: str = ""
    ) -> None:
        """Take the assets by the venue's own names, where to connect, and which of its connections this is."""
        self.line = f"{self.source}/{part}" if part else self.source
        self.assets: tuple[str, ...] = tuple(assets.values())
        self.url = url
        self.headers: dict[str, str] = dict(headers or {})
        self._assets = dict(assets)

    @abstractmethod
    def connected(self) -> list[bytes]:
        """Begin a connection; give what to say first."""

    def receive(self, data: bytes) -> list[Value]:
        """Give the values of one frame; raises nothing."""
        try:
            return self._read(data)
        except MALFORMED as error:
            return [self._unreadable(error), *self._doubted(data)]

    def resubscribe(self, asset: str) -> list[bytes]:
        """Give what to say to have a broken book anew; nothing where that is not how it comes."""
        return []

    @abstractmethod
    def _read(self, data: bytes) -> list[Value]:
        """Give the values of one frame, or raise what is `MALFORMED`."""

    def _doubted(self, data: bytes) -> Sequence[BookBroken]:
        """Give the books that a frame nobody can read may have changed."""
        return []

    def _unreadable(self, what: object) -> Unreadable:
        return Unreadable(reason=f"{self.source}: {what}"[:_REASON_MAX])


def address(host: str, path: str = "") -> str:
    """Give where to connect: over TLS, unless the host is given with a scheme of its own, such as ws://127.0.0.1:8080."""
    return f"{host}{path}" if "://" in host else f"wss://{host}{path}"


def e8(number: str | Decimal) -> int:
    """Give a price or size in `_e8`, rounded: some venues write ten decimals.

    Raises `ArithmeticRefusal` when it is no number, negative or beyond any price: the frame is not as documented.
    """
    try:
        value = round(float(number) * E8_PER_DOLLAR)
    except (ValueError, OverflowError):
        raise ArithmeticRefusal(f"{str(number)[:40]!r} is no price or size") from None
    if not 0 <= value <= _E8_MAX:
        raise ArithmeticRefusal(f"{str(number)[:40]!r} is no price or size that can be")
    return value


def price_e8(number: str | Decimal) -> int:
    """Give a price. Raises `ArithmeticRefusal` as `e8` does, and for zero: the frame is not as documented."""
    value = e8(number)
    if value == 0:
        raise ArithmeticRefusal("zero is no price")
    return value


def level(price: str | Decimal, size: str | Decimal) -> SpotLevel:
    """Give a level. Raises `ArithmeticRefusal` when its price or its size cannot be."""
    return price_e8(price), e8(size)


def sides(changes: Iterable[tuple[str, str, str]]) -> tuple[list[SpotLevel], list[SpotLevel]]:
    """Give bids and asks of changes, each of side, price and size in that order.

    Raises `ArithmeticRefusal` as `level` does, and for a side that is neither bid nor ask (or offer).
    """
    found: dict[str, list[SpotLevel]] = {"bid": [], "ask": []}
    for name, price, size in changes:
        side = found.get(_OFFERED.get(name, name))
        if side is None:
            raise ArithmeticRefusal(f"{name[:40]!r} is no side of a book")
        side.append(level(price, size))
    return found["bid"], found["ask"]


def traded(asset: str, price: str | Decimal, size: str | Decimal, venue_ns: int) -> Traded:
    """Give a match. Raises `ArithmeticRefusal` when its price or its size cannot be."""
    return Traded(asset=asset, price_e8=price_e8(price), size_e8=e8(size), venue_ns=venue_ns)


def rate_e8(number: str) -> int:
    """Give a rate, which may be negative. Raises `ArithmeticRefusal` for what is no rate that can be."""
    value = parse_decimal(number, 8)
    if abs(value) > _E8_MAX:
        raise ArithmeticRefusal(f"{number[:40]!r} is no rate that can be")
    return value


def instant(text: str) -> int:
    """Give the instant of an RFC 3339 text. Raises `ArithmeticRefusal` outside the years 1970 to 2262."""
    return _checked(parse_rfc3339_ns(text))


def instant_of_ms(stamp_ms: int) -> int:
    """Give a stamp in milliseconds as an instant. Raises `ArithmeticRefusal` outside the years 1970 to 2262."""
    return _checked(stamp_ms * MILLISECOND_NS)


def _checked(instant_ns: int) -> int:
    if not 0 <= instant_ns <= _INSTANT_NS_MAX:
        raise ArithmeticRefusal(f"{instant_ns} ns is no instant that can be")
    return instant_ns
