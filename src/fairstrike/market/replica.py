"""A replica of the real-time index, computed from the order books of its constituent venues.

Venues that are stale, empty on one side or crossed are left out, and so are those whose mid strays from the median
of all mids, until it has come half the way back. Where fewer than three are left no majority says which of two is
wrong, and their median is only their mean: while two contradict each other there is no value. The rest is merged into
one book whose levels are cut to a cap that the best fifty sizes of each side give. Along this book, at depths s, 2s,
3s…, ask(v) and bid(v) are the prices of the levels at which v is first reached, and mid(v) their middle. The index is
the mean of mid(v) up to the depth v_T at which ask(v) / mid(v) − 1 passes the deviation limit, with weights exp(−λv),
λ = 1 / (0.3 v_T).

ask(v) never falls and bid(v) never rises, so the deviation never falls and the first depth that passes the limit
ends the sum. Between two levels mid(v) stands still and the weights of its depths are a geometric series: with
q = exp(−λs) and T = v_T / s the first k depths weigh (1 − qᵏ) / (1 − qᵀ). So the work grows with the levels, not
with the fineness of the spacing.

Source: CF Benchmarks real-time index methodology v16.7, as far as it is published. The spacing is not: it is a
setting here, to be fitted against recorded values.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, takewhile

import msgspec

from fairstrike.core.bounds import Digits, Positive, Share
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import E8_PER_DOLLAR, PPM
from fairstrike.market.index import DIVERGENCE_PPM

SpotLevel = tuple[int, int]
"""A price in `_e8` and the size resting there, in 1/100 000 000 of a coin."""

_LAMBDA_SHARE = 0.3
_MAJORITY = 3
_POINTS_MAX = 1_000
_SAMPLES_MAX = 50
_SAMPLES_WITHIN = 0.05
_TRIMMED_SHARE = 0.01
_CAP_DEVIATIONS = 5.0


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One index. The defaults are those of Bitcoin.

    `spacing_e8`: the step of depth, in 1/100 000 000 of a coin; at most a thousand steps are taken. `deviation_max`
    ends the curve. A venue is left out beyond `error_max` of the median and taken back within half of it, and left
    out when its book was last confirmed `lag_max_ns` ago. `digits`: decimals of a dollar that the index is rounded
    to. `levels_max`: how many levels of each side of a venue are read; a hundred is what the shallowest of the
    venues publishes. `divergence_ppm_max`: how far two venues that are left alone may be apart, as a part of their
    mean; it is what Coinbase and Kraken may be in the consensus, as `error_max` would let twice its 5 % pass.
    `caps_merged`: whether the size cap acts on what all venues show at a price together, or on what each shows.
    """

    spacing_e8: Positive = E8_PER_DOLLAR
    deviation_max: Share = 0.005
    error_max: Share = 0.05
    lag_max_ns: Positive = 10 * SECOND_NS
    digits: Digits = 2
    levels_max: Positive = 100
    divergence_ppm_max: Positive = DIVERGENCE_PPM
    caps_merged: bool = False


class VenueBook(msgspec.Struct, frozen=True, kw_only=True):
    """One venue's levels, the best first on both sides, and how long ago they were last confirmed (ns)."""

    bids: Sequence[SpotLevel]
    asks: Sequence[SpotLevel]
    age_ns: int


class IndexValue(msgspec.Struct, frozen=True, kw_only=True):
    """The index now: its value, rounded and as computed (`_e8`), and how it came about.

    `used` are the venues in it. `cap_e8` and `depth_e8` (v_T) are sizes in 1/100 000 000 of a coin; `points` is v_T
    in steps.
    """

    value_e8: int
    exact_e8: float
    used: tuple[str, ...]
    cap_e8: int
    depth_e8: int
    points: int


class Replica:
    """The index of one asset. It remembers which venues strayed: `flagged`."""

    __slots__ = ("_params", "flagged")

    def __init__(self, params: Params) -> None:
        """Start with no venue flagged."""
        self._params = params
        self.flagged: frozenset[str] = frozenset()

    def compute(self, books: Mapping[str, VenueBook]) -> IndexValue | None:
        """Give the index of these books by venue, None when none can be used, or only two that disagree."""
        params = self._params
        used = self._screen({venue: book for venue, book in books.items() if _is_sound(book, params.lag_max_ns)})
        if not used or self._is_undecided([_double_mid(books[venue]) for venue in used]):
            return None
        bids = _merged([books[venue].bids for venue in used], params, is_bid=True)
        asks = _merged([books[venue].asks for venue in used], params, is_bid=False)
        cap_e8 = round(size_cap([*_samples(bids), *_samples(asks)]))
        curve = _curve(_capped(bids, cap_e8), _capped(asks, cap_e8), params)
        points = curve[-1][0]
        exact_e8 = _weighed(curve)
        unit = 10.0 ** (8 - params.digits)
        return IndexValue(
            value_e8=round(math.floor(exact_e8 / unit + 0.5) * unit),
            exact_e8=exact_e8,
            used=used,
            cap_e8=cap_e8,
            depth_e8=points * params.spacing_e8,
            points=points,
        )

    def _screen(self, books: Mapping[str, VenueBook]) -> tuple[str, ...]:
        """Flag the venues that stray, release those that are back; give the others in order of their names."""
        if not books:
            return ()
        mids = {venue: _double_mid(book) for venue, book in books.items()}
        ordered = sorted(mids.values())
        median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        flagged = set(self.flagged)
        for venue, mid in mids.items():
            stray = abs(mid / median - 1.0)
            if venue not in flagged and stray > self._params.error_max:
                flagged.add(venue)
            elif venue in flagged and stray < self._params.error_max / 2:
                flagged.remove(venue)
        self.flagged = frozenset(flagged)
        return tuple(sorted(books.keys() - flagged))

    def _is_undecided(self, double_mids: Sequence[int]) -> bool:
        """Whether mids, twice each, contradict each other and are too few for a majority."""
        least, most = min(double_mids), max(double_mids)
        return len(double_mids) < _MAJORITY and 2 * (most - least) * PPM > self._params.divergence_ppm_max * (
            most + least
        )


def size_cap(sizes: Sequence[float]) -> float:
    """Give the size cap: the trimmed mean plus five winsorised standard deviations, in the unit of `sizes`.

    One in a hundred is trimmed at each end; at least one size is needed.
    """
    ordered = sorted(sizes)
    count = len(ordered)
    cut = int(_TRIMMED_SHARE * count)
    kept = ordered[cut : count - cut]
    trimmed_mean = math.fsum(kept) / len(kept)
    if count == 1:
        return trimmed_mean
    winsorised = [kept[0]] * cut + kept + [kept[-1]] * cut
    mean = math.fsum(winsorised) / count
    variance = math.fsum((size - mean) ** 2 for size in winsorised) / (count - 1)
    return trimmed_mean + _CAP_DEVIATIONS * math.sqrt(variance)


def _double_mid(book: VenueBook) -> int:
    return book.bids[0][0] + book.asks[0][0]


def _is_sound(book: VenueBook, lag_max_ns: int) -> bool:
    return bool(book.age_ns < lag_max_ns and book.bids and book.asks and book.bids[0][0] < book.asks[0][0])


def _merged(sides: Sequence[Sequence[SpotLevel]], params: Params, *, is_bid: bool) -> list[SpotLevel]:
    """Give one side of all venues in one, the best first. Sizes at one price are added when caps are merged."""
    levels = [level for side in sides for level in side[: params.levels_max]]
    levels.sort(reverse=is_bid)
    if not params.caps_merged:
        return levels
    sizes: dict[int, int] = {}
    for price, size in levels:
        sizes[price] = sizes.get(price, 0) + size
    return list(sizes.items())


def _samples(levels: Sequence[SpotLevel]) -> list[int]:
    """Give the sizes of the best fifty levels whose price is within five per cent of the best."""
    best = levels[0][0]
    near = takewhile(lambda level: abs(level[0] - best) <= _SAMPLES_WITHIN * best, levels[:_SAMPLES_MAX])
    return [size for _, size in near]


def _capped(levels: Sequence[SpotLevel], cap_e8: int) -> list[SpotLevel]:
    """Give each level's price and all that rests up to there when no size counts beyond the cap."""
    depths = accumulate(size if size < cap_e8 else cap_e8 for _, size in levels)
    return [(level[0], depth) for level, depth in zip(levels, depths, strict=True)]


def _curve(bids: Sequence[SpotLevel], asks: Sequence[SpotLevel], params: Params) -> list[tuple[int, int]]:
    """Give the mid curve as steps: (last grid point of the step, bid + ask there), up to the utilised depth.

    `bids` and `asks` are prices with the depth up to there. The first grid point always counts: v_T is at least one
    spacing, however far the prices are apart there, and however little there is in the books.
    """
    spacing, limit = params.spacing_e8, 1.0 + params.deviation_max
    points_max = min(_POINTS_MAX, bids[-1][1] // spacing, asks[-1][1] // spacing)
    if points_max == 0:
        return [(1, bids[-1][0] + asks[-1][0])]
    curve: list[tuple[int, int]] = []
    next_bid, next_ask = iter(bids).__next__, iter(asks).__next__
    point = bid_depth = ask_depth = bid = ask = 0
    while point < points_max:
        depth = (point + 1) * spacing
        while bid_depth < depth:
            bid, bid_depth = next_bid()
        while ask_depth < depth:
            ask, ask_depth = next_ask()
        total = bid + ask
        if 2 * ask > limit * total:
            return curve or [(1, total)]
        point = min(points_max, (bid_depth if bid_depth < ask_depth else ask_depth) // spacing)
        curve.append((point, total))
    return curve


def _weighed(curve: Sequence[tuple[int, int]]) -> float:
    """Give the mean of a mid curve under the weights that fall with depth."""
    points = curve[-1][0]
    rate = -1.0 / (_LAMBDA_SHARE * points)
    index, before = 0.0, 0.0
    for point, total in curve:
        until = math.expm1(rate * point)
        index += (until - before) * total
        before = until
    return index / before / 2
