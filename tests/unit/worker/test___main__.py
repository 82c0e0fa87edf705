"""The worker as a process: replies in order, an end when its input ends, and what is no question."""

import subprocess
import sys

import msgspec

from fairstrike.worker.frames import HEAD_BYTES, Question, Reply, framed, length_of


def ran(told: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-m", "fairstrike.worker"], input=told, capture_output=True, timeout=60)


def replies(said: bytes) -> list[Reply]:
    found: list[Reply] = []
    while said:
        end = HEAD_BYTES + length_of(said[:HEAD_BYTES])
        found.append(msgspec.msgpack.decode(said[HEAD_BYTES:end], type=Reply))
        said = said[end:]
    return found


def test_a_question_that_is_refused_does_not_end_it() -> None:
    done = ran(b"".join(framed(Question(number=number, kind="other", inputs=b"")) for number in (1, 2)))
    assert (done.returncode, done.stderr) == (0, b"")
    assert [(one.number, one.result) for one in replies(done.stdout)] == [(1, b""), (2, b"")]
    assert all("no computation" in one.refusal for one in replies(done.stdout))


def test_it_ends_with_its_input() -> None:
    for told in (b"", b"\x01"):
        assert (ran(told).returncode, ran(told).stdout) == (0, b"")


def test_what_is_no_question_is_one_sentence() -> None:
    for told in (b"\xff\xff\xff\xff", b"\x01\x00\x00\x00\x00"):
        done = ran(told)
        assert done.returncode == 2
        assert done.stdout == b""
        assert done.stderr.count(b"\n") == 1
        assert b"only a trader" in done.stderr
