"""What every child process of ingest does first: it dies with its parent and leaves no core (Linux)."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

# A process can be confined while it has one thread: whoever imports this before numpy gets no more by its library.
os.putenv("OPENBLAS_NUM_THREADS", "1")

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def belong_to(parent: int, *, space_bytes: int) -> None:
    """Die with `parent`, leave no core, take no more address space than that."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (space_bytes, space_bytes))
    # The parent ends us by SIGKILL; a Ctrl-C at the terminal is meant for it, not for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The parent may have died before prctl was in effect.
    if os.getppid() != parent:
        sys.exit(1)
