"""The worker's process: `python -m fairstrike.worker`. Questions on standard input, replies on standard output.

It ends when its input does, so it never outlives the trader that started it, and it gives way to it: the trader's
decisions come first on a machine with few cores.
"""

import os
import sys

import msgspec

from fairstrike.core.errors import ArithmeticRefusal, UsageError
from fairstrike.worker.answering import Answers
from fairstrike.worker.frames import HEAD_BYTES, Question, Reply, framed, length_of

_NICENESS = 5


def main() -> int:
    """Answer until the input ends. Gives the exit code."""
    os.nice(_NICENESS)
    answers, source, sink = Answers(), sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(HEAD_BYTES)) == HEAD_BYTES:
        try:
            question = msgspec.msgpack.decode(source.read(length_of(head)), type=Question)
        except (ArithmeticRefusal, msgspec.MsgspecError) as error:
            print(f"the worker was sent what is no question ({error}); only a trader starts it", file=sys.stderr)
            return UsageError.exit_code
        try:
            reply = Reply(number=question.number, result=answers(question.kind, question.inputs))
        except ArithmeticRefusal as refusal:
            reply = Reply(number=question.number, refusal=str(refusal))
        sink.write(framed(reply))
        sink.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
