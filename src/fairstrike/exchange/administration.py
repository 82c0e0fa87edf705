"""What the administration of the exchange is asked, as values, and the faults of a box over HTTP; pure.

Everything that cannot be is refused with a `ConfigError`, whose sentence is the answer's message (400).
"""

import re
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from fairstrike.core.errors import ArithmeticRefusal, ConfigError
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import UD_PER_DOLLAR, parse_ud
from fairstrike.exchange.api.call import BoxResponse, answer_json, error
from fairstrike.exchange.box import Box
from fairstrike.exchange.faults import Fault, read_fault
from fairstrike.exchange.inforce import FaultView

FAULTS_PATH = "/admin/faults"
ACCOUNTS_MAX = 100
STEP_SECONDS_MAX = 3_600
_BALANCE_UD_MAX = 10**9 * UD_PER_DOLLAR
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

S = TypeVar("S", bound=msgspec.Struct)


class KeyType(StrEnum):
    """The kinds of keys that the venue takes: RSA of 2048 bits, or Ed25519."""

    RSA = "rsa"
    ED25519 = "ed25519"


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One client account: its name, also its key file's, its first balance, and what kind of key it signs with."""

    name: str = "client"
    balance_ud: int = 10_000 * UD_PER_DOLLAR
    key_type: KeyType = KeyType.RSA


class Reset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin the world anew; `seed` None keeps the seed."""

    seed: Annotated[int, Meta(ge=0, lt=1 << 62)] | None = None


class _Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    seconds: Annotated[float, Meta(gt=0, le=STEP_SECONDS_MAX)]


class _NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    balance: str = "10000"
    key_type: str = "rsa"


def account_of(name: str, balance: str, key_type: str) -> AccountSettings:
    """Give an account of `balance` dollars, text with at most six decimals.

    Raises `ConfigError` for a name that is no file name, for a balance that is no amount, and for an unknown key type.
    """
    if key_type not in set(KeyType):
        raise ConfigError(f"{key_type[:40]!r} is no type of key; use {' or '.join(KeyType)}")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:40]!r} is no name of an account; use up to 32 of a-z, 0-9, - and _, the first a letter or digit"
        )
    try:
        balance_ud = parse_ud(balance)
    except ArithmeticRefusal:
        raise ConfigError(f"balance {balance[:40]!r} is not an amount in dollars such as 10000 or 0.25") from None
    if not 0 <= balance_ud <= _BALANCE_UD_MAX:
        raise ConfigError(f"balance {balance[:40]} is below zero, or beyond all reason; correct it")
    return AccountSettings(name=name, balance_ud=balance_ud, key_type=KeyType(key_type))


def parse_account(text: str) -> AccountSettings:
    """Give the account written as NAME or NAME=DOLLARS, and ",ed25519" after it for a key of that type.

    Raises `ConfigError` as `account_of` does.
    """
    said, _, key_type = text.partition(",")
    name, _, balance = said.partition("=")
    return account_of(name, balance or "10000", key_type or KeyType.RSA)


def read_account(body: bytes) -> AccountSettings:
    """Give the account that `{"name": ..., "balance": "...", "key_type": "..."}` asks for. Raises `ConfigError`."""
    wish = _read(body, _NewAccount)
    return account_of(wish.name, wish.balance, wish.key_type)


def read_step_ns(body: bytes) -> int:
    """Give the venue nanoseconds that `{"seconds": ...}` asks for, at least one. Raises `ConfigError`."""
    return max(round(_read(body, _Step).seconds * SECOND_NS), 1)


def read_reset(body: bytes) -> Reset:
    """Give what an empty body or `{"seed": ...}` asks for. Raises `ConfigError`."""
    return _read(body, Reset) if body else Reset()


def answer_faults(box: Box, method: str, path: str, body: bytes, now_ns: int) -> BoxResponse:
    """Give the answer to GET, POST and DELETE of faults: their list, those added, nothing. Raises `ConfigError`.

    POST takes one fault or a list, of which all or none come into force; DELETE takes all, or the one of `path`.
    """
    number = path.removeprefix(FAULTS_PATH).removeprefix("/")
    if method == "GET" and not number:
        return answer_json({"faults": box.faults()})
    if method == "POST" and not number:
        return answer_json({"faults": _add(box, _read_faults(body), now_ns)}, 201)
    if method == "DELETE":
        doomed = [view.id for view in box.faults() if number in ("", str(view.id))]
        if number and not doomed:
            return error(404, "not_found", f"there is no fault {number[:20]}")
        for each in doomed:
            box.remove_fault(each, now_ns)
        return BoxResponse(status=204)
    return error(404, "not_found", "path not found")


def _read_faults(body: bytes) -> list[Fault]:
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        raise ConfigError(f"the body is not JSON ({why}); send a fault or a list of faults") from None
    return [read_fault(each) for each in (values if isinstance(values, list) else [values])]


def _add(box: Box, faults: list[Fault], now_ns: int) -> list[FaultView]:
    views: list[FaultView] = []
    try:
        for fault in faults:
            views.append(box.add_fault(fault, now_ns))
    except ConfigError:
        for view in views:
            box.remove_fault(view.id, now_ns)
        raise
    return views


def _read(body: bytes, shape: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        raise ConfigError(f"the body cannot be read: {why}; correct it") from None
