"""Plain words for what the statistics' tables name, for readers who did not write them: a word, and what it means."""

Words = tuple[tuple[str, str], ...]
_SERIES_NAMED_MAX = 4

FLOW: Words = (
    ("delta", "one change of the size at one price of a book; an add makes it larger, a cut smaller"),
    (
        "venue millisecond",
        "the venue stamps each change by its own clock, to the millisecond; changes with one stamp are parts of one "
        "event, such as a trade that takes several prices",
    ),
    (
        "receive minus venue time",
        "the recorder's clock at receipt less the venue's stamp: two clocks, and the recorder's may be off; below zero "
        "it was behind by more than the way took",
    ),
    ("blank", "this figure is not measured; – is measured, but nothing of it was seen"),
)
DISTANCES: Words = (
    ("improves", "the add made a new best price of its side; the others joined so far behind the best"),
)
BOOK: Words = (
    ("spread", "best ask less best bid; for 10, 50 and 90 % of the time it was at most so wide"),
    ("size at best", "contracts at the best price, the mean of both sides; half of the time it was at most so large"),
    ("by update", "the same, but each venue millisecond with a change counts once, however long the book stood so"),
    ("levels", "prices at which something rests"),
)
ACTIVITY: Words = (
    ("best changes/s", "how often a best price changed, a second of two-sided book"),
    ("lasting beyond its ms", "those that still stood when the next venue millisecond began"),
    ("contracts/s", "by the volumes tickers show, which count each contract for its buyer and for its seller"),
    ("while trading", "contracts a second of only the time between tickers that showed a trade"),
)
CAPTURES: Words = (
    ("capture", "all books of one event, polled at one moment"),
    (
        "partition",
        "markets of which exactly one pays 1 dollar; bids that add up to more than 1, or asks that add up to less, "
        "would be a sure gain before fees. A market without a bid adds nothing. In brackets: how many captures",
    ),
)
SPREADS: Words = (("p10, p50, p90", "10, 50 and 90 % of the books were at most so wide; each poll counts once"),)
MARKETS: Words = (
    ("gaps", "the stream's numbers jumped: frames are missing"),
    ("frozen", "the venue's ticker showed other best prices than a book that had not moved for 2 seconds"),
    ("impossible", "a change the book could not take, such as a size below zero"),
    ("overflow", "more changes came before a market's first whole book than are kept for it"),
    ("in the figures", "a market with one of these faults is left out of every figure above"),
)
SPELLS: Words = (
    (
        "locked spell",
        "changes after which the best bid stood on the best ask, until one that parted them; crossed: above it. "
        "A match comes as several changes, so both are seen within a venue millisecond; outlasting it is a fault",
    ),
)


def pooled(series: tuple[str, ...]) -> Words:
    """Say that markets of several series stand in one table; nothing when there is one."""
    if len(series) < 2:
        return ()
    named = ", ".join(series[:_SERIES_NAMED_MAX])
    more = f" and {len(series) - _SERIES_NAMED_MAX} more" if len(series) > _SERIES_NAMED_MAX else ""
    meaning = f"this table mixes markets of {len(series)} series ({named}{more}); measure each alone to compare them"
    return (("pooled", meaning),)
