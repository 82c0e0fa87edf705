"""The calibrated world: 15-minute markets one after the other, each with a flow like the venue's, and hourly ladders.

Every quarter of an hour a market opens, gets its strike from the minute before, and trades until the next. Fair value
follows the path of the index ten times a second; its makers and takers are `flow.py`'s, whose figures are held against
recorded streams. Hourly ladders have no recorded stream to be held against: theirs are the demonstration's makers and
noise takers, two to five cents wide.

The same seed, parameters and client acts at the same instants give the same happenings. It has no end.
"""

from collections.abc import Callable

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.contract import Contract, window_seconds
from fairstrike.core.errors import ConfigError
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import HOUR_NS, MILLISECOND_NS, MINUTE_NS, SECOND_NS, WINDOW_SECONDS
from fairstrike.core.units import CC_PER_CONTRACT, E8_PER_DOLLAR, TICKS_PER_DOLLAR
from fairstrike.exchange.floor import Floor, FloorParams, MarketStatus
from fairstrike.exchange.flow import FLOW_MAKER, FLOW_TAKER, Flow, FlowParams
from fairstrike.exchange.liquidity import (
    MAKERS,
    TAKER,
    Agenda,
    BackgroundMaker,
    FairBoard,
    LiquidityParams,
    NoiseTakers,
    Plant,
)
from fairstrike.exchange.weather import STEP_NS, Weather, WeatherParams, vol_at
from fairstrike.exchange.worlds import WorldParams, ladder, quarter_hour
from fairstrike.pricing.settlement import (
    PayoffInterval,
    SettlementInputs,
    SettlementLaw,
    payoff_interval,
    probability_within,
    settlement_law,
)

QUARTER_NS = 15 * MINUTE_NS
_LEAD_NS = 2 * MINUTE_NS
_HOUSE_BALANCE_UD = 10**18
_STREAM_WEATHER, _STREAM_NOISE, _STREAM_FLOW, _STREAM_MAKER = 1, 2, 1_000_000, 2_000_000


class CalibratedParams(msgspec.Struct, frozen=True, kw_only=True):
    """What the calibrated world is made of. `hourly` names asset and ladder; its gifts and volatility are not used.

    Makers price with the true volatility times `vol_premium`, and as people who know the index but for an error of
    `index_sd_dollars`; both are assumed, and keep prices off 0 and 1 in the last minutes as real ones are.
    """

    weather: WeatherParams = WeatherParams()
    flow: FlowParams = FlowParams()
    hourly: WorldParams = WorldParams()
    hourly_liquidity: LiquidityParams = LiquidityParams()
    has_ladders: bool = True
    vol_premium: float = 1.15
    index_sd_dollars: float = 4.0
    floor: FloorParams = FloorParams()


class CalibratedWorld:
    """A floor with markets, an index and everybody else, told the time by `advance`."""

    def __init__(self, *, seed: int, start_ns: int, params: CalibratedParams | None = None) -> None:
        """Begin at `start_ns`, a whole second; the first market opens at the next quarter hour two minutes later.

        A ladder closes two minutes later at the earliest too: no market needs a print from before the world.

        Raises `ConfigError` for another instant.
        """
        if start_ns % SECOND_NS:
            raise ConfigError("a world starts at a whole second")
        self.params = params or CalibratedParams()
        self.seed = seed
        self.start_ns = start_ns
        self.plants: tuple[Plant, ...] = ()
        self.floor = Floor(params=self.params.floor, now_ns=start_ns)
        self.weather = Weather(Dice(seed, _STREAM_WEATHER), self.params.weather, start_ns // SECOND_NS)
        self._agenda = Agenda()
        self._board = FairBoard()
        self._flows: dict[str, Flow] = {}
        self._makers: dict[str, BackgroundMaker] = {}
        self._intervals: dict[str, PayoffInterval] = {}
        for name in (*MAKERS, TAKER, FLOW_MAKER, FLOW_TAKER):
            self.floor.open_account(name, key_id=name, balance_ud=_HOUSE_BALANCE_UD, is_house=True)
        self._takers = NoiseTakers(self.floor, self._board, Dice(seed, _STREAM_NOISE), self.params.hourly_liquidity)
        first_open_ns = -(-(start_ns + _LEAD_NS) // QUARTER_NS) * QUARTER_NS
        self.close_ns = first_open_ns + QUARTER_NS
        self._list_quarter(first_open_ns, start_ns)
        self._agenda.arrange(start_ns, self._tick)
        self._agenda.arrange(start_ns, self._print)
        if self.params.has_ladders:
            self._list_ladder(start_ns)
            self._agenda.arrange(start_ns + self._takers.wait_ns(), self._noise)

    def advance(self, now_ns: int) -> None:
        """Let the world run up to `now_ns`. Call it before every act of a client at that instant."""
        self._agenda.run(now_ns)
        self.floor.advance(now_ns)

    def next_due_ns(self) -> int:
        """Give the next instant at which something happens unasked: between two of them the world stands still."""
        dues = (self._agenda.next_due_ns(), self.floor.next_due_ns())
        return min(due for due in dues if due is not None)

    # Markets

    def _list_quarter(self, open_ns: int, now_ns: int) -> None:
        """List the market that opens at `open_ns`, and see to the one after it when this one opens."""
        contract = quarter_hour(open_ns + QUARTER_NS, self.params.hourly)
        # Made anew where they are wanted; those of markets that are over are not.
        self._intervals.clear()
        self.floor.list_market(contract, FeeSchedule(), 0, now_ns)
        dice = Dice(self.seed, _STREAM_FLOW + open_ns // QUARTER_NS)
        flow = Flow(self.floor, contract, dice, self.params.flow)
        begin_ns = open_ns + self.params.floor.strike_delay_ns + 50 * MILLISECOND_NS

        def begin(now_ns: int) -> None:
            self.floor.advance(now_ns)
            self._flows[contract.ticker] = flow
            self._value(contract.ticker, now_ns)
            flow.begin(now_ns)
            self._agenda.arrange(now_ns + flow.wait_ns(), act)

        def act(now_ns: int) -> None:
            if now_ns < contract.close_ns:
                flow.act(now_ns)
                self._agenda.arrange(now_ns + flow.wait_ns(), act)
            else:
                del self._flows[contract.ticker]

        def follow(now_ns: int) -> None:
            self._list_quarter(open_ns + QUARTER_NS, now_ns)

        self._agenda.arrange(begin_ns, begin)
        self._agenda.arrange(open_ns, follow)

    def _list_ladder(self, now_ns: int) -> None:
        """List the thresholds of the next full hour whose last minute is to come, and when it is over the one after."""
        close_ns = ((now_ns + _LEAD_NS) // HOUR_NS + 1) * HOUR_NS
        start_e8 = self.weather.print_e8(now_ns // SECOND_NS)
        self._makers.clear()
        for contract in ladder(start_e8, close_ns, self.params.hourly):
            away = abs((contract.floor_e8 or start_e8) - start_e8) // (100 * E8_PER_DOLLAR)
            self.floor.list_market(contract, FeeSchedule(), 60_000 // (1 + away) * CC_PER_CONTRACT, now_ns)
            dice = Dice(self.seed, _STREAM_MAKER + close_ns // HOUR_NS * 1_000 + len(self._makers))
            liquidity = self.params.hourly_liquidity
            self._makers[contract.ticker] = BackgroundMaker(self.floor, contract, dice, liquidity)
        self._agenda.arrange(close_ns, self._list_ladder)

    # Time

    def _print(self, now_ns: int) -> None:
        """Publish the second's print, and have the ladder's makers follow."""
        self._agenda.arrange(now_ns + SECOND_NS, self._print)
        second = now_ns // SECOND_NS
        fifths_e8 = self.weather.fifths_e8(second)
        self.floor.publish_index(self.params.hourly.asset, second, fifths_e8[0], now_ns, fifths_e8=fifths_e8)
        self._board.ticks.clear()
        for ticker, maker in self._makers.items():
            p_yes = self._probability(ticker, now_ns)
            if p_yes is None:
                continue
            fair_ticks = self._board.ticks[ticker] = int(p_yes * TICKS_PER_DOLLAR)
            if maker.is_due(fair_ticks, now_ns):
                self._agenda.arrange(now_ns + maker.delay_ns(), self._follow(ticker, maker))

    def _tick(self, now_ns: int) -> None:
        self.floor.advance(now_ns)
        self._agenda.arrange(now_ns + STEP_NS, self._tick)
        for ticker in self._flows:
            self._value(ticker, now_ns)

    def _value(self, ticker: str, now_ns: int) -> None:
        p_yes = self._probability(ticker, now_ns)
        self._flows[ticker].fair_ticks = None if p_yes is None else p_yes * TICKS_PER_DOLLAR

    def _follow(self, ticker: str, maker: BackgroundMaker) -> Callable[[int], None]:
        def requote(now_ns: int) -> None:
            if ticker in self._board.ticks:
                maker.requote(self._board.ticks[ticker], now_ns)

        return requote

    def _noise(self, now_ns: int) -> None:
        self._takers.arrive(now_ns)
        self._agenda.arrange(now_ns + self._takers.wait_ns(), self._noise)

    # Value

    def _probability(self, ticker: str, now_ns: int) -> float | None:
        """Give what a YES contract of an open, struck market is worth in dollars, None for any other."""
        market = self.floor.market(ticker)
        assert market is not None, "the world's markets are listed"
        contract = market.contract
        if market.status is not MarketStatus.ACTIVE or not contract.is_struck or now_ns >= contract.close_ns:
            return None
        if ticker not in self._intervals:
            self._intervals[ticker] = payoff_interval(contract)
        return probability_within(self._law(contract, now_ns), self._intervals[ticker])

    def _law(self, contract: Contract, now_ns: int) -> SettlementLaw:
        window = window_seconds(contract.close_ns, self.params.floor.window)
        seen = range(window.start, max(min(now_ns // SECOND_NS + 1, window.stop), window.start))
        next_ns = max(window.start, seen.stop) * SECOND_NS
        prints = self.floor.prints(self.params.hourly.asset)
        return settlement_law(
            SettlementInputs(
                spot=self.weather.value_at(now_ns),
                vol_annual=vol_at(self.params.weather, now_ns // SECOND_NS) * self.params.vol_premium,
                first_s=max(next_ns - now_ns, 0) / SECOND_NS,
                left=WINDOW_SECONDS - len(seen),
                seen_sum=sum(prints[second] for second in seen) / E8_PER_DOLLAR,
                sd_dollars=self.params.index_sd_dollars,
            )
        )
