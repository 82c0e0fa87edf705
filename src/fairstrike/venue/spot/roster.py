"""Which spot venues are listened to, and where."""

from collections.abc import Iterable

import msgspec

from fairstrike.market.index import INDICES
from fairstrike.venue.spot.binance import FUTURES_HOST as BINANCE_FUTURES_HOST
from fairstrike.venue.spot.binance import HOST as BINANCE_HOST
from fairstrike.venue.spot.binance import Binance
from fairstrike.venue.spot.bitstamp import HOST as BITSTAMP_HOST
from fairstrike.venue.spot.bitstamp import Bitstamp
from fairstrike.venue.spot.cfbenchmarks import HOST as CFBENCHMARKS_HOST
from fairstrike.venue.spot.cfbenchmarks import CfBenchmarks
from fairstrike.venue.spot.coinbase import HOST as COINBASE_HOST
from fairstrike.venue.spot.coinbase import Coinbase
from fairstrike.venue.spot.gemini import HOST as GEMINI_HOST
from fairstrike.venue.spot.gemini import Gemini
from fairstrike.venue.spot.kraken import HOST as KRAKEN_HOST
from fairstrike.venue.spot.kraken import Kraken
from fairstrike.venue.spot.values import Venue


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The host of each venue, for those that refuse some countries; an empty one leaves the venue out.

    A host may be given with a scheme of its own, such as ws://127.0.0.1:8080.
    """

    coinbase: str = COINBASE_HOST
    kraken: str = KRAKEN_HOST
    bitstamp: str = BITSTAMP_HOST
    gemini: str = GEMINI_HOST
    binance: str = BINANCE_HOST
    binance_futures: str = BINANCE_FUTURES_HOST
    cfbenchmarks: str = CFBENCHMARKS_HOST


def venues(params: Params, assets: Iterable[str], licence: tuple[str, str] | None = None) -> list[Venue]:
    """Give the protocols of every connection to be held for some assets (BTC, ETH, SOL).

    `licence` is the user and key of CF Benchmarks; without one it is left out.
    """
    wanted = tuple(assets)
    found: list[Venue] = []
    if params.coinbase:
        found.append(Coinbase(wanted, params.coinbase))
    if params.kraken:
        found.append(Kraken(wanted, params.kraken))
    if params.bitstamp:
        found.append(Bitstamp(wanted, params.bitstamp))
    if params.gemini:
        found += (Gemini(asset, params.gemini) for asset in wanted)
    if params.binance:
        found.append(Binance(wanted, params.binance))
    if params.binance_futures:
        found.append(Binance(wanted, params.binance_futures, is_futures=True))
    if params.cfbenchmarks and licence is not None:
        indices = {asset: INDICES[asset] for asset in wanted if asset in INDICES}
        found.append(CfBenchmarks(*licence, indices, params.cfbenchmarks))
    return found
