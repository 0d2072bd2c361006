"""The process that decodes photographs: one after another from its standard input, until that ends.

`python -m services.embed.edges.photo_main SPACE_BYTES`, started by `photo_process`. In a process of its own
because the bytes are a stranger's: what crashes a decoder, or takes hold of it, has this process and nothing else.
It has no setting, no key and no model, and can open no file and no socket any more.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from services.contracts.errors import Permanent
from services.embed.core import photo_wire as wire
from services.embed.edges.photo_decode import Pixels, decoded

_PR_SET_DUMPABLE = 4


def main(decode: Callable[..., Pixels] = decoded) -> None:
    """Decode what comes until nothing comes any more."""
    _confine(int(sys.argv[1]))
    asked, answers = sys.stdin.buffer, _output()
    while head := asked.read(wire.ASK.size):
        max_pixels, length = wire.ASK.unpack(head)
        _answer(partial(decode, asked.read(length), max_pixels=max_pixels), answers)


def _answer(decode: Callable[[], Pixels], answers: BinaryIO) -> None:
    try:
        pixels = decode()
    except Permanent as refused:
        answers.write(wire.refusal(refused.reason, str(refused)))
    except MemoryError:
        answers.write(wire.refusal("too_large", "the picture takes more memory than one may: save it smaller"))
    else:
        height, width = pixels.shape[:2]
        answers.write(wire.picture_head(height, width))
        answers.write(pixels.data)
    answers.flush()


def _confine(space_bytes: int) -> None:
    """No core, no more memory than a decoder needs, no further file or socket (Linux). All is imported by now."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (space_bytes, space_bytes))
    # The parent ends us; a Ctrl-C at the terminal is meant for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _output() -> BinaryIO:
    """What was standard output; whatever else writes there goes nowhere from now on, and no file is opened."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    return answers


if __name__ == "__main__":
    main()
