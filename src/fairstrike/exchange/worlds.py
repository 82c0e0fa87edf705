"""A generated world: one hour of Bitcoin markets with an index, liquidity and gifts, from a seed.

The index is a geometric Brownian motion, one print a venue second, rounded to cents. An hourly ladder of
thresholds and one 15-minute market close together at a full hour; the world starts eighteen minutes before.
The index path, and with it the plan of gifts, is drawn before anything happens and does not depend on
clients; a path that offers too few instants for gifts is drawn again. The same seed, parameters and client
acts at the same instants give the same happenings.
"""

import math
from collections.abc import Callable, Sequence

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.contract import TAPERED_GRID, Comparison, Contract, window_seconds
from fairstrike.core.errors import ConfigError
from fairstrike.core.fees import FeeSchedule
from fairstrike.core.timing import (
    HOUR_NS,
    MILLISECOND_NS,
    MINUTE_NS,
    SECOND_NS,
    WINDOW_SECONDS,
    new_york,
    parse_rfc3339_ns,
)
from fairstrike.core.units import CC_PER_CONTRACT, E8_PER_DOLLAR, TICKS_PER_DOLLAR
from fairstrike.exchange.floor import Floor, FloorParams, MarketStatus
from fairstrike.exchange.liquidity import (
    CENT_TICKS,
    GIVER,
    MAKERS,
    TAKER,
    Agenda,
    BackgroundMaker,
    FairBoard,
    Giver,
    LiquidityParams,
    NoiseTakers,
    Plant,
)
from fairstrike.exchange.listings import FIFTHS
from fairstrike.pricing.digital import SECONDS_PER_YEAR
from fairstrike.pricing.settlement import (
    PayoffInterval,
    SettlementInputs,
    SettlementLaw,
    payoff_interval,
    probability_within,
    settlement_law,
)
from fairstrike.venue.kalshi.wire.wording import named_time

START_NS = parse_rfc3339_ns("2026-11-21T21:42:00Z")
LEAD_NS = 18 * MINUTE_NS
PLANTS_MIN = 3
_CENT_E8 = E8_PER_DOLLAR // 100
_HOUSE_BALANCE_UD = 10**15
_PATHS_MAX = 1_000
# Streams of chance; the path's attempts and the makers of each market count up from theirs.
_STREAM_LISTING, _STREAM_NOISE, _STREAM_GIFTS, _STREAM_SELLING = 1, 2, 3, 4
_STREAM_PATH, _STREAM_MAKER = 1_000, 10_000


class WorldParams(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of world. `vol_annual` is a fraction a year; the first print lies within
    `level_spread_dollars` of `level_dollars`."""

    asset: str = "BTC"
    vol_annual: float = 0.35
    level_dollars: int = 80_000
    level_spread_dollars: int = 500
    strikes: int = 40
    strike_step_dollars: int = 25
    exchange_index: int = 2
    gifts: int = 4
    gift_size_cc: int = 40 * CC_PER_CONTRACT
    gift_ns: int = 90 * SECOND_NS
    liquidity: LiquidityParams = LiquidityParams()
    floor: FloorParams = FloorParams()


class IndexPath:
    """The index, print by print: drawn once, as far as it is asked for."""

    def __init__(self, dice: Dice, params: WorldParams, first_second: int) -> None:
        """Start the path at epoch second `first_second`."""
        self._dice = dice
        self._first_second = first_second
        self._step_sd = params.vol_annual / math.sqrt(SECONDS_PER_YEAR)
        spread = params.level_spread_dollars
        self._value = params.level_dollars + spread * (2.0 * dice.uniform() - 1.0)
        self._prints = [self._rounded()]

    def print_e8(self, second: int) -> int:
        """Give the print of `second`, which must not lie before the first."""
        assert second >= self._first_second, "the path starts at its first second"
        while len(self._prints) <= second - self._first_second:
            step = self._step_sd * self._dice.normal() - self._step_sd * self._step_sd / 2.0
            self._value *= math.exp(step)
            self._prints.append(self._rounded())
        return self._prints[second - self._first_second]

    def fifths_e8(self, second: int) -> tuple[int, ...]:
        """Give the five values of `second`, the print first: a bridge of the same volatility to the next print.

        They have chance of their own, a stream for each second, so the prints are what they are without them.
        """
        dice = Dice(self._dice.seed, second)
        values = [self.print_e8(second)]
        end_e8, sd_e8 = self.print_e8(second + 1), self._step_sd * values[0] / math.sqrt(FIFTHS)
        for left in range(FIFTHS, 1, -1):
            drift_e8 = (end_e8 - values[-1]) / left
            move_e8 = drift_e8 + sd_e8 * math.sqrt((left - 1) / left) * dice.normal()
            values.append(values[-1] + round(move_e8 / _CENT_E8) * _CENT_E8)
        return tuple(values)

    def _rounded(self) -> int:
        return int(self._value * 100.0 + 0.5) * _CENT_E8


class World:
    """A floor with markets, an index and everybody else, told the time by `advance`."""

    def __init__(self, *, seed: int, start_ns: int = START_NS, params: WorldParams | None = None) -> None:
        """Make the world of `seed` at venue instant `start_ns`; its markets close eighteen minutes later.

        Raises `ConfigError` unless that is a full hour: start at eighteen minutes to one.
        """
        if (start_ns + LEAD_NS) % HOUR_NS:
            raise ConfigError("a world starts eighteen minutes before a full hour, to the nanosecond")
        self.params = params or WorldParams()
        self.seed = seed
        self.start_ns = start_ns
        self.close_ns = start_ns + LEAD_NS
        self.floor = Floor(params=self.params.floor, now_ns=start_ns)
        self._path, self.plants = self._draw_path()
        self._agenda = Agenda()
        self._board = FairBoard()
        self._intervals: dict[str, PayoffInterval] = {}
        self._makers: dict[str, BackgroundMaker] = {}
        liquidity = self.params.liquidity
        for name in (*MAKERS, TAKER, GIVER):
            self.floor.open_account(name, key_id=name, balance_ud=_HOUSE_BALANCE_UD, is_house=True)
        self._list_markets(liquidity)
        self._takers = NoiseTakers(self.floor, self._board, Dice(seed, _STREAM_NOISE), liquidity)
        self._agenda.arrange(start_ns, self._tick)
        self._agenda.arrange(start_ns + self._takers.wait_ns(), self._noise)
        giver = Giver(self.floor, self._agenda, Dice(seed, _STREAM_SELLING), self._takers)
        for plant in self.plants:
            giver.arrange(plant, self._makers[plant.ticker], self._board, liquidity.factor)

    def advance(self, now_ns: int) -> None:
        """Let the world run up to `now_ns`. Call it before every act of a client at that instant."""
        self._agenda.run(now_ns)
        self.floor.advance(now_ns)

    def next_due_ns(self) -> int:
        """Give the next instant at which something happens unasked: between two of them the world stands still."""
        dues = (self._agenda.next_due_ns(), self.floor.next_due_ns())
        return min(due for due in dues if due is not None)

    def _draw_path(self) -> tuple[IndexPath, tuple[Plant, ...]]:
        wanted = min(PLANTS_MIN, self.params.gifts)
        for attempt in range(_PATHS_MAX):
            dice = Dice(self.seed, _STREAM_PATH + attempt)
            path = IndexPath(dice, self.params, self.start_ns // SECOND_NS)
            plants = plan_gifts(path, self.start_ns, self.params, Dice(self.seed, _STREAM_GIFTS))
            if len(plants) >= wanted:
                return path, plants
        raise ConfigError("no index path offers room for the gifts; widen the ladder or ask for fewer gifts")

    def _list_markets(self, liquidity: LiquidityParams) -> None:
        dice = Dice(self.seed, _STREAM_LISTING)
        start_e8 = self._path.print_e8(self.start_ns // SECOND_NS)
        contracts = (*ladder(start_e8, self.close_ns, self.params), quarter_hour(self.close_ns, self.params))
        for number, contract in enumerate(contracts):
            away = abs((contract.floor_e8 or start_e8) - start_e8) // (100 * E8_PER_DOLLAR)
            volume = 10_000 + dice.below(5_000) + dice.below(60_000) // (1 + away)
            self.floor.list_market(contract, FeeSchedule(), volume * CC_PER_CONTRACT, self.start_ns)
            maker_dice = Dice(self.seed, _STREAM_MAKER + number)
            self._makers[contract.ticker] = BackgroundMaker(self.floor, contract, maker_dice, liquidity)

    def _tick(self, now_ns: int) -> None:
        """Publish the second's print, value every market, have the makers follow."""
        second = now_ns // SECOND_NS
        self._agenda.arrange(now_ns + SECOND_NS, self._tick)
        fifths_e8 = self._path.fifths_e8(second)
        self.floor.publish_index(self.params.asset, second, fifths_e8[0], now_ns, fifths_e8=fifths_e8)
        self._board.ticks.clear()
        if now_ns >= self.close_ns:
            return
        law = law_at(self._path, second, self.close_ns, self.params)
        for ticker, maker in self._makers.items():
            interval = self._interval(ticker)
            if interval is None:
                continue
            fair_ticks = _ticks(probability_within(law, interval))
            self._board.ticks[ticker] = fair_ticks
            if maker.is_due(fair_ticks, now_ns):
                self._agenda.arrange(now_ns + maker.delay_ns(), self._follow(ticker, maker))

    def _follow(self, ticker: str, maker: BackgroundMaker) -> Callable[[int], None]:
        def requote(now_ns: int) -> None:
            maker.requote(self._board.ticks[ticker], now_ns)

        return requote

    def _interval(self, ticker: str) -> PayoffInterval | None:
        """Give what an open, struck market pays for; strikes never change once published."""
        known = self._intervals.get(ticker)
        if known is not None:
            return known
        market = self.floor.market(ticker)
        assert market is not None, "the world's markets are listed"
        if market.status is not MarketStatus.ACTIVE or not market.contract.is_struck:
            return None
        self._intervals[ticker] = payoff_interval(market.contract)
        return self._intervals[ticker]

    def _noise(self, now_ns: int) -> None:
        if now_ns < self.close_ns:
            self._takers.arrive(now_ns)
            self._agenda.arrange(now_ns + self._takers.wait_ns(), self._noise)


def ladder(start_e8: int, close_ns: int, params: WorldParams) -> tuple[Contract, ...]:
    """Give the hourly thresholds around `start_e8`, lowest first: "above" strikes that end in .99."""
    event = f"KX{params.asset}D-{named_time(close_ns, with_minutes=False)}"
    step = params.strike_step_dollars
    centre = round(start_e8 / E8_PER_DOLLAR / step) * step
    lowest = centre - params.strikes // 2 * step
    return tuple(
        Contract(
            ticker=f"{event}-T{dollars - 1}.99",
            event_ticker=event,
            series=f"KX{params.asset}D",
            asset=params.asset,
            comparison=Comparison.ABOVE,
            open_ns=close_ns - HOUR_NS,
            close_ns=close_ns,
            floor_e8=dollars * E8_PER_DOLLAR - _CENT_E8,
            exchange_index=params.exchange_index,
        )
        for dollars in range(lowest, lowest + params.strikes * step, step)
    )


def quarter_hour(close_ns: int, params: WorldParams) -> Contract:
    """Give the 15-minute market that closes at `close_ns`, its strike not yet published."""
    event = f"KX{params.asset}15M-{named_time(close_ns, with_minutes=True)}"
    return Contract(
        ticker=f"{event}-{new_york(close_ns):%M}",
        event_ticker=event,
        series=f"KX{params.asset}15M",
        asset=params.asset,
        comparison=Comparison.AT_LEAST,
        open_ns=close_ns - 15 * MINUTE_NS,
        close_ns=close_ns,
        round_digits=2,
        grid=TAPERED_GRID,
        exchange_index=params.exchange_index,
    )


def law_at(path: IndexPath, second: int, close_ns: int, params: WorldParams) -> SettlementLaw:
    """Give the law of the settlement mean right after the print of `second`, which lies before the close."""
    window = window_seconds(close_ns, params.floor.window)
    seen = range(window.start, min(second + 1, window.stop))
    return settlement_law(
        SettlementInputs(
            spot=path.print_e8(second) / E8_PER_DOLLAR,
            vol_annual=params.vol_annual,
            first_s=float(max(window.start - second, 1)),
            left=WINDOW_SECONDS - len(seen),
            seen_sum=sum(path.print_e8(each) for each in seen) / E8_PER_DOLLAR,
        )
    )


def plan_gifts(path: IndexPath, start_ns: int, params: WorldParams, dice: Dice) -> tuple[Plant, ...]:
    """Give the gifts of a path: from 15 to 5 minutes before the close, one after the other.

    Each is due at a drawn second and waits for the next second at which a strike is worth 0.95 to 0.97.
    """
    close_ns = start_ns + LEAD_NS
    contracts = ladder(path.print_e8(start_ns // SECOND_NS), close_ns, params)
    first, last = (close_ns - 15 * MINUTE_NS) // SECOND_NS, (close_ns - 5 * MINUTE_NS) // SECOND_NS
    slot = (last - first) // max(params.gifts, 1)
    plants: list[Plant] = []
    free = first
    for number in range(params.gifts):
        due = max(first + number * slot + dice.below(max(slot // 3, 1)), free)
        for second in range(due, last + 1):
            law = law_at(path, second, close_ns, params)
            plant = _gift_at(second, law, contracts, params, dice)
            if plant is not None:
                plants.append(plant)
                free = plant.end_ns // SECOND_NS + 5
                break
    return tuple(plants)


def _gift_at(
    second: int, law: SettlementLaw, contracts: Sequence[Contract], params: WorldParams, dice: Dice
) -> Plant | None:
    fairs = [(each.ticker, _ticks(probability_within(law, payoff_interval(each)))) for each in contracts]
    fitting = [(ticker, ticks) for ticker, ticks in fairs if 95 * CENT_TICKS <= ticks <= 97 * CENT_TICKS]
    if not fitting:
        return None
    ticker, fair_ticks = fitting[dice.below(len(fitting))]
    start_ns = second * SECOND_NS + 50 * MILLISECOND_NS
    discount_cents = dice.between(5, 7)
    return Plant(
        ticker=ticker,
        start_ns=start_ns,
        end_ns=start_ns + params.gift_ns,
        ask_ticks=fair_ticks // CENT_TICKS * CENT_TICKS - discount_cents * CENT_TICKS,
        size_cc=params.gift_size_cc,
        fair_ticks=fair_ticks,
    )


def _ticks(p: float) -> int:
    return int(p * TICKS_PER_DOLLAR)
