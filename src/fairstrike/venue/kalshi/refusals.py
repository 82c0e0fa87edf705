"""What the venue refuses, as typed errors: one class for each error body it is known to send.

Refused (core)                       HTTP  code
└── VenueRefusal                           any other
    ├── KeyRefused                   401   any other
    │   ├── KeyUnknown               401   authentication_error, details INVALID_PARAMETER
    │   ├── SignatureWrong           401   authentication_error, details INCORRECT_API_KEY_SIGNATURE
    │   └── StampExpired             401   header_timestamp_expired
    ├── PermissionMissing            403   any
    ├── NotFound                     404   any other
    │   └── AccountAbsent            404   user_not_found
    ├── RateLimited                  429   none
    ├── RequestInvalid               400   any other, also bodies that are {"msg": ...}
    │   ├── OrderInvalid             400   invalid_order
    │   │   └── PostOnlyCrossed      400   invalid_order, details "post only cross"
    │   ├── BalanceShort             400   insufficient_balance, available_balance_too_low
    │   ├── PriceInvalid             400   invalid_price
    │   ├── SizeInvalid              400   invalid_order_size
    │   ├── OrderMismatched          400   order_side_mismatch, order_ticker_mismatch, …_id_mismatch
    │   └── MarketInactive           4xx   market_inactive
    ├── Conflicting                  409   any other
    │   ├── OrderExists              409   order_already_exists
    │   └── OrderUnfilled            409   fill_or_kill_…, immediate_or_cancel_insufficient_resting_volume
    ├── EndpointRetired              410   any
    ├── NotServed                    501   any
    └── VenueDown                    5xx   any other: what became of a write is unknown

Source: refusals recorded on demo and production in 2026, the changelog, REST specification 3.34.
"""

from typing import ClassVar

from fairstrike.core.errors import Refused
from fairstrike.venue.kalshi.wire.orders import error_detail
from fairstrike.venue.kalshi.wire.transport import Response


class VenueRefusal(Refused):
    """The venue answered with an error of no better known kind. Cure: act on the code and text."""

    cure: ClassVar[str] = "act on this code, or report it with the request that caused it"

    def __init__(self, status: int, code: str, text: str) -> None:
        """Keep what was answered; the message ends with the cure."""
        self.told = f"{status} {code}: {text}"
        super().__init__(f"the venue answered {self.told.removesuffix(': ')}; {self.cure}", status=status, code=code)


class KeyRefused(VenueRefusal):
    """The request is not signed as the venue wants it. Cure: check key id and key file."""

    cure = "check that key id and key file belong together and to this environment"


class KeyUnknown(KeyRefused):
    """The key id is not known there. Cure: use this environment's key, or make a new one."""

    cure = "the key id is of another environment, or was deleted: use a key of this environment"


class SignatureWrong(KeyRefused):
    """The signature is not the key's. Cure: give the private key that was shown with this key id."""

    cure = "the key file does not belong to the key id: give the private key that was shown with this id"


class StampExpired(KeyRefused):
    """The request's time is too far from the venue's. Cure: synchronise the clock, sign anew."""

    cure = "synchronise this machine's clock (for example with chrony or systemd-timesyncd)"


class PermissionMissing(VenueRefusal):
    """The key may not do this. Cure: give it the scope, or use another key."""

    cure = "give the key the scope for this at the venue, or use a key that has it"


class NotFound(VenueRefusal):
    """There is no such thing there, or it is gone, or on another shard. Cure: check the name, name the shard."""

    cure = "check the name, and that the request names the market's shard"


class AccountAbsent(NotFound):
    """The account has no money on that shard. Cure: move some there."""

    cure = "the account was never funded on this shard: move money there at the venue"


class RateLimited(VenueRefusal):
    """More was asked than the account's tier allows. Cure: wait for the bucket to refill."""

    cure = "wait a second; if it goes on, stop other programs that use this account"


class RequestInvalid(VenueRefusal):
    """A parameter or body is not accepted. Cure: correct what the text names."""

    cure = "correct the parameter that the text names"


class OrderInvalid(RequestInvalid):
    """The order breaks a rule. Cure: correct what the details name."""

    cure = "correct the order as its details say"


class PostOnlyCrossed(OrderInvalid):
    """A post-only order would have traded. Cure: quote behind the other side, from a fresh book."""

    cure = "price it behind the other side of a fresh book"


class BalanceShort(RequestInvalid):
    """The shard's cash does not cover the order. Cure: smaller, or move money to the market's shard."""

    cure = "make the order smaller, or move money to the market's shard"


class PriceInvalid(RequestInvalid):
    """The price is off the market's ticks, or 0 or 1. Cure: use the market's price ranges."""

    cure = "use a price on the market's tick grid, above 0 and below 1 dollar"


class SizeInvalid(RequestInvalid):
    """The count is not accepted. Cure: at least 0.01 contracts, two decimals."""

    cure = "use at least 0.01 contracts and at most two decimals"


class OrderMismatched(RequestInvalid):
    """A change names another side, market or id than the order has. Cure: read the order again."""

    cure = "read the order again and name its own market, side and ids"


class MarketInactive(RequestInvalid):
    """The market is paused or closed. Cure: wait, or leave it: the venue cancels what rests."""

    cure = "the market is paused or closed: wait until it is active"


class Conflicting(VenueRefusal):
    """The request collides with what is there. Cure: read the order and fills first."""

    cure = "read orders and fills to see what is there"


class OrderExists(Conflicting):
    """The client order id was used before, ever. Cure: look the order up; never use an id twice."""

    cure = "look the order up by this id, and use a new id for another order"


class OrderUnfilled(Conflicting):
    """A fill-or-kill or immediate order found too little; its id is spent. Cure: price again, with a new id."""

    cure = "price it again from a fresh book, under a new id"


class EndpointRetired(VenueRefusal):
    """The operation is gone. Cure: update the program."""

    cure = "update the program: this operation was retired"


class NotServed(VenueRefusal):
    """This exchange does not serve the operation. Cure: ask another environment."""

    cure = "this exchange does not serve the operation: use another environment for it"


class VenueDown(VenueRefusal):
    """The venue failed; a write may or may not have been applied. Cure: read again; look a write up."""

    cure = "try again in a while; of a write, look up what became of it"


_BY_CODE: dict[str, type[VenueRefusal]] = {
    "header_timestamp_expired": StampExpired,
    "user_not_found": AccountAbsent,
    "invalid_order": OrderInvalid,
    "insufficient_balance": BalanceShort,
    "available_balance_too_low": BalanceShort,
    "invalid_price": PriceInvalid,
    "invalid_order_size": SizeInvalid,
    "order_side_mismatch": OrderMismatched,
    "order_ticker_mismatch": OrderMismatched,
    "order_id_and_client_order_id_mismatch": OrderMismatched,
    "market_inactive": MarketInactive,
    "order_already_exists": OrderExists,
    "fill_or_kill_insufficient_resting_volume": OrderUnfilled,
    "immediate_or_cancel_insufficient_resting_volume": OrderUnfilled,
}
_BY_DETAILS: dict[tuple[str, str], type[VenueRefusal]] = {
    ("authentication_error", "INVALID_PARAMETER"): KeyUnknown,
    ("authentication_error", "INCORRECT_API_KEY_SIGNATURE"): SignatureWrong,
    ("invalid_order", "post only cross"): PostOnlyCrossed,
}
_BY_STATUS: dict[int, type[VenueRefusal]] = {
    400: RequestInvalid,
    401: KeyRefused,
    403: PermissionMissing,
    404: NotFound,
    409: Conflicting,
    410: EndpointRetired,
    429: RateLimited,
    501: NotServed,
}


_STREAM_CURES = {
    8: "this exchange does not have the channel: do without, or update the program",
    9: "this key may not have the channel: ask the venue for it, or use a key that may",
    10: "the venue ended it: subscribe again",
    11: "correct the parameter that is named, such as a market that is not there",
    25: "it was read too slowly: look at this machine's load, then subscribe again",
    26: "too many markets: name fewer",
    27: "too many commands: wait before the next",
}


def stream_cure(code: int | None) -> str:
    """Give what to do about an error of the stream. Source: AsyncAPI document 2.0.0, error codes."""
    return _STREAM_CURES.get(code or 0, "subscribe again, or report it with the command that caused it")


def refusal(answer: Response) -> VenueRefusal:
    """Give the typed error of an answer that is no success."""
    assert not answer.is_success, "a success refuses nothing"
    detail = error_detail(answer.status, answer.body)
    code, text = detail.code or "", ": ".join(part for part in (detail.message, detail.details) if part)
    return refusal_of(answer.status, code, text, detail.details or "")


def refusal_of(status: int, code: str, text: str, details: str = "") -> VenueRefusal:
    """Give the typed error of a status, a code, its text and its details word, as of one item of a batch."""
    if status >= 500 and status not in _BY_STATUS:
        return VenueDown(status, code, text)
    kind = _BY_DETAILS.get((code, details)) or _BY_CODE.get(code) or _BY_STATUS.get(status, VenueRefusal)
    return kind(status, code, text)
