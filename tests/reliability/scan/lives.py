"""How long a plaintext can be found in a process's memory after its time is over."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from tests.reliability.scan.needles import Needle, Search
from tests.reliability.scan.places import memory_of

# Before it, nothing found may mean: not yet.
_AT_LEAST_S = 5.0


def lives(pids: Sequence[int], needles: Sequence[Needle], *, within_s: float) -> dict[str, float | None]:
    """Seconds from the call until each canary was last seen, 0 if never; None: it is still there. Blocks.

    As exact as a look takes: some hundred milliseconds a process.
    """
    search, began_s = Search(needles), monotonic()
    last: dict[str, float | None] = dict.fromkeys((one.of for one in needles), 0.0)
    while True:
        seen = {one.of for pid in pids for chunks in memory_of(pid) for one in search.through(chunks)}
        elapsed_s = round(monotonic() - began_s, 1)
        last |= dict.fromkeys(seen, elapsed_s)
        if elapsed_s >= within_s:
            return last | dict.fromkeys(seen, None)
        if not seen and elapsed_s >= _AT_LEAST_S:
            return last
