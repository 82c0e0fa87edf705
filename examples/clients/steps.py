"""What the examples share: where the exchange is, one line a step, and sums over fills. No client is named here."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

PATIENCE_S = 60.0
TAKER_FEE = Decimal("0.07")
BALANCE_GRID = Decimal("0.0001")


class Box(NamedTuple):
    """Addresses and the first account of an exchange: REST, stream, key id, private key (PEM file), dollars."""

    rest: str
    ws: str
    key_id: str
    private_key: str
    balance: Decimal


class Filled(NamedTuple):
    """One purchase of YES: contracts, dollars each, dollars of fee."""

    count: Decimal
    price: Decimal
    fee: Decimal


def read_box() -> Box:
    """The exchange whose line is in the file named on the command line, waited for until it is there."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BOX.json  (the first line of `fairstrike exchange --json`)")
    path = Path(sys.argv[1])
    for _ in patience("exchange"):
        if path.exists() and (text := path.read_text("utf-8")).endswith("\n"):
            break
        time.sleep(0.1)
    line = json.loads(text)
    account = line["accounts"][0]
    return Box(line["rest"], line["ws"], account["key_id"], account["private_key"], Decimal(account["balance"]))


def check(step: str, holds: bool, answer: object) -> None:
    """Print a step and its answer; end with code 1 when the answer is not what it must be."""
    print(f"{step}: {answer}" if holds else f"FAILED at {step}: {answer}", flush=True)
    if not holds:
        sys.exit(1)


def patience(step: str) -> Iterator[None]:
    """Let a loop try again and again; the step fails when that takes too long."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        yield
    check(step, False, f"not within {PATIENCE_S:.0f} s")


def taker_fees_hold(fills: Sequence[Filled]) -> bool:
    """Whether a taker's fees are 7 % of count x price x (1 - price), rounded up with the balance."""
    exact = [TAKER_FEE * fill.count * fill.price * (1 - fill.price) for fill in fills]
    return all(fee <= fill.fee < fee + 2 * BALANCE_GRID for fee, fill in zip(exact, fills, strict=True))


def spent(fills: Iterable[Filled]) -> Decimal:
    """What purchases took from the balance, in dollars."""
    return sum((fill.count * fill.price + fill.fee for fill in fills), Decimal())


def is_two_sided(bid: str | Decimal, ask: str | Decimal) -> bool:
    """Whether a market has buyers and sellers near enough to trade with."""
    return Decimal("0.05") <= Decimal(bid) < Decimal(ask) <= Decimal("0.95")
