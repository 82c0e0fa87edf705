"""From the bytes of a tick to the signed request it causes: every stage, at the median and at the 99th percentile."""

import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bench.measuring import Figure, Progress, Scale
from bench.ticking import TICKS_MAX, Trader, request_of
from fairstrike.core.events import BatchEnded
from fairstrike.exchange.verification import Identity, Keyring, SignedCall
from fairstrike.venue.kalshi.signing import Allowed, Signer
from fairstrike.venue.kalshi.wire.transport import BASE_PATH

SECTION = "tick to signed request, RSA-2048 (wall time)"

_STAGES = ("decode and session", "turn: journal, fold, decide", "request: path and body", "sign")
_UNSIGNED, _WHOLE = "tick to unsigned request", "tick to signed request"
_ALONE = "RSA-2048 signature alone"
_KEY_ID = "bench"


class Marks:
    """The durations of one round in microseconds, by stage."""

    def __init__(self) -> None:
        """Start empty."""
        self.of: dict[str, list[float]] = {name: [] for name in (*_STAGES, _UNSIGNED, _WHOLE, _ALONE)}

    def note(self, instants: tuple[int, int, int, int, int]) -> None:
        """Take the five instants around a tick's four stages."""
        for stage, began, ended in zip(_STAGES, instants, instants[1:], strict=False):
            self.of[stage].append((ended - began) / 1_000)
        self.of[_UNSIGNED].append((instants[3] - instants[0]) / 1_000)
        self.of[_WHOLE].append((instants[4] - instants[0]) / 1_000)

    def percentile(self, name: str, hundredths: int) -> float:
        """Give the duration that so many hundredths of the ticks did not exceed."""
        ordered = sorted(self.of[name])
        return ordered[min(len(ordered) - 1, len(ordered) * hundredths // 100)]


class Desk:
    """A signer with a key made for this run, and the exchange's keyring that checks it."""

    def __init__(self) -> None:
        """Make the key."""
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.signer = Signer(_KEY_ID, pem, Allowed.EVERYTHING)
        self._keyring = Keyring()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._keyring.add(_KEY_ID, "bench", public)

    def check(self, headers: dict[str, str], path: str, wall_ms: int) -> None:
        """Hold a request's headers against the exchange's own check."""
        lower = {name.lower(): value for name, value in headers.items()}
        verdict = self._keyring.verify(SignedCall(method="POST", path=path, headers=lower), wall_ms)
        assert isinstance(verdict, Identity), "the exchange takes the signature"


def measure(scale: Scale, progress: Progress) -> list[Figure]:
    """Give the figures of a tick: medians, shares of the whole, and 99th percentiles."""
    desk, rounds = Desk(), []
    for number in range(scale.rounds + 1):
        progress.step(f"tick to order, round {number} of {scale.rounds}")
        rounds.append(_round(desk, min(scale.ticks, TICKS_MAX)))
    counted = rounds[1:]
    found = [_figure(counted, name, 50, _WHOLE) for name in (*_STAGES, _UNSIGNED)]
    found.append(_figure(counted, _WHOLE, 50, _ALONE))
    found.append(_figure(counted, _ALONE, 50, None))
    found += [_figure(counted, name, 99, None) for name in (_UNSIGNED, _WHOLE, _ALONE)]
    return found


def _round(desk: Desk, ticks: int) -> Marks:
    marks = Marks()
    with tempfile.TemporaryDirectory() as folder:
        trader = Trader(Path(folder))
        for _ in range(ticks):
            _tick(trader, desk, marks)
        trader.journal.close(trader.now_ns)
    return marks


def _tick(trader: Trader, desk: Desk, marks: Marks) -> None:
    data, now_ns, wall_ms = trader.tick(), trader.now_ns, time.time_ns() // 1_000_000
    clock = time.perf_counter_ns
    began = clock()
    events = trader.session.receive(data, now_ns)
    events.append(BatchEnded(recv_ns=now_ns))
    received = clock()
    effects = trader.turn(events)
    decided = clock()
    request = request_of(effects, now_ns)
    path = BASE_PATH + request.path
    asked = clock()
    headers = desk.signer.sign(request.method, path, wall_ms)
    signed = clock()
    marks.note((began, received, decided, asked, signed))
    desk.check(headers, path, wall_ms)
    began = clock()
    desk.signer.sign(request.method, path, wall_ms)
    marks.of[_ALONE].append((clock() - began) / 1_000)
    trader.settle(effects)


def _figure(rounds: list[Marks], name: str, hundredths: int, reference: str | None) -> Figure:
    runs = tuple(marks.percentile(name, hundredths) for marks in rounds)
    ratio = None
    if reference is not None:
        ratios = sorted(own / marks.percentile(reference, hundredths) for own, marks in zip(runs, rounds, strict=True))
        ratio = ratios[len(ratios) // 2]
    label = name if hundredths == 50 else f"{name}, 99th percentile"
    return Figure(section=SECTION, name=label, unit="us", runs=runs, reference=reference, ratio=ratio)
