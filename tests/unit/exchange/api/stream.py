"""A connection of a client to the box's stream, for tests."""

import json
from typing import Any

from tests.unit.exchange.api.client import WALL_MS, Client, signed_headers

Frame = dict[str, Any]


class Stream:
    """One connection of the client's account, or of another's."""

    def __init__(self, client: Client, key: str = "client-key") -> None:
        self.client = client
        connection = client.box.connect(signed_headers("GET", "/trade-api/ws/v2", key), WALL_MS)
        assert isinstance(connection, int)
        self.connection = connection

    def say(self, cmd: str, request: int = 1, **params: object) -> list[Frame]:
        """Send a command and give every frame that is owed after it."""
        sent = {"id": request, "cmd": cmd, **({"params": params} if params else {})}
        return self.raw(json.dumps(sent).encode())

    def raw(self, data: bytes) -> list[Frame]:
        self.client.box.command(self.connection, data, self.client.now_ns)
        return self.frames()

    def frames(self) -> list[Frame]:
        self.client.box.advance(self.client.now_ns)
        return [json.loads(frame) for frame in self.client.box.frames(self.connection)]

    def subscribe(self, channel: str, *tickers: str, **params: object) -> list[Frame]:
        markets: dict[str, object] = {"market_tickers": tickers} if tickers else {}
        return self.say("subscribe", 1, channels=[channel], **markets, **params)
