"""Sizes of trades that a recording's tickers name: the event of a ticker does not carry them, its line does.

The venue's ticker comes about once a second and names the size of the last trade before it, so of several trades
between two tickers one is seen. A ticker counts when the volume has changed since the market's ticker before it.
Lines of recordings that keep the venue's payload elsewhere than under `msg` name no trade here.
"""

from collections import defaultdict
from pathlib import Path

import msgspec

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.research.tally import Tally
from fairstrike.store.tape import Tape
from fairstrike.venue.kalshi.wire.amounts import size_cc
from fairstrike.venue.kalshi.wire.stream import TickerMessage

_MARK = b'"last_trade_size_fp"'


class _Line(msgspec.Struct):
    msg: TickerMessage


_decode = msgspec.json.Decoder(_Line).decode


def ticker_trades(path: Path) -> dict[str, Tally]:
    """Give the sizes (centicontracts) of the trades that tickers of a recording name, by market.

    What cannot be read as a ticker is passed over: whoever gives the recording's events judges its lines.
    Raises `RecordingError` when the file cannot be opened or unpacked.
    """
    found: defaultdict[str, Tally] = defaultdict(Tally)
    volumes: dict[str, int] = {}
    for raw in Tape(path, lambda cut: None).lines():
        if _MARK not in raw:
            continue
        try:
            message = _decode(raw).msg
            size, volume = size_cc(message.last_trade_size_fp or "0"), size_cc(message.volume_fp or "0")
        except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticRefusal):
            continue
        if volume != volumes.get(message.market_ticker, 0):
            volumes[message.market_ticker] = volume
            if size > 0:
                found[message.market_ticker].add(size)
    return dict(found)
