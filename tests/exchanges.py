"""An exchange in a box in this process, for the length of a block."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fairstrike.exchange.announcement import Announcement
from fairstrike.exchange.server import ExchangeServer, ServerSettings


@asynccontextmanager
async def opened(settings: ServerSettings) -> AsyncIterator[tuple[ExchangeServer, Announcement]]:
    """An exchange whose time passes, and its line; stopped and closed however the block ends."""
    server = ExchangeServer(settings)
    try:
        line = await server.start()
        running = asyncio.create_task(server.run())
        try:
            yield server, line
        finally:
            server.stop()
            await running
    finally:
        await server.close()
