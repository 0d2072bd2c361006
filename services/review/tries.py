"""Tries to sign in, counted in this process."""

from __future__ import annotations

from services.review.core.signing_in import Try
from services.runtime.clock import Clock

# Names come from outside: what is remembered of them is bounded.
_REMEMBERED = 10_000
_KNOWN_S = 30 * 24 * 3600.0


class MemoryTries:
    """`Tries` of one instance. Event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._empty_at: dict[str, float] = {}
        self._known_until: dict[str, float] = {}

    async def count(self, tried: Try) -> float:
        now = self._clock.monotonic()
        is_known = self._known_until.get(tried.place, now) > now
        counts = [*tried.always, *(() if is_known else tried.where_new)]
        after = {one.name: max(now, self._empty_at.get(one.name, now)) + one.limit.every_s for one in counts}
        wait_s = max(after[one.name] - one.limit.at_once * one.limit.every_s - now for one in counts)
        if wait_s > 0:
            return wait_s
        self._forget_old(now)
        self._empty_at.update(after)
        return 0.0

    async def succeeded(self, tried: Try) -> None:
        self._known_until[tried.place] = self._clock.monotonic() + _KNOWN_S
        for one in tried.mine():
            self._empty_at.pop(one.name, None)

    def _forget_old(self, now: float) -> None:
        if len(self._empty_at) >= _REMEMBERED:
            self._empty_at = {name: at for name, at in self._empty_at.items() if at > now}
        while len(self._empty_at) >= _REMEMBERED:
            del self._empty_at[next(iter(self._empty_at))]
