"""A lock that only a living process holds: the kernel frees it at death."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(lock: Path, *, otherwise: Exception) -> Iterator[None]:
    """Hold the file `lock`, which is made and stays; raises `otherwise` if another process holds it."""
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise otherwise from None
        yield
