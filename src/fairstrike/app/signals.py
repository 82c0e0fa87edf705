"""How an operator ends a process that runs in a loop: SIGTERM, SIGINT or SIGHUP."""

import asyncio
import signal


def when_asked_to_stop(seconds: float = 0) -> "asyncio.Future[str]":
    """Give what becomes the name of the first SIGTERM, SIGINT or SIGHUP from now on.

    After so many seconds, 0 for no end, it becomes "the time is over". A hang-up that the starter had ignored, as nohup
    does, stays ignored.
    """
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[str] = loop.create_future()

    def ask(why: str) -> None:
        if not asked.done():
            asked.set_result(why)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, ask, signal.Signals(number).name)
    if seconds:
        loop.call_later(seconds, ask, "the time is over")
    return asked
