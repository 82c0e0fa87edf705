"""Broken frames against the spot protocols and their prices: values, never an exception, events fit for the journal."""

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.timing import SECOND_NS
from fairstrike.market.index import INDICES
from fairstrike.venue.spot.binance import Binance
from fairstrike.venue.spot.bitstamp import Bitstamp
from fairstrike.venue.spot.cfbenchmarks import CfBenchmarks
from fairstrike.venue.spot.coinbase import Coinbase
from fairstrike.venue.spot.gemini import Gemini
from fairstrike.venue.spot.kraken import Kraken
from fairstrike.venue.spot.prices import Params, Prices
from fairstrike.venue.spot.values import Unreadable, Venue
from tests.fuzz.test_frames import FRAMES, broken
from tests.unit.venue.spot import (
    test_binance,
    test_bitstamp,
    test_cfbenchmarks,
    test_coinbase,
    test_gemini,
    test_kraken,
)

NOW = 1_790_000_000 * SECOND_NS
ASSETS = ("BTC", "ETH", "BNB")
CASES: list[tuple[Venue, list[bytes]]] = [
    (
        Coinbase(ASSETS),
        [test_coinbase.SNAPSHOT, test_coinbase.update(1), test_coinbase.HEARTBEAT, test_coinbase.TRADES],
    ),
    (Kraken(ASSETS), [test_kraken.SNAPSHOT, test_kraken.frame("45270.0 2.00000000", "", test_kraken.CHECKSUM)]),
    (Kraken(["ALGO"]), [test_kraken.CANDLES.replace(b'"interval": 5', b'"interval": 15')]),
    (Bitstamp(ASSETS), [test_bitstamp.BOOK, test_bitstamp.TRADE]),
    (Gemini("BTC"), [test_gemini.INITIAL, test_gemini.at(test_gemini.CANCELLED, 1), test_gemini.TRADED]),
    (Binance(ASSETS), [test_binance.TRADE, test_binance.KLINE, test_binance.MARK]),
    (CfBenchmarks("a", "b", INDICES), [test_cfbenchmarks.VALUE]),
]


def test_a_broken_frame_gives_values_and_nothing_else() -> None:
    dice, prices, encoder = Dice(20_261_121, 2), Prices(Params()), msgspec.msgpack.Encoder()
    for number in range(FRAMES // 2):
        venue, corpus = CASES[dice.below(len(CASES))]
        if number % 50 == 0:
            venue.connected()
        data = corpus[dice.below(len(corpus))]
        for _ in range(dice.below(3)):
            data = broken(data, dice, corpus)
        now_ns = NOW + number * SECOND_NS
        encoder.encode(prices.take(venue, venue.receive(data), now_ns) + prices.prints(now_ns))


def test_whole_frames_of_the_corpus_are_all_read() -> None:
    for venue, corpus in CASES:
        venue.connected()
        for data in corpus:
            assert not [value for value in venue.receive(data) if isinstance(value, Unreadable)]
