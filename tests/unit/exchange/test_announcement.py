"""What the exchange says of itself: one line for programs, lines for people."""

import msgspec

from fairstrike.core.timing import VenueClock
from fairstrike.exchange.announcement import AccountKey, Admin, Announcement, told
from fairstrike.exchange.worlds import START_NS


def announced(factor: int) -> Announcement:
    return Announcement(
        rest="http://127.0.0.1:9/trade-api/v2",
        ws="ws://127.0.0.1:9/trade-api/ws/v2",
        clock=VenueClock(anchor_venue_ns=START_NS, anchor_system_ns=1, factor=factor),
        accounts=(
            AccountKey(name="alice", key_id="id-1", private_key="keys/alice.pem", balance="10000.0000"),
            AccountKey(name="bob", key_id="id-2", private_key="keys/bob.pem", balance="25.5050", key_type="ed25519"),
        ),
        admin=Admin(url="http://127.0.0.1:9/admin", token="secret"),
        seed=3,
    )


def test_a_program_reads_one_line_with_everything() -> None:
    line = told(announced(20), is_json=True)
    assert "\n" not in line
    assert msgspec.json.decode(line, type=Announcement) == announced(20)


def test_a_line_of_an_earlier_version_names_no_account() -> None:
    line = msgspec.json.decode(told(announced(20), is_json=True))
    del line["accounts"][0]["name"]
    assert msgspec.convert(line, Announcement).accounts[0].name == "client"


def test_people_read_what_they_need_to_trade_to_administer_and_to_end_it() -> None:
    assert told(announced(20), is_json=False).splitlines() == [
        "REST     http://127.0.0.1:9/trade-api/v2",
        "stream   ws://127.0.0.1:9/trade-api/ws/v2",
        "admin    http://127.0.0.1:9/admin, token secret",
        "clock    20 venue seconds a second, from 2026-11-21T21:42:00Z",
        "seed     3",
        "account  alice, $10,000.00, key id id-1",
        "         private key keys/alice.pem (rsa)",
        "account  bob, $25.5050, key id id-2",
        "         private key keys/bob.pem (ed25519)",
        "end      Ctrl-C",
    ]


def test_stepped_time_is_said_to_stand_still() -> None:
    assert "clock    stands still until POST /admin/step, from 2026-11-21T21:42:00Z" in told(
        announced(0), is_json=False
    )
