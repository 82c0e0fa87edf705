"""Ids, sids and what is asked for under them."""

from fairstrike.venue.kalshi.subscriptions import Subscriptions
from fairstrike.venue.kalshi.wire.commands import UpdateSubscription, decode_command


def test_ids_increase_over_connections() -> None:
    wanted = Subscriptions(reads_account=True)
    first = [decode_command(data).id for data in wanted.connect()]
    second = [decode_command(data).id for data in wanted.connect()]
    assert first + second == [1, 2, 3, 4]


def test_watched_markets_keep_their_order() -> None:
    wanted = Subscriptions(reads_account=True)
    wanted.watch(["B", "A", "B"])
    wanted.unwatch(["B", "X"])
    wanted.watch(["B"])
    assert wanted.watched == ("A", "B")


def test_sids_are_those_of_this_connection() -> None:
    wanted = Subscriptions(reads_account=False)
    wanted.connect()
    wanted.opened("orderbook_delta", 4, 1)
    assert wanted.book_sid == 4
    wanted.connect()
    assert wanted.book_sid is None


def test_closed_sid_gives_its_channel_once() -> None:
    wanted = Subscriptions(reads_account=False)
    wanted.opened("trade", 3, None)
    assert wanted.closed(3) == "trade"
    assert wanted.closed(3) is None


def test_acknowledgement_without_channel_counts_when_one_was_asked_for() -> None:
    wanted = Subscriptions(reads_account=True)
    wanted.watch(["A"])
    wanted.connect()
    wanted.opened(None, 8, 1)
    wanted.opened(None, 9, 3)
    assert wanted.closed(8) is None
    assert wanted.closed(9) == "cfbenchmarks_value"


def test_unwatching_before_acknowledgement_sends_nothing() -> None:
    wanted = Subscriptions(reads_account=True)
    wanted.watch(["A"])
    wanted.connect()
    assert wanted.unwatch(["A"]) == []


def test_a_market_that_is_not_watched_is_not_asked_for() -> None:
    """What was lost of it may be told after it was let go: asked for, it would be streamed for ever."""
    wanted = Subscriptions(reads_account=True)
    wanted.watch(["A", "B"])
    wanted.connect()
    for sid, channel in enumerate(("orderbook_delta", "ticker", "trade")):
        wanted.opened(channel, sid, None)
    wanted.unwatch(["B"])
    (sent,) = wanted.resubscribe(["A", "B", "C"])
    command = decode_command(sent)
    assert isinstance(command, UpdateSubscription)
    assert (command.params.action, command.params.market_tickers) == ("get_snapshot", ("A",))
    assert wanted.resubscribe(["B"]) == []
    assert wanted.watched == ("A",)
