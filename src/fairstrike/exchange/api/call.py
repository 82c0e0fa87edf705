"""A request, its answer, the three shapes of refusal, and pages: what every group of operations shares."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import NoReturn, TypeVar
from urllib.parse import parse_qsl

import msgspec

from fairstrike.core.errors import FairstrikeError
from fairstrike.exchange.api.budgets import Budgets
from fairstrike.exchange.candles import Candles
from fairstrike.exchange.floor import Floor, Rejection

PAGE_LIMIT_MAX = 1_000
EVENTS_LIMIT_MAX = 200

_REPEATABLE = frozenset({"tickers"})
_ENCODER = msgspec.json.Encoder()

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")


class BoxRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request: path from the root, query without its question mark, any case of header names."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class BoxResponse(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer; the body is JSON, empty with status 204. `headers` are beside the usual ones."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that found its operation: who asks (None unsigned), when (venue time), for what.

    `names` holds the variable parts of the path in order.
    """

    account: str | None
    now_ns: int
    names: tuple[str, ...]
    query: str
    body: bytes

    @property
    def owner(self) -> str:
        """The account that signed; only signed operations ask."""
        assert self.account is not None, "an operation on an account is declared as signed"
        return self.account


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What operations work on. What is older than `live_tier_ns` is historical."""

    floor: Floor
    budgets: Budgets
    candles: Candles
    live_tier_ns: int
    is_order_found_unrouted: bool = False


class CallRefused(FairstrikeError):
    """A request is refused with `answer`. Cure: the answer's body says what the client must change."""

    def __init__(self, answer: BoxResponse) -> None:
        """Carry the answer up to the dispatcher."""
        super().__init__(f"refused with status {answer.status}")
        self.answer = answer


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The venue's error object. Source: recorded refusals; `service` went in August 2026."""

    code: str
    message: str
    details: str | None = None


TOO_MANY_REQUESTS = BoxResponse(status=429, body=b'{"error":"too many requests"}')


def answer_json(body: object, status: int = 200) -> BoxResponse:
    """Give `body` (msgspec values) as an answer."""
    return BoxResponse(status=status, body=_ENCODER.encode(body))


def error(status: int, code: str, message: str, details: str | None = None) -> BoxResponse:
    """Give the usual refusal: `{"error": {"code", "message", "details"?}}`."""
    return answer_json({"error": ErrorDetail(code=code, message=message, details=details)}, status)


def rejected(why: Rejection) -> BoxResponse:
    """Give the floor's no as the venue words it."""
    return error(why.status, why.code, why.message, why.details)


def bad_body(message: str) -> BoxResponse:
    """Give the flat refusal of a body that cannot be read: `{"code": "bad_request", ...}`."""
    return answer_json(ErrorDetail(code="bad_request", message="bad request", details=message), 400)


def bad_query(message: str) -> BoxResponse:
    """Give the refusal of a query parameter: `{"msg": ...}`."""
    return answer_json({"msg": message}, 400)


def refuse(answer: BoxResponse) -> NoReturn:
    """Stop the operation with this answer. Raises `CallRefused` always."""
    raise CallRefused(answer)


def not_found(message: str = "not found") -> NoReturn:
    """Stop the operation with 404 `not_found`. Raises `CallRefused` always."""
    raise CallRefused(error(404, "not_found", message))


def read_query(call: Call, shape: type[S]) -> S:
    """Give the query as a `shape`; unknown parameters are ignored, repeatable ones become lists.

    Raises `CallRefused` (400) for a value outside the shape, such as a limit above its maximum.
    """
    values: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(call.query):
        if name in _REPEATABLE:
            values[name] = [*values.get(name, ()), *value.split(",")]
        else:
            values[name] = value
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as why:
        refuse(bad_query(str(why)))


def read_body(call: Call, shape: type[S]) -> S:
    """Give the body as a `shape`; a JSON number where text is wanted is refused, as at the venue.

    Raises `CallRefused` (400) when the body is not JSON or does not fit.
    """
    try:
        return msgspec.json.decode(call.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        refuse(bad_body(str(why)))


def page(
    items: Iterable[T], cursor: str, limit: int, key: Callable[[T], str], is_wanted: Callable[[T], bool] | None = None
) -> tuple[tuple[T, ...], str]:
    """Give up to `limit` wanted items from the one after `cursor` on, and the next cursor ("" on the last page).

    A cursor is the `key` of the last item given, so it stays right while items are added in front, and when that item
    is wanted no more. One that cannot be read counts as none.
    Source: seen at the venue, which answers 200 to any cursor.
    """
    rest = iter(items)
    last = _key(cursor)
    if last is not None:
        for item in rest:
            if key(item) == last:
                break
    if is_wanted is not None:
        rest = filter(is_wanted, rest)
    found = tuple(islice(rest, limit))
    is_more = len(found) == limit and next(rest, None) is not None
    return found, _cursor(key(found[-1])) if is_more else ""


def _cursor(key: str) -> str:
    return urlsafe_b64encode(f"after:{key}".encode()).decode()


def _key(cursor: str) -> str | None:
    try:
        text = urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:
        return None
    return text.removeprefix("after:") if text.startswith("after:") else None
