"""What comes to the port and is no request: refused in the venue's words, not in those of the HTTP library."""

import asyncio
import errno
import sys
from http import HTTPStatus

from aiohttp import web

from fairstrike.exchange.api.call import BoxResponse, ErrorDetail, answer_json

_DETAILS_MAX = 200


class Doorstep(web.Server):
    """A server whose clients' broken HTTP is answered and forgotten; only our own failures are logged."""

    def __call__(self) -> web.RequestHandler:
        """Give what speaks HTTP on one new connection."""
        return _Speaker(self, loop=self._loop, **self._kwargs)


class _Speaker(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return super().handle_error(request, status, exc, message)
        answer = unreadable(status, message or "")
        response = web.Response(status=status, body=answer.body, content_type="application/json")
        response.force_close()
        return response

    def log_exception(self, *args: object, **named: object) -> None:
        # A body that does not decode is met again while what is left of it is read away.
        if not isinstance(named.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **named)


class Crowd:
    """What an event loop does about a failure that nobody awaits: too many connections are one sentence, said once."""

    def __init__(self) -> None:
        """Have said nothing yet."""
        self._is_said = False

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Take a failure in `context`, as the loop describes it."""
        why = context.get("exception")
        if not isinstance(why, OSError) or why.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif not self._is_said:
            self._is_said = True
            sys.stderr.write(
                f"warning: no more connections can be had ({why.strerror}); close some, or raise ulimit -n\n"
            )


def unreadable(status: int, why: str) -> BoxResponse:
    """Give the refusal of what cannot be read as a request, `why` as its details, cut to a line."""
    details = " ".join(why.split())[:_DETAILS_MAX]
    return answer_json(ErrorDetail(code="bad_request", message="bad request", details=details), status)
