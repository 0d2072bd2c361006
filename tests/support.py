"""What every room of the tests shares: waiting for a condition, by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Between two looks; short against every `within_s` in use, long against a busy loop.
_LOOK_EVERY_S = 0.02


def eventually(check: Callable[[], T], what: str, *, within_s: float) -> T:
    """Return the first truthy value of `check`; blocks at most `within_s`.

    Raises AssertionError naming `what` was awaited and the last value seen. An exception of
    `check` is the test's own and passes through.
    """
    deadline = time.monotonic() + within_s
    while True:
        seen = check()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s} s for {what}; last seen: {seen!r}")
        time.sleep(_LOOK_EVERY_S)
