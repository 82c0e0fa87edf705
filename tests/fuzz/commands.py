"""Generated commands to the stream, from the right to the absurd, as bytes."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from fairstrike.exchange.streaming import CHANNELS, UNSERVED

COMMANDS = ("subscribe", "unsubscribe", "update_subscription", "list_subscriptions")
ACTIONS = ("add_markets", "delete_markets", "get_snapshot", "subscribe_indices", "unsubscribe_indices", "indexlist")
NUMBERS = st.one_of(st.integers(-2, 12), st.sampled_from([1 << 31, 1 << 63, 1 << 64, 10**30, -(1 << 63) - 1]))
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
POISONS = {
    **{text: text.encode() for text in ("", "null", "[]", "{}", "\x00", '"\\ud800"', "NaN", "1e400")},
    "no text": b"\xff\xfe",
    "long": b"9" * 5_000,
    "deep list": b"[" * 5_000,
    "deep object": b'{"a":' * 5_000,
    "deep parameters": b'{"id":1,"cmd":"subscribe","params":' + b"[" * 3_000,
}


def commands(tickers: tuple[str, ...]) -> SearchStrategy[bytes]:
    """A command as bytes: good, with something wrong in it, damaged, or none at all."""
    good, poison = _good(tickers), st.sampled_from(sorted(POISONS)).map(_poison)
    return st.one_of(
        good.map(_bytes),
        st.builds(_spoilt, good, st.sampled_from(["id", "cmd", "params"]), ANYTHING).map(_bytes),
        st.builds(_bent, good, st.sampled_from(["channels", "sids", "sid", "market_tickers", "action"]), ANYTHING).map(
            _bytes
        ),
        st.builds(_cut, good.map(_bytes), st.integers(0, 200), st.one_of(poison, st.binary(max_size=3))),
        poison,
        ANYTHING.map(_bytes),
    )


def _good(tickers: tuple[str, ...]) -> SearchStrategy[dict[str, Any]]:
    names = st.lists(st.sampled_from([*tickers, "KXNONE", "", "é\u202e"]), max_size=4)
    sid = st.integers(1, 12)
    fields = {
        "channels": st.lists(
            st.sampled_from([*sorted(CHANNELS), *sorted(UNSERVED), "weather"]), min_size=1, max_size=3
        ),
        "market_tickers": names,
        "market_ticker": st.sampled_from([*tickers, "KXNONE"]),
        "market_ids": st.lists(st.text(max_size=3), max_size=2),
        "index_ids": st.lists(st.sampled_from(["BRTI", "ETHUSD_RTI", "NONE"]), max_size=2),
        "sids": st.lists(sid, max_size=3),
        "sid": sid,
        "action": st.sampled_from([*ACTIONS, "dance"]),
        "send_initial_snapshot": st.booleans(),
        "skip_ticker_ack": st.booleans(),
        "use_yes_price": st.booleans(),
    }
    wanted = {"subscribe": ("channels", "market_tickers"), "unsubscribe": ("sids",), "list_subscriptions": ()}
    wanted["update_subscription"] = ("sid", "action", "market_tickers")

    def params(command: str) -> SearchStrategy[dict[str, Any]]:
        needed = {name: fields[name] for name in wanted[command]}
        return st.fixed_dictionaries(
            needed, optional={name: each for name, each in fields.items() if name not in needed}
        )

    return st.sampled_from(COMMANDS).flatmap(
        lambda command: st.fixed_dictionaries(
            {"id": st.integers(1, 5), "cmd": st.just(command), "params": params(command)}
        )
    )


def _poison(name: str) -> bytes:
    return POISONS[name]


def _spoilt(command: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    return command | {field: value}


def _bent(command: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    return command | {"params": command["params"] | {field: value}}


def _cut(data: bytes, place: int, instead: bytes) -> bytes:
    return data[:place] + instead + data[place + 1 :]


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()
