"""A trader trades on while the server of its desk's database is down."""

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairstrike.app.desk.follow import DATABASE
from fairstrike.core.records import Ordered
from fairstrike.store.database import file_url
from tests.clusters import Cluster, tables_of
from tests.kill.test_postgres import has_rows
from tests.sockets.books import records
from tests.sockets.processes import wait_for
from tests.sockets.test_signals import PATIENCE_S, World

ORDERS = 20


def test_a_trader_does_not_notice_that_the_database_is_down(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = cluster.new_database()
    with ExitStack() as stack:
        world = World(tmp_path, stack)
        # The desk of the world keeps to its file; this one is beside it.
        monkeypatch.setenv("DATABASE_URL", url)
        desk = world.start("desk-postgres", "desk", world.run)
        errors = desk.log.with_suffix(".errors")
        wait_for("rows", lambda: has_rows(url), PATIENCE_S, world.trader, desk)
        cluster.stop()
        try:
            wait_for("a warning", lambda: "nothing is lost" in errors.read_text(), PATIENCE_S, world.trader, desk)
            wait_for("orders", lambda: len(records(world.run, Ordered)) >= ORDERS, PATIENCE_S, world.trader, desk)
        finally:
            cluster.start()
        world.trader.process.send_signal(signal.SIGTERM)
        for command in (world.trader, desk, world.desk):
            assert command.ended(time.monotonic() + PATIENCE_S) == 0, command.logs()
    assert errors.read_text().splitlines()[1:] == ["fairstrike: the database is back; what was missed is written"]
    tables = tables_of(url)
    assert tables == tables_of(file_url(world.run / DATABASE))
    assert len(tables["orders"]) == len(records(world.run, Ordered)) >= ORDERS
