"""CF Benchmarks, WebSocket version 4: the settlement indices from their administrator, for holders of a licence.

The handshake carries the licence's user and key as HTTP Basic credentials; without one this is not used.
Source: docs.cfbenchmarks.com, WebSocket API.
"""

import base64
from collections.abc import Mapping

import msgspec

from fairstrike.core.errors import CredentialError
from fairstrike.venue.spot.values import IndexTold, Value, Venue, address, instant_of_ms, price_e8

HOST = "www.cfbenchmarks.com"


def licence_of(data: bytes) -> tuple[str, str]:
    """Give user and key in the bytes of a licence's file: one line, USER:KEY.

    Raises `CredentialError` when it is no such line: write down what CF Benchmarks gave you.
    """
    user, colon, key = data.decode("ascii", "replace").strip().partition(":")
    if not (user and colon and key) or not (user + key).isprintable() or " " in user + key or not data.isascii():
        raise CredentialError("it is not one line of the form USER:KEY; write down what CF Benchmarks gave you")
    return user, key


class _Message(msgspec.Struct):
    type: str = ""
    id: str = ""
    value: str = ""
    time: int = 0
    success: bool = True
    reason: str = ""


_decoder = msgspec.json.Decoder(_Message)


class CfBenchmarks(Venue):
    """The protocol of one connection for some indices, by asset."""

    source = "cfbenchmarks"

    def __init__(self, user: str, key: str, indices: Mapping[str, str], host: str = HOST) -> None:
        """Take the licence, the indices and the host."""
        credentials = base64.b64encode(f"{user}:{key}".encode()).decode()
        by_index = {index: asset for asset, index in indices.items()}
        super().__init__(by_index, address(host, "/ws/v4"), {"Authorization": f"Basic {credentials}"})

    def connected(self) -> list[bytes]:
        """Begin a connection; give what to say first."""
        return [msgspec.json.encode({"type": "subscribe", "id": index, "stream": "value"}) for index in self._assets]

    def _read(self, data: bytes) -> list[Value]:
        message = _decoder.decode(data)
        if not message.success:
            return [self._unreadable(f"{message.type} {message.id}: {message.reason}")]
        asset = self._assets.get(message.id)
        if message.type != "value" or asset is None:
            return []
        return [IndexTold(asset=asset, value_e8=price_e8(message.value), venue_ns=instant_of_ms(message.time))]
