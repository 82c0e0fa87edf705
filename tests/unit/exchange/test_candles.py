"""Candles are what a plain look at every instant would have written down."""

from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.order import Side
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange.candles import Candle, Candles, Ohlc
from fairstrike.exchange.floor import Floor
from tests.unit.exchange.floor_samples import ASK, BID, CLOSE_NS, GTC, IOC, OPEN_NS, TICKER, open_floor, wish

OPEN_SECOND, CLOSE_SECOND = OPEN_NS // SECOND_NS, CLOSE_NS // SECOND_NS


class Recorded:
    """A floor whose happenings are written down after every act."""

    def __init__(self) -> None:
        self.floor: Floor = open_floor("maker", "taker")
        self.candles = Candles(self.floor)

    def act(
        self, second: float, account: str, side: Side, price_ticks: int, size_cc: int, *, is_ioc: bool = False
    ) -> None:
        request = wish(side, price_ticks, size_cc, tif=IOC if is_ioc else GTC)
        self.floor.place(account, request, OPEN_NS + int(second * SECOND_NS))
        self.candles.take(self.floor.drain())

    def all(self, period_s: int = 60) -> tuple[Candle, ...]:
        return self.candles.between(TICKER, 0, CLOSE_SECOND + 3_600, period_s)


def flat(price_ticks: int) -> Ohlc:
    return Ohlc(open=price_ticks, low=price_ticks, high=price_ticks, close=price_ticks)


def test_a_minute_holds_its_end_and_not_its_beginning() -> None:
    made = Recorded()
    made.act(60, "maker", BID, 4_000, 100)
    made.act(60.001, "maker", BID, 4_100, 100)
    made.act(300, "maker", BID, 4_050, 100)
    first, second = made.all()
    assert (first.end_second, second.end_second) == (OPEN_SECOND + 60, OPEN_SECOND + 120)
    assert first.bid == Ohlc(open=0, low=0, high=4_000, close=4_000)
    assert second.bid == Ohlc(open=4_000, low=4_000, high=4_100, close=4_100)
    assert (second.ask, second.price, second.volume_cc) == (flat(10_000), None, 0)


def test_trades_give_price_volume_mean_and_open_interest() -> None:
    made = Recorded()
    made.act(1, "maker", ASK, 5_000, 100)
    made.act(2, "maker", ASK, 5_200, 300)
    made.act(3, "taker", BID, 5_200, 200, is_ioc=True)
    made.act(70, "taker", BID, 5_200, 100, is_ioc=True)
    first, second = made.all()
    assert first.price == Ohlc(open=5_000, low=5_000, high=5_200, close=5_200)
    assert (first.volume_cc, first.mean_ticks, first.open_interest_cc) == (200, 5_100, 200)
    assert (first.previous_ticks, second.previous_ticks, second.open_interest_cc) == (None, 5_200, 300)
    (hour,) = made.all(3_600)
    assert hour.end_second == OPEN_SECOND + 3_600
    assert (hour.volume_cc, hour.turnover_ud, hour.open_interest_cc) == (300, 100 * 5_000 + 200 * 5_200, 300)
    assert made.candles.last_before(TICKER, OPEN_SECOND + 120, 60) == first
    assert made.candles.last_before(TICKER, OPEN_SECOND + 60, 60) is None


def test_taking_away_and_putting_back_at_one_instant_is_no_move() -> None:
    made = Recorded()
    made.act(1, "maker", BID, 4_000, 100)
    now_ns = OPEN_NS + 90 * SECOND_NS
    made.floor.cancel_all("maker", now_ns)
    made.floor.place("maker", wish(BID, 4_000, 500), now_ns)
    made.candles.take(made.floor.drain())
    assert [each.end_second for each in made.all()] == [OPEN_SECOND + 60]


ACTS = st.tuples(
    st.integers(0, 4_000), st.sampled_from(["maker", "taker"]), st.sampled_from(list(Side)), st.integers(45, 55)
)


@given(st.lists(ACTS, max_size=40), st.sampled_from([60, 300, 3_600]))
def test_candles_are_a_plain_look_at_every_instant(acts: list[tuple[int, str, Side, int]], period_s: int) -> None:
    made = Recorded()
    # What a plain observer sees after each act: second, best bid, best ask; and every trade.
    seen: dict[int, tuple[int, int]] = {}
    now_s = 0
    for wait_ds, account, side, cents in acts:
        now_s += wait_ds // 100 + 1
        made.act(now_s, account, side, 100 * cents, 100)
        bids, asks = made.floor.levels(TICKER, BID), made.floor.levels(TICKER, ASK)
        seen[OPEN_SECOND + now_s] = (bids[0][0] if bids else 0, asks[0][0] if asks else 10_000)
    before = (0, 10_000)
    candles = {each.end_second: each for each in made.all(period_s)}
    trades = made.floor.trades(TICKER)
    for end in range(OPEN_SECOND, OPEN_SECOND + now_s + period_s, period_s):
        inside = [quote for second, quote in seen.items() if end - period_s < second <= end]
        traded = [each for each in trades if end - period_s < each.instant_ns // SECOND_NS <= end]
        if not traded and all(quote == before for quote in inside):
            assert end not in candles
            continue
        candle, quotes = candles.pop(end), [before, *inside]
        for ranged, column in ((candle.bid, 0), (candle.ask, 1)):
            values = [quote[column] for quote in quotes]
            assert ranged == Ohlc(open=values[0], low=min(values), high=max(values), close=values[-1])
        assert candle.volume_cc == sum(each.size_cc for each in traded)
        assert (candle.price is None) == (not traded)
        before = quotes[-1]
    assert not candles
