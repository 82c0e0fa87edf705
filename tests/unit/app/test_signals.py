"""The reason to end: the first signal, or that the time is over."""

import asyncio
import os
import signal

import pytest

from fairstrike.app.signals import when_asked_to_stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_first_signal_is_the_reason(number: signal.Signals) -> None:
    async def reason() -> str:
        asked = when_asked_to_stop(60)
        os.kill(os.getpid(), number)
        first = await asked
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.01)
        return first

    assert asyncio.run(reason()) == number.name


def test_the_time_may_be_over() -> None:
    async def reason() -> str:
        return await when_asked_to_stop(0.001)

    assert asyncio.run(reason()) == "the time is over"


def test_a_hang_up_that_was_ignored_stays_so() -> None:
    async def is_asked() -> bool:
        asked = when_asked_to_stop()
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.01)
        return asked.done()

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert not asyncio.run(is_asked())
    finally:
        signal.signal(signal.SIGHUP, before)
