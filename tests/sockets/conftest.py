"""The demonstrations begin with the ring and play while its other tests run."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.sockets.processes import Command, Playing

SEEDS = (1, 7)
LIMIT_S = 400.0


@pytest.fixture(scope="session", autouse=True)
def playing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Playing]]:
    """Two demonstrations by seed, each with the instant by which it must have ended."""
    if not any(item.path.name == "test_demo.py" for item in request.session.items):
        yield {}
        return
    # It tells itself what it waits for when it comes to its limit.
    until = time.monotonic() + LIMIT_S + 60.0
    with ExitStack() as stack:
        started = {}
        for seed in SEEDS:
            folder = tmp_path_factory.mktemp(f"demo-{seed}")
            arguments = ("demo", "--json", "--seed", str(seed), "--limit", str(LIMIT_S), "--folder", folder / "demo")
            started[seed] = Playing(stack.enter_context(Command(folder / "demo.log", *arguments)), until)
        yield started
