"""How often one may fail to sign in."""

from __future__ import annotations

from collections import OrderedDict, deque

from services.runtime.clock import Clock

# A person mistypes now and then; a guesser needs thousands. The wait is short, so that nobody can lock
# somebody else out for long by failing in their name.
FAILURES = 5
WITHIN_S = 60.0
# A machine tries many names from one address.
FAILURES_OF_ADDRESS = 20
# Names come from outside: what is remembered of them is bounded, the oldest forgotten first.
_REMEMBERED = 4096


class SignInThrottle:
    """Counts failures by name and by address over the last minute. Only the page's event loop touches it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_s(self, user: str, address: str) -> float:
        """Seconds until another try is heard; 0: now."""
        of_user = self._wait_of(("user", user), FAILURES)
        return max(of_user, self._wait_of(("address", address), FAILURES_OF_ADDRESS))

    def failed(self, user: str, address: str) -> None:
        now = self._clock.monotonic()
        for key, limit in ((("user", user), FAILURES), (("address", address), FAILURES_OF_ADDRESS)):
            self._failures.setdefault(key, deque(maxlen=limit)).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, user: str) -> None:
        self._failures.pop(("user", user), None)

    def _wait_of(self, key: tuple[str, str], limit: int) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < limit:
            return 0.0
        return max(0.0, times[0] + WITHIN_S - self._clock.monotonic())
