"""Commands survive the wire and leave absent parameters out."""

import json

import msgspec
import pytest

from fairstrike.venue.kalshi.wire import commands

COMMANDS: list[commands.Command] = [
    commands.Subscribe(
        id=1, params=commands.SubscribeParams(channels=("ticker",), market_tickers=("T",), use_yes_price=False)
    ),
    commands.UpdateSubscription(
        id=2, params=commands.UpdateParams(action=commands.GET_SNAPSHOT, sids=(4,), market_tickers=("T",))
    ),
    commands.Unsubscribe(id=3, params=commands.UnsubscribeParams(sids=(4, 5))),
    commands.ListSubscriptions(id=4),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_command_survives_the_wire(command: commands.Command) -> None:
    assert commands.decode_command(commands.encode_command(command)) == command


def test_absent_parameters_are_absent_and_false_is_said() -> None:
    assert json.loads(commands.encode_command(COMMANDS[0])) == {
        "cmd": "subscribe",
        "id": 1,
        "params": {"channels": ["ticker"], "market_tickers": ["T"], "use_yes_price": False},
    }
    assert json.loads(commands.encode_command(COMMANDS[3])) == {"cmd": "list_subscriptions", "id": 4}


@pytest.mark.parametrize("data", [b"{}", b'{"cmd":"dance","id":1}', b'{"cmd":"subscribe","id":1}', b"["])
def test_unknown_command_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        commands.decode_command(data)
