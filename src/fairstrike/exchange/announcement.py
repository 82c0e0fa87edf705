"""What the exchange says when it is ready, and a client reads: addresses of one port, clock, accounts, admin."""

import msgspec

from fairstrike.core.timing import VenueClock


class AccountKey(msgspec.Struct, frozen=True, kw_only=True):
    """How to sign for an account: key id, path of the private key (PEM, 0600) and its type; its balance in dollars."""

    key_id: str
    private_key: str
    balance: str
    key_type: str = "rsa"


class Admin(msgspec.Struct, frozen=True, kw_only=True):
    """Where and with what token to administer the exchange."""

    url: str
    token: str


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a client needs to trade here; the first line of output."""

    rest: str
    ws: str
    clock: VenueClock
    accounts: tuple[AccountKey, ...]
    admin: Admin
    seed: int


def told(announcement: Announcement, *, is_json: bool) -> str:
    """Give the announcement as its one line of JSON, or as lines for people."""
    if is_json:
        return msgspec.json.encode(announcement).decode()
    rows = [
        ("REST", announcement.rest),
        ("stream", announcement.ws),
        ("clock", f"{announcement.clock.factor} venue seconds a second"),
        ("seed", str(announcement.seed)),
    ]
    for account in announcement.accounts:
        rows.append(("account", f"{account.key_id}, {account.balance} dollars, key {account.private_key}"))
    return "\n".join(f"{name:8} {value}" for name, value in rows)
