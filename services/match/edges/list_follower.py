"""Follows the list: a newer one replaces the one in use between two batches; at the purge the last one goes."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from services.contracts.errors import Permanent, Transient
from services.match.core.admission import ListRefusal, NotAdmitted
from services.match.core.matrix import ListMatrix
from services.match.metrics import MatchMetrics
from services.match.ports import ListStore
from services.runtime.clock import Clock

log = logging.getLogger(__name__)

# May be mended where they lie, or by the next registry; any other refusal is final for its digest.
_TRIED_AGAIN = frozenset({ListRefusal.UNREADABLE, ListRefusal.ALTERED, ListRefusal.NOT_SEALED})
# How long `stop` waits for a look at Redis that is under way; its own deadlines are shorter.
_JOIN_S = 10.0


class ListFollower:
    """`CurrentList`, kept by a thread of its own from `start` to `stop`.

    A list that is refused is said so once, and the one before goes on being searched: a bad build must not
    end a deployment that runs. When the list's key dies, what was opened with it goes too, whether or not the
    store answers. Only the follower's thread writes; `current` is one reference, read by any.
    """

    def __init__(
        self, store: ListStore, purge_at: datetime, metrics: MatchMetrics, clock: Clock, *, poll_s: float
    ) -> None:
        self._store = store
        self._purge_at = purge_at
        self._metrics = metrics
        self._clock = clock
        self._poll_s = poll_s
        self._current: ListMatrix | None = None
        self._refused: tuple[str | None, ListRefusal] | None = None
        self._answers = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="signpost-match-list", daemon=True)

    def current(self) -> ListMatrix | None:
        return self._current

    def answers(self) -> bool:
        """Whether the store answered when it was last asked."""
        return self._answers

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Blocks until the thread has ended; harmless if it never began."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def look(self) -> None:
        """Take the list into use that is current, if it is another and is admitted; past its purge, none."""
        if self._clock.now() >= self._purge_at:
            self._purge()
            return
        try:
            digest = self._store.digest()
            self._answers = True
            if digest is None:
                # Taken away is not the same as unreadable: what is no list any more is searched no more.
                self._current = None
                self._refuse(None, ListRefusal.MISSING)
            elif self._is_new(digest):
                self._take(digest)
            elif self._current is not None and self._current.digest == digest:
                self._recheck(digest)
        except Transient as away:
            self._answers = False
            log.warning("list not looked at", extra={"reason": str(away)})

    def _follow(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._poll_s)

    def _purge(self) -> None:
        over, self._current = self._current, None
        if over is None:
            return
        # No search reads it any more: every face it could be asked about lies long outside the window.
        over.wipe()
        self._metrics.list_purged()
        log.info("list purged", extra={"digest": over.digest})

    def _is_new(self, digest: str) -> bool:
        known = self._current is not None and self._current.digest == digest
        about, why = self._refused or (None, None)
        return not known and (about != digest or why in _TRIED_AGAIN)

    def _recheck(self, digest: str) -> None:
        try:
            self._store.recheck(digest)
        except NotAdmitted as refused:
            # Not wiped: a search may be under way, and half a list finds other people than a whole one.
            self._current = None
            self._refuse(digest, refused.why, why=str(refused))

    def _take(self, digest: str) -> None:
        try:
            found = self._store.load(digest)
        except NotAdmitted as refused:
            self._refuse(digest, refused.why, why=str(refused))
            return
        except Permanent as unreadable:
            self._refuse(digest, ListRefusal.UNREADABLE, why=str(unreadable))
            return
        self._current, self._refused = found, None
        self._metrics.list_loaded(subjects=found.subjects, fillers=found.fillers)
        log.info(
            "list loaded",
            extra={"digest": digest, "subjects": found.subjects, "fillers": found.fillers},
        )

    def _refuse(self, digest: str | None, refusal: ListRefusal, *, why: str = "") -> None:
        if self._refused == (digest, refusal):
            return
        self._refused = (digest, refusal)
        self._metrics.list_refused(refusal)
        extra = {"digest": digest, "refusal": str(refusal), "why": why}
        if refusal is ListRefusal.MISSING:
            log.warning("no list to search", extra=extra)
        else:
            log.error("list refused", extra=extra)
