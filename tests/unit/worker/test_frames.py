"""Frames between trader and worker: there and back, and what cannot be one."""

import msgspec
import pytest

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.worker.frames import BODY_MAX, HEAD_BYTES, Question, Reply, framed, length_of


@pytest.mark.parametrize(
    "body", [Question(number=7, kind="arbitrage", inputs=b"\x00\xff"), Reply(number=7, result=b"r"), Reply(number=8)]
)
def test_there_and_back(body: Question | Reply) -> None:
    frame = framed(body)
    assert length_of(frame[:HEAD_BYTES]) == len(frame) - HEAD_BYTES
    assert msgspec.msgpack.decode(frame[HEAD_BYTES:], type=type(body)) == body


def test_absurd_length_is_refused() -> None:
    with pytest.raises(ArithmeticRefusal, match="one version"):
        length_of((BODY_MAX + 1).to_bytes(4, "little"))
