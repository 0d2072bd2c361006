"""What time brings to cases: claims lapse, what nobody decided expires as no action, pictures fade."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from services.contracts.authority import Authority
from services.contracts.errors import Transient
from services.review.core.case import Policy
from services.review.core.change import Change
from services.review.core.errors import Gone
from services.review.core.keeping import Keeping
from services.review.core.move import Expire, Lapse, Move
from services.review.core.moves import decide
from services.review.metrics import ReviewMetrics
from services.review.ports import AlertStore
from services.runtime.clock import Clock

log = logging.getLogger(__name__)

# For how long supervisors and engagement officers see a closed case in their queue.
_LOOK_BACK = timedelta(days=1)


class Sweeper:
    """Any instance may run one; two at once do no harm: the store takes each change once. One thread's."""

    def __init__(
        self, authority: Authority, policy: Policy, store: AlertStore, metrics: ReviewMetrics, clock: Clock
    ) -> None:
        self._policy = policy
        self._keeping = Keeping(authority)
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._answered = False

    def answers(self) -> bool:
        """Whether the store did at the last look. Any thread."""
        return self._answered

    def run(self, stop: threading.Event, *, every_s: float) -> None:
        """Sweep until told to stop; a store that is away is waited for."""
        while not stop.wait(every_s):
            try:
                self.sweep()
                self._answered = True
            except Transient as away:
                self._answered = False
                log.warning("sweep put off", extra={"kind": type(away).__name__})

    def sweep(self) -> None:
        """One look at every open case. Raises Transient."""
        now = self._clock.now()
        cases = self._store.open_cases()
        for case in cases:
            if now >= case.expires_at:
                self._apply(case.id, Expire(), now)
                continue
            lapsed = sum(seat.lent is not None and seat.held(now) is None for seat in case.seats)
            if lapsed and self._apply(case.id, Lapse(), now):
                self._metrics.lapsed(lapsed)
        self._store.forget_closed(now - _LOOK_BACK)
        self._store.drop_faded(now)
        self._metrics.stands([case for case in cases if now < case.expires_at], now)

    def _apply(self, listed: str, move: Move, now: datetime) -> bool:
        # Read anew: in the index an earlier turn may have been put in the place of the last.
        case = self._store.case(listed)
        if case is None:
            return False
        try:
            step = decide(case, move, now=now, policy=self._policy)
        except Gone:
            return False
        change = Change(
            case=self._keeping.after(step.case, now, before=case),
            events=step.events,
            upkeep=self._keeping.upkeep(case, step.case, now),
        )
        # If somebody was faster, the next sweep looks at what they have made of it.
        if not self._store.apply(change):
            return False
        self._metrics.moved(step.events)
        return True
