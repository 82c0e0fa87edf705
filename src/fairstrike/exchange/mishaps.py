"""Faults in force: what becomes of each request and frame, and what befalls the exchange when.

Every fault draws from dice of its own, so that the same seed, faults and traffic give the same mishaps. Nothing is
drawn while nothing is in force. Frames that are late are kept here until they are due.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import assert_never

import msgspec

from fairstrike.core.chance import Dice
from fairstrike.core.errors import ConfigError
from fairstrike.core.timing import SECOND_NS
from fairstrike.exchange import faults as of
from fairstrike.exchange.api.call import TOO_MANY_REQUESTS, BoxRequest, BoxResponse, error
from fairstrike.exchange.inforce import FaultView, Live, Phase
from fairstrike.exchange.lanes import Lanes
from fairstrike.exchange.verification import KEY_HEADER
from fairstrike.venue.kalshi.wire.transport import BASE_PATH

FAULTS_MAX = 1_000
_STREAM = 800_000
_NAMES = re.compile(r"[A-Za-z0-9.\-]+")
_UNAVAILABLE = error(503, "service_unavailable", "the exchange is under maintenance")
_REFUSED = error(401, "authentication_error", "the signature does not match", "INCORRECT_API_KEY_SIGNATURE")


class Ending(Enum):
    """How an answer ends: whole, never, or in the middle."""

    WHOLE = auto()
    NEVER = auto()
    CUT = auto()


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one request: venue nanoseconds on its way and back, and what answers it.

    `answer` None means the exchange's own, if the request is carried out.
    """

    there_ns: int = 0
    back_ns: int = 0
    is_carried_out: bool = True
    is_malformed: bool = False
    answer: BoxResponse | None = None
    ending: Ending = Ending.WHOLE

    def told(self, own: BoxResponse | None) -> BoxResponse | None:
        """Give the answer that is told where the exchange's own is `own`; None when there is none."""
        answer = self.answer or own
        if answer is None or self.ending is Ending.NEVER:
            return None
        return msgspec.structs.replace(answer, body=answer.body[:-1] + b",") if self.is_malformed else answer


PLAIN = Course()


class Mishaps:
    """All faults of an exchange."""

    def __init__(self, seed: int, start_ns: int) -> None:
        """Start with none; `at_s` of faults counts from `start_ns`."""
        self._seed = seed
        self._start_ns = start_ns
        self._live: dict[int, Live] = {}
        self._added = 0
        self.lanes = Lanes(self.live)

    def add(self, fault: of.Fault, now_ns: int) -> FaultView:
        """Put a fault in force, at once or when it says.

        Raises `ConfigError` for one that would begin in the past, and when there are too many.
        """
        if len(self._live) >= FAULTS_MAX:
            raise ConfigError(f"there are {FAULTS_MAX} faults already; remove some first")
        from_ns = now_ns if fault.at_s is None else self._start_ns + round(fault.at_s * SECOND_NS)
        if from_ns < now_ns:
            raise ConfigError(f"at_s {fault.at_s:g} lies in the past; leave it out to begin now")
        self._added += 1
        live = Live(self._added, fault, from_ns, Dice(self._seed, _STREAM + self._added))
        self._live[live.number] = live
        return live.view()

    def remove(self, number: int) -> Live | None:
        """Take a fault back and give it, None when there is none of this number."""
        return self._live.pop(number, None)

    def views(self) -> tuple[FaultView, ...]:
        """Give all faults as they stand, those that are over included."""
        return tuple(live.view() for live in self._live.values())

    def struck(self) -> dict[str, int]:
        """Give how often each kind struck, of the faults that were not removed."""
        counts: dict[str, int] = {}
        for live in self._live.values():
            kind = str(live.fault.__struct_config__.tag)
            counts[kind] = counts.get(kind, 0) + live.struck
        return {kind: count for kind, count in counts.items() if count}

    def live(self, now_ns: int) -> Iterator[Live]:
        """Give the faults in force, oldest first."""
        return (live for live in self._live.values() if live.is_in_force(now_ns))

    # Requests

    def skew_ms(self, now_ns: int) -> int:
        """Give how far the exchange's wall clock is ahead."""
        skew_ms = 0
        for live in self.live(now_ns):
            if isinstance(live.fault, of.ClockSkew):
                live.struck = 1
                skew_ms += live.fault.ms
        return skew_ms

    def course(self, request: BoxRequest, account: str | None, now_ns: int) -> Course:
        """Give what becomes of a request that is sent now; the first fault that settles the answer has it."""
        if not self._live:
            return PLAIN
        course = PLAIN
        for live in self.live(now_ns):
            fault = live.fault
            if isinstance(fault, of.Maintenance) and fault.is_down:
                live.struck += 1
                return msgspec.structs.replace(course, is_carried_out=False, answer=_UNAVAILABLE)
            if not isinstance(fault, of.Requested) or not _fits(fault, request, account):
                continue
            if not isinstance(fault, of.Latency) and _is_settled(course):
                continue
            if live.strikes(fault.probability, fault.count):
                course = _struck(course, live, fault)
        return course

    # The exchange

    def act_due_ns(self) -> int | None:
        """Give when a fault does something to the exchange next, None when never."""
        return min((live.due_ns for live in self._live.values() if live.due_ns is not None), default=None)

    def acts(self, now_ns: int) -> list[tuple[Live, Phase]]:
        """Give what faults do to the exchange up to `now_ns`, once each."""
        found: list[tuple[Live, Phase]] = []
        for live in self._live.values():
            if live.due_ns is not None and live.due_ns <= now_ns:
                found.append((live, _turn(live, live.due_ns)))
        return found


def _turn(live: Live, now_ns: int) -> Phase:
    """Give what a fault does now, and note when it does something next."""
    fault = live.fault
    if live.until_ns is not None and now_ns >= live.until_ns:
        live.due_ns = None
        return Phase.END
    if isinstance(fault, of.Disconnect):
        live.struck += 1
        is_last = fault.count is not None and live.struck >= fault.count
        live.due_ns = None if is_last else now_ns + round(fault.every_s * SECOND_NS)
        return Phase.STRIKE
    if isinstance(fault, of.SettlementCorrection):
        # Asked every second until the market has paid out.
        live.due_ns = now_ns + SECOND_NS
        return Phase.STRIKE
    live.struck += 1
    live.has_begun = True
    live.due_ns = live.until_ns
    return Phase.BEGIN


def _is_settled(course: Course) -> bool:
    plain = msgspec.structs.replace(course, there_ns=0, back_ns=0)
    return plain != PLAIN


def _struck(course: Course, live: Live, fault: of.Requested) -> Course:
    changed = msgspec.structs.replace
    match fault:
        case of.Latency():
            wait_ns = live.delay_ns(fault.law, fault.ms, fault.spread_ms)
            if fault.leg == "request":
                return changed(course, there_ns=course.there_ns + wait_ns)
            return changed(course, back_ns=course.back_ns + wait_ns)
        case of.ServerError():
            answer = error(fault.status, "internal_server_error", "the exchange could not answer")
            return changed(course, is_carried_out=fault.is_done, answer=answer)
        case of.RateLimited():
            wait = fault.retry_after_s
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return changed(course, is_carried_out=False, answer=changed(TOO_MANY_REQUESTS, headers=headers))
        case of.Timeout():
            return changed(course, is_carried_out=fault.is_done, ending=Ending.NEVER)
        case of.CutAnswer():
            return changed(course, ending=Ending.CUT)
        case of.MalformedAnswer():
            return changed(course, is_malformed=True)
        case of.SignatureRefused():
            return changed(course, is_carried_out=False, answer=_REFUSED)
        case _:
            assert_never(fault)


def _fits(fault: of.Requested, request: BoxRequest, account: str | None) -> bool:
    if fault.method not in (None, request.method):
        return False
    if fault.path is not None and not fnmatchcase(request.path.removeprefix(BASE_PATH), fault.path):
        return False
    if fault.account is not None and not fnmatchcase(account or "", fault.account):
        return False
    if isinstance(fault, of.SignatureRefused) and not any(name.lower() == KEY_HEADER for name in request.headers):
        return False
    if fault.market is None:
        return True
    said = f"{request.path} {request.query} {request.body.decode(errors='replace')}"
    return any(fnmatchcase(name, fault.market) for name in _NAMES.findall(said))
