"""One market as the exchange keeps it: contract, status, book, statistics; and the index it settles on."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from fairstrike.core.contract import Contract, Window, rounded_sum, window_prints
from fairstrike.core.events import Level
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.order import Side
from fairstrike.core.timing import HOUR_NS, MILLISECOND_NS, MINUTE_NS, SECOND_NS, WINDOW_SECONDS
from fairstrike.exchange.happenings import IndexAverage
from fairstrike.exchange.matching import MatchingBook

FIFTHS = 5
QUARTER_HOUR_NS = 15 * MINUTE_NS
TICKER_SIDES = 2
"""The venue's ticker counts contracts on both sides of a match: its volume and open interest are twice the pairs.

REST does not. Source: in four captures of KXBTC15M of May 2026 the volume rose by twice the trade's size at all of the
267 tickers before which there was one trade; market objects of July 2026 have volumes that are no multiple of two.
"""
_QUARTER_HOUR_SECONDS = 900
_CENT_DIGITS = 2
_PRINTS_KEPT = 6 * 3_600


class MarketStatus(StrEnum):
    """The venue's market statuses that the box goes through."""

    INITIALIZED = "initialized"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    DETERMINED = "determined"
    FINALIZED = "finalized"


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    """One market as it stands.

    Prices are None when a side is empty or nothing traded. `value_ticks` is what a YES contract pays and
    `expiration_value_e8` the settlement mean to the cent, None until determined. `turnover_ud` is YES price
    × size summed over all trades. `is_trading` says whether orders are taken: an active market of an open shard.
    `schedule` is what fills pay now, `series_schedule` what they paid at the listing, before any override.
    """

    contract: Contract
    schedule: FeeSchedule
    series_schedule: FeeSchedule
    status: MarketStatus
    bid: Level | None
    ask: Level | None
    last_price_ticks: int | None
    last_size_cc: int
    volume_cc: int
    volume_24h_cc: int
    open_interest_cc: int
    turnover_ud: int
    listed_ns: int
    updated_ns: int
    value_ticks: int | None = None
    expiration_value_e8: int | None = None
    settled_ns: int | None = None
    is_trading: bool = True


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """From close to determined, and from determined to settled."""

    determination_ns: int
    settlement_ns: int


class FloorParams(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's switches. Source: the venue's behaviour where seen, its documented defaults elsewhere.

    `is_post_only_cross_accepted` chooses between refusing a crossing post-only order (400) and taking and
    cancelling it at once; `is_ioc_miss_refused` between taking an immediate order that meets nothing and
    refusing it (409). What is placed within `cancel_all_reach_ns` after a cancel-all is cancelled when that time
    is over; the venue warns of a minute. Accounts open with their money on `money_shard`, and net across the
    markets of an event from the start with `is_netting`. Trades, and markets without an order of a client, are kept for
    `settled_kept_ns` after their settlement.
    """

    quarter_hour: Delays = Delays(determination_ns=5 * SECOND_NS, settlement_ns=SECOND_NS)
    hourly: Delays = Delays(determination_ns=60 * SECOND_NS, settlement_ns=60 * SECOND_NS)
    strike_delay_ns: int = 700 * MILLISECOND_NS
    close_cancel_delay_ns: int = SECOND_NS
    window: Window = Window.BEFORE_CLOSE
    is_post_only_cross_accepted: bool = False
    is_ioc_miss_refused: bool = False
    cancel_all_reach_ns: int = 0
    money_shard: int = 2
    is_netting: bool = False
    settled_kept_ns: int = 6 * HOUR_NS


class Listing:
    """One market as it changes; the fields are `MarketView`'s."""

    def __init__(self, contract: Contract, schedule: FeeSchedule, volume_24h_cc: int, listed_ns: int) -> None:
        """List `contract`, not open yet, with the volume it is said to have had in the last day."""
        self.contract = contract
        self.schedule = self.series_schedule = schedule
        self.status = MarketStatus.INITIALIZED
        self.book = MatchingBook()
        self.last_price_ticks: int | None = None
        self.last_size_cc = 0
        self.volume_cc = 0
        self.earlier_volume_cc = volume_24h_cc
        self.turnover_ud = 0
        self.listed_ns = listed_ns
        self.updated_ns = listed_ns
        self.value_ticks: int | None = None
        self.expiration_value_e8: int | None = None
        self.fixed_result: tuple[int, int | None] | None = None
        self.settled_ns: int | None = None

    def note_trade(self, price_ticks: int, size_cc: int) -> None:
        """Count a match."""
        self.last_price_ticks = price_ticks
        self.last_size_cc = size_cc
        self.volume_cc += size_cc
        self.turnover_ud += price_ticks * size_cc

    def view(self, open_interest_cc: int, *, is_shard_open: bool = True) -> MarketView:
        """Give the market as it stands, as a value."""
        return MarketView(
            contract=self.contract,
            schedule=self.schedule,
            series_schedule=self.series_schedule,
            status=self.status,
            bid=self.book.best(Side.BID),
            ask=self.book.best(Side.ASK),
            last_price_ticks=self.last_price_ticks,
            last_size_cc=self.last_size_cc,
            volume_cc=self.volume_cc,
            volume_24h_cc=self.earlier_volume_cc + self.volume_cc,
            open_interest_cc=open_interest_cc,
            turnover_ud=self.turnover_ud,
            listed_ns=self.listed_ns,
            updated_ns=self.updated_ns,
            value_ticks=self.value_ticks,
            expiration_value_e8=self.expiration_value_e8,
            settled_ns=self.settled_ns,
            is_trading=is_shard_open and self.status is MarketStatus.ACTIVE,
        )


class IndexPrints:
    """The prints of one index by source second, those of the last six hours, and the means of them."""

    def __init__(self) -> None:
        """Start without prints."""
        self._prints: dict[int, int] = {}

    def add(self, second: int, value_e8: int) -> None:
        """Keep a print; seconds come in order, each once."""
        assert second not in self._prints, "an index has one print per second"
        self._prints[second] = value_e8
        if len(self._prints) > _PRINTS_KEPT:
            del self._prints[next(iter(self._prints))]

    @property
    def by_second(self) -> Mapping[int, int]:
        """The prints: epoch second -> value in `_e8`."""
        return self._prints

    def mean_e8(self, close_ns: int, window: Window, round_digits: int) -> int | None:
        """Give the rounded mean of a complete settlement window, None while prints are missing."""
        prints = window_prints(self._prints, close_ns, window)
        if len(prints) < WINDOW_SECONDS:
            return None
        return rounded_sum(sum(prints), round_digits) // WINDOW_SECONDS

    def cents_e8(self, close_ns: int, window: Window) -> int | None:
        """Give the settlement mean to the cent, as the venue publishes it, None while prints are missing."""
        return self.mean_e8(close_ns, window, _CENT_DIGITS)

    def last_minute(self, second: int) -> IndexAverage | None:
        """Give the mean of the prints of [second − 60, second). Source: the index channel's fields."""
        return self._average(second - WINDOW_SECONDS, second)

    def quarter_hour(self, second: int) -> IndexAverage | None:
        """Give the mean of (close − 60, second] in the minute before a quarter hour, else None."""
        to_close = -second % _QUARTER_HOUR_SECONDS
        if to_close >= WINDOW_SECONDS:
            return None
        return self._average(second + to_close - WINDOW_SECONDS + 1, second + 1)

    def _average(self, start: int, end: int) -> IndexAverage | None:
        known = [self._prints[second] for second in range(start, end) if second in self._prints]
        if not known:
            return None
        value_e8 = (2 * sum(known) + len(known)) // (2 * len(known))
        return IndexAverage(value_e8=value_e8, count=len(known), start_second=start, end_second=end)
