"""The reference price of each asset, with the error it carries against the official index.

`Reference` is what pricing is given: a value, the standard deviation of its difference from the official index,
and where it came from. The best source that is fresh is taken: the official index, through Kalshi's channel or from
its administrator (no error), then our replica of it, the consensus of Coinbase and Kraken, and one venue alone,
Binance last, which quotes another dollar: the name of the source is its mark. Coinbase alone against the official
settlement mean of KXBTC15M: 5.3 dollars (30 windows of May 2026). A source without a measured error gives no price; its
prints are kept all the same, so that its error can be measured.

The consensus is the median of the two, which is their mean, printed for a second when both have printed it. While
they differ by more than a bound, and for a while after, the reference says so: who trades on it must not open.
"""

from bisect import insort

import msgspec

from fairstrike.core.bounds import Positive
from fairstrike.core.events import IndexPrinted
from fairstrike.core.timing import MINUTE_NS, SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR, PPM

OFFICIAL, CONSENSUS = "official", "consensus"

DIVERGENCE_PPM = 1_000
"""How far apart two venues may be, in parts per million, before they contradict each other: a tenth of a per cent."""

EXACT = frozenset({OFFICIAL, "cfbenchmarks"})
"""The sources that are the official index itself."""

PROXIES = ("replica", CONSENSUS, "coinbase", "kraken", "bitstamp", "gemini", "binance")
"""The other sources, the best first; each has an error against the official index."""

INDICES = {"BTC": "BRTI", "ETH": "ETHUSD_RTI", "SOL": "SOLUSD_RTI"}
"""The settlement index of each asset, as its administrator names it."""

_PAIR = {"coinbase": "kraken", "kraken": "coinbase"}
_ORDER = (OFFICIAL, "cfbenchmarks", *PROXIES)


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a reference may be used, by its source's stamp, and how many prints are kept.

    `proxy_sd_e8` is the standard error against the official index by "source/asset", "consensus" being a source.
    Coinbase and Kraken are held against each other while both are within `pair_stale_after_ns`; beyond
    `divergence_ppm_max` they diverge, until `divergence_pause_ns` after they last did. A print of a second that
    begins more than `ahead_max_ns` after its receipt is dropped: it would make all that follow look old.
    """

    stale_after_ns: Positive = 3 * SECOND_NS
    prints_kept: Positive = 2_000
    proxy_sd_e8: dict[str, Positive] = msgspec.field(default_factory=lambda: {"coinbase/BTC": 53 * E8_PER_DOLLAR // 10})
    pair_stale_after_ns: Positive = 2 * SECOND_NS
    divergence_ppm_max: Positive = DIVERGENCE_PPM
    divergence_pause_ns: Positive = 5 * SECOND_NS
    ahead_max_ns: Positive = MINUTE_NS


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """How far Coinbase and Kraken were apart, and how far they may be (parts per million)."""

    ppm: int
    limit_ppm: int


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A reference price in `_e8`, its standard error, its source and its source's stamp (our clock, ns).

    `offset_ns` is how far our clock is ahead of its source's. `divergence` is there while Coinbase and Kraken
    contradict each other, whichever source this is.
    """

    value_e8: int
    sd_e8: int
    source: str
    at_ns: int
    offset_ns: int = 0
    divergence: Divergence | None = None

    @property
    def is_proxy(self) -> bool:
        """Whether it is not the official index."""
        return self.source not in EXACT


class Series:
    """One source's prints by source second, and its latest reference."""

    __slots__ = ("_kept", "_latest_second", "_sd_e8", "_source", "prints", "reference", "stale_after_ns")

    def __init__(self, source: str, sd_e8: int, kept: int, stale_after_ns: int) -> None:
        """Start without any print."""
        self._source = source
        self._sd_e8 = sd_e8
        self._kept = kept
        self._latest_second = -1
        self.stale_after_ns = stale_after_ns
        self.prints: dict[int, int] = {}
        self.reference: Reference | None = None

    def fold(self, second: int, value_e8: int, at_ns: int, offset_ns: int) -> bool:
        """Take a print in. Gives whether it was new: a value not positive, or a second seen before, is dropped.

        A print of an earlier second that comes late is kept and leaves the reference as it is.
        """
        if value_e8 <= 0 or second in self.prints:
            return False
        self.prints[second] = value_e8
        if len(self.prints) > self._kept:
            del self.prints[next(iter(self.prints))]
        if second > self._latest_second:
            self._latest_second = second
            self.reference = Reference(
                value_e8=value_e8, sd_e8=self._sd_e8, source=self._source, at_ns=at_ns, offset_ns=offset_ns
            )
        return True

    def fresh(self, now_ns: int) -> Reference | None:
        """Give the reference when its source's stamp is recent enough, else None."""
        reference = self.reference
        if reference is None or now_ns - reference.at_ns > self.stale_after_ns:
            return None
        return reference


class Index:
    """One asset's sources. `series` holds each that ever printed, by name; the consensus is one of them."""

    __slots__ = ("_diverged", "_diverged_until_ns", "_params", "_ranked", "series")

    def __init__(self, params: Params) -> None:
        """Start without any source."""
        self._params = params
        self._ranked: list[tuple[int, str, Series]] = []
        self._diverged: Divergence | None = None
        self._diverged_until_ns = 0
        self.series: dict[str, Series] = {}

    def fold(self, event: IndexPrinted, offset_ns: int) -> tuple[str, ...]:
        """Take a print in. Gives the sources that have a new print of this second: its own, and the consensus.

        `offset_ns` turns the source's stamp into our time.
        """
        if event.second * SECOND_NS + offset_ns - event.recv_ns > self._params.ahead_max_ns:
            return ()
        at_ns = event.recv_ns if event.venue_ns is None else min(event.venue_ns + offset_ns, event.recv_ns)
        if not self._of(event.source, event.asset).fold(event.second, event.value_e8, at_ns, offset_ns):
            return ()
        if event.source not in _PAIR or not self._pair(event, at_ns, offset_ns):
            return (event.source,)
        return (event.source, CONSENSUS)

    def fresh(self, now_ns: int) -> Reference | None:
        """Give the best source's reference, None when every source with a known error is stale."""
        for _, _, series in self._ranked:
            reference = series.fresh(now_ns)
            if reference is not None:
                if now_ns < self._diverged_until_ns:
                    return msgspec.structs.replace(reference, divergence=self._diverged)
                return reference
        return None

    def unmeasured(self, now_ns: int) -> list[str]:
        """Give the fresh sources that are no reference because nobody measured their error, in order of preference."""
        known = {source for _, source, _ in self._ranked}
        found = [source for source, series in self.series.items() if source not in known and series.fresh(now_ns)]
        return sorted(found, key=_rank)

    def _pair(self, event: IndexPrinted, at_ns: int, offset_ns: int) -> bool:
        """Hold Coinbase and Kraken against each other and print their consensus; gives whether there is one."""
        other = self.series.get(_PAIR[event.source])
        theirs = None if other is None else other.reference
        if other is None or theirs is None or event.second not in other.prints:
            return False
        if event.recv_ns - min(at_ns, theirs.at_ns) > self._params.pair_stale_after_ns:
            return False
        value_e8 = (event.value_e8 + other.prints[event.second]) // 2
        apart_ppm = abs(event.value_e8 - other.prints[event.second]) * PPM // value_e8
        if apart_ppm > self._params.divergence_ppm_max:
            self._diverged = Divergence(ppm=apart_ppm, limit_ppm=self._params.divergence_ppm_max)
            self._diverged_until_ns = event.recv_ns + self._params.divergence_pause_ns
        consensus = self._of(CONSENSUS, event.asset)
        return consensus.fold(event.second, value_e8, min(at_ns, theirs.at_ns), offset_ns)

    def _of(self, source: str, asset: str) -> Series:
        series = self.series.get(source)
        if series is None:
            params = self._params
            sd_e8 = 0 if source in EXACT else params.proxy_sd_e8.get(f"{source}/{asset}")
            stale_after_ns = params.pair_stale_after_ns if source == CONSENSUS else params.stale_after_ns
            series = self.series[source] = Series(source, sd_e8 or 0, params.prints_kept, stale_after_ns)
            if sd_e8 is not None:
                insort(self._ranked, (_rank(source), source, series))
        return series


def _rank(source: str) -> int:
    return _ORDER.index(source) if source in _ORDER else len(_ORDER)
