"""Follows the list: taken up once it lies there whole, let go when it is taken away, void, or purged."""

from __future__ import annotations

import logging
from datetime import datetime

from services.contracts.errors import Permanent, Transient
from services.match.core.admission import ListRefusal, NotAdmitted
from services.match.core.matrix import ListMatrix
from services.match.metrics import MatchMetrics
from services.match.ports import ListStore
from services.runtime.clock import Clock
from services.runtime.looking import Looking

log = logging.getLogger(__name__)

# May come, be mended where it lies, or count by the next registry; any other refusal is final.
_TRIED_AGAIN = frozenset(
    {ListRefusal.MISSING, ListRefusal.UNREADABLE, ListRefusal.ALTERED, ListRefusal.NOT_SEALED}
)


class ListFollower(Looking):
    """`CurrentList`, kept by a thread of its own from `start` to `stop`.

    Which list it is, the authority says for good. Why it is refused is said once. When the list's key dies, what
    was opened with it goes too, whether or not the store answers. Only the follower's thread writes; `current` is
    one reference, read by any.
    """

    def __init__(
        self, store: ListStore, purge_at: datetime, metrics: MatchMetrics, clock: Clock, *, poll_s: float
    ) -> None:
        super().__init__(name="match-list", every_s=poll_s)
        self._store = store
        self._purge_at = purge_at
        self._metrics = metrics
        self._clock = clock
        self._current: ListMatrix | None = None
        self._refused: ListRefusal | None = None
        self._answers = True

    def current(self) -> ListMatrix | None:
        return self._current

    def answers(self) -> bool:
        """Whether the store answered when it was last asked."""
        return self._answers

    def look(self) -> None:
        """Take the list into use if it is there and is admitted, let it go if not; past its purge, none."""
        if self._clock.now() >= self._purge_at:
            self._purge()
            return
        try:
            there = self._store.there()
            self._answers = True
            if not there:
                # Taken away is not the same as unreadable: what is no list any more is searched no more.
                self._current = None
                self._refuse(ListRefusal.MISSING)
            elif self._current is not None:
                self._recheck()
            elif self._refused is None or self._refused in _TRIED_AGAIN:
                self._take()
        except Transient as away:
            self._answers = False
            log.warning("list not looked at", extra={"reason": str(away)})

    def _purge(self) -> None:
        over, self._current = self._current, None
        if over is None:
            return
        # No search reads it any more: every face it could be asked about lies long outside the window.
        over.wipe()
        self._metrics.list_purged()
        log.info("list purged", extra={"digest": over.digest})

    def _recheck(self) -> None:
        try:
            self._store.recheck()
        except NotAdmitted as refused:
            # Not wiped: a search may be under way, and half a list finds other people than a whole one.
            self._current = None
            self._refuse(refused.why, why=str(refused))

    def _take(self) -> None:
        try:
            found = self._store.load()
        except NotAdmitted as refused:
            self._refuse(refused.why, why=str(refused))
            return
        except Permanent as unreadable:
            self._refuse(ListRefusal.UNREADABLE, why=str(unreadable))
            return
        self._current, self._refused = found, None
        self._metrics.list_loaded(subjects=found.subjects, fillers=found.fillers)
        log.info(
            "list loaded",
            extra={"digest": found.digest, "subjects": found.subjects, "fillers": found.fillers},
        )

    def _refuse(self, refusal: ListRefusal, *, why: str = "") -> None:
        if self._refused is refusal:
            return
        self._refused = refusal
        self._metrics.list_refused(refusal)
        extra = {"refusal": str(refusal), "why": why}
        if refusal is ListRefusal.MISSING:
            log.warning("no list to search", extra=extra)
        else:
            log.error("list refused", extra=extra)
