"""A probe asks for each channel by itself and counts what comes."""

import json

import pytest

from fairstrike.core.timing import MILLISECOND_NS
from fairstrike.venue.kalshi.probing import CHANNELS, Probe, Standing, Tally
from fairstrike.venue.kalshi.subscriptions import MARKET_CHANNELS
from fairstrike.venue.kalshi.wire.commands import Subscribe, Unsubscribe, UpdateSubscription, decode_command
from tests.unit.venue.kalshi.fakes import TICKER, delta, frame, snapshot

NOW_MS = 1_786_085_188_978
NOW_NS = NOW_MS * MILLISECOND_NS


def connected(probe: Probe) -> dict[str, int]:
    """Connect; the id each channel was asked for under."""
    _, said = probe.connected(NOW_NS)
    asked = [decode_command(command) for command in said]
    assert all(isinstance(command, Subscribe) for command in asked)
    return {one.params.channels[0]: one.id for one in asked if isinstance(one, Subscribe)}


def opened(probe: Probe) -> Probe:
    """Connect and have every channel opened; sids count from 1 in the order of the channels."""
    for sid, (channel, number) in enumerate(connected(probe).items(), start=1):
        probe.receive(confirmation(channel, sid, number), NOW_NS)
    return probe


def confirmation(channel: str, sid: int, number: int) -> bytes:
    return json.dumps({"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": sid}}).encode()


def refusal(number: int | None = None, code: int = 9, sid: int | None = None) -> bytes:
    whole: dict[str, object] = {"type": "error", "msg": {"code": code, "msg": "Authentication required"}}
    return json.dumps(whole | {name: v for name, v in (("id", number), ("sid", sid)) if v is not None}).encode()


def test_each_channel_is_asked_for_by_itself_under_an_id_of_its_own() -> None:
    asked = connected(Probe((TICKER,)))
    assert tuple(asked) == CHANNELS
    assert list(asked.values()) == list(range(1, len(CHANNELS) + 1))


def test_without_markets_their_channels_are_left_out() -> None:
    probe = Probe(())
    assert set(connected(probe)) == set(CHANNELS) - set(MARKET_CHANNELS)
    assert probe.tallies["ticker"].standing is Standing.NOT_ASKED


def test_channels_are_opened_or_refused_one_by_one() -> None:
    probe = Probe((TICKER,))
    asked = connected(probe)
    for sid, (channel, number) in enumerate(asked.items(), start=1):
        data = refusal(number) if channel == "cfbenchmarks_value" else confirmation(channel, sid, number)
        probe.receive(data, NOW_NS)
    assert probe.is_answered
    index = probe.tallies["cfbenchmarks_value"]
    assert (index.standing, index.code, index.reason) == (Standing.REFUSED, 9, "Authentication required")
    assert probe.tallies["fill"].standing is Standing.OPEN


def test_an_answer_is_awaited_for_each_channel() -> None:
    probe = Probe((TICKER,))
    connected(probe)
    assert not probe.is_answered


def test_frames_are_counted_with_their_ages_and_missing_numbers() -> None:
    probe = opened(Probe((TICKER,)))
    for data in (snapshot(1), delta(2), delta(2), delta(5)):
        probe.receive(data, NOW_NS + 3 * MILLISECOND_NS)
    book = probe.tallies["orderbook_delta"]
    assert (book.frames, book.missing, book.repeated) == (4, 2, 1)
    assert book.age_ns(0.5) == book.age_ns(1.0) == 3 * MILLISECOND_NS
    assert book.last_ns == NOW_NS + 3 * MILLISECOND_NS
    assert probe.books == {TICKER}


def test_a_book_given_on_request_is_noted() -> None:
    probe = opened(Probe((TICKER,)))
    probe.receive(snapshot(1), NOW_NS)
    assert probe.given_again == set()
    (said,) = probe.resubscribe((TICKER,))
    command = decode_command(said)
    assert isinstance(command, UpdateSubscription)
    assert (command.params.action, command.params.sids) == ("get_snapshot", (1,))
    probe.receive(snapshot(2), NOW_NS)
    assert probe.given_again == {TICKER}


def test_markets_are_added_and_taken_away() -> None:
    probe = opened(Probe((TICKER,)))
    for said, action in ((probe.watch(("B",)), "add_markets"), (probe.unwatch(("B",)), "delete_markets")):
        commands = [decode_command(each) for each in said]
        assert [one.params.action for one in commands if isinstance(one, UpdateSubscription)] == [action] * 3


def test_everything_can_be_closed() -> None:
    probe = opened(Probe((TICKER,)))
    (said,) = probe.unwatch(())
    command = decode_command(said)
    assert isinstance(command, Unsubscribe)
    assert command.params.sids == tuple(range(1, len(CHANNELS) + 1))
    probe.receive(frame("unsubscribed", sid=2, seq=1), NOW_NS)
    assert probe.tallies["ticker"].standing is Standing.ENDED


def test_a_subscription_that_the_venue_ends_is_ended() -> None:
    probe = opened(Probe((TICKER,)))
    probe.receive(refusal(code=11, sid=1), NOW_NS)
    assert probe.tallies["orderbook_delta"].standing.value == "open"
    probe.receive(refusal(code=25, sid=1), NOW_NS)
    assert probe.tallies["orderbook_delta"].standing.value == "ended"


def test_numbers_begin_anew_with_a_connection() -> None:
    probe = opened(Probe((TICKER,)))
    probe.receive(snapshot(7), NOW_NS)
    assert probe.disconnected(NOW_NS, "gone") == []
    opened(probe)
    probe.receive(snapshot(1), NOW_NS)
    assert (probe.connections, probe.tallies["orderbook_delta"].repeated) == (2, 0)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"[" * 3_000, b'{"type":"ticker","sid":2,"msg":{}}'])
def test_what_cannot_be_read_is_counted(data: bytes) -> None:
    probe = opened(Probe((TICKER,)))
    before = probe.frames
    assert probe.receive(data, NOW_NS) == []
    assert (probe.unreadable, probe.frames - before) == (1, 1)


def test_unknown_kinds_are_tolerated_by_name_and_numbered() -> None:
    probe = opened(Probe((TICKER,)))
    probe.receive(frame("new_thing", {}, sid=3, seq=1), NOW_NS)
    probe.receive(frame("new_thing", {}, sid=3, seq=3), NOW_NS)
    assert probe.unknown == {"new_thing": 2}
    assert (probe.unreadable, probe.tallies["trade"].frames, probe.tallies["trade"].missing) == (0, 2, 1)


def test_without_ages_there_is_none() -> None:
    assert Tally(channel="fill").age_ns(0.5) is None
