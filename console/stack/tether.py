"""Become another program that dies with its parent: `python tether.py PARENT_PID PROGRAM ARGS...`.

A wrapper instead of subprocess's preexec_fn: Python code between fork and exec can deadlock in a
parent that has threads, and ours have (Kafka's client, gRPC).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to PARENT_PID (Linux), switch core dumps off, and become PROGRAM."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    # The volatile Redis holds keys: a core file would write them to disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # SIGKILL, not SIGTERM: nobody is left to wait for a slow goodbye, or to force it.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before prctl was in effect.
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(program[0], program)  # noqa: S606  # an argument list, no shell, is the point


if __name__ == "__main__":
    main()
