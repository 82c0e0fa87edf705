"""What the exchange says when it is ready, and a client reads: addresses of one port, clock, accounts, admin."""

from decimal import Decimal

import msgspec

from fairstrike.core.timing import VenueClock, format_rfc3339

STEP_PATH = "/admin/step"


class AccountKey(msgspec.Struct, frozen=True, kw_only=True):
    """How to sign for an account: key id, path of the private key (PEM, 0600) and its type; its balance in dollars.

    Faults choose accounts by `name`.
    """

    name: str = "client"
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
    clock = announcement.clock
    pace = f"{clock.factor} venue seconds a second" if clock.factor else f"stands still until POST {STEP_PATH}"
    rows = [
        ("REST", announcement.rest),
        ("stream", announcement.ws),
        ("admin", f"{announcement.admin.url}, token {announcement.admin.token}"),
        ("clock", f"{pace}, from {format_rfc3339(clock.anchor_venue_ns)}"),
        ("seed", str(announcement.seed)),
    ]
    for account in announcement.accounts:
        dollars = f"{Decimal(account.balance):,}".removesuffix("00")
        rows.append(("account", f"{account.name}, ${dollars}, key id {account.key_id}"))
        rows.append(("", f"private key {account.private_key} ({account.key_type})"))
    rows.append(("end", "Ctrl-C"))
    return "\n".join(f"{name:8} {value}" for name, value in rows)
