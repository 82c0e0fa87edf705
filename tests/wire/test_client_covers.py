"""The client can do all that the box serves: a typed call for each operation, a frame and a place for each channel."""

import re
from functools import cache

from fairstrike.core.effects import CancelOrder, SendOrder
from fairstrike.core.order import Side, TimeInForce
from fairstrike.exchange.api.dispatch import ROUTES
from fairstrike.exchange.api.orders import deprecated
from fairstrike.exchange.api.unserved import UNSERVED
from fairstrike.exchange.lanes import CHANNEL_OF_TYPE
from fairstrike.exchange.streaming import CHANNELS
from fairstrike.venue.kalshi import calls, changes, probing
from fairstrike.venue.kalshi.calls import READS, Operation
from fairstrike.venue.kalshi.translate import cancel_order, send_order
from fairstrike.venue.kalshi.wire.orders import (
    AmendOrder,
    CancelItem,
    CreateGroup,
    CreateOrder,
    DecreaseOrder,
    UpdateGroupLimit,
)
from fairstrike.venue.kalshi.wire.portfolio import ApplySubaccountTransfer, CreateSubaccount
from fairstrike.venue.kalshi.wire.stream import KNOWN_TYPES
from fairstrike.venue.kalshi.wire.transfers import EVENT_CONTRACTS, Allocations, StartShardTransfer, UpdateNetting
from tests.conftest import REPOSITORY

GUIDE = REPOSITORY / "docs/guides/client.md"
SEND = SendOrder(
    client_order_id="c",
    ticker="T",
    side=Side.BID,
    price_ticks=100,
    size_cc=100,
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    exchange_index=2,
)
CREATE = CreateOrder(
    ticker="T",
    side="bid",
    count="1.00",
    price="0.0100",
    time_in_force="good_till_canceled",
    self_trade_prevention_type="taker_at_cross",
    client_order_id="c",
)
AMEND = AmendOrder(ticker="T", side="bid", price="0.0100", count="1.00")
SHARDS = StartShardTransfer(amount=1, source=EVENT_CONTRACTS, destination=EVENT_CONTRACTS)
MOVE = ApplySubaccountTransfer(
    client_transfer_id="u", from_subaccount=0, to_subaccount=1, amount_cents=1, exchange_index=2
)
WRITES = {
    "SendOrder": send_order(SEND, 0),
    "CancelOrder": cancel_order(CancelOrder(client_order_id="c", order_id="*", ticker="T", exchange_index=2), 0),
    "changes.amend": changes.amend("*", AMEND),
    "changes.decrease": changes.decrease("*", DecreaseOrder(reduce_to="1.00", exchange_index=2)),
    "changes.create_batch": changes.create_batch([CREATE], 1),
    "changes.cancel_batch": changes.cancel_batch([CancelItem(order_id="o", exchange_index=2)], 1),
    "changes.cancel_all": changes.cancel_all(),
    "changes.create_group": changes.create_group(CreateGroup(contracts_limit=1, exchange_index=2)),
    "changes.reset_group": changes.reset_group("*", 2),
    "changes.trigger_group": changes.trigger_group("*", 2),
    "changes.limit_group": changes.limit_group("*", UpdateGroupLimit(contracts_limit=1), 2),
    "changes.delete_group": changes.delete_group("*", 2),
    "changes.create_subaccount": changes.create_subaccount(CreateSubaccount()),
    "changes.transfer": changes.transfer(MOVE),
    "changes.set_netting": changes.set_netting(UpdateNetting(subaccount_number=1, enabled=True)),
    "changes.allocate": changes.allocate(Allocations(allocations=())),
    "changes.transfer_between_shards": changes.transfer_between_shards(SHARDS),
}
"""Every write of the client, by the name of what makes it: an effect, or a talk of `changes.py`."""


@cache
def typed() -> dict[tuple[str, str], str]:
    """What makes each request of the client, by method and path; names in a path are "*"."""
    names = {id(value): name for name, value in vars(calls).items() if isinstance(value, Operation)}
    found = {("GET", _starred(read.path)): f"calls.{names[id(read)]}" for read in READS}
    for name, talk in WRITES.items():
        request = next(talk)
        talk.close()
        found[request.method, request.path.strip("/").replace("%2A", "*")] = name
    return found


def _starred(path: str) -> str:
    return re.sub(r"\{\w+\}", "*", path).strip("/")


def test_each_operation_that_is_served_has_a_typed_call() -> None:
    unserved = set(UNSERVED)
    served = {(one.method, one.path) for one in ROUTES if one.run is not deprecated} - unserved
    assert len(served) > 50
    assert served - set(typed()) == set()


def test_every_write_of_the_client_is_in_the_table() -> None:
    public = {name for name, value in vars(changes).items() if callable(value) and not name.startswith("_")}
    talks = {name for name in public if getattr(changes, name).__annotations__.get("return", "") and _is_talk(name)}
    assert {f"changes.{name}" for name in talks} == set(WRITES) - {"SendOrder", "CancelOrder"}


def _is_talk(name: str) -> bool:
    return str(getattr(changes, name).__annotations__["return"]).startswith(("Talk", "collections.abc.Generator"))


def test_each_channel_is_asked_for_and_each_frame_is_read() -> None:
    assert set(probing.CHANNELS) == CHANNELS
    assert set(CHANNEL_OF_TYPE) <= KNOWN_TYPES
    assert set(CHANNEL_OF_TYPE.values()) == CHANNELS


def test_the_guide_lists_every_call() -> None:
    told = set(re.findall(r"^\| `(\w+) /([^`]*)` \| `([\w.]+)` \|$", GUIDE.read_text(), re.MULTILINE))
    assert {(method, _starred(path), name) for method, path, name in told} == {
        (method, path, name) for (method, path), name in typed().items()
    }
