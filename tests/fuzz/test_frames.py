"""Broken frames against the session: a list of events, never an exception, and always fit for the journal.

The number of frames is FAIRSTRIKE_FUZZ_FRAMES (or FAIRSTRIKE_FRAMES), 10 000 unless told.
"""

import gzip
import json
import os
from pathlib import Path

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.events import Event, FrameRefused
from fairstrike.venue.kalshi.session import Session

FRAMES = int(os.environ.get("FAIRSTRIKE_FUZZ_FRAMES") or os.environ.get("FAIRSTRIKE_FRAMES") or 10_000)
NOW = 1_786_085_189_000_000_000
TICKER = "KXBTC15M-26AUG170100-00"
INDEX = json.dumps({"type": "value", "id": "BRTI", "time": 1_790_000_000_000, "value": "85850.67"})

SEEDS = [
    b'{"type":"orderbook_snapshot","sid":1,"seq":%d,"msg":{"market_ticker":"KXBTC15M-26AUG170100-00",'
    b'"market_id":"m","yes_dollars_fp":[["0.0100","5.00"],["0.6200","1720.33"]],"no_dollars_fp":[["0.3700","2.00"]]}}',
    b'{"type":"orderbook_delta","sid":1,"seq":%d,"msg":{"market_ticker":"KXBTC15M-26AUG170100-00",'
    b'"price_dollars":"0.4300","delta_fp":"-100.00","side":"no","ts":"2026-08-07T06:46:28Z","ts_ms":1786085188978}}',
    b'{"type":"ok","id":4,"sid":1,"seq":%d,"msg":{"market_tickers":["KXBTC15M-26AUG170100-00"]}}',
    b'{"type":"unsubscribed","id":4,"sid":9,"seq":%d}',
    b'{"type":"error","id":4,"sid":3,"seq":%d,"msg":{"code":11,"msg":"invalid parameter"}}',
    b'{"type":"ticker","sid":2,"msg":{"market_ticker":"T","yes_bid_dollars":"0.5400","yes_ask_dollars":"0.5600",'
    b'"yes_bid_size_fp":"753.53","yes_ask_size_fp":"957.13","volume_fp":"151879.42","ts_ms":1778813263925}}',
    b'{"type":"trade","sid":3,"seq":%d,"msg":{"market_ticker":"T","yes_price_dollars":"0.5400","count_fp":"1.00",'
    b'"taker_book_side":"bid","is_block_trade":false,"ts_ms":1778813263925}}',
    b'{"type":"fill","sid":4,"msg":{"trade_id":"t","order_id":"o","client_order_id":"c","market_ticker":"T",'
    b'"book_side":"bid","yes_price_dollars":"0.5400","count_fp":"1.00","fee_cost":"0.015930","is_taker":true,"ts":5}}',
    b'{"type":"user_order","sid":5,"msg":{"order_id":"o","ticker":"T","status":"resting","book_side":"ask",'
    b'"yes_price_dollars":"0.5400","fill_count_fp":"0.00","remaining_count_fp":"1.00","last_updated_ts_ms":5}}',
    b'{"type":"market_lifecycle_v2","sid":6,"seq":%d,"msg":{"event_type":"determined","market_ticker":"KXBTC-1",'
    b'"result":"yes","settlement_value":"1.0000","determination_ts":1787043600,"floor_strike":53299.99}}',
    b'{"type":"market_lifecycle_v2","sid":6,"seq":%d,"msg":{"event_type":"metadata_updated","market_ticker":"KXBTC15M-1",'
    b'"strike_type":"greater_or_equal","floor_strike":63441.03,"custom_strike":{"round_digits":"2"}}}',
    b'{"type":"market_lifecycle_v2","sid":6,"seq":%d,"msg":{"event_type":"close_date_updated","market_ticker":"KXBTC-1",'
    b'"close_ts":1787043600}}',
    b'{"type":"market_lifecycle_v2","sid":6,"seq":%d,"msg":{"event_type":"price_level_structure_updated",'
    b'"market_ticker":"KXBTC-1","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0010"}]}}',
    b'{"type":"cfbenchmarks_value","sid":7,"msg":{"index_id":"BRTI","received_at":1790000000020,"data":%s,'
    b'"avg_60s_data":{"value":"85850.67000000","window_size":60}}}' % json.dumps(INDEX).encode(),
    b'{"type":"market_position","sid":8,"msg":{"market_ticker":"T","position_fp":"-3.00"}}',
    b'{"type":"subscribed","id":2,"msg":{"channel":"orderbook_delta","sid":1}}',
    b'{"type":"event_fee_update","sid":6,"seq":%d,"msg":{"event_ticker":"E"}}',
]
POISONS = [
    *(b"null", b"true", b"-1", b"1e400", b"NaN", b"[]", b"{}", b'""', b'"yes"', b"0.1", b"\x00", b"\xff", b"\\u0000"),
    *(b'"0.00001"', b'"-0.5000"', b'"1e5"', b'"99999999999999999999.99"', b'"\xd9\xa0.\xd9\xa5"', b'"\\ud800"'),
    *(b"9" * 25, b"-" + b"9" * 400, b"9" * 5_000, b'"' + b"9" * 5_000 + b'"', b"[" * 3_000, b'{"a":' * 3_000),
]


def real_frames() -> list[bytes]:
    """Frames the venue sent, when the recordings are at hand."""
    folder = Path(os.environ.get("FAIRSTRIKE_RECORDINGS") or Path(__file__).parents[3] / "shared/data")
    path = folder / "wire" / "ws-orderbook-2026-08-07.json.gz"
    if not path.is_file():
        return []
    frames = json.loads(gzip.decompress(path.read_bytes()))["frames"]
    return [json.dumps(entry["frame"], separators=(",", ":")).encode() for entry in frames]


def values_of(data: bytes) -> list[tuple[int, int]]:
    """Where the JSON values of a flat frame begin and end, roughly: between colons, commas and brackets."""
    places, start = [], 0
    for place, byte in enumerate(data):
        if byte in b":,[]{}":
            if place > start:
                places.append((start, place))
            start = place + 1
    return places


def broken(data: bytes, dice: Dice, corpus: list[bytes]) -> bytes:
    """One damage of a frame."""
    place, other = dice.below(len(data) + 1), dice.below(len(data) + 1)
    low, high = min(place, other), max(place, other)
    match dice.below(8):
        case 0:
            return data[:place]
        case 1:
            return data[:low] + data[high:]
        case 2:
            return data[:low] + data[low:high] * 2 + data[high:]
        case 3:
            return data[:place] + bytes([dice.below(256)]) + data[place + 1 :]
        case 4:
            return data[:place] + POISONS[dice.below(len(POISONS))] + data[place:]
        case 5:
            return data[:place] + corpus[dice.below(len(corpus))][place:]
        case _:
            values = values_of(data)
            if not values:
                return data
            start, end = values[dice.below(len(values))]
            return data[:start] + POISONS[dice.below(len(POISONS))] + data[end:]


def seeds(number: int) -> list[bytes]:
    return [seed.replace(b"%d", str(number).encode()) for seed in SEEDS]


def test_broken_frame_gives_events_and_nothing_else() -> None:
    dice, session, encoder = Dice(20_261_121, 1), Session(), msgspec.msgpack.Encoder()
    real = real_frames()
    told = 0
    for number in range(FRAMES):
        if number % 500 == 0:
            session.connected(NOW)
        corpus = seeds(number % 500 + 1) + real
        whole = corpus[dice.below(len(SEEDS) if dice.below(2) else len(corpus))]
        data = whole
        for _ in range(dice.below(4)):
            data = broken(data, dice, corpus)
        events = session.receive(data, NOW)
        assert isinstance(events, list)
        assert all(isinstance(event, Event) for event in events)
        encoder.encode(events)
        told += len(events)
    assert told >= FRAMES // 4


def test_whole_frames_of_the_corpus_are_all_read() -> None:
    for data in seeds(1):
        refused = [event for event in Session().receive(data, NOW) if isinstance(event, FrameRefused)]
        assert bool(refused) == data.startswith(b'{"type":"error"')
