"""The reference price of each asset, with the error it carries against the official index.

`Reference` is what pricing is given: a value, the standard deviation of its difference from the official index,
and where it came from. The official index has none. Coinbase alone against the official settlement mean of
KXBTC15M: 5.3 dollars (30 windows of May 2026). A source without a measured error gives no price.
"""

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR

OFFICIAL = "official"


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a reference may be used, by its source's stamp, and how many prints are kept.

    `proxy_sd_e8` is the standard error against the official index by "source/asset".
    """

    stale_after_ns: Positive = 3 * SECOND_NS
    prints_kept: Positive = 2_000
    proxy_sd_e8: dict[str, Positive] = msgspec.field(default_factory=lambda: {"coinbase/BTC": 53 * E8_PER_DOLLAR // 10})


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A reference price in `_e8`, its standard error, its source and its source's stamp (our clock, ns)."""

    value_e8: int
    sd_e8: int
    source: str
    at_ns: int


class Index:
    """One asset's prints by source second and its latest reference."""

    __slots__ = ("_latest_second", "_params", "prints", "reference")

    def __init__(self, params: Params) -> None:
        """Start without any print."""
        self._params = params
        self._latest_second = -1
        self.prints: dict[int, int] = {}
        self.reference: Reference | None = None

    def fold(self, event: IndexPrinted, offset_ns: int) -> bool:
        """Take a print in. Gives whether it was new: a source second seen before is dropped.

        A value that is not positive is dropped too.
        A print of an earlier second that comes late is kept and leaves the reference as it is.
        `offset_ns` turns the source's stamp into our time.
        """
        sd_e8 = 0 if event.source == OFFICIAL else self._params.proxy_sd_e8.get(f"{event.source}/{event.asset}")
        if sd_e8 is None or event.value_e8 <= 0 or event.second in self.prints:
            return False
        self.prints[event.second] = event.value_e8
        if len(self.prints) > self._params.prints_kept:
            del self.prints[next(iter(self.prints))]
        if event.second < self._latest_second:
            return True
        self._latest_second = event.second
        at_ns = event.recv_ns if event.venue_ns is None else event.venue_ns + offset_ns
        self.reference = Reference(
            value_e8=event.value_e8, sd_e8=sd_e8, source=event.source, at_ns=min(at_ns, event.recv_ns)
        )
        return True

    def fresh(self, now_ns: int) -> Reference | None:
        """Give the reference when its source's stamp is recent enough, else None."""
        reference = self.reference
        if reference is None or now_ns - reference.at_ns > self._params.stale_after_ns:
            return None
        return reference
